"""The tables of the sensors: what each one measures, and how Home Assistant shows it."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfDataRate, UnitOfInformation
from homeassistant.util import dt as dt_util

from .blocks import Blocks
from .bpf.hearthwall_sensor.modes import MODES
from .bpf.hearthwall_sensor.protocol import SCOPES, Device, Feed, Scope, Status
from .hub import Hub
from .throttle import rate_changed

type Value = float | str | datetime | None


@dataclass(frozen=True, kw_only=True)
class HearthwallSensorDescription[SubjectT](SensorEntityDescription):
    """A sensor of a device or of a gateway."""

    value_fn: Callable[[SubjectT], Value]
    """Return the value, in the native unit; None where it is not known."""
    changed_fn: Callable[[Any, Any], bool] = operator.ne
    """Tell whether the value differs enough from the last written one."""
    busy: bool = True
    """Whether the value changes with every packet, so that its writes are kept apart."""


@dataclass(frozen=True, kw_only=True)
class RuleSensorDescription(SensorEntityDescription):
    """A sensor of the rules on a device's MAC."""

    value_fn: Callable[[Blocks, str], Value]
    """Return the value for a MAC."""


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


def _total(
    key: str, value_fn: Callable[[Device], float | None], *, enabled: bool = True
) -> HearthwallSensorDescription[Device]:
    """Describe a total, which only falls if the sensor has begun to count anew."""
    return HearthwallSensorDescription(
        key=key,
        translation_key=key,
        device_class=SensorDeviceClass.DATA_SIZE,
        state_class=SensorStateClass.TOTAL_INCREASING,
        native_unit_of_measurement=UnitOfInformation.BYTES,
        suggested_unit_of_measurement=UnitOfInformation.MEGABYTES,
        suggested_display_precision=2,
        entity_registry_enabled_default=enabled,
        value_fn=value_fn,
    )


def _totals_of(scope: Scope) -> tuple[HearthwallSensorDescription[Device], ...]:
    """Describe the part of a device's totals that is exchanged with the internet, the home or the gateway."""

    def value_fn(field: str) -> Callable[[Device], float | None]:
        return lambda device: getattr(device.by_scope.get(scope), field, None)

    return tuple(
        _total(f"{scope}_{way}_total", value_fn(f"{way}_bytes"), enabled=False)
        for way in ("download", "upload")
    )


def _seen(key: str, value_fn: Callable[[Device], float]) -> HearthwallSensorDescription[Device]:
    """Describe when a device was seen, to the second."""
    return HearthwallSensorDescription(
        key=key,
        translation_key=key,
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda device: dt_util.utc_from_timestamp(int(value_fn(device))),
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


def _fare(
    key: str, value_fn: Callable[[Status], Value], **said: Any
) -> HearthwallSensorDescription[Hub]:
    """Describe how the gateway's sensor itself fares, for who looks for a fault."""
    return HearthwallSensorDescription(
        key=key,
        translation_key=key,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda hub: None if hub.status is None else value_fn(hub.status),
        **said,
    )


DEVICE_SENSORS: Final[tuple[HearthwallSensorDescription[Device], ...]] = (
    _rate("download_rate", lambda device: device.download_rate),
    _rate("upload_rate", lambda device: device.upload_rate),
    _total("download_total", lambda device: device.download_bytes),
    _total("upload_total", lambda device: device.upload_bytes),
    *(each for scope in SCOPES for each in _totals_of(scope)),
    _seen("first_seen", lambda device: device.first_seen),
    _seen("last_seen", lambda device: device.last_seen),
)

GATEWAY_SENSORS: Final[tuple[HearthwallSensorDescription[Hub], ...]] = (
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
    HearthwallSensorDescription(
        key="started",
        translation_key="started",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda hub: hub.started,
    ),
    _fare(
        "memory",
        lambda status: status.resident_bytes,
        device_class=SensorDeviceClass.DATA_SIZE,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfInformation.BYTES,
        suggested_unit_of_measurement=UnitOfInformation.MEGABYTES,
        suggested_display_precision=1,
    ),
    _fare("flows", lambda status: status.flows, state_class=SensorStateClass.MEASUREMENT),
    _fare(
        "lost",
        lambda status: sum(status.lost.values()),
        state_class=SensorStateClass.TOTAL_INCREASING,
    ),
    _fare(
        "dropped",
        lambda status: sum(
            count for cause, count in status.dropped.items() if cause.startswith("dropped_")
        ),
        state_class=SensorStateClass.TOTAL_INCREASING,
    ),
)

#: What the rule sensor says where there is no rule on all of a device's traffic: none at all, or some on parts of it.
NO_RULE: Final = "none"
SOME_PORTS: Final = "some_ports"


def _mode(blocks: Blocks, mac: str) -> str:
    """Return the mode of the rule on all of a device's traffic, or what else there is."""
    rule = blocks.whole(mac)
    if rule is not None:
        return rule.mode
    return SOME_PORTS if blocks.on(mac) else NO_RULE


def _ends(blocks: Blocks, mac: str) -> datetime | None:
    """Return when the rule on all of a device's traffic ends, None if it does not by itself."""
    rule = blocks.whole(mac)
    return (
        None if rule is None or rule.expires is None else dt_util.utc_from_timestamp(rule.expires)
    )


RULE: Final = RuleSensorDescription(
    key="rule",
    translation_key="rule",
    device_class=SensorDeviceClass.ENUM,
    options=[NO_RULE, *MODES, SOME_PORTS],
    entity_category=EntityCategory.DIAGNOSTIC,
    entity_registry_enabled_default=False,
    value_fn=_mode,
)
RULE_SENSORS: Final = (
    RULE,
    RuleSensorDescription(
        key="rule_ends",
        translation_key="rule_ends",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=_ends,
    ),
)

#: Between these two stands a feed's name in its sensor's key.
FEED_KEY: Final = ("feed_", "_hits")


def feed_hits(name: str) -> HearthwallSensorDescription[Feed]:
    """Describe how many packets of a feed's addresses were seen."""
    return HearthwallSensorDescription(
        key=name.join(FEED_KEY),
        translation_key="feed_hits",
        translation_placeholders={"feed": name},
        state_class=SensorStateClass.TOTAL_INCREASING,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda feed: feed.packets,
    )
