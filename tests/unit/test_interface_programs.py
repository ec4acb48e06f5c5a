"""Which programs are a sensor's, by their numbers on disk: of this start of the host, and all of them."""

import json
from pathlib import Path

import pytest

from hearthwall_sensor.kernel import interface_programs
from hearthwall_sensor.kernel.interface_programs import PROGRAMS_FILE, forget, keep, kept


def test_what_was_kept_is_known_and_forgotten(tmp_path: Path) -> None:
    assert kept(tmp_path) == frozenset()
    keep(tmp_path, [7, 3])
    assert kept(tmp_path) == {3, 7}
    assert (tmp_path / PROGRAMS_FILE).stat().st_mode & 0o777 == 0o600
    keep(tmp_path, [8])
    assert kept(tmp_path) == {8}
    forget(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_that_there_are_none_leaves_no_file(tmp_path: Path) -> None:
    keep(tmp_path, [7])
    keep(tmp_path, [])
    assert list(tmp_path.iterdir()) == []


def test_numbers_of_another_start_of_the_host_are_others_by_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(tmp_path, [7])
    monkeypatch.setattr(interface_programs, "boot_id", lambda: "another")
    assert kept(tmp_path) == frozenset()


def test_none_is_left_out_however_many_there_are(tmp_path: Path) -> None:
    """The one that is on the interfaces may be any of them."""
    keep(tmp_path, range(1000, 3000))
    assert kept(tmp_path) == set(range(1000, 3000))


@pytest.mark.parametrize("text", ["", "[", "[]", "[1, 2, 3]", '["x", "y"]', '{"a": 1}', "null"])
def test_a_file_that_says_nothing_sensible_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / PROGRAMS_FILE).write_text(text)
    assert kept(tmp_path) == frozenset()


def test_a_word_among_the_numbers_makes_it_worthless(tmp_path: Path) -> None:
    keep(tmp_path, [7])
    boot, _ = json.loads((tmp_path / PROGRAMS_FILE).read_text())
    (tmp_path / PROGRAMS_FILE).write_text(json.dumps([boot, [7, "x"]]))
    assert kept(tmp_path) == frozenset()
