"""The listener on TCP: TLS, a token, and bounds on all that a stranger could make it hold or do."""

import asyncio
import contextlib
import logging
import socket
import ssl
import struct
import time
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from ..front import server
from ..notation import plain_address
from ..protocol import METRICS_PATH, PAIR_PATH, WEBSOCKET_PATH, SensorError
from .admission import Admission
from .introduction import Introduction
from .newcomer import Newcomer
from .tokens import Token, Tokens

_LOGGER = logging.getLogger(__name__)

#: Connections that have shown no token yet, in all and of one address, and how long they may take to.
MAX_NEWCOMERS: Final = 64
MAX_NEWCOMERS_OF_ADDRESS: Final = 8
PATIENCE: Final = 10.0
_HANDSHAKE_TIMEOUT: Final = 5.0
MAX_CLIENTS: Final = 16
#: Who shows one token again and again must leave room for those with another.
MAX_CLIENTS_OF_TOKEN: Final = 8
#: How long nobody is taken after no descriptor was left: the kernel would say at once that somebody waits still.
_PAUSE: Final = 1.0
#: Deep enough for a client to be taken among all who knock at once.
_BACKLOG: Final = 512
#: Connections that are taken before others have their turn.
_AT_ONCE: Final = 16
_WARN_EVERY: Final = 60.0
#: SO_LINGER on, 0 seconds: whoever is turned away leaves nothing behind, not even a socket that waits.
_AT_ONCE_GONE: Final = struct.pack("ii", 1, 0)

#: IP_FREEBIND and IPV6_FREEBIND, from linux/in.h and in6.h.
_FREE: Final = {
    socket.AF_INET: (socket.IPPROTO_IP, 15),
    socket.AF_INET6: (socket.IPPROTO_IPV6, 78),
}

Serve = Callable[[web.BaseRequest, str, Token, str], Awaitable[web.StreamResponse]]


