"""A sensor's side for other hosts: nothing of it is there unless it is told to listen."""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from aiohttp import web

from ..connection import Visitor
from ..network.topology import Network
from ..notation import plain_address
from ..protocol import SensorError
from ..server import Server
from . import announcer, certificate
from .admission import Admission
from .announcer import Announcer
from .introduction import Introduction
from .listener import Listener
from .offers import Offers
from .tokens import Token, Tokens
from .whereabouts import Callers, Whereabouts

_LOGGER = logging.getLogger(__name__)

#: Seconds after which a client that came from another address than before has moved there.
SETTLED: Final = 300.0
#: Clients whose way here was told of; whatever more there are is told of again.
_TOLD: Final = 64


@dataclass(slots=True, eq=False)
class _Visit:
    """A client that is here, since when, and whether it came without anybody between."""

    token: Token
    address: str
    began: float
    is_direct: bool = False


class Remote:
    """Listens on TCP, knows who may talk there, and says where it is; without an address, nothing of that."""

    _tokens: Tokens
    _whereabouts: Whereabouts
    _callers: Callers

    def __init__(self, listen: tuple[str, int] | None, state: Path, server: Server) -> None:
        """Take where to listen, the state folder, and whose conversations are had."""
        self._address, self._port = listen or ("", 0)
        self._listener = None if listen is None else Listener(*listen)
        self._state = state
        self._server = server
        self._announcer: Announcer | None = None
        #: Why the port can't be had, None where it is, and whether the address is there.
        self._refused: str | None = None
        self._is_there = False
        self._is_started = False
        self._visits: set[_Visit] = set()
        self._told: set[tuple[str, str]] = set()
        #: Called with the hosts that must stay reachable: Home Assistant's, wherever a token was last used.
        self.on_moved: Callable[[frozenset[str]], None] = lambda _: None

    def claim(self) -> None:
        """Take the port, but do not listen yet; where it can't be had, it is tried again: guarding does not wait."""
        if self._listener is None:
            return
        try:
            self._listener.claim()
        except SensorError as error:
            self._refused = error.message
        else:
            self._refused = None

    async def prepare(self, identity: str) -> None:
        """Make ready what is kept in the state folder, and who announces; raises SensorError."""
        self._server.identity = identity
        if self._listener is None:
            return
        path = certificate.ensure(self._state)
        self._listener.context = certificate.context(path)
        offers = Offers(self._state)
        self._listener.introduction = Introduction(offers, certificate.fingerprint(path), identity)
        self._server.make_offer = offers.offer
        self._tokens = Tokens(self._state)
        self._whereabouts = Whereabouts(self._state)
        self._whereabouts.keep(self._tokens.digests)
        self._callers = Callers(self._state)
        if announcer.is_possible():
            self._announcer = Announcer(identity, self._port)
            await self._announcer.start()
        else:
            _LOGGER.info("Not announced by mDNS: there is no python3-zeroconf")

    async def start(self) -> None:
        """Begin to listen."""
        if self._listener is None:
            return
        admission = Admission(self._is_known)
        await self._listener.start(self._tokens, admission, self._serve)
        self._is_started = True
        self._tell()
        if not self._tokens.digests:
            _LOGGER.warning("There is no token yet: `hearthwall-sensor pair` shows a code for one")

    def _is_known(self, address: str) -> bool:
        """Return whether somebody with a good token was last at an address."""
        return address in self._whereabouts.addresses or address in self._callers.addresses

    def _tell(self) -> None:
        """Say where other hosts reach the sensor, or why they don't, when that has changed."""
        if not self._is_started:
            return
        shown = f"[{self._address}]" if ":" in self._address else self._address
        where, why = f"{shown}:{self._port}", self._refused
        if why is None and not self._is_there:
            why = f"no interface of this host has the address {self._address} now"
        server = self._server
        if why is not None and server.unreachable != why:
            _LOGGER.warning(
                "Other hosts can't reach the sensor on %s: %s. It guards all the same, and listens once that is mended",
                *(where, why),
            )
        elif why is None and server.listening is None:
            _LOGGER.info("Listening for other hosts on %s", where)
        server.listening = where if why is None else None
        server.unreachable = why

    def follow(self, seen: Network, interfaces: Iterable[str]) -> None:
        """Announce the addresses by which the home reaches this host, and see whether one of them is listened on."""
        if self._listener is not None:
            self._is_there = is_of(self._address, seen)
            self._tell()
        if self._announcer is not None:
            self._announcer.follow(reached_by(self._address, seen, interfaces))

    def protect(self) -> None:
        """Say which hosts must stay reachable."""
        if self._listener is not None:
            self.on_moved(self._whereabouts.addresses)

    def each_second(self) -> None:
        """Let nobody stay whose token was revoked or changed, and forget where those were before who have moved."""
        if self._listener is None:
            return
        self._server.turned_away = self._listener.turned_away
        if self._refused is not None:
            self.claim()
            self._listener.listen()
            self._tell()
        # Whether the file has changed says nothing here: whoever knocked since then had it read already.
        self._tokens.follow()
        self._listener.revoke()
        if self._whereabouts.keep(self._tokens.digests):
            self.protect()
        now = time.monotonic()
        self._callers.keep(self._tokens.digests)
        self._callers.put_down(now)
        self._settle(now)

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
        visit = _Visit(token, address, time.monotonic())
        self._visits.add(visit)
        self._callers.note(token.sha256, address)
        own = None if request.transport is None else request.transport.get_extra_info("sockname")
        try:
            return await self._server.converse(
                request,
                Visitor(
                    name,
                    token.role,
                    address=None if own is None else plain_address(own[0]),
                    port=None if own is None else own[1],
                    on_address=lambda said: self._arrive(visit, said),
                ),
            )
        finally:
            self._visits.discard(visit)

    def _arrive(self, visit: _Visit, said: str) -> None:
        """Protect whoever comes from where it says.

        A stranger who passes a connection on, which nobody sees in TLS, would else be protected in its client's place.
        """
        if visit.token.role == "read":
            return  # who gives no orders needs no protection from them
        if said != visit.address:
            way = (visit.token.sha256, visit.address)
            if way not in self._told:
                if len(self._told) >= _TOLD:
                    self._told.clear()
                self._told.add(way)
                _LOGGER.warning(
                    "The client with the token %r comes from %s, but says that its address is %.45r: somebody"
                    " passes it on, so that address is not protected from rules",
                    *(visit.token.name, visit.address, said),
                )
            return
        visit.is_direct = True
        is_good = visit.token.sha256 in self._tokens.digests
        if (
            is_good
            and not ip_address(visit.address).is_loopback
            and self._whereabouts.note(visit.token.sha256, visit.address)
        ):
            self.protect()

    def _settle(self, now: float) -> None:
        """Forget where the clients were before that have been elsewhere for a while."""
        direct = [each for each in self._visits if each.is_direct]
        lasting = {each.token.sha256 for each in direct if now - each.began >= SETTLED}
        here = {
            digest: {each.address for each in direct if each.token.sha256 == digest}
            for digest in lasting
        }
        moved = [each for each in here if self._whereabouts.settle(each, here[each])]
        if moved:
            self.protect()


def is_of(listen: str, seen: Network) -> bool:
    """Return whether this host has an address, or it stands for all that it has."""
    wanted = ip_address(listen)
    return (
        wanted.is_unspecified
        or wanted.is_loopback
        or any(
            wanted == ip_address(own) for each in seen.interfaces.values() for own in each.addresses
        )
    )


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
