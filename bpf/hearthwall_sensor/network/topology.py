"""The host's network as netlink tells it: interfaces, bridges, neighbours, addresses, gateways."""

import contextlib
import functools
import glob
import ipaddress
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from .netlink import IPRoute, NetlinkError

#: rtnetlink groups that ring the bell: links, neighbours, addresses and routes of both families.
_GROUPS: Final = 0x1 | 0x4 | 0x10 | 0x40 | 0x100 | 0x400
_NEIGHBOUR_USABLE: Final = (
    0x02 | 0x04 | 0x08 | 0x10 | 0x80
)  # reachable, stale, delay, probe, permanent
_ARPHRD_ETHER: Final = 1
#: Bridges and cables that container engines make.
_OF_CONTAINERS: Final = re.compile(r"docker|veth|hassio|br-[0-9a-f]{12}$|podman|virbr|lxc")
_SSH_PORT: Final = 22
_SSH_SETTINGS: Final = ("/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/*.conf")
_TCP_ESTABLISHED: Final = "01"


@dataclass(frozen=True, slots=True)
class NetInterface:
    """A network interface; `bridge` is the index of the bridge whose port it is."""

    index: int
    name: str
    kind: str
    mac: str | None
    bridge: int | None
    up: bool
    addresses: tuple[str, ...]
    default_route: bool

    @property
    def is_ethernet(self) -> bool:
        """Whether frames on it carry MACs, so that devices can be told apart."""
        return self.mac is not None


@dataclass(slots=True)
class Network:
    """One look at the host's network."""

    interfaces: dict[int, NetInterface] = field(default_factory=dict)
    #: address → MAC
    neighbours: dict[str, str] = field(default_factory=dict)
    gateways: frozenset[str] = frozenset()
    #: (interface index, prefix)
    networks: tuple[tuple[int, str], ...] = ()

    def by_name(self, name: str) -> NetInterface | None:
        """Return the interface of that name."""
        return next((each for each in self.interfaces.values() if each.name == name), None)

    def ports(self, interface: NetInterface) -> list[NetInterface]:
        """Return a bridge's ports, or the interface itself where it is no bridge."""
        if interface.kind != "bridge":
            return [interface]
        return [each for each in self.interfaces.values() if each.bridge == interface.index]

    def addresses_by_mac(self) -> dict[str, list[str]]:
        """Return each neighbour's addresses, IPv4 first, link-local last."""
        found: dict[str, list[str]] = {}
        for address, mac in self.neighbours.items():
            found.setdefault(mac, []).append(address)
        for addresses in found.values():
            addresses.sort(key=_address_order)
        return found


def _address_order(text: str) -> tuple[int, bool, int]:
    """Sort key: family, link-local, number."""
    address = ipaddress.ip_address(text)
    return address.version, address.is_link_local, int(address)


def _attribute(message: Any, name: str) -> Any:
    """Return a netlink attribute or None."""
    return message.get_attr(name)


def read() -> Network:
    """Ask the kernel for the whole picture; raises OSError, as when an interface goes while it is read."""
    try:
        with IPRoute() as route:
            links = list(route.get_links())
            addresses = list(route.get_addr())
            routes = [*route.get_default_routes(), *route.get_default_routes(socket.AF_INET6)]
            neighbours = list(route.get_neighbours())
    except NetlinkError as error:
        raise OSError(error.code, str(error)) from error
    own: dict[int, list[str]] = {}
    networks: set[tuple[int, str]] = set()
    for each in addresses:
        text = _attribute(each, "IFA_LOCAL") or _attribute(each, "IFA_ADDRESS")
        own.setdefault(each["index"], []).append(text)
        prefix = ipaddress.ip_network(f"{text}/{each['prefixlen']}", strict=False)
        networks.add((each["index"], str(prefix)))
    gateways, uplinks = _default_routes(routes)
    network = Network(gateways=frozenset(gateways), networks=tuple(sorted(networks)))
    for link in links:
        interface = _interface(link, tuple(own.get(link["index"], ())), link["index"] in uplinks)
        network.interfaces[interface.index] = interface
    for each in neighbours:
        mac, address = _attribute(each, "NDA_LLADDR"), _attribute(each, "NDA_DST")
        if mac and address and each["state"] & _NEIGHBOUR_USABLE and int(mac[:2], 16) & 1 == 0:
            network.neighbours[address] = mac.lower()
    return network