class Listener:
    """Takes connections, and gives those with a good token to whoever serves them."""

    context: ssl.SSLContext
    introduction: Introduction
    _tokens: Tokens
    _admission: Admission
    _serve: Serve

    def __init__(self, address: str, port: int) -> None:
        """Take where to listen."""
        self._address = address
        self._port = port
        self._socket = socket.socket(
            socket.AF_INET6 if ":" in address else socket.AF_INET,
            socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC,
        )
        self._is_claimed = False
        self._newcomers: dict[asyncio.Task[None], str] = {}
        self._clients: dict[asyncio.Transport, Token] = {}
        self._server: web.Server | None = None
        self._pause: asyncio.TimerHandle | None = None
        self._warned = -_WARN_EVERY
        self.turned_away = 0

    def claim(self) -> None:
        """Take the port, but do not listen yet; raises SensorError `missing_capability`.

        The address may come later, as where the network comes up after the sensor.
        """
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.setsockopt(*_FREE[self._socket.family], 1)
        try:
            self._socket.bind((self._address, self._port))
        except OSError as error:
            raise SensorError(
                "missing_capability",
                f"can't listen on {self._address}, port {self._port}: {error.strerror or error}",
            ) from error
        self._is_claimed = True

    async def start(self, tokens: Tokens, admission: Admission, serve: Serve) -> None:
        """Begin to listen, if the port was taken: whose tokens are good, who may knock how often, and who serves."""
        self._tokens, self._admission, self._serve = tokens, admission, serve
        self._server = server(self._answer)
        self.listen()

    def listen(self) -> None:
        """Take connections from now on, if the port was taken."""
        if self._is_claimed:
            self._socket.listen(_BACKLOG)
            self._go_on()

    async def stop(self) -> None:
        """Stop listening and let everyone go."""
        if self._server is None:
            return
        asyncio.get_running_loop().remove_reader(self._socket)
        if self._pause is not None:
            self._pause.cancel()
        for task in tuple(self._newcomers):
            task.cancel()
        for transport in tuple(self._clients):
            transport.abort()
        await asyncio.gather(*self._newcomers, return_exceptions=True)
        await self._server.shutdown(1.0)
        self._server = None

    def close(self) -> None:
        """Let another have the port."""
        self._socket.close()

    def revoke(self) -> None:
        """End the connections whose tokens are not good any more, or not for what they were."""
        good = self._tokens.good
        for transport, token in tuple(self._clients.items()):
            if token not in good:
                transport.abort()

    # Strangers

    def _go_on(self) -> None:
        """Take connections from now on."""
        asyncio.get_running_loop().add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        """Take the connections that wait."""
        for _ in range(_AT_ONCE):
            try:
                connection, peer = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # no descriptor is left
                self._warn("No connection can be taken: %s", error)
                loop = asyncio.get_running_loop()
                loop.remove_reader(self._socket)
                self._pause = loop.call_later(_PAUSE, self._go_on)
                return
            address = plain_address(peer[0])
            interface = peer[3] if len(peer) > 3 else 0
            if not self._may_knock(address, interface):
                self.turned_away += 1
                self._warn(
                    "Connections from %s are turned away: there are too many without a good token",
                    address,
                )
                _drop(connection)
                continue
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = asyncio.ensure_future(self._welcome(connection, address, interface))
            self._newcomers[task] = self._admission.whose(address, interface)
            task.add_done_callback(lambda done: self._newcomers.pop(done, None))

    def _may_knock(self, address: str, interface: int) -> bool:
        """Return whether a connection may go on; the one that waits longest gives way to it."""
        if not self._admission.admit(address, time.monotonic(), interface):
            return False
        who = self._admission.whose(address, interface)
        if sum(each == who for each in self._newcomers.values()) >= MAX_NEWCOMERS_OF_ADDRESS:
            return False
        if len(self._newcomers) >= MAX_NEWCOMERS:
            oldest = next(iter(self._newcomers))
            self._newcomers.pop(oldest)
            oldest.cancel()
        return True

    async def _welcome(self, connection: socket.socket, address: str, interface: int) -> None:
        """Speak TLS, and wait until the connection is admitted or gone; it has not long for both."""
        assert self._server is not None  # noqa: S101, for the type checker
        gone = asyncio.Event()
        newcomer = Newcomer(self._server(), address, interface, gone.set)
        try:
            async with asyncio.timeout(PATIENCE):
                await asyncio.get_running_loop().connect_accepted_socket(
                    lambda: newcomer,
                    connection,
                    ssl=self.context,
                    ssl_handshake_timeout=_HANDSHAKE_TIMEOUT,
                    ssl_shutdown_timeout=1.0,
                )
                await gone.wait()
        except (OSError, TimeoutError):
            newcomer.abort()
        except asyncio.CancelledError:
            newcomer.abort()
            raise

    def _warn(self, message: str, *details: object) -> None:
        """Warn, but not all the time."""
        now = time.monotonic()
        if now - self._warned >= _WARN_EVERY:
            self._warned = now
            _LOGGER.warning(message, *details)

    # Requests

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a connection's one request."""
        transport = request.transport
        newcomer = None if transport is None else transport.get_protocol()
        if not isinstance(transport, asyncio.Transport) or not isinstance(newcomer, Newcomer):
            return _refusal(400)
        if request.path == PAIR_PATH:
            return await self._introduce(request, newcomer)
        token = self._tokens.find(_bearer(request))
        if token is None:
            self.turned_away += 1
            self._warn("A client at %s showed no good token", newcomer.address)
            return _refusal(401)
        self._admission.welcome(newcomer.address, newcomer.interface)
        if request.path not in (WEBSOCKET_PATH, METRICS_PATH):
            return _refusal(404)
        of_token = sum(each.sha256 == token.sha256 for each in self._clients.values())
        if len(self._clients) >= MAX_CLIENTS or of_token >= MAX_CLIENTS_OF_TOKEN:
            self._warn("Token %r has too many clients, or all have: one was refused", token.name)
            return _refusal(503)
        newcomer.admit()
        self._clients[transport] = token
        try:
            return await self._converse(request, token, newcomer.address)
        finally:
            self._clients.pop(transport, None)

    async def _introduce(self, request: web.BaseRequest, newcomer: Newcomer) -> web.StreamResponse:
        """Pair a stranger, within all that bounds strangers."""
        try:
            response, is_in = await self.introduction.converse(request, newcomer.address)
        except (web.HTTPException, ConnectionError):  # it speaks no websocket, or has gone
            return _refusal(400)
        except Exception:
            _LOGGER.exception("A pairing with %s failed", newcomer.address)
            return _refusal(500)
        if is_in:
            self._admission.welcome(newcomer.address, newcomer.interface)
        else:
            self.turned_away += 1
        return response

    async def _converse(
        self, request: web.BaseRequest, token: Token, address: str
    ) -> web.StreamResponse:
        """Serve a client that may talk until either side ends it."""
        try:
            return await self._serve(request, f"token {token.name!r}, {address}", token, address)
        except web.HTTPException:
            raise
        except ConnectionError:  # it has gone meanwhile
            return _refusal(400)
        except Exception:
            _LOGGER.exception("A connection of %s failed", address)
            return _refusal(500)


def _bearer(request: web.BaseRequest) -> str:
    """Return the token that a request shows."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _refusal(status: int) -> web.Response:
    """Return an answer that tells nothing, and after which the connection ends."""
    response = web.Response(status=status, headers={"Server": "sensor"})
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    response.force_close()
    return response


def _drop(connection: socket.socket) -> None:
    """End a connection without a word."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE_GONE)
    connection.close()
