"""How the sensor itself fares: its process, what it uses of the kernel, and what was lost."""

import platform
from collections.abc import Iterable
from typing import Final

from .family import Family, Sample, Scene, by, one

#: Guarded interfaces that metrics name.
MAX_INTERFACES: Final = 64
#: What is counted among the losses but is a state, not a count.
_STATES: Final = frozenset({"places_unreadable"})


def _capabilities(scene: Scene) -> Iterable[Sample]:
    """Yield what the sensor uses of the kernel, and what the kernel lacks."""
    yield from (((name,), 1) for name in scene.status.capabilities)
    yield from (((name,), 0) for name in scene.status.missing)


def _interfaces(scene: Scene) -> Iterable[Sample]:
    """Yield the guarded interfaces."""
    for each in scene.status.interfaces:
        yield (each.name, each.role, each.xdp, each.tc), 1


FAMILIES: Final = (
    Family(
        "hearthwall_build",
        "info",
        "The sensor's version, its protocol's schema, and the Python that it runs on.",
        lambda scene: (
            ((scene.status.version, str(scene.status.schema), platform.python_version()), 1),
        ),
        1,
        ("version", "schema", "python"),
    ),
    Family(
        "hearthwall_kernel",
        "info",
        "The gateway's kernel.",
        lambda _: (((platform.release(), platform.machine()), 1),),
        1,
        ("release", "machine"),
    ),
    Family(
        "hearthwall_capability",
        "gauge",
        "What the sensor uses of the kernel (1) and misses there (0): how programs are attached, hooks, capabilities.",
        _capabilities,
        16,
        ("capability",),
    ),
    Family(
        "hearthwall_interface",
        "info",
        "The guarded interfaces: their side, and how XDP and tc are attached to them.",
        _interfaces,
        MAX_INTERFACES,
        ("interface", "role", "xdp", "tc"),
    ),
    Family(
        "hearthwall_process_start_time_seconds",
        "gauge",
        "When the sensor started, by the gateway's clock, in seconds since the epoch.",
        one(lambda scene: scene.started),
        1,
        unit="seconds",
    ),
    Family(
        "hearthwall_process_cpu_seconds",
        "counter",
        "CPU time of the sensor's process, user and system; the programs in the kernel are not in it.",
        one(lambda scene: scene.cpu_seconds),
        1,
        unit="seconds",
    ),
    Family(
        "hearthwall_process_resident_memory_bytes",
        "gauge",
        "Resident memory of the sensor's process; the kernel's tables are not in it.",
        one(lambda scene: scene.status.resident_bytes),
        1,
        unit="bytes",
    ),
    Family(
        "hearthwall_clients",
        "gauge",
        "Clients that are connected, such as Home Assistant; what the sensor started itself is none.",
        one(lambda scene: scene.status.clients),
        1,
    ),
    Family(
        "hearthwall_home_assistants",
        "gauge",
        "Home Assistants that follow what the sensor tells.",
        one(lambda scene: scene.status.home_assistants),
        1,
    ),
    Family(
        "hearthwall_turned_away_connections",
        "counter",
        "Connections from other hosts that showed no good token or were too many.",
        one(lambda scene: scene.status.turned_away),
        1,
        unit="connections",
    ),
    Family(
        "hearthwall_lost",
        "counter",
        "What did not reach its table or its reader, by cause, as status counts it.",
        by(lambda scene: {k: v for k, v in scene.lost.items() if k not in _STATES}),
        40,
        ("cause",),
    ),
    Family(
        "hearthwall_malformed_packets",
        "counter",
        "Packets that were looked into and were not what they said, by kind, since the sensor started.",
        by(lambda scene: scene.status.malformed),
        16,
        ("kind",),
        "packets",
    ),
    Family(
        "hearthwall_geo_files_unreadable",
        "gauge",
        "Files of countries and networks (run --geo) that are missing or damaged now.",
        one(lambda scene: scene.status.lost.get("places_unreadable", 0)),
        1,
    ),
    Family(
        "hearthwall_policy_unreadable",
        "gauge",
        "1 while the policy's file can't be read, and what it said before holds.",
        one(lambda scene: scene.status.policy_problem is not None),
        1,
    ),
    Family(
        "hearthwall_damaged_files",
        "gauge",
        "State files that were found damaged and still lie aside.",
        one(lambda scene: len(scene.status.damaged)),
        1,
    ),
)
