"""Events: each is told once and in order, whatever happens to the connection or to Home Assistant."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED, STATE_UNAVAILABLE
from homeassistant.core import CoreState, Event as HassEvent, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hearthwall import async_unload_entry, events, link
from custom_components.hearthwall.bpf.hearthwall_sensor.kinds import KINDS
from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import SensorError
from custom_components.hearthwall.bpf.hearthwall_sensor.requests import GetEvents
from custom_components.hearthwall.const import DOMAIN
from tests.devices import CAMERA, PHONE, TV
from tests.homeassistant.peer import Peer, device, event
from tests.homeassistant.test_init import CONNECTION, state, wait_for

SECURITY = "event.hearthwall_security"

Told = list[int]


@pytest.fixture
def told(hass: HomeAssistant) -> Iterator[Told]:
    """The numbers of the events that an automation's trigger `event.received` would see."""
    told: Told = []

    @callback
    def note(change: HassEvent[Any]) -> None:
        old, new = change.data["old_state"], change.data["new_state"]
        if change.data["entity_id"] != SECURITY or old is None or new is None:
            return
        if STATE_UNAVAILABLE not in {old.state, new.state} and old.state != new.state:
            told.append(new.attributes["seq"])

    unsubscribe = hass.bus.async_listen("state_changed", note)
    yield told
    unsubscribe()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "FIRST_RETRY", 0.05)


async def lose_connection(hass: HomeAssistant, peer: Peer, meanwhile: Callable[[], None]) -> None:
    """Take the sensor away, let something happen there, and bring it back."""
    await peer.stop()
    await wait_for(lambda: state(hass, CONNECTION) == "off")
    meanwhile()
    await peer.start()
    await wait_for(lambda: state(hass, CONNECTION) == "on")


async def test_an_event_is_shown_with_all_that_an_automation_needs(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, told: Told
) -> None:
    assert state(hass, SECURITY) == "unknown"
    await peer.happen(
        event(
            1,
            peer_name="pool.example",
            evidence={"packets": 3, "why": "It never did."},
            technique="T1071",
            subject="203.0.113.66",
        )
    )
    assert told == [1]
    found = hass.states.get(SECURITY)
    assert found is not None
    camera = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, f"{loaded.entry_id}_{CAMERA}"), loaded.entry_id
    )
    assert camera is not None
    said = found.attributes
    assert said["event_type"] == "threat_address"
    assert said["device_id"] == camera.id
    expected = {
        "kind": "threat_address",
        "severity": "high",
        "summary": "number 1",
        "why": "It never did.",
        "advice": KINDS["threat_address"].advice,
        "seq": 1,
        "technique": "T1071",
        "mac": CAMERA,
        "peer_address": "203.0.113.66",
        "peer_name": "pool.example",
        "subject": "203.0.113.66",
        "count": 1,
    }
    assert {key: said[key] for key in expected} == expected
    assert not peer.orders(GetEvents), "what a delta brings is not asked for"


async def test_each_of_a_flock_is_told(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, told: Told
) -> None:
    await peer.happen(*(event(seq) for seq in range(1, 21)))
    await peer.happen(event(21, kind="flood"))
    assert told == list(range(1, 22))


async def test_a_kind_that_only_a_newer_sensor_knows_is_told_as_other(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, told: Told
) -> None:
    await peer.happen(event(1, kind="unheard_of", mac="02:00:00:00:00:99"))
    found = hass.states.get(SECURITY)
    assert found is not None
    assert told == [1]
    assert found.attributes["event_type"] == "other"
    assert found.attributes["kind"] == "unheard_of"
    assert found.attributes["advice"] is None
    assert found.attributes["device_id"] is None


async def test_the_first_connection_tells_no_old_stories(
    hass: HomeAssistant, entry: MockConfigEntry, peer: Peer, told: Told
) -> None:
    peer.events = [event(seq) for seq in range(1, 40)]
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=False)
    assert told == []
    await peer.happen(event(40))
    await wait_for(lambda: told == [40])
    await hass.config_entries.async_unload(entry.entry_id)


