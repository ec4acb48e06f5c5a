"""The conversation in which a client that has no token yet gets one for the code that a person read to it."""

import asyncio
import contextlib
import logging
from typing import Any, Final

from aiohttp import WSMsgType, web

from ..protocol import SensorError
from . import pairing
from .offers import Offers
from .pairing import Opening, Paired, PairingNews, Proof, Taken

_LOGGER = logging.getLogger(__name__)

#: Seconds that either side may take for one message; the newcomer's patience bounds all of them.
_PATIENCE: Final = 8.0


class Introduction:
    """Lets those in who know the code, and tells the others nothing but that they do not."""

    def __init__(self, offers: Offers, fingerprint: str, identity: str | None) -> None:
        """Take where the code is, our certificate's fingerprint, and who we are."""
        self._offers = offers
        self._fingerprint = fingerprint.replace(":", "").lower()
        self._identity = identity

    async def converse(
        self, request: web.BaseRequest, address: str
    ) -> tuple[web.StreamResponse, bool]:
        """Talk to a stranger to the end; return whether it was let in, too."""
        ws = web.WebSocketResponse(max_msg_size=pairing.MAX_MESSAGE, compress=False, timeout=1.0)
        await ws.prepare(request)
        is_in = False
        try:
            is_in = await self._introduce(ws, address)
        except SensorError as error:
            with contextlib.suppress(ConnectionError):
                await ws.send_json({"type": "error", **error.to_wire()})
        except (TimeoutError, ConnectionError):
            pass  # it has gone, or says nothing
        await ws.close()
        return ws, is_in

    async def _introduce(self, ws: web.WebSocketResponse, address: str) -> bool:
        """Have both sides prove that they know the code, and hand the token over; raises SensorError."""
        offer = self._offers.current()
        nonce = pairing.new_nonce()
        await ws.send_json(pairing.said(Opening(nonce)))
        proof = pairing.heard(Proof, await _next(ws))
        key = await self._offers.check(offer, proof, nonce, self._fingerprint, address)
        token = await self._offers.grant(offer)
        is_taken = False
        try:
            own = pairing.proof(key, "sensor")
            given = Paired(own, token, offer.role, offer.name, self._identity)
            await ws.send_json(pairing.said(given))
            pairing.heard(Taken, await _next(ws))
            is_taken = True
        finally:
            if not is_taken:
                await asyncio.shield(self._offers.withdraw(offer, address))
        _LOGGER.info("%s was paired (token %r, role %s)", address, offer.name, offer.role)
        offer.tell(PairingNews("paired", address))
        return True


async def _next(ws: web.WebSocketResponse) -> Any:
    """Return the next message's JSON; raises SensorError `invalid_message` or TimeoutError."""
    message = await ws.receive(_PATIENCE)
    if message.type is not WSMsgType.TEXT:
        raise ConnectionResetError
    try:
        return message.json()
    except (ValueError, RecursionError) as error:
        raise SensorError("invalid_message", "the message is not JSON") from error
