"""Which packets' first bytes are of interest: the rules of flow.h and sample.h, over one way of a flow."""

from typing import Final

from ..flows.flow import DOWNLOAD, TCP, TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN, UDP, UPLOAD
from .frame import Frame

#: Where things stand in a flow's counters, which are in the order of flow.COUNTED.
FIRST: Final = 0
LAST: Final = 1
#: Each way's, by direction, and from there on:
WAYS: Final = {UPLOAD: 2, DOWNLOAD: 8}
BYTES: Final = 0
PACKETS: Final = 1
_START: Final = 2
_WINDOW: Final = 3
_SAMPLED: Final = 4
FLAGS: Final = 5
OPENER: Final = 15
FIELDS: Final = 16

_WINDOW_OPEN: Final = 4096
_WINDOW_HELLO: Final = 16384
_WINDOW_REQUEST: Final = 2048
_WINDOW_CLOSED: Final = 1
#: Behind a hello's own length, for headers of records that it is split into.
_HELLO_MARGIN: Final = 64
_BEGINNING: Final = 9
_MAX_TCP_SAMPLES: Final = 16
_UDP_SAMPLES: Final = 2
_QUIC_SAMPLES: Final = 6
_QUIC_LONG_HEADER: Final = 0xC0
_MAX_SAMPLED: Final = 255

#: Services over UDP that say who is who in a home.
_TELLING: Final = frozenset((53, 67, 68, 546, 547, 1900, 5353, 5355))
_DNS: Final = 53
_REQUESTS: Final = frozenset(
    (
        *(b"GET ", b"POST", b"PUT ", b"HEAD", b"OPTI", b"DELE", b"PATC", b"CONN", b"NOTI"),
        *(b"M-SE", b"HTTP"),
    )
)
#: A way's start, window, sampled and flags.
_ANEW: Final = (0, 0, 0, 0)
_ENDED: Final = TCP_FIN | TCP_RST
_WORD: Final = 0xFFFFFFFF


def follow_connection(flow: list[int], frame: Frame, direction: int) -> None:
    """Take TCP's flags to a flow's counters; one that has ended may begin anew."""
    flags, way = frame.flags, WAYS[direction]
    if flags & TCP_SYN:
        if not flags & TCP_ACK:
            if (flow[2 + FLAGS] | flow[8 + FLAGS]) & _ENDED:
                for each in WAYS.values():
                    flow[each + _START : each + FLAGS + 1] = _ANEW
            flow[OPENER] = direction
        flow[way + _START] = frame.sequence + 1 & _WORD
        flow[way + _WINDOW] = _WINDOW_OPEN
    flow[way + FLAGS] |= flags


def offset_of_interest(flow: list[int], frame: Frame, data: bytes, direction: int) -> int | None:
    """Return where the payload stands in its way's stream if it is to be sampled, and count that; else None."""
    way = WAYS[direction]
    if frame.protocol == TCP:
        found = _look_at_tcp(flow, way, frame, data)
    elif frame.protocol == UDP:
        found = _look_at_udp(flow, way, frame, data)
    else:
        found = 0
    if found is not None and flow[way + _SAMPLED] < _MAX_SAMPLED:
        flow[way + _SAMPLED] += 1
    return found


def _look_at_udp(flow: list[int], way: int, frame: Frame, data: bytes) -> int | None:
    """Return 0 if a datagram is to be sampled."""
    if frame.source_port in _TELLING or frame.destination_port in _TELLING:
        return 0
    window = flow[way + _WINDOW]
    if not window:
        first = data[frame.payload]
        is_quic = first & _QUIC_LONG_HEADER == _QUIC_LONG_HEADER
        flow[way + _WINDOW] = _QUIC_SAMPLES if is_quic else _UDP_SAMPLES
    elif flow[way + _SAMPLED] >= window:
        return None
    return 0


def _look_at_tcp(flow: list[int], way: int, frame: Frame, data: bytes) -> int | None:
    """Return a segment's place in the stream if it is to be sampled."""
    if not flow[way + _WINDOW]:  # it was there before us
        flow[way + _START] = frame.sequence
        flow[way + _WINDOW] = _WINDOW_OPEN
    # A SYN takes up one number itself
    offset = frame.sequence + (frame.flags >> 1 & 1) - flow[way + _START] & _WORD
    if _DNS in (frame.source_port, frame.destination_port):
        return offset
    if flow[way + _SAMPLED] >= _MAX_TCP_SAMPLES or offset >= flow[way + _WINDOW]:
        return None
    if not offset:
        flow[way + _WINDOW] = _window_of(data[frame.payload : frame.payload + _BEGINNING], frame)
    return offset


def _window_of(begin: bytes, frame: Frame) -> int:
    """Return how much of a stream is of interest, from its first bytes."""
    if min(len(begin), frame.payload_length) < _BEGINNING:
        return _WINDOW_OPEN
    if begin[:2] == b"\x16\x03" and begin[5] == 1:
        hello = _BEGINNING + int.from_bytes(begin[6:], "big") + _HELLO_MARGIN
        return min(hello, _WINDOW_HELLO)
    return _WINDOW_REQUEST if begin[:4] in _REQUESTS else _WINDOW_CLOSED
