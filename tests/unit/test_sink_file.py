"""The log file: whole lines only, rotated, found again after a crash, and in nobody else's reach."""

import asyncio
import contextlib
import errno
import json
import os
import resource
import signal
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hearthwall_sensor.protocol import Event, SensorError
from hearthwall_sensor.sinks import reading, trial
from hearthwall_sensor.sinks.ecs import MAX_BYTES
from hearthwall_sensor.sinks.file import FileOptions, FileSink
from hearthwall_sensor.sinks.sink import Call, SinkError
from hearthwall_sensor.sinks.table import Table
from tests.unit.sink_events import HOSTILE, context, event, nothing


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A place in a folder that is made with the file."""
    return tmp_path / "log" / "events.json"


def sink(path: Path, call: Call = nothing, **options: Any) -> FileSink:
    """Return a sink with some options, and a journal."""
    read = FileOptions.read(Table("siem", {"path": str(path)} | options))
    return FileSink(read, context(call=call))


def send(one: FileSink, *events: Event) -> None:
    """Start a sink and give it events."""

    async def run() -> None:
        await one.start()
        await one.send(events)

    asyncio.run(run())


def again(one: FileSink, *events: Event) -> None:
    """Give a sink that was started more events."""
    asyncio.run(one.send(events))


def close(one: FileSink) -> None:
    """Close a sink."""
    asyncio.run(one.close())


def numbers(path: Path) -> list[int]:
    """Return the events' numbers in a file, each line of which is a document."""
    text = path.read_text()
    assert not text or text.endswith("\n")
    return [json.loads(each)["event"]["sequence"] for each in text.splitlines()]


def events(first: int, last: int) -> list[Event]:
    """Return some events."""
    return [event(seq) for seq in range(first, last + 1)]


def test_each_event_is_a_line_that_only_root_reads(path: Path) -> None:
    one = sink(path)
    send(one, *events(1, 3), event(4, summary=HOSTILE, peer_name=HOSTILE))
    assert numbers(path) == [1, 2, 3, 4]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o750
    close(one)
    send(sink(path, mode="0640"), event(5))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_file_that_would_get_too_large_is_renamed_and_the_oldest_goes(path: Path) -> None:
    one = sink(path, max_mb=0.01, keep=2)  # some six lines
    send(one, *events(1, 40))
    close(one)
    assert sorted(each.name for each in path.parent.iterdir()) == [
        "events.json",
        "events.json.1",
        "events.json.2",
    ]
    kept = [path.with_name(f"events.json{number}") for number in (".2", ".1", "")]
    assert all(each.stat().st_size <= 10_000 for each in kept)
    told = [seq for each in kept for seq in numbers(each)]
    assert told == list(range(told[0], 41))
    assert 1 < told[0] < 35


def test_a_file_that_was_moved_is_begun_anew(path: Path) -> None:
    one = sink(path)
    send(one, event(1))
    path.rename(path.with_name("old"))
    again(one, event(2))
    assert numbers(path) == [2]
    assert numbers(path.with_name("old")) == [1]
    path.unlink()
    again(one, event(3))
    assert numbers(path) == [3]
    os.truncate(path, 0)  # logrotate's copytruncate
    again(one, event(4))
    assert numbers(path) == [4]


def test_after_a_crash_no_event_is_there_twice_and_none_in_part(path: Path) -> None:
    one = sink(path)
    send(one, *events(1, 3))
    close(one)
    with path.open("a") as file:
        file.write('{"event":{"id":"to')
    # The cursor was not kept: all come again
    one = sink(path)
    send(one, *events(1, 5))
    assert numbers(path) == [1, 2, 3, 4, 5]
    close(one)
    path.rename(path.with_name("events.json.1"))
    send(sink(path), *events(4, 6))
    assert numbers(path) == [6]


def of_journal(*there: Event) -> Call:
    """Return what answers as a journal with these events does."""

    async def call(request: Any) -> Any:
        after = [each.to_wire() for each in there if each.seq > request.since]
        return after[: request.limit]

    return call


