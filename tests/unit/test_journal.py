"""The journal: numbered, on disk before it is told, bounded, and not lost for a full disk."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from hearthwall_sensor import journal as journals
from hearthwall_sensor.journal import Journal
from hearthwall_sensor.notice import Notice
from hearthwall_sensor.protocol import SensorError


def notice(number: int = 0) -> Notice:
    return Notice("flood", "high", f"number {number}", {"value": number}, address="203.0.113.9")


def test_events_are_numbered_on_and_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    first = Journal(path)
    for number in range(3):
        first.note(notice(number))
    written = asyncio.run(first.write())
    assert [each.seq for each in written] == [1, 2, 3]
    assert not first.waits
    first.close()
    second = Journal(path)
    assert second.last == 3
    assert second.since(0, 10) == written
    assert second.since(1, 1) == written[1:2]
    second.note(notice())
    assert asyncio.run(second.write())[0].seq == 4
    second.close()


def test_what_is_written_is_on_disk_for_another_reader_at_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "events.db")
    journal.note(notice(7))
    asyncio.run(journal.write())
    with sqlite3.connect(tmp_path / "events.db") as reader:
        assert reader.execute("SELECT summary FROM events").fetchall() == [("number 7",)]
    journal.close()


def test_the_oldest_go_and_numbers_are_not_used_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "KEPT", 5)
    journal = Journal(tmp_path / "events.db")
    for number in range(8):
        journal.note(notice(number))
    asyncio.run(journal.write())
    assert [each.seq for each in journal.since(0, 100)] == [4, 5, 6, 7, 8]
    journal.close()


def test_events_wait_for_a_disk_that_takes_none_and_the_loss_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "events.db")
    with sqlite3.connect(tmp_path / "events.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        journal._connection.execute("PRAGMA busy_timeout = 1")
        journal.note(notice())
        assert asyncio.run(journal.write()) == []
        monkeypatch.setattr(journals, "_MAX_WAITING", 2)
        journal.note(notice(1))
        journal.note(notice(2))
        assert journal.lost == 1
        other.execute("COMMIT")
    assert [each.summary for each in asyncio.run(journal.write())] == ["number 0", "number 1"]
    journal.close()


def test_a_stranger_can_not_push_out_what_else_happened(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "events.db")
    for number in range(200):
        journal.note(notice(number))
    journal.note(Notice("blocked", "info", "an order", {}))
    told = [each.summary for each in asyncio.run(journal.write())]
    assert told == [*(f"number {number}" for number in range(30)), "an order"]
    assert (journal.suppressed, journal.lost) == (170, 0)
    journal.close()


def test_a_damaged_journal_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    path.write_bytes(b"no database" * 1000)
    journal = Journal(path)
    assert journal.last == 0
    journal.close()
    assert (tmp_path / "events.db.damaged").exists()


@pytest.mark.parametrize(("since", "limit"), [(-1, 5), (0, 0), (0, 1001), (2**63, 1)])
def test_a_question_out_of_bounds_is_refused(tmp_path: Path, since: int, limit: int) -> None:
    journal = Journal(tmp_path / "events.db")
    with pytest.raises(SensorError):
        journal.since(since, limit)
    journal.close()
