"""Reads a packet's network and transport headers as wire.h does, without believing the lengths that they claim."""

import struct
from typing import Final, NamedTuple

from ..flows.flow import ICMP, ICMPV6, SCTP, TCP, UDP
from .link import IPV4, IPV6

_HOP_BY_HOP: Final = 0
_ROUTING: Final = 43
_FRAGMENT: Final = 44
_AUTHENTICATION: Final = 51
_DESTINATION: Final = 60
_EXTENSIONS: Final = frozenset((_HOP_BY_HOP, _ROUTING, _FRAGMENT, _AUTHENTICATION, _DESTINATION))
#: As many as wire.h follows.
_MAX_EXTENSIONS: Final = 6
#: What a packet carries whose extension headers are cut off.
UNKNOWN: Final = 255

_V4: Final = struct.Struct(">BxHxxHxB2x4s4s")
_V6: Final = struct.Struct(">BxxxHBx16s16s")
_PORTS: Final = struct.Struct(">HH")
_TCP: Final = struct.Struct(">HHIxxxxBBxx")
_MAPPED: Final = bytes(10) + b"\xff\xff"

#: Types of ICMP that have an answer, and its type: Community ID calls these the ports of one flow.
_PAIRS: Final = ((8, 0), (13, 14), (15, 16), (17, 18), (10, 9))
_PAIRS6: Final = ((128, 129), (133, 134), (135, 136), (130, 131), (139, 140), (144, 145))
_ANSWERS: Final = {a: b for pair in _PAIRS for a, b in (pair, pair[::-1])}
_ANSWERS6: Final = {a: b for pair in _PAIRS6 for a, b in (pair, pair[::-1])}
#: Router and neighbour discovery.
_ND: Final = range(133, 138)


class Frame(NamedTuple):
    """What the headers say."""

    source: bytes
    """Sixteen bytes, as the destination."""
    destination: bytes
    protocol: int
    source_port: int = 0
    destination_port: int = 0
    one_way: bool = False
    """Whether the ports are the type and code of an ICMP message that has no answer."""
    payload: int = 0
    """Where it begins: behind TCP's or UDP's header, or at that of ICMPv6's discovery."""
    payload_length: int = 0
    """Bytes of it on the wire, 0 for none or nothing of interest."""
    flags: int = 0
    """TCP's, as the sequence."""
    sequence: int = 0


def read(data: bytes, at: int, ethertype: int, length: int) -> Frame | None:
    """Read a packet whose network header begins at a place; length is the frame's. None where it is no IP."""
    if ethertype == IPV4:
        return _read_ipv4(data, at, length)
    return _read_ipv6(data, at, length) if ethertype == IPV6 else None


def _read_ipv4(data: bytes, at: int, length: int) -> Frame | None:
    """Read an IPv4 packet."""
    if len(data) < at + 20:
        return None
    version, total, fragment, protocol, source, destination = _V4.unpack_from(data, at)
    header = (version & 15) * 4
    if version >> 4 != 4 or header < 20:
        return None
    source, destination = _MAPPED + source, _MAPPED + destination
    if fragment & 0x1FFF:  # a later fragment begins with somebody's payload
        return Frame(source, destination, protocol)
    # A super-packet that is too long for the field has 0 there
    end = min(length, at + total) if total else length
    return _read_transport(data, at + header, end, (source, destination, protocol), _ANSWERS)


def _read_ipv6(data: bytes, at: int, length: int) -> Frame | None:
    """Read an IPv6 packet."""
    if len(data) < at + 40 or data[at] >> 4 != 6:
        return None
    _, total, protocol, source, destination = _V6.unpack_from(data, at)
    end = min(length, at + 40 + total) if total else length
    at += 40
    for _ in range(_MAX_EXTENSIONS):
        if protocol not in _EXTENSIONS:
            break
        if len(data) < at + 8:
            return Frame(source, destination, UNKNOWN)
        following = data[at]
        if protocol == _FRAGMENT:
            if (data[at + 2] << 8 | data[at + 3]) & 0xFFF8:  # it says of what it is a piece
                return Frame(source, destination, following)
            at += 8
        elif protocol == _AUTHENTICATION:
            at += (data[at + 1] + 2) * 4
        else:
            at += (data[at + 1] + 1) * 8
        protocol = following
    return _read_transport(data, at, end, (source, destination, protocol), _ANSWERS6)


def _read_transport(
    data: bytes, at: int, end: int, ends: tuple[bytes, bytes, int], answers: dict[int, int]
) -> Frame:
    """Read what an IP packet carries, up to its end on the wire."""
    protocol = ends[2]
    if len(data) < at + 4:
        return Frame(*ends)
    if protocol == TCP:
        return _read_tcp(data, at, end, ends)
    if protocol == UDP:
        source, destination = _PORTS.unpack_from(data, at)
        return Frame(*ends, source, destination, False, at + 8, max(0, end - at - 8))
    if protocol == SCTP:
        return Frame(*ends, *_PORTS.unpack_from(data, at))
    if protocol == (ICMP if answers is _ANSWERS else ICMPV6):
        return _read_icmp(data, at, end, ends, answers)
    return Frame(*ends)


def _read_tcp(data: bytes, at: int, end: int, ends: tuple[bytes, bytes, int]) -> Frame:
    """Read a segment's header."""
    if len(data) < at + 16:  # a first fragment may be shorter: it has ports all the same
        return Frame(*ends, *_PORTS.unpack_from(data, at))
    source, destination, sequence, words, flags = _TCP.unpack_from(data, at)
    if words < 0x50:
        return Frame(*ends, source, destination)
    at += (words >> 4) * 4
    return Frame(*ends, source, destination, False, at, max(0, end - at), flags, sequence)


def _read_icmp(
    data: bytes, at: int, end: int, ends: tuple[bytes, bytes, int], answers: dict[int, int]
) -> Frame:
    """Read a message of either family's ICMP."""
    kind = data[at]
    answer = answers.get(kind)
    is_discovery = ends[2] == ICMPV6 and kind in _ND
    return Frame(
        *ends,
        kind,
        data[at + 1] if answer is None else answer,
        answer is None,
        at,
        max(0, end - at) if is_discovery else 0,
    )
