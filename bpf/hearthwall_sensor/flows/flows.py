"""The flows of the home. The kernel's table holds them; here is what is known beyond its counts."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final

from ..kernel.flow_table import FlowTable
from ..notation import boot_ns, mac_bytes
from ..observations import SETTLED, Began, Observation, Settled
from ..protocol import Flow
from ..requests import MAX_FLOWS, GetFlows, GetUsage
from ..usage import UsageReport
from .flow import Counted, FlowKey
from .labels import Label
from .listing import Choice, Context, Entry, describe, latest
from .observed import World, device_text, observed
from .observer import Observer
from .shares import Shares
from .summing import summed

#: A flow that has not moved for so long is erased, in nanoseconds.
RETENTION: Final = 30 * 86_400 * 10**9
#: Flows that are looked at before others get their turn.
_AT_ONCE: Final = 1024
#: Flows that are told of before others get their turn.
_TOLD_AT_ONCE: Final = 64
#: So many flows of one device are told of in a look, 400 a second, and so many of all settled devices, and of all
#: strangers: enough for what tells a scan or a flood, and who begins more, or invents devices, hides no other.
_OF_DEVICE: Final = 2_000
_OF_ALL: Final = 10_000
_SETTLED: Final = round(SETTLED * 10**9)
_DESCRIBED_AT_ONCE: Final = 128
#: Where a packed key holds the peer's address.
_PEER: Final = slice(28, 44)


class Flows:
    """All flows that the kernel remembers: the newest of them, as many as its table holds."""

    def __init__(
        self,
        table: FlowTable,
        observer: Observer,
        on_begin: Callable[[FlowKey, int], None],
        context: Callable[[], Context],
    ) -> None:
        """Take the table, what was learnt, whom to tell of a new flow's device, and what descriptions need."""
        self._table = table
        self._observer = observer
        self._on_begin = on_begin
        self._context = context
        #: Until when, on the flows' clock, flows were told of; an earlier run may have told of them.
        self.looked = 0
        #: Flows that began or settled and were not told of: there were too many.
        self.untold = 0
        #: Told of flows that began and settled.
        self.tell: Callable[[Observation], None] = lambda _: None
        #: Whether a device, by its MAC's bytes, has been known for long enough to be none that was made up.
        self.is_settled: Callable[[bytes], bool] = lambda _: True
        #: The device that a MAC stands for.
        self.device: Callable[[bytes], str] = device_text

    async def look(self) -> None:
        """Tell of the flows that began or settled since the last look.

        They are named before the answers that named them are forgotten. Of a full table that takes a while, and
        orders and answers must not wait for it.
        """
        now, before = boot_ns(), self.looked
        settled_from, settled_to, oldest = before - _SETTLED, now - _SETTLED, now - RETENTION
        world, gone = self._world(), []
        shares = Shares(_OF_DEVICE, _OF_ALL, self.is_settled)
        for moved, old in self._table.moved(settled_from, oldest):
            gone += old
            await asyncio.sleep(0)
            for number, (packed, values) in enumerate(moved):
                if number % _TOLD_AT_ONCE == 0:
                    await asyncio.sleep(0)
                first, last = values[0], values[1]
                if before < first <= now:
                    self._begin(packed, values, now, world if shares.take(packed[:6]) else None)
                if last <= settled_to and shares.take(packed[:6]):
                    self._settle(packed, values, now, world)
        self.looked = now
        self.untold += shares.refused
        self._erase(gone)

    def _world(self) -> World:
        """Return what is to be known of flows."""
        context = self._context()
        begun = context.epoch(0)
        return World(
            self.device, context.scope, context.place, lambda nanoseconds: begun + nanoseconds / 1e9
        )

    def _begin(self, packed: bytes, values: tuple[int, ...], now: int, world: World | None) -> None:
        """Meet a flow for the first time, and tell of it unless there is no world to tell it to."""
        first, key = values[0], FlowKey.unpack(packed)
        label = self._observer.label(packed, key, first)
        if label.source == "dns" and label.name is not None:
            self._observer.labels.set_name(packed, label.name)
        self._on_begin(key, first)
        if world is None:
            return
        flow = observed(packed, key, values, label, now, world)
        self.tell(Began(world.epoch(now), world.device(key.mac), flow))

    def _settle(self, packed: bytes, values: tuple[int, ...], now: int, world: World) -> None:
        """Tell of a flow that has been quiet for a while."""
        key = FlowKey.unpack(packed)
        label = self._observer.label(packed, key, values[0])
        flow = observed(packed, key, values, label, now, world)
        self.tell(Settled(world.epoch(now), world.device(key.mac), flow))

    def opener(self, packed: bytes) -> int | None:
        """Return the direction that opened a flow, None if there is none."""
        found = self._table.find(packed)
        return None if found is None else Counted._make(found).opener

    async def select(
        self, request: GetFlows, macs_of: Callable[[str], Iterable[str]]
    ) -> list[Flow]:
        """Return the flows that a request asks for; raises SensorError `invalid_message`."""
        choice = Choice(request, macs_of)
        context = self._context()
        found: list[Entry] = []
        for number, (packed, values) in enumerate(self._table.read()):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            counted = Counted._make(values)
            if _is_chosen(packed, counted, choice, context):
                found.append((packed, counted))
            if len(found) > 2 * MAX_FLOWS:
                found = latest(found, request.limit)
        described = []
        for number, (packed, counted) in enumerate(latest(found, request.limit)):
            if number % _DESCRIBED_AT_ONCE == 0:
                await asyncio.sleep(0)
            described.append(describe(packed, counted, context))
        return described

    async def usage(
        self, request: GetUsage, macs_of: Callable[[str], Iterable[str]]
    ) -> UsageReport:
        """Return how much moved, summed as a request asks; raises SensorError `invalid_message`."""
        return await summed(self._table.read(), request, self._context(), macs_of, self.device)

    def forget(self, macs: Iterable[str], addresses: Collection[bytes] = ()) -> None:
        """Erase the flows of a device, and those of others with the addresses (16 bytes) that it had."""
        gone = frozenset(mac_bytes(mac) for mac in macs)
        self._erase(
            [
                packed
                for packed, _ in self._table.times()
                if packed[:6] in gone or packed[_PEER] in addresses
            ]
        )
        for mac in gone:
            self._observer.answered.forget(mac)

    def known(self) -> Iterator[tuple[bytes, Label]]:
        """Yield what is known of the flows that there are, by packed key."""
        for packed, _ in self._table.times():
            label = self._observer.labels.of(packed)
            if label != Label():
                yield packed, label

    @property
    def present(self) -> int:
        """How many flows there were at the last look."""
        return self._table.present

    @property
    def evicted(self) -> int:
        """How many flows gave way to newer ones because the table was full."""
        return self._table.evicted

    def _erase(self, packed: list[bytes]) -> None:
        """Erase flows."""
        self._table.delete(packed)
        for each in packed:
            self._observer.labels.forget(each)


def _is_chosen(packed: bytes, counted: Counted, choice: Choice, context: Context) -> bool:
    """Return whether a flow is asked for."""
    if not choice.takes_device(packed):
        return False
    if choice.since is not None and context.epoch(counted.last) < choice.since:
        return False
    if not choice.by_peer:
        return True
    key = FlowKey.unpack(packed)
    return choice.takes_peer(key, context.label(packed, key, counted.first).peer_name)
