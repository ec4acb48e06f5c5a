"""Hints: what the sensor is told of what Home Assistant knows of the home's devices."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er, label_registry as lr
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockModule,
    async_fire_time_changed,
    mock_integration,
)

from custom_components.hearthwall import hints, link
from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import SensorError
from custom_components.hearthwall.bpf.hearthwall_sensor.requests import Hint, SetHints
from custom_components.hearthwall.const import CONF_GIVE_HINTS
from tests.devices import CAMERA, PHONE, TV
from tests.homeassistant.peer import Peer, device
from tests.homeassistant.test_devices import camera
from tests.homeassistant.test_init import wait_for

Knows = Callable[..., dr.DeviceEntry]


@pytest.fixture
def knows(hass: HomeAssistant) -> Knows:
    """What lets an integration of this class know a MAC."""

    def know(mac: str = CAMERA, iot_class: str | None = "local_push", domain: str = "") -> Any:
        domain = domain or f"of_{iot_class}"
        module = MockModule(domain, partial_manifest={"iot_class": iot_class})
        mock_integration(hass, module, built_in=False)
        entry = next(iter(hass.config_entries.async_entries(domain)), None)
        if entry is None:
            entry = MockConfigEntry(domain=domain)
            entry.add_to_hass(hass)
        return dr.async_get(hass).async_get_or_create(
            config_entry_id=entry.entry_id, connections={(dr.CONNECTION_NETWORK_MAC, mac)}
        )

    return know


def add_entity(hass: HomeAssistant, known: dr.DeviceEntry, domain: str) -> None:
    """Give a device an entity."""
    entry = hass.config_entries.async_get_entry(known.config_entry_id)
    assert entry is not None
    er.async_get(hass).async_get_or_create(
        domain, entry.domain, f"{known.id}_{domain}", config_entry=entry, device_id=known.id
    )


async def told(peer: Peer, expected: dict[str, Hint]) -> None:
    """Wait until the sensor was told this."""
    await wait_for(lambda: [each.hints for each in peer.orders(SetHints)][-1:] == [expected])


async def settle(hass: HomeAssistant) -> None:
    await hass.async_block_till_done()
    await asyncio.sleep(0.1)
    await hass.async_block_till_done()


async def test_a_device_that_is_reached_in_the_home_only_is_said_to_be_local(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, knows: Knows
) -> None:
    await told(peer, {})
    knows(iot_class="local_polling")
    await told(peer, {CAMERA: Hint(local=True)})
    knows(TV, iot_class="cloud_push")
    knows(iot_class="local_push")
    await settle(hass)
    assert len(peer.orders(SetHints)) == 2, "nothing else is to be said"
    knows(iot_class="cloud_polling")
    await told(peer, {})


@pytest.mark.parametrize("iot_class", ["cloud_polling", "assumed_state", "calculated", None])
async def test_what_is_not_known_to_be_local_is_not_said_to_be(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, knows: Knows, iot_class: str | None
) -> None:
    knows(iot_class=iot_class)
    await settle(hass)
    assert [each.hints for each in peer.orders(SetHints)] == [{}]


async def test_who_only_looks_at_the_network_has_no_say(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    knows: Knows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hints, "MOST_DEVICES", 3)
    add_entity(hass, knows(TV, domain="some_router"), "device_tracker")
    knows(CAMERA, domain="some_router")
    knows(CAMERA, domain="nmap_tracker")
    for number in range(3):
        knows(f"02:00:00:00:00:0{number}", domain="some_hub")
    knows(CAMERA, domain="some_hub")
    await settle(hass)
    assert [each.hints for each in peer.orders(SetHints)] == [{}]
    knows(CAMERA, domain="its_own")
    await told(peer, {CAMERA: Hint(local=True)})


async def test_what_plays_media_is_not_said_to_be_local(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, knows: Knows
) -> None:
    known = knows(TV)
    await told(peer, {TV: Hint(local=True)})
    add_entity(hass, known, "media_player")
    await told(peer, {})


async def test_a_device_that_is_disabled_says_nothing(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, knows: Knows
) -> None:
    known = knows()
    await told(peer, {CAMERA: Hint(local=True)})
    dr.async_get(hass).async_update_device(known.id, disabled_by=dr.DeviceEntryDisabler.USER)
    await told(peer, {})


async def test_labels_are_told_by_name_and_as_automations_call_them(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, knows: Knows
) -> None:
    labels = lr.async_get(hass)
    ours, others = labels.async_create("Kids' room"), labels.async_create("cameras")
    long = labels.async_create("x" * 100)
    devices = dr.async_get(hass)
    devices.async_update_device(camera(hass, loaded).id, labels={ours.label_id, long.label_id})
    devices.async_update_device(knows().id, labels={others.label_id})
    await told(
        peer,
        {CAMERA: Hint(local=True, labels=tuple(sorted({"Kids' room", "kids_room", "cameras"})))},
    )
    labels.async_update(ours.label_id, name="Nursery")
    await told(
        peer, {CAMERA: Hint(local=True, labels=tuple(sorted({"Nursery", "kids_room", "cameras"})))}
    )


async def test_what_is_known_of_a_merged_mac_is_known_of_the_device(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, knows: Knows
) -> None:
    await peer.tell(devices=[device(CAMERA, hostname="camera", other_macs=(PHONE,))])
    knows(PHONE)
    await told(peer, {CAMERA: Hint(local=True)})


async def test_a_sensor_that_comes_back_is_told_again(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    knows: Knows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(link, "FIRST_RETRY", 0.05)
    knows()
    await told(peer, {CAMERA: Hint(local=True)})
    peer.received.clear()
    await peer.stop()
    await peer.start()
    await told(peer, {CAMERA: Hint(local=True)})


async def test_a_sensor_that_takes_none_is_told_with_the_next_change(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, knows: Knows
) -> None:
    await told(peer, {})
    peer.errors["set_hints"] = SensorError("unknown_command")
    knows()
    await wait_for(lambda: len(peer.orders(SetHints)) == 2)
    peer.errors.clear()
    knows(TV, iot_class="cloud_push")
    await wait_for(lambda: len(peer.orders(SetHints)) == 3)
    await told(peer, {CAMERA: Hint(local=True)})


async def test_hints_can_be_switched_off_and_are_taken_back(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, knows: Knows
) -> None:
    knows()
    await told(peer, {CAMERA: Hint(local=True)})
    hass.config_entries.async_update_entry(loaded, options={CONF_GIVE_HINTS: False})
    await settle(hass)
    async_fire_time_changed(hass, fire_all=True)
    await told(peer, {})
    knows(TV)
    await settle(hass)
    assert peer.orders(SetHints)[-1].hints == {}


async def test_a_sensor_that_may_only_be_read_is_told_nothing(
    hass: HomeAssistant, entry: MockConfigEntry, peer: Peer, knows: Knows
) -> None:
    knows()
    peer.hello["role"] = "read"
    assert await hass.config_entries.async_setup(entry.entry_id)
    knows(TV)
    await settle(hass)
    assert entry.runtime_data.devices
    assert peer.orders(SetHints) == []
    peer.hello["role"] = "operate"
    await hass.config_entries.async_reload(entry.entry_id)
    await told(peer, {CAMERA: Hint(local=True), TV: Hint(local=True)})
    await hass.config_entries.async_unload(entry.entry_id)


async def test_changes_that_come_together_are_told_once(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    knows: Knows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await told(peer, {})
    monkeypatch.setattr(hints, "SETTLES", 0.3)
    knows(CAMERA)
    knows(TV)
    await told(peer, {CAMERA: Hint(local=True), TV: Hint(local=True)})
    assert len(peer.orders(SetHints)) == 2


async def test_what_a_sensor_does_not_take_is_logged_once(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    knows: Knows,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await told(peer, {})
    peer.answers["set_hints"] = {"refused": {CAMERA: "labels are odd"}}
    knows()
    await told(peer, {CAMERA: Hint(local=True)})
    knows(TV)
    await told(peer, {CAMERA: Hint(local=True), TV: Hint(local=True)})
    await settle(hass)
    assert caplog.text.count(f"all that is known of {CAMERA}: labels are odd") == 1
