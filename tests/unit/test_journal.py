"""The journal: numbered, on disk before it is told, counted, bounded, and not lost for a full disk."""

import asyncio
import random
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from hearthwall_sensor import journal as journals, journal_file, journal_gaps, rations
from hearthwall_sensor.journal import Journal
from hearthwall_sensor.notice import Notice
from hearthwall_sensor.protocol import Event, SensorError
from hearthwall_sensor.requests import GetEvents
from hearthwall_sensor.retention import Retention
from tests.devices import CAMERA, PHONE, TV

DAY = 86_400.0
#: A moment not long ago, from which the tests count seconds.
MOMENT = float(round(time.time())) - 10_000.0
#: What an earlier version made.
OLD_SCHEMA = """
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    time REAL NOT NULL,
    kind TEXT NOT NULL,
    severity TEXT NOT NULL,
    mac TEXT,
    address TEXT,
    peer_address TEXT,
    peer_name TEXT,
    process TEXT,
    summary TEXT NOT NULL,
    evidence TEXT NOT NULL
)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.db"


def notice(number: int = 0, **fields: Any) -> Notice:
    """Return something that happened once: of each number there is another address."""
    said: dict[str, Any] = {
        "kind": "flood",
        "severity": "high",
        "summary": f"number {number}",
        "evidence": {"value": number},
        "address": f"203.0.{113 + number // 250}.{number % 250}",
    }
    return Notice(**(said | fields))


def scan(mac: str = CAMERA, subject: str = "192.168.10.1", **fields: Any) -> Notice:
    """Return a port scan of a device's."""
    said = {"kind": "port_scan", "severity": "medium", "mac": mac, "subject": subject}
    return notice(**(said | fields))


def rule(number: int) -> Notice:
    """Return an event that nobody can cause but who gives orders."""
    return notice(number, kind="blocked", severity="info")


def write(journal: Journal) -> list[Event]:
    return asyncio.run(journal.write())


def since(journal: Journal, seq: int = 0, limit: int = 1000, **asked: Any) -> list[Event]:
    return asyncio.run(journal.select(GetEvents(seq, limit, **asked)))


def counts(journal: Journal) -> list[int]:
    return [each.count for each in since(journal)]


def on_disk(path: Path, what: str = "seq, count, last_time") -> list[tuple[Any, ...]]:
    with sqlite3.connect(path) as reader:
        return reader.execute(f"SELECT {what} FROM events ORDER BY seq").fetchall()


def test_events_are_numbered_on_and_come_back_as_they_were(path: Path) -> None:
    first = Journal(path)
    for number in range(3):
        first.note(notice(number))
    written = write(first)
    assert [each.seq for each in written] == [1, 2, 3]
    first.close()
    second = Journal(path)
    assert second.last == 3
    assert since(second) == written
    assert since(second, 1, 1) == written[1:2]
    assert asyncio.run(second.event(2)) == written[1]
    assert [asyncio.run(second.event(seq)) for seq in (0, 4, 2**70)] == [None] * 3
    second.note(notice(4))
    assert write(second)[0].seq == 4
    second.close()


def test_an_event_says_what_it_is_to_mitre_and_what_it_is_about(path: Path) -> None:
    journal = Journal(path)
    journal.note(scan(time=MOMENT + 0.1234))
    (event,) = write(journal)
    assert (event.technique, event.subject, event.time) == (
        "T1046",
        "192.168.10.1",
        MOMENT + 0.123,
    )
    assert (event.count, event.last_time) == (1, None)
    for own, expected in (("T1496", "T1496"), ("", None)):
        journal.note(scan(subject=own, technique=own))
        assert [each.technique for each in write(journal)] == [expected]
    journal.close()


def test_what_has_no_time_of_its_own_happened_now(path: Path) -> None:
    journal = Journal(path)
    before = time.time()
    journal.note(scan())
    assert before - 0.001 <= write(journal)[0].time <= time.time()
    journal.close()


