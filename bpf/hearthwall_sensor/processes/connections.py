"""Whom this host's processes talk to: their connections, and what they exchange without one."""

import asyncio
import dataclasses
import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Final, NamedTuple

from ..bounded import make_room
from ..flows.flow import DOWNLOAD, TCP, TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN, UPLOAD, Counted, FlowKey
from ..flows.labels import Label
from ..flows.listing import Choice, Context, describe
from ..kernel.process_layouts import Head, Socket
from ..protocol import Flow, Process
from ..requests import GetFlows
from .image import PROGRAM, Image

#: Connections that are over and still listed.
MAX_ENDED: Final = 4096
#: More than the kernel has sockets and exchanges.
_MAX_COUNTED: Final = 65_536
_MAX_FRESH: Final = 16_384
#: Looks that an entry may be missed in before its counts are forgotten: a table that changes is read with gaps.
_PATIENCE: Final = 12
#: What is exchanged without a connection is over when it has been quiet for so long, in nanoseconds.
_QUIET: Final = 120 * 10**9
_AT_ONCE: Final = 512
_DESCRIBED_AT_ONCE: Final = 128
#: The key of a socket; that of an exchange begins with it.
_COOKIE_BYTES: Final = 8
_NO_MAC: Final = bytes(6)
_MAPPED: Final = bytes(10) + b"\xff\xff"
#: The length of an IP packet with TCP's header alone: one that refuses has no more, one that agrees has options.
_BARE: Final = {True: 40, False: 60}


class Amounts(NamedTuple):
    """What was exchanged: bytes of IP, and packets."""

    sent_bytes: int = 0
    received_bytes: int = 0
    sent_packets: int = 0
    received_packets: int = 0


_NOTHING: Final = Amounts()


@dataclass(slots=True)
class Connection:
    """One connection, or what a socket exchanges with a peer without one."""

    image: Image
    socket: Socket
    is_ended: bool = False
    is_begun: bool = False
    """Whether its flow was told of."""
    amounts: Amounts = _NOTHING
    """What was counted of it up to now."""
    seen: int = 0
    """The number of the look at which the kernel had it, or of that before it began."""

    def is_quiet(self, now: int) -> bool:
        """Return whether what is exchanged without a connection is over."""
        return bool(self.socket.unconnected) and self.socket.last < now - _QUIET

    def key(self) -> FlowKey:
        """Return what its flow is known by."""
        socket = self.socket
        return FlowKey(
            _NO_MAC,
            socket.port,
            socket.peer_port,
            socket.protocol,
            0,
            socket.local,
            socket.peer,
        )

    def opener(self, ephemeral: range) -> int:
        """Return who opened it. Without a connection that is told by ports: a service has a chosen one."""
        socket = self.socket
        if socket.accepted:
            return DOWNLOAD
        is_served = socket.port not in ephemeral and socket.peer_port in ephemeral
        return DOWNLOAD if socket.unconnected and is_served else UPLOAD

    def counted(self, ephemeral: range) -> Counted:
        """Return it as a flow is counted, with TCP's flags as far as its packets tell them."""
        socket = self.socket
        sent, received = self._flags() if socket.protocol == TCP else (0, 0)
        return Counted(
            first=socket.first,
            last=socket.last,
            upload_bytes=socket.sent_bytes,
            upload_packets=socket.sent_packets,
            upload_start=0,
            upload_window=0,
            upload_sampled=0,
            upload_flags=sent,
            download_bytes=socket.received_bytes,
            download_packets=socket.received_packets,
            download_start=0,
            download_window=0,
            download_sampled=0,
            download_flags=received,
            interface=0,
            opener=self.opener(ephemeral),
        )

    def _flags(self) -> tuple[int, int]:
        """Return the flags of both ways: this side's first."""
        socket = self.socket
        if not socket.accepted and not socket.received_packets:
            return TCP_SYN, 0
        bare = _BARE[socket.peer.startswith(_MAPPED)]
        if not socket.accepted and socket.received_bytes <= socket.received_packets * bare:
            return TCP_SYN, TCP_RST
        end = TCP_FIN if self.is_ended else 0
        return TCP_SYN | TCP_ACK | end, TCP_SYN | TCP_ACK | end


