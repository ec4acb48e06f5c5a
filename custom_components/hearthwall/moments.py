"""Moments in the past, as people write them and as Home Assistant's selectors give them."""

import datetime as dt
from collections.abc import Callable
from time import time
from typing import Any, Final

import voluptuous as vol
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util

from .bpf.hearthwall_sensor.protocol import SensorError
from .bpf.hearthwall_sensor.targets import MAX_DURATION
from .const import DOMAIN
from .durations import DURATION, seconds

#: What a field that holds a moment takes; `epoch` then reads it.
MOMENT: Final = vol.Any(DURATION, dt.datetime)

#: How the selector `choose` says which of its choices is meant: its value is beside it, under that name.
CHOICE: Final = "active_choice"


def epoch(value: Any) -> float:
    """Return the seconds since the epoch of a moment, or of now less a duration.

    A number above MAX_DURATION is seconds since the epoch already, as the sensor's answers have them; a
    date and time without a zone is in Home Assistant's. Raises ServiceValidationError.
    """
    if isinstance(value, dict) and CHOICE in value:
        return epoch(value.get(str(value[CHOICE])))
    for read in _READERS:
        if (found := read(value)) is not None:
            return found
    raise ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="invalid_since",
        translation_placeholders={"since": str(value)[:80]},
    )


def _from_number(value: Any) -> float | None:
    """Read what the sensor's answers say, also as a template's text."""
    try:
        number = float(value)
    except TypeError, ValueError:
        return None
    return number if MAX_DURATION < number < float("inf") else None


def _from_date(value: Any) -> float | None:
    """Read a date and time."""
    try:
        return dt_util.as_utc(cv.datetime(value)).timestamp()
    except vol.Invalid, ValueError, OverflowError:
        return None


def _from_duration(value: Any) -> float | None:
    """Read how long ago it was."""
    try:
        return time() - seconds(value)
    except SensorError:
        return None


_READERS: Final[tuple[Callable[[Any], float | None], ...]] = (
    _from_number,
    # Before dates: the text 20261103 is so many seconds, as the number is.
    _from_duration,
    _from_date,
)
