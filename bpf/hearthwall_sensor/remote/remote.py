"""A sensor's side for other hosts: nothing of it is there unless it is told to listen."""

import logging
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from pathlib import Path

from aiohttp import web

from ..network.topology import Network
from ..server import Server
from . import announcer, certificate
from .admission import Admission
from .announcer import Announcer
from .listener import Listener
from .tokens import Token, Tokens
from .whereabouts import Whereabouts

_LOGGER = logging.getLogger(__name__)


class Remote:
    """Listens on TCP, knows who may talk there, and says where it is; without an address, nothing of that."""

    _tokens: Tokens
    _whereabouts: Whereabouts

    def __init__(self, listen: tuple[str, int] | None, state: Path, server: Server) -> None:
        """Take where to listen, the state folder, and whose conversations are had."""
        self._address, self._port = listen or ("", 0)
        self._listener = None if listen is None else Listener(*listen)
        self._state = state
        self._server = server
        self._announcer: Announcer | None = None
        #: Called with the hosts that must stay reachable: Home Assistant's, wherever a token was last used.
        self.on_moved: Callable[[frozenset[str]], None] = lambda _: None

    def claim(self) -> None:
        """Take the port, but do not listen yet; raises SensorError `missing_capability`."""
        if self._listener is not None:
            self._listener.claim()

    async def prepare(self, identity: str) -> None:
        """Make ready what is kept in the state folder, and who announces; raises SensorError."""
        self._server.identity = identity
        if self._listener is None:
            return
        self._listener.context = certificate.context(certificate.ensure(self._state))
        self._tokens = Tokens(self._state)
        self._whereabouts = Whereabouts(self._state)
        self._whereabouts.keep(self._tokens.digests)
        if announcer.is_possible():
            self._announcer = Announcer(identity, self._port)
            await self._announcer.start()
        else:
            _LOGGER.info("Not announced by mDNS: there is no python3-zeroconf")

    async def start(self) -> None:
        """Begin to listen."""
        if self._listener is None:
            return
        admission = Admission(lambda address: address in self._whereabouts.addresses)
        await self._listener.start(self._tokens, admission, self._serve)
        shown = f"[{self._address}]" if ":" in self._address else self._address
        self._server.listening = f"{shown}:{self._port}"
        _LOGGER.info("Listening for other hosts on %s", self._server.listening)
        if not self._tokens.digests:
            _LOGGER.warning("There is no token yet: `hearthwall-sensor token NAME` makes one")

    def follow(self, seen: Network, interfaces: Iterable[str]) -> None:
        """Announce the addresses by which the home reaches this host."""
        if self._announcer is not None:
            self._announcer.follow(reached_by(self._address, seen, interfaces))

    def protect(self) -> None:
        """Say which hosts must stay reachable."""
        if self._listener is not None:
            self.on_moved(self._whereabouts.addresses)

    def each_second(self) -> None:
        """Let nobody stay whose token was revoked."""
        if self._listener is None:
            return
        self._server.turned_away = self._listener.turned_away
        if self._tokens.follow():
            self._listener.revoke()
            if self._whereabouts.keep(self._tokens.digests):
                self.protect()

    async def stop(self) -> None:
        """Stop listening and announcing."""
        if self._listener is not None:
            await self._listener.stop()
        if self._announcer is not None:
            await self._announcer.stop()

    def release(self) -> None:
        """Let another have the port."""
        if self._listener is not None:
            self._listener.close()

    async def _serve(
        self, request: web.BaseRequest, name: str, token: Token, address: str
    ) -> web.StreamResponse:
        """Have a conversation with whoever has shown a token."""
        if not ip_address(address).is_loopback and self._whereabouts.note(token.sha256, address):
            self.protect()
        return await self._server.converse(request, name)


def reached_by(listen: str, seen: Network, interfaces: Iterable[str]) -> list[str]:
    """Return the addresses at which the home finds a listener: its own, or those of the home's interfaces.

    Those of IPv4 where there are some, else those of IPv6 that are more than a link's.
    """
    if not ip_address(listen).is_unspecified:
        return [listen]
    named = [each for name in interfaces if (each := seen.by_name(name)) is not None]
    bridges = [seen.interfaces[each.bridge] for each in named if each.bridge in seen.interfaces]
    found = [
        address
        for interface in dict.fromkeys(named + bridges)
        for address in sorted(interface.addresses)
        if not ip_address(address).is_link_local
    ]
    fours = [each for each in found if ":" not in each]
    return fours or [each for each in found if ":" in listen and ":" in each]
