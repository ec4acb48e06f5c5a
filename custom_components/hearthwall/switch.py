"""Switches: quarantine for a device."""

from typing import Any, override

from homeassistant.components.switch import (
    DOMAIN as SWITCH_DOMAIN,
    SwitchEntity,
    SwitchEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .blocks import isolates
from .bpf.hearthwall_sensor.protocol import SensorError
from .bpf.hearthwall_sensor.requests import AddBlock
from .const import QUARANTINE_REASON
from .entity import DeviceEntity, async_add_device_entities
from .errors import order_error
from .hub import HearthwallConfigEntry

PARALLEL_UPDATES = 0

QUARANTINE = SwitchEntityDescription(
    key="quarantine",
    translation_key="quarantine",
    # Assistants are not told of it by default, and turning off all of a room's switches releases nobody.
    entity_category=EntityCategory.CONFIG,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HearthwallConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up a switch for each device, and none where none could do anything."""
    if entry.runtime_data.is_read_only:
        _remove_switches(hass, entry)
        return
    await async_add_device_entities(
        entry, async_add_entities, lambda hub, mac: [QuarantineSwitch(hub, QUARANTINE, mac)]
    )


@callback
def _remove_switches(hass: HomeAssistant, entry: HearthwallConfigEntry) -> None:
    """Take away the switches of a gateway that took orders before; they come back as they were when it does again."""
    registry = er.async_get(hass)
    for each in er.async_entries_for_config_entry(registry, entry.entry_id):
        if each.domain == SWITCH_DOMAIN:
            registry.async_remove(each.entity_id)


class QuarantineSwitch(DeviceEntity, SwitchEntity):
    """Whether the kernel cuts the device off: its state, never a wish."""

    _of_packets = False

    @property
    @override
    def is_on(self) -> bool:
        """Return whether an isolating rule is in force."""
        rule = self.hub.blocks.whole(self.mac)
        return rule is not None and isolates(rule)

    @property
    @override
    def shown(self) -> tuple[object, ...]:
        """Return what a person would see change."""
        return (self.available, self.is_on)

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Cut the device off; returns when the kernel drops."""
        try:
            await self.hub.block(AddBlock(target=self.mac, reason=QUARANTINE_REASON))
        except SensorError as error:
            raise order_error(error) from error

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Let the device back in; a rule of another mode is not this switch's to end."""
        if self.hub.available and not self.is_on:
            return
        try:
            await self.hub.release(self.mac, isolates)
        except SensorError as error:
            raise order_error(error) from error
