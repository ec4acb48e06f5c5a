"""A peer on another host, as far as Home Assistant can tell: behind the sensor's own listener, with real TLS."""

import socket
from pathlib import Path
from typing import Any

from aiohttp import web
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN

from custom_components.hearthwall.bpf.hearthwall_sensor.remote import certificate, tokens
from custom_components.hearthwall.bpf.hearthwall_sensor.remote.admission import Admission
from custom_components.hearthwall.bpf.hearthwall_sensor.remote.introduction import Introduction
from custom_components.hearthwall.bpf.hearthwall_sensor.remote.listener import Listener
from custom_components.hearthwall.bpf.hearthwall_sensor.remote.offers import Offers
from custom_components.hearthwall.bpf.hearthwall_sensor.remote.tokens import Token, Tokens
from custom_components.hearthwall.bpf.hearthwall_sensor.requests import Pair
from custom_components.hearthwall.const import CONF_FINGERPRINT
from tests.homeassistant.peer import Peer

HOST = "127.0.0.1"
IDENTITY = "00112233445566778899aabbccddeeff"


class RemotePeer(Peer):
    """A peer whose door is the real one: certificate, tokens, bounds."""

    def __init__(self, state: Path, identity: str = IDENTITY) -> None:
        super().__init__(state / "unused")
        state.mkdir(exist_ok=True)
        self.state = state
        self.identity = identity
        self.hello["id"] = identity
        self.token = tokens.create(state, "first")
        self.port = unused_port()
        self.offers = Offers(state)
        #: What its command tells of the code that it shows.
        self.news: list[str] = []
        self._listeners: list[Listener] = []

    async def start(self) -> None:
        """Listen on the port, beside others where that was done before."""
        listener = Listener(HOST, self.port)
        listener.claim()
        listener.context = certificate.context(certificate.ensure(self.state))
        fingerprint = certificate.fingerprint(self.state / certificate.CERTIFICATE_FILE)
        listener.introduction = Introduction(self.offers, fingerprint, self.identity)
        self._tokens = Tokens(self.state)
        await listener.start(self._tokens, Admission(lambda _: True), self._converse)
        self._listeners.append(listener)

    async def stop(self) -> None:
        while self._listeners:
            listener = self._listeners.pop()
            await listener.stop()
            listener.close()

    @property
    def turned_away(self) -> int:
        """How many connections there were without a good token."""
        return sum(each.turned_away for each in self._listeners)

    @property
    def data(self) -> dict[str, Any]:
        """What an entry keeps of it."""
        digits = certificate.fingerprint(self.state / certificate.CERTIFICATE_FILE)
        return {
            CONF_HOST: HOST,
            CONF_PORT: self.port,
            CONF_TOKEN: self.token,
            CONF_FINGERPRINT: digits.replace(":", "").lower(),
        }

    @property
    def typed(self) -> dict[str, Any]:
        """What a user types, as the sensor's command prints it."""
        digits = certificate.fingerprint(self.state / certificate.CERTIFICATE_FILE)
        return self.data | {CONF_FINGERPRINT: digits}

    async def show_code(self, **said: Any) -> str:
        """Show a code, as `pair` does."""
        offered, _ = await self.offers.offer(Pair(**said), lambda each: self.news.append(each.what))
        return offered.code

    def names(self) -> list[tuple[str, str]]:
        """Return the names and roles of the tokens that there are."""
        return [(each.name, each.role) for each in tokens.listed(self.state)]

    def new_token(self) -> None:
        """Revoke the token, cut off who is connected by it, and make another."""
        (before,) = tokens.listed(self.state)
        tokens.revoke(self.state, before.name)
        self.token = tokens.create(self.state, "next")
        self._tokens.follow()
        for each in self._listeners:
            each.revoke()

    async def _converse(
        self, request: web.BaseRequest, _name: str, token: Token, _address: str
    ) -> web.StreamResponse:
        # As the sensor does (`Remote._serve`): where it was reached, whatever was dialled.
        assert request.transport is not None
        address, port = request.transport.get_extra_info("sockname")[:2]
        if isinstance(self.hello, dict):
            self.hello |= {"address": address, "port": port, "role": token.role}
        return await self._serve(request)


def unused_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server((HOST, 0)) as server:
        port: int = server.getsockname()[1]
        return port
