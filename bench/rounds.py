"""Alternating rounds: whoever is measured takes turns, so that a machine's moods meet everybody alike."""

import statistics
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, NamedTuple

from bench.figures import Figure


class Compared(NamedTuple):
    """A contender, with whom it is compared, and the goal for the ratio."""

    name: str
    against: str | None = None
    goal: float | None = None
    bound: Literal["at most", "at least"] = "at most"


class Samples:
    """What each contender measured, round by round."""

    def __init__(self, by_name: Mapping[str, list[float]]) -> None:
        self._by_name = by_name

    def ratio(self, name: str, against: str) -> float:
        """Return the median of the ratios within each round: what slows a whole round falls out."""
        pairs = zip(self._by_name[name], self._by_name[against], strict=True)
        return round(statistics.median(own / other for own, other in pairs), 3)

    def figures(self, title: str, compared: Iterable[Compared], unit: str) -> list[Figure]:
        """Return the figures of all that are compared."""
        return [
            Figure(
                f"{title}: {name}",
                round(statistics.median(self._by_name[name]), 2),
                unit,
                goal,
                against,
                None if against is None else self.ratio(name, against),
                bound,
            )
            for name, against, goal, bound in compared
        ]


def alternate(title: str, contenders: Mapping[str, Callable[[], float]], rounds: int) -> Samples:
    """Measure each contender once in every round, every second round backwards."""
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds):
        print(f"{title}: round {number + 1} of {rounds}", file=sys.stderr, flush=True)
        for name in list(contenders)[:: -1 if number % 2 else 1]:
            found[name].append(contenders[name]())
    return Samples(found)
