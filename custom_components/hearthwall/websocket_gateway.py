"""The websocket command that tells how a gateway's sensor fares."""

from typing import Any

import voluptuous as vol
from homeassistant.components import websocket_api
from homeassistant.core import HomeAssistant

from .bpf.hearthwall_sensor import __version__
from .bpf.hearthwall_sensor.protocol import Feed, Interface, Status
from .bpf.hearthwall_sensor.requests import GetFeeds, GetStatus
from .gateways import async_hub
from .websocket_answer import answering


@websocket_api.websocket_command(
    {vol.Required("type"): "hearthwall/gateway", vol.Required("entry_id"): str}
)
@websocket_api.require_admin
@answering
async def tell_gateway(hass: HomeAssistant, message: dict[str, Any]) -> dict[str, Any]:
    """Answer with the versions, the guarded interfaces and the feeds, as the sensor tells them now."""
    hub = async_hub(hass, message["entry_id"])
    status = Status.from_wire(await hub.call(GetStatus()))
    feeds = [Feed.from_wire(each) for each in await hub.call(GetFeeds())]
    return {
        "entry_id": hub.entry.entry_id,
        "gateway": hub.entry.title,
        "integration_version": __version__,
        "sensor_version": status.version,
        "uptime": status.uptime_s,
        "memory": status.resident_bytes,
        "lost": sum(status.lost.values()),
        "interfaces": [_interface(each) for each in status.interfaces],
        "feeds": [_feed(each) for each in feeds],
    }


def _interface(interface: Interface) -> dict[str, Any]:
    """Return an interface as a card shows it."""
    return {"name": interface.name, "role": interface.role, "xdp": interface.xdp}


def _feed(feed: Feed) -> dict[str, Any]:
    """Return a feed as a card shows it."""
    return {
        "name": feed.name,
        "action": feed.action,
        "entries": feed.addresses + feed.domains,
        "packets": feed.packets,
        "last_hit": feed.last_hit,
        "updated": feed.updated,
        "last_error": feed.last_error,
    }
