"""Sensors: what each device moves, and how the home fares as a whole."""

import operator
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfDataRate, UnitOfInformation
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .bpf.hearthwall_sensor.modes import MODES
from .bpf.hearthwall_sensor.protocol import Device, Feed
from .entity import DeviceEntity, GatewayEntity, HearthwallEntity, async_add_device_entities
from .hub import HearthwallConfigEntry, Hub
from .throttle import Throttle, rate_changed

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class HearthwallSensorDescription[SubjectT](SensorEntityDescription):
    """A sensor of a device or of a gateway."""

    value_fn: Callable[[SubjectT], float]
    """Return the value, in the native unit."""
    changed_fn: Callable[[Any, Any], bool] = operator.ne
    """Tell whether the value differs enough from the last written one."""
    busy: bool = True
    """Whether the value changes with every packet, so that its writes are kept apart."""


def _rate[SubjectT](
    key: str, value_fn: Callable[[SubjectT], float]
) -> HearthwallSensorDescription[SubjectT]:
    """Describe a rate: the mean over the last ten seconds."""
    return HearthwallSensorDescription(
        key=key,
        translation_key=key,
        device_class=SensorDeviceClass.DATA_RATE,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfDataRate.BYTES_PER_SECOND,
        suggested_unit_of_measurement=UnitOfDataRate.KILOBYTES_PER_SECOND,
        suggested_display_precision=1,
        value_fn=value_fn,
        changed_fn=rate_changed,
    )


def _total(key: str, value_fn: Callable[[Device], float]) -> HearthwallSensorDescription[Device]:
    """Describe a total, which never falls."""
    return HearthwallSensorDescription(
        key=key,
        translation_key=key,
        device_class=SensorDeviceClass.DATA_SIZE,
        state_class=SensorStateClass.TOTAL_INCREASING,
        native_unit_of_measurement=UnitOfInformation.BYTES,
        suggested_unit_of_measurement=UnitOfInformation.MEGABYTES,
        suggested_display_precision=2,
        value_fn=value_fn,
    )


def _count(key: str, value_fn: Callable[[Hub], float]) -> HearthwallSensorDescription[Hub]:
    """Describe a number of things, each change of which matters."""
    return HearthwallSensorDescription(
        key=key,
        translation_key=key,
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=value_fn,
        busy=False,
    )


DEVICE_SENSORS: tuple[HearthwallSensorDescription[Device], ...] = (
    _rate("download_rate", lambda device: device.download_rate),
    _rate("upload_rate", lambda device: device.upload_rate),
    _total("download_total", lambda device: device.download_bytes),
    _total("upload_total", lambda device: device.upload_bytes),
)

#: What the rule sensor says where there is no rule on all of a device's traffic: none at all, or some on parts of it.
NO_RULE: Final = "none"
SOME_PORTS: Final = "some_ports"

RULE = SensorEntityDescription(
    key="rule",
    translation_key="rule",
    device_class=SensorDeviceClass.ENUM,
    options=[NO_RULE, *MODES, SOME_PORTS],
    entity_category=EntityCategory.DIAGNOSTIC,
    entity_registry_enabled_default=False,
)

GATEWAY_SENSORS: tuple[HearthwallSensorDescription[Hub], ...] = (
    _count("devices_online", lambda hub: hub.online),
    _count("active_blocks", lambda hub: len(hub.blocks)),
    _rate(
        "download_rate",
        lambda hub: sum(device.download_rate for device in hub.devices.values()),
    ),
    _rate(
        "upload_rate",
        lambda hub: sum(device.upload_rate for device in hub.devices.values()),
    ),
)

#: Between these two stands a feed's name in its sensor's key.
_FEED_KEY: Final = ("feed_", "_hits")


def _feed_hits(name: str) -> HearthwallSensorDescription[Feed]:
    """Describe how many packets of a feed's addresses were seen."""
    return HearthwallSensorDescription(
        key=name.join(_FEED_KEY),
        translation_key="feed_hits",
        translation_placeholders={"feed": name},
        state_class=SensorStateClass.TOTAL_INCREASING,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda feed: feed.packets,
    )


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HearthwallConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the sensors of a gateway and its devices."""
    hub = entry.runtime_data
    async_add_entities(GatewaySensor(hub, description) for description in GATEWAY_SENSORS)
    async_add_device_entities(
        entry,
        async_add_entities,
        lambda hub, mac: [
            *(DeviceSensor(hub, description, mac) for description in DEVICE_SENSORS),
            RuleSensor(hub, RULE, mac),
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
    before, after = _FEED_KEY
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
    def native_value(self) -> float:
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
        super().__init__(hub, _feed_hits(name))
        self._name = name
        self._feed = hub.feeds[name]

    @property
    @override
    def subject(self) -> Feed:
        """Return what the sensor last said of the feed."""
        self._feed = self.hub.feeds.get(self._name, self._feed)
        return self._feed


class RuleSensor(DeviceEntity, SensorEntity):
    """The mode of the rule on a device's MAC."""

    @property
    @override
    def native_value(self) -> str:
        """Return the mode of the rule on all of its traffic, or what else there is."""
        rule = self.hub.blocks.whole(self.mac)
        if rule is not None:
            return rule.mode
        return SOME_PORTS if self.hub.blocks.on(self.mac) else NO_RULE

    @property
    @override
    def shown(self) -> tuple[object, ...]:
        """Return what a person would see change."""
        return (self.available, self.native_value)
