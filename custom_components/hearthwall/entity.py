"""What all entities share: whom they belong to, and when their states are written."""

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Iterable
from itertools import batched
from typing import override

from homeassistant.core import callback
from homeassistant.helpers.device_registry import CONNECTION_NETWORK_MAC, DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .bpf.hearthwall_sensor.protocol import Device
from .devices import device_identifier, gateway_identifier
from .hub import HearthwallConfigEntry, Hub
from .newcomers import SLICE


class HearthwallEntity(Entity):
    """An entity of a gateway or of a device behind it; `mac` is None for the gateway's own."""

    _attr_has_entity_name = True
    _attr_should_poll = False
    #: Whether it shows something of its device's packets.
    _of_packets = True
    _written: tuple[object, ...] | None = None

    def __init__(self, hub: Hub, description: EntityDescription, mac: str | None = None) -> None:
        """Take the hub, the row of the platform's table and whose entity this is."""
        self.hub = hub
        self.mac = mac
        self.entity_description = description
        owner = hub.entry.entry_id if mac is None else f"{hub.entry.entry_id}_{mac}"
        self._attr_unique_id = f"{owner}_{description.key}"

    @override
    async def async_added_to_hass(self) -> None:
        """Listen to the hub for as long as the entity exists."""
        self.async_on_remove(
            self.hub.async_subscribe(self.mac, self.async_hub_changed, of_packets=self._of_packets)
        )

    @property
    @abstractmethod
    def shown(self) -> tuple[object, ...]:
        """Return what a person would see change, `available` first."""

    @callback
    def async_hub_changed(self) -> None:
        """Write the state if something shows: the hub calls with every packet."""
        if (shown := self.shown) != self._written:
            self._written = shown
            self.async_write_ha_state()


class GatewayEntity(HearthwallEntity):
    """An entity of the gateway."""

    def __init__(self, hub: Hub, description: EntityDescription) -> None:
        """Take the hub and the row of the platform's table."""
        super().__init__(hub, description)
        self._attr_device_info = DeviceInfo(identifiers={gateway_identifier(hub.entry)})

    @property
    @override
    def available(self) -> bool:
        """Return whether what is known of the gateway is true."""
        return self.hub.available


class DeviceEntity(HearthwallEntity):
    """An entity of a device behind the gateway."""

    mac: str

    def __init__(self, hub: Hub, description: EntityDescription, mac: str) -> None:
        """Take the hub, the row of the platform's table and the device's MAC."""
        super().__init__(hub, description, mac)
        self._device = hub.devices[mac]
        self._attr_device_info = DeviceInfo(
            identifiers={device_identifier(hub.entry, mac)},
            connections={(CONNECTION_NETWORK_MAC, mac)},
        )

    @property
    def device(self) -> Device:
        """Return what the sensor last said of the device."""
        self._device = self.hub.devices.get(self.mac, self._device)
        return self._device

    @property
    @override
    def available(self) -> bool:
        """Return whether the sensor is connected and knows the device."""
        return self.hub.available and self.mac in self.hub.devices


async def async_add_device_entities(
    entry: HearthwallConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    make: Callable[[Hub, str], Iterable[DeviceEntity]],
) -> None:
    """Add the entities of every device, and of each that comes later."""
    hub = entry.runtime_data

    @callback
    def add(macs: Iterable[str]) -> None:
        async_add_entities(
            [entity for mac in macs if mac in hub.devices for entity in make(hub, mac)]
        )

    known = batched(sorted(hub.known), SLICE, strict=False)
    entry.async_on_unload(hub.newcomers.async_subscribe(add))
    for few in known:
        add(few)
        await asyncio.sleep(0)  # what else Home Assistant does must not wait for all of them
