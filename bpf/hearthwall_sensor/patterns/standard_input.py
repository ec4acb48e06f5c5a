"""Whether a process has a connection for its standard input, as a shell has that somebody far away types to."""

import os
import re
import struct
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from ..processes import looks

_SOCKET: Final = re.compile(r"socket:\[(\d+)\]", re.ASCII)
#: The tables of the sockets that a process's network has. A socket that is in none of them is of this host alone.
_TABLES: Final = ("tcp", "tcp6", "udp", "udp6")
#: More of a table is not read: some 50,000 connections.
_MAX_BYTES: Final = 8 * 1024 * 1024
_PROC: Final = Path("/proc")


class Input(NamedTuple):
    """A connection that is a process's standard input."""

    inode: int
    """The socket's, which children inherit."""
    transport: str = "tcp"
    address: bytes = bytes(16)
    port: int = 0
    peer: bytes = bytes(16)
    peer_port: int = 0
    """0 where it is not connected to anybody."""


def standard_input(pid: int, proc: Path = _PROC) -> Input | None:
    """Return the connection that is a process's standard input, None for anything else; one that has ended has none."""
    process = proc / str(pid)
    try:
        match = _SOCKET.fullmatch(looks.link("file", pid, 0, proc))
    except OSError:
        return None
    if match is None:
        return None
    return next(filter(None, (_find(process / "net" / each, match[1]) for each in _TABLES)), None)


def executable(pid: int, proc: Path = _PROC) -> str | None:
    """Return the path of what a process executes, None where it has ended."""
    path = looks.path(pid, proc)
    return None if path is None else os.fsdecode(path)


def _find(table: Path, inode: str) -> Input | None:
    """Return the socket with an inode, if a table lists it."""
    wanted = inode.encode()
    with suppress(OSError), table.open("rb") as file:
        file.readline()
        read = 0
        for line in file:
            fields = line.split(maxsplit=10)
            if len(fields) > 9 and fields[9] == wanted:
                transport = table.name.removesuffix("6")
                return Input(int(inode), transport, *_end(fields[1]), *_end(fields[2]))
            read += len(line)
            if read > _MAX_BYTES:
                break
    return None


def _end(text: bytes) -> tuple[bytes, int]:
    """Return an end's address, sixteen bytes, and port; the kernel writes words of this host's order."""
    address, _, port = text.partition(b":")
    words = bytes.fromhex(address.decode())
    swapped = struct.pack(f"={len(words) // 4}I", *struct.unpack(f">{len(words) // 4}I", words))
    return (swapped if len(swapped) == 16 else bytes(10) + b"\xff\xff" + swapped), int(port, 16)
