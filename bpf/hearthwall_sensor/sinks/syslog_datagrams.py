"""Datagrams to a syslog server: nobody says what arrived, but a host where nobody listens does say that."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

#: Seconds in which a host says that nobody listens.
_WAIT: Final = 0.05
#: A name may mean another address after so many seconds.
_LONGEST: Final = 300.0


class Datagrams(asyncio.DatagramProtocol):
    """What sends to one server."""

    def __init__(self) -> None:
        """Begin unconnected; `connect` makes one."""
        self._transport: asyncio.DatagramTransport | None = None
        self._error: Exception | None = None
        self._until = asyncio.get_running_loop().time() + _LONGEST

    @classmethod
    async def connect(cls, host: str, port: int) -> "Datagrams":
        """Look a server up; raises OSError."""
        loop = asyncio.get_running_loop()
        _, protocol = await loop.create_datagram_endpoint(cls, remote_addr=(host, port))
        return protocol

    @property
    def is_old(self) -> bool:
        """Return whether the server should be looked up anew."""
        return asyncio.get_running_loop().time() > self._until

    def connection_made(self, transport: Any) -> None:
        """Take the socket."""
        self._transport = transport

    def error_received(self, exc: Exception) -> None:
        """Take what the server's host, or the way there, answered."""
        self._error = exc

    async def send(self, messages: Sequence[bytes]) -> None:
        """Send a few messages: a server's queue holds some hundred. Raises OSError where nobody takes them."""
        assert self._transport is not None  # noqa: S101, for the type checker
        for each in messages:
            self._transport.sendto(each)
        await asyncio.sleep(_WAIT)
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def close(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.abort()
