"""When a Home Assistant was connected: what happens while there is none, some sinks are there to tell."""

import time
from collections.abc import Callable, Iterable
from typing import Final

from ..protocol import Event

#: A Home Assistant that is only restarted catches up by itself within so many seconds.
GRACE: Final = 60.0
#: Seconds from one look at who is connected to the next, with a margin.
LOOK: Final = 20.0
_KEPT_EVERY: Final = 300.0
#: Seconds by which a clock differs that somebody set.
_SET: Final = 2.0
#: Times of presence that are remembered: of the oldest, everybody has been told.
_MOST: Final = 256


class Presence:
    """The times at which one was there, each from the first look that found one to the last."""

    def __init__(
        self,
        times: Iterable[tuple[float, float]] = (),
        *,
        grace: float = GRACE,
        look: float = LOOK,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what was noted before."""
        self._times = list(times)[-_MOST:]
        self._grace = grace
        self._look = look
        self._clock = clock
        self._steady = steady
        self._noted = steady()
        self._was_there = False

    @property
    def kept(self) -> list[list[float]]:
        """What is to be kept for the next start; of the time that goes on, not each second is written."""
        times = [list(each) for each in self._times]
        if self._was_there:
            times[-1][1] = max(times[-1][0], times[-1][1] // _KEPT_EVERY * _KEPT_EVERY)
        return times

    def note(self, home_assistants: int) -> None:
        """Note how many there are now."""
        now, before = self._clock(), self._noted
        self._noted = self._steady()
        # What a clock noted that went ahead must not count once that time comes.
        self._times = [(began, min(ended, now)) for began, ended in self._times if began <= now]
        is_there = home_assistants > 0
        if is_there and self._was_there and self._goes_on(now, self._noted - before):
            self._times[-1] = (self._times[-1][0], now)
        elif is_there:
            self._times.append((now, now))
            del self._times[:-_MOST]
        self._was_there = is_there

    def _goes_on(self, now: float, passed: float) -> bool:
        """Return whether the newest time reaches to now: over what a clock skips, nobody was there."""
        return bool(self._times) and now - self._times[-1][1] <= passed + _SET

    def now(self) -> float:
        """Return the time by the clock that nobody sets."""
        return self._steady()

    def left(self, event: Event, read: float) -> float:
        """Return in how many seconds it is known who was there a minute after an event, 0 if it is.

        `read` is when the event was read by the clock that nobody sets: one that was set back must hold no event
        for longer than one that never was, however many there are.
        """
        judged = event.time + self._grace + self._look - self._clock()
        return max(min(judged, self._grace + self._look - (self._steady() - read)), 0.0)

    def was_alone(self, event: Event) -> bool:
        """Return whether none was there a minute after an event, once that is known.

        One that was there only before may have been on its way out; one that is there again knows what it missed.
        """
        judged = event.time + self._grace
        return not any(began <= judged <= ended for began, ended in self._times)
