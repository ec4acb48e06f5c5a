"""Traces without a kernel: what records say, which traces they are for, what a slow client loses."""

import asyncio
import os
import socket
import struct
from collections import deque
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, strategies as st

from hearthwall_sensor.errors import SensorError
from hearthwall_sensor.kernel.call_layouts import (
    CALL,
    CALLS,
    CHECKS,
    TEXT_BYTES,
    TRACE,
    TRACING,
    TRANSFER,
    TRANSFER_KEY,
)
from hearthwall_sensor.kernel.process_layouts import CALLED, HEAD, Called, Head, read_record
from hearthwall_sensor.processes.image import Image
from hearthwall_sensor.requests import Trace
from hearthwall_sensor.tracing import descriptors, tracing as tracing_module, wording
from hearthwall_sensor.tracing.attaching import Attaching
from hearthwall_sensor.tracing.calls import told
from hearthwall_sensor.tracing.lines import Lines, Peer
from hearthwall_sensor.tracing.tracing import Tracing, check
from hearthwall_sensor.tracing.transfers import Transfers

V4 = socket.inet_pton(socket.AF_INET6, "::ffff:192.0.2.1")


def record(name: str, text: bytes | None = None, **fields: Any) -> bytes:
    """Return a call's record as the kernel's programs write it."""
    said = {"result": 0, "first": 0, "second": 0, "peer": bytes(16), "port": 0, "family": 0}
    said |= {"fd": -100, "wanted": 1, "pid": 7, "image": 9, "comm": b"curl", "uid": 1000} | fields
    words = b"" if text is None else text.ljust(TEXT_BYTES, b"\0")[:TEXT_BYTES]
    call = CALL.pack(
        *(1_500, said["result"], said["first"], said["second"], said["peer"], said["port"]),
        *(said["family"], said["fd"], said["wanted"]),
    )
    head = HEAD.pack(
        *(CALLED, CALLS[name].number, len(call + words), said["pid"], 1_000_000_000),
        *(said["image"], 1, 1, said["uid"], said["comm"]),
    )
    return head + call + words


def called(name: str, text: bytes | None = None, **fields: Any) -> Called:
    found = read_record(record(name, text, **fields))
    assert isinstance(found, Called)
    return found


def image(executable: str = "/usr/bin/curl", **fields: Any) -> Image:
    said = {"number": 9, "pid": 7, "parent_pid": 1, "uid": 1000, "file": executable, "comm": "curl"}
    said |= {"command_line": "curl x", "started": 0.0} | fields
    return Image(executable=executable, **said)


# What patterns are told


