"""The rules' way into the kernel's tables and back: nothing stale, nothing half, no count lost."""

import asyncio
import dataclasses
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hearthwall_sensor.kernel.layouts import (
    FLAG_AUDIT,
    FLAG_SERVICES,
    LIMITS,
    MODE_NONE,
    MODES,
    TRANSPORTS,
    Counters,
    Entry,
    Limit,
    Service,
)
from hearthwall_sensor.kernel.tables import Tables
from hearthwall_sensor.notation import boot_ns
from hearthwall_sensor.protocol import SensorError
from hearthwall_sensor.requests import AddBlock, Confirm, RemoveBlock
from hearthwall_sensor.rules import file as rules_file, room
from hearthwall_sensor.rules.enforcement import all_counters, limit_of
from hearthwall_sensor.rules.rule import Rule
from hearthwall_sensor.rules.rules import RULES_FILE, Rules
from hearthwall_sensor.targets import Target
from tests.gateway.unattached import loaded

pytestmark = pytest.mark.lab

MAC = Target("mac", "00:00:5e:00:53:21")
WEB = Target("ipv4", "203.0.113.10")
WIDE, NARROW = Target("ipv4_network", "10.0.0.0/8"), Target("ipv4_network", "10.1.0.0/16")
COUNTED = Counters(5, 500, 11, 12)
#: One order of each kind.
ORDERS = (
    AddBlock(MAC.value, transport="tcp", port=80),
    AddBlock(MAC.value, mode="allow_only", peers=("203.0.113.0/24", "2001:db8::5", "a.example")),
    AddBlock(WEB.value, mode="rate_limit", bytes_per_second=125_000),
    AddBlock(WIDE.value, mode="audit"),
    AddBlock("*.example.org"),
    AddBlock("2001:db8::1", transport="icmp", mode="redirect", redirect_to="trap"),
)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    with loaded(tmp_path_factory.mktemp("tables")) as programs:
        yield programs.tables


@pytest.fixture
def rules(tables: Tables, tmp_path: Path) -> Rules:
    """Rules on tables from which whatever another test left has gone."""
    return started(tables, tmp_path)


def started(tables: Tables, folder: Path) -> Rules:
    """Return the rules of a sensor that has just started."""
    rules = Rules(folder / RULES_FILE, tables)
    rules.interfaces_changed({"trap": 7})
    rules.restore({})
    return rules


def add(rules: Rules, order: AddBlock) -> Rule:
    return asyncio.run(rules.add(order, lambda _, __: None))


def contents(tables: Tables) -> dict[str, Any]:
    """Return all that rules have put into the tables."""
    slots = range(32, 40)
    return {
        "targets": tables.rules(),
        "services": tables.services(),
        "lists": {slot: tables.list_rule(slot) for slot in slots},
        "limits": sorted(tables.map("limits").keys()),
        "peers": sorted(tables.map("peers").items()),
    }


def test_every_kind_is_in_its_table_and_leaves_nothing(tables: Tables, rules: Rules) -> None:
    empty = contents(tables)
    assert not any(empty[name] for name in ("targets", "services", "limits", "peers"))
    first, whole, rate, audit, name, service = (add(rules, order) for order in ORDERS)
    held = tables.rule(MAC)
    assert held is not None
    assert (held.id, held.mode, held.flags) == (whole.id, MODES["allow_only"], FLAG_SERVICES)
    assert first.subject == whole.subject == held.subject
    of_mac = tables.service(Service(first.subject, TRANSPORTS["tcp"], 80))
    assert of_mac is not None
    assert (of_mac.id, of_mac.mode) == (first.id, MODES["isolate"])
    assert len(contents(tables)["peers"]) == 2
    assert rules.domain_peers() == {"a.example": {whole.id}}
    assert contents(tables)["limits"] == [struct.pack("<I", rate.id)]
    wide = tables.rule(WIDE)
    assert wide is not None
    assert (wide.id, wide.mode, wide.flags) == (audit.id, MODES["isolate"], FLAG_AUDIT)
    slot = rules.domain_slots()["*.example.org"]
    listed = tables.list_rule(slot)
    assert listed is not None
    assert listed.id == name.id
    signpost = tables.rule(Target("ipv6", "2001:db8::1"))
    assert signpost is not None
    assert (signpost.id, signpost.mode, signpost.flags) == (0, MODE_NONE, FLAG_SERVICES)
    redirected = tables.service(Service(service.subject, TRANSPORTS["icmp"], 0))
    assert redirected is not None
    assert redirected.interface == 7
    rules.interfaces_changed({"trap": 8})
    assert contents(tables)["services"][Service(service.subject, 1, 0)].interface == 8
    rules.interfaces_changed({})
    assert contents(tables)["services"][Service(service.subject, 1, 0)].interface == 0
    for rule in list(rules):
        asyncio.run(rules.remove(RemoveBlock(str(rule.id))))
    assert contents(tables) == empty


