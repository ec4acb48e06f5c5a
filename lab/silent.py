"""An address of ill repute: takes connections on the web's ports and says nothing."""

import asyncio
from typing import Final

from lab import home

IDLE_SECONDS: Final = 120.0


async def _swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while await asyncio.wait_for(reader.read(65536), IDLE_SECONDS):
            pass
    except OSError:
        return
    finally:
        writer.close()


async def start(address: str) -> None:
    """Serve on both ports."""
    for port in (home.HTTP_PORT, home.HTTPS_PORT):
        await asyncio.start_server(_swallow, address, port)
