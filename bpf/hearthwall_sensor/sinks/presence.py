"""When a Home Assistant was connected: what happens while there is none, some sinks are there to tell."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from ..protocol import Event

#: A Home Assistant that is only restarted catches up by itself within so many seconds.
GRACE: Final = 60.0
#: Seconds from one look at who is connected to the next, with a margin.
LOOK: Final = 20.0
_KEPT_EVERY: Final = 300.0
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
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Take what was noted before."""
        self._times = list(times)[-_MOST:]
        self._grace = grace
        self._look = look
        self._clock = clock
        self._sleep = sleep
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
        now = self._clock()
        is_there = home_assistants > 0
        if is_there and self._was_there:
            self._times[-1] = (self._times[-1][0], now)
        elif is_there:
            self._times.append((now, now))
            del self._times[:-_MOST]
        self._was_there = is_there

    async def was_alone(self, event: Event) -> bool:
        """Return whether none was there a minute after an event; waits until that is known.

        One that was there only before may have been on its way out; one that is there again knows what it missed.
        """
        judged = event.time + self._grace
        # A clock that was set back must not hold events for longer than one that never was.
        left = min(judged + self._look - self._clock(), self._grace + self._look)
        if left > 0:
            await self._sleep(left)
        return not any(began <= judged <= ended for began, ended in self._times)
