"""Neighbour discovery (RFC 4861): which IPv6 address a device takes, and its MAC."""

from typing import Final, NamedTuple

ROUTER_SOLICITATION: Final = 133
ROUTER_ADVERTISEMENT: Final = 134
NEIGHBOUR_SOLICITATION: Final = 135
NEIGHBOUR_ADVERTISEMENT: Final = 136
REDIRECT: Final = 137

_SOURCE_MAC: Final = 1
_TARGET_MAC: Final = 2
#: By type: how long the message is without options, where its target stands, and which option is a MAC.
_TYPES: Final[dict[int, tuple[int, int | None, int]]] = {
    ROUTER_SOLICITATION: (8, None, _SOURCE_MAC),
    ROUTER_ADVERTISEMENT: (16, None, _SOURCE_MAC),
    NEIGHBOUR_SOLICITATION: (24, 8, _SOURCE_MAC),
    NEIGHBOUR_ADVERTISEMENT: (24, 8, _TARGET_MAC),
    REDIRECT: (40, 8, _TARGET_MAC),
}


class Message(NamedTuple):
    """A message of neighbour discovery.

    The address is in an advertisement the sender's own; in a solicitation the one it looks for, which
    is its own to be where the packet's source is `::`; in a redirect the router to take.
    """

    kind: int
    """ICMPv6's type."""
    address: bytes | None
    """Sixteen bytes, None where the message has none."""
    mac: bytes | None
    """The sender's as it says itself, six bytes; in a redirect that of the router to take."""
    lifetime: int | None = None
    """Of a router advertisement: for how many seconds the sender offers to be the way out; 0 where it does not."""


def parse(data: bytes) -> Message | None:
    """Return what an ICMPv6 message from its header on says, None for what is none; never raises."""
    known = _TYPES.get(data[0]) if data else None
    if known is None or len(data) < known[0] or data[1]:
        return None
    at, target, wanted = known
    mac = None
    while at < len(data):
        size = data[at + 1] * 8 if at + 1 < len(data) else 0
        if not size or at + size > len(data):
            return None
        if data[at] == wanted and size == 8 and mac is None:
            mac = data[at + 2 : at + 8]
        at += size
    lifetime = int.from_bytes(data[6:8], "big") if data[0] == ROUTER_ADVERTISEMENT else None
    return Message(data[0], data[target : target + 16] if target else None, mac, lifetime)
