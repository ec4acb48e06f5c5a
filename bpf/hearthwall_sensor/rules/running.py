"""What runs on this host as /proc has it: programs, whose children they are, and who holds which TCP sockets."""

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from ..processes import looks

_ESTABLISHED: Final = "01"
_LISTENING: Final = "0A"
#: A script is behind its interpreter and perhaps an option.
_ARGUMENTS: Final = 3
_MAX_COMMAND_LINE: Final = 4096


class Running(NamedTuple):
    """One process."""

    pid: int
    parent: int
    executable: bytes


class Sockets(NamedTuple):
    """Inodes of TCP sockets."""

    established: frozenset[int]
    listening: Mapping[int, frozenset[int]]
    """By port."""


class Host:
    """The processes of this host, read from /proc when they are asked for."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        """Take where /proc is."""
        self._proc = proc

    def processes(self) -> dict[int, Running]:
        """Return the processes that have an executable."""
        found = {}
        for folder in self._proc.iterdir():
            if not folder.name.isdigit():
                continue
            pid = int(folder.name)
            executable = looks.path(pid, self._proc)
            if executable is None:
                continue
            try:
                said = (folder / "stat").read_bytes()
                parent = int(said.rpartition(b")")[2].split()[1])
            except (OSError, ValueError, IndexError):  # it has ended
                continue
            found[pid] = Running(pid, parent, executable)
        return found

    def paths_of(self, process: Running) -> set[bytes]:
        """Return the paths of a process's executable and of the script that it may be running."""
        try:
            with (self._proc / str(process.pid) / "cmdline").open("rb") as file:
                words = file.read(_MAX_COMMAND_LINE).split(b"\0")[:_ARGUMENTS]
        except OSError:
            words = []
        return {process.executable, *(os.path.normpath(each) for each in words if each[:1] == b"/")}

    def sockets(self) -> Sockets:
        """Return the TCP sockets of this host's own network."""
        established: set[int] = set()
        listening: dict[int, set[int]] = {}
        for local, state, inode in self._lines():
            if state == _ESTABLISHED:
                established.add(inode)
            elif state == _LISTENING:
                listening.setdefault(int(local.rpartition(":")[2], 16), set()).add(inode)
        return Sockets(
            frozenset(established), {port: frozenset(each) for port, each in listening.items()}
        )

    def _lines(self) -> Iterator[tuple[str, str, int]]:
        """Yield each TCP socket's own end, state and inode."""
        for name in ("tcp", "tcp6"):
            try:
                text = (self._proc / "net" / name).read_text()
            except OSError:  # a kernel without IPv6
                continue
            for line in text.splitlines()[1:]:
                fields = line.split()
                yield fields[1], fields[3], int(fields[9])

    def holds_any(self, pid: int, inodes: Collection[int]) -> bool:
        """Return whether a process has one of these sockets open."""
        return not set(inodes).isdisjoint(looks.sockets(pid, self._proc))
