"""State for each device, in bounded memory: a flood of invented devices pushes out itself."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Final, Generic, TypeVar

from .processes.image import PROGRAM

State = TypeVar("State")

#: More devices than any home has.
MAX_DEVICES: Final = 1024
#: More programs of this host than talk to anybody: whoever invents some pushes out no device.
MAX_PROGRAMS: Final = 256
#: A device that has been there for so long (seconds) gives way to newcomers last.
_SETTLED: Final = 300.0


class PerDevice(Generic[State]):
    """One state for each device, and for each program of this host."""

    def __init__(self, make: Callable[[], State], limit: int = MAX_DEVICES) -> None:
        """Take what makes a new device's state, and how many are kept."""
        self._make = make
        self._limit = limit
        #: Device → since when and until when it was seen, and its state.
        self._devices: dict[str, tuple[float, float, State]] = {}
        self._programs: dict[str, tuple[float, float, State]] = {}

    def of(self, who: str, now: float) -> State:
        """Return a device's state, a new one for a new device."""
        states = self._beside(who)
        known = states.get(who)
        if known is None:
            is_program = states is self._programs
            _make_room(states, min(MAX_PROGRAMS, self._limit) if is_program else self._limit)
            known = (now, now, self._make())
        states[who] = (known[0], now, known[2])
        return known[2]

    def _beside(self, who: str) -> dict[str, tuple[float, float, State]]:
        """Return the states of devices, or those of programs."""
        return self._programs if who.startswith(PROGRAM) else self._devices

    def find(self, who: str) -> State | None:
        """Return a device's state, None for a device that has none."""
        known = self._beside(who).get(who)
        return None if known is None else known[2]

    def forget(self, who: str) -> None:
        """Forget a device."""
        self._beside(who).pop(who, None)

    def __iter__(self) -> Iterator[tuple[str, State]]:
        """Yield every device with its state."""
        both = chain(self._devices.items(), self._programs.items())
        return ((who, state) for who, (_, _, state) in both)

    def __len__(self) -> int:
        """Return how many devices have a state."""
        return len(self._devices) + len(self._programs)


def _make_room(states: dict[str, tuple[float, float, State]], limit: int) -> None:
    """Let go of a sixteenth if there are too many: those that came last, then those not seen for the longest time."""
    if len(states) < limit:
        return

    def order(who: str) -> float:
        since, until, _ = states[who]
        return -since if until - since < _SETTLED else until

    for who in sorted(states, key=order)[: max(1, limit // 16)]:
        del states[who]
