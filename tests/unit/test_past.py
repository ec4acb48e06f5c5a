"""What a sensor remembers of its own past and of what is usual, on disk."""

import json
import sqlite3
from pathlib import Path

import pytest

from hearthwall_sensor.devices import Account, Devices
from hearthwall_sensor.learning import past as module
from hearthwall_sensor.learning.kept import Learning, packed
from hearthwall_sensor.learning.past import Past
from hearthwall_sensor.learning.profile import Profile
from hearthwall_sensor.store import Store

MAC, OTHER = "00:00:5e:00:53:21", "00:00:5e:00:53:22"


@pytest.fixture(autouse=True)
def boot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "boot_id", lambda: "this")
    monkeypatch.setattr(module, "boot_ns", lambda: 1000)


def test_until_when_flows_were_told_of_is_of_one_start_of_the_host(tmp_path: Path) -> None:
    store = Store(tmp_path / "devices.db")
    first = Past(store.meta(), Devices())
    assert first.looked == 0
    store.save((), (), (), Learning({}, first.now(900)))
    store.close()
    again = Past(Store(tmp_path / "devices.db").meta(), Devices())
    assert (again.looked, again.since) == (900, first.since)
    for kept in (["another", 900], ["this", 1001], ["this", "900"], "this", None):
        assert Past({"looked": kept}, Devices()).looked == 0


def test_who_has_devices_already_is_not_new_here() -> None:
    devices = Devices([Account(MAC, 50.0, 60.0), Account(OTHER, 40.0, 70.0)])
    assert Past({}, devices).since == 40.0
    assert Past({"since": 30.0}, devices).since == 30.0


def test_a_clock_that_was_ahead_does_not_make_all_new_until_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module.time, "time", lambda: 100.0)
    assert Past({"since": 101.0}, Devices()).since == 100.0
    assert Past({}, Devices([Account(MAC, 150.0, 160.0)])).since == 100.0


def test_profiles_are_kept_and_one_that_is_damaged_is_learnt_anew(tmp_path: Path) -> None:
    store = Store(tmp_path / "devices.db")
    profiles = {each: packed(Profile(each, 100.0)) for each in (MAC, OTHER)}
    store.save((), (), (), Learning(profiles, {}))
    assert [each.who for each in store.profiles()] == [MAC, OTHER]
    store.erase((OTHER,))
    assert [each.who for each in store.profiles()] == [MAC]
    with sqlite3.connect(tmp_path / "devices.db") as disk:
        disk.execute("INSERT INTO profiles VALUES (?, ?)", (OTHER, json.dumps({"who": 1})))
    assert [each.who for each in store.profiles()] == [MAC]
    store.save((), (MAC,))
    assert store.profiles() == []
