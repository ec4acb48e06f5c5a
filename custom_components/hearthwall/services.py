"""Actions: block and unblock what is named, quarantine and release Home Assistant's devices."""

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final

import voluptuous as vol
from homeassistant.const import ATTR_CONFIG_ENTRY_ID, ATTR_MODE
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv, service

from .bpf.hearthwall_sensor.protocol import (
    ALLOWANCES,
    MAX_REASON,
    MODES,
    AddBlock,
    Block,
    SensorError,
)
from .bpf.hearthwall_sensor.targets import check_duration, parse_duration, parse_target
from .const import (
    ATTR_ALLOW,
    ATTR_CONFIRM_WITHIN,
    ATTR_DURATION,
    ATTR_ID,
    ATTR_REASON,
    ATTR_TARGET,
    DOMAIN,
    QUARANTINE_REASON,
)
from .errors import order_error
from .hub import Hub
from .targets import TargetedDevice, async_targeted_devices

SERVICE_BLOCK: Final = "block"
SERVICE_UNBLOCK: Final = "unblock"
SERVICE_QUARANTINE: Final = "quarantine"
SERVICE_RELEASE: Final = "release"


def _duration(value: Any) -> float:
    """Return the seconds of `10m` and its like, or of what Home Assistant's duration selector gives."""
    try:
        if isinstance(value, str) and ":" not in value:
            return parse_duration(value)
        period: dt.timedelta = cv.time_period(value)
        return check_duration(period.total_seconds())
    except SensorError as error:
        raise order_error(error) from error
    except vol.Invalid as error:
        raise order_error(SensorError("invalid_duration", f"{value!r}: {error}")) from error


_RULE_FIELDS: Final[dict[Any, Any]] = {
    vol.Optional(ATTR_MODE, default="isolate"): vol.In(list(MODES)),
    vol.Optional(ATTR_DURATION): vol.Any(str, int, float, dict, dt.timedelta),
    vol.Optional(ATTR_REASON): vol.All(cv.string, vol.Length(max=MAX_REASON)),
    vol.Optional(ATTR_ALLOW): vol.All(cv.ensure_list, [vol.In(list(ALLOWANCES))]),
}

BLOCK_SCHEMA: Final = vol.Schema(
    {
        vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string,
        vol.Required(ATTR_TARGET): cv.string,
        **_RULE_FIELDS,
        vol.Optional(ATTR_CONFIRM_WITHIN): vol.Any(str, int, float, dict, dt.timedelta),
    }
)
UNBLOCK_SCHEMA: Final = vol.All(
    vol.Schema(
        {
            vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string,
            vol.Exclusive(ATTR_TARGET, "what"): cv.string,
            vol.Exclusive(ATTR_ID, "what"): cv.positive_int,
        }
    ),
    cv.has_at_least_one_key(ATTR_TARGET, ATTR_ID),
)
QUARANTINE_SCHEMA: Final = cv.make_entity_service_schema(_RULE_FIELDS)
RELEASE_SCHEMA: Final = cv.make_entity_service_schema({})


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    for name, handle, schema in (
        (SERVICE_BLOCK, _async_block, BLOCK_SCHEMA),
        (SERVICE_UNBLOCK, _async_unblock, UNBLOCK_SCHEMA),
        (SERVICE_QUARANTINE, _async_quarantine, QUARANTINE_SCHEMA),
        (SERVICE_RELEASE, _async_release, RELEASE_SCHEMA),
    ):
        hass.services.async_register(
            DOMAIN, name, handle, schema=schema, supports_response=SupportsResponse.OPTIONAL
        )


async def _async_block(call: ServiceCall) -> ServiceResponse:
    """Put a rule on a MAC or an address."""
    hub = _named_hub(call)
    order = _order(call, call.data[ATTR_TARGET])
    try:
        return _response([await hub.block(order)])
    except SensorError as error:
        raise order_error(error) from error


async def _async_unblock(call: ServiceCall) -> ServiceResponse:
    """End the rule on a MAC or an address, or with an id."""
    hub = _named_hub(call)
    try:
        target = (
            str(call.data[ATTR_ID])
            if ATTR_ID in call.data
            else parse_target(call.data[ATTR_TARGET]).value
        )
        return _response([await hub.unblock(target)])
    except SensorError as error:
        raise order_error(error) from error


async def _async_quarantine(call: ServiceCall) -> ServiceResponse:
    """Put a rule on each device that the call's targets mean."""
    devices = async_targeted_devices(call.hass, call)
    orders = [_order(call, device.mac, reason=QUARANTINE_REASON) for device in devices]
    blocks: list[Block] = []
    failures: list[tuple[TargetedDevice, SensorError]] = []
    for device, order in zip(devices, orders, strict=True):
        try:
            blocks.append(await device.hub.block(order))
        except SensorError as error:
            failures.append((device, error))
    _raise_failures(devices, failures)
    return _response(blocks)


async def _async_release(call: ServiceCall) -> ServiceResponse:
    """End the rule on each device that the call's targets mean; those without one are free already."""
    devices = async_targeted_devices(call.hass, call)
    blocks: list[Block] = []
    failures: list[tuple[TargetedDevice, SensorError]] = []
    for device in devices:
        try:
            blocks.append(await device.hub.unblock(device.mac))
        except SensorError as error:
            if error.code != "not_found":
                failures.append((device, error))
    _raise_failures(devices, failures)
    return _response(blocks)


def _named_hub(call: ServiceCall) -> Hub:
    """Return the gateway that the call names, or the only one."""
    entry = service.async_get_config_entry(call.hass, DOMAIN, call.data.get(ATTR_CONFIG_ENTRY_ID))
    hub: Hub = entry.runtime_data
    return hub


def _order(call: ServiceCall, target: str, reason: str = "") -> AddBlock:
    """Return the order that the call's fields describe; raises ServiceValidationError."""
    data = call.data
    optional: dict[str, Any] = {
        name: _duration(data[name]) for name in (ATTR_DURATION, ATTR_CONFIRM_WITHIN) if name in data
    }
    if ATTR_ALLOW in data:
        optional[ATTR_ALLOW] = tuple(data[ATTR_ALLOW])
    try:
        value = parse_target(target).value
    except SensorError as error:
        raise order_error(error) from error
    return AddBlock(
        target=value, mode=data[ATTR_MODE], reason=data.get(ATTR_REASON, reason), **optional
    )


def _response(blocks: Iterable[Block]) -> ServiceResponse:
    """Return the rules, as the sensor told them."""
    return {"blocks": [block.to_wire() for block in blocks]}


def _raise_failures(
    devices: list[TargetedDevice], failures: list[tuple[TargetedDevice, SensorError]]
) -> None:
    """Raise what went wrong: one device's error as it is, several by the devices' names."""
    if not failures:
        return
    if len(devices) == 1:
        raise order_error(failures[0][1]) from failures[0][1]
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
