"""Fetches a description from where its maker publishes it: over https, and from inside the home only if asked."""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from urllib.parse import urlsplit

from ..feeds import fetch, source
from ..protocol import SensorError
from . import reading

#: A name, then a file of some kilobytes, that take longer are not waited for: whoever ordered it waits for 10 s.
_NAME_SECONDS: Final = 4.0
_SECONDS: Final = 5.0


async def fetched(url: str, *, inside: bool, home: Iterable[str] = ()) -> Any:
    """Return the JSON at an address; inside says whether it may be in the home. Raises SensorError `invalid_mud`.

    home names the home's prefixes: its addresses of IPv6 are such as the internet has.
    """
    reading.check_url(url)
    prefixes = [ipaddress.ip_network(each, strict=False) for each in home]

    def is_elsewhere(address: str) -> bool:
        return source.is_outside(address) and not any(
            ipaddress.ip_address(address) in each for each in prefixes
        )

    may_reach = None if inside else is_elsewhere
    await _look_up(urlsplit(url).hostname or "")
    try:
        found = await asyncio.to_thread(fetch.fetch, url, None, {}, _SECONDS, may_reach)
    except SensorError as error:
        raise SensorError("invalid_mud", f"{url}: {error.message}") from error
    return reading.load(b"" if found is None else found.body.read(reading.MAX_BYTES + 1))


async def _look_up(host: str) -> None:
    """Raise SensorError `invalid_mud` for a name that can't be looked up in time."""
    loop = asyncio.get_running_loop()
    # A look-up can't be ended: one that hangs must take no thread from who writes to disk
    own = ThreadPoolExecutor(1, "look up")
    try:
        async with asyncio.timeout(_NAME_SECONDS):
            await loop.run_in_executor(own, socket.getaddrinfo, host, None)
    except (OSError, UnicodeError) as error:
        why = (
            "no DNS server answers" if isinstance(error, TimeoutError) else "there is no such name"
        )
        raise SensorError("invalid_mud", f"{host[:80]} can't be looked up: {why}") from error
    finally:
        own.shutdown(wait=False)
