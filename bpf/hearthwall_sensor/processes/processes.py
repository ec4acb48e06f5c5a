"""Processes as the kernel programs tell of them: who they are, whom they talk to, where they listen."""

import asyncio
import struct
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from ..bounded import make_room
from ..flows.flow import TCP, UDP
from ..flows.listing import Context
from ..flows.observed import World, observed
from ..flows.shares import Shares
from ..kernel.process_layouts import (
    BEGAN,
    ENDED,
    Bound,
    Called,
    Executed,
    Head,
    Record,
    Socket,
    Talked,
)
from ..network.places import Place
from ..notation import boot_ns
from ..observations import (
    LOOK,
    SETTLED,
    TRANSPORTS,
    Began,
    Bound as BoundObserved,
    Connected,
    Executed as ExecutedObserved,
    Moved,
    Observation,
    Settled,
)
from ..protocol import DeviceRule, Flow, Program, Scope, SensorError
from ..requests import MAX_FLOWS, GetFlows, GetProcesses
from .connections import Amounts, Connection, Connections, label
from .image import Image
from .images import Images
from .programs import Programs

_COOKIE: Final = struct.Struct("<Q")
_LOCAL_PORTS: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOOPBACK: Final = bytes(15) + b"\1"
_LOOPBACK_V4: Final = bytes(10) + b"\xff\xff\x7f"
_SETTLED: Final = round(SETTLED * 10**9)
#: So many flows of one program are told of in a look, and so many of all.
_OF_PROGRAM: Final = 2_000
_OF_ALL: Final = 10_000
#: Flows that are told of before others get their turn.
_TOLD_AT_ONCE: Final = 64


def local_ports() -> range:
    """Return the ports that the kernel chooses from for those who do not ask for one."""
    least, most = map(int, _LOCAL_PORTS.read_text().split())
    return range(least, most + 1)


