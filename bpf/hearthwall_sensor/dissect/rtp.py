"""RTP: its header has hardly anything to know it by, but two packets that follow one another have."""

from typing import Final, NamedTuple

_FIXED: Final = 12
#: Of one source's packets, so many may be missing in between.
_MAX_GAP: Final = 32


class Header(NamedTuple):
    """What tells packets of one source from those of another."""

    kind: int
    sequence: int
    source: bytes


def parse(data: bytes) -> Header | None:
    """Return the header of what may be an RTP packet, None for what is none."""
    if len(data) < _FIXED or data[0] >> 6 != 2 or len(data) < _FIXED + 4 * (data[0] & 15):
        return None
    kind = data[1] & 0x7F
    if 64 <= kind < 96:  # kept free, so that RTCP is told from it
        return None
    return Header(kind, int.from_bytes(data[2:4], "big"), data[8:12])


def follows(later: Header, earlier: Header) -> bool:
    """Return whether two packets of one direction are of one source, this one a little later."""
    return (
        later.kind == earlier.kind
        and later.source == earlier.source
        and 0 < (later.sequence - earlier.sequence) & 0xFFFF <= _MAX_GAP
    )
