"""TLS's framing, as far as the ClientHello: whom a client asks for, and what it offers to speak."""

from typing import Final

from .written import host

_RECORD: Final = 5
_HANDSHAKE: Final = 22
#: A record's longest content: RFC 8446 allows 2^14 bytes in plain text.
_MAX_RECORD: Final = 1 << 14
#: Longest hello that is read; one with the keys of post-quantum exchanges has 2 KB.
MAX_HELLO: Final = 1 << 14
_CLIENT_HELLO: Final = 1
_SERVER_HELLO: Final = 2
#: Header, version and random: what stands before the session's identifier.
_FIXED: Final = 4 + 2 + 32

_SERVER_NAME: Final = 0
_PROTOCOLS: Final = 16
_ENCRYPTED_HELLO: Final = 0xFE0D
_OF_INTEREST: Final = frozenset((_SERVER_NAME, _PROTOCOLS, _ENCRYPTED_HELLO))
_MAX_PROTOCOLS: Final = 16


class Hello:
    """A ClientHello that comes in pieces: what it says so far."""

    __slots__ = (
        "_at",
        "_data",
        "_size",
        "complete",
        "encrypted_hello",
        "malformed",
        "name",
        "protocols",
    )

    def __init__(self) -> None:
        """Begin with no byte of it."""
        self.name: str | None = None
        """Of the server, as it is asked for."""
        self.protocols: tuple[bytes, ...] = ()
        """What the client offers to speak (ALPN)."""
        self.encrypted_hello = False
        """Whether an encrypted hello was offered, or a dummy that looks like one: browsers send it to everyone."""
        self.complete = False
        self.malformed = False
        self._data = bytearray()
        self._size = 0
        self._at = 0

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to be learnt."""
        return self.complete or self.malformed

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the handshake; what follows the hello is left alone."""
        if self.ended:
            return
        self._data += data
        if not self._size and not self._begin():
            return
        if not self._at and not self._find_extensions():
            return
        self._read_extensions()
        if self.ended:
            self._data = bytearray()

    def _begin(self) -> bool:
        """Read the header once it is there."""
        if len(self._data) < 4:
            return False
        size = 4 + int.from_bytes(self._data[1:4], "big")
        if self._data[0] != _CLIENT_HELLO or not _FIXED < size <= MAX_HELLO:
            self.malformed = True
            return False
        self._size = size
        return True

    def _find_extensions(self) -> bool:
        """Step over what comes before the extensions, once all of it is there."""
        data, end = self._data, min(len(self._data), self._size)
        at = _FIXED
        for width in (1, 2, 1):  # the session's identifier, cipher suites, compression methods
            at += width
            if at > end:
                break
            at += int.from_bytes(data[at - width : at], "big")
        if at == self._size <= len(data):
            self.complete = True  # as old as TLS 1.0: no extensions
        elif at + 2 > self._size:
            self.malformed = True
        elif at + 2 <= end:
            if at + 2 + int.from_bytes(data[at : at + 2], "big") == self._size:
                self._at = at + 2
                return True
            self.malformed = True
        return False

    def _read_extensions(self) -> None:
        """Read the extensions that are there as a whole."""
        data, at, size = self._data, self._at, self._size
        end = min(len(data), size)
        while at + 4 <= end:
            kind = data[at] << 8 | data[at + 1]
            after = at + 4 + (data[at + 2] << 8 | data[at + 3])
            if after > size:
                self.malformed = True
                return
            if after > end:
                break
            if kind in _OF_INTEREST and not self._read(kind, bytes(data[at + 4 : after])):
                self.malformed = True
            at = after
        self._at = at
        if at == size:
            self.complete = True
        elif end == size:
            self.malformed = True

    def _read(self, kind: int, value: bytes) -> bool:
        """Read an extension of interest; return whether it is well formed."""
        if kind == _SERVER_NAME:
            return self._read_name(value)
        if kind == _PROTOCOLS:
            return self._read_protocols(value)
        # What is in an encrypted hello is nobody's but the server's to know
        self.encrypted_hello = True
        return True

    def _read_name(self, value: bytes) -> bool:
        """Read the server's name; return whether the extension is well formed."""
        if len(value) < 5 or int.from_bytes(value[:2], "big") != len(value) - 2:
            return False
        size = int.from_bytes(value[3:5], "big")
        if 5 + size > len(value):
            return False
        if not value[2] and self.name is None:
            self.name = host(value[5 : 5 + size])
        return True

    def _read_protocols(self, value: bytes) -> bool:
        """Read what the client offers to speak; return whether the extension is well formed."""
        found: list[bytes] = []
        at = 2
        while at < len(value) and len(found) < _MAX_PROTOCOLS:
            after = at + 1 + value[at]
            if after > len(value):
                return False
            found.append(value[at + 1 : after])
            at = after
        self.protocols = tuple(found)
        return len(value) >= 2


def begins(data: bytes) -> bool:
    """Return whether this is the beginning of a handshake, the client's or the server's."""
    return (
        len(data) > _RECORD
        and data[0] == _HANDSHAKE
        and data[1] == 3
        and data[2] <= 4
        and data[5] in (_CLIENT_HELLO, _SERVER_HELLO)
        and 0 < (data[3] << 8 | data[4]) <= _MAX_RECORD
    )


def is_client(data: bytes) -> bool:
    """Return whether the handshake that begins here is the client's."""
    return data[_RECORD] == _CLIENT_HELLO


def is_record(data: bytes) -> bool:
    """Return whether this is the beginning of encrypted data, in a connection that was begun unseen."""
    return (
        len(data) >= _RECORD
        and data[:3] == b"\x17\3\3"
        and 17 <= (data[3] << 8 | data[4]) <= _MAX_RECORD + 256
    )


class Records:
    """The records in which one side of a TCP connection sends its hello."""

    __slots__ = ("_header", "_left", "hello")

    def __init__(self) -> None:
        """Begin with no byte."""
        self.hello = Hello()
        self._header = b""
        self._left = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        at = 0
        while at < len(data) and not self.hello.ended:
            if self._left:
                piece = data[at : at + self._left]
                self._left -= len(piece)
                at += len(piece)
                self.hello.feed(piece)
                continue
            missing = _RECORD - len(self._header)
            self._header += data[at : at + missing]
            at += missing
            if len(self._header) == _RECORD:
                self._begin()

    def _begin(self) -> None:
        """Read a record's header: until the hello has ended there is nothing but pieces of it."""
        kind, major = self._header[0], self._header[1]
        self._left = int.from_bytes(self._header[3:], "big")
        self._header = b""
        if kind != _HANDSHAKE or major != 3 or not 0 < self._left <= _MAX_RECORD:
            self.hello.malformed = True