async def test_what_happens_without_a_connection_is_told_afterwards(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    told: Told,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(events, "PAGE", 4)
    await peer.happen(event(1))
    await lose_connection(
        hass, peer, lambda: peer.events.extend(event(seq) for seq in range(2, 13))
    )
    await wait_for(lambda: len(told) == 12)
    await peer.happen(event(13))
    assert told == list(range(1, 14))


async def test_a_lost_connection_alone_is_no_event(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, told: Told
) -> None:
    await peer.happen(event(1))
    before = state(hass, SECURITY)
    during: list[str] = []
    await lose_connection(hass, peer, lambda: during.append(state(hass, SECURITY)))
    assert during == [before], "what happened has happened"
    await wait_for(lambda: bool(peer.orders(GetEvents)))
    await asyncio.sleep(0.1)
    assert told == [1]


async def test_what_happens_while_the_missed_ones_are_read_comes_after_them(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    told: Told,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    peer.silent.add("events")  # the answer does not come before the next connection
    await peer.happen(event(1))
    await lose_connection(hass, peer, lambda: peer.events.append(event(2)))
    await wait_for(lambda: bool(peer.orders(GetEvents)))
    await peer.happen(event(3))
    assert told == [1]
    peer.silent.clear()
    await lose_connection(hass, peer, lambda: peer.events.append(event(4)))
    await wait_for(lambda: len(told) == 4)
    assert told == [1, 2, 3, 4]


async def test_nothing_is_lost_or_told_twice_over_a_restart(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    told: Told,
    hass_storage: dict[str, Any],
) -> None:
    await peer.happen(event(1), event(2))
    assert await hass.config_entries.async_unload(loaded.entry_id)
    kept = hass_storage[f"{DOMAIN}.{loaded.entry_id}.events"]["data"]
    assert kept == {"seq": 2, "time": event(2).time}
    peer.events += [event(3), event(4)]
    told.clear()
    assert await hass.config_entries.async_setup(loaded.entry_id)
    await wait_for(lambda: len(told) >= 2)
    await hass.async_block_till_done(wait_background_tasks=False)
    assert told == [3, 4]


async def test_what_happens_during_an_unload_is_told_afterwards(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    told: Told,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unload = hass.config_entries.async_unload_platforms

    async def unload_platforms(*args: Any) -> bool:
        unloaded = await unload(*args)
        await peer.happen(event(1))
        return unloaded

    monkeypatch.setattr(hass.config_entries, "async_unload_platforms", unload_platforms)
    assert await hass.config_entries.async_unload(loaded.entry_id)
    assert told == []
    monkeypatch.undo()
    assert await hass.config_entries.async_setup(loaded.entry_id)
    await wait_for(lambda: told == [1])


async def test_an_unload_that_fails_stops_no_events(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    told: Told,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(*args: Any) -> bool:
        return False

    monkeypatch.setattr(hass.config_entries, "async_unload_platforms", fail)
    assert not await async_unload_entry(hass, loaded)
    await peer.happen(event(1))
    await wait_for(lambda: told == [1])
    monkeypatch.undo()


async def test_events_wait_until_home_assistant_has_started(
    hass: HomeAssistant, entry: MockConfigEntry, peer: Peer, told: Told, hass_storage: Any
) -> None:
    """Automations listen no sooner, and an event is told once."""
    hass_storage[f"{DOMAIN}.{entry.entry_id}.events"] = {
        "version": 1,
        "minor_version": 1,
        "key": f"{DOMAIN}.{entry.entry_id}.events",
        "data": {"seq": 1, "time": event(1).time},
    }
    peer.events = [event(1), event(2)]
    hass.set_state(CoreState.starting)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await peer.happen(event(3))
    await asyncio.sleep(0.1)
    assert told == []
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await wait_for(lambda: len(told) >= 2)
    assert told == [2, 3]
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize("newest", [1, 2, 3])
async def test_a_new_journal_is_read_from_its_beginning(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, told: Told, newest: int
) -> None:
    await peer.happen(event(1), event(2))

    def begin_again() -> None:
        peer.events = [
            replace(event(seq), time=1_800_000_000.0 + seq) for seq in range(1, newest + 1)
        ]

    await lose_connection(hass, peer, begin_again)
    await wait_for(lambda: len(told) == 2 + newest)
    assert told == [1, 2, *range(1, newest + 1)]


async def test_a_new_journal_is_known_as_one_though_the_first_look_at_it_fails(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    told: Told,
) -> None:
    await peer.happen(event(1), event(2))
    peer.errors["events"] = SensorError("internal")

    def begin_again() -> None:
        peer.events = [replace(event(seq), time=1_800_000_000.0 + seq) for seq in (1, 2)]

    await lose_connection(hass, peer, begin_again)
    await wait_for(lambda: bool(peer.orders(GetEvents)))
    peer.errors.clear()
    await peer.happen(event(3))
    await wait_for(lambda: len(told) == 5)
    assert told == [1, 2, 1, 2, 3]


async def test_how_far_it_has_come_is_on_disk_soon(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, hass_storage: dict[str, Any]
) -> None:
    await peer.happen(event(1))
    key = f"{DOMAIN}.{loaded.entry_id}.events"
    await wait_for(lambda: key in hass_storage)
    assert hass_storage[key]["data"]["seq"] == 1


async def test_what_the_sensor_has_forgotten_is_counted_and_said(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    told: Told,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await peer.happen(event(1))

    def forget() -> None:
        peer.events = [event(seq) for seq in range(8, 11)]

    await lose_connection(hass, peer, forget)
    await wait_for(lambda: told == [1, 8, 9, 10])
    assert loaded.runtime_data.events.lost == 6
    assert "6 events are lost" in caplog.text


async def test_an_event_that_is_in_no_journal_does_not_stop_the_others(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, told: Told
) -> None:
    await peer.happen(event(1))
    await peer.tell(events=[event(4)])
    await wait_for(lambda: loaded.runtime_data.events.lost == 3)
    await peer.happen(event(5))
    assert told == [1, 5]


async def test_events_that_cannot_be_read_are_read_with_the_next(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, told: Told
) -> None:
    peer.errors["events"] = SensorError("internal")
    await lose_connection(hass, peer, lambda: peer.events.append(event(1)))
    await wait_for(lambda: bool(peer.orders(GetEvents)))
    await asyncio.sleep(0.05)
    assert told == []
    peer.errors.clear()
    await peer.happen(event(2))
    await wait_for(lambda: told == [1, 2])


async def test_evidence_is_not_recorded(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    found = hass.states.get(SECURITY)
    assert found is not None
    unrecorded = (found.state_info or {}).get("unrecorded_attributes", frozenset())
    assert {"evidence", "event_types"} <= unrecorded


async def test_a_removed_entry_leaves_no_file(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, hass_storage: dict[str, Any]
) -> None:
    await peer.happen(event(1))
    await hass.config_entries.async_unload(loaded.entry_id)
    assert f"{DOMAIN}.{loaded.entry_id}.events" in hass_storage
    await hass.config_entries.async_remove(loaded.entry_id)
    await hass.async_block_till_done()
    assert f"{DOMAIN}.{loaded.entry_id}.events" not in hass_storage


# Each device's own entity


async def test_each_device_shows_its_own_events(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    await peer.happen(event(1), event(2, mac=TV), event(3, mac=None))
    shown = {
        name: state.attributes.get("seq")
        for name in ("camera", "acme_53_13", "hearthwall")
        if (state := hass.states.get(f"event.{name}_security"))
    }
    assert shown == {"camera": 1, "acme_53_13": 2, "hearthwall": 3}


async def test_an_event_of_a_merged_mac_is_the_devices(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    await peer.tell(devices=[device(CAMERA, hostname="camera", other_macs=(PHONE,))])
    await peer.happen(event(1, mac=PHONE))
    assert hass.states.get("event.camera_security").attributes["seq"] == 1


async def test_what_told_of_a_new_device_is_its_first_event(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    seen: list[tuple[str | None, str]] = []

    @callback
    def note(change: HassEvent[Any]) -> None:
        old, new = change.data["old_state"], change.data["new_state"]
        if change.data["entity_id"] == "event.phone_security":
            seen.append((old and old.state, new.attributes.get("kind")))

    unsubscribe = hass.bus.async_listen("state_changed", note)
    new = event(1, kind="new_device", mac=PHONE)
    peer.events.append(new)
    await peer.tell(devices=[device(PHONE, hostname="phone")], events=[new])
    await hass.async_block_till_done()
    assert seen == [(None, None), ("unknown", "new_device")]
    unsubscribe()


async def test_a_device_that_had_events_is_told_none_of_them_again(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    await peer.happen(event(1))
    before = hass.states.get("event.camera_security").state
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done()
    assert hass.states.get("event.camera_security").state == before


@pytest.mark.parametrize(
    ("summary", "said", "fields"),
    [
        (f"{CAMERA}: quarantine was taken back", "My `cam`: quarantine was taken back", {}),
        ("192.168.20.21 speaks Stratum", "My `cam` speaks Stratum", {}),
        (
            "203.0.113.5 on the internet tries many ports of 192.168.20.21: 9 within 5 s",
            "203.0.113.5 on the internet tries many ports of My `cam`: 9 within 5 s",
            {},
        ),
        ("MY 'cam' talks to 192.168.20.21", None, {}),
        ("192.168.20.210 speaks Stratum", None, {}),
        ("10.192.168.20.21 speaks Stratum", None, {}),
        ("192.168.20.21.5 speaks Stratum", None, {}),
        (f"{CAMERA}:01 speaks Stratum", None, {}),
        ("laptop claims 192.168.20.21", None, {"kind": "address_conflict"}),
        ("192.168.20.21 speaks Stratum", None, {"mac": None}),
        ("192.168.20.21 speaks Stratum", None, {"mac": "02:00:00:00:00:77"}),
    ],
)
async def test_a_summary_has_the_devices_name(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    summary: str,
    said: str | None,
    fields: dict[str, Any],
) -> None:
    camera = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, f"{loaded.entry_id}_{CAMERA}"), loaded.entry_id
    )
    assert camera is not None
    dr.async_get(hass).async_update_device(camera.id, name_by_user="My `cam`\u202e\n")
    await peer.happen(event(1, **{"summary": summary, "address": "192.168.20.21", **fields}))
    found = hass.states.get(SECURITY)
    assert found is not None
    assert found.attributes["summary"] == (said or summary).replace("`", "'")
    assert found.attributes["sensor_summary"] == summary


async def test_a_long_name_leaves_room_in_a_summary(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    camera = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, f"{loaded.entry_id}_{CAMERA}"), loaded.entry_id
    )
    assert camera is not None
    dr.async_get(hass).async_update_device(camera.id, name_by_user="\\1" * 200)
    await peer.happen(event(1, summary=f"{CAMERA} speaks Stratum"))
    found = hass.states.get(SECURITY)
    assert found is not None
    said = found.attributes["summary"]
    assert said.startswith("\\1\\1")
    assert said.endswith("… speaks Stratum")
    assert len(said) < 100