def test_events_are_of_the_device_that_a_mac_was_merged_into(path: Path) -> None:
    journal = Journal(path)
    journal.primary = {PHONE: CAMERA}.get  # type: ignore[assignment]
    journal.note(scan(PHONE))
    assert write(journal)[0].mac == CAMERA
    journal.close()


def test_what_is_written_is_on_disk_for_another_reader_at_once(path: Path) -> None:
    journal = Journal(path)
    journal.note(notice(7))
    write(journal)
    assert on_disk(path, "summary") == [("number 7",)]
    journal.close()


# Repeats


def test_a_burst_is_one_event_with_a_count(path: Path) -> None:
    journal = Journal(path)
    for second in range(12):
        journal.note(scan(time=MOMENT + second, summary=f"after {second} s"))
    (event,) = write(journal)
    assert (event.count, event.time, event.last_time) == (12, MOMENT, MOMENT + 11)
    assert event.summary == "after 0 s"
    assert journal.suppressed == 0
    journal.close()


def test_a_count_grows_on_disk_with_the_next_write_and_is_told_at_once(path: Path) -> None:
    journal = Journal(path)
    journal.note(scan(time=MOMENT))
    write(journal)
    journal.note(scan(time=MOMENT + 1))
    journal.note(scan(time=MOMENT + 2.5))
    (told,) = since(journal)
    assert (told.count, told.last_time) == (3, MOMENT + 2.5)
    assert asyncio.run(journal.event(1)) == told
    assert not journal.waits, "a disk is not bothered with every count"
    assert on_disk(path) == [(1, 1, None)]
    assert write(journal) == []
    assert on_disk(path) == [(1, 3, MOMENT + 2.5)]
    journal.close()


def test_counts_wait_for_no_other_event(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals, "_COUNTS_INTERVAL", 0.0)
    journal = Journal(path)
    journal.note(scan())
    write(journal)
    assert not journal.waits
    journal.note(scan())
    assert journal.waits
    journal.close()


