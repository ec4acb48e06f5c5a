"""The websocket on the unix socket: who may talk, one queue per client, requests in, answers and deltas out."""

import asyncio
import contextlib
import fcntl
import grp
import json
import logging
import os
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path
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
    WEBSOCKET_PATH,
    Delta,
    Hello,
    SensorError,
    Snapshot,
)
from .requests import Initialize, Request, Subscribe, Unsubscribe, read_request, request_id

_LOGGER = logging.getLogger(__name__)

_MAX_CLIENTS: Final = 32
_QUEUE_LENGTH: Final = 64
_SEND_TIMEOUT: Final = 10.0
_INITIALIZE_TIMEOUT: Final = 10.0
#: Part of its interval by which a delta may come early.
_SLACK: Final = 0.2
_SO_PEERGROUPS: Final = 59
#: As much as Python asks the kernel for: 256 groups.
_PEERGROUPS_BYTES: Final = 1024


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


class _Subscription:
    """What a client has been told."""

    def __init__(self, interval: float, revision: int) -> None:
        """Begin with a snapshot of this revision."""
        self.interval = interval
        self.revision = revision
        self.seq = 0
        self.due = time.monotonic() + interval


class _Client:
    """One connection: a reader, and a writer behind a bounded queue."""

    def __init__(
        self, ws: web.WebSocketResponse, transport: asyncio.Transport, source: Source, name: str
    ) -> None:
        """Take the open websocket and what it runs on."""
        self._ws = ws
        self._transport = transport
        self._source = source
        self._queue: asyncio.Queue[str] = asyncio.Queue(_QUEUE_LENGTH)
        self._queued = 0
        self._initialized = False
        self.name = name
        self.subscription: _Subscription | None = None
        self.overflowed = False

    async def serve(self) -> None:
        """Talk until either side ends it."""
        writer = asyncio.create_task(self._write(), name=f"writer for {self.name}")
        # A client that takes nothing must not believe that there is nothing new.
        writer.add_done_callback(lambda task: None if task.cancelled() else self._transport.abort())
        try:
            self._send(Hello(__version__, MIN_SCHEMA, MAX_SCHEMA).to_wire() | {"type": "hello"})
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
        """Return a request's result; what concerns the conversation itself is answered here."""
        if isinstance(request, Initialize):
            if not MIN_SCHEMA <= request.schema <= MAX_SCHEMA:
                raise SensorError(
                    "unsupported_schema",
                    f"this sensor ({__version__}) speaks schemas {MIN_SCHEMA} to {MAX_SCHEMA}, not {request.schema}",
                )
            self._initialized = True
            self.name = f"{request.client[:40]!r} ({self.name})"
            return {}
        if not self._initialized:
            raise SensorError("not_initialized")
        if isinstance(request, Subscribe):
            if not MIN_INTERVAL <= request.interval <= MAX_INTERVAL:
                raise SensorError(
                    "invalid_duration", f"an interval is {MIN_INTERVAL} to {MAX_INTERVAL} seconds"
                )
            self.subscription = _Subscription(request.interval, self._source.revision)
            self._source.hasten()
            return self._source.snapshot().to_wire()
        if isinstance(request, Unsubscribe):
            self.subscription = None
            return {}
        return await self._source.answer(request)

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


