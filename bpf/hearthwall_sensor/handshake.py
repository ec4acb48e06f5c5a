"""Opening a websocket to a sensor: what answers where it is may not send us elsewhere."""

from types import SimpleNamespace
from typing import Any

import aiohttp
from yarl import URL

from .protocol import SensorError


async def open_websocket(
    session: aiohttp.ClientSession, url: URL, **how: Any
) -> aiohttp.ClientWebSocketResponse:
    """Open a websocket over a session's connections; raises SensorError, `invalid_message` at a redirect.

    aiohttp would follow one. Whoever answers in a sensor's place could so have this host ask what only this host
    reaches, or lead it to the real sensor by an address of its own.
    """
    connector = session.connector
    if connector is None:  # closed; without one aiohttp would make its own, which leads anywhere
        raise SensorError("not_running")
    async with aiohttp.ClientSession(
        connector=connector,
        connector_owner=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        trace_configs=[_refusing_redirects()],
    ) as own:
        socket: aiohttp.ClientWebSocketResponse = await own.ws_connect(url, **how)
        return socket


def _refusing_redirects() -> aiohttp.TraceConfig:
    """Return what raises before a redirect is followed."""
    tracing = aiohttp.TraceConfig()
    tracing.on_request_redirect.append(_refuse)
    return tracing


async def _refuse(
    _session: aiohttp.ClientSession,
    _context: SimpleNamespace,
    asked: aiohttp.TraceRequestRedirectParams,
) -> None:
    """End the connection that a redirect came on."""
    asked.response.close()
    raise SensorError("invalid_message", "what answers sends us elsewhere, as no sensor does")
