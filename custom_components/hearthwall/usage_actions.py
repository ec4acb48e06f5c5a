"""The action that sums what devices have moved: by device, far end, application, country or network."""

import operator
from typing import Any, Final

import voluptuous as vol
from homeassistant.core import ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.helpers import config_validation as cv

from .action import GATEWAY_FIELD, Action
from .asked import asked_gateways, gateway_fields, shown_device
from .bpf.hearthwall_sensor.requests import MAX_FLOWS, GetUsage
from .bpf.hearthwall_sensor.usage import DIMENSIONS, UsageReport
from .hub import Hub
from .moments import MOMENT, epoch

_BY: Final = "by"
_SINCE: Final = "since"
_LIMIT: Final = "limit"
_DEFAULT_LIMIT: Final = 100
_COUNTED: Final = ("upload_bytes", "download_bytes", "flows")


async def _async_get_usage(call: ServiceCall) -> ServiceResponse:
    """Return the sums, those with the most bytes first; the totals hold what the limit left out."""
    by, limit = call.data[_BY], call.data[_LIMIT]
    since = epoch(call.data[_SINCE]) if _SINCE in call.data else None
    rows: list[Any] = []
    totals: dict[str, Any] = dict.fromkeys(_COUNTED, 0)
    for asked in asked_gateways(call):
        macs = tuple(sorted(asked.macs or ()))
        request = GetUsage(by=tuple(by), devices=macs, since=since, limit=limit)
        wire = await asked.hub.call(request)
        # Thousands of rows take a small computer a while, in which Home Assistant would stand still.
        report = await call.hass.async_add_executor_job(UsageReport.from_wire, wire)
        rows += [_row(asked.hub, by, each.to_wire()) for each in report.rows]
        for name in _COUNTED:
            totals[name] += getattr(report, name)
    rows.sort(key=_moved, reverse=True)
    return {"usage": rows[:limit]} | totals


def _moved(row: dict[str, Any]) -> int:
    """Return how many bytes a row has."""
    return sum(operator.itemgetter("upload_bytes", "download_bytes")(row))


def _row(hub: Hub, by: list[str], wire: dict[str, Any]) -> dict[str, Any]:
    """Return a sum as the action answers it: by what was asked for, and whose it is."""
    row = {name: wire[name] for name in (*by, *_COUNTED)} | gateway_fields(hub)
    if "mac" not in by:
        return row
    mac = wire["mac"]
    name, device_id = (None, None) if mac is None else shown_device(hub, mac, hub.devices.get(mac))
    return row | {"device_name": name, "device_id": device_id}


USAGE_ACTIONS: Final = (
    Action(
        name="get_usage",
        handle=_async_get_usage,
        schema=vol.Schema(
            {
                **cv.TARGET_SERVICE_FIELDS,
                **GATEWAY_FIELD,
                vol.Optional(_BY, default=["mac"]): vol.All(
                    cv.ensure_list, [vol.In(DIMENSIONS)], vol.Length(min=1), vol.Unique()
                ),
                vol.Optional(_SINCE): MOMENT,
                vol.Optional(_LIMIT, default=_DEFAULT_LIMIT): vol.All(
                    vol.Coerce(int), vol.Range(min=1, max=MAX_FLOWS)
                ),
            }
        ),
        response=SupportsResponse.ONLY,
        admin=True,
    ),
)
