"""The action that reads a gateway's journal of events."""

from typing import Final

import voluptuous as vol
from homeassistant.core import ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.helpers import config_validation as cv

from .action import GATEWAY_FIELD, Action, named_hub

_SINCE: Final = "since"
_LIMIT: Final = "limit"
_DEFAULT_LIMIT: Final = 100
_MAX_LIMIT: Final = 1000


async def _async_get_events(call: ServiceCall) -> ServiceResponse:
    """Return the events after a number, the oldest first, or the newest ones."""
    hub = named_hub(call)
    limit = call.data[_LIMIT]
    since = call.data.get(_SINCE, max(hub.events.newest - limit, 0))
    return {"events": [event.to_wire() for event in await hub.events_since(since, limit)]}


EVENT_ACTIONS: Final = (
    Action(
        name="get_events",
        handle=_async_get_events,
        schema=vol.Schema(
            {
                **GATEWAY_FIELD,
                vol.Optional(_SINCE): cv.positive_int,
                vol.Optional(_LIMIT, default=_DEFAULT_LIMIT): vol.All(
                    vol.Coerce(int), vol.Range(min=1, max=_MAX_LIMIT)
                ),
            }
        ),
        response=SupportsResponse.ONLY,
    ),
)
