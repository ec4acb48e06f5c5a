"""Fetches a description from where its maker publishes it: over https, and from inside the home only if asked."""

import asyncio
import ipaddress
from collections.abc import Iterable
from typing import Any, Final

from ..feeds import fetch, source
from ..protocol import SensorError
from . import reading

#: A file of some kilobytes that takes longer is not waited for.
_SECONDS: Final = 20.0


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
    try:
        found = await asyncio.to_thread(fetch.fetch, url, None, {}, _SECONDS, may_reach)
    except SensorError as error:
        raise SensorError("invalid_mud", f"{url}: {error.message}") from error
    return reading.load(b"" if found is None else found.body.read(reading.MAX_BYTES + 1))
