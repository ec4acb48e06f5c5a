"""What the home does: its traffic, devices, flows and events."""

from collections.abc import Callable, Iterable
from typing import Final

from ..kinds import KINDS, SEVERITIES
from ..modes import MODES
from ..protocol import SCOPES
from .family import WAYS, Family, Sample, Scene, by, one

#: A device that sent something within so many seconds is online: as Home Assistant has it unless told otherwise.
ONLINE: Final = 180.0


def _traffic(first: int) -> Callable[[Scene], Iterable[Sample]]:
    """Return what reads bytes (0) or packets (1) by direction and scope."""

    def read(scene: Scene) -> Iterable[Sample]:
        for scope, counted in zip(SCOPES, scene.moved, strict=True):
            for number, way in enumerate(WAYS):
                yield (way, scope), counted[2 * number + first]

    return read


def _events(scene: Scene) -> Iterable[Sample]:
    """Yield every kind and severity, also what has not happened: a count that appears is no growth to Prometheus."""
    for kind in KINDS:
        for severity in SEVERITIES:
            yield (kind, severity), scene.events.get((kind, severity), 0)


FAMILIES: Final = (
    Family(
        "hearthwall_traffic_bytes",
        "counter",
        "Wire bytes that the home's devices moved since the sensor started, seen from the devices.",
        _traffic(0),
        6,
        ("direction", "scope"),
        "bytes",
    ),
    Family(
        "hearthwall_traffic_packets",
        "counter",
        "Packets that the home's devices moved since the sensor started, seen from the devices.",
        _traffic(1),
        6,
        ("direction", "scope"),
        "packets",
    ),
    Family(
        "hearthwall_devices",
        "gauge",
        "Devices that are known.",
        one(lambda scene: scene.status.devices),
        1,
    ),
    Family(
        "hearthwall_devices_online",
        "gauge",
        f"Devices that sent something in the last {ONLINE:.0f} s.",
        one(lambda scene: scene.online),
        1,
    ),
    Family(
        "hearthwall_devices_restricted",
        "gauge",
        "Devices with a rule on all of their traffic, by the rule's mode.",
        by(lambda scene: scene.restricted),
        len(MODES),
        ("mode",),
    ),
    Family(
        "hearthwall_flows",
        "gauge",
        "Flows in the kernel's table at the last look; those that gave way are lost by cause flows_evicted.",
        one(lambda scene: scene.status.flows),
        1,
    ),
    Family(
        "hearthwall_events",
        "counter",
        "Events that were told since the sensor started; what repeats one is counted with it.",
        _events,
        len(KINDS) * len(SEVERITIES),
        ("kind", "severity"),
    ),
)
