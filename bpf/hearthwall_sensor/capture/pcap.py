"""Reads pcap files: both byte orders, times in microseconds or nanoseconds."""

import struct
from collections import Counter
from collections.abc import Iterator
from typing import Final

from .packet import MAX_BYTES, Damaged, Packet, Stream

#: Byte order and nanoseconds per tick, by the first four bytes.
MAGIC: Final = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
#: The rest of the word says whether a checksum stands behind each frame, which the frames' own lengths say too.
_LINK_TYPE: Final = 0x03FFFFFF


def packets(stream: Stream, magic: bytes, _: Counter[str]) -> Iterator[Packet]:
    """Yield the packets behind the magic number; raises Damaged."""
    order, tick = MAGIC[magic]
    major, word = struct.unpack(order + "H14xI", stream.read(20, "the file's header"))
    if major != 2:
        raise Damaged(4, f"there is no version {major} of pcap")
    link_type = word & _LINK_TYPE
    header = struct.Struct(order + "IIII")
    while True:
        start = stream.position
        head = stream.begin(16, "a packet's header")
        if not head:
            return
        seconds, fraction, captured, length = header.unpack(head)
        if captured > MAX_BYTES:
            raise Damaged(start, f"a packet of {captured} bytes")
        data = stream.read(captured, "a packet")
        yield Packet(seconds * 1_000_000_000 + fraction * tick, length, link_type, data)
