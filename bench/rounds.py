"""Alternating rounds: whoever is measured takes turns, so that a machine's moods meet everybody alike."""

import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, NamedTuple

from bench.figures import Figure


class Rounds(NamedTuple):
    """How many rounds there are, and after how many seconds no further one begins."""

    number: int
    seconds: float


class Compared(NamedTuple):
    """A contender, with whom it is compared, and the goal for the ratio."""

    name: str
    against: str | None = None
    goal: float | None = None
    bound: Literal["at most", "at least"] = "at most"


class Samples:
    """What each contender measured of one thing, round by round."""

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._by_name: dict[str, list[float]] = {}

    def add(self, name: str, value: float) -> None:
        """Take what a contender measured in one more round."""
        self._by_name.setdefault(name, []).append(value)

    def of(self, name: str) -> list[float]:
        """Return a contender's rounds."""
        return self._by_name[name]

    def median(self, name: str) -> float:
        """Return the median of a contender's rounds."""
        return round(statistics.median(self._by_name[name]), 2)

    def ratio(self, name: str, against: str) -> float:
        """Return the median of the ratios within each round: what slows a whole round falls out."""
        pairs = zip(self._by_name[name], self._by_name[against], strict=True)
        return round(statistics.median(own / other for own, other in pairs), 3)

    def figures(self, title: str, compared: Iterable[Compared]) -> list[Figure]:
        """Return the figures of all that are compared."""
        return [
            Figure(
                f"{title}: {name}",
                self.median(name),
                self._unit,
                goal,
                against,
                None if against is None else self.ratio(name, against),
                bound,
            )
            for name, against, goal, bound in compared
        ]


def alternate(
    title: str,
    contenders: Mapping[str, Callable[[], Mapping[str, float]]],
    units: Mapping[str, str],
    rounds: Rounds,
) -> dict[str, Samples]:
    """Measure each contender once in every round, every second round backwards; return what by what was measured."""
    found = {measured: Samples(unit) for measured, unit in units.items()}
    begun = time.monotonic()
    for number in range(rounds.number):
        if number and time.monotonic() - begun > rounds.seconds:
            print(f"{title}: ends after {number} rounds, the time is up", file=sys.stderr)
            break
        print(f"{title}: round {number + 1} of {rounds.number}", file=sys.stderr, flush=True)
        for name in list(contenders)[:: -1 if number % 2 else 1]:
            for measured, value in contenders[name]().items():
                found[measured].add(name, value)
    return found


def alternate_one(
    title: str, contenders: Mapping[str, Callable[[], float]], unit: str, rounds: Rounds
) -> Samples:
    """Do the same where each contender measures one thing."""
    calls = {name: _named(title, call) for name, call in contenders.items()}
    return alternate(title, calls, {title: unit}, rounds)[title]


def _named(title: str, call: Callable[[], float]) -> Callable[[], Mapping[str, float]]:
    """Give a measurement's value its name."""
    return lambda: {title: call()}