class Processes:
    """All that is known of this host's processes."""

    def __init__(  # noqa: PLR0913, what there is to know beyond the kernel's records
        self,
        *,
        tell: Callable[[Observation], None],
        scope: Callable[[bytes], Scope],
        place: Callable[[str], Place],
        epoch: Callable[[int], float],
        current: Callable[[int], int | None],
        name: Callable[[bytes], str | None] = lambda _: None,
        rule: Callable[[str], DeviceRule | None] = lambda _: None,
        socket: Callable[[bytes], Socket | None] = lambda _: None,
        ephemeral: range | None = None,
    ) -> None:
        """Take whom to tell of what is observed, and what to ask of addresses, times, names, rules and processes."""
        self._tell = tell
        self._scope = scope
        self._place = place
        self._epoch = epoch
        self._name = name
        self._rule = rule
        self._socket = socket
        self._ephemeral = local_ports() if ephemeral is None else ephemeral
        self.images = Images(epoch, current)
        self._programs = Programs()
        self._connections = Connections(self._image_of, self._count, self._ephemeral)
        #: What programs moved since the last look that was told of: to the internet, in all and packets, each way.
        self._moved: dict[str, list[int]] = {}
        self._looked = 0
        #: Given the system calls that are watched, with who made them.
        self.on_called: Callable[[Called, Image], None] = lambda _record, _image: None
        #: One look after the other: each takes the tables for those after the last one's.
        self._looking = asyncio.Lock()
        #: Flows that began or settled and were not told of: there were too many.
        self.untold = 0

    def take(self, record: Record) -> None:
        """Take one record of the kernel's."""
        match record:
            case Executed():
                image = self.images.executed(record)
                self._tell(ExecutedObserved(self._epoch(record.head.time), image.program, image))
            case Talked():
                self._talked(record)
            case Bound():
                self._bound(record)
            case Called(head):
                self.on_called(record, self.images.of(head.image, head.pid, head))

    def _talked(self, record: Talked) -> None:
        """Take what became of a connection; one that a rule refused was none."""
        key = _COOKIE.pack(record.cookie)
        if record.head.kind == ENDED:
            self._connections.ended(key, record.socket)
            return
        if record.head.kind != BEGAN:
            return
        connection = self._connections.take(key, record.socket, record.head)
        if connection is None:
            return
        image, socket = connection.image, record.socket
        if not socket.port:  # it was chosen after the connection was told of
            socket = self._socket(key) or socket
        self._tell(
            Connected(
                time=self._epoch(record.head.time),
                who=image.program,
                image=image,
                pid=socket.pid,
                transport=TRANSPORTS.get(socket.protocol) or f"ip-{socket.protocol}",
                address=socket.local,
                port=socket.port,
                peer=socket.peer,
                peer_port=socket.peer_port,
                scope=self._scope_of(socket.peer),
                is_outgoing=not socket.accepted,
            )
        )

    def _bound(self, record: Bound) -> None:
        """Take a port that a process has bound; one that the kernel has chosen says nothing."""
        head = record.head
        if not self._minds(record):
            return
        image = self.images.of(head.image, head.pid, head)
        self._programs.bound(image, head.pid, record.protocol, record.port, head.time)
        self._tell_bound(image, record, head.time)

    def bound_before(self, image: Image, record: Bound) -> None:
        """Take a port that a process had bound before the sensor came."""
        if self._minds(record):
            self._programs.bound(image, record.head.pid, record.protocol, record.port, boot_ns())
            self._tell_bound(image, record, boot_ns())

    def _minds(self, record: Bound) -> bool:
        """Return whether a port was asked for: one that the kernel has chosen says nothing."""
        return (
            bool(record.port)
            and record.port not in self._ephemeral
            and record.protocol in {TCP, UDP}
        )

    def _tell_bound(self, image: Image, record: Bound, time: int) -> None:
        """Tell of a port that was bound."""
        service = f"{TRANSPORTS[record.protocol]}/{record.port}"
        pid, address = record.head.pid, record.address
        self._tell(BoundObserved(self._epoch(time), image.program, image, pid, service, address))

    async def look(
        self,
        sockets: Iterable[tuple[bytes, Socket]],
        exchanges: Iterable[tuple[bytes, Socket]],
    ) -> None:
        """Take the kernel's tables as they are now, and tell of flows that began or settled since the last look."""
        async with self._looking:
            await self._connections.look(sockets, exchanges, boot_ns())
            await self._tell_moved(boot_ns())

    async def _tell_moved(self, now: int) -> None:
        """Tell of flows that began or settled."""
        begun = self._epoch(0)
        world = World(
            device=lambda _: "",  # a program's flows have no MAC to ask about
            scope=self._scope_of,
            place=self._place,
            epoch=lambda nanoseconds: begun + nanoseconds / 1e9,
        )
        shares = Shares(_OF_PROGRAM, _OF_ALL, lambda _: True)
        for number, (connection, done) in enumerate(self._connections.moved()):
            if number % _TOLD_AT_ONCE == 0:
                await asyncio.sleep(0)
            is_settled = connection.socket.last <= now - _SETTLED
            if not connection.is_begun:
                connection.is_begun = True
                self._observe(Began, connection, world, shares, now)
            if is_settled:
                done()
                self._observe(Settled, connection, world, shares, now)
        self.untold += shares.refused
        self._tell_amounts(now)

    def _count(self, connection: Connection, moved: Amounts, is_new: bool) -> None:
        """Count what a connection has moved, for its program."""
        self._programs.count(connection, moved, is_new)
        if not any(moved):
            return
        sums = self._moved.setdefault(connection.image.program, [0] * 6)
        make_room(self._moved, _OF_ALL)
        if self._scope_of(connection.socket.peer) == "internet":
            sums[0] += moved.sent_bytes
            sums[1] += moved.received_bytes
        for at, amount in enumerate(
            (moved.sent_packets, moved.received_packets, moved.sent_bytes, moved.received_bytes), 2
        ):
            sums[at] += amount

    def _tell_amounts(self, now: int) -> None:
        """Tell what each program has moved, as often as of devices."""
        if now - self._looked < LOOK * 5e8:
            return
        seconds = (now - self._looked) / 1e9 if self._looked else LOOK
        self._looked = now
        moved, self._moved = self._moved, {}
        for program, numbers in moved.items():
            self._tell(Moved(self._epoch(now), program, seconds, *numbers))

    def _observe(
        self,
        kind: type[Began] | type[Settled],
        connection: Connection,
        world: World,
        shares: Shares,
        now: int,
    ) -> None:
        """Tell of a flow, if it is the program's turn."""
        program = connection.image.program
        if not shares.take(program.encode("utf-8", "surrogateescape")):
            return
        key = connection.key()
        known = label(self._name(key.peer))
        counted = connection.counted(self._ephemeral)
        flow = observed(key.pack(), key, counted, known, now, world)
        self._tell(kind(world.epoch(now), program, flow))

    async def flows(self, request: GetFlows) -> list[Flow]:
        """Return the flows of processes that a request asks for; raises SensorError `invalid_message`."""
        context = Context(
            now=boot_ns(),
            epoch=self._epoch,
            label=lambda _packed, key, _first: label(self._name(key.peer)),
            scope=self._scope_of,
            place=self._place,
            interfaces=lambda _: None,
        )
        return await self._connections.select(request, context)

    def programs(self, request: GetProcesses) -> list[Program]:
        """Return the programs that moved most, the first at the head; raises SensorError `invalid_message`."""
        if not 0 < request.limit <= MAX_FLOWS:
            raise SensorError("invalid_message", f"limit is 1 to {MAX_FLOWS}")
        return self._programs.list(
            self._connections.open(), request.limit, self._epoch, self._name, self._rule
        )

    @property
    def forgotten(self) -> int:
        """How many connections that are over are not listed any more."""
        return self._connections.forgotten

    @property
    def evicted(self) -> int:
        """How many programs gave way to others, with their totals."""
        return self._programs.evicted

    def _scope_of(self, peer: bytes) -> Scope:
        """Return where a peer is; what stays on the loopback interface is on this host."""
        if peer == _LOOPBACK or peer.startswith(_LOOPBACK_V4):
            return "gateway"
        return self._scope(peer)

    def _image_of(self, socket: Socket, head: Head | None) -> Image:
        """Return who uses a socket; whoever did what was recorded may be somebody else."""
        is_owner = head is not None and (head.image, head.pid) == (socket.image, socket.pid)
        return self.images.of(socket.image, socket.pid, head if is_owner else None)