def test_all_that_a_crash_lets_come_again_is_known(path: Path) -> None:
    """The cursor was not kept for far more events than come at once."""
    past = events(1, 300)
    one = sink(path, of_journal(*past))
    send(one, *past)
    close(one)
    one = sink(path, of_journal(*past, event(301)))
    for first in range(0, 300, 100):
        send(one, *past[first : first + 100])
    send(one, event(301))
    assert numbers(path) == list(range(1, 302))


def test_a_journal_that_began_anew_has_nothing_in_the_file(path: Path) -> None:
    one = sink(path)
    send(one, *events(1, 9))
    close(one)
    anew = [event(seq, time=1_800_000_000.0 + seq) for seq in range(1, 13)]
    send(sink(path, of_journal(*anew)), *anew)
    assert numbers(path) == [*range(1, 10), *range(1, 13)]


def test_a_message_that_is_a_test_is_written_each_time(path: Path) -> None:
    one = sink(path)
    send(one, *events(1, 2))
    again(one, trial.event("high"))
    again(one, trial.event("high"))
    again(one, *events(2, 3))
    assert numbers(path) == [1, 2, 0, 0, 3]


def test_behind_messages_that_are_tests_the_newest_event_is_found(path: Path) -> None:
    """The cursor was not kept, and the last lines are of tests."""
    one = sink(path)
    send(one, *events(1, 3))
    for _ in range(3):
        again(one, trial.event("high"))
    close(one)
    one = sink(path)
    send(one, *events(1, 4))
    assert numbers(path) == [1, 2, 3, 0, 0, 0, 4]
    close(one)
    path.rename(path.with_name("events.json.1"))
    one = sink(path)
    send(one, trial.event("high"))
    close(one)
    send(sink(path), *events(3, 5))
    assert numbers(path) == [0, 5], "that was in the file before"


