"""The host's network as netlink tells it: interfaces, bridges, neighbours, addresses, gateways."""

import contextlib
import ipaddress
import re
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from .netlink import IPRoute, NetlinkError

#: rtnetlink groups that ring the bell: links, neighbours, traffic control, addresses and routes of both families.
_GROUPS: Final = 0x1 | 0x4 | 0x8 | 0x10 | 0x40 | 0x100 | 0x400
_NEIGHBOUR_USABLE: Final = (
    0x02 | 0x04 | 0x08 | 0x10 | 0x80
)  # reachable, stale, delay, probe, permanent
_ARPHRD_ETHER: Final = 1
_ATTEMPTS: Final = 5
#: In a netlink message's header; RTM_NEWLINK and RTM_DELLINK.
_MESSAGE_TYPE: Final = struct.Struct("<4xH")
_LINK_MESSAGES: Final = (16, 17)
#: Bridges and cables that container engines make.
_OF_CONTAINERS: Final = re.compile(r"docker|veth|hassio|br-[0-9a-f]{12}$|podman|virbr|lxc")
#: Where systemd-logind and, before it, login keep who is logged in.
_SESSIONS: Final = Path("/run/systemd/sessions")
_UTMP_FILE: Final = Path("/run/utmp")
#: `struct utmp` of 64-bit Linux: the type at 0, the host at 76.
_UTMP: Final = struct.Struct("<h74x256s52x")
_UTMP_USER: Final = 7


@dataclass(frozen=True, slots=True)
class NetInterface:
    """A network interface.

    `bridge` is the index of the bridge whose port it is; a VLAN has its `parent`'s index, if that is
    in this network namespace, and its number.
    """

    index: int
    name: str
    kind: str
    mac: str | None
    bridge: int | None
    up: bool
    addresses: tuple[str, ...]
    default_route: bool
    parent: int | None = None
    vlan: int = 0

    @property
    def is_ethernet(self) -> bool:
        """Whether frames on it carry MACs, so that devices can be told apart."""
        return self.mac is not None


@dataclass(slots=True)
class Network:
    """One look at the host's network."""

    interfaces: dict[int, NetInterface] = field(default_factory=dict)
    #: (interface index, address) → MAC
    neighbours: dict[tuple[int, str], str] = field(default_factory=dict)
    #: (interface index, address)
    gateways: frozenset[tuple[int, str]] = frozenset()
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
        for (_, address), mac in self.neighbours.items():
            if address not in found.setdefault(mac, []):
                found[mac].append(address)
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
    """Ask the kernel for the whole picture; raises OSError."""
    for _ in range(_ATTEMPTS - 1):
        with contextlib.suppress(OSError):  # something came or went while it was read
            return _read()
    return _read()


def _read() -> Network:
    """Ask once; raises OSError."""
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
            network.neighbours[each["ifindex"], address] = mac.lower()
    return network


def _default_routes(routes: list[Any]) -> tuple[set[tuple[int, str]], set[int]]:
    """Return the default gateways by interface and address, and the interfaces that lead to them."""
    gateways, uplinks = set(), set()
    for each in routes:
        for hop in (each, *(_attribute(each, "RTA_MULTIPATH") or ())):
            index = _attribute(hop, "RTA_OIF") or hop.get("oif")
            if not index:
                continue
            uplinks.add(index)
            if address := _attribute(hop, "RTA_GATEWAY"):
                gateways.add((index, address))
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
    parent, vlan = _vlan(link, info) if kind == "vlan" else (None, 0)
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
        parent=parent,
        vlan=vlan,
    )


def _vlan(link: Any, info: Any) -> tuple[int | None, int]:
    """Return a VLAN's parent, None if it is in another network namespace, and its number."""
    data = _attribute(info, "IFLA_INFO_DATA")
    elsewhere = _attribute(link, "IFLA_LINK_NETNSID") is not None
    return (
        None if elsewhere else _attribute(link, "IFLA_LINK"),
        _attribute(data, "IFLA_VLAN_ID") if data else 0,
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
    """Return from where people are logged in here over the network: whoever repairs it must not be cut off.

    A connection alone is no log-in, or any device could make itself one that can't be blocked.
    """
    hosts = set()
    for path in _SESSIONS.glob("*"):
        with contextlib.suppress(OSError):  # it has just ended
            hosts.update(re.findall(r"(?m)^REMOTE_HOST=(.+)$", path.read_text(errors="replace")))
    with contextlib.suppress(OSError):
        for kind, host in _UTMP.iter_unpack(_whole(_UTMP_FILE.read_bytes())):
            if kind == _UTMP_USER:
                hosts.add(host.split(b"\0")[0].decode(errors="replace"))
    return {address for address in map(_plain_address, hosts) if address}


def _whole(records: bytes) -> bytes:
    """Return as many bytes as make whole records."""
    return records[: len(records) // _UTMP.size * _UTMP.size]


def _plain_address(text: str) -> str | None:
    """Return an IP address in its usual form, None for a name or nothing."""
    try:
        address = ipaddress.ip_address(text.strip().strip('"'))
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)


class Bell:
    """Rings when the host's network changes. What changed is read anew: a lost message then does no harm."""

    def __init__(self, on_ring: Callable[[bool], None]) -> None:
        """Take what to call, in the event loop: with whether an interface is among what changed."""
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
        links = False
        while True:
            try:
                message = self._socket.recv(65536)
            except BlockingIOError:
                break
            except OSError:
                links = True  # ENOBUFS: messages were lost, and one ring stands for all of them
                continue
            # One that comes unasked is alone in its datagram.
            links |= _MESSAGE_TYPE.unpack_from(message)[0] in _LINK_MESSAGES
        self._on_ring(links)

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()
