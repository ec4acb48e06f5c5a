"""How much a device moves: bands for an hour of the week and for a day, learnt from the hours of six weeks.

Each hour is one byte on a scale of eighths of powers of two, so that a device's six weeks of one direction take a
kilobyte. While there are less than three weeks, the band goes by the mean and its spread.
"""

import base64
import math
import zlib
from statistics import median
from typing import Any, Final, NamedTuple

_WEEK: Final = 168
_HOURS: Final = 6 * _WEEK
#: So many hours of the past make the hour of the week tell something.
_GROWN: Final = 3 * _WEEK
#: Hours in which nobody watched.
_UNKNOWN: Final = 255
_GAP: Final = b"\xff"
_HIGHEST: Final = 254
#: No hour since the epoch is later, some thousand years on.
_LAST_HOUR: Final = 10**11 // 3600
_STEPS: Final = 8
_SMALLEST: Final = 256.0
#: A device's first hour is whole if no more than this part of it was missed; less of it than that tells no whole one.
_MISSED: Final = 0.1
_LEAST_SHARE: Final = 1 / 60
#: The largest hour counts half after so many hours (four weeks).
_HALF_LIFE: Final = 4 * _WEEK
#: An hour may have so many times the largest one so far, …
_OVER_LARGEST: Final = 1.5
#: … this while young, …
_OVER_LARGEST_YOUNG: Final = 2.0
#: … and this where the same hours of all weeks were still.
_OVER_LARGEST_STILL: Final = 0.5
#: An hour is still with less than this part of the floor.
_STILL: Final = 0.05
#: Deviations from the mean or the median that are nothing special; around the median at least so many
#: times the median itself.
_DEVIATIONS: Final = 6.0
_LEAST_SPREAD: Final = 1.0
#: A median's absolute deviation is so much smaller than a standard deviation.
_MAD: Final = 1.4826
#: The floor of a day, in floors of an hour.
_DAY_FLOORS: Final = 5.0
#: What was moved in an hour of so many days, of which the last is at least so many after the first, is usual. An hour
#: beyond its band counts only so: what raised an alarm must not become the measure by itself.
_USUAL_DAYS: Final = 3
_USUAL_SPAN: Final = 7
#: A device varies if so many hours before the last day were far above its median.
_VARIES: Final = 3
#: It takes hours of so many times the median, and of this part of the floor.
_FAR: Final = 4.0
_FAR_FLOOR: Final = 0.25


def _bytes(level: int) -> float:
    """Return how much a level stands for."""
    return 0.0 if level == 0 else _SMALLEST * 2.0 ** ((level - 1) / _STEPS)


_AMOUNTS: Final = [_bytes(level) for level in range(_UNKNOWN)] + [0.0]


def _level(amount: float) -> int:
    """Return the level of an amount."""
    if amount < _SMALLEST:
        return 0
    return min(_HIGHEST, round(_STEPS * math.log2(amount / _SMALLEST)) + 1)


class Expected(NamedTuple):
    """What is expected of an hour, and of the day that ends with it; amounts in bytes."""

    usual: float
    """In an hour."""
    top: float
    """More than this in an hour is unusual."""
    largest: float
    """The largest hour so far; older ones count less."""
    day_before: float
    """What was moved in the 23 hours before."""
    day_usual: float
    day_largest: float
    day_top: float | None
    """None where less than a week is known."""
    hours: int
    """How many hours this goes by."""
    varies: bool
    """Whether hours far above the usual are nothing special."""


