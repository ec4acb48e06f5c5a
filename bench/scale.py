"""What one home gives a fleet's engines: its events and their bytes, its metrics, and what they cost a Prometheus."""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from bench import fleet, telling
from bench.figures import Figure, load, show
from bench.network import workplace


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


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench/scale", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print a JSON list")
    parser.add_argument("--quick", action="store_true", help="fewer homes, for a shorter time")
    parser.add_argument(
        "--part", choices=PARTS, action="append", help="measure only this (repeatable)"
    )
    options = parser.parse_args()
    effort = _QUICK if options.quick else _FULL
    figures = [load("before")]
    for name in options.part or PARTS:
        with workplace() as folder:
            figures += PARTS[name](folder, effort)
    figures.append(load("after"))
    print(show(figures, as_json=options.json))
    return 0


sys.exit(main())
