"""A connection before it has shown a token: what it may send, and for how long."""

import asyncio
from collections.abc import Callable

from ..front import Front


class Newcomer(Front):
    """Stands before the protocol that speaks HTTP until the connection is admitted, then steps aside."""

    def __init__(
        self, inner: asyncio.Protocol, address: str, interface: int, on_gone: Callable[[], None]
    ) -> None:
        """Take what speaks HTTP, where the connection comes from, and whom to tell when it is no newcomer any more."""
        super().__init__(inner, on_gone)
        self.address = address
        #: The link on which a link's own address is meant.
        self.interface = interface

    def admit(self) -> None:
        """Step aside: a good token was shown."""
        if self._transport is not None:
            self._transport.set_protocol(self._inner)
        self._on_gone()
