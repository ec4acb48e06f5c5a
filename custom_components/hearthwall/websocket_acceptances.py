"""The websocket commands for what was accepted: which events, and the way back from a card's own order."""

from typing import Any

import voluptuous as vol
from homeassistant.components import websocket_api
from homeassistant.core import HomeAssistant

from .bpf.hearthwall_sensor.habits import Acceptance
from .bpf.hearthwall_sensor.protocol import SensorError
from .bpf.hearthwall_sensor.requests import GetAccepted, RevokeAccepted
from .gateways import async_asked_hubs, async_hub
from .hub import Hub
from .websocket_answer import answering, between

_NUMBER = between(1)


@websocket_api.websocket_command(
    {vol.Required("type"): "hearthwall/accepted", vol.Optional("entry_id"): str}
)
@websocket_api.require_admin
@answering
async def tell_accepted(hass: HomeAssistant, message: dict[str, Any]) -> dict[str, Any]:
    """Answer with the events that were accepted, of each gateway that answers."""
    told, failed = [], None
    for hub in async_asked_hubs(hass, message.get("entry_id")):
        try:
            told += [
                {"entry_id": hub.entry.entry_id, "seq": each.seq} for each in await _accepted(hub)
            ]
        except SensorError as error:
            failed = error  # the others are told all the same
    if failed is not None and not told:
        raise failed
    return {"accepted": told}


async def _accepted(hub: Hub) -> list[Acceptance]:
    """Return what was accepted on a gateway; raises SensorError."""
    return [Acceptance.from_wire(each) for each in await hub.call(GetAccepted())]


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
        ids = [each.id for each in await _accepted(hub) if each.seq == message.get("seq")]
    if not ids:
        raise SensorError("not_found", "This event is not accepted.")
    return {"revoked": [await hub.call(RevokeAccepted(each)) for each in ids]}
