"""Diagnostics: how the gateway fares, without saying who lives in the home."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.device_registry import AnyDeviceEntry, DeviceEntry

from .bpf.hearthwall_sensor import __version__
from .const import DOMAIN
from .devices import macs_of
from .hub import HearthwallConfigEntry
from .pseudonyms import Pseudonyms


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: HearthwallConfigEntry
) -> dict[str, Any]:
    """Return diagnostics for a gateway."""
    names = Pseudonyms()
    told = _about_entry(hass, entry, names)
    if entry.state is ConfigEntryState.LOADED:
        hub = entry.runtime_data
        told |= {
            "devices": names.hidden(list(hub.devices.values())),
            "blocks": names.hidden(list(hub.blocks)),
            "feeds": names.hidden(list(hub.feeds.values())),
            "events": {"newest": hub.events.newest, "lost": hub.events.lost},
        }
    return told


async def async_get_device_diagnostics(
    hass: HomeAssistant, entry: HearthwallConfigEntry, device: AnyDeviceEntry
) -> dict[str, Any]:
    """Return diagnostics for a device: what is known of it, what rules it, and the gateway that sees it."""
    names = Pseudonyms()
    told = _about_entry(hass, entry, names)
    if entry.state is not ConfigEntryState.LOADED or not isinstance(device, DeviceEntry):
        return told
    hub = entry.runtime_data
    macs = macs_of(device)
    told["devices"] = names.hidden([hub.devices[mac] for mac in sorted(macs) if mac in hub.devices])
    told["blocks"] = names.hidden([each for each in hub.blocks if each.target in macs])
    told["online"] = sorted(names.pseudonym(mac) for mac in macs & hub.presence.online)
    return told


@callback
def _about_entry(
    hass: HomeAssistant, entry: HearthwallConfigEntry, names: Pseudonyms
) -> dict[str, Any]:
    """Return what is told of an entry, whether it could be set up or not."""
    told: dict[str, Any] = {
        "version": __version__,
        "state": entry.state.value,
        "entry": {"data": _ours(entry.data, names), "options": _ours(entry.options, names)},
        "issues": sorted(
            issue.translation_key or ""
            for (domain, _), issue in ir.async_get(hass).issues.items()
            if domain == DOMAIN
            and issue.active
            and (issue.data or {}).get("entry_id") == entry.entry_id
        ),
    }
    if entry.state is ConfigEntryState.LOADED:
        hub = entry.runtime_data
        told |= {
            "connected": hub.available,
            "supervised": hub.supervised,
            "failure": None if hub.failure is None else hub.failure.code,
            "status": names.hidden(hub.status),
        }
    return told


def _ours(said: Mapping[str, Any], names: Pseudonyms) -> dict[str, Any]:
    """Return what an entry says: its keys are words of ours."""
    return {
        key: _ours(value, names) if isinstance(value, Mapping) else names.hidden(value, key)
        for key, value in said.items()
    }
