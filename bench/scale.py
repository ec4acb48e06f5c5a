"""What one home gives a fleet's engines: its events and their bytes, its metrics, and what they cost a Prometheus."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from bench import fleet, parts, telling
from bench.figures import Figure


class Effort(NamedTuple):
    """How thoroughly to measure: homes whose weeks are lived, and scraped homes and seconds."""

    seeds: int
    days: int
    homes: int
    seconds: float


_FULL: Final = Effort(2, 14, 300, 60.0)
_QUICK: Final = Effort(1, 9, 100, 25.0)

#: The parts of the measurement by name.
PARTS: Final[Mapping[str, Callable[[Path, Effort], list[Figure]]]] = {
    "events": lambda folder, effort: telling.measure(folder, effort.seeds, effort.days),
    "prometheus": lambda folder, effort: fleet.measure(folder, effort.homes, effort.seconds),
}

sys.exit(parts.measure("scale", __doc__, PARTS, _FULL, _QUICK))
