"""The first bytes of one flow: what is spoken, and with whom."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from ..protocol import NameSource
from . import http, quic, rtp, signatures, tls
from .applications import UNKNOWN, encrypted
from .signatures import MAX_HEAD, OTHER_ROLE, Role, Signature
from .stream import Stream

_TCP: Final = 6
#: Datagrams that are looked at.
_MAX_DATAGRAMS: Final = 4
_MAX_QUIC_DATAGRAMS: Final = 32
#: Bytes of one direction that may wait for others, so that a conversation never holds more than 32 KiB.
_MAX_WAITING: Final = 10 * 1024

#: After the first line of these there is nothing more to be learnt.
_SAYS_NO_NAME: Final = frozenset(("rtsp", "sip"))


class Finding(NamedTuple):
    """What the first bytes of a flow have said so far; every field at its default where they said nothing."""

    application: str | None = None
    """A label of applications.py; `unknown` where the bytes are nothing that is known, None where none came yet."""
    name: str | None = None
    """The peer's name as the client asked for it: lower case, no dot at the end, escaped as those of DNS."""
    source: NameSource | None = None
    """Where the name is from: http, tls or quic."""
    encrypted_hello: bool = False
    """Whether TLS's Encrypted ClientHello was offered. Browsers offer a dummy to everyone, which looks the same."""
    friendly_name: str | None = None
    """What the sender of the data just taken calls itself, in a UPnP description: said once."""
    more: bool = False
    """Whether later data may say more."""
    malformed: str | None = None
    """The kind of message that the data just taken turned out to be a bad one of: said once."""


class _Guess:
    """What the signatures say, of both directions together."""

    __slots__ = ("_halves", "_ports", "_table", "application")

    def __init__(self, table: Mapping[int, tuple[Signature, ...]], ports: tuple[int, int]) -> None:
        """Take the signatures by first byte."""
        self.application: str | None = None
        """What it is, None where that is not known."""
        self._table = table
        self._ports = ports
        self._halves: set[tuple[int, str, Role]] = set()

    def take(self, direction: int, data: bytes) -> None:
        """Look at what a direction begins with."""
        for each in self._table.get(data[0], ()):
            is_port = not each.ports or not each.ports.isdisjoint(self._ports)
            if (
                (is_port or each.role)
                and each.matches(data)
                and (is_port or self._is_answered(direction, each))
            ):
                self.application = each.application
                return

    def _is_answered(self, direction: int, found: Signature) -> bool:
        """Return whether the other side is the counterpart of what was found on this one."""
        if found.role is None:
            return False
        self._halves.add((direction, found.application, found.role))
        return (1 - direction, found.application, OTHER_ROLE[found.role]) in self._halves


class _Side:
    """One direction of a TCP connection."""

    __slots__ = ("application", "ended", "head", "hello", "message", "stream")

    def __init__(self) -> None:
        self.stream = Stream(_MAX_WAITING)
        self.head = b""
        """How it begins, as long as nothing reads it."""
        self.application: str | None = None
        """What reads it."""
        self.hello: tls.Records | None = None
        self.message: http.Message | None = None
        self.ended = False
        """Whether it has said all that is of interest."""

    def read(self, data: bytes) -> str | None:
        """Read what follows; return what it is a bad one of, if it is."""
        if self.hello is not None:
            return self._read_hello(self.hello, data)
        if self.message is not None:
            return self._read_message(self.message, data)
        data = self.head + data
        self.head = b""
        if tls.begins(data):
            self.application = "tls"
            if tls.is_client(data):
                self.hello = tls.Records()
                return self._read_hello(self.hello, data)
            self._end()
        elif http.begins(data):
            self.message = http.Message()
            return self._read_message(self.message, data)
        elif tls.is_record(data):
            self.application = "tls"
            self._end()
        else:
            self.head = data[:MAX_HEAD]
            if len(data) >= MAX_HEAD:
                self._end()
        return None

    def _read_hello(self, records: tls.Records, data: bytes) -> str | None:
        """Read records of TLS."""
        records.feed(data)
        if records.hello.ended:
            self._end()
        return "tls" if records.hello.malformed else None

    def _read_message(self, message: http.Message, data: bytes) -> str | None:
        """Read a request or a response; a tunnel's client begins anew behind its request."""
        message.feed(data)
        self.application = message.application
        if message.tunnel is not None:
            self.hello = tls.Records()
            return self._read_hello(self.hello, message.tunnel)
        if message.ended:
            self._end()
        return "http" if message.malformed else None

    def _end(self) -> None:
        """Take nothing more."""
        self.ended = True
        self.stream.close()

    def drop(self) -> None:
        """Let go of everything: the other side says what is of interest."""
        self.head = b""
        self._end()


