"""The programs on system calls, each attached as long as somebody needs it."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, Protocol

from ..errors import SensorError
from ..kernel.call_layouts import CALLS, STAGES

_LOGGER = logging.getLogger(__name__)
_CATEGORY: Final = "syscalls"


class Attachable(Protocol):
    """What can be taken off again."""

    def close(self) -> None:
        """Take it off."""


class Places(Protocol):
    """The kernel's tracepoints, as kernel.tracing has them."""

    def has(self, category: str, event: str) -> bool:
        """Return whether a program can be attached there."""

    def attach(self, program_fd: int, category: str, event: str) -> Attachable:
        """Attach a program; raises SensorError or OSError."""


class Attaching:
    """Which system calls the programs are on."""

    def __init__(self, places: Places, program: Callable[[str], int]) -> None:
        """Take the tracepoints, and what gives a program's descriptor by its name."""
        self._places = places
        self._program = program
        self._users: Counter[str] = Counter()
        self._attached: dict[str, list[Attachable]] = {}
        self._staged: list[Attachable] = []
        #: Taking programs off takes the kernel some tenths of a second: by the call that they are on.
        self._closing: dict[str, Future[None]] = {}
        self._thread = ThreadPoolExecutor(1, "detaching")

    @property
    def calls(self) -> tuple[str, ...]:
        """What is attached, by the names of traces."""
        return tuple(self._attached)

    def need(self, name: str) -> None:
        """Have the programs on a call until `release`; raises SensorError and attaches nothing."""
        if not self._users[name]:
            if (closing := self._closing.pop(name, None)) is not None:
                closing.result()  # no program is twice on one tracepoint
            points = {
                event: program for place in CALLS[name].places for event, program in place.points
            }
            self._attached[name] = self._attach(points, name)
        self._users[name] += 1

    def release(self, name: str) -> bool:
        """Need a call no longer; return whether nobody does, so that its programs are off."""
        self._users[name] -= 1
        if self._users[name] > 0:
            return False
        del self._users[name]
        self._closing[name] = self._thread.submit(_close, self._attached.pop(name))
        return True

    async def settle(self, name: str) -> None:
        """Wait until the programs of a call are off that nobody needs any more."""
        closing = self._closing.get(name)
        if closing is not None:
            await asyncio.wrap_future(closing)

    def stage(self) -> None:
        """Note the words of every exec from now on; one that can't be is told without."""
        if not self._staged:
            try:
                self._staged = self._attach(STAGES, "exec")
            except SensorError as error:
                _LOGGER.warning("Command lines are not seen: %s", error.message)

    def close(self) -> None:
        """Take all programs off."""
        for some in (self._staged, *self._attached.values()):
            _close(some)
        self._thread.shutdown()
        self._staged = []
        self._attached.clear()
        self._users.clear()

    def _attach(self, points: Mapping[str, str], name: str) -> list[Attachable]:
        """Attach programs to those tracepoints that there are; raises SensorError if there is none."""
        made: list[Attachable] = []
        try:
            for event, program in points.items():
                if self._places.has(_CATEGORY, event):
                    made.append(self._places.attach(self._program(program), _CATEGORY, event))
        except (OSError, SensorError) as error:
            _close(made)
            raise SensorError("kernel_refused", f"{name} can't be traced: {error}") from error
        if not made:
            raise SensorError(
                "missing_capability",
                f"{name} can't be traced: this kernel has no tracepoints on system calls, or tracefs is not mounted",
            )
        return made


def _close(attached: list[Attachable]) -> None:
    """Take programs off, those on beginnings before those on ends: so no call is left that waits for its end."""
    for each in reversed(attached):
        each.close()
