"""The code that waits for a client on another host: one at a time, for some minutes, for one use and few tries."""

import asyncio
import ctypes
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ..protocol import PairedRole, SensorError
from ..requests import MAX_MINUTES, Pair
from . import pairing, tokens
from .pairing import Happening, OfferedCode, PairingNews

_LOGGER = logging.getLogger(__name__)

#: Whom a token is for, if nobody says it.
_USUAL_NAME: Final = "Home Assistant"

Tell = Callable[[PairingNews], None]


@dataclass(slots=True, eq=False)
class Offer:
    """A code, and whom to tell what becomes of it."""

    code: str = field(repr=False)
    role: PairedRole
    name: str
    tell: Tell
    timer: asyncio.TimerHandle | None = None
    left: int = pairing.MAX_TRIES


class Offers:
    """Holds the one code that waits. It is in this process's memory and nowhere else."""

    def __init__(self, state: Path) -> None:
        """Take the state folder, for the tokens."""
        self._state = state
        self._offer: Offer | None = None
        self._was_burnt = False
        #: A guess costs 16 MB: one at a time.
        self._checking = asyncio.Lock()

    async def offer(self, request: Pair, tell: Tell) -> tuple[OfferedCode, Callable[[], None]]:
        """Make a code, in place of one that waits, and return it with what ends it; raises SensorError."""
        if not 0 < request.minutes <= MAX_MINUTES:
            raise SensorError("invalid_duration", f"a code holds for at most {MAX_MINUTES} minutes")
        name = request.name
        if name is None:
            name = await asyncio.to_thread(tokens.unused_name, self._state, _USUAL_NAME)
        await asyncio.to_thread(tokens.check, self._state, name)
        self._end(self._offer, "replaced")
        offer = self._offer = Offer(pairing.new_code(), request.role, name, tell)
        self._was_burnt = False
        seconds = request.minutes * 60.0
        offer.timer = asyncio.get_running_loop().call_later(
            seconds, lambda: self._end(offer, "expired")
        )
        _LOGGER.info("A code for pairing is waiting (token %r, role %s)", name, offer.role)
        shown = OfferedCode(pairing.shown(offer.code), offer.role, name, time.time() + seconds)

        def end() -> None:
            self._take(offer)

        return shown, end

    def current(self) -> Offer:
        """Return the code that waits; raises SensorError `no_code` or `code_burnt`."""
        if self._offer is None:
            raise SensorError("code_burnt" if self._was_burnt else "no_code")
        return self._offer

    async def check(
        self, offer: Offer, said: pairing.Proof, nonce: str, own: str, address: str
    ) -> bytes:
        """Return the key of a conversation whose client knows the code, which has served then; raises SensorError.

        A try is counted before it is looked at: who tries many at once has no more of them. Each that was counted
        and came to nothing is told, whatever it was that ended it; what is no proof at all is no try.
        """
        pairing.check(said)
        self._count(offer)
        is_right = False
        try:
            async with self._checking:
                key = await asyncio.to_thread(
                    _costly_key, offer.code, said.fingerprint, said.nonce, nonce
                )
            is_right = pairing.is_proof(key, "client", said.proof)
        finally:
            if not is_right:
                self._fail(offer, address)
        if not is_right:
            raise SensorError("wrong_code" if said.fingerprint == own else "interfered")
        if said.fingerprint != own:
            # Whoever knows the code was shown another certificate: somebody passes on what it says.
            self._end(offer, "interfered", address)
            raise SensorError("interfered")
        if not self._take(offer):
            raise SensorError("no_code")
        return key

    async def grant(self, offer: Offer) -> str:
        """Return the token that a code was for; raises SensorError."""
        try:
            return await asyncio.to_thread(tokens.create, self._state, offer.name, offer.role)
        except SensorError:
            offer.tell(PairingNews("lost"))
            raise

    async def withdraw(self, offer: Offer, address: str) -> None:
        """Take a token back that nobody has: its client went away before it had it."""
        await asyncio.to_thread(tokens.revoke, self._state, offer.name)
        offer.tell(PairingNews("lost", address))

    def _count(self, offer: Offer) -> None:
        """Count a try; raises SensorError `code_burnt` or `no_code`."""
        if self._offer is not offer:
            self.current()
            raise SensorError("no_code")
        if offer.left <= 0:
            raise SensorError("code_burnt")
        offer.left -= 1

    def _fail(self, offer: Offer, address: str) -> None:
        """Tell of a wrong try, and end a code that bears no more of them."""
        _LOGGER.warning("%s tried a wrong code for pairing", address)
        if self._offer is not offer:
            return
        if offer.left > 0:
            offer.tell(PairingNews("wrong_code", address, offer.left))
        else:
            self._was_burnt = True
            self._end(offer, "code_burnt", address)

    def _take(self, offer: Offer) -> bool:
        """End a code without a word; return whether it was waiting still."""
        if self._offer is not offer:
            return False
        self._offer = None
        if offer.timer is not None:
            offer.timer.cancel()
        return True

    def _end(self, offer: Offer | None, what: Happening, address: str | None = None) -> None:
        """End a code, and tell why."""
        if offer is not None and self._take(offer):
            offer.tell(PairingNews(what, address))


def _costly_key(*said: str) -> bytes:
    """Return the key of a conversation, and give back the memory that it took: the heap would keep it."""
    try:
        return pairing.key(*said)
    finally:
        ctypes.CDLL(None).malloc_trim(0)
