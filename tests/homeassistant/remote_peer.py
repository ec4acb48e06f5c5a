"""A peer on another host, as far as Home Assistant can tell: behind the sensor's own listener, with real TLS."""

import socket
from pathlib import Path
from typing import Any

from aiohttp import web
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN

from custom_components.hearthwall.bpf.hearthwall_sensor.remote import certificate, tokens
from custom_components.hearthwall.bpf.hearthwall_sensor.remote.admission import Admission
from custom_components.hearthwall.bpf.hearthwall_sensor.remote.listener import Listener
from custom_components.hearthwall.bpf.hearthwall_sensor.remote.tokens import Token, Tokens
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
        self._listener: Listener | None = None

    async def start(self) -> None:
        self._listener = Listener(HOST, self.port)
        self._listener.claim()
        self._listener.context = certificate.context(certificate.ensure(self.state))
        self._tokens = Tokens(self.state)
        await self._listener.start(self._tokens, Admission(lambda _: True), self._converse)

    async def stop(self) -> None:
        if self._listener is not None:
            await self._listener.stop()
            self._listener.close()
            self._listener = None

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

    def new_token(self) -> None:
        """Revoke the token, cut off who is connected by it, and make another."""
        (before,) = tokens.listed(self.state)
        tokens.revoke(self.state, before.name)
        self.token = tokens.create(self.state, "next")
        self._tokens.follow()
        assert self._listener is not None
        self._listener.revoke()

    async def _converse(
        self, request: web.BaseRequest, _name: str, _token: Token, _address: str
    ) -> web.StreamResponse:
        return await self._serve(request)


def unused_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server((HOST, 0)) as server:
        port: int = server.getsockname()[1]
        return port
