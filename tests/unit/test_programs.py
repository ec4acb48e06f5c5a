"""Programs of the gateway beside devices: who they are in events, profiles, the journal, and what is accepted."""

import sqlite3
import time
from pathlib import Path
from typing import Any

from hearthwall_sensor.commands import alike
from hearthwall_sensor.detectors.evidence import about
from hearthwall_sensor.flows.flow import UDP, FlowKey
from hearthwall_sensor.habits import Acceptance
from hearthwall_sensor.journal import Journal
from hearthwall_sensor.learning.profile import Profile
from hearthwall_sensor.learning.profiles import MAX_PROGRAM_VALUES, Profiles
from hearthwall_sensor.learning.programs import GATEWAY, MAX_PROGRAMS, is_program
from hearthwall_sensor.living import LivingHome
from hearthwall_sensor.observations import (
    Began,
    Look,
    Met,
)
from hearthwall_sensor.per_device import MAX_PROGRAMS as MAX_STATES, PerDevice
from hearthwall_sensor.policy.accepted import Accepted
from hearthwall_sensor.policy.policy import DevicePolicy
from hearthwall_sensor.requests import GetEvents
from hearthwall_sensor.store import Store
from tests.devices import CAMERA
from tests.unit.observed import NOON, flow, packed
from tests.unit.processes import AGENT, INSIDE, NOBODY, bound, connected, image, notice

# Who it is


def test_an_event_of_a_program_is_about_no_device() -> None:
    found = flow(mac=NOBODY)
    assert about(AGENT) == {
        "mac": None,
        "process": "/usr/bin/agent",
        "address": None,
        "peer_address": None,
        "peer_name": None,
    }
    assert about(INSIDE, found)["process"] == "/usr/bin/agent@0123456789ab"
    assert about(INSIDE, found)["address"] == "192.168.0.10"
    assert about(CAMERA)["process"] is None
    assert notice().who == AGENT
    assert notice(None).who == "192.168.0.1"
    assert notice(mac=CAMERA).who == CAMERA


def test_a_program_is_called_by_its_path() -> None:
    living: Any = LivingHome.name
    assert living(None, AGENT) == "/usr/bin/agent"
    assert len(living(None, f"exe:/{'a' * 5000}")) <= 80
    assert living(None, "exe:/tmp/\x1b[31m") == "/tmp/\\x1b[31m"


# Memory


def test_invented_programs_push_out_no_device() -> None:
    states = PerDevice(list)
    for number in range(1000):
        states.of(f"02:00:00:00:{number // 256:02x}:{number % 256:02x}", NOON)
    for number in range(5000):
        states.of(f"exe:/tmp/{number}", NOON + number)
    devices = [who for who, _ in states if not is_program(who)]
    assert len(devices) == 1000
    assert len(states) - len(devices) <= MAX_STATES
    states.forget("exe:/tmp/4999")
    assert states.find("exe:/tmp/4999") is None
    assert states.find(devices[0]) is not None


def test_invented_programs_have_bounded_profiles_on_disk_too() -> None:
    profiles = Profiles([], lambda _: DevicePolicy())
    profiles.of(CAMERA, NOON)
    profiles.learn(connected(image("/usr/bin/agent")))
    for number in range(3 * MAX_PROGRAMS):
        profiles.of(f"exe:/tmp/{number}", NOON + number)
    held = {each.who for each in profiles}
    assert {CAMERA, GATEWAY} <= held
    assert len(held) <= MAX_PROGRAMS + 1
    gone = profiles.gone()
    assert gone == {f"exe:/tmp/{number}" for number in range(3 * MAX_PROGRAMS)} - held
    back = next(iter(gone))
    profiles.of(back, NOON)
    assert back not in profiles.gone()
    profiles.erased(gone)
    assert not profiles.gone() - {each for each in gone if each not in held}


