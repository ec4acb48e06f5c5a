"""Reads the header that a packet's link puts before it, for the types that captures of a home come with."""

import struct
from collections.abc import Callable
from typing import Final, NamedTuple

IPV4: Final = 0x0800
ARP: Final = 0x0806
IPV6: Final = 0x86DD
_TAGS: Final = (0x8100, 0x88A8)
#: As many as wire.h follows.
_MAX_TAGS: Final = 2

NO_MAC: Final = bytes(6)
_TWO: Final = struct.Struct(">H")


class Link(NamedTuple):
    """What a link says of a packet."""

    offset: int
    """Where the network header begins."""
    ethertype: int
    """0 where the packet carries something that has none."""
    sender: bytes = NO_MAC
    receiver: bytes | None = NO_MAC
    """None where the link has MACs, but tells only the sender's."""
    is_group: bool = False
    """Whether it is for several receivers."""
    is_outgoing: bool = False
    """Whether the capturing host sent it, perhaps for somebody else: then the sender's MAC is the host's."""


def _ethernet(data: bytes) -> Link | None:
    """Read an Ethernet header."""
    if len(data) < 14:
        return None
    ethertype, offset = data[12] << 8 | data[13], 14
    if ethertype in _TAGS:
        offset, ethertype = _tags(data, offset, ethertype)
    return Link(offset, ethertype, data[6:12], data[:6], bool(data[0] & 1))


def _tags(data: bytes, offset: int, ethertype: int) -> tuple[int, int]:
    """Pass over VLAN tags; what is cut off stays a tag, and so does what hides behind too many."""
    for _ in range(_MAX_TAGS):
        if ethertype not in _TAGS or len(data) < offset + 4:
            break
        (ethertype,) = _TWO.unpack_from(data, offset + 2)
        offset += 4
    return offset, ethertype


#: Kinds of interfaces whose packets carry something else in the place of an ethertype.
_NO_ETHERTYPE: Final = frozenset(
    (
        770,  # frame relay
        803,  # 802.11 with radiotap
        824,  # netlink
    )
)
_BROADCAST: Final = 1
_MULTICAST: Final = 2
_OUTGOING: Final = 4


def _cooked(  # noqa: PLR0913, PLR0917, the fields of both versions
    data: bytes, offset: int, kind: int, hardware: int, length: int, at: int, ethertype: int
) -> Link:
    """Return what Linux says of a packet that it captured on whatever interface."""
    sender = data[at : at + 6] if length == 6 else NO_MAC
    if hardware in _NO_ETHERTYPE:
        ethertype = 0
    offset, ethertype = _tags(data, offset, ethertype)
    is_group = kind in (_BROADCAST, _MULTICAST)
    return Link(offset, ethertype, sender, None, is_group, kind == _OUTGOING)


_COOKED: Final = struct.Struct(">HHH8xH")
_COOKED2: Final = struct.Struct(">H6xHBB")


def _cooked_v1(data: bytes) -> Link | None:
    """Read the header of tcpdump -i any, as it was."""
    if len(data) < 16:
        return None
    kind, hardware, length, ethertype = _COOKED.unpack_from(data)
    return _cooked(data, 16, kind, hardware, length, 6, ethertype)


def _cooked_v2(data: bytes) -> Link | None:
    """Read the header of tcpdump -i any, as it is now."""
    if len(data) < 20:
        return None
    ethertype, hardware, kind, length = _COOKED2.unpack_from(data)
    return _cooked(data, 20, kind, hardware, length, 12, ethertype)


_V4: Final = Link(0, IPV4)
_V6: Final = Link(0, IPV6)
_OTHER: Final = Link(0, 0)
_BY_VERSION: Final = {4: _V4, 6: _V6}


def _raw(data: bytes) -> Link | None:
    """Tell IPv4 and IPv6 apart, which have nothing before them."""
    return _BY_VERSION.get(data[0] >> 4, _OTHER) if data else None


#: What systems call IPv4 and IPv6: all of them 2 and, in this order, BSD, FreeBSD, macOS, Windows and Linux.
_FAMILIES: Final = dict.fromkeys((24, 28, 30, 23, 10), IPV6) | {2: IPV4}


def _loopback(data: bytes) -> Link | None:
    """Read the address family before a packet, which is in the capturing host's byte order or the network's."""
    if len(data) < 4:
        return None
    family = min(int.from_bytes(data[:4], "little"), int.from_bytes(data[:4], "big"))
    return Link(4, _FAMILIES.get(family, 0))


#: By type of link: None from a reader means that the header is cut off.
LINKS: Final[dict[int, Callable[[bytes], Link | None]]] = {
    0: _loopback,
    1: _ethernet,
    12: _raw,
    14: _raw,
    101: _raw,
    108: _loopback,
    113: _cooked_v1,
    228: lambda _: _V4,
    229: lambda _: _V6,
    276: _cooked_v2,
}
#: Of captures on all interfaces at once.
COOKED: Final = (113, 276)
