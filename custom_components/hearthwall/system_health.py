"""System health: how each gateway fares, for the page that is copied into a report."""

from collections.abc import Callable
from typing import Any, Final

from homeassistant.components import system_health
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback

from .bpf.hearthwall_sensor import __version__
from .bpf.hearthwall_sensor.protocol import Status
from .const import DOMAIN

_MEGABYTE: Final = 1_000_000
_HOUR: Final = 3600

#: What is told of a sensor, by the key that its label is translated by.
_TOLD: Final[dict[str, Callable[[Status], str]]] = {
    "sensor_version": lambda status: status.version,
    "schema": lambda status: str(status.schema),
    "interfaces": lambda status: (
        ", ".join(f"{each.name} ({each.role}, {each.xdp})" for each in status.interfaces) or "-"
    ),
    "uptime": lambda status: f"{status.uptime_s / _HOUR:.1f} h",
    "devices": lambda status: str(status.devices),
    "rules": lambda status: str(status.rules),
    "lost": lambda status: (
        ", ".join(f"{what}: {count}" for what, count in sorted(status.lost.items()) if count) or "-"
    ),
    "memory": lambda status: f"{status.resident_bytes / _MEGABYTE:.0f} MB",
}


@callback
def async_register(hass: HomeAssistant, register: system_health.SystemHealthRegistration) -> None:
    """Register what tells it."""
    register.async_register_info(_async_info)


async def _async_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return what there is to tell; of several gateways each line has all of them."""
    connections: list[tuple[str, str]] = []
    statuses: list[tuple[str, Status]] = []
    for entry in hass.config_entries.async_entries(DOMAIN):
        is_loaded = entry.state is ConfigEntryState.LOADED
        is_connected = is_loaded and entry.runtime_data.available
        connections.append((entry.title, _connection(entry.state, is_connected)))
        if is_connected and entry.runtime_data.status is not None:
            statuses.append((entry.title, entry.runtime_data.status))
    told = {"integration_version": __version__, "connection": _joined(connections)}
    for key, tell in _TOLD.items():
        if statuses:
            told[key] = _joined([(title, tell(status)) for title, status in statuses])
    return told


def _connection(state: ConfigEntryState, is_connected: bool) -> str:
    """Return in a word whether a gateway is there."""
    if state is not ConfigEntryState.LOADED:
        return str(state.value)
    return "ok" if is_connected else "lost"


def _joined(said: list[tuple[str, str]]) -> str:
    """Return what is said of each gateway; the only one needs no name."""
    if len(said) == 1:
        return said[0][1]
    return "; ".join(f"{title}: {text}" for title, text in said) or "-"
