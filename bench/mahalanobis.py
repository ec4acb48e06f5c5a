"""A robust Mahalanobis distance for each time of day, with a covariance that forgets and shrinks: a model that lost."""

import math
from typing import Final

from hearthwall_sensor.learning.window import FEATURES

_SIZE: Final = len(FEATURES)
#: Times of day of three hours, of workdays and of weekends.
_TIMES: Final = 16
#: Weights of the newest window: in the means of a time of day, and in the covariance.
_MEAN: Final = 1 / 200
_COVARIANCE: Final = 1 / 1500
#: Deviations beyond are cut before they are learnt.
_CUT: Final = 4.0
_SHRINK: Final = 0.2
#: The inverse is made anew after so many windows.
_EVERY: Final = 48
_FLOOR: Final = 4.0


class Mahalanobis:
    """Deviations from the mean of the time of day, with what of them comes together taken out."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._means: list[list[float]] = [[] for _ in range(_TIMES)]
        self._spreads = [[_FLOOR * 2] * _SIZE for _ in range(_TIMES)]
        self._seen = [0] * _TIMES
        self._covariance = [[float(i == j) for j in range(_SIZE)] for i in range(_SIZE)]
        self._inverse = [row[:] for row in self._covariance]
        self._count = 0

    @staticmethod
    def _time(window: bytes) -> int:
        """Return a window's time of day."""
        sine, cosine, weekend = window[_SIZE:]
        part = int((math.atan2(sine - 30, cosine - 30) / (2 * math.pi) % 1.0) * 8) % 8
        return part + 8 * (weekend > 0)

    def _deviations(self, window: bytes) -> list[float]:
        """Return each feature's deviation from the time's mean."""
        time = self._time(window)
        means = self._means[time]
        if not means:
            return [0.0] * _SIZE
        return [
            (value - mean) / (_FLOOR + 1.25 * spread)
            for value, mean, spread in zip(window, means, self._spreads[time], strict=False)
        ]

    def score(self, window: bytes) -> float:
        """Return the distance."""
        off = self._deviations(window)
        total = sum(
            mine * sum(a * b for a, b in zip(row, off, strict=True))
            for mine, row in zip(off, self._inverse, strict=True)
        )
        return math.sqrt(max(0.0, total))

    def learn(self, window: bytes, _number: int) -> None:
        """Learn from a window."""
        time = self._time(window)
        if not self._means[time]:
            self._means[time] = [float(each) for each in window[:_SIZE]]
        off = [max(-_CUT, min(_CUT, each)) for each in self._deviations(window)]
        self._seen[time] += 1
        weight = max(_MEAN, 1 / (1 + self._seen[time]))
        means, spreads = self._means[time], self._spreads[time]
        for at in range(_SIZE):
            difference = off[at] * (_FLOOR + 1.25 * spreads[at])
            means[at] += weight * difference
            spreads[at] += weight * (abs(difference) - spreads[at])
        self._count += 1
        weight = max(_COVARIANCE, 1 / (1 + self._count))
        for row, mine in zip(self._covariance, off, strict=True):
            for at, other in enumerate(off):
                row[at] += weight * (mine * other - row[at])
        if self._count % _EVERY == 0:
            self._inverse = _inverted(_shrunk(self._covariance))


def _shrunk(matrix: list[list[float]]) -> list[list[float]]:
    """Return a covariance that is nearer to one without any."""
    mean = max(0.05, sum(matrix[at][at] for at in range(_SIZE)) / _SIZE)
    return [
        [(1 - _SHRINK) * value + (_SHRINK * mean if i == j else 0.0) for j, value in enumerate(row)]
        for i, row in enumerate(matrix)
    ]


def _inverted(matrix: list[list[float]]) -> list[list[float]]:
    """Return the inverse of a positive definite matrix."""
    rows = [[*row, *(float(i == j) for j in range(_SIZE))] for i, row in enumerate(matrix)]
    for at in range(_SIZE):
        pivot = rows[at][at]
        rows[at] = [each / pivot for each in rows[at]]
        for other in range(_SIZE):
            factor = rows[other][at]
            if other != at and factor:
                rows[other] = [
                    mine - factor * its for mine, its in zip(rows[other], rows[at], strict=True)
                ]
    return [row[_SIZE:] for row in rows]
