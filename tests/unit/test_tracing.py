"""Traces without a kernel: what records say, which traces they are for, what a slow client loses."""

import asyncio
import os
import struct
from collections import deque
from types import SimpleNamespace
from typing import Any

import pytest

from hearthwall_sensor.errors import SensorError
from hearthwall_sensor.kernel.call_layouts import (
    CALLS,
    CHECKS,
    TRACE,
    TRACING,
    TRANSFER,
    TRANSFER_KEY,
)
from hearthwall_sensor.processes.image import Image
from hearthwall_sensor.requests import Trace
from hearthwall_sensor.tracing import tracing as tracing_module
from hearthwall_sensor.tracing.attaching import Attaching
from hearthwall_sensor.tracing.descriptors import OTHER, Ends
from hearthwall_sensor.tracing.lines import Lines, Peer
from hearthwall_sensor.tracing.tracing import Tracing, check
from hearthwall_sensor.tracing.transfers import Transfers
from tests.unit.calls import V4, image, record


class Table:
    """A map of the kernel's."""

    fd = -1

    def __init__(self) -> None:
        self.held: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        return self.held.get(key)

    def put(self, key: bytes, value: bytes) -> None:
        self.held[key] = value

    def items(self) -> list[tuple[bytes, bytes]]:
        return list(self.held.items())

    def keys(self) -> list[bytes]:
        return list(self.held)

    def delete_all(self, keys: list[bytes]) -> int:
        return sum(self.held.pop(each, None) is not None for each in keys)


class Points:
    """Tracepoints that note what is attached."""

    def __init__(self, *, missing: str = "nothing") -> None:
        self.on: list[str] = []
        self.missing = missing

    def has(self, _category: str, event: str) -> bool:
        return not event.endswith(self.missing)

    def attach(self, _program: int, _category: str, event: str) -> Any:
        self.on.append(event)
        return SimpleNamespace(close=lambda: self.on.remove(event))


class World:
    """What traces run in."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **points: Any) -> None:
        self.records: deque[bytes] = deque()
        ring = SimpleNamespace(read=self._read, close=lambda: None)
        monkeypatch.setattr(tracing_module, "RingBuffer", lambda _: ring)
        monkeypatch.setattr(tracing_module, "INTERVAL", 0.01)
        self.tables: dict[str, Table] = {}
        self.points = Points(**points)
        self.images: dict[int, Image] = {}
        self.attaching = Attaching(self.points, lambda _: 0)
        self.tracing = Tracing(
            lambda name: self.tables.setdefault(name, Table()),  # type: ignore[arg-type, return-value]
            self.attaching,
            Lines(self._image, lambda ns: ns / 1e9, lambda *_: None),
        )

    def _read(self) -> list[bytes]:
        found, self.records = list(self.records), deque()
        return found

    def _image(self, number: int, *_: Any) -> Image:
        return self.images.get(number) or image()

    def traces(self) -> list[tuple[Any, ...]]:
        packed, *_ = TRACING.unpack(self.tables["tracing"].held[bytes(4)])
        return list(TRACE.iter_unpack(packed))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


class Listener:
    """A client of a trace."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self.lost = 0
        self.takes = True

    def __call__(self, lines: Any, lost: int) -> bool:
        if self.takes:
            self.lines += lines
            self.lost += lost
        return self.takes


