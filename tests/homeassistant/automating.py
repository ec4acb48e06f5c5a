"""Automations of a test's own, and a home with something to aim them at."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    label_registry as lr,
)
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_mock_service

from custom_components.hearthwall.const import DOMAIN
from custom_components.hearthwall.devices import gateway_identifier
from tests.homeassistant.test_devices import camera
from tests.homeassistant.test_init import state

type Automate = Callable[..., Awaitable[list[ServiceCall]]]


@pytest.fixture
async def automate(hass: HomeAssistant, loaded: MockConfigEntry) -> Any:
    """Set up an automation and return what it told; none is left running."""
    told = async_mock_service(hass, "test", "told")

    async def automate(
        *triggers: dict[str, Any], says: dict[str, str] | None = None, conditions: Any = ()
    ) -> list[ServiceCall]:
        automation = {
            "alias": "Test",
            "mode": "queued",
            "triggers": [{**each, "trigger": f"{DOMAIN}.{each['trigger']}"} for each in triggers]
            or [{"trigger": "event", "event_type": "asked"}],
            "conditions": list(conditions),
            "actions": [{"action": "test.told", "data": says or {}}],
        }
        assert await async_setup_component(hass, "automation", {"automation": [automation]})
        await hass.async_block_till_done()
        assert state(hass, "automation.test") == "on"
        return told

    yield automate
    if hass.services.has_service("automation", "turn_off"):
        everything = {"entity_id": "all"}
        await hass.services.async_call("automation", "turn_off", everything, blocking=True)
        await hass.async_block_till_done()


def gateway(hass: HomeAssistant, entry: MockConfigEntry) -> dr.DeviceEntry:
    found = dr.async_get(hass).async_get_device_by_identifier(
        gateway_identifier(entry), entry.entry_id
    )
    assert found is not None
    return found


@pytest.fixture
def kitchen(hass: HomeAssistant, loaded: MockConfigEntry) -> dict[str, dict[str, Any]]:
    """The camera by everything that a target can name; a stranger's things are in its area, too."""
    area = ar.async_get(hass).async_create("Kitchen")
    label = lr.async_get(hass).async_create("Watched")
    found = dr.async_get(hass).async_update_device(
        camera(hass, loaded).id, area_id=area.id, labels={label.label_id}
    )
    assert found is not None
    dr.async_get(hass).async_update_device(gateway(hass, loaded).id, area_id=area.id)
    other = MockConfigEntry(domain="other")
    other.add_to_hass(hass)
    for domain in ("switch", "binary_sensor"):
        lamp = er.async_get(hass).async_get_or_create(
            domain, "other", "lamp", config_entry=other, suggested_object_id="lamp"
        )
        er.async_get(hass).async_update_entity(lamp.entity_id, area_id=area.id)
    return {
        "device": {"device_id": found.id},
        "area": {"area_id": area.id},
        "label": {"label_id": label.label_id},
        "entity": {"entity_id": "switch.camera_quarantine"},
    }