class Connections:
    """The open connections of all processes, and those that ended last."""

    def __init__(
        self,
        image_of: Callable[[Socket, Head | None], Image],
        on_counted: Callable[[Connection, Amounts, bool], None],
        ephemeral: range,
    ) -> None:
        """Take what finds an image, and whom to tell of what a connection has moved, and whether it is a new one."""
        self._image_of = image_of
        self._on_counted = on_counted
        self._ephemeral = ephemeral
        #: By the kernel's key: those without packets, and those that were counted; what is not in these counts as new.
        self._fresh: dict[bytes, Connection] = {}
        self._counted: dict[bytes, Connection] = {}
        #: The keys of what is exchanged without a connection, by the socket's cookie.
        self._exchanges: dict[bytes, set[bytes]] = {}
        self._ended: dict[tuple[bytes, int], Connection] = {}
        #: What ended since the last look, which may have been in the table when that was read.
        self._over: dict[bytes, int] = {}
        #: Connections that moved since they were last told of.
        self._moved: dict[tuple[bytes, int], Connection] = {}
        self._looks = 0
        #: Connections that are over and not listed any more.
        self.forgotten = 0

    def take(self, key: bytes, socket: Socket, head: Head | None = None) -> Connection | None:
        """Count what a socket has moved; return its connection, None for one that is over or has no peer."""
        if socket.unconnected and len(key) == _COOKIE_BYTES:
            return None  # its exchanges are entries of their own
        if self._over.get(key) == socket.first:
            return None  # a table as it was before
        known = self._counted.get(key) or self._fresh.get(key)
        if known is not None and known.socket.first != socket.first:
            self._end(key)  # the socket has another peer, or the kernel had forgotten it
            known = None
        is_new = known is None
        if known is None:
            known = Connection(self._image_of(socket, head), socket)
            self._fresh[key] = known
            make_room(self._fresh, _MAX_FRESH)
        known.seen = self._looks
        known.is_ended &= bool(socket.unconnected)
        amounts = Amounts(*socket[6:10])
        moved = Amounts(
            *(max(0, now - was) for now, was in zip(amounts, known.amounts, strict=True))
        )
        if any(moved):
            self._move(key, known, socket, amounts)
        if is_new or any(moved):
            self._on_counted(known, moved, is_new)
        return known

    def _move(self, key: bytes, known: Connection, socket: Socket, amounts: Amounts) -> None:
        """Have a connection as it is now, which has moved."""
        if (socket.image, socket.pid) != (known.socket.image, known.socket.pid):
            known.image = self._image_of(socket, None)
        known.socket, known.is_ended = socket, False
        known.amounts = Amounts(*map(max, known.amounts, amounts))
        if self._fresh.pop(key, None) is not None:
            self._counted[key] = known
            self.forgotten += make_room(self._counted, _MAX_COUNTED)
            if len(key) > _COOKIE_BYTES:
                self._exchanges.setdefault(key[:_COOKIE_BYTES], set()).add(key)
        self._moved[key, socket.first] = known
        make_room(self._moved, _MAX_COUNTED)

    def ended(self, key: bytes, socket: Socket) -> None:
        """Count a socket's last; what it exchanged without a connection is over too."""
        if socket.unconnected:
            for each in self._exchanges.get(key, ()):
                if each in self._counted:
                    self._counted[each].is_ended = True
            return
        self.take(key, socket)
        self._end(key)
        self._over[key] = socket.first
        make_room(self._over, _MAX_COUNTED)

    def _end(self, key: bytes) -> None:
        """Have a connection end; one without packets was none."""
        self._fresh.pop(key, None)
        connection = self._counted.pop(key, None)
        if connection is None:
            return
        connection.is_ended = True
        exchanges = self._exchanges.get(key[:_COOKIE_BYTES])
        if exchanges is not None:
            exchanges.discard(key)
            if not exchanges:
                del self._exchanges[key[:_COOKIE_BYTES]]
        self._ended[key, connection.socket.first] = connection
        self.forgotten += make_room(self._ended, MAX_ENDED)

    async def look(
        self,
        sockets: Iterable[tuple[bytes, Socket]],
        exchanges: Iterable[tuple[bytes, Socket]],
        now: int,
    ) -> None:
        """Count what the kernel's tables say, and have those end that are in them no longer."""
        self._looks += 1
        over = set(self._over.items())
        for number, (key, socket) in enumerate(chain(sockets, exchanges)):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            self.take(key, socket)
        for key, first in over:
            if self._over.get(key) == first:
                del self._over[key]
        for key, each in (*self._fresh.items(), *self._counted.items()):
            if each.seen < self._looks - _PATIENCE:
                self._end(key)
            elif each.seen < self._looks - 1 or each.is_quiet(now):
                each.is_ended = True

    def moved(self) -> Iterator[tuple[Connection, Callable[[], object]]]:
        """Yield the connections that moved, each with what takes it off this list."""
        for key, connection in list(self._moved.items()):
            yield connection, partial(self._moved.pop, key, None)

    def open(self) -> Iterator[Connection]:
        """Yield the open connections, also those without packets."""
        for each in chain(list(self._fresh.values()), list(self._counted.values())):
            if not each.is_ended:
                yield each

    async def select(self, request: GetFlows, context: Context) -> list[Flow]:
        """Return the flows of processes that a request asks for; raises SensorError `invalid_message`."""
        choice = Choice(request, lambda _: ())
        if request.devices or request.of == "devices":
            return []
        found = []
        for number, each in enumerate([*self._counted.values(), *self._ended.values()]):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            if self._is_chosen(each, request, choice, context):
                found.append(each)
        latest = heapq.nlargest(request.limit, found, key=lambda each: each.socket.last)
        flows = []
        for number, each in enumerate(latest):
            if number % _DESCRIBED_AT_ONCE == 0:
                await asyncio.sleep(0)
            flows.append(self._flow(each, context))
        return flows

    @staticmethod
    def _is_chosen(
        connection: Connection, request: GetFlows, choice: Choice, context: Context
    ) -> bool:
        """Return whether a connection is asked for."""
        image, socket = connection.image, connection.socket
        if request.process is not None and request.process.removeprefix(PROGRAM) not in {
            image.executable,
            image.file,
            image.program.removeprefix(PROGRAM),
        }:
            return False
        if request.since is not None and context.epoch(socket.last) < request.since:
            return False
        if not choice.by_peer:
            return True
        key = connection.key()
        return choice.takes_peer(key, context.label(b"", key, socket.first).peer_name)

    def _flow(self, connection: Connection, context: Context) -> Flow:
        """Return a connection as the protocol tells it."""
        packed = connection.key().pack()
        return dataclasses.replace(
            describe(packed, connection.counted(self._ephemeral), context),
            process=connection.image.executable,
            process_details=process(connection.image, connection.socket),
        )


def process(image: Image, socket: Socket) -> Process:
    """Return who uses a socket as the protocol tells it."""
    return Process(
        pid=socket.pid,
        parent_pid=image.parent_pid,
        uid=socket.uid,
        executable=image.executable,
        command_line=image.command_line,
        unit=image.unit,
        container=image.container,
        started=round(image.started, 6),
        ancestors=tuple(each.executable for each in image.lineage() if each is not image),
    )


def label(name: str | None) -> Label:
    """Return what is known of a flow whose peer has this name."""
    return Label(name=name, source="dns" if name is not None else None, way=UPLOAD)


def merged(first: Iterable[Flow], second: Iterable[Flow], limit: int) -> list[Flow]:
    """Return flows of two lists, each with those that moved last at the head, as one such list."""
    both = heapq.merge(first, second, key=lambda each: each.last_seen, reverse=True)
    return [each for each, _ in zip(both, range(limit), strict=False)]
