"""What the sensor tells, as entities."""

import asyncio
from dataclasses import replace
from functools import partial
from time import time
from typing import Any

import pytest
from homeassistant.const import STATE_HOME, STATE_NOT_HOME, STATE_OFF, STATE_ON, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.hearthwall import hub
from custom_components.hearthwall.bpf.hearthwall_sensor.modes import MODES
from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import SensorError
from custom_components.hearthwall.bpf.hearthwall_sensor.requests import AddBlock
from custom_components.hearthwall.const import CONF_CONSIDER_HOME, CONF_WRITE_INTERVAL, DOMAIN
from custom_components.hearthwall.hub import PRESENCE_INTERVAL
from tests.devices import CAMERA, PHONE, TV
from tests.homeassistant.peer import Peer, device
from tests.homeassistant.test_init import state

QUARANTINE = "switch.camera_quarantine"
SUFFIXES = {
    "device_tracker": {"presence"},
    "event": {"security"},
    "sensor": {"download_rate", "upload_rate", "total_download", "total_upload"},
    "switch": {"quarantine"},
}

#: There for those who want them.
DISABLED = {
    *("internet_download_total", "internet_upload_total", "lan_download_total", "lan_upload_total"),
    *("gateway_download_total", "gateway_upload_total", "first_seen", "last_seen"),
    *("rule", "rule_ends", "started", "memory", "flows", "lost", "dropped"),
}


