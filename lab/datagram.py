"""A UDP service that answers each datagram by itself."""

import asyncio
from collections.abc import Callable
from typing import cast


class Responder(asyncio.DatagramProtocol):
    """Sends back what the function makes of a datagram; None is no answer."""

    def __init__(self, respond: Callable[[bytes], bytes | None]) -> None:
        self._respond = respond

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer through."""
        # Python 3.11's class for it does not say that it is one.
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer at once."""
        if (answer := self._respond(data)) is not None:
            self._transport.sendto(answer, addr)


async def start(address: str, port: int, respond: Callable[[bytes], bytes | None]) -> None:
    """Serve on the address until the event loop ends."""
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: Responder(respond), local_addr=(address, port))