async def until(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


async def test_what_is_asked_for_is_what_the_kernel_filters_by(world: World) -> None:
    request = Trace(
        "connect", pid=os.getpid(), uid=0, comm="x", executable="/bin/x", port=9, failed=True
    )
    end = await world.tracing.begin(request, Listener())
    (pid, uid, port, call, checks, _, comm), *others = world.traces()
    assert (pid, uid, port, call, comm) == (os.getpid(), 0, 9, 1, b"x".ljust(16, b"\0"))
    assert checks == sum(CHECKS.values()) - CHECKS["each"]
    assert not any(any(each[:6]) for each in others)
    assert world.points.on == ["sys_exit_connect", "sys_enter_connect"]
    end()
    await until(lambda: not world.points.on)
    assert not world.traces()[0][3]
    world.tracing.close()


async def test_a_line_goes_to_whom_it_is_for(world: World) -> None:
    first, second = Listener(), Listener()
    await world.tracing.begin(Trace("connect"), first)
    await world.tracing.begin(Trace("connect"), second)
    world.records += [record("connect", pid=1, wanted=1), record("connect", pid=2, wanted=3)]
    world.records += [record("accept", pid=3, wanted=1), b"damaged"]
    await until(lambda: len(first.lines) == 2 and second.lines)
    assert [each["pid"] for each in first.lines] == [1, 2]
    assert [each["pid"] for each in second.lines] == [2]
    world.tracing.close()


async def test_other_programs_are_named_to_the_kernel(world: World) -> None:
    world.images = {1: image("/bin/a"), 2: image("/bin/b")}
    listener = Listener()
    await world.tracing.begin(Trace("connect", executable="/bin/a"), listener)
    world.records += [record("connect", image=2, pid=2), record("connect", image=1, pid=1)]
    await until(lambda: listener.lines)
    assert [each["pid"] for each in listener.lines] == [1]
    assert world.tables["unwanted_images"].held == {struct.pack("<Q", 2): struct.pack("<I", 1)}
    world.tracing.close()


async def test_a_slow_client_loses_lines_and_is_told_how_many(world: World) -> None:
    listener = Listener()
    listener.takes = False
    await world.tracing.begin(Trace("connect"), listener)
    world.records += [record("connect")] * 3
    await until(lambda: not world.records)
    await asyncio.sleep(0.05)
    listener.takes = True
    world.records.append(record("connect"))
    await until(lambda: listener.lines)
    assert (len(listener.lines), listener.lost) == (1, 3)
    world.tracing.close()


async def test_records_that_found_no_room_are_told(world: World) -> None:
    listener = Listener()
    await world.tracing.begin(Trace("connect"), listener)
    world.tables["trace_statistics"].held[struct.pack("<I", 0)] = struct.pack("<QQ", 3, 4)
    await until(lambda: listener.lost)
    assert listener.lost == 7
    world.tracing.close()


async def test_there_are_four_traces_at_once(world: World) -> None:
    ends = [await world.tracing.begin(Trace("connect"), Listener()) for _ in range(4)]
    with pytest.raises(SensorError) as raised:
        await world.tracing.begin(Trace("connect"), Listener())
    assert raised.value.code == "table_full"
    ends[2]()
    ends[2]()  # once is enough
    await world.tracing.begin(Trace("accept"), Listener())
    assert [each[3] for each in world.traces()] == [1, 1, 2, 1]
    world.tracing.close()
    assert not world.points.on


async def test_patterns_and_traces_share_the_programs(world: World) -> None:
    world.tracing.watch(["write", "no such call"])
    assert world.attaching.calls == ("open",)
    end = await world.tracing.begin(Trace("open"), Listener())
    attached = len(world.points.on)
    world.tracing.watch([])
    assert len(world.points.on) == attached
    end()
    await until(lambda: not world.points.on)
    world.tracing.close()


async def test_what_a_trace_waited_for_is_forgotten(world: World) -> None:
    end = await world.tracing.begin(Trace("accept"), Listener())
    for key, (call, wanted) in enumerate(((2, 1), (2, 2), (1, 16))):
        world.tables["pending_calls"].held[bytes([key])] = (
            bytes(56) + bytes([call, wanted]) + bytes(6)
        )
    end()
    assert list(world.tables["pending_calls"].held) == [bytes([2])]
    world.tracing.close()


async def test_a_kernel_without_the_tracepoint_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, missing="connect")
    with pytest.raises(SensorError) as raised:
        await world.tracing.begin(Trace("connect"), Listener())
    assert raised.value.code == "missing_capability"
    assert world.tracing.running == 0
    world.tracing.watch(["listen"])
    assert world.attaching.calls == ("listen",)


