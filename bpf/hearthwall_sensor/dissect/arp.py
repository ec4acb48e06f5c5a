"""ARP: who says that an address is theirs, and whose they look for."""

from typing import Final, NamedTuple

from .written import address

#: Ethernet and IPv4, with their lengths.
_KIND: Final = bytes.fromhex("000108000604")
_SIZE: Final = 28
_REPLY: Final = b"\0\2"
_OPERATIONS: Final = (b"\0\1", _REPLY)


class Claim(NamedTuple):
    """What the sender of an ARP packet says of itself; the address is zero where it only looks for others."""

    mac: bytes
    """Six bytes. What the packet says: the frame around it may have another source."""
    address: bytes
    """Sixteen bytes, ::ffff:a.b.c.d."""
    target: bytes
    """The address it looks for, or speaks to."""
    is_reply: bool
    """An answer or an announcement, which changes others' tables, rather than a question by the way."""


def parse(data: bytes) -> Claim | None:
    """Return what an ARP packet says, None for what is none; never raises."""
    if len(data) < _SIZE or data[:6] != _KIND or data[6:8] not in _OPERATIONS:
        return None
    claimed, target = data[14:18], data[24:28]
    is_reply = data[6:8] == _REPLY or claimed == target
    return Claim(data[8:14], address(claimed), address(target), is_reply)
