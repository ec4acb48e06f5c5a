"""The websocket commands that tell of traffic: how much moved between whom, and all there is on one device."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

import voluptuous as vol
from homeassistant.components import websocket_api
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .asked import shown_device
from .bpf.hearthwall_sensor.habits import ProfileReport
from .bpf.hearthwall_sensor.protocol import SensorError
from .bpf.hearthwall_sensor.requests import MAX_FLOWS, GetProfile, GetUsage
from .bpf.hearthwall_sensor.targets import MAX_DURATION
from .bpf.hearthwall_sensor.usage import DIMENSIONS, UsageReport, UsageRow
from .gateways import async_asked_hubs, async_guarded
from .hub import Hub
from .websocket_answer import answering, between

_DEFAULT_LIMIT: Final = 100
_COUNTED: Final = ("upload_bytes", "download_bytes", "flows")


@websocket_api.websocket_command(
    {
        vol.Required("type"): "hearthwall/usage",
        vol.Optional("entry_id"): str,
        vol.Required("by"): vol.All([vol.In(DIMENSIONS)], vol.Length(min=1), vol.Unique()),
        vol.Optional("device_id"): str,
        vol.Optional("since"): between(0, MAX_DURATION, float),
        vol.Optional("limit", default=_DEFAULT_LIMIT): between(1, MAX_FLOWS),
    }
)
@websocket_api.require_admin
@answering
async def tell_usage(hass: HomeAssistant, message: dict[str, Any]) -> dict[str, Any]:
    """Answer with the sums of the flows, those with the most bytes first; the totals hold what the limit cut off."""
    asked: list[tuple[Hub, tuple[str, ...]]]
    if "device_id" in message:
        hub, mac = async_guarded(hass, message["device_id"])
        asked = [(hub, (mac,))]
    else:
        asked = [(hub, ()) for hub in async_asked_hubs(hass, message.get("entry_id"))]
    since = dt_util.utcnow().timestamp() - message["since"] if "since" in message else None
    by, limit = tuple(message["by"]), message["limit"]
    told: list[tuple[Hub, UsageReport]] = []
    failed: SensorError | None = None
    for hub, macs in asked:
        request = GetUsage(by=by, devices=macs, since=since, limit=limit)
        try:
            wire = await hub.call(request)
        except SensorError as error:
            failed = error  # the others are told all the same
        else:
            # Thousands of rows take a small computer a while, in which Home Assistant would stand still.
            report = await hass.async_add_executor_job(UsageReport.from_wire, wire)
            told.append((hub, report))
    if failed is not None and not told:
        raise failed
    return {
        "rows": _joined(by, told)[:limit],
        **{name: sum(getattr(report, name) for _, report in told) for name in _COUNTED},
    }


def _joined(by: tuple[str, ...], told: Iterable[tuple[Hub, UsageReport]]) -> list[dict[str, Any]]:
    """Return the rows of all gateways, what is alike as one; devices are each gateway's own."""
    rows: defaultdict[tuple[Any, ...], dict[str, Any]] = defaultdict(dict)
    for hub, report in told:
        for row in report.rows:
            found = {name: getattr(row, name) for name in by}
            whose = hub.entry.entry_id if "mac" in by else None
            joined = rows[(whose, *found.values())]
            for name in _COUNTED:
                found[name] = joined.get(name, 0) + getattr(row, name)
            joined |= found | (_device_fields(hub, row) if "mac" in by else {})
    return sorted(rows.values(), key=lambda row: -(row["upload_bytes"] + row["download_bytes"]))


def _device_fields(hub: Hub, row: UsageRow) -> dict[str, Any]:
    """Return the device that a row is of, as the user knows it."""
    if row.mac is None:
        return {"device_id": None, "name": None}
    name, device_id = shown_device(hub, row.mac, hub.devices.get(row.mac))
    return {"device_id": device_id, "name": name}


@websocket_api.websocket_command(
    {vol.Required("type"): "hearthwall/device", vol.Required("device_id"): str}
)
@websocket_api.require_admin
@answering
async def tell_device(hass: HomeAssistant, message: dict[str, Any]) -> dict[str, Any]:
    """Answer with what was learnt of a device, the rules on it and what was accepted of it."""
    hub, mac = async_guarded(hass, message["device_id"])
    device = hub.devices.get(mac)
    targets = {mac, *(() if device is None else device.addresses)}
    blocks = [block.to_wire() for block in await hub.read_blocks() if block.target in targets]
    profile = await _profile(hub, mac)
    return {
        "entry_id": hub.entry.entry_id,
        "mac": mac,
        "profile": None if profile is None else profile.to_wire(),
        "blocks": blocks,
        "accepted": [] if profile is None else [each.to_wire() for each in profile.accepted],
    }


async def _profile(hub: Hub, mac: str) -> ProfileReport | None:
    """Return what was learnt of a device, None if the sensor does not know it any more."""
    try:
        return ProfileReport.from_wire(await hub.call(GetProfile(mac)))
    except SensorError as error:
        if error.code != "not_found":
            raise
        return None
