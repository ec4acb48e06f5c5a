"""How many connections a device begins in a minute at most: its highest minute, older ones for less."""

from typing import Any, Final

#: The highest minute counts half after so many seconds (a week).
_HALF_LIFE: Final = 7 * 86_400.0
#: A minute with more than so many connections raises an alarm, and so does one with so many times the highest minute;
#: of a device that is learnt, only a flood of them. What raised one is no measure unless the user accepts it: the
#: second attack must not be silent because of the first.
ALARM: Final = 120.0
ALARM_LEARNING: Final = 600.0
OVER_HIGHEST: Final = 4.0
#: Below that the highest minute at most doubles in a day by itself, or grows to what raises no limit.
_DAY: Final = 86_400.0
_GROWTH: Final = 2.0
_MODEST: Final = 30.0
_MINUTE: Final = 60.0


class Pace:
    """Connections per minute."""

    __slots__ = ("_count", "_minute", "at", "peak")

    def __init__(self) -> None:
        """Begin with none."""
        self.peak = 0.0
        self.at = 0.0
        self._minute = 0
        self._count = 0

    def begin(self, now: float, *, learning: bool) -> None:
        """Count a connection that begins; a minute that is over is learnt."""
        minute = int(now // _MINUTE)
        if minute > self._minute:
            self._learn(self._minute * _MINUTE, learning=learning)
            self._minute, self._count = minute, 0
        self._count += 1

    def _learn(self, now: float, *, learning: bool) -> None:
        """Learn the minute that is over."""
        highest = self.highest(now)
        count = float(self._count)
        if count > (ALARM_LEARNING if learning else max(ALARM, OVER_HIGHEST * highest)):
            return
        if not learning:
            count = min(count, max(_MODEST, _GROWTH * highest))
            if count > _MODEST and now - self.at < _DAY:
                return
        if count >= highest:
            self.peak, self.at = count, now

    def highest(self, now: float) -> float:
        """Return the highest minute that is over."""
        return float(self.peak * 0.5 ** (max(0.0, now - self.at) / _HALF_LIFE))

    def accept(self, count: float, now: float) -> None:
        """Make a number of connections nothing unusual."""
        if count >= self.highest(now):
            self.peak, self.at = count, now

    def join(self, other: "Pace") -> None:
        """Take the higher one of two devices that turned out to be one."""
        if other.peak > self.peak:
            self.peak, self.at = other.peak, other.at

    def to_wire(self) -> list[float]:
        """Return it for the disk; the minute that runs is not kept."""
        return [round(self.peak, 1), self.at]

    @classmethod
    def from_wire(cls, wire: Any) -> "Pace":
        """Read what to_wire returned; raises ValueError."""
        pace = cls()
        try:
            highest, at = map(float, wire)
        except (TypeError, OverflowError) as error:
            raise ValueError(f"no pace of a profile: {error!r}") from error
        if not 0 <= highest < 1e9 or not 0 <= at < 1e11:
            raise ValueError("no pace of a profile: damaged")
        pace.peak, pace.at = highest, at
        return pace
