"""Which model of a device's behaviour to trust: precision, recall, time to detection and cost, on labelled weeks."""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from bench.device_weeks import ATTACKS, DEVICES, NIGHT, weeks
from bench.figures import Figure, show
from bench.half_space import HalfSpaceTrees
from bench.mahalanobis import Mahalanobis
from hearthwall_sensor.detectors.behaviour_anomaly import severity
from hearthwall_sensor.learning.model import Model, Usual
from hearthwall_sensor.learning.prototypes import Prototypes

MODELS: Final[Mapping[str, Callable[[], Usual]]] = {
    "prototypes": Prototypes,
    "half-space trees": HalfSpaceTrees,
    "Mahalanobis": Mahalanobis,
}
#: What is used, and is held to goals.
_OURS: Final = "prototypes"
_LEARNT: Final = 28
_YEAR: Final = 365.0


@dataclass
class Outcome:
    """What a model made of labelled weeks."""

    runs: Counter[str] = field(default_factory=Counter)
    """How many attacks of each kind there were, and how many were found."""
    found: Counter[str] = field(default_factory=Counter)
    delays: list[int] = field(default_factory=list)
    """In windows."""
    false: int = 0
    """Events of low severity or above without an attack, and those of medium."""
    false_medium: int = 0
    calm_days: float = 0.0
    windows: int = 0
    seconds: float = 0.0


def judge(make: Callable[[], Usual], seeds: Iterable[int], days: int, calm: int) -> Outcome:
    """Let a model judge all devices, with attacks and in calm."""
    outcome = Outcome()
    for device in DEVICES:
        for seed in seeds:
            _watch(outcome, make, device, seed, days, _LEARNT)
            _watch(outcome, make, device, 100 + seed, calm, None)
    return outcome


def _watch(  # noqa: PLR0913, PLR0917, which weeks these are
    outcome: Outcome,
    make: Callable[[], Usual],
    device: str,
    seed: int,
    days: int,
    attacks_from: int | None,
) -> None:
    """Let a model judge one device's weeks."""
    model = Model(usual=make())
    before, since, is_found, quiet_until = None, 0, False, 0
    for number, quarter in enumerate(weeks(device, seed, days, attacks_from=attacks_from)):
        levels = quarter.counts.levels()
        begin = time.perf_counter()
        verdict = model.judge(levels, quarter.start)
        outcome.seconds += time.perf_counter() - begin
        outcome.windows += 1
        if quarter.attack != before:
            since, is_found = number, False
            outcome.runs[quarter.attack or ""] += quarter.attack is not None
        attacked = quarter.attack or (before if number == since else None)
        before = quarter.attack
        how = severity(verdict)
        if how is None or number < _LEARNT * 96:
            continue
        if attacked is None:
            # The same behaviour within six hours is one event
            outcome.false += number >= quiet_until and how is not None
            outcome.false_medium += how == "medium" and number >= quiet_until
            quiet_until = number + 24
        elif not is_found and quarter.attack is not None:
            is_found = True
            outcome.found[quarter.attack] += 1
            outcome.delays.append(number - since + 1)
    if attacks_from is None:
        outcome.calm_days += days - _LEARNT


def figures(name: str, outcome: Outcome) -> list[Figure]:
    """Return what is printed of a model; only ours has goals."""
    ours = name == _OURS
    years = len(DEVICES) and outcome.calm_days / _YEAR
    found, runs = outcome.found.total(), outcome.runs.total()
    delay = sorted(outcome.delays)[len(outcome.delays) // 2] * 15 if outcome.delays else 0
    kinds = [*ATTACKS, NIGHT]
    per_kind = [
        Figure(f"{name}: found, {kind}", round(outcome.found[kind] / outcome.runs[kind], 3), "")
        for kind in kinds
        if outcome.runs[kind]
    ]
    return [
        Figure(
            f"{name}: attacks found (recall)",
            round(found / max(runs, 1), 3),
            "",
            0.75 if ours else None,
            bound="at least",
        ),
        Figure(
            f"{name}: precision, all severities",
            round(found / max(found + outcome.false, 1), 3),
            "",
        ),
        Figure(
            f"{name}: false events a device and year, medium",
            round(outcome.false_medium / years, 2),
            "",
            1.0 if ours else None,
        ),
        Figure(f"{name}: false events a device and year, all", round(outcome.false / years, 2), ""),
        Figure(f"{name}: time to detection, median", delay, "min"),
        Figure(f"{name}: cost", round(outcome.seconds / outcome.windows * 1e6), "us a window"),
        *([_size()] if ours else []),
        *per_kind,
    ]


def _size() -> Figure:
    """Return what our model takes on disk after a quarter of a year."""
    sizes = []
    for device in DEVICES:
        model = Model()
        for quarter in weeks(device, 7, 90):
            model.judge(quarter.counts.levels(), quarter.start)
        sizes.append(len(json.dumps(model.to_wire())))
    return Figure(f"{_OURS}: largest model on disk", max(sizes), "bytes", 8_192)


def main() -> int:
    """Compare and print."""
    parser = argparse.ArgumentParser(prog="bench/models", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print a JSON list")
    parser.add_argument("--quick", action="store_true", help="fewer weeks")
    parser.add_argument("--model", choices=MODELS, action="append", help="only this (repeatable)")
    options = parser.parse_args()
    seeds, days, calm = (range(1), 64, 120) if options.quick else (range(3), 64, 365)
    found: list[Figure] = []
    for name in options.model or MODELS:
        found += figures(name, judge(MODELS[name], seeds, days, calm))
    print(show(found, as_json=options.json))
    return 0


if __name__ == "__main__":
    sys.exit(main())
