"""A sensor's client: what the command line and Home Assistant both speak through."""

import asyncio
import dataclasses
import itertools
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from yarl import URL

from .handshake import open_websocket
from .notation import plain_address
from .protocol import (
    DEFAULT_INTERVAL,
    MAX_ANSWER_BYTES,
    WEBSOCKET_PATH,
    Block,
    Delta,
    Device,
    Flow,
    Hello,
    SensorError,
    Snapshot,
    Status,
)
from .requests import (
    AddBlock,
    Confirm,
    GetBlocks,
    GetDevices,
    GetFlows,
    GetStatus,
    Initialize,
    Pair,
    RemoveBlock,
    Request,
    Subscribe,
    Trace,
    Unload,
)

#: A sensor answers in milliseconds; the slowest order waits for a disk.
ANSWER_TIMEOUT: Final = 10.0

#: A sensor pings its clients every 30 seconds: one that is silent for longer than this hangs.
SILENCE: Final = 75.0

#: What a sensor that takes no connection says by HTTP's statuses.
_STATUSES: Final = {401: "unauthorised", 403: "not_permitted", 503: "too_many_clients"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a sensor listens for other hosts, by what it knows us, and we it: its certificate's SHA-256."""

    host: str
    port: int
    token: str
    fingerprint: bytes


class Client:
    """One connection to one sensor. It does not reconnect: whoever owns it decides when."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        name: str,
        endpoint: Endpoint | None = None,
        loads: Callable[[str], Any] = json.loads,
    ) -> None:
        """Take a session, a name for the sensor's log, where the sensor is, and what reads JSON.

        Without an endpoint the session's connector leads to the sensor.
        """
        self._session = session
        self._name = name
        self._endpoint = endpoint
        self._loads = loads
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._on_delta: Callable[[Delta], None] | None = None
        self._on_trace: Callable[[list[dict[str, Any]], int], None] | None = None
        self._on_pairing: Callable[[dict[str, Any]], None] | None = None
        self._subscription: int | None = None
        self._expected_seq = 0
        self.hello: Hello | None = None

    async def connect(self) -> Hello:
        """Open the connection and agree on a schema.

        Raises SensorError `not_running`, `not_permitted`, `too_many_clients`, `unsupported_schema` or `timeout`; of
        a sensor on another host also `unreachable`, `wrong_certificate` or `unauthorised`.
        """
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT):
                self._socket = await self._open()
                self.hello = Hello.from_wire(await self._socket.receive_json())
            self._reader = asyncio.create_task(
                self._read(self._socket), name="hearthwall sensor reader"
            )
            await self.call(
                Initialize(self.hello.schema(), self._name, self._own_address(self.hello))
            )
        except BaseException as error:
            await self.close()
            raise _as_sensor_error(error, is_remote=self._endpoint is not None) from error
        return self.hello

    async def _open(self) -> aiohttp.ClientWebSocketResponse:
        """Open the websocket. The token is sent when the certificate was found to be the sensor's."""
        there = self._endpoint
        if there is None:
            return await open_websocket(
                self._session,
                URL(f"http://sensor{WEBSOCKET_PATH}"),
                max_msg_size=MAX_ANSWER_BYTES,
            )
        return await open_websocket(
            self._session,
            URL.build(scheme="https", host=there.host, port=there.port, path=WEBSOCKET_PATH),
            max_msg_size=MAX_ANSWER_BYTES,
            headers={"Authorization": f"Bearer {there.token}"},
            ssl=aiohttp.Fingerprint(there.fingerprint),
        )

    def _own_address(self, hello: Hello) -> str | None:
        """Return whence we come, for a sensor that wants to know whether somebody stands between."""
        own = self._socket.get_extra_info("sockname") if self._socket is not None else None
        return None if own is None or hello.address is None else plain_address(own[0])

    async def close(self) -> None:
        """Close the connection; calls that still wait fail with `not_running`."""
        if self._socket is not None:
            await self._socket.close()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.wait([self._reader])
            if not self._reader.cancelled():
                self._reader.exception()  # wait_closed tells it to whoever wants to know

    async def wait_closed(self) -> None:
        """Return when the connection has ended; raises SensorError if the sensor said nonsense or hangs."""
        if self._reader is not None:
            await asyncio.wait([self._reader])
            if not self._reader.cancelled() and (error := self._reader.exception()) is not None:
                raise _as_sensor_error(error) from error

    async def call(self, request: Request) -> Any:
        """Send a request and return its result's JSON; raises the sensor's SensorError, `not_running` or `timeout`."""
        if self._socket is None or self._reader is None or self._reader.done():
            raise SensorError("not_running")
        identity = next(self._ids)
        if isinstance(request, Subscribe):
            self._subscription = identity
        answer = self._waiting[identity] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT):
                await self._socket.send_json(
                    {"id": identity, "type": request.type} | _said(request)
                )
                return await answer
        except (TimeoutError, ConnectionError) as error:
            raise _as_sensor_error(error) from error
        finally:
            self._waiting.pop(identity, None)

    async def subscribe(
        self, on_delta: Callable[[Delta], None], interval: float = DEFAULT_INTERVAL
    ) -> Snapshot:
        """Return the snapshot; from then on call on_delta in the event loop with each change.

        A gap in the sequence closes the connection: what was missed is in the next snapshot.
        """
        self._on_delta = on_delta
        return Snapshot.from_wire(await self.call(Subscribe(interval=interval)))

    async def trace(
        self, request: Trace, on_lines: Callable[[list[dict[str, Any]], int], None]
    ) -> None:
        """From now on call on_lines in the event loop with the JSON of Traced, and how many were lost."""
        self._on_trace = on_lines
        await self.call(request)

    async def pair(
        self, request: Pair, on_news: Callable[[dict[str, Any]], None]
    ) -> dict[str, Any]:
        """Return the JSON of an OfferedCode; from now on call on_news in the event loop with that of PairingNews."""
        self._on_pairing = on_news
        offered: dict[str, Any] = await self.call(request)
        return offered

    async def status(self) -> Status:
        """Return how the sensor fares."""
        return Status.from_wire(await self.call(GetStatus()))

    async def devices(self) -> list[Device]:
        """Return every device."""
        return [Device.from_wire(each) for each in await self.call(GetDevices())]

    async def flows(self, request: GetFlows) -> list[Flow]:
        """Return the flows that are asked for, those that moved last at the head."""
        return [Flow.from_wire(each) for each in await self.call(request)]

    async def blocks(self) -> list[Block]:
        """Return every rule in force."""
        return [Block.from_wire(each) for each in await self.call(GetBlocks())]

    async def block(self, order: AddBlock) -> Block:
        """Put a rule in force; when this returns, the kernel drops by it."""
        return Block.from_wire(await self.call(order))

    async def confirm(self, target: str) -> Block:
        """Keep a rule that waits to be confirmed."""
        return Block.from_wire(await self.call(Confirm(target)))

    async def unblock(self, target: str) -> Block:
        """End the rule on a target, or with an id, and return it as it last was."""
        return Block.from_wire(await self.call(RemoveBlock(target)))

    async def unload(self, *, forget: bool = False) -> None:
        """Take everything out of the kernel and end the sensor."""
        await self.call(Unload(forget))

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Hand out what the sensor sends until it stops."""
        try:
            while (message := await socket.receive(SILENCE)).type is aiohttp.WSMsgType.TEXT:
                self._dispatch(self._loads(message.data))
        finally:
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(
                        SensorError("not_running", "the sensor closed the connection")
                    )
            await socket.close()

    def _dispatch(self, wire: dict[str, Any]) -> None:
        """Resolve the call that a message answers, or pass on a delta."""
        match wire.get("type"):
            case "result":
                if wire["id"] == self._subscription:  # an event has a number of that name, too
                    self._expected_seq = wire["result"]["seq"] + 1
                self._settle(wire["id"], wire["result"], None)
            case "error" if wire.get("id") is not None:
                self._settle(wire["id"], None, SensorError(wire["code"], wire["message"]))
            case "error":
                raise SensorError(wire["code"], wire["message"])
            case "delta" if self._on_delta is not None:
                delta = Delta.from_wire(wire)
                if delta.seq != self._expected_seq:
                    raise SensorError(
                        "internal", f"delta {delta.seq} came in place of {self._expected_seq}"
                    )
                self._expected_seq += 1
                # Not at once: it may have come in one read with the snapshot, whose waiter wakes first.
                asyncio.get_running_loop().call_soon(self._on_delta, delta)

            case "trace" if self._on_trace is not None:
                self._on_trace(wire["lines"], wire["lost"])
            case "pairing" if self._on_pairing is not None:
                self._on_pairing(wire)

    def _settle(self, identity: int, result: Any, error: SensorError | None) -> None:
        """Wake the call that waits for this answer, if it still does."""
        answer = self._waiting.get(identity)
        if answer is None or answer.done():
            return
        if error is None:
            answer.set_result(result)
        else:
            answer.set_exception(error)


def _said(request: Request) -> dict[str, Any]:
    """Return a request's JSON without what is as it is when nothing is said: an older sensor knows no newer fields."""
    usual = {each.name: each.default for each in dataclasses.fields(request)}
    return {
        name: value
        for name, value in request.to_wire().items()
        if getattr(request, name) != usual[name]
    }


