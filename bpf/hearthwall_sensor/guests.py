"""The connections on the unix socket: bounds on how many one user holds, and on those that say or take nothing."""

import asyncio
import contextlib
import logging
import os
import socket
import struct
import time
from collections.abc import Iterator
from typing import Final

from .front import Answer, Front, server

_LOGGER = logging.getLogger(__name__)

#: Open connections of one user, and of root and the sensor's own: whoever is in the group keeps nobody else out.
MAX_OF_USER: Final = 12
MAX_OF_ROOT: Final = 64
#: Seconds that a connection may take to ask for something, and those it may take to have gone after that.
PATIENCE: Final = 10.0
_SHUTDOWN: Final = 1.0
_WARN_EVERY: Final = 60.0
_FULL: Final = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def credentials(peer: socket.socket) -> tuple[int, int, int]:
    """Return the process, user and group at the other end of a unix socket, as the kernel knows them."""
    pid, uid, gid = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return pid, uid, gid


class Guest(Front):
    """One connection, from the moment that it is taken until it has really gone."""

    def __init__(self, inner: asyncio.Protocol, guests: "Guests") -> None:
        """Take what speaks HTTP, and whose guest it is."""
        super().__init__(inner, self._end)
        self._guests = guests
        self._deadline: asyncio.TimerHandle | None = None
        self._is_served = self._is_over = False
        self.uid = -1

    @property
    def is_waiting(self) -> bool:
        """Whether it has not asked for anything yet, or was answered."""
        return not self._is_served

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, if its user has a place left."""
        _, self.uid, _ = credentials(transport.get_extra_info("socket"))
        may_stay = self._guests.take(self)
        if not may_stay:
            self._inner = asyncio.Protocol()  # which hears it out and says nothing
        super().connection_made(transport)
        self._expect_end()
        if not may_stay and self._transport is not None:
            self._transport.write(_FULL)
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Pass it on; a conversation has bounds of its own."""
        if self._is_served:
            self._inner.data_received(data)
        else:
            super().data_received(data)

    @contextlib.contextmanager
    def served(self) -> Iterator[None]:
        """Let it take its time while it is served; what it does not take then, it has not long for."""
        self._forget_end()
        self._is_served = True
        try:
            yield
        finally:
            self._is_served = False
            self._expect_end()

    def abort(self) -> None:
        """End it at once."""
        self._end()
        super().abort()

    def _expect_end(self) -> None:
        """End it soon, unless it asks for something or goes by itself."""
        self._forget_end()
        if self._is_over:  # it went while it was served
            return
        self._deadline = asyncio.get_running_loop().call_later(PATIENCE, self.abort)

    def _forget_end(self) -> None:
        """Let it go on."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end(self) -> None:
        """Give its place to others."""
        self._is_over = True
        self._forget_end()
        self._guests.leave(self)


class Guests:
    """All who are connected."""

    def __init__(self, answer: Answer) -> None:
        """Take what answers a request."""
        self._http = server(answer)
        #: In the order in which they came.
        self._there: dict[Guest, None] = {}
        self._warned = -_WARN_EVERY

    def arrive(self) -> Guest:
        """Return what speaks with a new connection."""
        return Guest(self._http(), self)

    def take(self, guest: Guest) -> bool:
        """Return whether a guest may stay; of its user's it is the one that has waited longest that gives way."""
        mates = [each for each in self._there if each.uid == guest.uid]
        if len(mates) >= (MAX_OF_ROOT if guest.uid in (0, os.geteuid()) else MAX_OF_USER):
            oldest = next((each for each in mates if each.is_waiting), None)
            if oldest is None:
                self._warn(guest.uid)
                return False
            oldest.abort()
        self._there[guest] = None
        return True

    def leave(self, guest: Guest) -> None:
        """Give a guest's place to others."""
        self._there.pop(guest, None)

    async def end(self) -> None:
        """Let everyone go."""
        await self._http.shutdown(_SHUTDOWN)
        for each in tuple(self._there):
            each.abort()

    def _warn(self, uid: int) -> None:
        """Warn that a user wants more than there is for it, but not all the time."""
        now = time.monotonic()
        if now - self._warned >= _WARN_EVERY:
            self._warned = now
            _LOGGER.warning(
                "User %s has too many connections to the socket: more are turned away", uid
            )
