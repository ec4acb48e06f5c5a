"""Forgetting a device: what names it elsewhere."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hearthwall_sensor import device_orders
from hearthwall_sensor.device_orders import DeviceOrders, names
from hearthwall_sensor.files import set_aside
from hearthwall_sensor.identity.chosen import Chosen
from hearthwall_sensor.learning.kept import packed
from hearthwall_sensor.learning.profiles import Profiles
from hearthwall_sensor.policy.policy import DevicePolicy
from hearthwall_sensor.requests import MergeDevices
from hearthwall_sensor.store import Store
from tests.devices import CAMERA, TV


@pytest.mark.parametrize(
    ("sentence", "named"),
    [
        ("198.51.100.1: block (port_scan: 192.0.2.1 scans)", True),
        ("198.51.100.1: block (port_scan: 192.0.2.1.", True),
        ("192.0.2.1: block", True),
        ("192.0.2.10: block", False),
        ("5.192.0.2.1: block", False),
        ("198.51.100.1: block (2001:db8::7 scans)", True),
        ("198.51.100.1: block (2001:db8::7:1 scans)", False),
        ("198.51.100.1: block (beacon: the tv calls)", True),
        ("tv.example: block", False),
        ("smart-tv: block", False),
    ],
)
def test_a_device_is_named_as_a_whole_only(sentence: str, named: bool) -> None:
    assert names(sentence, ["192.0.2.1", "2001:db8::7", "tv"]) is named


def test_all_that_was_told_of_rules_is_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_orders, "MAX_EVENTS", 2)
    said = ["a: block (tv)", "b: block", "c: block (192.0.2.1)", "d: block (192.0.2.2)"]
    events = [SimpleNamespace(seq=seq, summary=each) for seq, each in enumerate(said, 1)]

    async def select(asked: Any) -> list[Any]:
        assert asked.kinds == ("blocked", "unblocked")
        return [each for each in events if each.seq > asked.since][: asked.limit]

    parts: Any = SimpleNamespace(journal=SimpleNamespace(select=select))
    reports: Any = None
    orders = DeviceOrders(parts, reports, lambda *_: None)
    device: Any = SimpleNamespace(addresses=("192.0.2.1",), hostname=None, name="tv")
    assert asyncio.run(orders._told_of_rules(device)) == {said[0], said[2]}


def test_a_merged_device_leaves_no_profile_of_its_own_on_disk(tmp_path: Path) -> None:
    store, known = Store(tmp_path / "devices.db"), Profiles((), lambda _: DevicePolicy())
    for who in (TV, CAMERA):
        known.of(who, 1e9).facets["domain"].note(f"{who}.example", 1e9, 60.0, learning=True)
        store.keep_profile(who, packed(known.of(who, 1e9)))
    chosen = Chosen({}, {})

    async def join(_into: str, _mac: str, agree: Any) -> Any:
        await agree()
        return (), ()

    parts: Any = SimpleNamespace(
        chosen=chosen,
        devices=SimpleNamespace(accounts={}),
        store=store,
        policy=SimpleNamespace(clear=lambda: None),
        rules=SimpleNamespace(join=join),
        profiles=known,
        detection=SimpleNamespace(forget=lambda _: None),
        totals=SimpleNamespace(saving=asyncio.Lock()),
    )
    reports: Any = SimpleNamespace(device=lambda _: SimpleNamespace())
    orders = DeviceOrders(parts, reports, lambda *_: None)
    orders._told = lambda _: None  # type: ignore[assignment, method-assign]
    asyncio.run(orders._merge(MergeDevices(CAMERA, TV)))
    assert [each.who for each in store.profiles()] == [TV]
    assert [each.who for each in known.changed()] == [TV], "which is written anew"
    assert known.of(TV, 1e9).facets["domain"].is_known(f"{CAMERA}.example")
    store.close()


def test_forgetting_takes_what_was_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "devices.db"
    path.write_bytes(b"damage")
    set_aside(path)
    store = Store(path)
    assert (tmp_path / "devices.db.damaged").exists()
    store.erase(["02:00:5e:00:53:01"])
    assert not (tmp_path / "devices.db.damaged").exists()
    store.close()
