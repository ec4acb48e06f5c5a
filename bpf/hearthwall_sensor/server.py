"""The websocket on the unix socket: its place, who may talk on it, and the connections that there are."""

import asyncio
import contextlib
import grp
import logging
import os
import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from aiohttp import web

from . import __version__, files
from .connection import Connection, MakeOffer, Source, Visitor, no_offer
from .guests import Guest, Guests, credentials
from .metrics.serving import Serving
from .protocol import (
    HOME_ASSISTANT,
    MAX_INTERVAL,
    MAX_REQUEST_BYTES,
    MAX_SCHEMA,
    METRICS_PATH,
    MIN_SCHEMA,
    WEBSOCKET_PATH,
    Hello,
    SensorError,
    TokenRole,
)

_LOGGER = logging.getLogger(__name__)

_MAX_CLIENTS: Final = 32
_SO_PEERGROUPS: Final = 59
#: As much as Python asks the kernel for: 256 groups.
_PEERGROUPS_BYTES: Final = 1024


class Server:
    """The listening socket and its clients."""

    def __init__(self, path: str, group: str | None, source: Source) -> None:
        """Take the socket's path and the group whose members may talk beside root."""
        self._path = path
        self._group = None if group is None else _group_id(group)
        self._source = source
        #: The clients, each with the process at its other end, None for one on another host.
        self._clients: dict[Connection, int | None] = {}
        #: Who this sensor is, once that is known.
        self.identity: str | None = None
        #: Where it is reached from other hosts, and how many were turned away there.
        self.listening: str | None = None
        #: Why other hosts don't reach it where it is to listen.
        self.unreachable: str | None = None
        self.turned_away = 0
        #: Makes a code for pairing, if the sensor listens for other hosts.
        self.make_offer: MakeOffer = no_offer
        #: Returns what a process that the sensor started may, None for every other process.
        self.role_of: Callable[[int], TokenRole | None] = lambda _: None
        #: Answers who asks for metrics.
        self.metrics = Serving()
        self._lock: int | None = None
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._guests: Guests | None = None
        self._listening: asyncio.Server | None = None
        self.disconnected = 0

    @property
    def clients(self) -> int:
        """How many clients are connected, without the sensor's own children."""
        return sum(pid is None or self.role_of(pid) is None for pid in self._clients.values())

    @property
    def subscribers(self) -> set[int]:
        """The processes that follow what the sensor tells, such as Home Assistant."""
        return {
            pid
            for each, pid in self._clients.items()
            if pid is not None and each.subscription is not None
        }

    @property
    def home_assistants(self) -> int:
        """How many Home Assistants follow what the sensor tells: who may only read could be anybody of that name."""
        return sum(
            each.client == HOME_ASSISTANT
            and each.subscription is not None
            and each.role == "operate"
            for each in self._clients
        )

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
        # It is born with its owner and its rights: who may write to its folder could put a link to another file in
        # its place before these were changed
        before, own_group = os.umask(0o177 if self._group is None else 0o117), os.getegid()
        try:
            if self._group is not None:
                os.setegid(self._group)
            self._listener.bind(self._path)
        except OSError as error:  # one that is too long has no number
            raise SensorError(
                "storage_failed", f"{self._path} can't be made: {error.strerror or error}"
            ) from error
        finally:
            os.setegid(own_group)
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
        self._guests = Guests(self._connect)
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(self._guests.arrive, sock=self._listener)

    async def stop(self) -> None:
        """Stop listening and let the clients go."""
        if self._guests is not None and self._listening is not None:
            self._listening.close()
            await asyncio.gather(*(each.close() for each in tuple(self._clients)))
            await self._guests.end()

    def push(self, *, at_once: bool = False) -> None:
        """Tell every subscriber what changed, if its interval has passed or it can't wait."""
        for client in tuple(self._clients):
            client.push(at_once=at_once)

    def _visitor(self, transport: asyncio.Transport) -> tuple[bool, Visitor]:
        """Return whether the process at the other end is root, this user or in the group, and who it is."""
        peer = transport.get_extra_info("socket")
        pid, uid, gid = credentials(peer)
        groups = {
            gid,
            *(
                each
                for (each,) in struct.iter_unpack(
                    "I", peer.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _PEERGROUPS_BYTES)
                )
            ),
        }
        is_root = uid in (0, os.geteuid())
        may_talk = is_root or (self._group is not None and self._group in groups)
        name = f"pid {pid}, uid {uid}"
        if may_talk and (role := self.role_of(pid)) is not None:
            return True, Visitor(name, role, pid=pid)
        return may_talk, Visitor(name, is_root=is_root, pid=pid)

    async def _connect(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve one connection."""
        transport = request.transport
        guest = None if transport is None else transport.get_protocol()
        if not isinstance(transport, asyncio.Transport) or not isinstance(guest, Guest):
            raise web.HTTPForbidden(text="")  # it has gone already
        if request.path not in (WEBSOCKET_PATH, METRICS_PATH):
            raise web.HTTPNotFound(text="")
        with guest.served():
            return await self._serve(request, transport)

    async def _serve(
        self, request: web.BaseRequest, transport: asyncio.Transport
    ) -> web.StreamResponse:
        """Serve who may talk."""
        may_talk, visitor = self._visitor(transport)
        if not may_talk:
            _LOGGER.warning("A process without permission was turned away (%s)", visitor.name)
            raise web.HTTPForbidden(text="")
        try:
            return await self.converse(request, visitor)
        except web.HTTPException:
            raise
        except ConnectionError:  # it has gone meanwhile
            raise web.HTTPBadRequest(text="") from None
        except Exception:
            _LOGGER.exception("A connection of %s failed", visitor.name)
            raise

    async def converse(self, request: web.BaseRequest, visitor: Visitor) -> web.StreamResponse:
        """Have a conversation with somebody who may talk."""
        if request.path == METRICS_PATH:
            return await self.metrics.answer(request)
        if not visitor.may:
            refusal = web.HTTPForbidden(text="this token is good for metrics only\n")
            refusal.force_close()
            raise refusal
        transport = request.transport
        if len(self._clients) >= _MAX_CLIENTS or not isinstance(transport, asyncio.Transport):
            raise web.HTTPServiceUnavailable(text="too many clients")
        # Twice the limit, so that a message somewhat too large is answered and not just cut off.
        ws = web.WebSocketResponse(heartbeat=30, max_msg_size=2 * MAX_REQUEST_BYTES, compress=False)
        await ws.prepare(request)
        hello = Hello(
            __version__,
            MIN_SCHEMA,
            MAX_SCHEMA,
            self.identity,
            visitor.address,
            visitor.port,
            visitor.role,
        )
        client = Connection(ws, transport, self._source, visitor, hello)
        client.make_offer = self.make_offer
        self._clients[client] = visitor.pid
        try:
            await client.serve()
        finally:
            self._clients.pop(client, None)
            self.disconnected += client.overflowed
        return ws


def _lock(path: str) -> int:
    """Return a descriptor that holds a socket's lock; raises SensorError `already_running` or `storage_failed`."""
    try:
        Path(path).parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        return files.hold(Path(f"{path}.lock"))
    except BlockingIOError as error:
        raise SensorError("already_running", f"a sensor already listens on {path}") from error
    except OSError as error:
        raise SensorError("storage_failed", f"{path} can't be made: {error.strerror}") from error


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
    """Hold a socket's lock, once a sensor that is ending has let go of it, and leave none.

    Raises SensorError `already_running`.
    """
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
        Path(f"{path}.lock").unlink(missing_ok=True)
        os.close(lock)


def _group_id(name: str) -> int:
    """Return a group's number; raises SensorError `missing_capability`."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError as error:
        raise SensorError(
            "missing_capability", f"there is no group {name!r}: groupadd --system {name}"
        ) from error
