"""The addresses that names led to, on disk: in force again in new tables, as far as this start of the host knows."""

import json
import logging
from pathlib import Path

import pytest

from hearthwall_sensor.kernel.tables import Tables
from hearthwall_sensor.names import keeping
from hearthwall_sensor.names.domains import Domains
from hearthwall_sensor.names.keeping import NAMES_FILE, Keeping
from tests.gateway.test_names import (  # noqa: F401, fixtures
    KEPT,
    SLOT,
    Time,
    blocked,
    loaded,
    made,
    names,
    peers,
    sample,
    tables,
    time,
)

pytestmark = pytest.mark.lab

BAD, GOOD = "203.0.113.66", "203.0.113.10"


@pytest.fixture
def known(names: Domains) -> Domains:  # noqa: F811
    names.set_rules({"bad.example": SLOT})
    names.set_peers({"good.example": [7]})
    names.take(*sample(f"bad.example 60 A {BAD}"))
    names.take(*sample(f"good.example 60 A {GOOD}"))
    return names


def empty(tables: Tables) -> None:  # noqa: F811
    """Leave the tables as a start without bpffs finds them."""
    for name in KEPT:
        for key in list(tables.map(name).keys()):
            tables.map(name).delete(key)


async def test_what_names_led_to_is_in_force_again(
    tables: Tables,  # noqa: F811
    known: Domains,
    tmp_path: Path,
) -> None:
    kept = Keeping(tmp_path / NAMES_FILE, known)
    assert kept.is_due
    await kept.write()
    assert not kept.is_due, "there is nothing new"
    assert (tmp_path / NAMES_FILE).stat().st_mode & 0o777 == 0o600
    empty(tables)
    assert (blocked(tables), peers(tables)) == (set(), {})
    again = made(tables)
    again.set_rules({"bad.example": SLOT})
    again.set_peers({"good.example": [7]})
    Keeping(tmp_path / NAMES_FILE, again).take_back()
    assert again.addresses(SLOT) == [BAD]
    assert list(peers(tables)) == [(7, GOOD)]


async def test_what_is_written_is_not_written_again_at_once(
    known: Domains, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory cards wear out: the more there is, the longer it waits."""
    monkeypatch.setattr(keeping, "_A_SECOND", 1)
    kept = Keeping(tmp_path / NAMES_FILE, known)
    await kept.write()
    known.take(*sample("bad.example 60 A 203.0.113.67"))
    assert not kept.is_due
    monkeypatch.setattr(keeping.time, "monotonic", lambda: float("inf"))
    assert kept.is_due


async def test_what_has_ended_and_what_another_start_knew_is_no_use(
    tables: Tables,  # noqa: F811
    known: Domains,
    time: Time,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await Keeping(tmp_path / NAMES_FILE, known).write()
    empty(tables)
    with monkeypatch.context() as patch:
        patch.setattr(keeping, "boot_id", lambda: "another")
        Keeping(tmp_path / NAMES_FILE, made(tables)).take_back()
    assert blocked(tables) == set()
    time.passes(1000)
    Keeping(tmp_path / NAMES_FILE, made(tables)).take_back()
    assert blocked(tables) == set()
    assert list(peers(tables)) == [(7, GOOD)], "which stays allowed for a day longer"


@pytest.mark.parametrize("damage", ["", "[", "{}", '["BOOT", 1, 2]', '["BOOT", {"zz": "00"}, {}]'])
def test_damage_costs_what_was_kept_and_no_more(
    tables: Tables,  # noqa: F811
    names: Domains,  # noqa: F811
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    damage: str,
) -> None:
    (tmp_path / NAMES_FILE).write_text(damage.replace("BOOT", keeping.boot_id()))
    with caplog.at_level(logging.WARNING):
        Keeping(tmp_path / NAMES_FILE, names).take_back()
    assert "were not kept" in caplog.text
    assert blocked(tables) == set()


def test_entries_of_another_shape_are_left_out(
    tables: Tables,  # noqa: F811
    names: Domains,  # noqa: F811
    tmp_path: Path,
) -> None:
    wire = [keeping.boot_id(), {"00" * 4: "ff" * 16, "00" * 16: "ff"}, {}]
    (tmp_path / NAMES_FILE).write_text(json.dumps(wire))
    Keeping(tmp_path / NAMES_FILE, names).take_back()
    assert blocked(tables) == set()


async def test_a_disk_that_takes_nothing_is_told_and_no_more(
    known: Domains, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept = Keeping(tmp_path / "no" / "folder" / NAMES_FILE, known)
    await kept.write()
    assert "can't be kept" in caplog.text
    assert not kept.is_due
