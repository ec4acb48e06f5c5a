"""Binary sensors: whether the gateway's sensor answers."""

from typing import override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import GatewayEntity
from .hub import HearthwallConfigEntry

PARALLEL_UPDATES = 0

CONNECTION = BinarySensorEntityDescription(
    key="connection",
    translation_key="connection",
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HearthwallConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the gateway's binary sensor."""
    async_add_entities([ConnectionSensor(entry.runtime_data, CONNECTION)])


class ConnectionSensor(GatewayEntity, BinarySensorEntity):
    """Whether Home Assistant is connected to the sensor: itself always known."""

    @property
    @override
    def available(self) -> bool:
        """Return True: that there is no connection is what this tells."""
        return True

    @property
    @override
    def is_on(self) -> bool:
        """Return whether the sensor is connected."""
        return self.hub.available

    @property
    @override
    def shown(self) -> tuple[object, ...]:
        """Return what a person would see change."""
        return (self.available, self.is_on)