class Server:
    """The listening socket and its clients."""

    def __init__(self, path: str, group: str | None, source: Source) -> None:
        """Take the socket's path and the group whose members may talk beside root."""
        self._path = path
        self._group = None if group is None else _group_id(group)
        self._source = source
        self._clients: set[_Client] = set()
        self._lock: int | None = None
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._runner: web.AppRunner | None = None
        self.disconnected = 0

    @property
    def clients(self) -> int:
        """How many clients are connected."""
        return len(self._clients)

    @property
    def interval(self) -> float:
        """The shortest interval that a subscriber asked for."""
        return min(
            (each.subscription.interval for each in self._clients if each.subscription),
            default=MAX_INTERVAL,
        )

    def claim(self) -> None:
        """Take the socket's place, so that no other sensor has it, but do not listen yet.

        Raises SensorError `already_running` or `storage_failed`.
        """
        self._lock = _lock(self._path)
        _remove(self._path)  # left by a sensor that was killed: the lock is ours
        before = os.umask(0o177)
        try:
            self._listener.bind(self._path)
            if self._group is not None:
                os.chown(self._path, -1, self._group)
                os.chmod(self._path, 0o660)  # noqa: PTH101, beside chown
        except OSError as error:  # one that is too long has no number
            raise SensorError(
                "storage_failed", f"{self._path} can't be made: {error.strerror or error}"
            ) from error
        finally:
            os.umask(before)

    def release(self) -> None:
        """Let another sensor have the socket."""
        self._listener.close()
        if self._lock is not None:
            _remove(self._path)
            os.close(self._lock)
            self._lock = None

    async def start(self) -> None:
        """Begin to listen."""
        application = web.Application()
        application.router.add_get(WEBSOCKET_PATH, self._connect)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.SockSite(self._runner, self._listener).start()

    async def stop(self) -> None:
        """Stop listening and let the clients go."""
        if self._runner is not None:
            await asyncio.gather(*(each.close() for each in tuple(self._clients)))
            await self._runner.cleanup()

    def push(self, *, at_once: bool = False) -> None:
        """Tell every subscriber what changed, if its interval has passed or it can't wait."""
        for client in tuple(self._clients):
            client.push(at_once=at_once)

    def _may_talk(self, transport: asyncio.Transport) -> tuple[bool, str]:
        """Return whether the process at the other end is root, this user or in the group, and who it is."""
        peer = transport.get_extra_info("socket")
        pid, uid, gid = struct.unpack(
            "3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        )
        groups = {
            gid,
            *(
                each
                for (each,) in struct.iter_unpack(
                    "I", peer.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _PEERGROUPS_BYTES)
                )
            ),
        }
        return uid in (0, os.geteuid()) or (
            self._group is not None and self._group in groups
        ), f"pid {pid}, uid {uid}"

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection."""
        transport = request.transport
        if not isinstance(transport, asyncio.Transport):  # it has gone already
            raise web.HTTPForbidden(text="")
        allowed, peer = self._may_talk(transport)
        if not allowed:
            _LOGGER.warning("A process without permission was turned away (%s)", peer)
            raise web.HTTPForbidden(text="")
        if len(self._clients) >= _MAX_CLIENTS:
            raise web.HTTPServiceUnavailable(text="too many clients")
        # Twice the limit, so that a message somewhat too large is answered and not just cut off.
        ws = web.WebSocketResponse(heartbeat=30, max_msg_size=2 * MAX_REQUEST_BYTES)
        await ws.prepare(request)
        client = _Client(ws, transport, self._source, peer)
        self._clients.add(client)
        try:
            await client.serve()
        finally:
            self._clients.discard(client)
            self.disconnected += client.overflowed
        return ws


def _parse(text: str) -> Any:
    """Return the JSON in a message; raises SensorError."""
    if len(text) > MAX_REQUEST_BYTES:
        raise SensorError("message_too_large")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SensorError("invalid_message", "the message is not JSON") from error


def _lock(path: str) -> int:
    """Return a descriptor that holds a socket's lock; raises SensorError `already_running` or `storage_failed`."""
    try:
        Path(path).parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise SensorError("storage_failed", f"{path} can't be made: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise SensorError("already_running", f"a sensor already listens on {path}") from error
    return lock


def _remove(path: str) -> None:
    """Remove a socket that may be there; raises SensorError `storage_failed` if it is something else."""
    place = Path(path)
    if place.is_socket():
        place.unlink(missing_ok=True)
    elif os.path.lexists(path):
        raise SensorError(
            "storage_failed", f"{path} is no socket, so it was left alone; choose another --socket"
        )


@contextlib.contextmanager
def claimed(path: str, wait: float) -> Iterator[None]:
    """Hold a socket's lock, once a sensor that is ending has let go of it; raises SensorError `already_running`."""
    deadline = time.monotonic() + wait
    while True:
        try:
            lock = _lock(path)
            break
        except SensorError as error:
            if error.code != "already_running" or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
    try:
        yield
    finally:
        os.close(lock)


def _group_id(name: str) -> int:
    """Return a group's number; raises SensorError `missing_capability`."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError as error:
        raise SensorError(
            "missing_capability", f"there is no group {name!r}: groupadd --system {name}"
        ) from error
