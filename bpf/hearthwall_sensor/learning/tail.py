"""How high a score has to be to be unusual for a device: by its own scores, and what their tail makes likely."""

import itertools
import math
from typing import Any, Final

#: Scores are counted by their logarithm, so many bins for a doubling; the last is for all that are higher.
_BINS: Final = 64
_PER_DOUBLING: Final = 6
_LOWEST: Final = 0.25
#: From here on scores are the tail, which falls off exponentially.
_TAIL: Final = 0.98
#: Beyond so many the older half counts half: a third of a year of quarters of an hour.
_MOST: Final = 12_000


class Tail:
    """Counts scores in 64 numbers."""

    __slots__ = ("_counts", "total")

    def __init__(self) -> None:
        """Begin with none."""
        self._counts = [0] * _BINS
        self.total = 0

    def add(self, score: float) -> None:
        """Count a score."""
        self._counts[_bin(score)] += 1
        self.total += 1
        if self.total > _MOST:
            self._counts = [each // 2 for each in self._counts]
            self.total = sum(self._counts)

    def beyond(self, chance: float) -> float:
        """Return the score that a window exceeds with this chance."""
        if not self.total:
            return math.inf
        below = itertools.accumulate(self._counts)
        start = next(at for at, count in enumerate(below) if count >= _TAIL * self.total)
        edge = _edge(start + 1)
        above = [(at, count) for at, count in enumerate(self._counts) if at > start and count]
        number = sum(count for _, count in above)
        # One that is not there yet makes up for histories that are too short to have a tail
        excess = sum(count * (_edge(at + 0.5) - edge) for at, count in above) + 0.25 * edge
        share = (number + 1) / (self.total + 1)
        return edge + excess / (number + 1) * max(0.0, math.log(share / chance))

    def to_wire(self) -> list[int]:
        """Return it for the disk."""
        return list(self._counts)

    @classmethod
    def from_wire(cls, wire: Any) -> "Tail":
        """Read what to_wire returned; raises ValueError."""
        if not isinstance(wire, list) or len(wire) != _BINS:
            raise ValueError("no scores of a model")
        if not all(isinstance(each, int) and 0 <= each <= _MOST for each in wire):
            raise ValueError("no scores of a model: damaged")
        tail = cls()
        tail._counts, tail.total = list(wire), sum(wire)
        return tail


def _bin(score: float) -> int:
    """Return a score's bin."""
    if score <= _LOWEST:
        return 0
    return min(_BINS - 1, int(_PER_DOUBLING * math.log2(score / _LOWEST)))


def _edge(at: float) -> float:
    """Return where a bin begins."""
    return float(_LOWEST * 2.0 ** (at / _PER_DOUBLING))
