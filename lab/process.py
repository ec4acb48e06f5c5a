"""Processes, known by pid and start time: a pid that went to somebody else is left alone."""

import os
import select
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError

#: How long a process may take to end after SIGTERM, and after SIGKILL on a very busy machine.
GRACE_TERM = 1.0
GRACE_KILL = 10.0


@dataclass(frozen=True, slots=True)
class Process:
    """A process at one point in time; `started` is in clock ticks since boot."""

    pid: int
    started: int

    @classmethod
    def of(cls, pid: int) -> "Process | None":
        """Find the process that has this pid now; None if it is gone or waits to be reaped."""
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return None
        # The command's name stands in parentheses and may itself hold any character.
        state, *fields = stat[stat.rindex(")") + 2 :].split()
        return None if state in "ZX" else cls(pid, int(fields[18]))

    @classmethod
    def current(cls) -> "Process":
        """Return this process."""
        if (process := cls.of(os.getpid())) is None:
            raise LabError("/proc does not show this process: is it mounted?")
        return process

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return Process.of(self.pid) == self


@contextmanager
def _held(process: Process) -> Iterator[int | None]:
    """Hold a pidfd, which cannot come to mean another process; None if it is gone."""
    try:
        fd = os.pidfd_open(process.pid)
    except ProcessLookupError:
        yield None
        return
    try:
        yield fd if process.alive else None
    finally:
        os.close(fd)


def _wait(fds: Iterable[int], seconds: float) -> set[int]:
    """Wait until the processes behind the pidfds have ended; return those that have not."""
    left = set(fds)
    deadline = time.monotonic() + seconds
    while left and (remaining := deadline - time.monotonic()) > 0:
        ended, _, _ = select.select(left, [], [], remaining)
        left -= set(ended)
    return left


def end(processes: Iterable[Process]) -> None:
    """End the processes: politely first, then by SIGKILL."""
    with ExitStack() as stack:
        fds = {
            fd for process in processes if (fd := stack.enter_context(_held(process))) is not None
        }
        for number, seconds in ((signal.SIGTERM, GRACE_TERM), (signal.SIGKILL, GRACE_KILL)):
            for fd in fds:
                try:
                    signal.pidfd_send_signal(fd, number)
                except ProcessLookupError:
                    continue
            fds = _wait(fds, seconds)
    if fds:
        raise LabError(
            f"{len(fds)} processes do not end, not even by SIGKILL: see ps -eo pid,stat,args"
        )
