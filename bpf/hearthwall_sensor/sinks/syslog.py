"""The sink `syslog`: a server that speaks RFC 5424, over UDP (RFC 5426), TCP (RFC 6587) or TLS (RFC 5425)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, cast

from ..protocol import Event
from . import ecs, syslog_message, trial
from .ecs import Origin
from .sink import SinkContext, SinkError
from .syslog_datagrams import Datagrams
from .syslog_message import FACILITIES, message
from .syslog_stream import Stream
from .table import Table
from .tls import Trust, reason

Transport = Literal["udp", "tcp", "tls"]

_PORTS: Final = {"udp": 514, "tcp": 514, "tls": 6514}
_MOST_BYTES: Final = {"udp": 65_507, "tcp": 65_536, "tls": 65_536}
#: What rsyslog takes if nothing else is set.
_BYTES: Final = 8192
#: Messages whose acknowledgement is waited for at once: so many may come twice after a broken connection.
_AT_ONCE: Final = 16


@dataclass(frozen=True, slots=True)
class SyslogOptions:
    """Where the messages go, and how they look."""

    host: str
    port: int
    transport: Transport
    is_ecs: bool
    """Whether the message is the ECS document, and not a sentence with structured data."""
    facility: int
    max_bytes: int
    """A longer message is cut."""
    trust: Trust | None
    """Of TLS."""

    @classmethod
    def read(cls, table: Table) -> "SyslogOptions":
        """Return the options of a table; raises SensorError."""
        transport = table.choice("transport", tuple(_PORTS), "tls")
        host, port = table.server("server", _PORTS[transport])
        is_ecs = table.choice("format", ("text", "ecs"), "text") == "ecs"
        least = ecs.LEAST_BYTES if is_ecs else syslog_message.LEAST_BYTES
        return cls(
            host=host,
            port=port,
            transport=cast(Transport, transport),
            is_ecs=is_ecs,
            facility=FACILITIES[table.choice("facility", tuple(FACILITIES), "daemon")],
            max_bytes=table.whole("max_bytes", _BYTES, least, _MOST_BYTES[transport]),
            trust=_trust(table) if transport == "tls" else None,
        )


def _trust(table: Table) -> Trust:
    """Return how TLS knows the server."""
    trust = replace(
        Trust.read(table),
        server_name=table.optional("server_name", longest=253),
        client_certificate=table.optional_path("client_certificate"),
        client_key=table.optional_path("client_key"),
    )
    if trust.client_key is not None and trust.client_certificate is None:
        table.fail("client_key is nothing without client_certificate")
    return trust


class SyslogSink:
    """Sends events to one server, over a connection that is made again when it is gone."""

    def __init__(self, options: SyslogOptions, context: SinkContext) -> None:
        """Take the options, and who tells the events."""
        self._options = options
        self._context = context
        self._origin = Origin.of(context)
        self._link: Stream | Datagrams | None = None
        #: Numbers of the last event that has arrived, and of the last one that was written to this connection.
        self._arrived = 0
        self._written = 0

    async def start(self) -> None:
        """Connect, if there is no connection: a server that is not there is told before there is an event for it."""
        try:
            link = await self._connected()
        except (OSError, SinkError) as error:
            raise self._failure(error, 0) from error
        if isinstance(link, Stream):
            self._context.reached()

    async def send(self, events: Sequence[Event]) -> None:
        """Send events; raises SinkError.

        Who loses patience with a server that does not read comes again with the same events: what is under way
        stays under way.
        """
        left = [each for each in events if _is_after(each, self._arrived)]
        try:
            for first in range(0, len(left), _AT_ONCE):
                await self._bring(left[first : first + _AT_ONCE])
                self._context.took(sum(not _is_after(each, self._arrived) for each in events))
        except (OSError, SinkError) as error:
            self._drop()
            done = sum(not _is_after(each, self._arrived) for each in events)
            raise self._failure(error, done) from error

    def _failure(self, error: OSError | SinkError, done: int) -> SinkError:
        """Return what is told of a connection that failed."""
        what = reason(error) if isinstance(error, OSError) else str(error)
        return SinkError(f"{self._options.host}:{self._options.port}: {what}", delivered=done)

    async def _bring(self, events: Sequence[Event]) -> None:
        """Send some events, and return when they have arrived as far as can be known."""
        link = await self._connected()
        messages = [self._message(each) for each in events if _is_after(each, self._written)]
        if isinstance(link, Stream):
            link.write(messages)
            self._written = max(self._written, events[-1].seq)
            await link.acknowledged()
        else:
            await link.send(messages)
        self._arrived = max(self._arrived, events[-1].seq)

    async def close(self) -> None:
        """End the connection."""
        self._drop()

    def _message(self, event: Event) -> bytes:
        """Return an event as it is sent."""
        options = self._options
        return message(
            event,
            self._origin,
            facility=options.facility,
            is_ecs=options.is_ecs,
            most=options.max_bytes,
        )

    async def _connected(self) -> Stream | Datagrams:
        """Return a connection that stands."""
        options = self._options
        if isinstance(self._link, Datagrams) and self._link.is_old:
            self._drop()
        if self._link is None and options.transport == "udp":
            self._link = await Datagrams.connect(options.host, options.port)
        elif self._link is None:
            self._link = await Stream.connect(options.host, options.port, options.trust)
            self._written = self._arrived
        return self._link

    def _drop(self) -> None:
        """Let go of the connection: what it held is not known to have arrived."""
        if self._link is not None:
            self._link.close()
            self._link = None


def _is_after(event: Event, seq: int) -> bool:
    """Return whether an event comes after a number; a test, which has none, always does."""
    return event.seq > seq or event.seq == trial.NUMBER
