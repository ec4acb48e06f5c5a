"""What each device does, where the setting metrics_devices names devices: else no series says which is which."""

from collections.abc import Callable, Iterable
from typing import Final

from ..devices import MAX_ACCOUNTS
from .family import WAYS, Family, PerDevice, Sample, Scene, one

#: Devices that metrics name, if they name any.
MAX_DEVICES: Final = MAX_ACCOUNTS


def _of_devices(value: Callable[[PerDevice, int], float]) -> Callable[[Scene], Iterable[Sample]]:
    """Return what reads one figure of each device and direction."""

    def read(scene: Scene) -> Iterable[Sample]:
        for device in scene.devices:
            for number, way in enumerate(WAYS):
                yield (device.name, way), value(device, number)

    return read


def _device_rules(scene: Scene) -> Iterable[Sample]:
    """Yield the devices that have a rule on all of their traffic."""
    return (((each.name, each.mode), 1) for each in scene.devices if each.mode is not None)


def _last_seen(scene: Scene) -> Iterable[Sample]:
    """Yield when each device sent something last."""
    return (
        ((each.name,), max(account.last_seen for account in each.accounts))
        for each in scene.devices
    )


def _sum(device: PerDevice, which: int) -> int:
    """Return what a device has moved: one of the four counters of a scope."""
    return sum(scope[which] for account in device.accounts for scope in account.scopes)


FAMILIES: Final = (
    Family(
        "hearthwall_device_bytes",
        "counter",
        "Wire bytes that a device has moved since it is known.",
        _of_devices(lambda device, way: _sum(device, 2 * way)),
        2 * MAX_DEVICES,
        ("device", "direction"),
        "bytes",
    ),
    Family(
        "hearthwall_device_packets",
        "counter",
        "Packets that a device has moved since it is known.",
        _of_devices(lambda device, way: _sum(device, 2 * way + 1)),
        2 * MAX_DEVICES,
        ("device", "direction"),
        "packets",
    ),
    Family(
        "hearthwall_device_last_seen_timestamp_seconds",
        "gauge",
        "When a device sent something last, in seconds since the epoch.",
        _last_seen,
        MAX_DEVICES,
        ("device",),
        "seconds",
    ),
    Family(
        "hearthwall_device_rule",
        "gauge",
        "1 for a device with a rule on all of its traffic, by the rule's mode.",
        _device_rules,
        MAX_DEVICES,
        ("device", "mode"),
    ),
    Family(
        "hearthwall_devices_left_out",
        "gauge",
        f"Devices that metrics do not name because there are more than {MAX_DEVICES:,}; sums know them all the same.",
        one(lambda scene: scene.left_out),
        1,
    ),
)
