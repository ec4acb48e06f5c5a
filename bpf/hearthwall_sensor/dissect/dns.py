"""DNS answers: which names lead to which addresses, read from messages that nobody vouches for."""

from typing import Any, Final, NamedTuple

from dnslib.buffer import Buffer, BufferError as ReadError
from dnslib.dns import HTTPS, QTYPE, DNSError, DNSHeader, DNSQuestion
from dnslib.label import DNSBuffer, DNSLabel

from .stream import Stream
from .written import MAX_NAME, address as mapped, name as text

#: As many aliases as resolvers follow.
MAX_NAMES: Final = 16
_MAX_ANNOUNCED: Final = 64
_HEADER: Final = 12
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


class _Message(DNSBuffer):  # type: ignore[misc]
    """A message whose names are read in bounded time, whatever bytes their labels have.

    dnslib's own reading follows pointers in circles until Python's stack ends, a third of a second
    for one hostile message, and gives up on labels that aren't UTF-8, which would hide the rest.
    """

    data: bytearray
    offset: int

    def decode_name(self) -> Any:
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
        return DNSLabel(labels)


def parse(message: bytes) -> Answer | None:
    """Return what an answer says, None for what is none; never raises, however hostile the message is."""
    buffer = _Message(message)
    try:
        header = DNSHeader.parse(buffer)
        if not header.qr or header.opcode or header.q != 1:
            return None
        question = DNSQuestion.parse(buffer)
    except (DNSError, ReadError):
        return None
    records = _Records()
    cut = False
    try:
        for _ in range(header.a):
            records.read(buffer)
    except (DNSError, ReadError):
        cut = True  # what came before it stands
    names = records.names(text(question.qname.label))
    addresses: dict[bytes, int] = {}
    for owner, address, ttl in records.addresses:
        if owner in names:
            addresses[address] = max(ttl, addresses.get(address, 0))
    return Answer(question.qtype, names, tuple(addresses.items()), cut or bool(header.tc))


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
        owner = buffer.decode_name()
        kind, family, ttl, length = buffer.unpack("!HHIH")
        start = buffer.offset
        data = buffer.get(length)
        self.seen += 1
        if family & ~self._ignored != _INTERNET:
            return
        if _ADDRESSES.get(kind) == length:
            self.addresses.append((text(owner.label), mapped(data), ttl))
        elif kind == QTYPE.CNAME:
            buffer.offset = start
            self._aliases.setdefault(text(owner.label), []).append(text(buffer.decode_name().label))
            buffer.offset = start + length
        elif kind in _SERVICES:
            name = text(owner.label)
            self.addresses += [(name, address, ttl) for address in _hints(data)]

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
        header = DNSHeader.parse(buffer)
        if header.opcode or not header.q:
            return None
        asked = DNSQuestion.parse(buffer)
    except (DNSError, ReadError):
        return None
    return text(asked.qname.label), asked.qtype


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
        header = DNSHeader.parse(buffer)
        if not header.qr or header.opcode:
            return None
        for _ in range(header.q):
            DNSQuestion.parse(buffer)
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
