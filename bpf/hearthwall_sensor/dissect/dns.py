"""DNS answers: which names lead to which addresses, read from messages that nobody vouches for."""

from typing import Any, Final, NamedTuple

from dnslib.buffer import Buffer, BufferError as ReadError
from dnslib.dns import HTTPS, QTYPE, DNSError, DNSHeader, DNSQuestion
from dnslib.label import DNSBuffer, DNSLabel

#: As long as RFC 1035 lets a name be, and as many aliases as resolvers follow.
MAX_NAME: Final = 255
MAX_NAMES: Final = 16

_INTERNET: Final = 1
_ADDRESSES: Final = {QTYPE.A: 4, QTYPE.AAAA: 16}
#: Of HTTPS and SVCB records: the addresses that a browser may use without asking for them (RFC 9460).
_SERVICES: Final = (64, 65)
_HINTS: Final = {4: 4, 6: 16}
_MAPPED: Final = bytes(10) + b"\xff\xff"
_POINTER: Final = 0xC0
#: What of a label stands in a name as it is: printable, and no dot.
_PLAIN: Final = frozenset(range(33, 127)) - frozenset(b".\\")


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
    names = records.names(_text(question.qname))
    addresses: dict[bytes, int] = {}
    for owner, address, ttl in records.addresses:
        if owner in names:
            addresses[address] = max(ttl, addresses.get(address, 0))
    return Answer(question.qtype, names, tuple(addresses.items()), cut or bool(header.tc))


class _Records:
    """The records of an answer that have to do with addresses."""

    def __init__(self) -> None:
        self.addresses: list[tuple[str, bytes, int]] = []
        self._aliases: dict[str, list[str]] = {}

    def read(self, buffer: _Message) -> None:
        """Read one record, and leave what has nothing to do with addresses unread."""
        owner = buffer.decode_name()
        kind, family, ttl, length = buffer.unpack("!HHIH")
        start = buffer.offset
        data = buffer.get(length)
        if family != _INTERNET:
            return
        if _ADDRESSES.get(kind) == length:
            self.addresses.append((_text(owner), _mapped(data), ttl))
        elif kind == QTYPE.CNAME:
            buffer.offset = start
            self._aliases.setdefault(_text(owner), []).append(_text(buffer.decode_name()))
            buffer.offset = start + length
        elif kind in _SERVICES:
            name = _text(owner)
            self.addresses += [(name, address, ttl) for address in _hints(data)]

    def names(self, first: str) -> tuple[str, ...]:
        """Return a name and its aliases: what else a server says has nothing to do with the question."""
        found = [first]
        for name in found:
            for alias in self._aliases.get(name, ()):
                if alias not in found and len(found) < MAX_NAMES:
                    found.append(alias)
        return tuple(found)


def _text(label: Any) -> str:
    """Return a name in lower case; what no host's name has is escaped, so that no two names look alike."""
    return ".".join(
        part.decode("ascii").lower()
        if _PLAIN.issuperset(part)
        else "".join(chr(each) if each in _PLAIN else f"\\{each:03}" for each in part).lower()
        for part in label.label
    )


def _mapped(address: bytes) -> bytes:
    """Return sixteen bytes for both families."""
    return address if len(address) == 16 else _MAPPED + address


def _hints(data: bytes) -> list[bytes]:
    """Return the addresses in an HTTPS or SVCB record's data; raises DNSError."""
    found = []
    for key, value in HTTPS.parse(Buffer(data), len(data)).params:
        size = _HINTS.get(key, 0)
        if size and len(value) % size == 0:
            found += [_mapped(bytes(value[i : i + size])) for i in range(0, len(value), size)]
    return found
