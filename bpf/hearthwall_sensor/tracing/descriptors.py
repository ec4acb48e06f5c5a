"""Where another process's socket leads, by its descriptor: the kernel's programs see no more of it than its number."""

import ctypes
import os
import socket
from pathlib import Path
from typing import Final, NamedTuple

#: The same on every architecture.
_PIDFD_GETFD: Final = 438


class Ends(NamedTuple):
    """A socket's addresses."""

    address: str | None
    """None for one that is none of the internet's."""
    port: int
    peer: str | None
    """None for one that is not connected."""
    peer_port: int


#: What a socket is that has no ports.
OTHER: Final = Ends(None, 0, None, 0)


def ends(pid: int, fd: int) -> Ends | None:
    """Return the addresses of a process's socket; None where it has gone, OTHER where it is none of the internet's.

    That is how it is now: a descriptor that was closed meanwhile may be another socket's.
    """
    try:
        if fd < 0 or not str(Path(f"/proc/{pid}/fd/{fd}").readlink()).startswith("socket:"):
            return None  # nothing is opened here whose closing does something
        process = os.pidfd_open(pid)
    except OSError:
        return None
    try:
        held = int(ctypes.CDLL(None, use_errno=True).syscall(_PIDFD_GETFD, process, fd, 0))
    finally:
        os.close(process)
    return None if held < 0 else _ends(held)


def _ends(held: int) -> Ends | None:
    """Return the addresses of a socket, and close the descriptor."""
    try:
        own = socket.socket(fileno=held)
    except OSError:
        os.close(held)
        return None
    with own:
        if own.family not in (socket.AF_INET, socket.AF_INET6):
            return OTHER
        try:
            address, port, *_ = own.getsockname()
        except OSError:
            return None
        try:
            peer, peer_port, *_ = own.getpeername()
        except OSError:
            return Ends(_plain(address), port, None, 0)
        return Ends(_plain(address), port, _plain(peer), peer_port)


def _plain(address: str) -> str:
    """Return an address without its zone, one of IPv4 as such."""
    return address.partition("%")[0].removeprefix("::ffff:")
