"""How often states are written: at once, then seldom, and never the last change lost."""

import random
from collections.abc import Callable
from datetime import datetime
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

#: A rate has to change by both before it is worth a row in the recorder.
DEAD_BAND_RATIO: Final = 0.05
DEAD_BAND_RATE: Final = 100.0
#: By up to this part an interval is longer, so that what began together is not written together for ever.
SPREAD: Final = 0.1


def rate_changed(old: float | None, new: float | None) -> bool:
    """Tell whether a rate left the dead band around the one before; stopping and starting always do."""
    if old is None or new is None or old == 0 or new == 0:
        return old != new
    return abs(new - old) >= max(DEAD_BAND_RATE, DEAD_BAND_RATIO * old)


class Throttle:
    """Lets the first call through at once, then at most one per interval.

    A call that comes too early is made when the interval is over, so the last one always is.
    """

    def __init__(
        self, hass: HomeAssistant, interval: Callable[[], float], act: Callable[[], bool]
    ) -> None:
        """Take the interval in seconds, asked for anew each time, and what is to be done.

        `act` returns whether it did anything; only then the interval begins.
        """
        self._hass = hass
        self._interval = interval
        self._act = act
        self._next = 0.0
        self._pending: CALLBACK_TYPE | None = None

    @callback
    def call(self) -> None:
        """Act now if the interval is over, else when it is."""
        if self._pending is not None:
            return
        delay = self._next - self._hass.loop.time()
        if delay <= 0:
            self._run()
        else:
            self._pending = async_call_later(self._hass, delay, self._async_late)

    @callback
    def cancel(self) -> None:
        """Forget a call that waits."""
        if self._pending is not None:
            self._pending()
            self._pending = None

    @callback
    def _async_late(self, _now: datetime) -> None:
        """Make the call that came too early."""
        self._pending = None
        self._run()

    def _run(self) -> None:
        """Act, and begin an interval if that did something."""
        if self._act():
            spread = 1 + SPREAD * random.random()  # noqa: S311, no secret
            self._next = self._hass.loop.time() + self._interval() * spread