def test_what_programs_do_takes_no_values_from_devices() -> None:
    profiles = Profiles([], lambda _: DevicePolicy(learning=0.0))
    profiles.learn(Met(NOON, CAMERA, flow(name="a.example")))
    mine = len(profiles.of(CAMERA, NOON))
    for each in range(200):
        for number in range(60):
            peer = f"198.51.{number}.{each}"
            found = flow(peer, 1000 + number, name=f"{number}.example{each}.org", mac=NOBODY)
            profiles.learn(Met(NOON, f"exe:/usr/bin/{each}", found))
    assert len(profiles.of(CAMERA, NOON)) == mine
    theirs = sum(len(each) for each in profiles if is_program(each.who))
    assert MAX_PROGRAM_VALUES - 200 <= theirs <= MAX_PROGRAM_VALUES


def test_the_gateways_profile_comes_back_from_disk() -> None:
    profiles = Profiles([], lambda _: DevicePolicy())
    profiles.learn(bound(image("/usr/bin/agent", container="0123456789ab")))
    (changed,) = profiles.changed()
    back = Profile.from_wire(changed.to_wire())
    assert back.facets["listener"].has("tcp/8080 /usr/bin/agent@*")
    assert set(back.facets) == set(changed.facets)
    assert "listener" not in Profile.from_wire(Profile(CAMERA, NOON).to_wire()).facets


def test_no_model_of_behaviour_is_made_of_programs() -> None:
    profiles = Profiles([], lambda _: DevicePolicy())
    for who in (CAMERA, AGENT):
        profiles.learn(Began(NOON, who, flow(mac=NOBODY)))
    profiles.learn(Look(NOON + 5))
    assert profiles.of(CAMERA, NOON).model is not None
    assert profiles.of(AGENT, NOON).model is None


# The journal, and what is accepted


async def test_an_event_of_a_program_comes_back_as_one(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    journal = Journal(path)
    now = time.time()
    journal.note(notice(time=now))
    journal.note(notice("/usr/bin/other", time=now))
    journal.note(notice(time=now + 5))
    await journal.write()
    found = await journal.select(GetEvents())
    assert [(each.process, each.count) for each in found] == [
        ("/usr/bin/agent", 2),
        ("/usr/bin/other", 1),
    ]
    journal.close()
    again = Journal(path)
    again.note(notice(time=now + 9))
    assert not again._waiting, "a restart goes on counting"
    again.close()


async def test_one_program_uses_up_no_others_share(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "events.db")
    for number in range(20):
        journal.note(notice(subject=f"new_listener tcp/{number}"))
    journal.note(notice("/usr/bin/other"))
    await journal.write()
    found = await journal.select(GetEvents())
    assert [each.process for each in found].count("/usr/bin/agent") == 6
    assert found[-1].process == "/usr/bin/other"
    journal.close()


def acceptance(store: Store, process: str) -> Any:
    return store.accept(
        Acceptance(
            id=0,
            time=NOON,
            seq=1,
            kind="unexpected_process",
            mac=None,
            address="192.168.0.1",
            subject="new_listener tcp/8080",
            summary="agent listens.",
            evidence={},
            process=process,
        )
    )


def test_what_is_accepted_is_of_this_program_only(tmp_path: Path) -> None:
    store = Store(tmp_path / "devices.db")
    kept = acceptance(store, "/usr/bin/agent")
    assert store.accepted() == [kept]
    accepted = Accepted(store.accepted())
    assert list(accepted.of(notice())) == [{}]
    assert not list(accepted.of(notice("/usr/bin/other")))
    assert not list(accepted.of(notice(None)))
    assert not list(accepted.of(notice(subject="new_listener tcp/8081")))
    assert alike.what(kept.to_wire(), "/usr/bin/agent") == "that /usr/bin/agent listens on tcp/8080"
    store.close()


def test_a_store_of_an_earlier_version_gets_the_column(tmp_path: Path) -> None:
    path = tmp_path / "devices.db"
    Store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE accepted DROP COLUMN process")
    connection.close()
    store = Store(path)
    assert acceptance(store, "/usr/bin/agent") in store.accepted()
    store.close()


def test_the_key_of_a_programs_flow_has_no_mac() -> None:
    found = flow(mac=NOBODY, protocol=UDP)
    assert FlowKey.unpack(found.packed).mac == bytes(6)
    assert found.key.peer == packed("203.0.113.9")