async def test_a_disk_that_hangs_holds_up_nobody_else(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, one = threading.Event(), sink(path)
    await one.start()
    monkeypatch.setattr(os, "fdatasync", lambda _: gate.wait(20))
    try:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await one.send(events(1, 2))
        before = threading.active_count()
        for _ in range(5):
            with pytest.raises(SinkError, match="hangs"):
                await one.send(events(1, 2))
        assert threading.active_count() == before
        await one.close()  # it does not wait either
    finally:
        gate.set()
    async with asyncio.timeout(5):
        while True:
            with contextlib.suppress(SinkError):
                await one.send(events(1, 3))
                break
            await asyncio.sleep(0.01)
    assert numbers(path) == [1, 2, 3], "what it was given while it hung is there once"
    await one.close()


def test_a_place_where_the_service_may_not_write_is_told_with_what_to_do(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> int:
        raise OSError(errno.EROFS, "Read-only file system")

    path.parent.mkdir(mode=0o700)
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(SinkError, match=f"ReadWritePaths={path.parent}"):
        send(sink(path), event(1))


def test_what_is_no_document_is_left_as_it_is(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    path.write_text("hello\nworld\n")
    send(sink(path), event(1))
    hello, world, own = path.read_text().splitlines()
    assert (hello, world, json.loads(own)["event"]["sequence"]) == ("hello", "world", 1)


@contextmanager
def full_after(size: int) -> Iterator[None]:
    """Let no file get larger, as on a full disk: the last write comes in part."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_is_said_and_leaves_no_half_line(path: Path) -> None:
    one = sink(path)
    send(one, event(1))
    size = path.stat().st_size
    with full_after(size * 2 + 100), pytest.raises(SinkError, match="can't be written") as caught:
        again(one, *events(2, 5))
    assert caught.value.delivered == 1
    assert numbers(path) == [1, 2]
    again(one, *events(3, 5))
    assert numbers(path) == [1, 2, 3, 4, 5]


def test_a_rotation_that_fails_is_said_and_loses_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = sink(path, max_mb=0.01)
    send(one, event(1))
    with monkeypatch.context() as patched:

        def refuse(*_: Any, **__: Any) -> None:
            raise PermissionError(1, "Operation not permitted")

        patched.setattr(os, "rename", refuse)
        with pytest.raises(SinkError, match="can't be written") as caught:
            again(one, *events(2, 20))
    done = 1 + caught.value.delivered
    assert numbers(path) == list(range(1, done + 1))
    again(one, *events(done + 1, 20))
    assert numbers(path)[-1] == 20


def test_a_line_has_a_bound(path: Path) -> None:
    large = event(1, evidence={"names": {str(key): ["n" * 1000] * 60 for key in range(60)}})
    send(sink(path), large)
    assert path.stat().st_size <= MAX_BYTES + 1


def test_a_disk_that_fails_to_sync_gets_the_events_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = sink(path)
    send(one, event(1))
    with monkeypatch.context() as patched:

        def fail(_: int) -> None:
            raise OSError(5, "Input/output error")

        patched.setattr(os, "fdatasync", fail)
        with pytest.raises(SinkError, match="Input/output error") as caught:
            again(one, event(2))
        assert caught.value.delivered == 0
    again(one, *events(2, 3))
    assert numbers(path) == [1, 2, 3]  # its last line was there after all


def test_a_file_is_on_disk_before_another_takes_its_place(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = sink(path)
    did: list[str] = []
    send(one, event(1))
    monkeypatch.setattr(one._log, "_most", 1)
    names = {path.stat().st_ino: "file", path.parent.stat().st_ino: "folder"}
    fsync, rename = os.fsync, os.rename

    def noted_fsync(file: int) -> None:
        fsync(file)
        did.append(names[os.fstat(file).st_ino])

    def noted_rename(*names: str, **folders: int) -> None:
        rename(*names, **folders)
        did.append("renamed")

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "rename", noted_rename)
    again(one, event(2))
    assert did == ["file", "renamed", "folder"]
    assert numbers(path) == [2]


def test_without_sync_nobody_waits_for_the_disk(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise AssertionError

    monkeypatch.setattr(os, "fdatasync", fail)
    send(sink(path, sync=False), event(1))
    assert numbers(path) == [1]


def test_no_link_is_followed_and_nothing_but_a_file_of_ours_is_written(
    path: Path, tmp_path: Path
) -> None:
    path.parent.mkdir(mode=0o700)
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SinkError, match="can't be opened"):
        send(sink(path), event(1))
    assert not (tmp_path / "elsewhere").exists()
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(SinkError, match="no file of our own"):
        send(sink(path), event(1))
    path.unlink()
    (tmp_path / "other").write_text("precious\n")
    os.link(tmp_path / "other", path)
    with pytest.raises(SinkError, match="no file of our own"):
        send(sink(path), event(1))
    assert (tmp_path / "other").read_text() == "precious\n"


@pytest.mark.parametrize("which", ["log", "log/in"])
def test_a_folder_that_others_may_change_is_refused(tmp_path: Path, which: str) -> None:
    (tmp_path / "log" / "in").mkdir(parents=True, mode=0o700)
    (tmp_path / which).chmod(0o777)
    with pytest.raises(SinkError, match="someone else could"):
        send(sink(tmp_path / "log" / "in" / "events.json"), event(1))
    assert not (tmp_path / "log" / "in" / "events.json").exists()


def test_two_do_not_write_one_file(path: Path) -> None:
    one, other = sink(path), sink(path)
    send(one, event(1))
    for _ in range(2):
        with pytest.raises(SinkError, match="another process writes"):
            send(other, event(2))
        with pytest.raises(SinkError, match="another process writes"):
            again(other, event(2))
    close(one)
    again(other, event(2))
    assert numbers(path) == [1, 2]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"path": "events.json"}, "whole path"),
        ({"mode": "0644"}, "mode is 0600 or 0640"),
        ({"keep": 0}, "keep is a number"),
        ({"max_mb": 0}, "max_mb is a number"),
        ({"sync": "yes"}, "sync is true or false"),
        ({"fsync": True}, "there is no option 'fsync'"),
    ],
)
def test_a_mistake_in_the_options_is_said(path: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(SensorError, match=said):
        reading.read([{"name": "siem", "type": "file", "path": str(path)} | options])