@pytest.mark.parametrize(
    "fields",
    [
        {"pid": -1},
        {"pid": 2**22 + 1},
        {"uid": 2**32},
        {"port": 65536},
        {"comm": "x" * 16},
        {"comm": ""},
        {"executable": "curl"},
        {"executable": "/" + "x" * 4096},
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(SensorError):
        check(Trace("connect", **fields))


@pytest.mark.parametrize(
    ("call", "fields"),
    [("exec", {"port": 80}), ("open", {"port": 80}), ("connect", {"each": True})],
)
def test_what_means_nothing_for_a_call_is_refused(call: Any, fields: dict[str, Any]) -> None:
    with pytest.raises(SensorError, match=f"means nothing for {call}"):
        check(Trace(call, **fields))


async def test_a_process_that_is_not_there_is_not_traced(world: World) -> None:
    with pytest.raises(SensorError, match="no process 4194303"):
        await world.tracing.begin(Trace("exec", pid=2**22 - 1), Listener())


@pytest.mark.parametrize(
    ("ends", "shown"),
    [
        (None, True),  # it has gone: nobody knows
        (Ends("192.0.2.9", 5, "192.0.2.1", 80), True),
        (Ends("192.0.2.9", 5, "192.0.2.1", 443), False),
        (OTHER, False),
    ],
)
async def test_a_socket_whose_call_names_nobody_is_told_unless_its_port_is_another(
    world: World, monkeypatch: pytest.MonkeyPatch, ends: Ends | None, *, shown: bool
) -> None:
    monkeypatch.setattr(tracing_module, "TOGETHER", 0.01)
    world.tracing._lines._ends = lambda *_: ends
    listener = Listener()
    key = TRANSFER_KEY.pack(7, 3, bytes(16), 0, 0, CALLS["send"].number, 1, 0)
    await world.tracing.begin(Trace("send", port=80), listener)
    world.tables["transfers"].held[key] = TRANSFER.pack(9, 1, 0, 42, 10, 1, 0, 0, b"curl")
    await until(lambda: key not in world.tables["transfers"].held)  # told, and rested
    assert [each["bytes"] for each in listener.lines] == [42] * shown
    world.tracing.close()


# Sending and receiving


def transfer(table: Table, calls: int, size: int) -> bytes:
    key = TRANSFER_KEY.pack(7, 3, V4, 443, 2, 4, 1, 0)
    table.held[key] = TRANSFER.pack(9, calls, 0, size, calls * 10, 1, 0, 0, b"curl")
    return key


def test_transfers_are_told_by_what_they_grew() -> None:
    table = Table()
    transfers = Transfers(table)  # type: ignore[arg-type]
    key = transfer(table, 2, 100)
    ((wanted, peer, first),) = transfers.since()
    assert (wanted, peer) == (1, Peer(7, 3, V4, 443, 2, 4))
    transfer(table, 5, 350)
    ((_, _, second),) = transfers.since()
    assert [(each.calls, each.size) for each in (first, second)] == [(2, 100), (3, 250)]
    assert transfers.since() == []
    assert key not in table.held  # it rested
    transfer(table, 1, 10)
    ((_, _, third),) = transfers.since()
    assert (third.calls, third.size) == (1, 10)


def test_a_transfer_that_gave_way_begins_anew() -> None:
    table = Table()
    transfers = Transfers(table)  # type: ignore[arg-type]
    transfer(table, 9, 900)
    transfers.since()
    transfer(table, 2, 20)  # pushed out, and there again
    ((_, _, found),) = transfers.since()
    assert (found.calls, found.size) == (2, 20)


def test_a_transfers_line_adds_up() -> None:
    table = Table()
    transfer(table, 3, 42)
    ((_, peer, found),) = Transfers(table).since()  # type: ignore[arg-type]
    lines = Lines(lambda *_: image(), lambda ns: ns / 1e9, lambda *_: None)
    shown = lines.transfer(peer, found)
    assert (shown.call, shown.calls, shown.bytes, shown.address) == ("send", 3, 42, "192.0.2.1")


async def test_a_line_that_can_not_be_made_ends_no_trace(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    listener = Listener()
    await world.tracing.begin(Trace("connect"), listener)
    with monkeypatch.context() as broken:
        broken.setattr(Lines, "call", lambda *_, **__: 1 / 0)
        world.records.append(record("connect"))
        await until(lambda: "could not be made" in caplog.text)
    world.records.append(record("connect", pid=8))
    await until(lambda: listener.lines)
    assert [each["pid"] for each in listener.lines] == [8]
    world.tracing.close()
