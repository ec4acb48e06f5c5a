"""Whether a process has a connection for its standard input, as a shell has that somebody far away types to."""

import re
from contextlib import suppress
from pathlib import Path
from typing import Final

_SOCKET: Final = re.compile(r"socket:\[(\d+)\]", re.ASCII)
#: The tables of the sockets that a process's network has. A socket that is in none of them is of this host alone.
_TABLES: Final = ("tcp", "tcp6", "udp", "udp6")
#: More of a table is not read: some 50,000 connections.
_MAX_BYTES: Final = 8 * 1024 * 1024
_PROC: Final = Path("/proc")


def stdin_is_socket(pid: int, proc: Path = _PROC) -> bool:
    """Return whether a process's standard input is a connection; one that has ended has none."""
    process = proc / str(pid)
    try:
        match = _SOCKET.fullmatch(str((process / "fd" / "0").readlink()))
    except OSError:
        return False
    return match is not None and any(_has(process / "net" / each, match[1]) for each in _TABLES)


def _has(table: Path, inode: str) -> bool:
    """Return whether a table lists a socket by its inode."""
    wanted = inode.encode()
    with suppress(OSError), table.open("rb") as file:
        file.readline()
        read = 0
        for line in file:
            fields = line.split(maxsplit=10)
            if len(fields) > 9 and fields[9] == wanted:
                return True
            read += len(line)
            if read > _MAX_BYTES:
                break
    return False
