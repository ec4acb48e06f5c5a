"""What a device's windows usually look like: some examples, each for many alike, and how far a new one is from them.

Behaviour has several modes (idle, a film, a backup), between which a mean and its spread say nothing. What is alike
is one example that counts for more, so that a hundred idle hours take no place from the weekly film.
"""

import base64
import math
from typing import Any, Final, NamedTuple

from .window import FEATURES

#: The features, and the time: sine and cosine of the hour, and whether it is a weekend.
SIZE: Final = len(FEATURES) + 3
_HOURS_AT: Final = len(FEATURES)
#: How far noon and midnight are apart on each of both, and a workday from a weekend, in levels.
_CLOCK: Final = 60
_WEEKEND: Final = 10
#: Examples of each device, at 50 bytes each.
_MOST: Final = 96
#: Differences of so many levels are nothing (a third more or less), and so many times the usual difference.
_FLOOR: Final = 8.0
_USUAL: Final = 2.0
#: A clock differs by itself: never learn that it does not matter.
_CLOCK_SCALE: Final = 8.0
#: Windows within this distance of an example are the same.
_SAME: Final = 2.0
#: An example follows its windows with this weight at least.
_FOLLOWS: Final = 1 / 16
#: The usual difference follows that of each window with this weight.
_DIFFERENCE_WEIGHT: Final = 1 / 256
#: An example counts half after so many windows (four weeks).
_HALF_LIFE: Final = 4 * 7 * 96


class _Example(NamedTuple):
    """One of the examples."""

    levels: bytes
    weight: float
    last: int
    """The number of the window that was like it."""


def placed(levels: bytes, local: float) -> bytes:
    """Return the levels of a window with its time, which is that of a local clock."""
    angle = local % 86_400.0 / 86_400.0 * 2 * math.pi
    half = _CLOCK / 2
    is_weekend = int(local // 86_400.0 + 3) % 7 >= 5  # the epoch began on a Thursday
    clock = (round(half + half * math.sin(angle)), round(half + half * math.cos(angle)))
    return levels + bytes((*clock, _WEEKEND if is_weekend else 0))


class Prototypes:
    """The examples of one device."""

    __slots__ = ("_differences", "_examples")

    def __init__(self) -> None:
        """Begin with none."""
        self._examples: list[_Example] = []
        self._differences = [_FLOOR / 2] * len(FEATURES)

    def _scales(self) -> list[float]:
        """Return by how many levels each number differs without meaning anything."""
        return [_FLOOR + _USUAL * each for each in self._differences] + [_CLOCK_SCALE] * 3

    def _nearest(self, window: bytes) -> tuple[float, int]:
        """Return how far the nearest example is, and which it is."""
        weights = [1.0 / each**2 for each in self._scales()]
        best, which = math.inf, -1
        for at, example in enumerate(self._examples):
            distance = 0.0
            for ours, theirs, weight in zip(window, example.levels, weights, strict=True):
                difference = ours - theirs
                if difference:
                    distance += difference * difference * weight
            if distance < best:
                best, which = distance, at
        return math.sqrt(best), which

    def score(self, window: bytes) -> float:
        """Return how far a window is from all that is usual."""
        return self._nearest(window)[0] if self._examples else 0.0

    def parts(self, window: bytes) -> list[float]:
        """Return by how much each feature is off, in its usual differences, with a sign."""
        _, which = self._nearest(window)
        if which < 0:
            return [0.0] * len(FEATURES)
        levels = self._examples[which].levels
        return [
            (ours - theirs) / scale
            for ours, theirs, scale in zip(window, levels, self._scales(), strict=True)
        ][: len(FEATURES)]

    def bands(self) -> list[tuple[int, int]]:
        """Return between which levels nearly all of each feature were, by the examples' weights."""
        found = []
        total = sum(each.weight for each in self._examples)
        for at in range(len(FEATURES)):
            ordered = sorted((each.levels[at], each.weight) for each in self._examples)
            found.append((_quantile(ordered, 0.02 * total), _quantile(ordered, 0.98 * total)))
        return found

    def learn(self, window: bytes, number: int) -> None:
        """Learn from a window."""
        distance, which = self._nearest(window)
        if which >= 0:
            example = self._examples[which]
            for at, difference in enumerate(self._differences):
                found = min(abs(window[at] - example.levels[at]), 4 * (_FLOOR + difference))
                self._differences[at] += _DIFFERENCE_WEIGHT * (found - difference)
            if distance < _SAME:
                self._examples[which] = _follow(example, window, number)
                return
        if len(self._examples) >= _MOST:
            gone = min(
                range(len(self._examples)), key=lambda at: _worth(self._examples[at], number)
            )
            del self._examples[gone]
        self._examples.append(_Example(window, 1.0, number))

    def __len__(self) -> int:
        """Return how many examples there are."""
        return len(self._examples)

    def to_wire(self) -> dict[str, Any]:
        """Return it for the disk: 4 kB at most."""
        return {
            "examples": base64.b64encode(b"".join(each.levels for each in self._examples)).decode(),
            "weights": [round(each.weight) for each in self._examples],
            "last": [each.last for each in self._examples],
            "differences": [round(each, 2) for each in self._differences],
        }

    @classmethod
    def from_wire(cls, wire: Any) -> "Prototypes":
        """Read what to_wire returned; raises ValueError."""
        found = cls()
        try:
            joined = base64.b64decode(wire["examples"], validate=True)
            weights = [float(each) for each in wire["weights"]]
            last = [int(each) for each in wire["last"]]
            found._differences = [float(each) for each in wire["differences"]]
        except (KeyError, TypeError, AttributeError, OverflowError) as error:
            raise ValueError(f"no examples of a model: {error!r}") from error
        levels = [joined[at : at + SIZE] for at in range(0, len(joined), SIZE)]
        is_whole = len(levels) == len(weights) == len(last) <= _MOST and len(joined) % SIZE == 0
        numbers = (*weights, *last, *found._differences)
        if not is_whole or len(found._differences) != len(FEATURES):
            raise ValueError("no examples of a model: not as many as there should be")
        if not all(0 <= each < 1e9 for each in numbers):
            raise ValueError("no examples of a model: damaged")
        found._examples = [_Example(*each) for each in zip(levels, weights, last, strict=True)]
        return found


def _follow(example: _Example, window: bytes, number: int) -> _Example:
    """Return an example that has gone towards a window that is like it."""
    weight = _worth(example, number) + 1.0
    share = max(_FOLLOWS, 1.0 / weight)
    levels = bytes(
        round(old + share * (new - old)) for old, new in zip(example.levels, window, strict=True)
    )
    return _Example(levels, weight, number)


def _worth(example: _Example, number: int) -> float:
    """Return for how many windows an example counts today."""
    return float(example.weight * 0.5 ** (max(0, number - example.last) / _HALF_LIFE))


def _quantile(ordered: list[tuple[int, float]], wanted: float) -> int:
    """Return the first value by which so much weight is reached."""
    reached = 0.0
    for value, weight in ordered:
        reached += weight
        if reached >= wanted:
            return value
    return ordered[-1][0] if ordered else 0
