"""Events: what the gateway's sensor noticed."""

from typing import Any, Final, override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .bpf.hearthwall_sensor.protocol import EVENT_KINDS, Event
from .devices import async_registered_id
from .entity import GatewayEntity
from .hub import HearthwallConfigEntry

PARALLEL_UPDATES = 0

#: What a newer sensor tells and this integration has no word for.
OTHER: Final = "other"

SECURITY = EventEntityDescription(
    key="security", translation_key="security", event_types=[*EVENT_KINDS, OTHER]
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HearthwallConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the gateway's event entity."""
    async_add_entities([SecurityEvent(entry.runtime_data, SECURITY)])


class SecurityEvent(GatewayEntity, EventEntity):
    """The newest event, each one a state of its own.

    It stays available without a connection: what happened last has happened, and coming back must not
    look like an event.
    """

    entity_description: EventEntityDescription
    _unrecorded_attributes = frozenset({"evidence"})

    @property
    @override
    def available(self) -> bool:
        """Return True."""
        return True

    @property
    @override
    def shown(self) -> tuple[object, ...]:
        """Return what changes beside the events: nothing."""
        return (self.available,)

    @override
    async def async_added_to_hass(self) -> None:
        """Listen for events for as long as the entity exists."""
        await super().async_added_to_hass()
        self._written = self.shown
        self.async_on_remove(self.hub.events.async_subscribe(self._async_happened))

    @callback
    def _async_happened(self, event: Event) -> None:
        """Show an event."""
        kind = event.kind if event.kind in EVENT_KINDS else OTHER
        self._trigger_event(kind, self._describe(event))
        self.async_write_ha_state()

    def _describe(self, event: Event) -> dict[str, Any]:
        """Return an event's attributes: what it is, and the device that an action can be aimed at."""
        return event.to_wire() | {
            "device_id": None
            if event.mac is None
            else async_registered_id(self.hass, self.hub.entry, event.mac)
        }
