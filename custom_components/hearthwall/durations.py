"""Durations, as people write them and as Home Assistant's selector gives them."""

import datetime as dt
from typing import Any, Final

import voluptuous as vol
from homeassistant.helpers import config_validation as cv

from .bpf.hearthwall_sensor.protocol import SensorError
from .bpf.hearthwall_sensor.targets import check_duration, parse_duration

#: What a field that holds a duration takes; `seconds` then reads it.
DURATION: Final = vol.Any(str, int, float, dict, dt.timedelta)


def seconds(value: Any) -> float:
    """Return the seconds of `10m` and its like, or of Home Assistant's; raises SensorError `invalid_duration`."""
    if isinstance(value, str) and ":" not in value:
        return parse_duration(value)
    try:
        period: dt.timedelta = cv.time_period(value)
    except vol.Invalid as error:
        raise SensorError("invalid_duration", f"{value!r}: {error}") from error
    return check_duration(period.total_seconds())
