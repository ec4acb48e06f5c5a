"""Has a child deliver events to some of the sinks, for as long as the sensor runs, and knows how they fare."""

import asyncio
import contextlib
import itertools
import json
import logging
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ..kernel.units import SOURCES
from ..protocol import SinkState, TokenRole
from .kinds import Where
from .ledger import Account, Ledger
from .reading import Named
from .trial import PATIENCE as TEST_PATIENCE

_LOGGER = logging.getLogger(__name__)

#: Seconds until a child that ended is started again: twice as many after each time, up to the longest.
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 60.0
#: A child that ran for so long (seconds) had begun well.
_WELL: Final = 60.0
_GOODBYE: Final = 5.0
#: A child speaks every few seconds. After so many of silence people are told, and after more it is ended.
_SILENT: Final = 10.0
_HUNG: Final = 30.0
#: Longest line (bytes) that the child says: some hundred bytes for each sink.
_LONGEST_LINE: Final = 64 * 1024

_NOT_YET: Final = "the process that delivers has not begun yet"
_SILENCE: Final = "the process that delivers hangs, and is started again"


class Child:
    """The child and what it said last."""

    def __init__(
        self,
        sinks: Sequence[Named],
        socket: str,
        state: str,
        last: Callable[[], int],
        where: Where = "elsewhere",
    ) -> None:
        """Take the sinks as they are set, the sensor's socket and its state folder, and what tells the newest event.

        All sinks are here, or elsewhere.
        """
        self._sinks = sinks
        self._where = where
        self._arguments = (where, "--socket", socket, "--state-dir", state)
        self._state = Path(state)
        self._last = last
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
        #: How each sink fared when that was told last, and up to which number it had come.
        self._told: tuple[tuple[SinkState, int], ...] = ()
        #: Since when nothing is delivered and why, if that is the child's fault; and when it spoke last.
        self._problem: tuple[float, str] | None = None
        self._heard = (time.monotonic(), time.time())
        self._numbers = itertools.count(1)
        self._tests: dict[int, asyncio.Future[str | None]] = {}

    @property
    def states(self) -> tuple[SinkState, ...]:
        """How each sink fares: what the child does not do, it can't tell itself."""
        problem = self._problem
        if problem is None and time.monotonic() - self._heard[0] > _SILENT:
            problem = (self._heard[1], _SILENCE)
        last = self._last()
        states = (replace(each, waiting=max(last - cursor, 0)) for each, cursor in self._told)
        if problem is None:
            return tuple(states)
        since, why = problem
        return tuple(
            replace(each, failing_since=each.failing_since or since, last_error=why, next_try=None)
            for each in states
        )

    @property
    def pid(self) -> int | None:
        """The child's process."""
        return None if self._process is None else self._process.pid

    def role_of(self, pid: int) -> TokenRole | None:
        """Return what the child may ask of the sensor, None for another process: orders only if a sink takes some.

        It talks with strangers, so root's rights are not its own though it runs as root. No other process comes of it
        (`calls.py`), which would be root's.
        """
        if pid != self.pid:
            return None
        takes_orders = any(getattr(each.options, "commands", False) for each in self._sinks)
        return "operate" if takes_orders else "read"

    def start(self) -> None:
        """Begin to deliver."""
        ledger = Ledger.read(self._state, self._where)
        self._told = tuple(_remembered(self._sinks, ledger, self._last()))
        self._heard = (time.monotonic(), time.time())
        self._task = asyncio.ensure_future(self._keep_running())

    async def stop(self) -> None:
        """Let the child keep how far it has come, and wait for its end."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None

    async def test(self, name: str) -> str | None:
        """Return what went wrong when one of the sinks was to deliver a test, None for nothing."""
        process = self._process
        if process is None or process.stdin is None or process.stdin.is_closing():
            return self._problem[1] if self._problem is not None else _NOT_YET
        number = next(self._numbers)
        answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._tests[number] = answer
        try:
            process.stdin.write(json.dumps({"test": number, "name": name}).encode() + b"\n")
            async with asyncio.timeout(TEST_PATIENCE + 1):
                return await answer
        except TimeoutError:
            return "the process that delivers does not answer"
        finally:
            del self._tests[number]

    async def _keep_running(self) -> None:
        """Start the child again whenever it ends."""
        loop = asyncio.get_running_loop()
        pause = _FIRST_PAUSE
        while True:
            began = loop.time()
            status = await self._run()
            if loop.time() - began >= _WELL:
                pause = _FIRST_PAUSE
            since = time.time() if self._problem is None else self._problem[0]
            self._problem = since, f"the process that delivers ended ({status}) and starts again"
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
        self._process = child
        try:
            assert child.stdin is not None  # noqa: S101, for the type checker
            # Not as an argument: a receiver's address may be a secret.
            tables = [dict(each.table) for each in self._sinks]
            child.stdin.write(json.dumps(tables).encode() + b"\n")
            if not await self._listen(child):
                return "it hung"
            return await child.wait()
        finally:
            self._process = None
            await _end(child)

    async def _listen(self, child: asyncio.subprocess.Process) -> bool:
        """Take what the child says of the sinks until it ends; return whether it does."""
        assert child.stdout is not None  # noqa: S101, for the type checker
        with contextlib.suppress(ValueError):  # a line that is too long: no child of ours
            while True:
                try:
                    async with asyncio.timeout(_HUNG):
                        line = await child.stdout.readline()
                except TimeoutError:
                    child.kill()
                    return False
                if not line:
                    break
                self._heard = (time.monotonic(), time.time())
                self._take(line)
        return True

    def _take(self, line: bytes) -> None:
        """Take one line."""
        try:
            wire: Any = json.loads(line)
            if isinstance(wire, dict):
                answer = self._tests.get(wire["test"])
                if answer is not None and not answer.done():
                    answer.set_result(wire["error"])
                return
            self._told = tuple((SinkState.from_wire(each), int(each["cursor"])) for each in wire)
        except (ValueError, TypeError, LookupError):
            _LOGGER.debug("The process that delivers said nonsense")
        else:
            self._problem = None


def _remembered(
    sinks: Iterable[Named], ledger: Ledger, last: int
) -> Iterable[tuple[SinkState, int]]:
    """Return how the sinks fared before the sensor started."""
    for each in sinks:
        account = ledger.accounts.get(each.name) or Account(last)
        counts = (account.delivered, 0, account.lost, account.refused)
        yield SinkState(each.name, each.type, *counts, None, None), account.cursor


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