def test_a_repeat_while_the_event_is_written_is_counted(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(path)
    journal.note(scan(time=MOMENT))
    put = journal._file.write

    def slow(*args: Any) -> Any:
        done = put(*args)
        journal.note(scan(time=MOMENT + 4))
        return done

    monkeypatch.setattr(journal._file, "write", slow)
    assert write(journal)[0].count == 1
    monkeypatch.undo()
    write(journal)
    assert on_disk(path) == [(1, 2, MOMENT + 4)]
    journal.close()


@pytest.mark.parametrize(
    "other",
    [
        scan(severity="high", time=MOMENT + 1),
        scan(TV, time=MOMENT + 1),
        scan(subject="192.168.10.2", time=MOMENT + 1),
        scan(kind="address_scan", time=MOMENT + 1),
        scan(time=MOMENT + 3600),
    ],
    ids=["more severe", "of another device", "of another subject", "of another kind", "later"],
)
def test_what_is_no_repeat(path: Path, other: Notice) -> None:
    journal = Journal(path)
    journal.note(scan(time=MOMENT))
    journal.note(other)
    assert [each.count for each in write(journal)] == [1, 1]
    journal.close()


def test_orders_are_each_an_event(path: Path) -> None:
    journal = Journal(path)
    for _ in range(2):
        journal.note(rule(1))
    assert len(write(journal)) == 2
    journal.close()


def test_a_restart_goes_on_counting(path: Path) -> None:
    first = Journal(path)
    now = time.time()
    first.note(scan(time=now - 60))
    first.note(scan(subject="long ago", time=now - 7200))
    first.note(scan(TV, severity="low", time=now - 60))
    write(first)
    first.close()
    second = Journal(path)
    second.note(scan(time=now))
    second.note(scan(subject="long ago", time=now))
    second.note(scan(TV, time=now))
    assert [(each.mac, each.subject) for each in write(second)] == [
        (CAMERA, "long ago"),
        (TV, "192.168.10.1"),
    ], "one is over, the other has become more severe"
    assert counts(second) == [2, 1, 1, 1, 1]
    second.close()


def test_what_a_newer_version_wrote_is_no_obstacle(path: Path) -> None:
    first = Journal(path)
    first.note(scan())
    write(first)
    first._file._connection.execute("UPDATE events SET kind = 'unheard_of'")
    first._file._connection.commit()
    first.close()
    second = Journal(path)
    assert [each.kind for each in since(second)] == ["unheard_of"]
    second.close()


# What is kept


def kept(journal: Journal) -> list[int]:
    return [each.seq for each in since(journal)]


def test_the_oldest_go_and_numbers_are_not_used_again(path: Path) -> None:
    journal = Journal(path, Retention(rows=5))
    for number in range(8):
        journal.note(rule(number))
    write(journal)
    assert kept(journal) == [4, 5, 6, 7, 8]
    journal.note(rule(9))
    assert write(journal)[0].seq == 9
    assert kept(journal) == [5, 6, 7, 8, 9]
    journal.close()


def test_a_file_that_is_too_large_is_cut_to_size(path: Path) -> None:
    journal = Journal(path, Retention(bytes=20_000))
    for number in range(100):
        journal.note(notice(number, kind="blocked", evidence={"text": "x" * 700}))
    write(journal)
    left = kept(journal)
    assert 15 <= len(left) <= 20
    assert left == list(range(101 - len(left), 101))
    journal.close()


def test_what_is_too_old_goes_also_when_nothing_happens(path: Path) -> None:
    journal = Journal(path, Retention(days=2))
    now = time.time()
    journal.note(rule(1))
    journal.note(notice(2, kind="blocked", time=now - 3 * DAY))
    journal.note(scan(time=now - 2.1 * DAY))
    journal.note(scan(time=now - 2.1 * DAY + 5))
    journal.note(notice(3, kind="blocked", time=now - DAY))
    write(journal)
    assert kept(journal) == [1, 4]
    assert not journal.waits
    journal._file._next_look = 0.0
    assert journal.waits
    assert write(journal) == []
    assert not journal.waits
    journal.close()


def test_what_goes_on_is_not_too_old(path: Path) -> None:
    journal = Journal(path, Retention(days=2))
    now = time.time()
    journal.note(scan(time=now - 2.01 * DAY))
    journal.note(scan(time=now - 1.99 * DAY))
    write(journal)
    assert kept(journal) == [1]
    journal.close()


def test_one_device_pushes_out_only_its_own(path: Path) -> None:
    journal = Journal(path, Retention(rows=20))
    journal.note(scan(TV, subject="first"))
    journal.note(notice(kind="dns_tunnel", mac=CAMERA))
    for number in range(40):
        journal.note(scan(subject=f"host {number}", severity="low"))
        journal._of_device._recent.clear()
        journal._of_kind._recent.clear()
    write(journal)
    left = since(journal)
    assert len(left) == 20
    assert [each.subject for each in left[:2]] == ["first", ""]
    assert left[2].subject == "host 22"
    journal.close()


def test_invented_devices_push_out_no_other_kind(path: Path) -> None:
    journal = Journal(path, Retention(rows=20))
    journal.note(scan())
    for number in range(40):
        journal.note(notice(kind="new_device", mac=f"02:00:00:00:00:{number:02x}"))
        journal._of_kind._recent.clear()
    write(journal)
    left = since(journal)
    assert [each.kind for each in left[:2]] == ["port_scan", "new_device"]
    assert len(left) == 20
    assert left[-1].mac == "02:00:00:00:00:27"
    journal.close()


def test_events_wait_for_a_disk_that_takes_none_and_the_loss_is_counted(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(path)
    journal.note(scan(time=MOMENT))
    write(journal)
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        journal._file._connection.execute("PRAGMA busy_timeout = 1")
        journal.note(notice())
        journal.note(scan(time=MOMENT + 1))
        assert write(journal) == []
        monkeypatch.setattr(journals, "_MAX_WAITING", 2)
        journal.note(notice(1))
        journal.note(notice(2))
        journal.note(scan(time=MOMENT + 2))
        assert journal.lost == 1
        assert journal.waits
        other.execute("COMMIT")
    assert [each.summary for each in write(journal)] == ["number 0", "number 1"]
    assert on_disk(path) == [(1, 3, MOMENT + 2), (2, 1, None), (3, 1, None)]
    journal.close()


def test_what_happens_while_the_disk_fails_is_counted_too(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(path)
    journal.note(scan(time=MOMENT))
    journal.note(scan(TV, time=MOMENT))
    write(journal)
    journal.note(scan(time=MOMENT + 1))

    def fail(*_: object) -> None:
        # Of one that waited to be counted, twice, and of another one
        journal.note(scan(time=MOMENT + 2))
        journal.note(scan(time=MOMENT + 3))
        journal.note(scan(TV, time=MOMENT + 4))
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as failing:
        failing.setattr(journal._file, "write", fail)
        assert write(journal) == []
    assert counts(journal) == [4, 2]
    assert [each.last_time for each in since(journal)] == [MOMENT + 3, MOMENT + 4]
    write(journal)
    assert on_disk(path) == [(1, 4, MOMENT + 3), (2, 2, MOMENT + 4)]
    journal.close()


def test_a_disk_that_fails_is_told_of_once_until_it_is_well(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Journal(path)

    def fail() -> None:
        with monkeypatch.context() as failing:
            failing.setattr(journal._file, "write", _fail)
            journal.note(notice())
            assert write(journal) == []

    def complaints() -> int:
        return len([each for each in caplog.messages if "can't be written" in each])

    fail()
    fail()
    assert complaints() == 1
    write(journal)
    fail()
    assert complaints() == 2
    journal.close()


def test_how_much_there_is_is_known_without_counting(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured() -> tuple[int, int]:
        rows = on_disk(path, "length(summary) + length(evidence) + 300")
        return len(rows), sum(each for (each,) in rows)

    journal = Journal(path)
    journal.note(notice())
    write(journal)
    file = journal._file
    assert file._size == measured()
    journal.note(notice(1))
    journal.note(notice(2))
    write(journal)
    assert file._size == measured()
    # What was counted of a transaction that fails is not there
    journal.note(notice(3))
    with monkeypatch.context() as failing:
        failing.setattr(file, "_make_room", _fail)
        write(journal)
    assert file._size is None
    write(journal)
    assert file._size == measured()
    journal.note(scan(TV))
    write(journal)
    asyncio.run(journal.forget([TV]))
    assert file._size is None
    journal.note(notice(4))
    write(journal)
    assert file._size == measured()
    journal.close()


def _fail(*_: object) -> None:
    raise sqlite3.OperationalError("disk I/O error")


def test_sorts_that_are_remembered_are_bounded_the_longest_silent_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rations, "_MAX_SORTS", 2)
    found = rations.Rations(1)
    for sort in ("a", "b", "a", "c"):
        found.use(sort, 0.0)
    assert [found.are_used_up(each, 1.0) for each in "abc"] == [True, False, True]
    assert len(found._recent) == 2


def test_a_stranger_can_not_push_out_what_else_happened(path: Path) -> None:
    journal = Journal(path)
    for number in range(200):
        journal.note(notice(number))
    journal.note(notice(severity="critical", address="192.0.2.1"))
    for number in range(40):
        journal.note(rule(number))
    told = [each.summary for each in write(journal)]
    orders = [f"number {number}" for number in range(40)]
    assert told == [*(f"number {number}" for number in range(30)), "number 0", *orders]
    assert (journal.suppressed, journal.lost) == (170, 0)
    journal.close()


def test_one_device_uses_up_no_others_share(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(path)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    for number in range(100):
        journal.note(scan(subject=f"host {number}"))
    journal.note(scan(TV))
    journal.note(scan(kind="dns_tunnel"))
    journal.note(scan(subject="worse", severity="high"))
    assert [each.mac for each in write(journal)] == [*[CAMERA] * 6, TV, CAMERA, CAMERA]
    assert journal.suppressed == 94
    monkeypatch.setattr(time, "monotonic", lambda: now + 61)
    journal.note(scan(subject="a minute later"))
    assert len(write(journal)) == 1
    journal.close()


def test_invented_devices_use_up_no_settled_ones_share(path: Path) -> None:
    journal = Journal(path)
    journal.is_settled = lambda mac: not mac.startswith("02")
    for number in range(200):
        journal.note(scan(f"02:00:00:00:00:{number:02x}"))
    for _ in range(2):
        journal.note(scan(TV, subject="first"))
        journal.note(scan(TV, subject="second"))
    told = [each.mac for each in write(journal)]
    assert (len(told), told.count(TV)) == (31, 1)
    journal.is_settled = lambda _: True
    for number in range(200):
        journal.note(scan(f"06:00:00:00:00:{number:02x}"))
    assert len(write(journal)) == 89, "there is a bound on these too"
    journal.close()


def test_a_clock_that_was_ahead_mutes_nothing_after_a_restart(path: Path) -> None:
    first = Journal(path)
    first.note(scan(time=time.time() + 30 * DAY))
    write(first)
    first.close()
    second = Journal(path)
    assert second._repeats._told == {}
    second.note(scan())
    assert len(write(second)) == 1
    second.close()


@pytest.mark.parametrize(
    "poison",
    [
        {"summary": "\ud800"},
        {"evidence": {"value": {1}}},
        {"evidence": {"value": [0]}, "summary": None},
        {"peer_name": object()},
        {"peer_name": 2**70},
    ],
)
def test_what_can_not_be_written_keeps_nothing_else_waiting(
    path: Path, poison: dict[str, Any]
) -> None:
    journal = Journal(path)
    journal.note(scan(subject="before"))
    journal.note(scan(**poison))
    journal.note(scan(subject="after"))
    assert [each.subject for each in write(journal)] == ["before", "after"]
    assert (journal.lost, journal.waits) == (1, False)
    journal.note(scan(subject="after"))
    journal.note(scan())
    assert [each.subject for each in write(journal)] == ["192.168.10.1"]
    assert counts(journal) == [1, 2, 1]
    journal.close()


# Forgetting


def test_a_device_that_is_forgotten_is_new_to_the_journal(path: Path) -> None:
    journal = Journal(path)
    journal.note(scan())
    journal.note(scan(TV, summary=f"the TV scans {CAMERA}"))
    journal.note(scan(TV, subject="a third"))
    write(journal)
    journal.note(scan())
    journal.note(notice(kind="dns_tunnel", mac=CAMERA))
    asyncio.run(journal.forget({CAMERA}))
    assert kept(journal) == [3]
    assert write(journal) == []
    assert CAMERA not in str(journal._repeats._told)
    journal.note(scan())
    assert [(each.seq, each.count) for each in write(journal)] == [(4, 1)]
    journal.close()


def test_what_happens_again_after_its_event_has_gone_is_a_new_event(path: Path) -> None:
    journal = Journal(path)
    journal.note(scan(TV, summary=f"the TV scans {CAMERA}", time=MOMENT))
    write(journal)
    asyncio.run(journal.forget({CAMERA}))
    for second in (1.0, 2.0):
        journal.note(scan(TV, summary="the TV scans on", time=MOMENT + second))
    (event,) = write(journal)
    assert (event.seq, event.count, event.time, event.last_time) == (2, 2, MOMENT + 1, MOMENT + 2)
    assert journal.last == 2
    journal.note(scan(TV, time=MOMENT + 3))
    assert write(journal) == []
    assert counts(journal) == [3]
    journal.close()


def test_what_waits_is_forgotten_too(path: Path) -> None:
    journal = Journal(path)
    journal.note(scan(TV, summary=f"the TV scans {CAMERA}"))
    journal.note(scan(PHONE))
    asyncio.run(journal.forget({CAMERA}))
    journal.note(scan(TV, summary="the TV scans"))
    journal.note(scan(PHONE))
    assert [(each.mac, each.count) for each in write(journal)] == [(PHONE, 2), (TV, 1)]
    journal.close()


def test_what_was_erased_is_told_from_what_was_forgotten(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(path)
    for number in range(4):
        journal.note(scan(TV, subject=f"{number}"))
        journal.note(scan(PHONE, subject=f"{number}"))
    write(journal)
    asyncio.run(journal.forget({PHONE}))
    journal.close()
    journal = Journal(path)
    assert [asyncio.run(journal.erased(*each)) for each in ((0, 8), (0, 3), (4, 8), (8, 9))] == [
        *(4, 1, 2, 0)
    ]
    with pytest.raises(SensorError):
        asyncio.run(journal.erased(0, 2**63))
    monkeypatch.setattr(journal_gaps, "MOST", 1)
    asyncio.run(journal.forget({TV}))
    assert asyncio.run(journal.erased(0, 9)) == 1, "only the newest are remembered"
    assert PHONE.encode() not in path.read_bytes()


def test_a_journal_is_known_again_and_one_that_began_anew_is_another(path: Path) -> None:
    first = Journal(path)
    first.close()
    again = Journal(path)
    assert again.identity == first.identity != ""
    again.close()
    path.write_bytes(b"no database" * 1000)
    path.with_name(path.name + "-wal").unlink(missing_ok=True)
    anew = Journal(path)
    assert anew.was_damaged
    assert anew.identity not in ("", first.identity)


# Files


def test_a_journal_of_an_earlier_version_is_read_and_written_on(path: Path) -> None:
    with sqlite3.connect(path) as old:
        old.executescript(OLD_SCHEMA)
        old.execute(
            "INSERT INTO events (time, kind, severity, summary, evidence, mac) VALUES (?, ?, ?, ?, ?, ?)",
            (time.time() - 60, "port_scan", "medium", "scans", '{"value": 3}', CAMERA),
        )
    journal = Journal(path)
    (event,) = since(journal)
    assert (event.seq, event.evidence, event.mac) == (1, {"value": 3}, CAMERA)
    assert (event.technique, event.count, event.last_time, event.subject) == (None, 1, None, "")
    journal.note(scan(subject=""))
    journal.note(scan())
    assert [(each.seq, each.technique) for each in write(journal)] == [(2, "T1046")]
    assert counts(journal) == [2, 1]
    journal.close()
    again = Journal(path)
    assert counts(again) == [2, 1]
    again.close()


def test_a_damaged_journal_is_set_aside(path: Path) -> None:
    path.write_bytes(b"no database" * 1000)
    journal = Journal(path)
    assert journal.last == 0
    journal.close()
    assert path.with_name("events.db.damaged").exists()


def with_events(path: Path, *statements: str) -> None:
    """Make a journal of five events, in which something else has written."""
    journal = Journal(path)
    for each in range(5):
        journal.note(notice(each))
    write(journal)
    journal.close()
    with sqlite3.connect(path) as other:
        for statement in statements:
            other.execute(statement)
    other.close()


@pytest.mark.parametrize(
    "damage",
    [
        "time = 'abc'",
        "time = 9e300",
        "last_time = 'soon'",
        "kind = x'ff'",
        "severity = 'zzz'",
        "subject = x'00ff'",
        "summary = x'ff'",
        "evidence = 'nope'",
        "evidence = '5'",
        "count = 'many'",
    ],
)
@pytest.mark.parametrize("seq", [2, 5])
def test_a_damaged_event_spoils_no_other(
    path: Path, damage: str, seq: int, caplog: pytest.LogCaptureFixture
) -> None:
    with_events(path, f"UPDATE events SET {damage} WHERE seq = {seq}")
    journal = Journal(path)
    others = [each for each in range(1, 6) if each != seq]
    assert [each.seq for each in since(journal)] == others
    assert [each.seq for each in since(journal)] == others
    journal.note(notice(9))
    assert [each.seq for each in write(journal)] == [6]
    assert not journal.was_damaged
    journal.close()
    assert caplog.text.count(f"Event {seq} is damaged") == 1


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE sqlite_sequence SET seq = 'abc'",
        "UPDATE sqlite_sequence SET seq = 9223372036854775807",
        "CREATE TRIGGER no BEFORE INSERT ON events BEGIN SELECT raise(ABORT, 'no'); END",
        "CREATE TRIGGER no BEFORE INSERT ON events BEGIN SELECT raise(IGNORE); END",
        "ALTER TABLE events RENAME COLUMN summary TO other",
    ],
)
def test_a_journal_that_could_take_no_event_is_set_aside(path: Path, damage: str) -> None:
    with_events(path, damage)
    journal = Journal(path)
    assert (journal.last, journal.was_damaged) == (0, True)
    assert path.with_name("events.db.damaged").exists()
    journal.note(notice())
    assert [each.seq for each in write(journal)] == [1]
    journal.close()


def test_whatever_byte_is_damaged_the_journal_opens_and_takes_events(path: Path) -> None:
    with_events(path)
    content, chance = path.read_bytes(), random.Random(5)
    for _ in range(40):
        damaged = bytearray(content)
        for _ in range(chance.choice((1, 3, 20, 200))):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged[: chance.choice((len(damaged), chance.randrange(len(damaged))))])
        journal = Journal(path)
        since(journal)
        journal.note(notice(9))
        assert len(write(journal)) == 1
        journal.close()


def test_a_disk_without_room_sets_nothing_aside(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: sqlite3.Connection) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr(journal_file, "_prepare", full)
    with pytest.raises(SensorError, match="full") as refused:
        Journal(path)
    assert refused.value.code == "storage_failed"
    assert path.exists()


# Questions


@pytest.mark.parametrize(
    "asked",
    [
        GetEvents(-1, 5),
        GetEvents(0, 0),
        GetEvents(0, 1001),
        GetEvents(2**63, 1),
        GetEvents(kinds=("unheard_of",)),
        GetEvents(devices=("camera",)),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(path: Path, asked: GetEvents) -> None:
    journal = Journal(path)
    with pytest.raises(SensorError):
        asyncio.run(journal.select(asked))
    journal.close()


def test_what_is_asked_for_is_what_is_told(path: Path) -> None:
    journal = Journal(path)
    journal.note(scan(time=MOMENT))
    journal.note(scan(TV, severity="low", time=MOMENT + 1000))
    journal.note(scan(kind="dns_tunnel", severity="high", time=MOMENT + 2000))
    journal.note(scan(PHONE, severity="critical", time=MOMENT + 3000))
    journal.note(scan(time=MOMENT + 3500))
    write(journal)

    def told(**asked: Any) -> list[int]:
        return [each.seq for each in since(journal, **asked)]

    assert told() == [1, 2, 3, 4]
    assert told(severity="medium") == [1, 3, 4]
    assert told(kinds=("port_scan",)) == [1, 2, 4]
    assert told(kinds=("port_scan", "dns_tunnel"), severity="high", seq=3) == [4]
    assert told(devices=(CAMERA.upper(),)) == [1, 3]
    assert told(after=MOMENT + 1500) == [1, 3, 4], "the first one happened again"
    assert told(limit=2) == [1, 2]
    assert told(limit=2, latest=True) == [3, 4]
    merged = asyncio.run(journal.select(GetEvents(devices=(CAMERA,)), lambda mac: (mac, TV)))
    assert [each.seq for each in merged] == [1, 2, 3]
    journal.close()
