"""Whether the sensor that loaded a program runs: it says so by a socket that ends with its process.

The socket's name is in the network namespace, which containers of the host's network share where they see nothing of
each other's files. So a sensor in one of them learns that programs on an interface are another's, and not left over.
"""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Iterable
from typing import Final

from .unix_sockets import listener_user

#: Abstract: it needs no folder, and nothing of it stays.
_NAME: Final = "\0hearthwall/program/{}"
_BACKLOG: Final = 16
_UCRED: Final = struct.Struct("3i")


class Presence:
    """What a running sensor says of itself, in its event loop."""

    def __init__(self) -> None:
        """Say nothing yet."""
        self._sockets: list[socket.socket] = []

    def say(self, programs: Iterable[int]) -> None:
        """Say that these programs are those of a running sensor; a name that somebody has taken can't be helped."""
        for program in programs:
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            try:
                listener.bind(_NAME.format(program))
                listener.listen(_BACKLOG)
            except OSError:
                listener.close()
                continue
            self._sockets.append(listener)
            asyncio.get_running_loop().add_reader(listener, _seen, listener)

    def end(self) -> None:
        """Say it no longer."""
        for each in self._sockets:
            asyncio.get_running_loop().remove_reader(each)
            each.close()
        self._sockets.clear()


def _seen(listener: socket.socket) -> None:
    """Let whoever asked go: that there was somebody to ask is the answer."""
    with contextlib.suppress(OSError):
        listener.accept()[0].close()


def is_running(program: int) -> bool:
    """Return whether a sensor of root, or of this user, runs that has this program."""
    user = _user_of(_NAME.format(program))
    return user in (0, os.geteuid())


def _user_of(name: str) -> int | None:
    """Return whose socket has a name, None for nobody's."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as asking:
        try:
            asking.connect(name)
        except BlockingIOError:
            # It has no time to answer, or its user has others think so. Where the kernel does not tell whose it is, it
            # counts as a sensor's: what is left over may stay, what guards may not be taken away.
            user = listener_user(name)
            return 0 if user is None else user
        except OSError:
            return None
        peer = asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
        return int(_UCRED.unpack(peer)[1])
