"""What flows and names cost the gateway: CPU, memory, loss in a flood, reading flows, the kernel's part, its start."""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from bench import metering, readout, reckoning, remembering, starting, watching
from bench.figures import Figure, load, show
from bench.network import workplace
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


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench/sensor", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print a JSON list")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
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
