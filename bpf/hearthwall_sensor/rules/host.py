"""Targets on processes as this host has them: links followed, and a process told from one with its number later."""

import os
import stat
import time
from pathlib import Path
from typing import Final, NamedTuple

from ..processes import looks
from ..program_paths import outside_container, path_text
from ..protocol import SensorError
from ..targets import MAX_PATH_BYTES, PROCESS_KINDS, Target, path_of, path_target, pid_of

_PROC: Final = Path("/proc")
#: In /proc/PID/stat, counted behind the name.
_FLAGS: Final = 6
_STARTED: Final = 19
#: So much (seconds) two clocks may be apart.
_CLOCKS_APART: Final = 2.0
_KERNEL_THREAD: Final = 0x00200000


class OnHost(NamedTuple):
    """A target as this host has it."""

    target: Target
    asked: Target | None = None
    """How it was named, where that is a link to it."""
    started: int | None = None
    """When a process was started, in clock ticks since boot."""
    program: str | None = None
    """What a process executes."""


def on_host(target: Target) -> OnHost:
    """Return what a target is here; raises SensorError with what to do where it is nothing that a rule may be on."""
    if target.kind not in PROCESS_KINDS:
        return OnHost(target)
    return _process(target) if target.kind == "pid" else _path(target)


def started(pid: int) -> int | None:
    """Return when a process was started, in clock ticks since boot; None for one that is not there."""
    fields = _stat(pid)
    return None if fields is None else int(fields[_STARTED])


def ran_at(pid: int, when: float | None) -> bool:
    """Return whether the process that had a number at a time, seconds since the epoch or None for now, still runs."""
    ticks = started(pid)
    if ticks is None:
        return False
    ago = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return when is None or time.time() - ago <= when + _CLOCKS_APART


def _stat(pid: int) -> list[str] | None:
    """Return what the kernel says of a process, from its state on; None for one that has ended or is a thread."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
        status = (_PROC / str(pid) / "status").read_text(errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    is_process = f"\nTgid:\t{pid}\n" in status
    return fields if is_process and fields[0] not in "ZX" else None


def _process(target: Target) -> OnHost:
    """Return a process with when it was started; raises SensorError `not_found` or `protected_target`."""
    pid = pid_of(target)
    fields = _stat(pid)
    if fields is None:
        raise SensorError("not_found", f"there is no process {pid} (any more)")
    if pid == 1 or int(fields[_FLAGS]) & _KERNEL_THREAD:
        what = "the first process, which all others come from" if pid == 1 else "the kernel's own"
        raise SensorError("protected_target", f"process {pid} is {what}: nothing overrides this")
    return OnHost(target, None, int(fields[_STARTED]), _program(pid))


def _program(pid: int) -> str | None:
    """Return the path of what a process executes, None for one that has just ended."""
    path = looks.path(pid)
    return None if path is None else path_text(path)


def _path(target: Target) -> OnHost:
    """Return an executable or a folder with links followed; raises SensorError `invalid_target`."""
    path = path_of(target)
    real = os.path.realpath(path)
    there = Path(os.fsdecode(real))
    if len(real) > MAX_PATH_BYTES:
        raise _invalid(target, f"leads to a path of more than {MAX_PATH_BYTES} bytes")
    try:
        said = there.stat()
    except (FileNotFoundError, NotADirectoryError):
        _check_missing(target, path, there.parent)
    except OSError:
        pass  # nobody may look there, but it may be there
    else:
        is_folder = stat.S_ISDIR(said.st_mode)
        if is_folder is (target.kind == "exe"):
            other = "dir" if is_folder else "exe"
            kind = "a folder" if is_folder else "a file"
            raise _invalid(target, f"is {kind}: write {other}:{path_text(path)[:80]}")
        if target.kind == "exe" and not stat.S_ISREG(said.st_mode):
            raise _invalid(target, "is no file that can be executed")
    found = path_target("exe" if target.kind == "exe" else "dir", real)
    return OnHost(found, None if found == target else target)


def _check_missing(target: Target, path: bytes, folder: Path) -> None:
    """Raise SensorError for what is not there, unless it may come: its folder is there."""
    name = outside_container(path)
    if name != path:
        raise _invalid(
            target,
            "is a program in a container: a rule is on a path in every container and outside;"
            f" write exe:{path_text(name)[:80]}, or pid:N for one process",
        )
    if not folder.is_dir():
        raise _invalid(target, "is not there, and neither is the folder that it would be in")


def _invalid(target: Target, sentence: str) -> SensorError:
    """Return the error of a target that is nothing here."""
    return SensorError("invalid_target", f"{target.value[:100]} {sentence}")
