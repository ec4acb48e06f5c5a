"""Looks at a living network: what began, settled, moved and appeared is told once, also over a restart."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from hearthwall_sensor.devices import Devices
from hearthwall_sensor.flows import flows as module
from hearthwall_sensor.flows.flow import TCP, TCP_SYN, UPLOAD, FlowKey
from hearthwall_sensor.flows.flows import Flows
from hearthwall_sensor.flows.listing import Context
from hearthwall_sensor.flows.observer import Observer
from hearthwall_sensor.identity.identities import Identities
from hearthwall_sensor.kernel.flow_table import Entry
from hearthwall_sensor.kernel.layouts import PortCounters
from hearthwall_sensor.network.places import Place
from hearthwall_sensor.observations import (
    SETTLED,
    Appeared,
    Began,
    Look,
    Moved,
    Observation,
    Settled,
)
from hearthwall_sensor.watching import Watch

MAC = "00:00:5e:00:53:21"
OTHER = "02:00:5e:00:53:22"
SECOND = 10**9
PEER = bytes(10) + b"\xff\xff" + bytes((203, 0, 113, 9))
HOME = bytes(10) + b"\xff\xff" + bytes((192, 168, 1, 21))


class Table:
    """A table of flows."""

    evicted = present = 0

    def __init__(self) -> None:
        self.flows: dict[bytes, tuple[int, ...]] = {}

    def moved(self, since: int, until: int) -> Iterator[tuple[list[Entry], list[bytes]]]:
        moved = [(key, each) for key, each in self.flows.items() if each[1] > since]
        yield moved, [key for key, each in self.flows.items() if each[1] <= until]

    def find(self, packed: bytes) -> tuple[int, ...] | None:
        return self.flows.get(packed)

    def delete(self, keys: list[bytes]) -> int:
        return len([self.flows.pop(key, None) for key in keys])

    def put(self, port: int, first: float, last: float) -> bytes:
        """Put a connection that nobody answers."""
        key = FlowKey(bytes.fromhex(MAC.replace(":", "")), port, 80, TCP, 0, HOME, PEER).pack()
        times = round(first * SECOND), round(last * SECOND)
        self.flows[key] = (*times, 60, 1, 0, 0, 0, TCP_SYN, 0, 0, 0, 0, 0, 0, 2, UPLOAD)
        return key


class Clock:
    """The kernel's clock."""

    now = 0.0

    def __call__(self) -> int:
        return round(self.now * SECOND)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "boot_ns", clock)
    return clock


def watched(table: Table) -> tuple[Flows, list[Observation]]:
    observer = Observer(Identities(lambda _: True), lambda time: time / SECOND)
    context = Context(
        now=0,
        epoch=lambda time: 1000.0 + time / SECOND,
        label=observer.label,
        scope=lambda _: "internet",
        place=lambda _: Place(),
        interfaces=lambda _: None,
    )
    flows = Flows(table, observer, lambda *_: None, lambda: context)  # type: ignore[arg-type]
    told: list[Observation] = []
    flows.tell = told.append
    return flows, told


def look(flows: Flows, clock: Clock, now: float) -> None:
    clock.now = now
    asyncio.run(flows.look())


def ports(told: list[Observation], kind: type[Observation]) -> list[int]:
    return [each.flow.key.port for each in told if isinstance(each, kind)]  # type: ignore[union-attr]


def test_each_flow_begins_once_and_settles_once(clock: Clock) -> None:
    table = Table()
    flows, told = watched(table)
    table.put(1, first=1.0, last=1.0)
    table.put(2, first=4.5, last=4.5)
    look(flows, clock, 5.0)
    assert (ports(told, Began), ports(told, Settled)) == ([1, 2], [1])
    (began, *_), first = told, told[0]
    assert isinstance(first, Began)
    assert (first.time, first.who, first.flow.first) == (1005.0, MAC, 1001.0)
    assert first.flow.has_failed
    assert began is first
    table.put(3, first=9.0, last=9.0)
    for now in (10.0, 15.0, 20.0):
        look(flows, clock, now)
    assert (ports(told, Began), ports(told, Settled)) == ([1, 2, 3], [1, 2, 3])


