"""A packet of a capture file, whatever the format, and reading a file that may be cut off."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final, NamedTuple

#: No packet and no block is longer than libpcap's own limit; nothing longer is taken into memory.
MAX_BYTES: Final = 256 * 1024
_CHUNK: Final = 64 * 1024
#: Times are what a signed 64-bit number of nanoseconds can say: until 2262.
MAX_TIME: Final = (1 << 63) - 1


class Packet(NamedTuple):
    """One packet as it was captured."""

    time: int
    """Nanoseconds since the epoch."""
    length: int
    """Bytes on the wire; `data` may hold less of them."""
    link_type: int
    """One of https://www.tcpdump.org/linktypes.html."""
    data: bytes


#: What reads a file behind its first four bytes, which say what it is. Counts what it leaves out by cause.
Reader = Callable[["Stream", bytes, Counter[str]], Iterator[Packet]]


class Damaged(Exception):  # noqa: N818, what came before it is good
    """The file can't be read any further."""

    def __init__(self, position: int, reason: str) -> None:
        """Take the place in bytes from the file's start, and what is wrong there."""
        super().__init__(f"byte {position}: {reason}")
        self.position = position


class Stream:
    """A file that is read once from start to end, and need not be seekable."""

    def __init__(self, file: BinaryIO, position: int) -> None:
        """Take a buffered file, which stays its owner's, and how much of it has been read."""
        self._file = file
        self.position = position

    def read(self, size: int, what: str) -> bytes:
        """Return exactly so many bytes, at most MAX_BYTES; raises Damaged where the file ends within."""
        data = self._file.read(size)
        if len(data) != size:
            raise Damaged(self.position, f"the file ends within {what}")
        self.position += size
        return data

    def begin(self, size: int, what: str) -> bytes:
        """As read, but return nothing at the end of the file."""
        data = self._file.read(size)
        if data and len(data) != size:
            raise Damaged(self.position, f"the file ends within {what}")
        self.position += len(data)
        return data

    def skip(self, size: int, what: str) -> None:
        """Pass over so many bytes in little memory."""
        while size:
            step = min(size, _CHUNK)
            self.read(step, what)
            size -= step