class _Connection:
    """The beginnings of both directions of a TCP connection."""

    __slots__ = ("_application", "_found", "_guess", "_ports", "_sides")

    def __init__(self, ports: tuple[int, int]) -> None:
        self._ports = ports
        self._guess = _Guess(signatures.TCP, ports)
        self._sides = (_Side(), _Side())
        self._application: str | None = None
        self._found = Finding(more=True)

    def take(self, direction: int, offset: int, data: bytes, _: int) -> Finding:
        """Take a piece of one direction's stream."""
        side, other = self._sides[direction], self._sides[1 - direction]
        fresh = side.stream.feed(offset, data)
        if not fresh:
            return self._found
        malformed = side.read(fresh)
        if self._application is None:
            self._application = side.application
        if side.head:
            self._guess.take(direction, side.head)
        if self._guess.application is not None:
            side.drop()
            other.drop()
        elif side.hello is not None or self._application in _SAYS_NO_NAME:
            other.drop()
        self._found = self._improved(side)
        friendly_name = side.message.friendly_name if side.message is not None else None
        return self._found._replace(friendly_name=friendly_name, malformed=malformed)

    def _improved(self, side: _Side) -> Finding:
        """Return what is known now that there is more of one side."""
        hello = side.hello.hello if side.hello is not None else None
        application = self._application or self._guess.application or UNKNOWN
        _, name, source, is_encrypted, *_ = self._found
        if hello is not None:
            is_encrypted = hello.encrypted_hello
            if hello.name is not None:
                name, source = hello.name, "tls"
            if application == "tls":
                protocols = hello.protocols if hello.complete else None
                application = encrypted(application, self._ports, hello.name, protocols)
        if source is None and side.message is not None and side.message.name is not None:
            name, source = side.message.name, "http"
        more = not (self._sides[0].ended and self._sides[1].ended)
        return Finding(application, name, source, is_encrypted, more=more)


class _Datagrams:
    """The first datagrams of a UDP flow."""

    __slots__ = ("_found", "_guess", "_initials", "_ports", "_streams", "_taken")

    def __init__(self, ports: tuple[int, int]) -> None:
        self._ports = ports
        self._guess = _Guess(signatures.UDP, ports)
        self._initials: quic.Initials | None = None
        self._streams: list[rtp.Header | None] = [None, None]
        self._taken = 0
        self._found = Finding(more=True)

    def take(self, direction: int, _: int, data: bytes, wire_length: int) -> Finding:
        """Take a datagram."""
        if not data:
            return self._found
        self._taken += 1
        if self._initials is not None or quic.begins(data):
            return self._take_quic(direction, data, wire_length)
        self._guess.take(direction, data)
        application = self._guess.application
        if application is None and self._is_rtp(direction, data):
            application = "rtp"
        more = application is None and self._taken < _MAX_DATAGRAMS
        self._found = Finding(application or UNKNOWN, more=more)
        return self._found

    def _is_rtp(self, direction: int, data: bytes) -> bool:
        """Return whether a datagram is the next of a stream after the one before."""
        header, before = rtp.parse(data), self._streams[direction]
        self._streams[direction] = header
        return header is not None and before is not None and rtp.follows(header, before)

    def _take_quic(self, direction: int, data: bytes, wire_length: int) -> Finding:
        """Take a datagram of QUIC."""
        initials = self._initials = self._initials or quic.Initials()
        is_good = initials.feed(direction, data)
        hello = initials.hello
        if initials.is_quic:
            protocols = hello.protocols if hello.complete else None
            self._found = Finding(
                encrypted("quic", self._ports, hello.name, protocols),
                hello.name,
                None if hello.name is None else "quic",
                hello.encrypted_hello,
                more=not initials.ended and self._taken < _MAX_QUIC_DATAGRAMS,
            )
        is_cut = len(data) < wire_length
        return self._found if is_good or is_cut else self._found._replace(malformed="quic")


class Conversation:
    """The first bytes of one TCP or UDP flow, and what they say; memory and time are bounded."""

    __slots__ = ("_found", "_part")

    def __init__(self, protocol: int, port: int, peer_port: int) -> None:
        """Begin with nothing known of a flow between these ports."""
        kind = _Connection if protocol == _TCP else _Datagrams
        self._part: _Connection | _Datagrams | None = kind((port, peer_port))
        self._found = Finding(more=True)

    def take(self, direction: int, offset: int, data: bytes, wire_length: int) -> Finding:
        """Learn from a payload, which may be cut off, and return the best that is known so far; never raises.

        Of TCP, offset is where the data stands in its direction's stream of bytes.
        """
        if self._part is None:
            return self._found
        found = self._part.take(direction, offset, data, wire_length)
        if not found.more:
            self._part = None
            self._found = found._replace(friendly_name=None, malformed=None)
        return found
