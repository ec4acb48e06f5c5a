"""Reads a frame for the model: what it says of itself, as far as it reaches. Lengths in headers are not believed."""

from dataclasses import dataclass
from typing import Final

IPV4: Final = 0x0800
ARP: Final = 0x0806
IPV6: Final = 0x86DD
PPPOE: Final = (0x8863, 0x8864)
EAPOL: Final = 0x888E
TAGS: Final = (0x8100, 0x88A8)

ICMP: Final = 1
TCP: Final = 6
UDP: Final = 17
ICMPV6: Final = 58
SCTP: Final = 132
FRAGMENT: Final = 44
AUTHENTICATION: Final = 51
#: Hop-by-hop options, routing and destination options share one shape.
OPTIONS: Final = (0, 43, 60)

#: What is followed; what hides deeper is of an unknown kind.
MAX_TAGS: Final = 2
MAX_EXTENSIONS: Final = 6

#: An IPv4 address is written as the IPv6 address that maps it.
MAPPED: Final = 0xFFFF << 32


@dataclass(slots=True)
class Frame:
    """What can be known of a frame; `version` is 0 where it has no addresses."""

    destination_mac: bytes
    source_mac: bytes
    length: int
    ethertype: int = 0
    vlan: int = 0
    header_bytes: int = 0
    version: int = 0
    source: int = 0
    destination: int = 0
    protocol: int | None = None
    source_port: int | None = None
    destination_port: int | None = None
    icmp_type: int | None = None
    hop_limit: int = 0
    opens_connection: bool = False

    @property
    def transport(self) -> str | None:
        """The name that rules on services have for it; ICMP is one in both families."""
        return {TCP: "tcp", UDP: "udp", ICMP: "icmp", ICMPV6: "icmp"}.get(self.protocol or 0)


def dissect(data: bytes) -> Frame:
    """Read a frame of at least an Ethernet header."""
    frame = Frame(data[:6], data[6:12], len(data), _number(data, 12))
    at, tags = 14, 0
    while frame.ethertype in TAGS and tags < MAX_TAGS and len(data) >= at + 4:
        # Number 0 only gives a priority: the kernel looks for the VLAN in the tag within
        frame.vlan = frame.vlan or _number(data, at) & 0xFFF
        frame.ethertype = _number(data, at + 2)
        at, tags = at + 4, tags + 1
    frame.header_bytes = at
    if frame.ethertype == IPV4:
        _read_ipv4(frame, data[at:])
    elif frame.ethertype == IPV6:
        _read_ipv6(frame, data[at:])
    return frame


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2])


def _read_ipv4(frame: Frame, packet: bytes) -> None:
    if len(packet) < 20 or packet[0] >> 4 != 4 or packet[0] & 15 < 5:
        return
    frame.version = 4
    frame.source = MAPPED | int.from_bytes(packet[12:16])
    frame.destination = MAPPED | int.from_bytes(packet[16:20])
    frame.protocol = packet[9]
    header = (packet[0] & 15) * 4
    frame.header_bytes += header
    if not _number(packet, 6) & 0x1FFF:  # a later fragment begins in the middle of something
        _read_transport(frame, packet[header:])


def _read_ipv6(frame: Frame, packet: bytes) -> None:
    if len(packet) < 40 or packet[0] >> 4 != 6:
        return
    frame.version = 6
    frame.source = int.from_bytes(packet[8:24])
    frame.destination = int.from_bytes(packet[24:40])
    frame.hop_limit = packet[7]
    protocol, rest = packet[6], packet[40:]
    frame.header_bytes += 40
    for _ in range(MAX_EXTENSIONS):
        if protocol not in (*OPTIONS, FRAGMENT, AUTHENTICATION):
            break
        if len(rest) < 8:
            return
        if protocol == FRAGMENT and _number(rest, 2) >> 3:
            frame.protocol = rest[0]  # it says what it is a piece of, as in IPv4
            return
        size = {FRAGMENT: 8, AUTHENTICATION: (rest[1] + 2) * 4}.get(protocol, (rest[1] + 1) * 8)
        protocol, rest = rest[0], rest[size:]
        frame.header_bytes += size
    frame.protocol = protocol
    _read_transport(frame, rest)


def _read_transport(frame: Frame, segment: bytes) -> None:
    if len(segment) < 4:
        return
    if frame.protocol in (ICMP, ICMPV6):
        frame.icmp_type = segment[0]
    if frame.protocol not in (TCP, UDP, SCTP):
        return
    frame.source_port, frame.destination_port = _number(segment, 0), _number(segment, 2)
    if frame.protocol == UDP:
        frame.header_bytes += 8
    elif frame.protocol == TCP and len(segment) >= 16:  # as far as the window
        frame.header_bytes += (segment[12] >> 4) * 4
        frame.opens_connection = segment[13] & 0x12 == 0x02
