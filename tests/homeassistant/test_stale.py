"""Devices that are not seen any more, and randomised MACs: what goes, what stays, what comes back."""

import logging
from collections.abc import Callable
from time import time
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    label_registry as lr,
)
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hearthwall import hub
from custom_components.hearthwall.bpf.hearthwall_sensor.requests import AddBlock, ForgetDevice
from custom_components.hearthwall.const import (
    CONF_RANDOMISED_DEVICES,
    CONF_REMOVE_AFTER,
    CONF_REMOVE_RANDOMISED_AFTER,
    DOMAIN,
)
from tests.devices import CAMERA, PHONE, TV
from tests.homeassistant.peer import Peer, device
from tests.homeassistant.test_init import wait_for

DAY = 86400.0
STRANGER = "06:00:00:00:00:01"
#: Who is seen all the time, and has no entities.
SOMEBODY = "06:00:00:00:00:02"


class Clock:
    """The gateway's clock, which days can be added to: the connection goes by the real one."""

    def __init__(self) -> None:
        self.days = 0.0

    def __call__(self) -> float:
        return time() + self.days * DAY


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that the gateway goes by."""
    clock = Clock()
    monkeypatch.setattr(hub, "time", clock)
    return clock


def registered(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, dr.DeviceEntry]:
    """Return the registered devices, by MAC; the gateway has none."""
    return {
        value.removeprefix(f"{entry.entry_id}_"): each
        for each in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
        for _, value in each.identifiers
        if value != entry.entry_id
    }


def entities(hass: HomeAssistant, entry: MockConfigEntry) -> int:
    """Return how many entities are registered."""
    return len(er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id))


async def judge(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Let the gateway's clock strike."""
    entry.runtime_data._async_judge_presence(None)
    await hass.async_block_till_done()


async def later(
    hass: HomeAssistant, entry: MockConfigEntry, clock: Clock, days: float, peer: Peer
) -> None:
    """Let days pass in which the sensor sees somebody else."""
    clock.days += days
    somebody = device(SOMEBODY, addresses=(), upload_packets=1, last_seen=clock())
    peer.devices = [*(each for each in peer.devices if each.mac != SOMEBODY), somebody]
    await peer.tell(devices=[somebody])
    await judge(hass, entry)


@pytest.fixture
async def phone(hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer) -> dr.DeviceEntry:
    """A phone with a randomised MAC that was there once."""
    peer.devices.append(device(PHONE, randomised=True))
    await peer.tell(devices=peer.devices[-1:])
    await hass.async_block_till_done()
    return registered(hass, loaded)[PHONE]


