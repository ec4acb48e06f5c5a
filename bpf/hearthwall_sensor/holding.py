"""Who holds a sensor's lock, and the last way to get it: a sensor that hangs is killed."""

import contextlib
import itertools
import os
import select
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .protocol import SensorError

#: Nothing in a sensor catches it, and whoever supervises the sensor does not start it again after it.
KILLED_BY: Final = signal.SIGUSR1
#: How long a process may take to be gone, after each signal, in seconds.
_GRACE: Final = 3.0


def kill(path: str) -> int:
    """Kill the sensor that holds a socket's lock and does not let go of it; return its process's number.

    Raises SensorError `already_running` if it is not to be found, or not to be killed.
    """
    for pid in _holders(f"{path}.lock"):
        try:
            process = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            # The number may have gone to another process before it was opened.
            if pid in _holders(f"{path}.lock") and _is_gone_after_signals(process):
                return pid
        finally:
            os.close(process)
    raise SensorError("already_running", f"a sensor that does not answer holds {path}.lock")


def _is_gone_after_signals(process: int) -> bool:
    """Kill a process, which may be stopped; return whether it has gone."""
    for each in (KILLED_BY, signal.SIGKILL):
        try:
            signal.pidfd_send_signal(process, each)
            signal.pidfd_send_signal(process, signal.SIGCONT)
        except ProcessLookupError:
            return True
        if select.select([process], [], [], _GRACE)[0]:
            return True
    return False


def _holders(lock: str) -> list[int]:
    """Return the sensors that hold a lock."""
    try:
        file = Path(lock).stat()
    except FileNotFoundError:
        return []
    return [pid for pid in _locking(file.st_ino) if _is_sensor(pid) and _has_open(pid, file)]


def _locking(inode: int) -> Iterator[int]:
    """Yield the processes that hold a lock on a file of that number, in whichever file system."""
    for line in Path("/proc/locks").read_text().splitlines():
        words = line.split()
        if len(words) > 5 and words[1] == "FLOCK" and words[5].rpartition(":")[2] == str(inode):
            yield int(words[4])


def _has_open(pid: int, file: os.stat_result) -> bool:
    """Return whether a process has a file open, which is not another of the same number."""
    try:
        for each in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                if os.path.samestat(each.stat(), file):
                    return True
    except OSError:
        pass
    return False


def _is_sensor(pid: int) -> bool:
    """Return whether a process is a sensor that guards, and none of its other commands."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return any(
        name.endswith(b"hearthwall-sensor") and following == b"run"
        for name, following in itertools.pairwise(words)
    )
