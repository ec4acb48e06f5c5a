"""Speaks with Home Assistant as its own frontend does: over REST and its websocket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

from demo.errors import DemoError

TIMEOUT: Final = aiohttp.ClientTimeout(total=60)


class Api:
    """A session with one Home Assistant; most of it needs `authorise` first."""

    def __init__(self, url: str) -> None:
        self.url = url
        #: Who asks, in the words of OAuth: a page at this address.
        self.client_id = f"{url}/"
        self._session = aiohttp.ClientSession(timeout=TIMEOUT)
        self._websocket: aiohttp.ClientWebSocketResponse | None = None
        self._token = ""
        self._id = 0

    async def __aenter__(self) -> Self:
        """Begin."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close what is open."""
        if self._websocket is not None:
            await self._websocket.close()
        await self._session.close()

    async def answers(self) -> bool:
        """Tell whether anything is served yet. This path needs no log-in, before or after onboarding."""
        try:
            async with self._session.get(f"{self.url}/manifest.json") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    async def authorise(self, code: str) -> None:
        """Turn the code that a log-in gives into the right to ask, and open the websocket."""
        form = {"grant_type": "authorization_code", "code": code, "client_id": self.client_id}
        async with self._session.post(f"{self.url}/auth/token", data=form) as response:
            self._token = (await self._read(response))["access_token"]
        self._websocket = await self._open_websocket()

    async def _open_websocket(self) -> aiohttp.ClientWebSocketResponse:
        """Open a websocket and log in on it."""
        websocket = await self._session.ws_connect(f"{self.url}/api/websocket")
        await websocket.receive_json()
        await websocket.send_json({"type": "auth", "access_token": self._token})
        if (answer := await websocket.receive_json())["type"] != "auth_ok":
            raise DemoError(f"Home Assistant does not accept its own token: {answer}.")
        return websocket

    async def renew(self) -> None:
        """Open the websocket anew: Home Assistant lets go of one that nobody has read from for a minute."""
        if self._websocket is not None:
            await self._websocket.close()
        self._websocket = await self._open_websocket()

    @asynccontextmanager
    async def events(self, kind: str, **fields: Any) -> AsyncIterator[AsyncIterator[Any]]:
        """Subscribe on a websocket of its own, and hand out what comes."""
        websocket = await self._open_websocket()
        try:
            await websocket.send_json({"id": 1, "type": kind, **fields})
            if not (answer := await websocket.receive_json())["success"]:
                raise DemoError(f"Home Assistant refused {kind}: {answer['error']['message']}.")

            async def incoming() -> AsyncIterator[Any]:
                async for message in websocket:
                    yield message.json()["event"]

            yield incoming()
        finally:
            await websocket.close()

    async def get(self, path: str) -> Any:
        """Fetch a resource."""
        async with self._session.get(f"{self.url}{path}", headers=self._headers) as response:
            return await self._read(response)

    async def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send something and return the answer."""
        async with self._session.post(
            f"{self.url}{path}", json=body or {}, headers=self._headers
        ) as response:
            return await self._read(response)

    async def text(self, path: str) -> str:
        """Fetch a page or a script."""
        async with self._session.get(f"{self.url}{path}") as response:
            if not response.ok:
                raise DemoError(f"Home Assistant answered {response.status} to {path}.")
            return await response.text()

    async def delete(self, path: str) -> None:
        """Remove a resource."""
        async with self._session.delete(f"{self.url}{path}", headers=self._headers) as response:
            await self._read(response)

    async def command(self, kind: str, **fields: Any) -> Any:
        """Send a websocket command and return its result; no event is subscribed to, so none comes between."""
        if self._websocket is None:
            raise DemoError("Home Assistant's websocket is not open.")
        self._id += 1
        await self._websocket.send_json({"id": self._id, "type": kind, **fields})
        async with asyncio.timeout(TIMEOUT.total):
            answer = await self._websocket.receive_json()
        if not answer["success"]:
            raise DemoError(f"Home Assistant refused {kind}: {answer['error']['message']}.")
        return answer["result"]

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    async def _read(self, response: aiohttp.ClientResponse) -> Any:
        if not response.ok:
            raise DemoError(
                f"Home Assistant answered {response.status} to {response.url.path}:"
                f" {(await response.text())[:200]}"
            )
        return await response.json()
