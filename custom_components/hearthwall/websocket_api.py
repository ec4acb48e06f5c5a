"""The commands that cards speak with Home Assistant: registered here, and the one for live figures."""

from typing import Any

import voluptuous as vol
from homeassistant.components import websocket_api
from homeassistant.components.websocket_api import ActiveConnection
from homeassistant.core import HomeAssistant, callback

from .bpf.hearthwall_sensor.protocol import DEFAULT_INTERVAL, MAX_INTERVAL, MIN_INTERVAL
from .gateways import async_require_entry
from .live import View, async_open
from .websocket_acceptances import revoke, tell_accepted
from .websocket_answer import between
from .websocket_events import subscribe_events, tell_event
from .websocket_gateway import tell_gateway
from .websocket_traffic import tell_device, tell_usage


@callback
def async_setup_websocket_api(hass: HomeAssistant) -> None:
    """Register the commands."""
    for command in (
        subscribe_devices,
        subscribe_events,
        tell_event,
        tell_usage,
        tell_device,
        tell_gateway,
        revoke,
        tell_accepted,
    ):
        websocket_api.async_register_command(hass, command)


@websocket_api.websocket_command(
    {
        vol.Required("type"): "hearthwall/subscribe_devices",
        vol.Optional("entry_id"): str,
        vol.Optional("interval", default=DEFAULT_INTERVAL): between(
            MIN_INTERVAL, MAX_INTERVAL, float
        ),
    }
)
@callback
def subscribe_devices(
    hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]
) -> None:
    """Send of each gateway a `snapshot`, then a `delta` for each change, and `lost` when its sensor is gone.

    Every two seconds in which the sensor answers there is an `alive`, also where nothing changes.
    After a loss a new snapshot comes as soon as there is a sensor again.
    """
    entry_id = message.get("entry_id")
    async_require_entry(hass, entry_id)
    view = View(hass, connection, message["id"], message["interval"])
    async_open(hass, connection, message["id"], lambda: view.async_follow(entry_id))
