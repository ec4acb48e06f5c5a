"""Actions that read what a home holds: its devices, and who talks to whom."""

import ipaddress
import operator
from typing import Any, Final, Literal, get_args

import voluptuous as vol
from homeassistant.core import ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv

from .action import GATEWAY_FIELD, Action, require_admin
from .asked import (
    TARGETS,
    Asked,
    asked_gateways,
    async_read,
    device_namer,
    gateway_fields,
    shown_device,
)
from .bpf.hearthwall_sensor.protocol import Device, Flow, SensorError
from .bpf.hearthwall_sensor.requests import MAX_FLOWS, GetDevices, GetFlows
from .bpf.hearthwall_sensor.targets import parse_domain
from .const import DOMAIN
from .hub import Hub
from .moments import MOMENT, epoch
from .programs import about_processes, executable_paths

_PEER: Final = "peer"
_SINCE: Final = "since"
_LIMIT: Final = "limit"
_OF: Final = "of"
_PROCESS: Final = "process"

type Whose = Literal["all", "devices", "processes"]

_DEFAULT_FLOWS: Final = 100


async def _async_get_devices(call: ServiceCall) -> ServiceResponse:
    """Return devices, those that were seen last at the head."""
    if _PEER in call.data:
        await require_admin(call)  # it tells what get_flows tells
    since = _since(call)
    rows = []
    for asked in asked_gateways(call):
        found = await _talkers(asked, call) if _PEER in call.data else asked
        for wire in await found.hub.call(GetDevices()):
            device = Device.from_wire(wire)
            if found.takes(device.mac) and (since is None or device.last_seen >= since):
                rows.append(_device_row(found.hub, device))
    return {"devices": _newest(rows, call.data.get(_LIMIT))}


async def _async_get_flows(call: ServiceCall) -> ServiceResponse:
    """Return flows, those that moved last at the head."""
    rows = []
    for asked in asked_gateways(call):
        async with about_processes(asked.hub):
            flows = await _flows(asked, call, call.data[_LIMIT], call.data[_OF])
        name = device_namer(asked.hub)
        rows += [
            flow | gateway_fields(asked.hub) | name(flow["mac"], flow["process"]) for flow in flows
        ]
    return {"flows": _newest(rows, call.data[_LIMIT])}


# What is asked


async def _flows(
    asked: Asked, call: ServiceCall, limit: int, of: Whose = "all"
) -> list[dict[str, Any]]:
    """Return the flows of one gateway that a call is about, each as a plain dict."""
    request = GetFlows(
        devices=tuple(sorted(asked.macs or ())),
        peer=_peer(call),
        since=_since(call),
        limit=limit,
        process=executable_paths(call.data[_PROCESS])[-1] if _PROCESS in call.data else None,
        of=of,
    )
    return await async_read(call.hass, Flow, await asked.hub.call(request))


async def _talkers(asked: Asked, call: ServiceCall) -> Asked:
    """Return who of those that are asked for talked to the peer that a call names."""
    try:
        flows = await _flows(asked, call, MAX_FLOWS, "devices")
    except SensorError as error:
        if error.code != "invalid_message":
            raise
        # An older sensor has no such field, and tells of devices only
        flows = await _flows(asked, call, MAX_FLOWS)
    return Asked(asked.hub, frozenset(asked.hub.primary(flow["mac"]) for flow in flows))


def _since(call: ServiceCall) -> float | None:
    """Return the moment that a call names, in seconds since the epoch."""
    return epoch(call.data[_SINCE]) if _SINCE in call.data else None


def _peer(call: ServiceCall) -> str | None:
    """Return the peer that a call names, as the sensor writes it."""
    if _PEER not in call.data:
        return None
    text = call.data[_PEER].strip()
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return _domain(text)
    single = network.prefixlen == network.max_prefixlen
    return str(network.network_address if single else network)


def _domain(text: str) -> str:
    """Return a name or `*.name` as the sensor writes it."""
    try:
        return parse_domain(text)
    except SensorError as error:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="invalid_peer",
            translation_placeholders={"peer": text[:80]},
        ) from error


# What is answered


def _newest(rows: list[dict[str, Any]], limit: int | None) -> list[Any]:
    """Return what moved last first, at most so much of it."""
    return sorted(rows, key=operator.itemgetter("last_seen"), reverse=True)[:limit]


def _device_row(hub: Hub, device: Device) -> dict[str, Any]:
    """Return a device as an action answers it: `name` is what the user sees."""
    name, device_id = shown_device(hub, device.mac, device)
    upload, download = hub.today.moved_of(device)
    return (
        device.to_wire()
        | gateway_fields(hub)
        | {
            "name": name,
            "device_id": device_id,
            "upload_today": upload,
            "download_today": download,
        }
    )


_LIMITED: Final = vol.All(vol.Coerce(int), vol.Range(min=1, max=MAX_FLOWS))

#: What both actions can be asked for beside the limit.
_FILTERS: Final[dict[Any, Any]] = {
    **cv.TARGET_SERVICE_FIELDS,
    **GATEWAY_FIELD,
    vol.Optional(_PEER): cv.string,
    vol.Optional(_SINCE): MOMENT,
}


def _of_devices_or_processes(data: dict[str, Any]) -> dict[str, Any]:
    """Check that processes are not asked for along with devices: they are the gateway's."""
    of_processes = data[_OF] == "processes" or _PROCESS in data
    if of_processes and (data[_OF] == "devices" or TARGETS & data.keys()):
        raise vol.Invalid(f"processes are the gateway's own: {_PROCESS} goes with no device")
    return data


TRAFFIC_ACTIONS: Final = (
    Action(
        name="get_devices",
        handle=_async_get_devices,
        schema=vol.Schema({**_FILTERS, vol.Optional(_LIMIT): _LIMITED}),
        response=SupportsResponse.ONLY,
    ),
    Action(
        name="get_flows",
        handle=_async_get_flows,
        schema=vol.All(
            vol.Schema(
                {
                    **_FILTERS,
                    vol.Optional(_LIMIT, default=_DEFAULT_FLOWS): _LIMITED,
                    vol.Optional(_OF, default="all"): vol.In(get_args(Whose.__value__)),
                    vol.Optional(_PROCESS): cv.string,
                }
            ),
            _of_devices_or_processes,
        ),
        response=SupportsResponse.ONLY,
        admin=True,
    ),
)
