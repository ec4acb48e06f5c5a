"""Web servers: bodies of any size, uploads, paced downloads, and the UDP sink's record."""

import asyncio
import os
import ssl
import time

from aiohttp import web

from lab import home
from lab.sink import Sink

CHUNK = os.urandom(64 * 1024)
MAX_BYTES = 1 << 30
MAX_RATE = 125_000_000
MAX_SECONDS = 3600.0
#: How often a paced download sends: often enough to look steady, seldom enough to cost nothing.
PACE_INTERVAL = 0.05


def _number(text: str, name: str, highest: float) -> float:
    """Read a number from 0 to `highest`, or answer that it must be one."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= highest:
        raise web.HTTPBadRequest(text=f"{name} must be a number from 0 to {highest:g}\n")
    return value


async def _body(request: web.Request, size: int, rate: float | None) -> web.StreamResponse:
    """Send `size` bytes, as fast as they go or at a steady rate of bytes per second."""
    response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
    response.content_length = size
    await response.prepare(request)
    begin = time.monotonic()
    sent = 0
    while sent < size:
        due = (
            size
            if rate is None
            else min(size, int((time.monotonic() - begin + PACE_INTERVAL) * rate))
        )
        while sent < due:
            piece = CHUNK[: due - sent]
            await response.write(piece)
            sent += len(piece)
        if sent < size:
            await asyncio.sleep(PACE_INTERVAL)
    await response.write_eof()
    return response


async def _page(request: web.Request) -> web.Response:
    return web.Response(text=f"This is {request.host.partition(':')[0]} of the lab's internet.\n")


async def _bytes(request: web.Request) -> web.StreamResponse:
    return await _body(
        request, int(_number(request.match_info["size"], "the size", MAX_BYTES)), None
    )


async def _pace(request: web.Request) -> web.StreamResponse:
    rate = _number(request.query.get("rate", ""), "rate", MAX_RATE)
    seconds = _number(request.query.get("seconds", ""), "seconds", MAX_SECONDS)
    return await _body(request, int(rate * seconds), rate)


async def _upload(request: web.Request) -> web.Response:
    size = 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
    return web.json_response({"bytes": size})


def _sink_routes(sink: Sink) -> list[web.RouteDef]:
    async def show(request: web.Request) -> web.Response:
        return web.json_response(sink.as_dict(full=request.query.get("full") == "1"))

    async def reset(_request: web.Request) -> web.Response:
        sink.reset()
        return web.json_response({})

    return [web.get("/sink", show), web.post("/sink/reset", reset)]


async def start(sink: Sink, tls: ssl.SSLContext) -> web.AppRunner:
    """Serve HTTP and HTTPS on every address of every site that has a web server."""
    app = web.Application()
    app.add_routes(
        [
            web.get("/", _page),
            web.get("/bytes/{size}", _bytes),
            web.get("/pace", _pace),
            web.post("/upload", _upload),
        ]
    )
    app.add_routes(_sink_routes(sink))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    for site in home.SITES.values():
        if site.service == "web":
            for address in map(str, site.addresses):
                await web.TCPSite(runner, address, home.HTTP_PORT, shutdown_timeout=0.1).start()
                await web.TCPSite(
                    runner, address, home.HTTPS_PORT, shutdown_timeout=0.1, ssl_context=tls
                ).start()
    return runner
