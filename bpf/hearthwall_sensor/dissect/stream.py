"""A stream of bytes whose pieces come in any order, twice or overlapping."""

from typing import Final

_MAX_PIECES: Final = 64


class Stream:
    """Puts pieces in order. What was taken first stands; memory is bounded by the limit and few pieces."""

    __slots__ = ("_closed", "_held", "_limit", "_pieces", "end")

    def __init__(self, limit: int) -> None:
        """Hold back at most so many bytes that wait for those before them."""
        self.end = 0
        """How much of the stream was handed on."""
        self._limit = limit
        self._held = 0
        self._pieces: dict[int, bytes] = {}
        self._closed = False

    def feed(self, offset: int, data: bytes) -> bytes:
        """Take a piece that stands there, and return what now follows on what was handed on before."""
        if self._closed or offset + len(data) <= self.end:
            return b""
        if offset > self.end:
            self._hold(offset, data)
            return b""
        fresh = data[self.end - offset :]
        self.end += len(fresh)
        return self._join(fresh) if self._pieces else fresh

    def close(self) -> None:
        """Take nothing more, and let go of what waits."""
        self._closed = True
        self._pieces = {}

    def _hold(self, offset: int, data: bytes) -> None:
        """Keep a piece that came too early, as long as there is room."""
        known = len(self._pieces.get(offset, b""))
        more = len(data) - known
        if more <= 0 or self._held + more > self._limit or offset - self.end > self._limit:
            return
        if known or len(self._pieces) < _MAX_PIECES:
            self._pieces[offset] = self._pieces.get(offset, b"") + data[known:]
            self._held += more

    def _join(self, fresh: bytes) -> bytes:
        """Add the pieces that waited for this one."""
        joined = [fresh]
        for offset in sorted(self._pieces):
            if offset > self.end:
                break
            piece = self._pieces.pop(offset)
            self._held -= len(piece)
            rest = piece[self.end - offset :]
            self.end += len(rest)
            joined.append(rest)
        return b"".join(joined)