async def test_each_device_and_the_gateway_have_their_entities(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    found = set(hass.states.async_entity_ids())
    for name in ("camera", "acme_53_13"):
        for domain, suffixes in SUFFIXES.items():
            assert {f"{domain}.{name}_{suffix}" for suffix in suffixes} <= found
    for key in ("devices_online", "active_blocks", "download_rate", "upload_rate"):
        assert f"sensor.hearthwall_{key}" in found
    registered = er.async_entries_for_config_entry(er.async_get(hass), loaded.entry_id)
    assert len([each for each in registered if each.disabled_by is None]) == 2 * 7 + 6
    assert {each.translation_key for each in registered if each.disabled_by} == DISABLED
    assert all(each.translation_key for each in registered)
    assert len({each.unique_id for each in registered}) == len(registered)


async def test_first_packet_after_silence_is_written_at_once(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    await peer.tell(devices=[device(CAMERA, download_bytes=5_000_000, download_rate=500_000.0)])
    assert float(state(hass, "sensor.camera_total_download")) == 5.0
    assert float(state(hass, "sensor.camera_download_rate")) == 500.0
    assert float(state(hass, "sensor.hearthwall_download_rate")) == 500.0


async def test_a_busy_entity_is_written_once_per_interval_and_the_last_value_is_not_lost(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    hass.config_entries.async_update_entry(loaded, options={CONF_WRITE_INTERVAL: 1})
    written: list[float] = []
    unsubscribe = hass.bus.async_listen(
        "state_changed",
        lambda event: (
            written.append(float(event.data["new_state"].state))
            if event.data["entity_id"] == "sensor.camera_total_download"
            else None
        ),
    )
    for megabytes in range(1, 9):
        await peer.tell(devices=[device(CAMERA, download_bytes=megabytes * 1_000_000)])
    assert written == [1.0]
    await asyncio.sleep(1.2)
    assert written == [1.0, 8.0]
    unsubscribe()


async def test_a_rate_within_the_dead_band_is_not_written(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    hass.config_entries.async_update_entry(loaded, options={CONF_WRITE_INTERVAL: 0})
    entity_id = "sensor.camera_upload_rate"
    for rate, shown in ((1000.0, 1.0), (1050.0, 1.0), (1200.0, 1.2), (0.0, 0.0)):
        await peer.tell(devices=[device(CAMERA, upload_rate=rate)])
        assert float(state(hass, entity_id)) == shown


async def test_a_new_device_appears_without_a_reload(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    assert state(hass, "sensor.hearthwall_devices_online") == "2"
    await peer.tell(devices=[device(PHONE, randomised=True)])
    await hass.async_block_till_done()
    registered = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, f"{loaded.entry_id}_{PHONE}"), loaded.entry_id
    )
    assert registered is not None
    assert registered.model == "Randomised address"
    assert state(hass, "switch.02_00_5e_00_53_12_quarantine") == STATE_OFF
    assert state(hass, "sensor.hearthwall_devices_online") == "3"


async def test_invented_macs_get_no_entities(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def registered() -> int:
        return len(dr.async_entries_for_config_entry(dr.async_get(hass), loaded.entry_id))

    before = registered()
    strangers = [
        device(f"02:00:00:00:00:{n:02x}", addresses=(), upload_packets=1) for n in range(20)
    ]
    await peer.tell(devices=strangers)
    await hass.async_block_till_done()
    assert registered() == before
    await peer.tell(devices=[replace(strangers[0], upload_packets=16)])
    await hass.async_block_till_done()
    assert registered() == before + 1
    monkeypatch.setattr(hub, "MAX_DEVICES", before + 1)
    await peer.tell(devices=[replace(each, upload_packets=16) for each in strangers])
    await hass.async_block_till_done()
    assert registered() == before + 2  # the gateway is a device, too
    assert caplog.text.count("no entities for the rest") == 1


async def test_a_device_that_the_sensor_forgets_can_be_removed_and_come_back(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    registry = dr.async_get(hass)

    def camera() -> dr.DeviceEntry | None:
        return registry.async_get_device_by_identifier(
            (DOMAIN, f"{loaded.entry_id}_{CAMERA}"), loaded.entry_id
        )

    from custom_components.hearthwall import async_remove_config_entry_device  # noqa: PLC0415

    registered = camera()
    assert registered is not None
    peer.devices = []
    await peer.tell(removed_devices=[CAMERA])
    assert state(hass, QUARANTINE) == STATE_UNAVAILABLE
    assert await async_remove_config_entry_device(hass, loaded, registered)
    registry.async_remove_device(registered.id)
    await hass.async_block_till_done()
    assert hass.states.get(QUARANTINE) is None
    await peer.tell(devices=[device(CAMERA, hostname="camera")])
    await hass.async_block_till_done()
    assert camera() is not None
    assert state(hass, QUARANTINE) == STATE_OFF


async def test_the_gateway_itself_cannot_be_removed(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    from custom_components.hearthwall import async_remove_config_entry_device  # noqa: PLC0415

    gateway = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, loaded.entry_id), loaded.entry_id
    )
    assert gateway is not None
    assert gateway.sw_version == "0.1.0"
    assert not await async_remove_config_entry_device(hass, loaded, gateway)


async def test_presence_ends_with_silence(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    tracker = "device_tracker.camera_presence"
    assert state(hass, tracker) == STATE_HOME
    found = hass.states.get(tracker)
    assert found is not None
    assert found.attributes["ip"] == "192.168.20.21"
    assert found.attributes["mac"] == CAMERA
    await peer.tell(devices=[device(CAMERA, last_seen=time() - 100, hostname="camera")])
    assert state(hass, tracker) == STATE_HOME
    hass.config_entries.async_update_entry(loaded, options={CONF_CONSIDER_HOME: 60})
    async_fire_time_changed(hass, fire_all=True)
    await hass.async_block_till_done()
    assert state(hass, tracker) == STATE_NOT_HOME
    assert state(hass, "sensor.hearthwall_devices_online") == "1"
    assert PRESENCE_INTERVAL.total_seconds() <= 60


async def test_switch_shows_the_kernels_state_at_once(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    assert state(hass, QUARANTINE) == STATE_OFF
    await hass.services.async_call("switch", "turn_on", {"entity_id": QUARANTINE}, blocking=True)
    assert state(hass, QUARANTINE) == STATE_ON
    assert state(hass, "sensor.hearthwall_active_blocks") == "1"
    assert peer.orders(AddBlock) == [
        AddBlock(target=CAMERA, mode="isolate", reason="Quarantined from Home Assistant")
    ]
    assert state(hass, "switch.acme_53_13_quarantine") == STATE_OFF
    await hass.services.async_call("switch", "turn_off", {"entity_id": QUARANTINE}, blocking=True)
    assert state(hass, QUARANTINE) == STATE_OFF
    assert peer.blocks == {}


async def test_switch_follows_what_others_order(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    block = peer._block(AddBlock(target=CAMERA))
    await peer.tell(blocks=[block])
    assert state(hass, QUARANTINE) == STATE_ON
    await peer.tell(removed_blocks=[block.id])
    assert state(hass, QUARANTINE) == STATE_OFF


async def test_another_mode_is_not_the_switchs_to_end(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    await peer.tell(blocks=[peer._block(AddBlock(target=CAMERA, mode="no_internet"))])
    assert state(hass, QUARANTINE) == STATE_OFF
    await hass.services.async_call("switch", "turn_off", {"entity_id": QUARANTINE}, blocking=True)
    assert (CAMERA, None, None) in peer.blocks


@pytest.mark.parametrize(
    "fields",
    [
        {"transport": "tcp", "port": 80},
        {"direction": "from_lan"},
        {"mode": "audit", "audits": "isolate"},
        {"mode": "rate_limit", "bytes_per_second": 10_000},
    ],
)
async def test_less_than_a_full_isolation_is_no_quarantine(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, fields: dict[str, Any]
) -> None:
    await peer.tell(blocks=[peer._block(AddBlock(target=CAMERA, **fields))])
    assert state(hass, QUARANTINE) == STATE_OFF
    await hass.services.async_call("switch", "turn_on", {"entity_id": QUARANTINE}, blocking=True)
    assert state(hass, QUARANTINE) == STATE_ON


async def test_switch_ends_the_isolation_and_leaves_rules_on_ports(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    await peer.tell(blocks=[peer._block(AddBlock(target=CAMERA, transport="tcp", port=80))])
    await hass.services.async_call("switch", "turn_on", {"entity_id": QUARANTINE}, blocking=True)
    await hass.services.async_call("switch", "turn_off", {"entity_id": QUARANTINE}, blocking=True)
    assert state(hass, QUARANTINE) == STATE_OFF
    assert list(peer.blocks) == [(CAMERA, "tcp", 80)]


async def test_a_replaced_rules_end_is_not_the_new_ones(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    old = peer._block(AddBlock(target=CAMERA))
    await peer.tell(blocks=[old])
    await peer.tell(blocks=[peer._block(AddBlock(target=CAMERA))])
    await peer.tell(removed_blocks=[old.id])
    assert state(hass, QUARANTINE) == STATE_ON
    assert state(hass, "sensor.hearthwall_active_blocks") == "1"


async def test_the_rule_sensor_says_what_the_switch_cannot(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    rule = "sensor.camera_rule"
    assert hass.states.get(rule) is None, "for those who want it"
    er.async_get(hass).async_update_entity(rule, disabled_by=None)
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done()
    assert state(hass, rule) == "none"
    for mode in MODES:
        block = peer._block(AddBlock(target=CAMERA, mode=mode))
        await peer.tell(blocks=[block])
        assert state(hass, rule) == mode
    port = peer._block(AddBlock(target=CAMERA, transport="udp", port=53))
    await peer.tell(blocks=[port])
    assert state(hass, rule) == "redirect", "the rule on everything stands above"
    await peer.tell(removed_blocks=[block.id])
    assert state(hass, rule) == "some_ports"
    await peer.tell(removed_blocks=[port.id])
    assert state(hass, rule) == "none"


async def test_a_refused_quarantine_is_an_error_and_no_state(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    peer.errors["block"] = SensorError("protected_target", "00:00:5e:00:53:21 is the gateway")
    with pytest.raises(ServiceValidationError, match="is the gateway") as raised:
        await hass.services.async_call(
            "switch", "turn_on", {"entity_id": QUARANTINE}, blocking=True
        )
    assert raised.value.translation_key == "protected_target"
    assert state(hass, QUARANTINE) == STATE_OFF


async def test_a_rule_that_cannot_be_ended_stays_shown(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    await hass.services.async_call("switch", "turn_on", {"entity_id": QUARANTINE}, blocking=True)
    peer.errors["unblock"] = SensorError("storage_failed")
    with pytest.raises(HomeAssistantError) as raised:
        await hass.services.async_call(
            "switch", "turn_off", {"entity_id": QUARANTINE}, blocking=True
        )
    assert raised.value.translation_key == "storage_failed"
    assert state(hass, QUARANTINE) == STATE_ON


async def test_the_rules_of_before_a_loss_are_replaced_by_the_snapshot(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    await hass.services.async_call("switch", "turn_on", {"entity_id": QUARANTINE}, blocking=True)
    await peer.stop()
    peer.blocks.clear()
    peer.devices = [device(TV)]
    await peer.start()
    async with asyncio.timeout(5):
        while len(peer.intervals) < 2:
            await asyncio.sleep(0.05)
    await hass.async_block_till_done()
    assert state(hass, QUARANTINE) == STATE_UNAVAILABLE
    assert state(hass, "sensor.hearthwall_active_blocks") == "0"


async def test_what_the_sensor_has_forgotten_is_back_with_all_its_entities(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    """Also with those that show nothing of its packets."""
    entities = (QUARANTINE, "device_tracker.camera_presence", "sensor.camera_total_download")
    await peer.tell(removed_devices=[CAMERA])
    assert [state(hass, each) for each in entities] == [STATE_UNAVAILABLE] * 3
    await peer.tell(devices=[device(CAMERA, hostname="camera")])
    assert STATE_UNAVAILABLE not in [state(hass, each) for each in entities]


async def test_who_shows_nothing_of_packets_is_not_called_for_them(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    called = []
    for of_packets in (True, False):
        loaded.runtime_data.async_subscribe(
            CAMERA, partial(called.append, of_packets), of_packets=of_packets
        )
    await peer.tell(devices=[device(CAMERA, hostname="camera", download_bytes=1000)])
    assert called == [True]
    await peer.tell(blocks=[peer._block(AddBlock(target=CAMERA))])
    assert sorted(called) == [False, True, True]