def count(tables: Tables, rules: Rules) -> None:
    """Let every rule have counted, as the programs do, in place."""
    for rule in rules:
        if rule.slot is not None:
            held = tables.list_rule(rule.slot)
            assert held is not None
            tables.put_list_rule(rule.slot, held._replace(counters=COUNTED))
        elif rule.transport is None and rule.port is None:
            held = tables.rule(rule.about)
            assert held is not None
            tables.put_rule(rule.about, held._replace(counters=COUNTED))
        else:
            key = Service(rule.subject, TRANSPORTS[rule.transport or "tcp"], rule.port or 0)
            held = tables.service(key)
            assert held is not None
            tables.put_service(key, held._replace(counters=COUNTED))


def packets(rules: Rules) -> set[int]:
    return {each.packets for each in rules.blocks()}


def test_what_was_counted_survives_a_restart_and_an_upgrade(
    tables: Tables, rules: Rules, tmp_path: Path
) -> None:
    for order in ORDERS:
        add(rules, order)
    count(tables, rules)
    assert {each.id for each in rules.count()} == {rule.id for rule in rules}
    assert rules.count() == []
    before = contents(tables)
    again = started(tables, tmp_path)
    assert list(again) == list(rules)
    assert contents(tables) == before
    assert packets(again) == {COUNTED.packets}
    # An upgrade: the tables are others, and empty.
    earlier = all_counters(tables)
    started(tables, tmp_path / "none")
    assert tables.rules() == {}
    upgraded = Rules(tmp_path / RULES_FILE, tables)
    upgraded.interfaces_changed({"trap": 7})
    upgraded.restore(earlier)
    assert contents(tables) == before
    assert packets(upgraded) == {COUNTED.packets}


def test_a_change_is_told_whoever_read_the_counters_before(tables: Tables, rules: Rules) -> None:
    rule = add(rules, ORDERS[0])
    assert rules.count() == []
    count(tables, rules)
    assert packets(rules) == {COUNTED.packets}, "as a client that connects is told"
    assert [(each.id, each.packets) for each in rules.count()] == [(rule.id, COUNTED.packets)]
    assert rules.count() == []
    count(tables, rules)
    packets(rules)
    asyncio.run(rules.remove(RemoveBlock(str(rule.id))))
    assert rules.count() == [], "what is gone has not changed"


def test_other_rules_on_a_target_and_its_confirmation_take_no_count(
    tables: Tables, rules: Rules
) -> None:
    whole = add(rules, AddBlock(MAC.value, confirm_within=3600))
    count(tables, rules)
    service = add(rules, AddBlock(MAC.value, port=80))
    asyncio.run(rules.confirm(Confirm(str(whole.id))))
    asyncio.run(rules.remove(RemoveBlock(str(service.id))))
    held = tables.rule(MAC)
    assert held is not None
    assert (held.counters, held.flags, held.expires) == (COUNTED, 0, 0)


def test_what_is_on_no_disk_goes(tables: Tables, rules: Rules, tmp_path: Path) -> None:
    """As after a kill between the kernel and the disk."""
    service = add(rules, AddBlock(MAC.value, port=80))
    limited = add(rules, AddBlock(WEB.value, mode="rate_limit", packets_per_second=5))
    peers = add(
        rules, AddBlock(NARROW.value, mode="allow_only", peers=("203.0.113.0/24", "b.example"))
    )
    before = contents(tables)
    stale = Entry(99, MODES["isolate"], 0, 0, Counters(), subject=service.subject)
    tables.put_rule(MAC, stale._replace(flags=FLAG_SERVICES))
    tables.put_rule(Target("mac", "00:00:5e:00:53:22"), stale)
    tables.put_rule(WIDE, stale)
    tables.put_service(Service(99, 6, 1), stale)
    tables.put_service(Service(service.subject, 6, 1), stale)
    tables.put_list_rule(33, stale)
    tables.put_limit(99, Limit(1, 1, 1))
    table, address = tables.map("peers"), bytes(10) + b"\xff\xff" + bytes([203, 0, 113, 7])
    learnt = struct.pack("<Q", boot_ns() + 10**12)
    for rule, value in ((99, bytes(8)), (99, learnt), (peers.id, bytes(8)), (limited.id, learnt)):
        table.put(struct.pack("<II16s", 32 + 128, rule, address), value)
    started(tables, tmp_path)
    assert contents(tables) == before
    kept = struct.pack("<II16s", 32 + 128, peers.id, address)
    table.put(kept, learnt)
    started(tables, tmp_path)
    assert table.get(kept) == learnt  # of a name that the rule's target may talk to


def test_a_restart_fills_no_bucket(tables: Tables, rules: Rules, tmp_path: Path) -> None:
    rule = add(rules, AddBlock(WEB.value, mode="rate_limit", packets_per_second=5))
    key = struct.pack("<I", rule.id)
    used = struct.pack("<7Q", *limit_of(rule), 1, 2, 3, 4)
    tables.map("limits").put(key, used)
    started(tables, tmp_path)
    assert tables.map("limits").get(key) == used


