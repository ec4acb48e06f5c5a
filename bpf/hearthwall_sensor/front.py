"""What speaks HTTP with whoever connects, and a protocol before it that passes on what fits into a request."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

#: What comes of nonsense in HTTP, or of a client that goes while it is answered, is no news, and who does it again and
#: again could fill the log with it.
_QUIET: Final = logging.getLogger(f"{__name__}.http")
_QUIET.setLevel(logging.CRITICAL)

#: A request with its headers is a few hundred bytes.
MAX_BYTES: Final = 16 * 1024

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def server(answer: Answer) -> web.Server:
    """Return what makes a protocol for each connection, which is good for one request."""
    return web.Server(answer, access_log=None, logger=_QUIET, lingering_time=0, keepalive_timeout=0)


class Front(asyncio.Protocol):
    """Passes everything on to the protocol behind it, but ends a connection that sends too much."""

    def __init__(self, inner: asyncio.Protocol, on_gone: Callable[[], None]) -> None:
        """Take what speaks HTTP, and whom to tell when the connection has gone."""
        self._inner = inner
        self._on_gone = on_gone
        self._received = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
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

    def abort(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()
