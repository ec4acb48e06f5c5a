"""Reads pcapng files, in which each packet names its interface, with a link type and a clock of its own.

python3-dpkt would read them too, but gives every packet the first interface's clock, says nothing of a packet's link
type and original length, does not find later sections, and takes a block of any length into memory.
"""

import struct
from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from .packet import MAX_BYTES, MAX_TIME, Damaged, Packet, Stream

#: A section header's type reads the same in both byte orders.
MAGIC: Final = b"\x0a\x0d\x0d\x0a"
_ORDERS: Final = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}

_INTERFACE: Final = 1
_OBSOLETE_PACKET: Final = 2
_SIMPLE_PACKET: Final = 3
_ENHANCED_PACKET: Final = 6

_IF_TSRESOL: Final = 9
_IF_TSOFFSET: Final = 14
#: More than any machine has; what refers to a later one is left out.
_MAX_INTERFACES: Final = 4096
_SECOND: Final = 1_000_000_000


class _Interface(NamedTuple):
    """Where packets were captured, and how its clock counts."""

    link_type: int
    snap_length: int
    ticks: int
    """In a second."""
    offset: int
    """Nanoseconds to add."""

    def time(self, high: int, low: int) -> int:
        """Return a timestamp in nanoseconds since the epoch."""
        found = ((high << 32) | low) * _SECOND // self.ticks + self.offset
        return min(max(found, 0), MAX_TIME)


_shared: Final = lru_cache(maxsize=64)(_Interface)


class _Malformed(Exception):  # noqa: N818, the file is readable behind it
    """A block is not what its type says."""


class _Section:
    """The blocks of one section, which has its own byte order and interfaces."""

    def __init__(self, order: str, counted: Counter[str]) -> None:
        self.order = order
        self._counted = counted
        self.word = struct.Struct(order + "I")
        self._enhanced = struct.Struct(order + "IIIII")
        self._obsolete = struct.Struct(order + "HHIIII")
        self._interfaces: list[_Interface] = []
        #: Simple packets have no time: they get that of the packet before.
        self._time = 0
        self.blocks: dict[int, Callable[[bytes], Packet | None]] = {
            _INTERFACE: self._take_interface,
            _OBSOLETE_PACKET: self._take_obsolete,
            _SIMPLE_PACKET: self._take_simple,
            _ENHANCED_PACKET: self._take_enhanced,
        }

    def _take_interface(self, body: bytes) -> None:
        """Learn of another interface."""
        if len(body) < 8 or len(self._interfaces) == _MAX_INTERFACES:
            raise _Malformed
        link_type, _, snap_length = struct.unpack_from(self.order + "HHI", body)
        ticks, offset = 1_000_000, 0
        for code, value in self._options(body, 8):
            if code == _IF_TSRESOL and len(value) == 1:
                ticks = 2 ** (value[0] & 127) if value[0] & 128 else 10 ** value[0]
            elif code == _IF_TSOFFSET and len(value) == 8:
                offset = struct.unpack(self.order + "q", value)[0] * _SECOND
        self._interfaces.append(_shared(link_type, snap_length, ticks, offset))

    def _options(self, body: bytes, at: int) -> Iterator[tuple[int, bytes]]:
        """Yield a block's options as far as they make sense."""
        while at + 4 <= len(body):
            code, length = struct.unpack_from(self.order + "HH", body, at)
            if code == 0 or at + 4 + length > len(body):
                return
            yield code, body[at + 4 : at + 4 + length]
            at += 4 + (length + 3 & ~3)

    def _take_enhanced(self, body: bytes) -> Packet | None:
        """Read a packet."""
        if len(body) < 20:
            raise _Malformed
        return self._packet(body, *self._enhanced.unpack_from(body))

    def _take_obsolete(self, body: bytes) -> Packet | None:
        """Read a packet as programs wrote it before 2009."""
        if len(body) < 20:
            raise _Malformed
        number, _, high, low, captured, length = self._obsolete.unpack_from(body)
        return self._packet(body, number, high, low, captured, length)

    def _packet(  # noqa: PLR0913, PLR0917, the fields of a block
        self, body: bytes, number: int, high: int, low: int, captured: int, length: int
    ) -> Packet | None:
        """Return the packet of a block whose data begin at its byte 20."""
        if number >= len(self._interfaces) or 20 + captured > len(body):
            raise _Malformed
        interface = self._interfaces[number]
        self._time = interface.time(high, low)
        return Packet(self._time, length, interface.link_type, body[20 : 20 + captured])

    def _take_simple(self, body: bytes) -> Packet | None:
        """Read a packet of the first interface, without time or captured length."""
        if len(body) < 4 or not self._interfaces:
            raise _Malformed
        (length,) = struct.unpack_from(self.order + "I", body)
        interface = self._interfaces[0]
        captured = min(length, interface.snap_length or length)
        if 4 + captured > len(body):
            raise _Malformed
        self._counted["without_time"] += 1
        return Packet(self._time, length, interface.link_type, body[4 : 4 + captured])


def packets(stream: Stream, magic: bytes, counted: Counter[str]) -> Iterator[Packet]:
    """Yield the packets of a file whose first block's type has been read; raises Damaged."""
    return _Reader(stream, counted).packets(magic + stream.read(4, "a section's header"))


class _Reader:
    """Reads the blocks of a file one after the other."""

    def __init__(self, stream: Stream, counted: Counter[str]) -> None:
        self._stream = stream
        self._counted = counted
        #: Where the block at hand begins.
        self._start = 0

    def packets(self, head: bytes) -> Iterator[Packet]:
        """Yield the packets of all blocks from that on whose type and length head has."""
        while head:
            if head.startswith(MAGIC):
                section = self._begin_section(head[4:])
            else:
                packet = self._read_block(section, head)
                if packet is not None:
                    yield packet
            self._start = self._stream.position
            head = self._stream.begin(8, "a block's header")

    def _begin_section(self, length: bytes) -> _Section:
        """Read a section's header behind its length."""
        order = _ORDERS.get(self._stream.read(4, "a section's header"))
        if order is None:
            raise Damaged(self._start, "a section in no known byte order")
        (major,) = struct.unpack(order + "H", self._stream.read(2, "a section's header"))
        if major != 1:
            raise Damaged(self._start, f"there is no version {major} of pcapng")
        self._read_body(struct.Struct(order + "I"), length, 14, wanted=False)
        return _Section(order, self._counted)

    def _read_block(self, section: _Section, head: bytes) -> Packet | None:
        """Read a block behind its length and return its packet, if it has one."""
        (kind,) = section.word.unpack_from(head)
        take = section.blocks.get(kind)
        body = self._read_body(section.word, head[4:], 8, wanted=take is not None)
        if take is None:
            return None
        if body is None:
            self._counted["large_blocks"] += 1
            return None
        try:
            return take(body)
        except _Malformed:
            self._counted["malformed_blocks"] += 1
            return None

    def _read_body(
        self, word: struct.Struct, length: bytes, taken: int, *, wanted: bool
    ) -> bytes | None:
        """Read a block to its end and return what is left of it, None if it is not wanted or too long."""
        (whole,) = word.unpack(length)
        size, body = whole - taken - 4, None
        if whole % 4 or size < 0:
            raise Damaged(self._start, f"a block of {whole} bytes")
        if wanted and size <= MAX_BYTES:
            body = self._stream.read(size, "a block")
        else:
            self._stream.skip(size, "a block")
        if self._stream.read(4, "a block") != length:
            raise Damaged(self._start, "a block with two lengths")
        return body