async def test_what_is_not_seen_for_long_goes_and_comes_back_when_it_speaks(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    phone: dr.DeviceEntry,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    per_device = entities(hass, loaded) - (before := _without(hass, loaded, phone))
    await later(hass, loaded, clock, 6.9, peer)
    assert set(registered(hass, loaded)) == {CAMERA, TV, PHONE}
    await later(hass, loaded, clock, 0.2, peer)
    assert set(registered(hass, loaded)) == {CAMERA, TV}
    assert entities(hass, loaded) == before
    assert per_device > 0
    assert caplog.text.count("Removed 1 devices") == 1
    assert not peer.orders(ForgetDevice), "the sensor still knows it"
    # It says something of it, but not that it spoke: a rate that fell, a name
    await peer.tell(devices=[device(PHONE, randomised=True, last_seen=clock() - 8 * DAY)])
    assert PHONE not in registered(hass, loaded)
    await peer.tell(devices=[device(PHONE, randomised=True, last_seen=clock())])
    await hass.async_block_till_done()
    assert registered(hass, loaded)[PHONE].id == phone.id
    assert entities(hass, loaded) == before + per_device
    assert hass.states.get("switch.02_00_5e_00_53_12_quarantine") is not None
    await later(hass, loaded, clock, 91, peer)
    assert set(registered(hass, loaded)) == set()


def _without(hass: HomeAssistant, entry: MockConfigEntry, one: dr.DeviceEntry) -> int:
    """Return how many entities are registered beside those of a device."""
    of_it = er.async_entries_for_device(er.async_get(hass), one.id, True)
    return entities(hass, entry) - len(of_it)


async def test_never_is_never(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    phone: dr.DeviceEntry,
    clock: Clock,
) -> None:
    never = {CONF_REMOVE_AFTER: 0, CONF_REMOVE_RANDOMISED_AFTER: 0}
    hass.config_entries.async_update_entry(loaded, options=never)
    await later(hass, loaded, clock, 3650, peer)
    assert set(registered(hass, loaded)) == {CAMERA, TV, PHONE}


def _name(hass: HomeAssistant, one: dr.DeviceEntry) -> None:
    dr.async_get(hass).async_update_device(one.id, name_by_user="Mine")


def _area(hass: HomeAssistant, one: dr.DeviceEntry) -> None:
    area = ar.async_get(hass).async_create("Hall")
    dr.async_get(hass).async_update_device(one.id, area_id=area.id)


def _label(hass: HomeAssistant, one: dr.DeviceEntry) -> None:
    label = lr.async_get(hass).async_create("guests")
    dr.async_get(hass).async_update_device(one.id, labels={label.label_id})


def _entity(**change: Any) -> Callable[[HomeAssistant, dr.DeviceEntry], None]:
    def touch(hass: HomeAssistant, one: dr.DeviceEntry) -> None:
        registry = er.async_get(hass)
        entities = er.async_entries_for_device(registry, one.id)
        tracker = next(each for each in entities if each.domain == "device_tracker")
        registry.async_update_entity(tracker.entity_id, **change)

    return touch


@pytest.mark.parametrize(
    "touch",
    [
        _name,
        _area,
        _label,
        _entity(name="Mine"),
        _entity(icon="mdi:phone"),
        _entity(hidden_by=er.RegistryEntryHider.USER),
        _entity(disabled_by=er.RegistryEntryDisabler.USER),
    ],
)
async def test_what_the_user_did_something_for_stays(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    phone: dr.DeviceEntry,
    clock: Clock,
    touch: Callable[[HomeAssistant, dr.DeviceEntry], None],
) -> None:
    touch(hass, phone)
    await hass.async_block_till_done()
    await later(hass, loaded, clock, 3650, peer)
    assert set(registered(hass, loaded)) == {PHONE}
    hass.config_entries.async_update_entry(loaded, options={CONF_RANDOMISED_DEVICES: False})
    await judge(hass, loaded)
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done()
    assert set(registered(hass, loaded)) == {PHONE}
    assert hass.states.get("switch.02_00_5e_00_53_12_quarantine") is not None, "and is no ruin"


async def test_what_has_a_rule_or_a_name_at_the_sensor_stays(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    phone: dr.DeviceEntry,
    clock: Clock,
) -> None:
    named = device(TV, name="Telly")
    block = peer._block(AddBlock(target=PHONE))
    await peer.tell(blocks=[block], devices=[named])
    await later(hass, loaded, clock, 3650, peer)
    assert set(registered(hass, loaded)) == {TV, PHONE}
    await peer.tell(removed_blocks=[block.id])
    await later(hass, loaded, clock, 1, peer)
    assert set(registered(hass, loaded)) == {TV}


async def test_what_an_automation_or_a_person_needs_stays(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    phone: dr.DeviceEntry,
    clock: Clock,
) -> None:
    action = {"action": "hearthwall.release", "target": {"device_id": phone.id}}
    automation = {
        "alias": "Let in",
        "triggers": [{"trigger": "event", "event_type": "never"}],
        "actions": [action],
    }
    person = {"id": "1", "name": "Ann", "device_trackers": ["device_tracker.camera_presence"]}
    assert await async_setup_component(hass, "automation", {"automation": [automation]})
    assert await async_setup_component(hass, "person", {"person": [person]})
    await hass.async_block_till_done()
    await later(hass, loaded, clock, 3650, peer)
    assert set(registered(hass, loaded)) == {CAMERA, PHONE}
    await hass.services.async_call("automation", "turn_off", {"entity_id": "all"}, blocking=True)


async def test_randomised_macs_need_not_be_shown(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, phone: dr.DeviceEntry
) -> None:
    hass.config_entries.async_update_entry(loaded, options={CONF_RANDOMISED_DEVICES: False})
    await judge(hass, loaded)
    assert set(registered(hass, loaded)) == {CAMERA, TV}
    await peer.tell(devices=[device(PHONE, randomised=True), device(STRANGER, randomised=True)])
    await hass.async_block_till_done()
    assert set(registered(hass, loaded)) == {CAMERA, TV}
    assert hass.states.get("sensor.hearthwall_devices_online").state == "4", "it is there, though"
    await peer.tell(devices=[device(PHONE, randomised=True, name="Ann's phone")])
    await hass.async_block_till_done()
    assert set(registered(hass, loaded)) == {CAMERA, TV, PHONE}, "it has a name at the sensor"
    hass.config_entries.async_update_entry(loaded, options={})
    await peer.tell(devices=[device(STRANGER, randomised=True)])
    await hass.async_block_till_done()
    assert STRANGER in registered(hass, loaded)


async def test_what_the_sensor_does_not_know_any_more_goes_after_the_same_time(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, clock: Clock
) -> None:
    peer.devices = [device(TV)]
    await peer.tell(removed_devices=[CAMERA])
    await judge(hass, loaded)
    await later(hass, loaded, clock, 60, peer)
    assert set(registered(hass, loaded)) == {CAMERA, TV}
    peer.devices = [device(TV, last_seen=clock())]
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done()
    await later(hass, loaded, clock, 20, peer)
    assert set(registered(hass, loaded)) == {CAMERA, TV}
    await later(hass, loaded, clock, 11, peer)
    assert set(registered(hass, loaded)) == {TV}, "the days before the restart count"


async def test_nothing_goes_while_the_sensor_sees_nobody_or_cannot_be_asked(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, clock: Clock
) -> None:
    clock.days += 3650
    await judge(hass, loaded)
    assert set(registered(hass, loaded)) == {CAMERA, TV}
    await peer.stop()
    await wait_for(lambda: not loaded.runtime_data.available)
    hass.config_entries.async_update_entry(loaded, options={CONF_RANDOMISED_DEVICES: False})
    await judge(hass, loaded)
    assert set(registered(hass, loaded)) == {CAMERA, TV}


async def test_a_sensors_wrong_clock_removes_nobody(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    await peer.tell(devices=[device(mac, last_seen=1000.0) for mac in (CAMERA, TV)])
    await judge(hass, loaded)
    assert set(registered(hass, loaded)) == {CAMERA, TV}


async def test_what_went_long_ago_gets_no_entities_at_a_restart(
    hass: HomeAssistant, entry: MockConfigEntry, peer: Peer
) -> None:
    peer.devices.append(device(PHONE, randomised=True, last_seen=time() - 8 * DAY))
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert set(registered(hass, entry)) == {CAMERA, TV}
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_thousand_randomised_macs_over_weeks(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Each day 24 phones come that never come again; those of the last week are there, and no more."""
    # Thousands of entities come: tracebacks of each future and a line of each entity take most of the time.
    hass.loop.set_debug(enabled=False)
    caplog.set_level(logging.WARNING, "homeassistant")
    most = 0
    for day in range(42):
        came = [
            device(f"02:00:00:00:{day:02x}:{n:02x}", randomised=True, last_seen=clock())
            for n in range(24)
        ]
        peer.devices += came
        at_home = [device(mac, last_seen=clock()) for mac in (CAMERA, TV)]
        await peer.tell(devices=[*came, *at_home])
        await hass.async_block_till_done()
        await later(hass, loaded, clock, 1, peer)
        most = max(most, len(registered(hass, loaded)))
    assert 2 + 24 * 6 <= most <= 2 + 24 * 7
    per_device = len(
        er.async_entries_for_device(er.async_get(hass), registered(hass, loaded)[TV].id, True)
    )
    assert entities(hass, loaded) <= (most + 1) * per_device
    states = [each for each in hass.states.async_entity_ids("switch") if "quarantine" in each]
    assert len(states) <= most
    # Nor after a restart, though the sensor tells of all of them
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done()
    await judge(hass, loaded)
    assert len(registered(hass, loaded)) <= most
    peer.devices = []


async def test_what_is_noted_goes_with_the_entry(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, hass_storage: dict[str, Any]
) -> None:
    await peer.tell(removed_devices=[CAMERA])
    await judge(hass, loaded)
    assert await hass.config_entries.async_unload(loaded.entry_id)
    key = f"{DOMAIN}.{loaded.entry_id}.unknown"
    assert list(hass_storage[key]["data"]) == [CAMERA]
    await hass.config_entries.async_remove(loaded.entry_id)
    assert key not in hass_storage
