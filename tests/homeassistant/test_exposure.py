"""Who may turn the quarantine switch: nobody who was not told of it, and no order for a whole room."""

import pytest
from homeassistant.components.homeassistant.const import DATA_EXPOSED_ENTITIES
from homeassistant.components.homeassistant.exposed_entities import (
    async_expose_entity,
    async_should_expose,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    intent,
    label_registry as lr,
)
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hearthwall.const import DOMAIN
from tests.homeassistant.peer import Peer
from tests.homeassistant.test_devices import camera
from tests.homeassistant.test_entities import QUARANTINE
from tests.homeassistant.test_init import state

KITCHEN = "Kitchen"


@pytest.fixture
def kitchen(hass: HomeAssistant, loaded: MockConfigEntry) -> dict[str, dict[str, str]]:
    """The camera's area and its label."""
    area = ar.async_get(hass).async_create(KITCHEN)
    label = lr.async_get(hass).async_create("Cameras")
    dr.async_get(hass).async_update_device(
        camera(hass, loaded).id, area_id=area.id, labels={label.label_id}
    )
    return {
        "area": {"area_id": area.id},
        "label": {"label_id": label.label_id},
        "device": {"device_id": camera(hass, loaded).id},
    }


@pytest.mark.parametrize("assistant", ["conversation", "cloud.alexa", "cloud.google_assistant"])
async def test_no_assistant_is_told_of_any_entity_by_default(
    hass: HomeAssistant, loaded: MockConfigEntry, assistant: str
) -> None:
    assert await async_setup_component(hass, "homeassistant", {})
    hass.data[DATA_EXPOSED_ENTITIES].async_set_expose_new_entities(assistant, True)
    hass.states.async_set("switch.lamp", "off")
    registered = er.async_entries_for_config_entry(er.async_get(hass), loaded.entry_id)
    assert QUARANTINE in {each.entity_id for each in registered}
    told = {
        each.entity_id
        for each in registered
        if async_should_expose(hass, assistant, each.entity_id)
    }
    assert told == set()
    assert async_should_expose(hass, assistant, "switch.lamp"), "as a switch usually is"


async def test_an_assistant_turns_the_switch_only_after_it_was_exposed(
    hass: HomeAssistant, loaded: MockConfigEntry, kitchen: dict[str, dict[str, str]]
) -> None:
    for component in ("homeassistant", "intent", "conversation"):
        assert await async_setup_component(hass, component, {})
    await hass.services.async_call(DOMAIN, "quarantine", kitchen["device"], blocking=True)

    async def release(**slots: str) -> None:
        await intent.async_handle(
            hass,
            "test",
            intent.INTENT_TURN_OFF,
            {name: {"value": value} for name, value in slots.items()},
            assistant="conversation",
        )

    for slots in ({"name": "camera Quarantine"}, {"area": KITCHEN, "domain": "switch"}):
        with pytest.raises(intent.MatchFailedError):
            await release(**slots)
    assert state(hass, QUARANTINE) == "on"
    async_expose_entity(hass, "conversation", QUARANTINE, True)
    await release(name="camera Quarantine")
    assert state(hass, QUARANTINE) == "off"


@pytest.mark.parametrize("by", ["area", "label", "device"])
async def test_turning_off_a_rooms_switches_releases_nobody(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    kitchen: dict[str, dict[str, str]],
    by: str,
) -> None:
    target = kitchen[by]
    await hass.services.async_call(DOMAIN, "quarantine", target, blocking=True)
    assert state(hass, QUARANTINE) == "on", "it is the device that is meant"
    await hass.services.async_call("switch", "turn_off", target, blocking=True)
    assert state(hass, QUARANTINE) == "on"
    assert len(peer.blocks) == 1
    await hass.services.async_call(DOMAIN, "release", target, blocking=True)
    assert state(hass, QUARANTINE) == "off"
    assert peer.blocks == {}


async def test_a_label_on_the_switch_itself_means_it(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    label = lr.async_get(hass).async_create("Mine")
    er.async_get(hass).async_update_entity(QUARANTINE, labels={label.label_id})
    target = {"label_id": label.label_id}
    await hass.services.async_call("switch", "turn_on", target, blocking=True)
    assert state(hass, QUARANTINE) == "on"
    await hass.services.async_call(DOMAIN, "release", target, blocking=True)
    assert state(hass, QUARANTINE) == "off"
