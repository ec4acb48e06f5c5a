"""The options, as a user changes them."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hearthwall.const import (
    CONF_CONSIDER_HOME,
    CONF_GIVE_HINTS,
    CONF_RANDOMISED_DEVICES,
    CONF_REMOVE_AFTER,
    CONF_REMOVE_RANDOMISED_AFTER,
    CONF_WRITE_INTERVAL,
)
from custom_components.hearthwall.options_flow import SECTIONS
from tests.homeassistant.peer import Peer

CHOSEN = {
    "states": {CONF_WRITE_INTERVAL: 5, CONF_CONSIDER_HOME: 60},
    "devices": {
        CONF_REMOVE_AFTER: 0,
        CONF_RANDOMISED_DEVICES: False,
        CONF_REMOVE_RANDOMISED_AFTER: 1,
    },
    "hints": {CONF_GIVE_HINTS: False},
}


def shown(result: Any) -> dict[str, dict[str, Any]]:
    """Return what a form shows, by section and field: what is suggested, else the default."""
    return {
        str(name): {
            str(key): (key.description or {}).get("suggested_value", key.default())
            for key in part.schema.schema
        }
        for name, part in result["data_schema"].schema.items()
    }


async def test_options_are_taken_without_a_reload(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    result = await hass.config_entries.options.async_init(loaded.entry_id)
    assert result["type"] is FlowResultType.FORM
    result = await hass.config_entries.options.async_configure(result["flow_id"], CHOSEN)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert loaded.options == {key: value for part in CHOSEN.values() for key, value in part.items()}
    assert loaded.runtime_data.write_interval == 5
    assert len(peer.intervals) == 1, "the connection is the one from before"


async def test_what_was_chosen_is_shown_and_the_defaults_before(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    result = await hass.config_entries.options.async_init(loaded.entry_id)
    before = shown(result)
    assert before == {
        "states": {CONF_WRITE_INTERVAL: 30, CONF_CONSIDER_HOME: 180},
        "devices": {
            CONF_REMOVE_AFTER: 90,
            CONF_RANDOMISED_DEVICES: True,
            CONF_REMOVE_RANDOMISED_AFTER: 7,
        },
        "hints": {CONF_GIVE_HINTS: True},
    }
    assert set(before) == set(SECTIONS)
    await hass.config_entries.options.async_configure(result["flow_id"], CHOSEN)
    result = await hass.config_entries.options.async_init(loaded.entry_id)
    assert shown(result) == CHOSEN
