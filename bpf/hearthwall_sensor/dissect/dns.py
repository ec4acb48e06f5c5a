"""DNS answers: which names lead to which addresses, read from messages that nobody vouches for."""

from typing import Final, NamedTuple

from dnslib.buffer import Buffer, BufferError as ReadError
from dnslib.dns import HTTPS, QTYPE, DNSError

from .stream import Stream
from .written import MAX_NAME, address as mapped, name as text

#: As many aliases as resolvers follow.
MAX_NAMES: Final = 16
_MAX_ANNOUNCED: Final = 64
_HEADER: Final = 12
#: Of the header's bits (RFC 1035, 4.1.1): a response, and one that was cut off.
_ANSWER: Final = 0x8000
_CUT: Final = 0x0200
#: A message over TCP with its length.
_MAX_STREAM: Final = 2 + 65_535

_INTERNET: Final = 1
#: Of mDNS: this record replaces older ones, which says nothing of its class (RFC 6762).
_FLUSH: Final = 0x8000
_ADDRESSES: Final = {QTYPE.A: 4, QTYPE.AAAA: 16}
#: Of HTTPS and SVCB records: the addresses that a browser may use without asking for them (RFC 9460).
_SERVICES: Final = (64, 65)
_HINTS: Final = {4: 4, 6: 16}
_POINTER: Final = 0xC0


class Answer(NamedTuple):
    """The question's name and its aliases, and the addresses that all of them lead to.

    Names are in lower case without a dot at the end; addresses have sixteen bytes, IPv4 as
    ::ffff:a.b.c.d, and come with their time to live in seconds.
    """

    kind: int
    names: tuple[str, ...]
    addresses: tuple[tuple[bytes, int], ...]
    #: Whether the server or the capture left something out.
    truncated: bool


class _Message(Buffer):  # type: ignore[misc]
    """A message whose names are read in bounded time, whatever bytes their labels have.

    dnslib's own reading follows pointers in circles until Python's stack ends, a third of a second
    for one hostile message, and gives up on labels that aren't UTF-8, which would hide the rest.
    """

    data: bytearray
    offset: int

    def name(self) -> str:
        """Return the name at the offset: every pointer leads further back, so there is an end."""
        data, here = self.data, self.offset
        labels, size, end, earliest = [], 0, -1, here
        try:
            for _ in range(MAX_NAME):
                length = data[here]
                if not length:
                    break
                if length >= _POINTER:
                    end = here + 2 if end < 0 else end
                    here = (length - _POINTER) << 8 | data[here + 1]
                    if here >= earliest:
                        raise ReadError("a pointer that leads nowhere")
                    earliest = here
                elif length < 64:
                    labels.append(bytes(data[here + 1 : here + 1 + length]))
                    size += 1 + length
                    here += 1 + length
                else:
                    raise ReadError("no kind of label")
            else:
                size = MAX_NAME
        except IndexError:
            raise ReadError("a name that is cut off") from None
        if size >= MAX_NAME:
            raise ReadError("a name that is too long")
        self.offset = here + 1 if end < 0 else end
        return text(labels)


class _Header(NamedTuple):
    """A message's header; dnslib's own, which has a property for each bit, takes longer than all the rest."""

    qr: bool
    opcode: int
    tc: bool
    q: int
    a: int
    auth: int
    ar: int


def _header(buffer: _Message) -> _Header:
    """Read the header; raises ReadError."""
    _, bits, *counts = buffer.unpack("!6H")
    return _Header(bool(bits & _ANSWER), bits >> 11 & 0xF, bool(bits & _CUT), *counts)


def _question(buffer: _Message) -> tuple[str, int]:
    """Read the name and the type that are asked for; raises ReadError."""
    name = buffer.name()
    kind, _ = buffer.unpack("!HH")
    return name, kind


def parse(message: bytes) -> Answer | None:
    """Return what an answer says, None for what is none; never raises, however hostile the message is."""
    buffer = _Message(message)
    try:
        header = _header(buffer)
        if not header.qr or header.opcode or header.q != 1:
            return None
        asked, kind = _question(buffer)
    except (DNSError, ReadError):
        return None
    records = _Records()
    cut = False
    try:
        for _ in range(header.a):
            records.read(buffer)
    except (DNSError, ReadError):
        cut = True  # what came before it stands
    names = records.names(asked)
    addresses: dict[bytes, int] = {}
    for owner, address, ttl in records.addresses:
        if owner in names:
            addresses[address] = max(ttl, addresses.get(address, 0))
    return Answer(kind, names, tuple(addresses.items()), cut or header.tc)


