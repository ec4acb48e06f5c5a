"""A browser as far as its websocket goes, and what it is told."""

import asyncio
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.hearthwall.const import DOMAIN


class Browser:
    """A browser that has a websocket to Home Assistant."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def ask(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Return the answer to a command."""
        await self._client.send_json_auto_id({"type": f"hearthwall/{kind}", **fields})
        answer: dict[str, Any] = await self._receive()
        assert answer["type"] == "result", answer
        return answer

    async def result(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Return what a command that must succeed answers."""
        answer = await self.ask(kind, **fields)
        assert answer["success"], answer
        return answer["result"] or {}

    async def subscribe(self, kind: str, **fields: Any) -> int:
        """Return the number of a subscription."""
        answer = await self.ask(kind, **fields)
        assert answer["success"], answer
        return int(answer["id"])

    async def unsubscribe(self, identity: int) -> None:
        await self._client.send_json_auto_id(
            {"type": "unsubscribe_events", "subscription": identity}
        )
        while (answer := await self._receive())["type"] != "result":
            pass
        assert answer["success"], answer

    async def next(self) -> dict[str, Any]:
        """Return the next event of any subscription."""
        message = await self._receive()
        assert message["type"] == "event", message
        event: dict[str, Any] = message["event"]
        return event

    async def until(self, **fields: Any) -> dict[str, Any]:
        """Return the first event that has these fields."""
        while True:
            event = await self.next()
            if event | fields == event:
                return event

    async def row(self, mac: str, **fields: Any) -> dict[str, Any]:
        """Return the first row of a device that has these fields."""
        while True:
            for row in (await self.next()).get("devices", []):
                if row["mac"] == mac and row | fields == row:
                    found: dict[str, Any] = row
                    return found

    async def is_told_nothing(self, seconds: float = 0.3) -> bool:
        """Tell whether nothing comes for a while."""
        try:
            async with asyncio.timeout(seconds):
                raise AssertionError(await self.next())
        except TimeoutError:
            return True

    async def close(self) -> None:
        await self._client.close()

    async def _receive(self) -> Any:
        async with asyncio.timeout(10):
            return await self._client.receive_json()


async def browser(
    hass: HomeAssistant, make: WebSocketGenerator, token: str | None = None
) -> Browser:
    """Return a browser of an administrator, or of whose token it is."""
    # The server of tests takes no more addresses, such as the cards', once it has begun.
    assert await async_setup_component(hass, DOMAIN, {})
    return Browser(await make(hass) if token is None else await make(hass, token))
