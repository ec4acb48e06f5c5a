"""State of a newer version: refused or left alone, never taken for damaged."""

import json
import sqlite3
from pathlib import Path

import pytest

from hearthwall_sensor import newer
from hearthwall_sensor.journal_file import JournalFile
from hearthwall_sensor.protocol import SensorError
from hearthwall_sensor.retention import Retention
from hearthwall_sensor.store import Store

DATABASES = (newer.DEVICES_FILE, newer.EVENTS_FILE)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder that this version has used."""
    Store(tmp_path / newer.DEVICES_FILE).close()
    JournalFile(tmp_path / newer.EVENTS_FILE, Retention()).close()
    return tmp_path


def let_be(path: Path, version: int) -> None:
    """Let another version have made a database."""
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute("CREATE TABLE later (what TEXT)")
    connection.close()


def version(path: Path) -> int:
    with sqlite3.connect(path) as connection:
        (found,) = connection.execute("PRAGMA user_version").fetchone()
    connection.close()
    return int(found)


def test_an_own_state_is_known(state: Path) -> None:
    assert newer.newer(state) is None
    assert {version(state / each) for each in DATABASES} == {1}
    newer.look(state, is_guarded=True)


def test_no_state_is_no_newer_one(tmp_path: Path) -> None:
    assert newer.newer(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", DATABASES)
def test_a_newer_one_is_refused_while_its_programs_guard(state: Path, name: str) -> None:
    let_be(state / name, 2)
    assert newer.newer(state) == f"{name} (version 2, not 1)"
    with pytest.raises(SensorError, match="Nothing was changed") as refused:
        newer.look(state, is_guarded=True)
    assert refused.value.code == "newer_state"
    newer.look(state, is_guarded=False)  # nothing guards: what is understood is better than nothing


def test_a_newer_one_is_left_alone_and_another_used_beside_it(state: Path) -> None:
    for name in DATABASES:
        let_be(state / name, 2)
    before = {each: (state / each).read_bytes() for each in DATABASES}
    for _ in range(2):
        store = Store(state / newer.DEVICES_FILE)
        assert not store.was_damaged
        store.rename(["00:00:5e:00:53:21"], "Camera")
        assert store.chosen().name("00:00:5e:00:53:21") == "Camera"
        store.close()
        journal = JournalFile(state / newer.EVENTS_FILE, Retention())
        assert not journal.was_damaged
        journal.close()
    assert {each: (state / each).read_bytes() for each in DATABASES} == before
    assert {each.name for each in state.iterdir()} == {*DATABASES, "devices.v1.db", "events.v1.db"}
    for name in DATABASES:  # and once that version's is this one's own again
        let_be_again(state / name)
    assert newer.newer(state) is None


def let_be_again(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 1")
    connection.close()


def test_a_version_that_no_program_has_is_damage(state: Path) -> None:
    let_be(state / newer.DEVICES_FILE, -7)
    assert newer.newer(state) is None
    store = Store(state / newer.DEVICES_FILE)
    assert store.was_damaged
    store.close()


def test_one_from_before_versions_is_taken_over(state: Path) -> None:
    with sqlite3.connect(state / newer.DEVICES_FILE) as connection:
        connection.execute("PRAGMA user_version = 0")
        connection.execute("INSERT INTO names VALUES ('00:00:5e:00:53:21', 'Camera')")
    connection.close()
    store = Store(state / newer.DEVICES_FILE)
    assert store.chosen().name("00:00:5e:00:53:21") == "Camera"
    store.close()
    assert version(state / newer.DEVICES_FILE) == 1


def test_damage_is_no_newer_version(state: Path) -> None:
    (state / "rules.json").write_text("{")
    (state / newer.DEVICES_FILE).write_bytes(b"nothing" * 100)
    assert newer.newer(state) is None
    (state / "rules.json").write_text(json.dumps({"format": 3}))
    assert newer.newer(state) == "rules.json (format 3, not 2)"
