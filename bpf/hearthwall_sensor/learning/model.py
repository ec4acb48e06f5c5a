"""A model of one device's behaviour: judges each quarter of an hour by those before it, and then learns it.

What it flags it does not learn, unless the user accepts it or it comes back as habits do. `bench/models` compares
what it is made of (learning/prototypes.py) with other models.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Protocol, Self

from .prototypes import SIZE, Prototypes, placed
from .tail import Tail
from .window import FEATURES, WINDOW, Tally

#: A model judges after so many windows: half a week, whatever the policy's learning period.
GROWN: Final = 336
#: By chance a window is flagged with this probability; an event takes two in a row.
_CHANCE: Final = 1e-4
#: No score below this is unusual: so many usual differences in all.
_LEAST: Final = 4.0
#: A feature is extreme if it is so many usual differences off.
EXTREME: Final = 3.0
#: After a gap of so many windows nobody was watching: they are not taken for idle ones.
_BLIND: Final = 4
#: What was flagged and comes back on so many days, the last so many after the first, is a habit.
_HABIT_DAYS: Final = 3
_HABIT_SPAN: Final = 7
_MAX_HELD: Final = 16
#: Windows are alike if their levels differ by so much in all: about a factor of two in three features.
_ALIKE: Final = 40.0
_DAY: Final = 86_400


class Usual(Protocol):
    """What tells how far a window is from what is usual."""

    def score(self, window: bytes) -> float:
        """Return how far it is."""

    def learn(self, window: bytes, number: int) -> None:
        """Learn from a window, which has a number."""


class Verdict(NamedTuple):
    """What became of a window that is over."""

    end: float
    window: bytes
    score: float
    threshold: float
    run: int
    """How many in a row were flagged, with this one; 0 for an ordinary one."""
    parts: tuple[float, ...] = ()
    """By how many usual differences each feature is off; of flagged ones only."""
    bands: tuple[tuple[int, int], ...] = ()

    @property
    def extremes(self) -> int:
        """How many features are extreme."""
        return sum(abs(each) >= EXTREME for each in self.parts)


class Model:
    """Learns one device's windows. On disk it takes 8 kB at most, in memory about as much."""

    __slots__ = (
        *("_end", "_held", "_number", "_run", "_tail", "_usual"),
        *("latest", "phase", "tally", "windows"),
    )

    def __init__(self, phase: float = 0.0, usual: Usual | None = None) -> None:
        """Begin with nothing; another model of what is usual may be compared with ours.

        Windows begin `phase` seconds after the quarter of an hour, for each device another: all at once would hold up
        everything else.
        """
        self.phase = phase
        self._usual: Usual = Prototypes() if usual is None else usual
        self._tail = Tail()
        #: Of the window that runs.
        self.tally = Tally()
        self._number = -1
        self._end = float("-inf")
        self._run = 0
        #: Flagged windows: the levels, the first and the last day, and on how many days.
        self._held: list[tuple[bytes, int, int, int]] = []
        #: How many windows were learnt.
        self.windows = 0
        #: The newest window that is over.
        self.latest: Verdict | None = None

    def is_over(self, now: float) -> bool:
        """Return whether the window that runs is over at a time."""
        return now >= self._end

    def turn(
        self, now: float, *, learns: bool = True, young: bool = False, offset: float = 0.0
    ) -> None:
        """End the window that ran, and the idle ones after it.

        `young` is a device all of whose habits are still taken for usual; `offset` is the local time's, ahead of UTC.
        """
        number = int((now - self.phase) // WINDOW)
        if self._number >= 0:
            gap = number - self._number
            idle = range(self._number + 1, number) if gap <= _BLIND else ()
            levels = self.tally.counts().levels()
            for each in (self._number, *idle):
                start = each * WINDOW + self.phase
                self.judge(levels, start, learns=learns, young=young, offset=offset)
                levels = bytes(len(FEATURES))
        self._number = number
        self._end = (number + 1) * WINDOW + self.phase
        self.tally = Tally()

    def judge(
        self,
        levels: bytes,
        start: float,
        *,
        learns: bool = True,
        young: bool = False,
        offset: float = 0.0,
    ) -> Verdict:
        """Judge a window that is over, and learn it."""
        window = placed(levels, start + offset)
        score = self._usual.score(window)
        threshold = max(_LEAST, self._tail.beyond(_CHANCE))
        is_flagged = not young and self.windows >= GROWN and score > threshold
        self._run = self._run + 1 if is_flagged else 0
        self.latest = Verdict(start + WINDOW, window, score, threshold, self._run)
        if is_flagged and isinstance(self._usual, Prototypes):
            self.latest = self.latest._replace(
                parts=tuple(self._usual.parts(window)), bands=tuple(self._usual.bands())
            )
        if learns and (not is_flagged or self._is_habit(window, int(start // _DAY))):
            if not is_flagged and self.windows >= _DAY // WINDOW:
                self._tail.add(score)
            self._learn(window, int(start // WINDOW))
        return self.latest

    def _learn(self, window: bytes, number: int) -> None:
        """Learn a window."""
        self._usual.learn(window, number)
        self.windows += 1

    def _is_habit(self, window: bytes, day: int) -> bool:
        """Return whether a flagged window is like one that has come back for a week."""
        for at, (levels, first, last, count) in enumerate(self._held):
            if _distance(levels, window) <= _ALIKE:
                days = count + (day > last)
                self._held[at] = (levels, first, max(day, last), days)
                return days >= _HABIT_DAYS and day - first >= _HABIT_SPAN
        if len(self._held) >= _MAX_HELD:
            self._held.remove(min(self._held, key=lambda each: each[2]))
        self._held.append((window, day, day, 1))
        return False

    def accept(self, evidence: Mapping[str, Any]) -> None:
        """Learn the window of an event that the user said is fine."""
        try:
            window = bytes(evidence["window_levels"])
        except (KeyError, TypeError, ValueError):
            return
        if len(window) == SIZE:
            self._learn(window, max(self._number, 0))
        self._run = 0

    def to_wire(self) -> dict[str, Any]:
        """Return it for the disk; the window that runs is not kept."""
        if not isinstance(self._usual, Prototypes):
            raise TypeError("only what is kept of prototypes goes to the disk")
        return {
            "windows": self.windows,
            "usual": self._usual.to_wire(),
            "tail": self._tail.to_wire(),
            "held": [[levels.hex(), *days] for levels, *days in self._held],
        }

    @classmethod
    def from_wire(cls, wire: Any) -> Self:
        """Read what to_wire returned; raises ValueError."""
        model = cls()
        try:
            model.windows = int(wire["windows"])
            model._usual = Prototypes.from_wire(wire["usual"])
            model._tail = Tail.from_wire(wire["tail"])
            for levels, *days in wire["held"]:
                first, last, count = map(int, days)
                model._held.append((bytes.fromhex(levels), first, last, count))
        except (KeyError, TypeError, AttributeError, OverflowError) as error:
            raise ValueError(f"no model: {error!r}") from error
        is_whole = all(len(levels) == SIZE for levels, *_ in model._held)
        if not is_whole or len(model._held) > _MAX_HELD or not 0 <= model.windows < 1e9:
            raise ValueError("no model: damaged")
        return model


def _distance(one: bytes, other: bytes) -> float:
    """Return by how many levels the features of two windows differ."""
    pairs = zip(one[: len(FEATURES)], other, strict=False)
    return float(sum((ours - theirs) ** 2 for ours, theirs in pairs) ** 0.5)
