"""State for each device, in bounded memory: a flood of invented devices pushes out itself."""

from collections.abc import Callable, Iterator
from typing import Final, Generic, TypeVar

State = TypeVar("State")

#: More devices than any home has.
MAX_DEVICES: Final = 1024
#: A device that has been there for so long (seconds) gives way to newcomers last.
_SETTLED: Final = 300.0


class PerDevice(Generic[State]):
    """One state for each device."""

    def __init__(self, make: Callable[[], State], limit: int = MAX_DEVICES) -> None:
        """Take what makes a new device's state, and how many are kept."""
        self._make = make
        self._limit = limit
        #: Device → since when and until when it was seen, and its state.
        self._states: dict[str, tuple[float, float, State]] = {}

    def of(self, who: str, now: float) -> State:
        """Return a device's state, a new one for a new device."""
        known = self._states.get(who)
        if known is None:
            if len(self._states) >= self._limit:
                self._make_room()
            known = (now, now, self._make())
        self._states[who] = (known[0], now, known[2])
        return known[2]

    def find(self, who: str) -> State | None:
        """Return a device's state, None for a device that has none."""
        known = self._states.get(who)
        return None if known is None else known[2]

    def _make_room(self) -> None:
        """Let go of a sixteenth: those that came last first, then those that were not seen for the longest time."""

        def order(who: str) -> float:
            since, until, _ = self._states[who]
            return -since if until - since < _SETTLED else until

        for who in sorted(self._states, key=order)[: max(1, self._limit // 16)]:
            del self._states[who]

    def forget(self, who: str) -> None:
        """Forget a device."""
        self._states.pop(who, None)

    def __iter__(self) -> Iterator[tuple[str, State]]:
        """Yield every device with its state."""
        return ((who, state) for who, (_, _, state) in self._states.items())

    def __len__(self) -> int:
        """Return how many devices have a state."""
        return len(self._states)
