"""Device trackers: which devices are at home."""

from typing import override

from homeassistant.components.device_tracker import (
    DOMAIN as DEVICE_TRACKER_DOMAIN,
    ScannerEntity,
    ScannerEntityDescription,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import slugify

from .devices import async_register_device, async_registered_name
from .entity import DeviceEntity, async_add_device_entities
from .hub import HearthwallConfigEntry, Hub

PARALLEL_UPDATES = 0

PRESENCE = ScannerEntityDescription(key="presence", translation_key="presence")


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HearthwallConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up a tracker for each device."""
    await async_add_device_entities(
        entry, async_add_entities, lambda hub, mac: [PresenceTracker(hub, PRESENCE, mac)]
    )


class PresenceTracker(DeviceEntity, ScannerEntity):
    """Whether a device was heard of lately."""

    entity_description: ScannerEntityDescription

    def __init__(self, hub: Hub, description: ScannerEntityDescription, mac: str) -> None:
        """Suggest an id: a ScannerEntity gets its device, whose name would do that, too late."""
        super().__init__(hub, description, mac)
        name = async_registered_name(hub.hass, hub.entry, mac)
        self.entity_id = f"{DEVICE_TRACKER_DOMAIN}.{slugify(f'{name} {description.key}')}"

    @property
    @override
    def unique_id(self) -> str | None:
        """Return an id that differs from gateway to gateway, unlike the MAC."""
        return self._attr_unique_id

    @property
    @override
    def is_connected(self) -> bool:
        """Return whether the device is at home."""
        return self.mac in self.hub.presence.online

    @property
    @override
    def mac_address(self) -> str:
        """Return the device's MAC."""
        return self.mac

    @property
    @override
    def ip_address(self) -> str | None:
        """Return the address that a person would look for: the IPv4 one, if there is one."""
        addresses = self.device.addresses
        return next((each for each in addresses if "." in each), next(iter(addresses), None))

    @property
    @override
    def hostname(self) -> str | None:
        """Return the name that the device gives itself."""
        return self.device.hostname

    @property
    @override
    def shown(self) -> tuple[object, ...]:
        """Return what a person would see change."""
        return (self.available, self.is_connected, self.ip_address, self.hostname)

    @override
    async def async_added_to_hass(self) -> None:
        """Give the device its name back: ScannerEntity just named it after its host name."""
        await super().async_added_to_hass()
        async_register_device(self.hass, self.hub.entry, self.device)
