"""What websocket commands have in common: how numbers are asked for, and how a command answers once."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

import voluptuous as vol
from homeassistant.components import websocket_api
from homeassistant.components.websocket_api import ActiveConnection, const
from homeassistant.core import HomeAssistant

from .bpf.hearthwall_sensor.protocol import SensorError
from .errors import order_error


def between(least: float, most: float | None = None, kind: type[int | float] = int) -> vol.All:
    """Return what checks a number: truth is none, and neither is text that can be read as one, such as `inf`."""

    def number(value: Any) -> Any:
        if type(value) is kind or (kind is float and type(value) is int):
            return value
        raise vol.Invalid("it is no such number")

    return vol.All(number, vol.Range(min=least, max=most))


def answering(
    ask: Callable[[HomeAssistant, dict[str, Any]], Awaitable[dict[str, Any]]],
) -> const.WebSocketCommandHandler:
    """Return the handler that answers with what `ask` returns; the sensor's errors come in words."""

    @websocket_api.async_response
    @wraps(ask)
    async def respond(
        hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]
    ) -> None:
        try:
            answer = await ask(hass, message)
        except SensorError as error:
            raise order_error(error) from error
        connection.send_result(message["id"], answer)

    return respond
