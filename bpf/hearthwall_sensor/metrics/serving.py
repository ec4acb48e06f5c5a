"""Answers GET /metrics, wherever the sensor listens; who may ask was seen to before."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from aiohttp import web

from ..protocol import SensorError

#: Answers that are on their way at once: each may have to wait for a slow reader.
_MOST_AT_ONCE: Final = 8
#: Seconds that a reader may take.
_PATIENCE: Final = 10.0
#: What an error of ours is in HTTP.
_STATUSES: Final = {"missing_capability": 501}


class Text(NamedTuple):
    """The metrics as they were written."""

    content_type: str
    body: bytes
    written: float
    """By the monotonic clock."""


class Serving:
    """Answers whoever scrapes, a few at once."""

    def __init__(self) -> None:
        """Have nothing to tell yet."""
        #: Writes the metrics as an Accept asks for them, once the sensor has something to tell; raises SensorError.
        self.write: Callable[[str], Awaitable[Text]] | None = None
        self._answering = 0

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        if request.method not in ("GET", "HEAD"):
            return _refusal(405, "only GET is answered here")
        if self.write is None or self._answering >= _MOST_AT_ONCE:
            return _refusal(503, "try again in a moment")
        self._answering += 1
        try:
            return await self._answer(request, self.write)
        finally:
            self._answering -= 1

    async def _answer(
        self, request: web.BaseRequest, write: Callable[[str], Awaitable[Text]]
    ) -> web.StreamResponse:
        """Write the metrics, but not for ever."""
        try:
            text = await write(request.headers.get("Accept", ""))
        except SensorError as error:
            return _refusal(_STATUSES.get(error.code, 500), error.message)
        response = web.Response(body=text.body, headers={"Content-Type": text.content_type})
        response.headers["Server"] = "sensor"
        response.force_close()
        try:
            async with asyncio.timeout(_PATIENCE):
                await response.prepare(request)
                await response.write_eof()
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()
        return response


def _refusal(status: int, why: str) -> web.Response:
    """Return an answer that says why there is none."""
    response = web.Response(status=status, text=f"{why}\n", headers={"Server": "sensor"})
    response.force_close()
    return response
