"""Conditions: whether devices are cut off, have a rule or are at home, and whether the sensor is there.

They ask what the sensor last said, so they hold also where an entity is disabled. Without a
connection nothing is known, and none of them holds.
"""

from abc import abstractmethod
from typing import ClassVar, Final, Unpack, override

import voluptuous as vol
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_CONFIG_ENTRY_ID, CONF_OPTIONS, CONF_TARGET
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.condition import (
    ATTR_BEHAVIOR,
    BEHAVIOR_ALL,
    BEHAVIOR_ANY,
    Condition,
    ConditionCheckParams,
    ConditionConfig,
)
from homeassistant.helpers.typing import ConfigType

from .blocks import isolates
from .bpf.hearthwall_sensor.modes import MODES
from .const import DOMAIN
from .hub import Hub
from .targets import async_devices_there_are

_MODE: Final = "mode"
_BEHAVIOR: Final = {
    vol.Optional(ATTR_BEHAVIOR, default=BEHAVIOR_ANY): vol.In([BEHAVIOR_ANY, BEHAVIOR_ALL])
}


def _devices_schema(**fields: object) -> vol.Schema:
    """Return the schema of a condition on devices with fields of its own."""
    own = {vol.Optional(name): field for name, field in fields.items()}
    return vol.Schema(
        {
            vol.Required(CONF_TARGET): cv.TARGET_FIELDS,
            vol.Optional(CONF_OPTIONS, default={}): _BEHAVIOR | own,
        }
    )


class OwnCondition(Condition):
    """A condition that is checked against a schema."""

    schema: ClassVar[vol.Schema]

    @classmethod
    @override
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Check target and fields."""
        checked: ConfigType = cls.schema(config)
        return checked

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Take target and fields."""
        super().__init__(hass, config)
        self.target = config.target or {}
        self.options = config.options or {}


class DeviceCondition(OwnCondition):
    """A condition on any or all of the devices that a target means when it is asked."""

    schema = _devices_schema()

    @abstractmethod
    def holds(self, hub: Hub, mac: str) -> bool:
        """Tell whether it holds for a device."""

    @override
    def _async_check(self, **kwargs: Unpack[ConditionCheckParams]) -> bool:
        """Ask each device; of none nothing holds."""
        held = [
            hub.available and self.holds(hub, mac)
            for hub, mac in async_devices_there_are(self._hass, self.target)
        ]
        return bool(held) and (all if self.options[ATTR_BEHAVIOR] == BEHAVIOR_ALL else any)(held)


class IsQuarantined(DeviceCondition):
    """Devices are cut off altogether, as the quarantine switch does."""

    @override
    def holds(self, hub: Hub, mac: str) -> bool:
        """Tell whether an isolating rule is in force."""
        rule = hub.blocks.whole(mac)
        return rule is not None and isolates(rule)


class IsBlocked(DeviceCondition):
    """Devices have a rule on their MAC, of whatever mode or of these."""

    schema = _devices_schema(mode=vol.All(cv.ensure_list, [vol.In(list(MODES))]))

    @override
    def holds(self, hub: Hub, mac: str) -> bool:
        """Tell whether a rule of these modes is in force."""
        modes = self.options.get(_MODE) or MODES
        return any(rule.mode in modes for rule in hub.blocks.on(mac))


class DeviceIsOnline(DeviceCondition):
    """Devices were heard lately, as their trackers say."""

    @override
    def holds(self, hub: Hub, mac: str) -> bool:
        """Tell whether a device is at home."""
        return mac in hub.presence.online


class SensorConnected(OwnCondition):
    """The sensor answers: of the gateway that is named, or of all."""

    schema = vol.Schema(
        {vol.Optional(CONF_OPTIONS, default={}): {vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string}}
    )

    @override
    def _async_check(self, **kwargs: Unpack[ConditionCheckParams]) -> bool:
        """Ask each gateway that is not disabled."""
        named = self.options.get(ATTR_CONFIG_ENTRY_ID)
        connected = [
            entry.state is ConfigEntryState.LOADED and entry.runtime_data.available
            for entry in self._hass.config_entries.async_entries(DOMAIN, include_disabled=False)
            if named in {None, entry.entry_id}
        ]
        return bool(connected) and all(connected)


CONDITIONS: Final[dict[str, type[Condition]]] = {
    "device_is_online": DeviceIsOnline,
    "is_blocked": IsBlocked,
    "is_quarantined": IsQuarantined,
    "sensor_connected": SensorConnected,
}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions by name."""
    return CONDITIONS
