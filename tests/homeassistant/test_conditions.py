"""Conditions of our own, asked as automations and scripts ask them."""

from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import condition as condition_helper
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hearthwall.const import CONF_SOCKET, DOMAIN
from tests.devices import CAMERA
from tests.homeassistant.automating import Automate, automate, kitchen
from tests.homeassistant.peer import Peer, device
from tests.homeassistant.test_init import state, wait_for
from tests.homeassistant.test_services import call

__all__ = ["automate", "kitchen"]


@pytest.fixture
async def holds(hass: HomeAssistant, loaded: MockConfigEntry) -> Any:
    """Tell whether a condition holds, as an automation or a script asks it."""

    async def holds(name: str, target: dict[str, Any] | None = None, **options: Any) -> bool | None:
        config: dict[str, Any] = {"condition": f"{DOMAIN}.{name}", "options": options}
        if target is not None:
            config["target"] = target
        checked = await condition_helper.async_validate_condition_config(hass, config)
        checker = await condition_helper.async_from_config(hass, checked)
        result = checker(hass, {})
        checker.async_unload()
        return result

    return holds


@pytest.mark.parametrize("by", ["device", "area", "label", "entity"])
async def test_conditions_on_devices(
    hass: HomeAssistant,
    peer: Peer,
    holds: Any,
    kitchen: dict[str, dict[str, Any]],
    by: str,
) -> None:
    target = kitchen[by]
    assert not await holds("is_quarantined", target)
    assert not await holds("is_blocked", target)
    assert await holds("device_is_online", target)
    await call(hass, "quarantine", entity_id="switch.camera_quarantine", mode="no_internet")
    assert not await holds("is_quarantined", target)
    assert await holds("is_blocked", target)
    assert await holds("is_blocked", target, mode=["no_internet"])
    assert not await holds("is_blocked", target, mode=["isolate", "audit"])
    await call(hass, "quarantine", entity_id="switch.camera_quarantine")
    assert await holds("is_quarantined", target)
    await peer.tell(devices=[device(CAMERA, last_seen=1_700_000_000.0)])
    assert not await holds("device_is_online", target)
    await peer.stop()
    await wait_for(lambda: state(hass, "switch.camera_quarantine") == "unavailable")
    assert not await holds("is_quarantined", target), "nothing is known"


async def test_any_and_all(hass: HomeAssistant, holds: Any) -> None:
    target = {"entity_id": ["switch.camera_quarantine", "switch.acme_53_13_quarantine"]}
    await call(hass, "quarantine", entity_id="switch.camera_quarantine")
    assert await holds("is_quarantined", target)
    assert not await holds("is_quarantined", target, behavior="all")
    await call(hass, "quarantine", entity_id="switch.acme_53_13_quarantine")
    assert await holds("is_quarantined", target, behavior="all")
    assert not await holds("is_quarantined", {"label_id": "nobody"}, behavior="all")


async def test_the_sensor_is_connected(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    garden: tuple[MockConfigEntry, Peer],
    holds: Any,
) -> None:
    entry, there = garden
    home, far = ({"config_entry_id": each.entry_id} for each in (loaded, entry))
    assert await holds("sensor_connected")
    await there.stop()
    await wait_for(lambda: not entry.runtime_data.available)
    assert not await holds("sensor_connected")
    assert await holds("sensor_connected", **home)
    assert not await holds("sensor_connected", **far)
    assert not await holds("sensor_connected", config_entry_id="nobody's")
    off = MockConfigEntry(domain=DOMAIN, data={CONF_SOCKET: "/nowhere"})
    off.add_to_hass(hass)
    assert not await holds("sensor_connected", config_entry_id=off.entry_id)


async def test_a_condition_in_an_automation(
    hass: HomeAssistant, peer: Peer, automate: Automate, kitchen: dict[str, dict[str, Any]]
) -> None:
    told = await automate(
        conditions=[{"condition": f"{DOMAIN}.is_quarantined", "target": kitchen["area"]}]
    )
    hass.bus.async_fire("asked")
    await hass.async_block_till_done()
    assert not told
    await call(hass, "quarantine", entity_id="switch.camera_quarantine")
    hass.bus.async_fire("asked")
    await wait_for(lambda: bool(told))
