"""Actions on the gateway's own programs: cutting them off, and reading what they do on the network."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import voluptuous as vol
from homeassistant.core import ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.helpers import config_validation as cv

from .action import GATEWAY_FIELD, Action, named_hub
from .asked import asked_gateways, async_read, gateway_fields
from .bpf.hearthwall_sensor.protocol import Block, Program, SensorError
from .bpf.hearthwall_sensor.requests import MAX_FLOWS, AddBlock, GetProcesses
from .hub import Hub
from .programs import about_processes, executable_paths
from .rule_actions import rule_response
from .rule_fields import PROCESS_FIELDS, RULE_FIELDS, read_order

_PEERS: Final = "peers"
_AUDIT: Final = "audit"
_LIMIT: Final = "limit"
_DEFAULT_PROGRAMS: Final = 100

#: The fields that name processes, exactly one of which is given, and how the sensor writes what they say.
_NAMED: Final[Mapping[str, Callable[[Any], list[str]]]] = {
    "executable": lambda value: [f"exe:{path}" for path in executable_paths(value)],
    "folder": lambda value: [f"dir:{value.strip()}"],
    "pid": lambda value: [f"pid:{value}"],
}

#: What else of a rule makes sense for processes: the mode follows from `peers` and `audit`.
_TERMS: Final = frozenset({"duration", "reason", _PEERS, "confirm_within", "force"})


async def _async_block_process(call: ServiceCall) -> ServiceResponse:
    """Cut programs or a process off, or keep them to some peers."""
    hub = named_hub(call)
    (targets,) = (write(call.data[name]) for name, write in _NAMED.items() if name in call.data)
    mode = "allow_only" if call.data.get(_PEERS) else "isolate"
    terms = {"mode": "audit", "audits": mode} if call.data.get(_AUDIT) else {"mode": mode}
    orders = [read_order(call, target, **terms) for target in targets]
    async with about_processes(hub):
        return rule_response([await _first_that_is_there(hub, orders)])


async def _first_that_is_there(hub: Hub, orders: list[AddBlock]) -> Block:
    """Put the first of these rules in force whose target is there, for the sensor's eyes."""
    *others, last = orders
    for order in others:
        try:
            return await hub.block(order)
        except SensorError as error:
            if error.code != "invalid_target":
                raise
    return await hub.block(last)


async def _async_get_processes(call: ServiceCall) -> ServiceResponse:
    """Return programs, those that moved most at the head."""
    limit = call.data[_LIMIT]
    rows: list[Any] = []
    for asked in asked_gateways(call):
        programs = await async_read(
            call.hass, Program, await asked.hub.call(GetProcesses(limit=limit))
        )
        rows += [program | gateway_fields(asked.hub) for program in programs]
    rows.sort(key=lambda row: row["upload_bytes"] + row["download_bytes"], reverse=True)
    return {"processes": rows[:limit]}


PROCESS_ACTIONS: Final = (
    Action(
        name="block_process",
        orders=True,
        handle=_async_block_process,
        schema=vol.All(
            vol.Schema(
                {
                    **GATEWAY_FIELD,
                    vol.Exclusive("executable", "what"): cv.string,
                    vol.Exclusive("folder", "what"): cv.string,
                    vol.Exclusive("pid", "what"): vol.All(vol.Coerce(int), vol.Range(min=1)),
                    **{key: each for key, each in RULE_FIELDS.items() if str(key) in _TERMS},
                    **PROCESS_FIELDS,
                    vol.Optional(_AUDIT): cv.boolean,
                }
            ),
            cv.has_at_least_one_key(*_NAMED),
        ),
    ),
    Action(
        name="get_processes",
        handle=_async_get_processes,
        schema=vol.Schema(
            {
                **GATEWAY_FIELD,
                vol.Optional(_LIMIT, default=_DEFAULT_PROGRAMS): vol.All(
                    vol.Coerce(int), vol.Range(min=1, max=MAX_FLOWS)
                ),
            }
        ),
        response=SupportsResponse.ONLY,
        admin=True,
    ),
)