class _Records:
    """The records of an answer that have to do with addresses."""

    def __init__(self, ignored: int = 0) -> None:
        """Take the bits of a record's class that say something else."""
        self._ignored = ignored
        self.addresses: list[tuple[str, bytes, int]] = []
        self._aliases: dict[str, list[str]] = {}
        self.seen = 0

    def read(self, buffer: _Message) -> None:
        """Read one record, and leave what has nothing to do with addresses unread."""
        owner = buffer.name()
        kind, family, ttl, length = buffer.unpack("!HHIH")
        start = buffer.offset
        data = buffer.get(length)
        self.seen += 1
        if family & ~self._ignored != _INTERNET:
            return
        if _ADDRESSES.get(kind) == length:
            self.addresses.append((owner, mapped(data), ttl))
        elif kind == QTYPE.CNAME:
            buffer.offset = start
            self._aliases.setdefault(owner, []).append(buffer.name())
            buffer.offset = start + length
        elif kind in _SERVICES:
            self.addresses += [(owner, address, ttl) for address in _hints(data)]

    def names(self, first: str) -> tuple[str, ...]:
        """Return a name and its aliases: what else a server says has nothing to do with the question."""
        found = [first]
        for name in found:
            for alias in self._aliases.get(name, ()):
                if alias not in found and len(found) < MAX_NAMES:
                    found.append(alias)
        return tuple(found)


def _hints(data: bytes) -> list[bytes]:
    """Return the addresses in an HTTPS or SVCB record's data; raises DNSError."""
    found = []
    for key, value in HTTPS.parse(Buffer(data), len(data)).params:
        size = _HINTS.get(key, 0)
        if size and len(value) % size == 0:
            found += [mapped(bytes(value[i : i + size])) for i in range(0, len(value), size)]
    return found


def question(message: bytes) -> tuple[str, int] | None:
    """Return the name and the type that a query, or the query of an answer, asks for; None for what is none."""
    buffer = _Message(message)
    try:
        header = _header(buffer)
        if header.opcode or not header.q:
            return None
        return _question(buffer)
    except (DNSError, ReadError):
        return None


class Announced(NamedTuple):
    """A host of the local network that says which address is its own."""

    name: str
    address: bytes
    """Sixteen bytes."""


def announcements(message: bytes) -> tuple[Announced, ...] | None:
    """Return the hosts that an answer of mDNS or LLMNR speaks of, None for what is none; never raises.

    Records that say goodbye, with no time to live, are left out; what came before a cut stands.
    """
    buffer = _Message(message)
    records = _Records(_FLUSH)
    try:
        header = _header(buffer)
        if not header.qr or header.opcode:
            return None
        for _ in range(header.q):
            _question(buffer)
    except (DNSError, ReadError):
        return None
    try:
        for _ in range(header.a + header.auth + header.ar):
            records.read(buffer)
    except (DNSError, ReadError):
        if not records.seen:
            return None
    found = dict.fromkeys(
        Announced(name, address) for name, address, ttl in records.addresses if ttl
    )
    return tuple(found)[:_MAX_ANNOUNCED]


class TcpMessages:
    """The DNS messages of one direction of a TCP connection, each behind its length in two bytes."""

    def __init__(self) -> None:
        """Begin with the first byte of the connection."""
        self._stream = Stream(_MAX_STREAM)
        self._waiting = bytearray()
        self._ended = False

    def feed(self, offset: int, data: bytes) -> list[bytes] | None:
        """Return the messages that data completes, which stands there in the stream; None once it can't be DNS."""
        self._waiting += self._stream.feed(offset, data)
        found = []
        while not self._ended and len(self._waiting) >= 2:
            length = int.from_bytes(self._waiting[:2], "big")
            if length < _HEADER:
                self._ended = True
            elif len(self._waiting) < 2 + length:
                break
            else:
                found.append(bytes(self._waiting[2 : 2 + length]))
                del self._waiting[: 2 + length]
        if self._ended:
            self._waiting.clear()
            self._stream.close()
            return found or None
        return found
