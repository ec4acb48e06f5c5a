"""State files that were set aside as damaged are told of until someone removes them."""

from pathlib import Path

import pytest

from hearthwall_sensor import files
from hearthwall_sensor.damage import Damage
from hearthwall_sensor.protocol import SensorError
from hearthwall_sensor.store import Store


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "feeds").mkdir()
    return tmp_path


def test_nothing_is_damaged(state: Path) -> None:
    Store(state / "devices.db").close()
    assert Damage(state).files() == ()
    assert Damage(state).discard() == ()
    assert (state / "devices.db").exists()


def test_what_was_set_aside_is_told_of_until_it_is_discarded(state: Path) -> None:
    (state / "devices.db").write_bytes(b"no database" * 1000)
    Store(state / "devices.db").close()
    for name in ("feeds/feeds.json", "feeds/feeds.json.previous", "rules.json"):
        (state / name).write_text("{")
        files.set_aside(state / name)
    (state / "devices.db.damaged-wal").write_bytes(b"log")
    names = ("devices.db", "feeds.json", "feeds.json.previous", "rules.json")
    assert Damage(state).files() == names
    assert Damage(state).discard() == names
    assert Damage(state).files() == ()
    assert sorted(each.name for each in state.iterdir()) == ["devices.db", "feeds"]


def test_a_copy_of_a_list_is_read_anew_and_not_told_of(state: Path) -> None:
    (state / "feeds" / "drop.feed.damaged").write_bytes(b"")
    assert Damage(state).files() == ()


def test_a_folder_is_no_file_of_ours(state: Path) -> None:
    (state / "mine.damaged").mkdir()
    assert Damage(state).discard() == ()
    assert (state / "mine.damaged").is_dir()


def test_what_cannot_be_removed_is_an_error(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (state / "rules.json.damaged").write_text("{")

    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(1, "Operation not permitted", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(SensorError) as refused:
        Damage(state).discard()
    assert refused.value.code == "storage_failed"
    assert Damage(state).files() == ("rules.json",)
