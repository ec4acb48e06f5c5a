"""Half-space trees (Tan, Ting and Liu, 2011) over windows of behaviour: a model that lost."""

import math
import random
from typing import Final

from hearthwall_sensor.learning.prototypes import SIZE

_TREES: Final = 12
_HEIGHT: Final = 7
#: So many windows make a mass by which the next ones are judged (two and a half days).
_WINDOW: Final = 250
#: Nodes with less than this share of a window's mass end the way down.
_SIZE_LIMIT: Final = 0.1
#: Each number is scaled by its range so far, and a margin.
_MARGIN: Final = 0.15


class HalfSpaceTrees:
    """Counts in which half of which half of the space windows lie; scores are high where few did."""

    def __init__(self, seed: int = 1) -> None:
        """Cut the space at random."""
        rng = random.Random(seed)  # noqa: S311
        inner = 2**_HEIGHT - 1
        self._cuts = [[rng.randrange(SIZE) for _ in range(inner)] for _ in range(_TREES)]
        self._at = [[rng.uniform(0.15, 0.85) for _ in range(inner)] for _ in range(_TREES)]
        nodes = 2 ** (_HEIGHT + 1) - 1
        self._mass = [[0] * nodes for _ in range(_TREES)]
        self._next = [[0] * nodes for _ in range(_TREES)]
        self._low, self._high = [255.0] * SIZE, [0.0] * SIZE
        self._seen = 0

    def _scaled(self, window: bytes) -> list[float]:
        """Return the numbers from 0 to 1."""
        scaled = []
        for value, low, high in zip(window, self._low, self._high, strict=True):
            margin = _MARGIN * max(high - low, 20.0)
            span = high - low + 2 * margin
            scaled.append((value - low + margin) / span if span > 0 else 0.5)
        return scaled

    def score(self, window: bytes) -> float:
        """Return how few windows were there: the logarithm to base 2 of the share that is missing."""
        if self._seen < _WINDOW:
            return 0.0
        scaled = self._scaled(window)
        total, least = 0.0, _SIZE_LIMIT * _WINDOW
        for cuts, at, mass in zip(self._cuts, self._at, self._mass, strict=True):
            node = depth = 0
            while depth < _HEIGHT and mass[node] > least:
                node = 2 * node + 1 + (scaled[cuts[node]] >= at[node])
                depth += 1
            total += mass[node] * 2.0**depth
        return max(0.0, _HEIGHT + math.log2(_TREES * _WINDOW / (1.0 + total)))

    def learn(self, window: bytes, _number: int) -> None:
        """Count a window, for the judgement of those after the next few days."""
        for at, value in enumerate(window):
            self._low[at] = min(self._low[at], value)
            self._high[at] = max(self._high[at], value)
        scaled = self._scaled(window)
        for cuts, edges, mass in zip(self._cuts, self._at, self._next, strict=True):
            node = 0
            for _ in range(_HEIGHT):
                mass[node] += 1
                node = 2 * node + 1 + (scaled[cuts[node]] >= edges[node])
            mass[node] += 1
        self._seen += 1
        if self._seen % _WINDOW == 0:
            self._mass = self._next
            self._next = [[0] * len(each) for each in self._mass]
