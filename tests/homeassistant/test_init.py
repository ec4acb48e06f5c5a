"""An entry's life: set up, lost, found again, unloaded, removed."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP, STATE_OFF, STATE_ON, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hearthwall import link
from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import HOME_ASSISTANT, SensorError
from custom_components.hearthwall.bpf.hearthwall_sensor.requests import Initialize, Subscribe
from tests.homeassistant.peer import Peer

CONNECTION = "binary_sensor.hearthwall_sensor_connection"
RATE = "sensor.camera_download_rate"


async def wait_for(condition: Callable[[], bool], timeout: float = 5) -> None:
    async with asyncio.timeout(timeout):
        while not condition():
            await asyncio.sleep(0.02)


def state(hass: HomeAssistant, entity_id: str) -> str:
    found = hass.states.get(entity_id)
    assert found is not None, entity_id
    return found.state


async def test_the_sensor_can_tell_that_a_home_assistant_follows(
    loaded: MockConfigEntry, peer: Peer
) -> None:
    """Some of its sinks tell only while there is none."""
    assert [each.client for each in peer.orders(Initialize)] == [HOME_ASSISTANT] * peer.clients
    assert len(peer.orders(Subscribe)) == 1


async def test_unload_leaves_nothing_connected(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    assert loaded.state is ConfigEntryState.LOADED
    assert peer.clients == 1
    assert await hass.config_entries.async_unload(loaded.entry_id)
    await hass.async_block_till_done()
    assert loaded.state is ConfigEntryState.NOT_LOADED
    assert state(hass, RATE) == STATE_UNAVAILABLE
    await wait_for(lambda: peer.clients == 0)


async def test_loss_and_return_are_shown_and_logged_once(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(link, "FIRST_RETRY", 0.05)
    caplog.set_level(logging.INFO)
    assert state(hass, CONNECTION) == STATE_ON
    await peer.stop()
    await wait_for(lambda: state(hass, CONNECTION) == STATE_OFF)
    assert state(hass, RATE) == STATE_UNAVAILABLE
    assert state(hass, "switch.camera_quarantine") == STATE_UNAVAILABLE
    assert state(hass, "device_tracker.camera_presence") == STATE_UNAVAILABLE
    await asyncio.sleep(1.2)
    await peer.start()
    await wait_for(lambda: state(hass, CONNECTION) == STATE_ON)
    assert state(hass, RATE) == "0.0"
    said = [each.getMessage() for each in caplog.records if each.levelno == logging.INFO]
    assert said.count("Disconnected from the sensor") == 1
    assert said.count("Connected to the sensor again") == 1


@pytest.mark.parametrize("nonsense", ['{"type": "delta", "seq": 99}', "not JSON", "[]"])
async def test_nonsense_means_a_new_connection(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, nonsense: str
) -> None:
    await peer.say(nonsense)
    await wait_for(lambda: state(hass, CONNECTION) == STATE_OFF)
    await wait_for(lambda: state(hass, CONNECTION) == STATE_ON)
    assert len(peer.intervals) == 2


@pytest.mark.parametrize(
    ("hello", "expected"),
    [
        ({"type": "hello", "version": "9", "min_schema": 7, "max_schema": 8}, "SETUP_ERROR"),
        ({"type": "hello"}, "SETUP_RETRY"),
        ("not JSON", "SETUP_RETRY"),
    ],
)
async def test_a_sensor_that_cannot_be_understood(
    hass: HomeAssistant, entry: MockConfigEntry, peer: Peer, hello: Any, expected: str
) -> None:
    peer.hello = hello
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState[expected]
    assert entry.reason is not None


async def test_no_sensor_is_tried_again(
    hass: HomeAssistant, entry: MockConfigEntry, peer: Peer
) -> None:
    await peer.stop()
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert "no sensor listens" in (entry.reason or "")
    await peer.start()
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_refusal_says_what_to_do(
    hass: HomeAssistant, entry: MockConfigEntry, peer: Peer
) -> None:
    peer.errors["initialize"] = SensorError("not_permitted")
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert "--group" in (entry.reason or "")


async def test_stop_of_home_assistant_disconnects(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await wait_for(lambda: peer.clients == 0)
    assert state(hass, CONNECTION) == STATE_ON, "a stop is not a loss for the recorder"


async def test_removing_an_entry_leaves_another_ones_sensor_alone(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    await hass.config_entries.async_remove(loaded.entry_id)
    await hass.async_block_till_done()
    assert not [each for each in peer.received if each.type == "unload"]


async def test_why_there_is_no_connection_is_said_once(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(link, "LAST_RETRY", 0.05)
    peer.errors["initialize"] = SensorError("not_permitted")
    await peer.say("nonsense")
    await wait_for(lambda: len([each for each in peer.received if each.type == "initialize"]) > 4)
    warnings = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert len([each for each in warnings if "may not talk" in each]) == 1
    peer.errors.clear()
    await wait_for(lambda: state(hass, CONNECTION) == STATE_ON)
