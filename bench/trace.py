"""What it costs a connection to be watched: CPU time of connect, accept and close on loopback, with who watches."""

import argparse
import statistics
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from typing import Final, NamedTuple

from bench.figures import Figure, load, show
from bench.network import workplace
from bench.rounds import Rounds, Samples, alternate
from bench.tracing import (
    ATTRIBUTION,
    EXCLUDED,
    NOTHING,
    OTHERS,
    TRACED,
    Bench,
    Watcher,
    missing,
)


class Effort(NamedTuple):
    """How thoroughly to measure: rounds, connections in a row, and how many rows beside as many without."""

    rounds: Rounds
    connections: int
    rows: int


_FULL: Final = Effort(Rounds(7, 420), 5_000, 8)
_QUICK: Final = Effort(Rounds(2, 60), 2_000, 3)
_ALONE: Final = "a connection's CPU time"
_ADDED: Final = "added to a connection"
_CONSUMED: Final = "in the watcher's own processes"
UNITS: Final = {_ALONE: "ns", _ADDED: "ns", _CONSUMED: "ns"}
#: At most, in ns. What is excluded must not be seen beside attribution alone.
_GOALS: Final = {ATTRIBUTION: 500.0, TRACED: 1000.0}


def _measure(
    bench: Bench, place: Callable[[], AbstractContextManager[Watcher]], effort: Effort
) -> dict[str, float]:
    """Measure one contender, beside nothing just before and just after."""

    def rows() -> list[float]:
        return [bench.connect(effort.connections) for _ in range(effort.rows)]

    bare = rows()
    with place() as watcher:
        spent = watcher.cpu()
        watched = rows()
        spent = watcher.cpu() - spent
    bare += rows()
    return {
        _ALONE: statistics.median(bare),
        _ADDED: statistics.median(watched) - statistics.median(bare),
        _CONSUMED: spent / (effort.connections * effort.rows),
    }


def _figures(samples: Mapping[str, Samples], names: list[str]) -> list[Figure]:
    """Return what is printed."""
    alone = [value for name in names for value in samples[_ALONE].of(name)]
    figures = [Figure.median(f"{_ALONE}: {NOTHING}", alone, "ns", None)]
    for name in names:
        added = samples[_ADDED].of(name)
        figures.append(Figure.median(f"{_ADDED}: {name}", added, "ns", _GOALS.get(name)))
    consumed = samples[_CONSUMED]
    figures += [Figure(f"{_CONSUMED}: {name}", consumed.median(name), "ns") for name in names]
    return figures


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench/trace", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print a JSON list")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    options = parser.parse_args()
    effort = _QUICK if options.quick else _FULL
    before = load("before")
    with workplace() as folder, ExitStack() as stack:
        bench = Bench(folder)
        stack.callback(bench.close)
        left_out = missing(bench, OTHERS)
        for name, reason in left_out.items():
            print(f"trace: {name} is left out: {reason}", file=sys.stderr)
        places: dict[str, Callable[[], AbstractContextManager[Watcher]]] = {
            ATTRIBUTION: bench.attribution,
            TRACED: bench.trace,
            EXCLUDED: partial(bench.trace, excluded=True),
            **{name: partial(bench.other, name) for name in OTHERS if name not in left_out},
        }
        contenders = {
            name: partial(_measure, bench, place, effort) for name, place in places.items()
        }
        samples = alternate("trace", contenders, UNITS, effort.rounds)
    print(show([before, *_figures(samples, list(places)), load("after")], as_json=options.json))
    return 0


sys.exit(main())
