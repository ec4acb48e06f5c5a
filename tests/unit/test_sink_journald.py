"""The journal: entries in journald's own format, whatever is in them, and none that is said to be there and is not."""

import array
import asyncio
import contextlib
import json
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_socket

from hearthwall_sensor.sinks import journald, reading
from hearthwall_sensor.sinks.facts import FACTS
from hearthwall_sensor.sinks.journald import MESSAGE_ID
from hearthwall_sensor.sinks.sink import Sink, SinkError
from tests.unit.sink_events import HOSTILE, MAC, context, event


@pytest.fixture(autouse=True)
def _sockets() -> None:
    """Let the tests have sockets: the plugin for Home Assistant guards them."""
    pytest_socket._remove_restrictions()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[socket.socket]:
    """A socket in journald's place."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as found:
        found.bind(str(tmp_path / "socket"))
        found.settimeout(5)
        yield found


def sink(path: Path, **told: Any) -> Sink:
    """Return a sink that sends to a socket, and tells how far it has come."""
    (named,) = reading.read([{"name": "log", "type": "journald", "socket": str(path)}])
    return named.make(replace(context(), **told))


def entry(content: bytes) -> dict[str, str]:
    """Return the fields of an entry in the native format: `NAME=value`, or `NAME`, a length, and so much."""
    found: dict[str, str] = {}
    while content:
        name, _, rest = content.partition(b"\n")
        if b"=" in name:
            key, _, value = name.partition(b"=")
            content = rest
        else:
            key = name
            (length,) = struct.unpack("<Q", rest[:8])
            value, end = rest[8 : 8 + length], rest[8 + length :]
            assert end.startswith(b"\n")
            content = end[1:]
        assert key.decode() not in found
        found[key.decode()] = value.decode("utf-8")
    return found


def test_an_entry_has_a_sentence_and_the_facts(journal: socket.socket, tmp_path: Path) -> None:
    asyncio.run(sink(tmp_path / "socket").send([event(7), event(8, severity="critical")]))
    said = entry(journal.recv(100_000))
    assert said["MESSAGE"] == "event 7"
    assert (said["PRIORITY"], said["SYSLOG_IDENTIFIER"]) == ("4", "hearthwall")
    assert said["MESSAGE_ID"] == MESSAGE_ID
    assert said["HEARTHWALL_DEVICE"] == MAC
    assert said["HEARTHWALL_COMMUNITY_ID"] == "1:LQU9qZlK+B5F3KDmev6m5PMibrg="
    assert said["HEARTHWALL_TECHNIQUE"] == "T1071.004"
    assert said["HEARTHWALL_TIME"] == "2026-09-21T14:13:30.123Z"
    assert json.loads(said["HEARTHWALL_ECS"])["event"]["sequence"] == 7
    assert entry(journal.recv(100_000))["PRIORITY"] == "2"


def test_how_far_it_has_come_is_told_entry_by_entry(journal: socket.socket, tmp_path: Path) -> None:
    """A journald that takes its time is no failure as long as it takes something."""
    taken: list[int] = []
    asyncio.run(sink(tmp_path / "socket", took=taken.append).send([event(7), event(8), event(9)]))
    assert taken == [1, 2, 3]


def test_a_journald_that_is_not_there_is_told_before_there_is_an_event(
    journal: socket.socket, tmp_path: Path
) -> None:
    reached: list[int] = []
    asyncio.run(sink(tmp_path / "socket", reached=lambda: reached.append(1)).start())
    assert reached == [1]
    journal.setblocking(False)
    with pytest.raises(BlockingIOError):
        journal.recv(1)  # nothing was told
    with pytest.raises(SinkError, match="No such file"):
        asyncio.run(sink(tmp_path / "nobody").start())


def test_nothing_in_an_event_makes_a_field(journal: socket.socket, tmp_path: Path) -> None:
    forged = HOSTILE + "\nPRIORITY=0\nMESSAGE=forged\n_UID=0"
    asyncio.run(sink(tmp_path / "socket").send([event(summary=forged, subject=forged)]))
    said = entry(journal.recv(100_000))
    known = {f"HEARTHWALL_{each.journal}" for each in FACTS}
    known |= {"MESSAGE", "MESSAGE_ID", "PRIORITY", "SYSLOG_IDENTIFIER"}
    assert set(said) <= known | {"HEARTHWALL_TIME", "HEARTHWALL_ECS"}
    assert said["PRIORITY"] == "4"
    assert "\n" not in said["MESSAGE"]


def test_what_is_too_large_for_a_datagram_comes_as_a_sealed_file(
    journal: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.socket

    class Small(real):  # type: ignore[valid-type, misc]  # a class all the same
        """A socket whose host allows small datagrams only."""

        def __init__(self, *arguments: int) -> None:
            super().__init__(*arguments)
            self.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4608)

    monkeypatch.setattr(journald.socket, "socket", Small)
    large = event(summary="s" * 4000, evidence={"names": ["n" * 900] * 40})
    asyncio.run(sink(tmp_path / "socket").send([large]))
    content, rights, _, _ = journal.recvmsg(100, socket.CMSG_SPACE(4))
    assert not content
    (file,) = array.array("i", rights[0][2])
    try:
        assert entry(os.pread(file, 200_000, 0))["MESSAGE"] == "s" * 4000
        with pytest.raises(PermissionError):
            os.pwrite(file, b"x", 0)
    finally:
        os.close(file)


def test_a_journal_that_is_not_there_is_said_and_then_gets_all(tmp_path: Path) -> None:
    one = sink(tmp_path / "socket")

    async def run() -> None:
        with pytest.raises(SinkError, match=r"journald at .*socket took nothing"):
            await one.send([event(1)])
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
            there.bind(str(tmp_path / "socket"))
            await one.send([event(1)])
            assert entry(there.recv(100_000))["MESSAGE"] == "event 1"
        await one.close()

    asyncio.run(run())


def test_a_journal_that_is_slow_is_waited_for_and_each_event_is_told_when_it_is_there(
    journal: socket.socket, tmp_path: Path
) -> None:
    took: list[int] = []
    one = sink(tmp_path / "socket")
    one._context = replace(one._context, took=took.append)  # type: ignore[attr-defined]
    got: list[str] = []

    async def read() -> None:
        while len(got) < 300:
            await asyncio.sleep(0.02)
            with contextlib.suppress(BlockingIOError):
                while len(got) < 300:
                    got.append(entry(journal.recv(100_000))["HEARTHWALL_SEQUENCE"])

    async def run() -> None:
        journal.setblocking(False)
        reading = asyncio.ensure_future(read())
        await one.send([event(seq) for seq in range(1, 301)])
        await reading
        await one.close()

    asyncio.run(run())
    assert got == [str(seq) for seq in range(1, 301)]
    assert took == list(range(1, 301))


def test_a_journal_that_does_not_read_gets_the_rest_later(
    journal: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journald, "_TRIES", 3)
    with pytest.raises(SinkError, match="queue is full") as caught:
        asyncio.run(sink(tmp_path / "socket").send([event(seq) for seq in range(1, 2000)]))
    journal.settimeout(0)
    got = []
    while True:
        try:
            got.append(entry(journal.recv(100_000))["HEARTHWALL_SEQUENCE"])
        except BlockingIOError:
            break
    assert got == [str(seq) for seq in range(1, caught.value.delivered + 1)]
    assert got
