"""A sensor's errors as Home Assistant's."""

from typing import Final

from homeassistant.exceptions import (
    ConfigEntryAuthFailed,
    ConfigEntryError,
    ConfigEntryNotReady,
    HomeAssistantError,
    ServiceValidationError,
)

from .bpf.hearthwall_sensor.protocol import SensorError
from .const import DOMAIN
from .process import ProcessError

#: Errors that whoever gave the order can avoid.
_BAD_INPUT: Final = frozenset(
    {
        "invalid_duration",
        "invalid_feed",
        "invalid_mode",
        "invalid_mud",
        "invalid_policy",
        "invalid_target",
        "not_found",
        "protected_target",
        "read_only",
        "several_rules",
    }
)

#: Errors that no waiting mends: files, versions or packages have to change first.
_LASTING: Final = frozenset(
    {
        "unsafe_files",
        "newer_state",
        "unsupported_schema",
        "missing_capability",
        "not_root",
        "python_missing",
        "launcher_missing",
    }
)


def order_error(error: SensorError) -> HomeAssistantError:
    """Return what an action or a switch raises."""
    return _translated(
        ServiceValidationError if error.code in _BAD_INPUT else HomeAssistantError, error
    )


def setup_error(
    error: SensorError,
) -> ConfigEntryAuthFailed | ConfigEntryError | ConfigEntryNotReady:
    """Return what the set-up of an entry raises."""
    if error.code == "unauthorised":
        return _translated(ConfigEntryAuthFailed, error)
    if error.code in _LASTING:
        return _translated(ConfigEntryError, error)
    return _translated(ConfigEntryNotReady, error)


def _translated[ErrorT: HomeAssistantError](kind: type[ErrorT], error: SensorError) -> ErrorT:
    """Return an error of this kind in the user's language, with the sensor's own detail."""
    return kind(
        translation_domain=DOMAIN,
        translation_key=error.code,
        translation_placeholders={"message": detail_of(error)},
    )


def detail_of(error: SensorError) -> str:
    """Return what is known beside an error's code, whose sentence says the rest in the user's language."""
    return (error.detail if isinstance(error, ProcessError) else "") or error.message
