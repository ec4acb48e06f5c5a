"""A client that has no token yet: gets one from a sensor on another host for the code that a person typed."""

import asyncio
import hashlib
import ssl
from dataclasses import dataclass, field

import aiohttp
from yarl import URL

from .client import ANSWER_TIMEOUT, remote_error
from .handshake import open_websocket
from .protocol import PAIR_PATH, PairedRole, SensorError
from .remote import pairing
from .remote.pairing import Opening, Paired, Proof, Taken


@dataclass(frozen=True, slots=True)
class Introduced:
    """What a client keeps of its pairing: the token, and by which certificate it knows the sensor from now on."""

    token: str = field(repr=False)
    fingerprint: str
    role: PairedRole
    id: str | None


async def pair(session: aiohttp.ClientSession, host: str, port: int, code: str) -> Introduced:
    """Return what a sensor gives for a code; raises SensorError.

    `wrong_code`, `no_code`, `code_burnt`, `interfered`, or what a connection to another host fails with. The
    certificate may be anybody's: the proofs tell whether it is the sensor's.
    """
    wanted = pairing.typed(code)
    url = URL.build(scheme="https", host=host, port=port, path=PAIR_PATH)
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT):
            socket = await open_websocket(session, url, ssl=False, max_msg_size=pairing.MAX_MESSAGE)
            try:
                return await _converse(socket, wanted)
            finally:
                await socket.close()
    except aiohttp.WSServerHandshakeError as error:
        raise SensorError(  # an older sensor asks for a token
            "invalid_message",
            "what answers knows nothing of codes: take a token, or a newer sensor",
        ) from error
    except (aiohttp.ClientError, OSError, TypeError, ValueError) as error:
        raise remote_error(error) from error


async def _converse(socket: aiohttp.ClientWebSocketResponse, code: str) -> Introduced:
    """Prove that we know the code, and see that the sensor does; raises SensorError."""
    fingerprint = _shown_certificate(socket)
    opening = pairing.heard(Opening, await socket.receive_json())
    nonce = pairing.new_nonce()
    key = await asyncio.to_thread(pairing.key, code, fingerprint, nonce, opening.nonce)
    await socket.send_json(pairing.said(Proof(nonce, fingerprint, pairing.proof(key, "client"))))
    paired = pairing.heard(Paired, await socket.receive_json())
    if not pairing.is_proof(key, "sensor", paired.proof):
        raise SensorError("interfered")
    await socket.send_json(pairing.said(Taken()))
    return Introduced(paired.token, fingerprint, paired.role, paired.id)


def _shown_certificate(socket: aiohttp.ClientWebSocketResponse) -> str:
    """Return the fingerprint of the certificate that the other side has shown the key of."""
    spoken = socket.get_extra_info("ssl_object")
    shown = spoken.getpeercert(binary_form=True) if isinstance(spoken, ssl.SSLObject) else None
    if not shown:
        raise SensorError("interfered")
    return hashlib.sha256(shown).hexdigest()