@pytest.mark.parametrize(
    ("name", "text", "fields", "expected"),
    [
        ("open", b"/etc/cron.d/x", {"second": 0o101}, ("write", "/etc/cron.d/x", 0, 0o101)),
        ("open", b"/tmp/../etc//passwd", {}, ("write", "/etc/passwd", 0, 0)),
        ("open", b"/a\x1b[31m\xff", {}, ("write", "/a\\x1b[31m\\xff", 0, 0)),
        ("chmod", b"/tmp/x", {"second": 0o755}, ("chmod", "/tmp/x", 0, 0o755)),
        ("memfd", b"a\nb", {}, ("memfd", "a\\x0ab", 0, 0)),
        ("ptrace", None, {"first": 12, "second": 16}, ("ptrace", "", 12, 16)),
        ("socket", None, {"first": 17, "second": 0o2000003}, ("socket", "", 17, 3)),
    ],
)
def test_a_call_is_told_in_the_words_of_patterns(
    name: str, text: bytes | None, fields: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    assert told(called(name, text, **fields)) == expected


def test_a_path_that_is_not_whole_begins_where_the_process_is(tmp_path: Path) -> None:
    (tmp_path / "7" / "fd").mkdir(parents=True)
    (tmp_path / "7" / "cwd").symlink_to("/etc")
    (tmp_path / "7" / "fd" / "3").symlink_to("/srv/x (deleted)")
    paths = [
        told(called("open", b"cron.d/x"), tmp_path),
        told(called("open", b"y", fd=3), tmp_path),
        told(called("chmod", None, fd=3), tmp_path),
        told(called("open", b"z", pid=8), tmp_path),
    ]
    assert [each and each.path for each in paths] == ["/etc/cron.d/x", "/srv/x/y", "/srv/x", "z"]


@pytest.mark.usefixtures("socket_enabled")
def test_the_port_that_is_listened_on_is_looked_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number, port = server.fileno(), server.getsockname()[1]
        assert told(called("listen", pid=os.getpid(), fd=number, second=5)) == (
            *("listen", "", port),
            5,
        )
    assert told(called("listen", pid=os.getpid(), fd=number)) == ("listen", "", 0, 0)


@given(st.binary(max_size=400), st.integers(0, 255))
def test_damaged_records_are_nothing(data: bytes, call: int) -> None:
    head = Head(CALLED, call, 0, 2**31, 0, 0, 0, 0, 0, b"")
    found = told(Called(head, data))
    assert found is None or found.path.isprintable()


@pytest.mark.usefixtures("socket_enabled")
def test_only_sockets_of_the_internet_are_looked_into(tmp_path: Path) -> None:
    here, there = socket.socketpair()
    with here, there, (tmp_path / "file").open("w") as file:
        assert descriptors.ends(os.getpid(), here.fileno()) is None
        assert descriptors.ends(os.getpid(), file.fileno()) is None
    assert descriptors.ends(2**22 - 1, 0) is None
    assert descriptors.ends(os.getpid(), -1) is None


# Lines


def lines(found: Image | None = None) -> Lines:
    return Lines(lambda *_: found or image(), lambda ns: ns / 1e9, lambda *_: None)


def line(name: str, text: bytes | None = None, **fields: Any) -> Any:
    head, call = tracing_module._read(record(name, text, **fields)) or pytest.fail("damaged")
    return lines().call(head, call, image(), is_last=True)


def test_a_line_says_who_did_what_and_what_came_of_it() -> None:
    found = line("connect", family=2, peer=V4, port=443, result=-111, fd=3)
    assert (found.address, found.port) == ("192.0.2.1", 443)
    assert (found.result, found.error) == (-111, "ECONNREFUSED")
    assert (found.pid, found.uid, found.comm) == (7, 1000, "curl")
    assert (found.executable, found.time, found.duration_us) == ("/usr/bin/curl", 1.0, 1.5)


def test_hostile_text_is_escaped() -> None:
    found = line("connect", b"@\x1b]0;x\x07", family=1, comm=b"\x1b[2J\xff")
    assert found.path == "@\\x1b]0;x\\x07"
    assert found.comm == "\\x1b[2J\\xff"


def test_an_exec_that_failed_has_no_command_line() -> None:
    assert line("exec", b"/bin/x").detail == "curl x"
    assert line("exec", b"/bin/x", result=-2).detail == ""


@pytest.mark.parametrize(
    ("name", "fields", "detail"),
    [
        ("socket", {"first": 2, "second": 1, "port": 6}, "inet stream protocol 6"),
        ("socket", {"first": 999, "second": 9}, "family 999 type 9"),
        ("ptrace", {"first": 5, "second": 16}, "attach 5"),
        ("ptrace", {"second": 77}, "request 77"),
        ("open", {"second": 0o1101}, "O_WRONLY|O_CREAT|O_TRUNC"),
        ("open", {"second": 0}, "rename"),
        ("listen", {"second": 128}, "backlog 128"),
    ],
)
def test_numbers_are_words(name: str, fields: dict[str, Any], detail: str) -> None:
    assert line(name, b"/x", **fields).detail == detail


def test_errors_have_their_names() -> None:
    assert [wording.error(each) for each in (0, 5, -2, -512, -9999)] == [
        *(None, None, "ENOENT"),
        *("ERESTARTSYS", "error 9999"),
    ]


# Traces


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
    request = Trace("connect", pid=5, uid=0, comm="x", executable="/bin/x", port=9, failed=True)
    end = await world.tracing.begin(request, Listener())
    (pid, uid, port, call, checks, _, comm), *others = world.traces()
    assert (pid, uid, port, call, comm) == (5, 0, 9, 1, b"x".ljust(16, b"\0"))
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
    shown = lines().transfer(peer, found)
    assert (shown.call, shown.calls, shown.bytes, shown.address) == ("send", 3, 42, "192.0.2.1")
