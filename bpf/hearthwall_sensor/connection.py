"""One client's conversation with the sensor: its requests in turn, and answers and deltas behind a bounded queue."""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from aiohttp import WSMsgType, web

from . import __version__
from .protocol import (
    MAX_ANSWER_BYTES,
    MAX_INTERVAL,
    MAX_REQUEST_BYTES,
    MAX_SCHEMA,
    MIN_INTERVAL,
    MIN_SCHEMA,
    Delta,
    Hello,
    SensorError,
    Snapshot,
    TokenRole,
)
from .remote.pairing import OfferedCode, PairingNews
from .requests import (
    Access,
    EndTrace,
    Initialize,
    Pair,
    Request,
    Subscribe,
    Trace,
    Unsubscribe,
    read_request,
    request_id,
)

_LOGGER = logging.getLogger(__name__)

_QUEUE_LENGTH: Final = 64
#: Lines of a trace wait no longer behind more than this: a client that is slow loses them.
_WAITING_LINES: Final = 8
_SEND_TIMEOUT: Final = 10.0
_INITIALIZE_TIMEOUT: Final = 10.0
#: What is said to whoever asks for more than it may.
_REFUSALS: Final[Mapping[Access, tuple[str, str | None]]] = {
    "operate": ("read_only", None),
    "root": ("not_permitted", "only root may ask for this: say sudo before the command"),
}
#: Part of its interval by which a delta may come early.
_SLACK: Final = 0.2


Offered = tuple[OfferedCode, Callable[[], None]]
#: Makes a code for pairing: takes whom to tell what becomes of it, and returns what ends it beside it.
MakeOffer = Callable[[Pair, Callable[[PairingNews], None]], Awaitable[Offered]]


async def no_offer(_request: Pair, _tell: Callable[[PairingNews], None]) -> Offered:
    """Make no code: nobody could use it."""
    raise SensorError(
        "missing_capability",
        "the sensor does not listen for other hosts: start it with `run --listen ADDRESS:PORT`, such as"
        " --listen 192.168.1.1:8447",
    )


_MAY: Final[Mapping[TokenRole, frozenset[Access]]] = {
    "metrics": frozenset(),
    "read": frozenset({"read"}),
    "operate": frozenset({"read", "operate"}),
}


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who talks to the sensor, and what it may."""

    name: str
    role: TokenRole = "operate"
    is_root: bool = False
    """Of this host, where it may all."""
    pid: int | None = None
    """Its process, if that is one of this host."""
    address: str | None = None
    """Where it reached us, if it came from another host."""
    port: int | None = None
    on_address: Callable[[str], None] = lambda _: None
    """Called with the address from which it says that it came."""

    @property
    def may(self) -> frozenset[Access]:
        """What it may."""
        return _MAY[self.role] | ({"root"} if self.is_root else frozenset())


class Source(Protocol):
    """What the server serves."""

    @property
    def revision(self) -> int:
        """The revision that a snapshot taken now stands for."""

    def snapshot(self) -> Snapshot:
        """Return everything."""

    def delta(self, since: int) -> Delta | None:
        """Return what changed after a revision, None for nothing; raises SensorError if that is too long ago."""

    def hasten(self) -> None:
        """Look for changes now: somebody wants to be told more often than before."""

    async def answer(self, request: Request) -> Any:
        """Carry out a request and return its result's JSON; raises SensorError."""

    async def trace(
        self, request: Trace, tell: Callable[[Sequence[dict[str, Any]], int], bool]
    ) -> Callable[[], None]:
        """Tell of system calls from now on; return what ends it. Raises SensorError.

        `tell` takes lines and how many were lost; it returns whether it could take them.
        """


class _Subscription:
    """What a client has been told."""

    def __init__(self, interval: float, revision: int) -> None:
        """Begin with a snapshot of this revision."""
        self.interval = interval
        self.revision = revision
        self.seq = 0
        self.due = time.monotonic() + interval


