"""Options: how often states are written, how long a silent device counts as at home, and whether the sensor is given hints."""

from typing import Any, Final

import voluptuous as vol
from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.const import UnitOfTime
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
)

from .const import (
    CONF_CONSIDER_HOME,
    CONF_GIVE_HINTS,
    CONF_WRITE_INTERVAL,
    DEFAULT_CONSIDER_HOME,
    DEFAULT_GIVE_HINTS,
    DEFAULT_WRITE_INTERVAL,
)

OPTIONS_SCHEMA: Final = vol.Schema(
    {
        vol.Required(key, default=default): vol.All(
            NumberSelector(
                NumberSelectorConfig(
                    min=least,
                    max=most,
                    step=1,
                    mode=NumberSelectorMode.BOX,
                    unit_of_measurement=UnitOfTime.SECONDS,
                )
            ),
            vol.Coerce(int),
        )
        for key, default, least, most in (
            (CONF_WRITE_INTERVAL, DEFAULT_WRITE_INTERVAL, 1, 3600),
            (CONF_CONSIDER_HOME, DEFAULT_CONSIDER_HOME, 15, 86400),
        )
    }
    | {vol.Required(CONF_GIVE_HINTS, default=DEFAULT_GIVE_HINTS): BooleanSelector()}
)


class HearthwallOptionsFlow(OptionsFlow):
    """Asks for the options.

    The hub asks the entry each time, so a change needs no reload, which would restart the sensor.
    """

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for all of them."""
        if user_input is not None:
            return self.async_create_entry(data=user_input)
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(
                OPTIONS_SCHEMA, self.config_entry.options
            ),
        )
