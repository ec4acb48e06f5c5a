"""The live view: what each device moves, told to cards as the sensor sees it, past the recorder."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final

import voluptuous as vol
from homeassistant.components import websocket_api
from homeassistant.components.websocket_api import ActiveConnection
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import service
from homeassistant.util.hass_dict import HassKey

from .bpf.hearthwall_sensor.protocol import (
    DEFAULT_INTERVAL,
    MAX_INTERVAL,
    MIN_INTERVAL,
    Delta,
    Device,
    SensorError,
)
from .connection import connected
from .const import DOMAIN

RETRY: Final = 2.0
#: The open dashboards of a large household; more can only be a card gone wild.
MAX_SUBSCRIPTIONS: Final = 32

_VIEWS: HassKey[set[asyncio.Task[None]]] = HassKey("hearthwall_live_views")


@callback
def async_setup_websocket_api(hass: HomeAssistant) -> None:
    """Register the command."""
    hass.data[_VIEWS] = set()
    websocket_api.async_register_command(hass, subscribe_devices)


@websocket_api.websocket_command(
    {
        vol.Required("type"): "hearthwall/subscribe_devices",
        vol.Optional("entry_id"): str,
        vol.Optional("interval", default=DEFAULT_INTERVAL): vol.All(
            vol.Coerce(float), vol.Range(min=MIN_INTERVAL, max=MAX_INTERVAL)
        ),
    }
)
@callback
def subscribe_devices(
    hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]
) -> None:
    """Send a `snapshot` event, then a `delta` for each change, and `lost` when the sensor is gone.

    After a loss a new snapshot comes as soon as there is a sensor again.
    """
    entry = service.async_get_config_entry(hass, DOMAIN, message.get("entry_id"))
    views = hass.data[_VIEWS]
    if len(views) >= MAX_SUBSCRIPTIONS:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="too_many_live_views",
            translation_placeholders={"limit": str(MAX_SUBSCRIPTIONS)},
        )

    def send(event: dict[str, Any]) -> None:
        """Pass an event on; Home Assistant drops a browser that does not keep up."""
        connection.send_event(message["id"], event)

    connection.send_result(message["id"])
    view = hass.async_create_background_task(
        _stream(hass, entry.entry_id, message["interval"], send), name="hearthwall live view"
    )
    views.add(view)
    view.add_done_callback(views.discard)
    connection.subscriptions[message["id"]] = view.cancel


async def _stream(
    hass: HomeAssistant, entry_id: str, interval: float, send: Callable[[dict[str, Any]], None]
) -> None:
    """Send what a gateway's sensor tells, over a connection of its own with its own interval."""

    def send_delta(delta: Delta) -> None:
        """Pass on what changed of the devices."""
        if delta.devices or delta.removed_devices:
            removed = list(delta.removed_devices)
            send({"type": "delta", "devices": _rows(delta.devices), "removed": removed})

    while (entry := hass.config_entries.async_get_entry(entry_id)) is not None:
        try:
            async with connected(hass, entry.data) as client:
                snapshot = await client.subscribe(send_delta, interval)
                send({"type": "snapshot", "devices": _rows(snapshot.devices)})
                try:
                    await client.wait_closed()
                finally:
                    send({"type": "lost"})
        except SensorError:
            # The hub tells the user; a card waits for the next snapshot.
            pass
        await asyncio.sleep(RETRY)


def _rows(devices: Iterable[Device]) -> list[dict[str, Any]]:
    """Return what a live card shows of devices."""
    return [
        {
            "mac": device.mac,
            "upload_bytes": device.upload_bytes,
            "download_bytes": device.download_bytes,
            "upload_rate": device.upload_rate,
            "download_rate": device.download_rate,
            "last_seen": device.last_seen,
            "rule": None if device.rule is None else device.rule.to_wire(),
        }
        for device in devices
    ]
