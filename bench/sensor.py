"""What flows and names cost the gateway: CPU, memory, loss in a flood, reading flows, the kernel's part, its start."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from bench import metering, parts, readout, reckoning, remembering, starting, watching
from bench.figures import Figure
from bench.rounds import Rounds


class Effort(NamedTuple):
    """How thoroughly to measure: rounds, seconds of other tools at each pace, how fast the table is filled."""

    watching: Rounds
    seconds: float
    fill_rate: int
    readout: Rounds
    metering: Rounds
    repeat: int
    starting: Rounds


_FULL: Final = Effort(
    Rounds(3, 300), 3.0, 2_000, Rounds(9, 60), Rounds(7, 60), 1_000_000, Rounds(7, 120)
)
_QUICK: Final = Effort(
    Rounds(1, 20), 1.0, 10_000, Rounds(3, 10), Rounds(3, 10), 300_000, Rounds(3, 60)
)

#: The parts of the measurement by name.
PARTS: Final[Mapping[str, Callable[[Path, Effort], list[Figure]]]] = {
    "cpu": lambda folder, effort: watching.measure(folder, effort.watching, effort.seconds),
    "memory": lambda folder, effort: remembering.measure(folder, effort.fill_rate),
    "loss": lambda folder, _: reckoning.measure(folder),
    "readout": lambda folder, effort: readout.measure(folder, effort.readout),
    "kernel": lambda folder, effort: metering.measure(folder, effort.metering, effort.repeat),
    "start": lambda folder, effort: starting.measure(folder, effort.starting),
}

sys.exit(parts.measure("sensor", __doc__, PARTS, _FULL, _QUICK))
