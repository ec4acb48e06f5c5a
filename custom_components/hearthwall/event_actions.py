"""Actions on a gateway's journal of events: reading it, and saying that something in it is fine."""

import operator
from collections.abc import Iterable
from typing import Any, Final

import voluptuous as vol
from homeassistant.core import ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv

from .action import GATEWAY_FIELD, Action, named_hub
from .asked import TARGETS, asked_gateways, device_namer, gateway_fields
from .bpf.hearthwall_sensor.kinds import KINDS, SEVERITIES
from .bpf.hearthwall_sensor.protocol import Event
from .bpf.hearthwall_sensor.requests import MAX_EVENTS, AcceptEvent, GetEvents
from .bpf.hearthwall_sensor.targets import MAX_DURATION
from .const import DOMAIN
from .event import described
from .hub import Hub
from .moments import CHOICE, MOMENT, epoch
from .targets import async_targeted_devices

_SINCE: Final = "since"
_LIMIT: Final = "limit"
_KIND: Final = "kind"
_SEVERITY: Final = "severity"
_SEQ: Final = "seq"
_DEFAULT_LIMIT: Final = 100

_A_KIND: Final = vol.In(list(KINDS))


async def _async_get_events(call: ServiceCall) -> ServiceResponse:
    """Return events, the oldest first: those after a number, or the newest that fit."""
    limit = call.data[_LIMIT]
    number, after = _since(call.data.get(_SINCE))
    rows: list[dict[str, Any]] = []
    for asked in asked_gateways(call):
        request = GetEvents(
            since=number or 0,
            limit=limit,
            devices=tuple(sorted(asked.macs or ())),
            kinds=tuple(call.data.get(_KIND, ())),
            severity=call.data[_SEVERITY],
            after=after,
            latest=number is None,
        )
        rows += event_rows(asked.hub, map(Event.from_wire, await asked.hub.call(request)))
    rows.sort(key=operator.itemgetter("time"))
    return {"events": [*(rows[-limit:] if number is None else rows[:limit])]}


def _since(value: Any) -> tuple[int | None, float | None]:
    """Return the number of an event, or the seconds since the epoch, whichever a call names."""
    if value is None:
        return None, None
    if isinstance(value, dict) and value.get(CHOICE) == _SEQ:
        value = value.get(_SEQ)
    try:
        number = float(value)
    except TypeError, ValueError:
        return None, epoch(value)
    if 0 <= number <= MAX_DURATION:
        return int(number), None
    return None, epoch(value)


async def _async_accept(call: ServiceCall) -> ServiceResponse:
    """Say that what an event tells of is fine, or each device's newest event of a kind."""
    if _SEQ in call.data:
        hub = named_hub(call)
        return {"accepted": await _accepted(hub, call.data[_SEQ])}
    kind = call.data[_KIND]
    found: list[tuple[Hub, Event]] = []
    for device in async_targeted_devices(call.hass, call):
        request = GetEvents(limit=1, devices=(device.mac,), kinds=(kind,), latest=True)
        answer = await device.hub.call(request)
        found += [(device.hub, Event.from_wire(each)) for each in answer]
    if not found:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="nothing_to_accept",
            translation_placeholders={"kind": kind},
        )
    return {"accepted": [row for hub, event in found for row in await _accepted(hub, event.seq)]}


async def _accepted(hub: Hub, seq: int) -> list[Any]:
    """Accept an event, and return it."""
    return event_rows(hub, [Event.from_wire(await hub.call(AcceptEvent(seq)))])


def event_rows(hub: Hub, events: Iterable[Event]) -> list[dict[str, Any]]:
    """Return events as an action answers them, and as a trigger tells them."""
    name = device_namer(hub)
    return [
        described(hub, each) | gateway_fields(hub) | name(each.mac, each.process) for each in events
    ]


def _of_devices(data: dict[str, Any]) -> dict[str, Any]:
    """Check that a kind goes with devices, and a number without: the number says whose event it is."""
    if (_KIND in data) != bool(TARGETS & data.keys()):
        raise vol.Invalid(f"give either {_SEQ}, or {_KIND} and a target")
    return data


EVENT_ACTIONS: Final = (
    Action(
        name="get_events",
        handle=_async_get_events,
        schema=vol.Schema(
            {
                **cv.TARGET_SERVICE_FIELDS,
                **GATEWAY_FIELD,
                vol.Optional(_SINCE): MOMENT,
                vol.Optional(_KIND): vol.All(cv.ensure_list, [_A_KIND]),
                vol.Optional(_SEVERITY, default=SEVERITIES[0]): vol.In(SEVERITIES),
                vol.Optional(_LIMIT, default=_DEFAULT_LIMIT): vol.All(
                    vol.Coerce(int), vol.Range(min=1, max=MAX_EVENTS)
                ),
            }
        ),
        response=SupportsResponse.ONLY,
        admin=True,
    ),
    Action(
        name="accept",
        handle=_async_accept,
        schema=vol.All(
            vol.Schema(
                {
                    **cv.TARGET_SERVICE_FIELDS,
                    **GATEWAY_FIELD,
                    vol.Exclusive(_SEQ, "what"): cv.positive_int,
                    vol.Exclusive(_KIND, "what"): _A_KIND,
                }
            ),
            cv.has_at_least_one_key(_SEQ, _KIND),
            _of_devices,
        ),
        admin=True,
    ),
)
