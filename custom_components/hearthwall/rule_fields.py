"""What an action can say of a rule: the fields, named as in the sensor's orders."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import voluptuous as vol
from homeassistant.core import ServiceCall
from homeassistant.helpers import config_validation as cv

from .action import FORCE
from .bpf.hearthwall_sensor.modes import (
    ALLOWANCES,
    AUDITABLE,
    DIRECTIONS,
    MAX_BYTES_PER_SECOND,
    MAX_PACKETS_PER_SECOND,
    MAX_PEERS,
    MIN_BYTES_PER_SECOND,
    MIN_PACKETS_PER_SECOND,
    MODES,
    TRANSPORTS,
)
from .bpf.hearthwall_sensor.protocol import MAX_REASON
from .bpf.hearthwall_sensor.requests import AddBlock
from .bpf.hearthwall_sensor.targets import parse_peer, parse_target
from .durations import DURATION, seconds

#: Which part of its target's traffic a rule is on.
SERVICE_FIELDS: Final[dict[Any, Any]] = {
    vol.Optional("transport"): vol.In(list(TRANSPORTS)),
    vol.Optional("port"): vol.All(vol.Coerce(int), vol.Range(min=1, max=65535)),
}

#: Everything that can be said of a rule beside its target; the sensor judges what goes together.
RULE_FIELDS: Final[dict[Any, Any]] = {
    vol.Optional("mode", default="isolate"): vol.In(list(MODES)),
    vol.Optional("duration"): DURATION,
    vol.Optional("reason"): vol.All(cv.string, vol.Length(max=MAX_REASON)),
    vol.Optional("allow"): vol.All(cv.ensure_list, [vol.In(list(ALLOWANCES))]),
    **SERVICE_FIELDS,
    vol.Optional("direction"): vol.In(list(DIRECTIONS)),
    vol.Optional("peers"): vol.All(cv.ensure_list, [cv.string], vol.Length(max=MAX_PEERS)),
    vol.Optional("bytes_per_second"): vol.All(
        vol.Coerce(int), vol.Range(min=MIN_BYTES_PER_SECOND, max=MAX_BYTES_PER_SECOND)
    ),
    vol.Optional("packets_per_second"): vol.All(
        vol.Coerce(int), vol.Range(min=MIN_PACKETS_PER_SECOND, max=MAX_PACKETS_PER_SECOND)
    ),
    vol.Optional("redirect_to"): cv.string,
    vol.Optional("audits"): vol.In(list(AUDITABLE)),
    vol.Optional("confirm_within"): DURATION,
    vol.Optional(FORCE): cv.boolean,
}

#: What can be said of a rule on processes beside that.
PROCESS_FIELDS: Final[dict[Any, Any]] = {vol.Optional("children"): cv.boolean}


def _peers(value: list[str]) -> tuple[str, ...]:
    """Return peers as the sensor writes them."""
    return tuple(parse_peer(each) for each in value)


#: How what a call says becomes what an order says, where the two differ.
_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "duration": seconds,
    "confirm_within": seconds,
    "allow": tuple,
    "peers": _peers,
}


def read_order(call: ServiceCall, target: str, reason: str = "", **terms: Any) -> AddBlock:
    """Return the order that a call's fields, and terms that follow from them, describe; raises SensorError."""
    said = {
        name: _READERS.get(name, lambda value: value)(call.data[name])
        for name in map(str, (*RULE_FIELDS, *PROCESS_FIELDS))
        if name in call.data
    }
    return AddBlock(target=parse_target(target).value, **({"reason": reason} | said | terms))
