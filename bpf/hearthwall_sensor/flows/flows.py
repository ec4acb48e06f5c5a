"""The flows of the home. The kernel's table holds them; here is what is known beyond its counts."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final

from ..kernel.flow_table import FlowTable
from ..notation import boot_ns, mac_bytes
from ..protocol import Flow
from ..requests import MAX_FLOWS, GetFlows
from .flow import Counted, FlowKey
from .labels import Label
from .listing import Choice, Context, Entry, describe, latest
from .observer import Observer

#: A flow that has not moved for so long is erased, in nanoseconds.
RETENTION: Final = 30 * 86_400 * 10**9
#: Flows that are looked at before others get their turn.
_AT_ONCE: Final = 1024
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
        """Take the table, what was learnt, whom to tell of a flow that began, and what descriptions need."""
        self._table = table
        self._observer = observer
        self._on_begin = on_begin
        self._context = context
        self._looked = 0

    async def look(self) -> None:
        """Name the flows that began since the last look, before the answers that named them are forgotten.

        Of a full table that takes a while, and orders and answers must not wait for it.
        """
        now, before = boot_ns(), self._looked
        old = []
        for number, (packed, (first, last)) in enumerate(self._table.times()):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            if first > before:
                self._begin(packed, FlowKey.unpack(packed), first)
            elif last < now - RETENTION:
                old.append(packed)
        self._looked = now
        self._erase(old)

    def _begin(self, packed: bytes, key: FlowKey, first: int) -> None:
        """Meet a flow for the first time."""
        label = self._observer.label(packed, key, first)
        if label.source == "dns" and label.name is not None:
            self._observer.labels.set_name(packed, label.name)
        self._on_begin(key, first)

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
