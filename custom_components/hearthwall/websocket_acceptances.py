"""The websocket command that takes back what was accepted: the way back from a card's own order."""

from typing import Any

import voluptuous as vol
from homeassistant.components import websocket_api
from homeassistant.core import HomeAssistant

from .bpf.hearthwall_sensor.habits import Acceptance
from .bpf.hearthwall_sensor.protocol import SensorError
from .bpf.hearthwall_sensor.requests import GetAccepted, RevokeAccepted
from .gateways import async_hub
from .websocket_answer import answering, between

_NUMBER = between(1)


@websocket_api.websocket_command(
    {
        vol.Required("type"): "hearthwall/revoke",
        vol.Required("entry_id"): str,
        vol.Exclusive("acceptance", "which"): _NUMBER,
        vol.Exclusive("seq", "which"): _NUMBER,
    }
)
@websocket_api.require_admin
@answering
async def revoke(hass: HomeAssistant, message: dict[str, Any]) -> dict[str, Any]:
    """Take an acceptance back, named by its id or its event's number, and answer with those that were."""
    hub = async_hub(hass, message["entry_id"])
    if "acceptance" in message:
        ids = [message["acceptance"]]
    else:
        accepted = [Acceptance.from_wire(each) for each in await hub.call(GetAccepted())]
        ids = [each.id for each in accepted if each.seq == message.get("seq")]
    if not ids:
        raise SensorError("not_found", "This event is not accepted.")
    return {"revoked": [await hub.call(RevokeAccepted(each)) for each in ids]}