def test_a_prefix_is_not_taken_for_the_one_around_it(tables: Tables, rules: Rules) -> None:
    wide = add(rules, AddBlock(WIDE.value))
    narrow = add(rules, AddBlock(NARROW.value, transport="tcp"))
    held = tables.rule(NARROW)
    assert held is not None
    assert (held.id, held.mode, held.subject) == (0, MODE_NONE, narrow.subject)
    around = tables.rule(WIDE)
    assert around is not None
    assert (around.id, around.flags) == (wide.id, 0)


@pytest.mark.parametrize("fails", ["disk", "table"])
def test_what_cannot_be_kept_leaves_all_as_it_was(
    tables: Tables, rules: Rules, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    for order in ORDERS:
        add(rules, order)
    count(tables, rules)
    before, listed = contents(tables), list(rules)

    async def no_disk(*_: Any) -> None:
        raise SensorError("storage_failed")

    def full(put: Any) -> Any:
        """Return what puts only what was there before: it takes no room."""

        def put_known(where: Any, entry: Entry) -> None:
            if entry.id not in {0, *(rule.id for rule in listed)}:
                raise SensorError("table_full")
            put(where, entry)

        return put_known

    if fails == "disk":
        monkeypatch.setattr(rules_file, "write", no_disk)
    else:
        monkeypatch.setattr(tables, "put_rule", full(tables.put_rule))
        monkeypatch.setattr(tables, "put_service", full(tables.put_service))
    for order in (
        dataclasses.replace(ORDERS[0], reason="another"),
        dataclasses.replace(ORDERS[1], peers=("192.0.2.0/24",)),
        dataclasses.replace(ORDERS[2], bytes_per_second=9999),
        AddBlock("00:00:5e:00:53:22", mode="rate_limit", packets_per_second=1),
        AddBlock("00:00:5e:00:53:22", mode="allow_only", peers=("192.0.2.0/24",)),
    ):
        with pytest.raises(SensorError) as error:
            add(rules, order)
        assert error.value.code == {"disk": "storage_failed", "table": "table_full"}[fails]
    if fails == "disk":
        for rule in listed:
            with pytest.raises(SensorError):
                asyncio.run(rules.remove(RemoveBlock(str(rule.id))))
    assert contents(tables) == before
    assert list(rules) == listed


def test_tables_have_room_for_so_many(
    tables: Tables, rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, "MAX_RULES", 3)
    monkeypatch.setattr(
        room,
        "_ROOM",
        tuple((what, takes, 2) for what, takes, _ in room._ROOM),
    )

    def full(order: AddBlock) -> bool:
        try:
            add(rules, order)
        except SensorError as error:
            return error.code == "table_full"
        return False

    macs = [f"00:00:5e:00:53:{i}" for i in (31, 32, 33)]
    assert [full(AddBlock(mac)) for mac in macs] == [False, False, True]
    assert [full(AddBlock(macs[0], port=port)) for port in (1, 2, 3)] == [False, False, True]
    assert not full(AddBlock(macs[0], port=2))  # in another's place
    rates = [
        AddBlock(a, mode="rate_limit", packets_per_second=9)
        for a in (macs[0], macs[1], "192.0.2.1")
    ]
    assert [full(order) for order in rates] == [False, False, True]
    peers = [
        AddBlock("192.0.2.1", mode="allow_only", peers=("10.0.0.1", "10.0.0.2", "10.0.0.3")[:n])
        for n in (2, 3)
    ]
    assert [full(order) for order in peers] == [False, True]


def test_a_rule_that_has_ended_is_not_revived(rules: Rules) -> None:
    rule = add(rules, AddBlock(MAC.value, confirm_within=0.01))
    while rule.ends is not None and boot_ns() < rule.ends:
        pass
    with pytest.raises(SensorError) as error:
        asyncio.run(rules.confirm(Confirm(MAC.value)))
    assert error.value.code == "not_found"
    assert [each.id for each in rules.sweep()] == [rule.id]
    assert len(rules) == 0


def test_a_rule_whose_place_a_response_takes_comes_back(
    rules: Rules, tables: Tables, tmp_path: Path
) -> None:
    def quarantine(rules: Rules, seconds: float) -> Rule:
        order = AddBlock(MAC.value, duration=seconds)
        return asyncio.run(rules.add(order, lambda _, __: None, for_a_while=True))

    limit = add(rules, AddBlock(MAC.value, mode="rate_limit", bytes_per_second=1000))
    before = contents(tables)
    response = quarantine(rules, 60.0)
    assert list(rules) == [response]
    rules = started(tables, tmp_path)
    ended = asyncio.run(rules.remove(RemoveBlock(MAC.value)))
    assert list(rules) == rules.come_back(ended) == [limit]
    assert contents(tables) == before
    response = quarantine(rules, 0.01)
    while response.ends is not None and boot_ns() < response.ends:
        pass
    assert [each.id for each in rules.sweep()] == [response.id]
    assert list(rules) == [limit]
    assert contents(tables) == before
