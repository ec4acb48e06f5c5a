"""A connection before it has shown a token: what it may send, and for how long."""

import asyncio
from collections.abc import Callable
from typing import Final

#: A request with its headers is a few hundred bytes.
MAX_BYTES: Final = 16 * 1024


class Newcomer(asyncio.Protocol):
    """Stands before the protocol that speaks HTTP until the connection is admitted, then steps aside."""

    def __init__(
        self, inner: asyncio.Protocol, address: str, interface: int, on_gone: Callable[[], None]
    ) -> None:
        """Take what speaks HTTP, where the connection comes from, and whom to tell when it is no newcomer any more."""
        self._inner = inner
        self._on_gone = on_gone
        self._received = 0
        self._transport: asyncio.Transport | None = None
        self.address = address
        #: The link on which a link's own address is meant.
        self.interface = interface

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin: TLS is spoken."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101, for the type checker
        self._transport = transport
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Pass on what fits into a request."""
        self._received += len(data)
        if self._received > MAX_BYTES:
            self.abort()
        else:
            self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        """Pass it on."""
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        """Pass it on."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._inner.connection_lost(exc)
        self._on_gone()

    def admit(self) -> None:
        """Step aside: a good token was shown."""
        if self._transport is not None:
            self._transport.set_protocol(self._inner)
        self._on_gone()

    def abort(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()
