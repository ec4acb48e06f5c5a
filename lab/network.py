"""Turns the tables of the home into namespaces, links, addresses, routes and NAT."""

from collections.abc import Iterable, Mapping
from typing import Final

from lab import netns, tools
from lab.home import BRIDGE, DEVICES, HOSTS, SEGMENTS, UPSTREAM, WAN, Host

#: Duplicate address detection would keep every IPv6 address unusable for a second.
_AT_ONCE: Final = {"net.ipv6.conf.all.accept_dad": "0", "net.ipv6.conf.default.accept_dad": "0"}

#: What a home router sets. It answers for two subnets on one bridge, and redirects would let their
#: hosts bypass it.
_ROUTER: Final = _AT_ONCE | {
    "net.ipv4.ip_forward": "1",
    "net.ipv6.conf.all.forwarding": "1",
    "net.ipv4.conf.all.rp_filter": "1",
    "net.ipv4.conf.default.rp_filter": "1",
    "net.ipv4.conf.all.send_redirects": "0",
    "net.ipv4.conf.default.send_redirects": "0",
}

#: Addresses and routes are fixed, so nothing that comes over the wire may change them.
_DEVICE: Final = _AT_ONCE | {
    "net.ipv6.conf.default.accept_ra": "0",
    "net.ipv4.conf.all.accept_redirects": "0",
    "net.ipv4.conf.default.accept_redirects": "0",
    "net.ipv6.conf.all.accept_redirects": "0",
    "net.ipv6.conf.default.accept_redirects": "0",
}

#: The servers start while their addresses are still being set.
_INTERNET: Final = _AT_ONCE | {"net.ipv4.ip_nonlocal_bind": "1", "net.ipv6.ip_nonlocal_bind": "1"}

_SYSCTLS: Final[Mapping[str, Mapping[str, str]]] = {"gateway": _ROUTER, "internet": _INTERNET}

_NAT: Final = f"""
table ip home {{
    chain postrouting {{
        type nat hook postrouting priority srcnat
        oifname "{WAN}" masquerade
    }}
}}
"""


def _inside(
    namespace: str, tool: str, *arguments: str, stdin: str = "", keep: Iterable[int] = ()
) -> str:
    """Run a tool in a namespace."""
    argv = (f"--net={netns.path(namespace)}", "--", tools.find(tool), *arguments)
    return tools.call("nsenter", *argv, stdin=stdin, keep=tuple(keep))


def _wiring(namespaces: Mapping[str, str]) -> Iterable[str]:
    """Lay the cables: each device to its port on the gateway, the gateway to the internet."""
    gateway, internet = namespaces["gateway"], namespaces["internet"]
    for device in DEVICES.values():
        yield (
            f"link add name {device.name} netns {gateway} type veth"
            f" peer name {device.interface} address {device.mac} netns {namespaces[device.name]}"
        )
    wan, uplink = HOSTS["gateway"].links[1], HOSTS["internet"].links[0]
    yield (
        f"link add name {wan.name} address {wan.mac} netns {gateway} type veth"
        f" peer name {uplink.name} address {uplink.mac} netns {internet}"
    )


def _addressing(host: Host) -> Iterable[str]:
    yield "link set lo up"
    for link in host.links:
        for address in link.addresses:
            yield f"address add {address} dev {link.name}"
        yield f"link set {link.name} up"


def _bridge() -> Iterable[str]:
    """Make the bridge, before it gets addresses; its ports need none of their own."""
    yield f"link add name {BRIDGE} address {HOSTS['gateway'].mac} type bridge"
    for port in DEVICES:
        yield f"link set {port} addrgenmode none master {BRIDGE} up"


def _routes(host: Host) -> Iterable[str]:
    """Route devices by the gateway and it by its provider, who knows no private IPv4 network."""
    if device := DEVICES.get(host.name):
        yield from (f"route add default via {address}" for address in device.gateway)
    elif host.name == "gateway":
        yield from (f"route add default via {address}" for address in UPSTREAM.addresses(1))
    else:
        _, gateway = UPSTREAM.addresses(2)
        yield from (f"route add {segment.ipv6} via {gateway}" for segment in SEGMENTS.values())


def _batch(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def create_namespaces(namespaces: Mapping[str, str], keep: int) -> None:
    """Make the namespaces; settings come first because interfaces copy them when they appear."""
    lines = _batch(f"netns add {name}" for name in namespaces.values())
    tools.call("ip", "-batch", "-", stdin=lines, keep=[keep])
    for host, name in namespaces.items():
        values = _SYSCTLS.get(host, _DEVICE)
        _inside(
            name,
            "sysctl",
            "--quiet",
            "--write",
            *(f"{k}={v}" for k, v in values.items()),
            keep=[keep],
        )


def connect(namespaces: Mapping[str, str], keep: int) -> None:
    """Plug in the cables and give every host its addresses and routes."""
    tools.call("ip", "-batch", "-", stdin=_batch(_wiring(namespaces)), keep=[keep])
    for name, namespace in namespaces.items():
        host = HOSTS[name]
        lines = [*(_bridge() if name == "gateway" else ()), *_addressing(host), *_routes(host)]
        tools.call("ip", "-n", namespace, "-batch", "-", stdin=_batch(lines), keep=[keep])
    _inside(namespaces["gateway"], "nft", "-f", "-", stdin=_NAT, keep=[keep])
