"""Event entities: what the gateway's sensor noticed, of each device and of the whole home."""

import re
from typing import Any, Final, override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .bpf.hearthwall_sensor.kinds import KINDS
from .bpf.hearthwall_sensor.protocol import EVENT_KINDS, Event
from .devices import async_registered, async_registered_id, shown_name
from .entity import DeviceEntity, GatewayEntity, HearthwallEntity, async_add_device_entities
from .hostile import plain
from .hub import HearthwallConfigEntry, Hub

PARALLEL_UPDATES = 0

#: What a newer sensor tells and this integration has no word for.
OTHER: Final = "other"

#: Of a device's name in a sentence.
_MAX_NAME: Final = 64
#: What is about addresses says which, so that they stay.
_OF_ADDRESSES: Final = frozenset({"address_conflict", "rogue_dhcp"})

SECURITY = EventEntityDescription(
    key="security", translation_key="security", event_types=[*EVENT_KINDS, OTHER]
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HearthwallConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the gateway's event entity, and one for each device."""
    async_add_entities([HomeSecurity(entry.runtime_data, SECURITY)])
    await async_add_device_entities(
        entry, async_add_entities, lambda hub, mac: [DeviceSecurity(hub, SECURITY, mac)]
    )


class SecurityEvent(HearthwallEntity, EventEntity):
    """The newest event, each one a state of its own.

    It stays available without a connection: what happened last has happened, and coming back must not
    look like an event.
    """

    entity_description: EventEntityDescription
    _of_packets = False
    _unrecorded_attributes = frozenset({"evidence", "sensor_summary"})

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
        self._trigger_event(kind, described(self.hub, event))
        self.async_write_ha_state()


class HomeSecurity(SecurityEvent, GatewayEntity):
    """The newest event of the whole home."""


class DeviceSecurity(SecurityEvent, DeviceEntity):
    """The newest event of a device."""

    @override
    async def async_added_to_hass(self) -> None:
        """Show also what told that the device is there: that came before the entity."""
        await super().async_added_to_hass()
        first = self.hub.events.latest.get(self.mac)
        if self.state is None and first is not None:
            # Not before the entity has a state, which the event then changes.
            self.hass.loop.call_soon(self._async_happened, first)

    @callback
    @override
    def _async_happened(self, event: Event) -> None:
        """Show an event if it is of this device."""
        if event.mac is not None and self.hub.primary(event.mac) == self.mac:
            super()._async_happened(event)


def described(hub: Hub, event: Event) -> dict[str, Any]:
    """Return an event's attributes, flat, so that an automation needs no template.

    The summary calls the device what Home Assistant does, if the sensor has no name for it; `sensor_summary` is
    the sensor's own. Beside what the sensor says these are why it is unusual, what can be done, and the devices that an
    action can be aimed at: whose event it is, which may be the victim's, and who did it.
    """
    kind = KINDS.get(event.kind)  # type: ignore[call-overload]
    why = event.evidence.get("why")
    return event.to_wire() | {
        "summary": _summary(hub, event),
        "sensor_summary": event.summary,
        "why": why if isinstance(why, str) else None,
        "advice": None if kind is None else kind.advice,
        "device_id": _device_id(hub, event.mac),
        "culprit_device_id": _device_id(hub, event.culprit),
    }


@callback
def _summary(hub: Hub, event: Event) -> str:
    """Return what happened, with the device's name where it is but a MAC or an address."""
    registered = event.mac and async_registered(hub.hass, hub.entry, event.mac)
    name = plain((registered and shown_name(registered)) or "", _MAX_NAME)
    if not event.mac or not name or name.casefold() in event.summary.casefold():
        return event.summary
    address = None if event.kind in _OF_ADDRESSES else event.address
    for number in filter(None, (event.mac, address)):
        # Not where it is part of a longer one
        alone = rf"(?<![\w.:-]){re.escape(number)}(?![\w-]|[.:]\w)"
        said, found = re.subn(alone, lambda _: name, event.summary, count=1, flags=re.IGNORECASE)
        if found:
            return said
    return event.summary


@callback
def _device_id(hub: Hub, mac: str | None) -> str | None:
    """Return the id of a device in Home Assistant; what is no MAC has none."""
    return None if mac is None else async_registered_id(hub.hass, hub.entry, mac)
