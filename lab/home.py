"""Who lives in the lab: every host, address and name, declared once.

MAC addresses are from the block set aside for documentation (RFC 7042), addresses from those of
RFC 5737 and RFC 3849 wherever a home would have public ones. A host's number is its last octet in
MAC, IPv4 and IPv6 alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
)
from typing import Final

Address = IPv4Address | IPv6Address
InterfaceAddress = IPv4Interface | IPv6Interface


@dataclass(frozen=True, slots=True)
class Subnet:
    """An IPv4 and an IPv6 network that belong together."""

    ipv4: IPv4Network
    ipv6: IPv6Network

    def addresses(self, number: int) -> tuple[IPv4Address, IPv6Address]:
        """Return the addresses with this number; 21 is .21 and, for people's eyes, ::21."""
        return self.ipv4[number], self.ipv6[int(str(number), 16)]

    def interfaces(self, number: int) -> tuple[InterfaceAddress, ...]:
        """Return them together with the length of the network's prefix."""
        ipv4, ipv6 = self.addresses(number)
        return (
            IPv4Interface((ipv4, self.ipv4.prefixlen)),
            IPv6Interface((ipv6, self.ipv6.prefixlen)),
        )


SEGMENTS: Final[Mapping[str, Subnet]] = {
    "main": Subnet(IPv4Network("192.168.10.0/24"), IPv6Network("2001:db8:10::/64")),
    "iot": Subnet(IPv4Network("192.168.20.0/24"), IPv6Network("2001:db8:20::/64")),
}
UPSTREAM: Final = Subnet(IPv4Network("198.51.100.0/24"), IPv6Network("2001:db8:100::/64"))
INTERNET: Final = Subnet(IPv4Network("203.0.113.0/24"), IPv6Network("2001:db8:ffff::/64"))


@dataclass(frozen=True, slots=True)
class Link:
    """A network interface inside a host's namespace. `lo` has no MAC."""

    name: str
    mac: str
    addresses: tuple[InterfaceAddress, ...]


@dataclass(frozen=True, slots=True)
class Host:
    """A member of the lab, in a network namespace of its own, known by its first link."""

    name: str
    links: tuple[Link, ...]

    @property
    def interface(self) -> str:
        """Its name inside the namespace."""
        return self.links[0].name

    @property
    def mac(self) -> str:
        """In lower case, with colons."""
        return self.links[0].mac

    @property
    def addresses(self) -> tuple[str, ...]:
        """All addresses of the first link, without prefix length."""
        return tuple(str(address.ip) for address in self.links[0].addresses)

    @property
    def ipv4(self) -> str:
        """The first IPv4 address."""
        return next(address for address in self.addresses if ":" not in address)

    @property
    def ipv6(self) -> str:
        """The first IPv6 address."""
        return next(address for address in self.addresses if ":" in address)


@dataclass(frozen=True, slots=True)
class Device(Host):
    """Something that hangs on the gateway's bridge, on a port of its own name."""

    segment: str

    @property
    def gateway(self) -> tuple[Address, Address]:
        """The gateway's addresses in the device's segment."""
        return SEGMENTS[self.segment].addresses(GATEWAY_NUMBER)


GATEWAY_NUMBER: Final = 1
BRIDGE: Final = "br-lan"
WAN: Final = "wan"


def _device(name: str, segment: str, number: int, oui: str = "00:00:5e") -> Device:
    link = Link("eth0", f"{oui}:00:53:{number}", SEGMENTS[segment].interfaces(number))
    return Device(name, (link,), segment)


DEVICES: Final[Mapping[str, Device]] = {
    device.name: device
    for device in (
        _device("camera", "iot", 21),
        _device("tv", "main", 13),
        _device("plug", "iot", 22),
        _device("laptop", "main", 11),
        # Phones make up a MAC for each network; the second-lowest bit of the first octet says so.
        _device("phone", "main", 12, oui="02:00:5e"),
        _device("vacuum", "iot", 23),
    )
}


@dataclass(frozen=True, slots=True)
class Site:
    """A server of the lab's internet: its names in the DNS, its addresses, and what it serves."""

    names: tuple[str, ...]
    number: int
    service: str = "web"
    #: Whether its DNS record for HTTPS says that it speaks HTTP/3, and where.
    http3: bool = False

    @property
    def addresses(self) -> tuple[IPv4Address, IPv6Address]:
        """Where it listens."""
        return INTERNET.addresses(self.number)

    @property
    def ipv4(self) -> str:
        """The IPv4 address as text."""
        return str(self.addresses[0])

    @property
    def ipv6(self) -> str:
        """The IPv6 address as text."""
        return str(self.addresses[1])


#: Services: web (HTTP and HTTPS), dns, stratum (a mining pool), none, and silent, which takes
#: connections and says nothing.
SITES: Final[Mapping[str, Site]] = {
    site.names[0]: site
    for site in (
        Site(("web.lab.example",), 10),
        Site(("storage.vendor.example",), 20),
        Site(("firmware.vendor.example",), 21),
        Site(("cloud.vendor.example",), 22),
        Site(("video.example",), 30),
        Site(("push.example", "chat.example"), 40),
        Site(("news.example", "shop.example"), 41),
        Site(("quic.example",), 42, http3=True),
        Site(("pool.mining.example",), 33, "stratum"),
        Site(("dns.lab.example",), 53, "dns"),
        Site(("bad.example",), 66, "silent"),
        Site(("ntp.example",), 123, "none"),
    )
}
#: Names that the DNS answers with the name of a site, as those of a content network's customers.
ALIASES: Final[Mapping[str, str]] = {"metrics.vendor.example": "push.example"}
WEB: Final = SITES["web.lab.example"]
DNS: Final = SITES["dns.lab.example"]

HTTP_PORT: Final = 80
HTTPS_PORT: Final = 443
DNS_PORT: Final = 53
STRATUM_PORT: Final = 3333
SINK_PORT: Final = 9999
ECHO_PORT: Final = 7777

HOSTS: Final[Mapping[str, Host]] = {
    "gateway": Host(
        "gateway",
        (
            Link(
                BRIDGE,
                "00:00:5e:00:53:01",
                tuple(
                    a for segment in SEGMENTS.values() for a in segment.interfaces(GATEWAY_NUMBER)
                ),
            ),
            Link(WAN, "00:00:5e:00:53:02", UPSTREAM.interfaces(2)),
        ),
    ),
    "internet": Host(
        "internet",
        (
            Link("uplink", "00:00:5e:00:53:fe", UPSTREAM.interfaces(1)),
            Link(
                "lo",
                "",
                tuple(
                    ip_interface(address) for site in SITES.values() for address in site.addresses
                ),
            ),
        ),
    ),
    **DEVICES,
}


def host_port(text: str) -> tuple[str, int]:
    """Read "192.0.2.1:9999" or "[2001:db8::1]:9999"; ValueError says what is wrong."""
    address, _, port = text.rpartition(":")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"{text!r} has no port between 1 and 65535: write ADDRESS:PORT")
    return str(ip_address(address.removeprefix("[").removesuffix("]"))), int(port)