class Connection:
    """One connection: a reader, and a writer behind a bounded queue."""

    def __init__(
        self,
        ws: web.WebSocketResponse,
        transport: asyncio.Transport,
        source: Source,
        visitor: Visitor,
        hello: Hello,
    ) -> None:
        """Take the open websocket and what it runs on, what is served, who the client is, and who the sensor."""
        self._hello = hello
        self._visitor = visitor
        self._ws = ws
        self._transport = transport
        self._source = source
        self._queue: asyncio.Queue[str] = asyncio.Queue(_QUEUE_LENGTH)
        self._queued = 0
        self._initialized = False
        self.name = visitor.name
        self.role = visitor.role
        #: What the client calls itself, once it has.
        self.client: str | None = None
        self.subscription: _Subscription | None = None
        self._end_trace: Callable[[], None] | None = None
        self._end_offer: Callable[[], None] | None = None
        self.overflowed = False
        self.make_offer: MakeOffer = no_offer

    async def serve(self) -> None:
        """Talk until either side ends it."""
        writer = asyncio.create_task(self._write(), name=f"writer for {self.name}")
        # A client that takes nothing must not believe that there is nothing new.
        writer.add_done_callback(lambda task: None if task.cancelled() else self._transport.abort())
        try:
            self._send(self._hello.to_wire() | {"type": "hello"})
            while not writer.done():
                timeout = None if self._initialized else _INITIALIZE_TIMEOUT
                message = await self._ws.receive(timeout)
                if message.type is not WSMsgType.TEXT or not await self._take(message.data):
                    break
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._queue.join()
        except (TimeoutError, ConnectionError):
            _LOGGER.debug("%s went silent", self.name)
        finally:
            self._stop_tracing()
            self._stop_offering()
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            await self._ws.close()

    async def _take(self, text: str) -> bool:
        """Carry out one message; return whether to go on listening."""
        wire: Any = None
        try:
            wire = _parse(text)
            identity, request = read_request(wire)
            self._send({"id": identity, "type": "result", "result": await self._carry_out(request)})
        except SensorError as error:
            self._send({"id": request_id(wire), "type": "error"} | error.to_wire())
            return self._initialized and request_id(wire) is not None
        except Exception:
            _LOGGER.exception("A request of %s failed", self.name)
            self._send(
                {"id": request_id(wire), "type": "error"} | SensorError("internal").to_wire()
            )
        return True

    async def _carry_out(self, request: Request) -> Any:
        """Return a request's result; what concerns the conversation itself is answered here.

        Who asks for more than it may is refused here, and nowhere else.
        """
        if request.needs not in self._visitor.may:
            raise SensorError(*_REFUSALS[request.needs])
        if isinstance(request, Initialize):
            return self._initialize(request)
        if not self._initialized:
            raise SensorError("not_initialized")
        match request:
            case Subscribe():
                return self._subscribe(request)
            case Unsubscribe():
                self.subscription = None
                return {}
            case Trace() | EndTrace():
                self._stop_tracing()
                if isinstance(request, Trace):
                    self._end_trace = await self._source.trace(request, self._tell_trace)
                return {}
            case Pair():
                return await self._offer(request)
        return await self._source.answer(request)

    def _initialize(self, request: Initialize) -> dict[str, Any]:
        """Agree on a schema, and note who the client says it is and whence it comes; raises SensorError."""
        if not MIN_SCHEMA <= request.schema <= MAX_SCHEMA:
            raise SensorError(
                "unsupported_schema",
                f"this sensor ({__version__}) speaks schemas {MIN_SCHEMA} to {MAX_SCHEMA}, not {request.schema}",
            )
        self._initialized = True
        self.client = request.client
        self.name = f"{request.client[:40]!r} ({self.name})"
        if request.address is not None:
            self._visitor.on_address(request.address)
        return {}

    def _subscribe(self, request: Subscribe) -> dict[str, Any]:
        """Return a snapshot, and tell from then on what changes; raises SensorError."""
        if not MIN_INTERVAL <= request.interval <= MAX_INTERVAL:
            raise SensorError(
                "invalid_duration", f"an interval is {MIN_INTERVAL} to {MAX_INTERVAL} seconds"
            )
        self.subscription = _Subscription(request.interval, self._source.revision)
        self._source.hasten()
        return self._source.snapshot().to_wire()

    async def _offer(self, request: Pair) -> dict[str, Any]:
        """Return a code for pairing, which ends with this conversation, and tell what becomes of it."""
        self._stop_offering()
        shown, self._end_offer = await self.make_offer(
            request, lambda news: self._send({"type": "pairing", **news.to_wire()})
        )
        return shown.to_wire()

    def push(self, *, at_once: bool) -> None:
        """Send what changed since the last delta, if it is due; a client that lags gets it in one piece later."""
        subscription = self.subscription
        now = time.monotonic()
        if subscription is None or self._queue.qsize() > 1:
            return
        if not at_once:
            # Ticks are a little early or late; without some slack every second one would be missed.
            if now < subscription.due - _SLACK * subscription.interval:
                return
            subscription.due = max(subscription.due, now - _SLACK * subscription.interval)
            subscription.due += subscription.interval
        revision = self._source.revision
        if revision == subscription.revision:
            return
        try:
            delta = self._source.delta(subscription.revision)
        except SensorError:
            self._overflow()
            return
        subscription.revision = revision
        if delta is not None:
            subscription.seq += 1
            silence = Delta(seq=0).to_wire()
            said = {
                name: value for name, value in delta.to_wire().items() if value != silence[name]
            }
            self._send(said | {"type": "delta", "seq": subscription.seq})

    def _tell_trace(self, lines: Sequence[dict[str, Any]], lost: int) -> bool:
        """Send lines of a trace, unless the client has not taken those before; return whether they were sent."""
        if self._queue.qsize() > _WAITING_LINES:
            return False
        self._send({"type": "trace", "lines": list(lines), "lost": lost})
        return True

    def _stop_tracing(self) -> None:
        """End the trace, if there is one."""
        end, self._end_trace = self._end_trace, None
        if end is not None:
            end()

    def _stop_offering(self) -> None:
        """End the code that waits, if there is one."""
        end, self._end_offer = self._end_offer, None
        if end is not None:
            end()

    def _send(self, wire: dict[str, Any]) -> None:
        """Queue a message; a client that does not read is let go.

        As the text that is sent: as objects a long answer takes many times the memory.
        """
        text = json.dumps(wire, separators=(",", ":"))
        self._queued += len(text)
        try:
            self._queue.put_nowait(text)
        except asyncio.QueueFull:
            self._overflow()
        if self._queued > MAX_ANSWER_BYTES:
            self._overflow()

    def _overflow(self) -> None:
        """End a connection that can't keep up; the client gets everything anew when it returns."""
        if not self.overflowed:
            self.overflowed = True
            _LOGGER.warning("%s does not keep up and was disconnected", self.name)
            self._transport.abort()

    async def close(self) -> None:
        """Say goodbye."""
        await self._ws.close()

    async def _write(self) -> None:
        """Send what is queued."""
        while True:
            text = await self._queue.get()
            try:
                async with asyncio.timeout(_SEND_TIMEOUT):
                    await self._ws.send_str(text)
            finally:
                self._queued -= len(text)
                self._queue.task_done()


def _parse(text: str) -> Any:
    """Return the JSON in a message; raises SensorError."""
    if len(text) > MAX_REQUEST_BYTES:
        raise SensorError("message_too_large")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SensorError("invalid_message", "the message is not JSON") from error
