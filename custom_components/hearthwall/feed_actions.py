"""Actions on feeds: lists of known-bad addresses and domains that a gateway follows."""

import typing
from typing import Any, Final

import voluptuous as vol
from homeassistant.core import ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.helpers import config_validation as cv

from .action import GATEWAY_FIELD, Action, named_hub
from .bpf.hearthwall_sensor.protocol import Feed, FeedAction
from .bpf.hearthwall_sensor.requests import AddFeed, GetFeeds, RefreshFeed, RemoveFeed, Request
from .durations import DURATION, seconds

_NAME: Final = "name"
_NAMED_FEED: Final = vol.Schema({**GATEWAY_FIELD, vol.Required(_NAME): cv.string})

#: Everything that can be said of a feed, named as in the sensor's orders.
FEED_FIELDS: Final[dict[Any, Any]] = {
    vol.Required(_NAME): cv.string,
    vol.Required("source"): cv.string,
    vol.Optional("format"): cv.string,
    vol.Optional("action"): vol.In(typing.get_args(FeedAction)),
    vol.Optional("interval"): DURATION,
    vol.Optional("header_file"): cv.string,
}


async def _async_get_feeds(call: ServiceCall) -> ServiceResponse:
    """Return every feed, with what it hit."""
    feeds = await named_hub(call).call(GetFeeds())
    return {"feeds": [Feed.from_wire(each).to_wire() for each in feeds]}


async def _async_add_feed(call: ServiceCall) -> ServiceResponse:
    """Follow a list, or change how it is followed."""
    said = {name: call.data[name] for name in map(str, FEED_FIELDS) if name in call.data}
    if "interval" in said:
        said["interval"] = seconds(said["interval"])
    return await _changed(call, AddFeed(**said))


async def _async_remove_feed(call: ServiceCall) -> ServiceResponse:
    """Follow a list no more, and forget what stood in it."""
    return await _changed(call, RemoveFeed(call.data[_NAME]))


async def _async_refresh_feed(call: ServiceCall) -> ServiceResponse:
    """Read a list anew, now."""
    return await _changed(call, RefreshFeed(call.data[_NAME]))


async def _changed(call: ServiceCall, request: Request) -> ServiceResponse:
    """Send a request and return the feed that it was about."""
    return {"feeds": [Feed.from_wire(await named_hub(call).call(request)).to_wire()]}


FEED_ACTIONS: Final = (
    Action(
        name="get_feeds",
        handle=_async_get_feeds,
        schema=vol.Schema(GATEWAY_FIELD),
        response=SupportsResponse.ONLY,
    ),
    Action(
        name="add_feed",
        handle=_async_add_feed,
        schema=vol.Schema({**GATEWAY_FIELD, **FEED_FIELDS}),
        admin=True,
    ),
    Action(name="remove_feed", handle=_async_remove_feed, schema=_NAMED_FEED, admin=True),
    Action(name="refresh_feed", handle=_async_refresh_feed, schema=_NAMED_FEED, admin=True),
)