class Band:
    """What one device moves in one direction."""

    __slots__ = (
        "_floor",
        "at",
        "hour",
        "hours",
        "largest",
        "levels",
        "moved",
        "partial",
        "spread",
        "usual",
    )

    def __init__(self, floor: float) -> None:
        """Take what no hour is unusual below."""
        self._floor = floor
        self.levels = bytearray([_UNKNOWN]) * _HOURS
        #: The hour that runs (hours since the epoch, local), and what was moved in it.
        self.hour = -1
        self.moved = 0
        #: What the first hour would have moved as a whole, if it was not watched from its beginning.
        self.partial = 0.0
        #: So many hours were learnt.
        self.hours = 0
        self.usual = 0.0
        self.spread = 0.0
        self.largest = 0.0
        #: The hour in which the largest was.
        self.at = 0

    def take(
        self, hour: int, amount: int, watched: int, *, learning: bool, since: float = 0.0
    ) -> bool:
        """Add what was moved; return whether an hour is over.

        `watched` is the hour since which somebody has watched without a break: devices that move nothing in it are
        known to be still. `since` is when the device was seen first, in hours: of that hour the rest is not known.
        """
        if self.hour < 0:
            self.hour = hour
        # A clock that is set back makes an hour longer
        is_over = hour > self.hour
        if is_over:
            self._close(hour, watched, since, learning=learning)
        self.moved += amount
        return is_over

    def _close(self, hour: int, watched: int, since: float, *, learning: bool) -> None:
        """End the hour that ran, and the still ones after it."""
        top = math.inf if learning else self.expect(self.hour).top
        if self.decayed() <= self.moved <= top:
            self.largest, self.at = self.moved, self.hour
        share = self.hour + 1 - since
        if self.hours or not 0 < share < 1 - _MISSED:
            self._learn_hour(self.hour, self.moved, min(self.moved, top))
        else:
            self.partial = self.moved / max(share, _LEAST_SHARE)
        for each in range(max(self.hour + 1, hour - _HOURS), hour):
            if each >= watched:
                self._learn_hour(each, 0, 0)
            else:
                self.levels[each % _HOURS] = _UNKNOWN
        self.hour, self.moved = hour, 0

    def _learn_hour(self, hour: int, moved: float, amount: float) -> None:
        """Learn one hour."""
        self.levels[hour % _HOURS] = _level(moved)
        self.hours += 1
        weight = max(1 / self.hours, 1 / _WEEK)
        self.spread += weight * (abs(amount - self.usual) - self.spread)
        self.usual += weight * (amount - self.usual)

    def decayed(self) -> float:
        """Return the largest hour so far, older ones for less."""
        return float(self.largest * 0.5 ** (max(0, self.hour - self.at) / _HALF_LIFE))

    def so_far(self, hour: int) -> int:
        """Return what was moved in an hour, if it is the one that runs."""
        return self.moved if hour <= self.hour else 0

    def expect(self, hour: int, factor: float = 1.0, elapsed: float = 0.0) -> Expected:
        """Return what is expected of an hour.

        `factor` is the policy's; `elapsed` says for how many seconds of the hour that runs the device was watched, for
        one of whom no whole hour is over yet.
        """
        past = self._past(hour)
        usual, largest = self.usual, max(self.decayed(), _repeated(past))
        if not self.hours:
            usual = max(self.partial, self.moved / max(elapsed, 60.0) * 3600)
            largest = max(largest, usual)
        same = self._same_hours(hour) if self.hours >= _GROWN else []
        floor = self._floor * factor
        over, around = _OVER_LARGEST_YOUNG, usual + _DEVIATIONS * self.spread
        if same:
            is_still = max(same) < _level(self._floor * _STILL)
            over = _OVER_LARGEST_STILL if is_still else _OVER_LARGEST
            usual, around = _robust(same)
        return Expected(
            usual,
            max(floor, around, largest * max(over, 1.0 + (over - 1.0) * factor)),
            largest,
            *self._day(past, factor),
            self.hours,
            self._varies(past),
        )

    def _past(self, hour: int) -> bytes:
        """Return the levels of the hours before, the latest first; the one that ran may not be learnt yet."""
        levels = bytearray(self.levels)
        for each in range(max(self.hour, hour - _HOURS), hour):
            levels[each % _HOURS] = _level(self.moved) if each == self.hour else _UNKNOWN
        now = hour % _HOURS
        return bytes(levels[:now][::-1] + levels[now:][::-1])[:-1]

    def _same_hours(self, hour: int) -> list[int]:
        """Return the levels of the same hour of the weeks before, and of the hours beside it."""
        found = [
            self.levels[(hour - week * _WEEK + beside) % _HOURS]
            for week in range(1, _HOURS // _WEEK + 1)
            for beside in (-1, 0, 1)
            # Beyond the oldest hour is the newest
            if week * _WEEK - beside <= _HOURS
        ]
        return [each for each in found if each != _UNKNOWN]

    def _day(self, past: bytes, factor: float) -> tuple[float, float, float, float | None]:
        """Return what the 23 hours before moved, what a day moves usually and at most, and what is unusual for one."""
        before = _total(past[:23])
        if self.hours < _WEEK:
            return before, 0.0, 0.0, None
        days = min(self.hours, _HOURS) // 24 - 1
        used = [_total(past[23 + 24 * day :][:24]) for day in range(days)]
        over = max(used) * (1.0 + (_OVER_LARGEST - 1.0) * factor)
        return before, median(used), max(used), max(_DAY_FLOORS * self._floor * factor, over)

    def _varies(self, past: bytes) -> bool:
        """Return whether the device is one whose hours differ wildly."""
        known = sorted(past[23:].replace(_GAP, b""))
        if len(known) < _VARIES:
            return False
        far = max(_FAR_FLOOR * self._floor, _FAR * _AMOUNTS[known[len(known) // 2]])
        return _AMOUNTS[known[-_VARIES]] >= far

    def accept(self, amount: float) -> None:
        """Make an amount, and what the last day moved, one of the largest hours that are nothing unusual."""
        last = [_AMOUNTS[self.levels[(self.hour - back) % _HOURS]] for back in range(1, 25)]
        amount = max(amount, self.moved, *last)
        if amount >= self.decayed():
            self.largest, self.at = amount, max(0, self.hour)

    def join(self, other: "Band") -> None:
        """Add what another device moved that turned out to be this one."""
        for number, level in enumerate(other.levels):
            mine = self.levels[number]
            self.levels[number] = level if mine == _UNKNOWN else max(mine, level % _UNKNOWN)
        if other.decayed() > self.decayed():
            self.largest, self.at = other.largest, other.at
        if other.hour == self.hour:
            self.moved += other.moved
        elif other.hour > self.hour:
            self.hour, self.moved = other.hour, other.moved
        self.hours = max(self.hours, other.hours)
        self.usual = max(self.usual, other.usual)
        self.spread = max(self.spread, other.spread)

    def to_wire(self) -> dict[str, Any]:
        """Return it for the disk."""
        levels = zlib.compress(bytes(self.levels), 9)
        return {
            "levels": base64.b64encode(levels).decode(),
            "hour": self.hour,
            "moved": self.moved,
            "hours": self.hours,
            "usual": round(self.usual, 1),
            "spread": round(self.spread, 1),
            "largest": round(self.largest, 1),
            "at": self.at,
        }

    @classmethod
    def from_wire(cls, wire: Any, floor: float) -> "Band":
        """Read what to_wire returned; raises ValueError."""
        band = cls(floor)
        try:
            levels = zlib.decompressobj().decompress(
                base64.b64decode(wire["levels"], validate=True), _HOURS + 1
            )
            band.hour, band.moved, band.hours, band.at = (
                int(wire[each]) for each in ("hour", "moved", "hours", "at")
            )
            band.usual, band.spread, band.largest = (
                float(wire[each]) for each in ("usual", "spread", "largest")
            )
        except (KeyError, TypeError, AttributeError, OverflowError, zlib.error) as error:
            raise ValueError(f"no band of a profile: {error!r}") from error
        numbers = (
            band.hour + 1,
            band.moved,
            band.hours,
            band.at,
            band.usual,
            band.spread,
            band.largest,
        )
        if (
            len(levels) != _HOURS
            or not all(0 <= each < 1e18 for each in numbers)
            or max(band.hour, band.at) > _LAST_HOUR
        ):
            raise ValueError("no band of a profile: damaged")
        band.levels = bytearray(levels)
        return band


def _total(levels: bytes) -> float:
    """Return the sum of what levels stand for."""
    return sum(map(_AMOUNTS.__getitem__, levels))


def _repeated(past: bytes) -> float:
    """Return what the largest hour of enough days reached."""
    known = past.replace(_GAP, b"\0")
    days = [max(known[start : start + 24]) for start in range(0, len(known), 24)]
    reached = sorted(days)[-_USUAL_DAYS]
    those = [day for day, level in enumerate(days) if level >= reached]
    return _AMOUNTS[reached] if those[-1] - those[0] >= _USUAL_SPAN else 0.0


def _robust(levels: list[int]) -> tuple[float, float]:
    """Return the median, and what is beyond the usual spread around it."""
    amounts = [_AMOUNTS[level] for level in levels]
    middle = median(amounts)
    spread = _MAD * median(abs(each - middle) for each in amounts)
    return middle, middle + max(_DEVIATIONS * spread, _LEAST_SPREAD * middle)