def unix_session(socket_path: str) -> aiohttp.ClientSession:
    """Return a session whose every request goes to the sensor on this socket; the caller closes it."""
    return aiohttp.ClientSession(connector=aiohttp.UnixConnector(socket_path))


def remote_error(error: BaseException) -> BaseException:
    """Return a failure to talk to another host as the SensorError that says what to do, others as they are."""
    return _as_sensor_error(error, is_remote=True)


def _as_sensor_error(error: BaseException, *, is_remote: bool = False) -> BaseException:
    """Return a failure to connect as the SensorError that says what to do, others as they are."""
    if isinstance(error, aiohttp.WSServerHandshakeError) and error.status in _STATUSES:
        if is_remote and error.status == 403:
            return SensorError("unauthorised", "this token is good for metrics only")
        return SensorError(_STATUSES[error.status])
    told = _remote_error(error) if is_remote else None
    return told or _local_error(error)


def _remote_error(error: BaseException) -> SensorError | None:
    """Return what only a connection to another host fails with."""
    match error:
        case aiohttp.ServerFingerprintMismatch():
            return SensorError(
                "wrong_certificate",
                f"{error.got.hex(':').upper()} in place of {error.expected.hex(':').upper()}",
            )
        case aiohttp.ClientSSLError() | aiohttp.WSServerHandshakeError(status=200 | 400 | 404):
            return SensorError("invalid_message", "what answers does not speak as a sensor does")
        case aiohttp.ClientConnectorError():
            number = error.os_error.errno or 0
            # Of several addresses that were tried, the text has the last one and not what was wrong.
            return SensorError(
                "unreachable", os.strerror(number) if number > 0 else str(error.os_error)
            )
        case aiohttp.ClientError() | ConnectionError() | TypeError():
            # receive_json raises TypeError when the socket closes instead of speaking.
            return SensorError(
                "unreachable",
                "it closes the connection, as the sensor does for some minutes after many wrong tokens",
            )
    return None


def _local_error(error: BaseException) -> BaseException:
    """Return what any connection fails with."""
    match error:
        case PermissionError() | aiohttp.ClientConnectorError(os_error=PermissionError()):
            return SensorError("not_permitted")
        case TimeoutError():
            return SensorError("timeout")
        case aiohttp.ClientError() | ConnectionError() | TypeError():
            # receive_json raises TypeError when the socket closes instead of speaking.
            return SensorError("not_running")
        case ValueError() | LookupError() | AttributeError():
            return SensorError("invalid_message", "what answers does not speak as a sensor does")
    return error
