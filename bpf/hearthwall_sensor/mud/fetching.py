"""Fetches a description from where its maker publishes it: over https, and from inside the home only if asked."""

import asyncio
from typing import Any, Final

from ..feeds import fetch, source
from ..protocol import SensorError
from . import reading

#: A file of some kilobytes that takes longer is not waited for.
_SECONDS: Final = 20.0


async def fetched(url: str, *, inside: bool) -> Any:
    """Return the JSON at an address; inside says whether it may be in the home. Raises SensorError `invalid_mud`."""
    reading.check_url(url)
    if not inside and source.is_inside(source.parse_url(url)):
        raise SensorError("invalid_mud", f"{url} is in this home, which is refused")
    try:
        found = await asyncio.to_thread(fetch.fetch, url, None, {}, _SECONDS)
    except SensorError as error:
        raise SensorError("invalid_mud", f"{url}: {error.message}") from error
    return reading.load(b"" if found is None else found.body.read(reading.MAX_BYTES + 1))
