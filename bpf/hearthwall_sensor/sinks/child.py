"""Has a child deliver events to the sinks, for as long as the sensor runs, and knows how they fare."""

import asyncio
import contextlib
import json
import logging
import sys
from typing import Any, Final

from ..kernel.units import SOURCES
from ..protocol import SinkState

_LOGGER = logging.getLogger(__name__)

#: Seconds until a child that ended is started again: twice as many after each time, up to the longest.
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 60.0
#: A child that ran for so long (seconds) had begun well.
_WELL: Final = 60.0
_GOODBYE: Final = 5.0
#: Longest line (bytes) that the child says: some hundred bytes for each sink.
_LONGEST_LINE: Final = 64 * 1024


class Child:
    """The child and what it said last."""

    def __init__(self, config: str, socket: str, state: str) -> None:
        """Take the settings' file, the sensor's socket and its state folder."""
        self._arguments = ("--config", config, "--socket", socket, "--state-dir", state)
        self._task: asyncio.Task[None] | None = None
        #: How each sink fares.
        self.states: tuple[SinkState, ...] = ()

    def start(self) -> None:
        """Begin to deliver."""
        self._task = asyncio.ensure_future(self._keep_running())

    async def stop(self) -> None:
        """Let the child keep how far it has come, and wait for its end."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None

    async def _keep_running(self) -> None:
        """Start the child again whenever it ends."""
        loop = asyncio.get_running_loop()
        pause = _FIRST_PAUSE
        while True:
            began = loop.time()
            status = await self._run()
            if loop.time() - began >= _WELL:
                pause = _FIRST_PAUSE
            _LOGGER.warning(
                "The process that delivers to the sinks ended (%s) and starts again in %.0f s",
                *(status, pause),
            )
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _run(self) -> int | str:
        """Run the child to its end; return its exit status."""
        try:
            child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                str(SOURCES / "hearthwall-sensor"),
                "forward",
                *self._arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=_LONGEST_LINE,
            )
        except OSError as error:
            return str(error)
        try:
            await self._listen(child)
            return await child.wait()
        finally:
            await _end(child)

    async def _listen(self, child: asyncio.subprocess.Process) -> None:
        """Take what the child says of the sinks until it ends."""
        assert child.stdout is not None  # noqa: S101, for the type checker
        with contextlib.suppress(ValueError):  # a line that is too long: no child of ours
            while line := await child.stdout.readline():
                self._take(line)

    def _take(self, line: bytes) -> None:
        """Take one line."""
        try:
            wire: Any = json.loads(line)
            self.states = tuple(SinkState.from_wire(each) for each in wire)
        except (ValueError, TypeError, LookupError):
            _LOGGER.debug("The process that delivers said nonsense")


async def _end(child: asyncio.subprocess.Process) -> None:
    """End a child that runs still: at the end of its input, else by force."""
    if child.stdin is not None:
        child.stdin.close()
    if child.returncode is not None:
        return
    try:
        async with asyncio.timeout(_GOODBYE):
            await child.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            child.kill()
        await child.wait()
