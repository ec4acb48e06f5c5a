"""Options: when states are written, which devices stay, and whether the sensor is given hints."""

from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol
from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.const import UnitOfTime
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
)

from .const import (
    CONF_CONSIDER_HOME,
    CONF_GIVE_HINTS,
    CONF_RANDOMISED_DEVICES,
    CONF_REMOVE_AFTER,
    CONF_REMOVE_RANDOMISED_AFTER,
    CONF_WRITE_INTERVAL,
    DEFAULT_CONSIDER_HOME,
    DEFAULT_GIVE_HINTS,
    DEFAULT_RANDOMISED_DEVICES,
    DEFAULT_REMOVE_AFTER,
    DEFAULT_REMOVE_RANDOMISED_AFTER,
    DEFAULT_WRITE_INTERVAL,
)


def _number(least: int, most: int, unit: str) -> vol.All:
    """Return a field for a whole number of units."""
    config = NumberSelectorConfig(
        min=least, max=most, step=1, mode=NumberSelectorMode.BOX, unit_of_measurement=unit
    )
    return vol.All(NumberSelector(config), vol.Coerce(int))


SECTIONS: Final[Mapping[str, vol.Schema]] = {
    "states": vol.Schema(
        {
            vol.Required(CONF_WRITE_INTERVAL, default=DEFAULT_WRITE_INTERVAL): _number(
                1, 3600, UnitOfTime.SECONDS
            ),
            vol.Required(CONF_CONSIDER_HOME, default=DEFAULT_CONSIDER_HOME): _number(
                15, 86400, UnitOfTime.SECONDS
            ),
        }
    ),
    "devices": vol.Schema(
        {
            vol.Required(CONF_REMOVE_AFTER, default=DEFAULT_REMOVE_AFTER): _number(
                0, 3650, UnitOfTime.DAYS
            ),
            vol.Required(
                CONF_RANDOMISED_DEVICES, default=DEFAULT_RANDOMISED_DEVICES
            ): BooleanSelector(),
            vol.Required(
                CONF_REMOVE_RANDOMISED_AFTER, default=DEFAULT_REMOVE_RANDOMISED_AFTER
            ): _number(0, 3650, UnitOfTime.DAYS),
        }
    ),
    "hints": vol.Schema(
        {vol.Required(CONF_GIVE_HINTS, default=DEFAULT_GIVE_HINTS): BooleanSelector()}
    ),
}
OPTIONS_SCHEMA: Final = vol.Schema(
    {
        vol.Required(name): section(schema, {"collapsed": index > 0})
        for index, (name, schema) in enumerate(SECTIONS.items())
    }
)


class HearthwallOptionsFlow(OptionsFlow):
    """Asks for the options.

    They are kept without their sections, which are for the eye. Who needs one asks the entry each time, so a
    change needs no reload, which would restart the sensor.
    """

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for all of them."""
        if user_input is not None:
            return self.async_create_entry(
                data={key: value for each in user_input.values() for key, value in each.items()}
            )
        chosen = self.config_entry.options
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(
                OPTIONS_SCHEMA,
                {
                    name: {key: chosen[key] for key in schema.schema if key in chosen}
                    for name, schema in SECTIONS.items()
                },
            ),
        )
