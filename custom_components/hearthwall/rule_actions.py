"""Actions on rules: for what is named, and for Home Assistant's devices."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

import voluptuous as vol
from homeassistant.core import ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv

from .action import GATEWAY_FIELD, Action, named_hub
from .bpf.hearthwall_sensor.modes import MODES
from .bpf.hearthwall_sensor.protocol import Block, SensorError
from .bpf.hearthwall_sensor.requests import Confirm, RemoveBlock
from .bpf.hearthwall_sensor.targets import parse_target
from .const import DOMAIN, QUARANTINE_REASON
from .errors import order_error
from .rule_fields import RULE_FIELDS, SERVICE_FIELDS, read_order
from .targets import TargetedDevice, async_targeted_devices

_TARGET: Final = "target"
_ID: Final = "id"
_MODE: Final = "mode"

#: The fields that name a rule there is: by its target and part of the traffic, or by its id.
_NAMED_RULE: Final = vol.All(
    vol.Schema(
        {
            **GATEWAY_FIELD,
            vol.Exclusive(_TARGET, "what"): cv.string,
            vol.Exclusive(_ID, "what"): cv.positive_int,
            **SERVICE_FIELDS,
        }
    ),
    cv.has_at_least_one_key(_TARGET, _ID),
)


async def _async_block(call: ServiceCall) -> ServiceResponse:
    """Put a rule on what is named."""
    hub = named_hub(call)
    return rule_response([await hub.block(read_order(call, call.data[_TARGET]))])


async def _async_unblock(call: ServiceCall) -> ServiceResponse:
    """End a rule."""
    return rule_response([await named_hub(call).unblock(RemoveBlock(**_named_rule(call)))])


async def _async_confirm(call: ServiceCall) -> ServiceResponse:
    """Keep a rule that waits to be confirmed."""
    return rule_response([await named_hub(call).confirm(Confirm(**_named_rule(call)))])


async def _async_get_blocks(call: ServiceCall) -> ServiceResponse:
    """Return the rules in force, with what the kernel has counted for them by now."""
    target = parse_target(call.data[_TARGET]).value if _TARGET in call.data else None
    return rule_response(
        block
        for block in await named_hub(call).read_blocks()
        if target in {None, block.target} and block.mode in call.data.get(_MODE, MODES)
    )


async def _async_quarantine(call: ServiceCall) -> ServiceResponse:
    """Put a rule on each device that the call's targets mean."""
    devices = async_targeted_devices(call.hass, call)
    orders = {each.mac: read_order(call, each.mac, QUARANTINE_REASON) for each in devices}

    async def block(device: TargetedDevice) -> list[Block]:
        return [await device.hub.block(orders[device.mac])]

    return await _for_each(devices, block)


async def _async_release(call: ServiceCall) -> ServiceResponse:
    """End all rules on each device that the call's targets mean; those without one are free already."""

    async def release(device: TargetedDevice) -> list[Block]:
        return await device.hub.release(device.mac, lambda _: True)

    return await _for_each(async_targeted_devices(call.hass, call), release)


async def _for_each(
    devices: list[TargetedDevice], treat: Callable[[TargetedDevice], Awaitable[list[Block]]]
) -> ServiceResponse:
    """Treat all devices, also after one has failed, and return the rules."""
    blocks: list[Block] = []
    failures: list[tuple[TargetedDevice, SensorError]] = []
    for device in devices:
        try:
            blocks += await treat(device)
        except SensorError as error:
            failures.append((device, error))
    _raise_failures(devices, failures)
    return rule_response(blocks)


def _named_rule(call: ServiceCall) -> dict[str, Any]:
    """Return the fields of a request about a rule there is; raises SensorError."""
    said = {name: call.data[name] for name in map(str, SERVICE_FIELDS) if name in call.data}
    if _ID in call.data:
        return {"target": str(call.data[_ID])} | said
    return {"target": parse_target(call.data[_TARGET]).value} | said


def rule_response(blocks: Iterable[Block]) -> ServiceResponse:
    """Return the rules, as the sensor told them."""
    return {"blocks": [block.to_wire() for block in blocks]}


def _raise_failures(
    devices: list[TargetedDevice], failures: list[tuple[TargetedDevice, SensorError]]
) -> None:
    """Raise what went wrong: one device's error as it is, several by the devices' names."""
    if not failures:
        return
    if len(devices) == 1:
        raise failures[0][1]
    failed = {device.mac for device, _ in failures}
    done = [device.name for device in devices if device.mac not in failed]
    everything = len(failures) == len(devices)
    kind = (
        ServiceValidationError
        if everything
        and all(isinstance(order_error(each), ServiceValidationError) for _, each in failures)
        else HomeAssistantError
    )
    raise kind(
        translation_domain=DOMAIN,
        translation_key="all_failed" if everything else "some_failed",
        translation_placeholders={
            "failures": "; ".join(f"{device.name}: {error.message}" for device, error in failures),
            "done": ", ".join(done),
        },
    )


RULE_ACTIONS: Final = (
    Action(
        name="block",
        orders=True,
        handle=_async_block,
        schema=vol.Schema({**GATEWAY_FIELD, vol.Required(_TARGET): cv.string, **RULE_FIELDS}),
    ),
    Action(name="unblock", orders=True, handle=_async_unblock, schema=_NAMED_RULE),
    Action(name="confirm", orders=True, handle=_async_confirm, schema=_NAMED_RULE),
    Action(
        name="get_blocks",
        handle=_async_get_blocks,
        schema=vol.Schema(
            {
                **GATEWAY_FIELD,
                vol.Optional(_TARGET): cv.string,
                vol.Optional(_MODE): vol.All(cv.ensure_list, [vol.In(list(MODES))]),
            }
        ),
        response=SupportsResponse.ONLY,
    ),
    Action(
        name="quarantine",
        orders=True,
        handle=_async_quarantine,
        schema=cv.make_entity_service_schema(RULE_FIELDS),
    ),
    Action(
        name="release", orders=True, handle=_async_release, schema=cv.make_entity_service_schema({})
    ),
)