def test_a_flow_settles_only_after_it_was_quiet_and_again_when_it_moved(clock: Clock) -> None:
    table = Table()
    flows, told = watched(table)
    table.put(1, first=1.0, last=5.0 - SETTLED + 0.1)
    look(flows, clock, 5.0)
    assert ports(told, Settled) == []
    look(flows, clock, 10.0)
    assert ports(told, Settled) == [1]
    table.put(1, first=1.0, last=11.0)
    look(flows, clock, 15.0)
    assert (ports(told, Began), ports(told, Settled)) == ([1], [1, 1])


def test_of_too_many_flows_some_are_not_told_of_and_counted(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_OF_ALL", 3)
    table = Table()
    flows, told = watched(table)
    for port in range(1, 6):
        table.put(port, first=4.5, last=4.5)
    look(flows, clock, 5.0)
    assert (ports(told, Began), flows.untold) == ([1, 2, 3], 2)
    look(flows, clock, 10.0)
    assert (ports(told, Settled), flows.untold) == ([1, 2, 3], 4)


def test_what_begins_while_it_is_looked_is_told_with_the_next_look(clock: Clock) -> None:
    table = Table()
    flows, told = watched(table)
    table.put(1, first=5.5, last=5.5)
    look(flows, clock, 5.0)
    assert told == []
    look(flows, clock, 10.0)
    assert ports(told, Began) == [1]


def test_a_restart_tells_only_what_happened_meanwhile(clock: Clock) -> None:
    table = Table()
    flows, _ = watched(table)
    table.put(1, first=1.0, last=1.0)
    look(flows, clock, 5.0)
    table.put(2, first=6.0, last=6.0)
    again, told = watched(table)
    again.looked = flows.looked
    look(again, clock, 60.0)
    assert (ports(told, Began), ports(told, Settled)) == ([2], [2])


# Totals


def counters(up: int, down: int) -> PortCounters:
    """Return so many packets of 100 bytes, with the internet."""
    return PortCounters(1, ((100 * up, up, 100 * down, down), (0, 0, 0, 0), (0, 0, 0, 0)))


class Nothing:
    """No flows."""

    async def look(self) -> None:
        pass


def home(merged: dict[str, str]) -> tuple[Devices, Watch, list[Any]]:
    devices, told = Devices(), []
    watch = Watch(Nothing(), devices, lambda mac: merged.get(mac, mac), told.append, Nothing().look)  # type: ignore[arg-type]
    return devices, watch, told


def moved(told: list[Any]) -> list[tuple[Any, ...]]:
    found = [each for each in told if isinstance(each, Moved)]
    return [(each.who, each.upload, each.download, each.upload_packets) for each in found]


def test_devices_that_moved_are_told_of_under_the_mac_that_stands_for_them() -> None:
    devices, watch, told = home({OTHER: MAC})
    devices.read({(MAC, 1): counters(5, 5), (OTHER, 1): counters(5, 5)}, (), 0)
    watch.begin()
    asyncio.run(watch.look())
    assert moved(told) == []
    devices.read({(MAC, 1): counters(7, 8), (OTHER, 1): counters(6, 5)}, (), 0)
    asyncio.run(watch.look())
    asyncio.run(watch.look())
    assert moved(told) == [(MAC, 300, 300, 3)]
    assert [type(each) for each in told][-2:] == [Look, Look]


def test_a_newcomer_appears_once_when_it_has_sent_something() -> None:
    devices, watch, told = home({})
    watch.begin()
    devices.read({(OTHER, 1): counters(0, 3)}, (), 0)
    asyncio.run(watch.look())
    assert [each for each in told if isinstance(each, Appeared)] == []
    devices.read({(OTHER, 1): counters(1, 3)}, (), 0)
    for _ in range(2):
        asyncio.run(watch.look())
    (appeared,) = (each for each in told if isinstance(each, Appeared))
    assert (appeared.who, appeared.is_randomised) == (OTHER, True)
    assert moved(told) == [(OTHER, 0, 300, 0), (OTHER, 100, 0, 1)]
