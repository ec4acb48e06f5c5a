"""Sensors: what each device moves, and how the home fares as a whole."""

from abc import abstractmethod
from typing import override

from homeassistant.components.sensor import SensorEntity
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .bpf.hearthwall_sensor.protocol import Device, Feed
from .entity import DeviceEntity, GatewayEntity, HearthwallEntity, async_add_device_entities
from .hub import HearthwallConfigEntry, Hub
from .sensor_descriptions import (
    DEVICE_SENSORS,
    FEED_KEY,
    GATEWAY_SENSORS,
    RULE_SENSORS,
    HearthwallSensorDescription,
    RuleSensorDescription,
    Value,
    feed_hits,
)
from .throttle import Throttle

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HearthwallConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the sensors of a gateway and its devices."""
    hub = entry.runtime_data
    async_add_entities(GatewaySensor(hub, description) for description in GATEWAY_SENSORS)
    await async_add_device_entities(
        entry,
        async_add_entities,
        lambda hub, mac: [
            *(DeviceSensor(hub, description, mac) for description in DEVICE_SENSORS),
            *(RuleSensor(hub, description, mac) for description in RULE_SENSORS),
        ],
    )
    _async_follow_feeds(hass, entry, async_add_entities)


@callback
def _async_follow_feeds(
    hass: HomeAssistant,
    entry: HearthwallConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Have a sensor for each feed, and none for one that is gone, also while Home Assistant was away."""
    hub = entry.runtime_data
    present: set[str] = set()

    @callback
    def follow() -> None:
        if hub.feeds.keys() == present:
            return
        _async_remove_strays(hass, hub)
        async_add_entities(FeedSensor(hub, name) for name in sorted(hub.feeds.keys() - present))
        present.clear()
        present.update(hub.feeds)

    _async_remove_strays(hass, hub)
    follow()
    entry.async_on_unload(hub.async_subscribe(None, follow))


@callback
def _async_remove_strays(hass: HomeAssistant, hub: Hub) -> None:
    """Remove the sensors of feeds that there are no more."""
    registry = er.async_get(hass)
    before, after = FEED_KEY
    kept = {f"{hub.entry.entry_id}_{before}{name}{after}" for name in hub.feeds}
    for registered in er.async_entries_for_config_entry(registry, hub.entry.entry_id):
        of_a_feed = registered.unique_id.startswith(f"{hub.entry.entry_id}_{before}")
        if of_a_feed and registered.unique_id not in kept:
            registry.async_remove(registered.entity_id)


class HearthwallSensor[SubjectT](HearthwallEntity, SensorEntity):
    """A sensor that writes only what is worth a row in the recorder."""

    entity_description: HearthwallSensorDescription[SubjectT]

    @property
    @abstractmethod
    def subject(self) -> SubjectT:
        """Return what the sensor measures."""

    @property
    @override
    def native_value(self) -> Value:
        """Return the value of now."""
        return self.entity_description.value_fn(self.subject)

    @property
    @override
    def shown(self) -> tuple[object, ...]:
        """Return what a person would see change."""
        return (self.available, self.native_value)

    @override
    async def async_added_to_hass(self) -> None:
        """Begin to keep the writes apart."""
        await super().async_added_to_hass()
        self._throttle = Throttle(
            self.hass,
            lambda: self.hub.write_interval if self.entity_description.busy else 0,
            self._write_if_worth_it,
        )
        self.async_on_remove(self._throttle.cancel)
        self._written = self.shown

    @callback
    @override
    def async_hub_changed(self) -> None:
        """Write what changed when it is time; coming and going at once."""
        if self._written is not None and self._written[0] != self.available:
            self._write_if_worth_it()
        else:
            self._throttle.call()

    def _write_if_worth_it(self) -> bool:
        """Write the state if it differs enough from the last one; return whether it did."""
        shown = self.shown
        if self._written is not None:
            available, value = self._written
            if available == shown[0] and not self.entity_description.changed_fn(value, shown[1]):
                return False
        self._written = shown
        self.async_write_ha_state()
        return True


class DeviceSensor(HearthwallSensor[Device], DeviceEntity):
    """A sensor of a device."""

    @property
    @override
    def subject(self) -> Device:
        """Return the device."""
        return self.device


class GatewaySensor(HearthwallSensor[Hub], GatewayEntity):
    """A sensor of the gateway."""

    @property
    @override
    def subject(self) -> Hub:
        """Return the hub."""
        return self.hub


class FeedSensor(HearthwallSensor[Feed], GatewayEntity):
    """A sensor of a feed."""

    def __init__(self, hub: Hub, name: str) -> None:
        """Take the hub and the feed's name."""
        super().__init__(hub, feed_hits(name))
        self._name = name
        self._feed = hub.feeds[name]

    @property
    @override
    def subject(self) -> Feed:
        """Return what the sensor last said of the feed."""
        self._feed = self.hub.feeds.get(self._name, self._feed)
        return self._feed


class RuleSensor(DeviceEntity, SensorEntity):
    """What the rule on a device's MAC says."""

    _of_packets = False
    entity_description: RuleSensorDescription

    @property
    @override
    def native_value(self) -> Value:
        """Return the value of now."""
        return self.entity_description.value_fn(self.hub.blocks, self.mac)

    @property
    @override
    def shown(self) -> tuple[object, ...]:
        """Return what a person would see change."""
        return (self.available, self.native_value)
