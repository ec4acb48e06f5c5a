"""All sinks: a child for those of this host and one for those elsewhere, as far as there are any."""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from typing import Final, get_args

from ..protocol import SensorError, SinkState, TokenRole
from .child import Child
from .kinds import Where
from .reading import Named

_WHERE: Final[tuple[Where, ...]] = get_args(Where)
#: Seconds between two tests of a sink: each is a mail, say, which `every` does not count.
_TEST_EVERY: Final = 10.0


class Sinks:
    """What the children do, together."""

    def __init__(
        self, sinks: Sequence[Named], socket: str, state: str, last: Callable[[], int]
    ) -> None:
        """Take the sinks as they are set, the sensor's socket and its state folder, and what tells the newest event."""
        self._places = {each.name: each.where for each in sinks}
        #: When each sink may be tested again, by the monotonic clock.
        self._testable: dict[str, float] = {}
        self._children = {
            where: Child(there, socket, state, last, where)
            for where in _WHERE
            if (there := [each for each in sinks if each.where == where])
        }

    @property
    def states(self) -> tuple[SinkState, ...]:
        """How each sink fares, in the settings' order."""
        told = {state.name: state for each in self._children.values() for state in each.states}
        return tuple(told[name] for name in self._places if name in told)

    def role_of(self, pid: int) -> TokenRole | None:
        """Return what a child may ask of the sensor, None for another process."""
        roles = (each.role_of(pid) for each in self._children.values())
        return next((each for each in roles if each is not None), None)

    def start(self) -> None:
        """Begin to deliver."""
        for each in self._children.values():
            each.start()

    async def stop(self) -> None:
        """Let the children keep how far they have come, and wait for their end."""
        await asyncio.gather(*(each.stop() for each in self._children.values()))

    async def test(self, name: str) -> str | None:
        """Return what went wrong when a sink was to deliver a test, None for nothing; raises SensorError."""
        if name not in self._places:
            there = ", ".join(self._places)
            raise SensorError("not_found", f"there is no sink {name[:40]!r}, but {there}")
        now = time.monotonic()
        left = self._testable.get(name, now) - now
        if left > 0:
            return f"it was tested a moment ago; try again in {math.ceil(left)} s"
        self._testable[name] = now + _TEST_EVERY
        return await self._children[self._places[name]].test(name)
