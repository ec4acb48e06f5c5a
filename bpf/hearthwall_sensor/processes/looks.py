"""Asking for what only a tracer may know: a process of its own, where there is one, or the kernel itself."""

import errno
import logging
import os
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from .. import privileges
from ..kernel.units import SOURCES
from .looker import ANSWERED, ASKED, DELETED, INODE, LOOKS, MAX_ANSWER, OPERATIONS

_LOGGER = logging.getLogger(__name__)

PROC: Final = Path("/proc")
#: Seconds that its start may take, on a small device that is busy.
_START: Final = 20.0
#: Seconds that an answer may take: it takes some microseconds.
_PATIENCE: Final = 2.0
#: For a process that ends by itself.
_GOODBYE: Final = 2.0


class Looker:
    """The process that may look."""

    def __init__(self) -> None:
        """Start it, while the sensor has the right that it is to have; raises OSError."""
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        #: Threads ask too, and an answer is whose question was the last.
        self._lock = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(SOURCES / "hearthwall-sensor"), "look"],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                cwd="/",
            )
        self._channel.settimeout(_START)
        if len(self._channel.recv(MAX_ANSWER)) != ANSWERED.size:
            raise BrokenPipeError(errno.EPIPE, "it ended at its start")
        self._channel.settimeout(_PATIENCE)

    def ask(self, what: str, pid: int, number: int) -> bytes:
        """Return what was looked for; raises OSError."""
        with self._lock:
            self._channel.send(ASKED.pack(OPERATIONS.index(what), pid, number))
            answer = self._channel.recv(MAX_ANSWER)
        if len(answer) < ANSWERED.size:
            raise BrokenPipeError
        (error,) = ANSWERED.unpack_from(answer)
        if error:
            raise OSError(error, os.strerror(error))
        return answer[ANSWERED.size :]

    @property
    def is_there(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End it."""
        self._channel.close()
        with suppress(subprocess.TimeoutExpired):  # it ends with this process at the latest
            self._process.wait(_GOODBYE)


_looker: Looker | None = None


def begin() -> None:
    """Have a process look from now on, if this one may; what it could see by itself it sees without."""
    global _looker  # noqa: PLW0603, there is one for a process as there is one /proc
    if not privileges.may_trace():
        return
    try:
        _looker = Looker()
    except OSError as error:
        _LOGGER.warning("Executables of this host's processes are not known: %s", error)


def end() -> None:
    """End that process."""
    global _looker
    looker, _looker = _looker, None
    if looker is not None:
        looker.stop()


def is_possible() -> bool:
    """Return whether there is a process that may look."""
    return _looker is not None


def look(what: str, pid: int, number: int = 0, proc: Path = PROC) -> bytes:
    """Return what LOOKS tells of a process; raises OSError, PermissionError where it may not be known."""
    looker = _looker
    if looker is None or proc != PROC:
        return LOOKS[what](proc, pid, number)
    try:
        return looker.ask(what, pid, number)
    except (BrokenPipeError, ConnectionError, TimeoutError):
        _lose()
        raise


def check() -> None:
    """Say so if that process has ended."""
    if _looker is not None and not _looker.is_there:
        _lose()


def _lose() -> None:
    """Go on without that process: the right that it had can't be had again."""
    _LOGGER.warning(
        "The process that reads what others execute has ended: what is started from now on stays unknown."
        " To have it back, start the sensor anew"
    )
    end()


def link(name: str, pid: int, number: int = 0, proc: Path = PROC) -> str:
    """Return where a link of a process leads; raises OSError."""
    return os.fsdecode(look(name, pid, number, proc))


def executable(pid: int, proc: Path = PROC) -> tuple[bytes, bool]:
    """Return the executable as the kernel writes it, and whether it was deleted; raises OSError."""
    found = look("executable", pid, proc=proc)
    return found[1:], bool(found[0])


def path(pid: int, proc: Path = PROC) -> bytes | None:
    """Return the path of what a process executes, None where there is none or it may not be known."""
    try:
        return executable(pid, proc)[0].removesuffix(DELETED)
    except OSError:
        return None


def sockets(pid: int, proc: Path = PROC) -> tuple[int, ...]:
    """Return the inodes of a process's open sockets, none where that may not be known."""
    try:
        return tuple(inode for (inode,) in INODE.iter_unpack(look("sockets", pid, proc=proc)))
    except OSError:
        return ()