def _default_routes(routes: list[Any]) -> tuple[set[str], set[int]]:
    """Return the default gateways' addresses and the interfaces that lead to them."""
    gateways, uplinks = set(), set()
    for each in routes:
        for hop in (each, *(_attribute(each, "RTA_MULTIPATH") or ())):
            if address := _attribute(hop, "RTA_GATEWAY"):
                gateways.add(address)
            if index := _attribute(hop, "RTA_OIF") or hop.get("oif"):
                uplinks.add(index)
    return gateways, uplinks


def _interface(link: Any, addresses: tuple[str, ...], default_route: bool) -> NetInterface:
    """Return a link message as a NetInterface."""
    name = _attribute(link, "IFLA_IFNAME")
    info = _attribute(link, "IFLA_LINKINFO")
    kind = _attribute(info, "IFLA_INFO_KIND") if info else None
    ethernet = link["ifi_type"] == _ARPHRD_ETHER
    if kind is None:
        kind = (
            "wifi"
            if Path(f"/sys/class/net/{name}/phy80211").exists()
            else "ethernet"
            if ethernet
            else "other"
        )
    slave_of = _attribute(link, "IFLA_MASTER")
    in_bridge = bool(info) and _attribute(info, "IFLA_INFO_SLAVE_KIND") == "bridge"
    return NetInterface(
        index=link["index"],
        name=name,
        kind=kind,
        mac=(_attribute(link, "IFLA_ADDRESS") or "").lower() or None if ethernet else None,
        bridge=slave_of if in_bridge else None,
        up=_attribute(link, "IFLA_OPERSTATE") != "DOWN",
        addresses=addresses,
        default_route=default_route,
    )


def proposed(network: Network) -> NetInterface | None:
    """Return the interface that most likely leads to the home: a bridge with an address and no way out first.

    A plain interface that is this host's only way out is none: its traffic is this host's own.
    """
    candidates = [
        each
        for each in network.interfaces.values()
        if each.is_ethernet
        and each.up
        and each.bridge is None
        and not _OF_CONTAINERS.match(each.name)
        and (each.kind == "bridge" or not each.default_route)
    ]
    candidates.sort(
        key=lambda each: (each.kind != "bridge", each.default_route, not each.addresses, each.index)
    )
    return candidates[0] if candidates else None


def operators() -> set[str]:
    """Return the far ends of SSH connections into this host: whoever repairs it must not be cut off."""
    ports = _ssh_ports()
    found = set()
    for table, family in (("/proc/net/tcp", socket.AF_INET), ("/proc/net/tcp6", socket.AF_INET6)):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            _, local, remote, state = line.split()[:4]
            if state == _TCP_ESTABLISHED and int(local.rpartition(":")[2], 16) in ports:
                found.add(_proc_address(remote.rpartition(":")[0], family))
    return found


@functools.cache
def _ssh_ports() -> frozenset[int]:
    """Return the ports that sshd's settings name, beside the usual one."""
    ports = {_SSH_PORT}
    for pattern in _SSH_SETTINGS:
        for path in glob.glob(pattern):  # noqa: PTH207, an absolute pattern
            with contextlib.suppress(OSError):
                text = Path(path).read_text(errors="replace")
                ports.update(int(each) for each in re.findall(r"(?mi)^\s*Port\s+(\d{1,5})\b", text))
    return frozenset(ports)


def _proc_address(text: str, family: socket.AddressFamily) -> str:
    """Return an address that /proc/net writes as words in this host's byte order."""
    raw = b"".join(int(text[i : i + 8], 16).to_bytes(4, "little") for i in range(0, len(text), 8))
    address = ipaddress.ip_address(raw)
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address) if family == socket.AF_INET6 else str(address)


class Bell:
    """Rings when the host's network changes. What changed is read anew: a lost message then does no harm."""

    def __init__(self, on_ring: Callable[[], None]) -> None:
        """Take what to call, in the event loop."""
        self._on_ring = on_ring
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE
        )
        self._socket.bind((0, _GROUPS))

    def fileno(self) -> int:
        """Return the descriptor to watch."""
        return self._socket.fileno()

    def drain(self) -> None:
        """Read what has come, and ring once."""
        while True:
            try:
                self._socket.recv(65536)
            except BlockingIOError:
                break
            except OSError:
                continue  # ENOBUFS: messages were lost, and one ring stands for all of them
        self._on_ring()

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()
