"""The websocket commands that tell of events: what happened and happens, and what can be done about one."""

from collections.abc import Collection
from typing import Any, Final

import voluptuous as vol
from homeassistant.components import websocket_api
from homeassistant.components.websocket_api import ActiveConnection
from homeassistant.core import HomeAssistant, callback

from .bpf.hearthwall_sensor.kinds import SEVERITIES
from .bpf.hearthwall_sensor.protocol import Event, SensorError
from .bpf.hearthwall_sensor.requests import MAX_EVENTS, GetEvent
from .bpf.hearthwall_sensor.targets import PROCESS_KINDS, parse_target
from .gateways import async_guarded, async_hub, async_require_entry
from .live import async_open
from .live_events import EventsView, event_row
from .websocket_answer import answering, between

_DEFAULT_LIMIT: Final = 50


@websocket_api.websocket_command(
    {
        vol.Required("type"): "hearthwall/subscribe_events",
        vol.Optional("entry_id"): str,
        vol.Optional("device_id"): str,
        vol.Optional("severity", default=SEVERITIES[0]): vol.In(SEVERITIES),
        vol.Optional("limit", default=_DEFAULT_LIMIT): between(1, MAX_EVENTS),
    }
)
@websocket_api.require_admin
@callback
def subscribe_events(
    hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]
) -> None:
    """Send the newest events of each gateway, the oldest first, and then each that happens."""
    entry_id, device_id = message.get("entry_id"), message.get("device_id")
    async_require_entry(hass, entry_id)
    if device_id is not None:
        async_guarded(hass, device_id)
    view = EventsView(hass, connection, message)
    async_open(hass, connection, message["id"], lambda: view.async_follow(entry_id))


@websocket_api.websocket_command(
    {
        vol.Required("type"): "hearthwall/event",
        vol.Required("entry_id"): str,
        vol.Required("seq"): between(1),
    }
)
@websocket_api.require_admin
@answering
async def tell_event(hass: HomeAssistant, message: dict[str, Any]) -> dict[str, Any]:
    """Answer with an event as it stands now, and whom an order may cut off for it."""
    hub = async_hub(hass, message["entry_id"])
    wire: Any = await hub.call(GetEvent(message["seq"]))
    event, peer = Event.from_wire(wire), wire.get("blockable_peer")
    return {
        "event": event_row(hub, event),
        "culprit": _target(event.culprit, ("mac",)),
        "program": _target(event.culprit, PROCESS_KINDS),
        "blockable_peer": peer if isinstance(peer, str) else None,
        "has_ended": wire.get("has_ended") is True,
    }


def _target(culprit: str | None, kinds: Collection[str]) -> str | None:
    """Return who did it as a rule names it, if that is of one of these kinds."""
    try:
        target = None if culprit is None else parse_target(culprit)
    except SensorError:
        return None
    return None if target is None or target.kind not in kinds else target.value
