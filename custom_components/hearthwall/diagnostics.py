"""Diagnostics: how the gateway fares, without saying who lives in the home."""

from typing import Any, Final

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.core import HomeAssistant

from .hub import HearthwallConfigEntry

#: Addresses and names lead to people; counters and versions do not.
TO_REDACT: Final = {
    "addresses",
    "hostname",
    "last_error",
    "mac",
    "other_macs",
    "peers",
    "protected",
    "reason",
    "source",
    "subtracted_examples",
    "target",
}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: HearthwallConfigEntry
) -> dict[str, Any]:
    """Return diagnostics for a gateway."""
    hub = entry.runtime_data
    diagnostics: dict[str, Any] = async_redact_data(
        {
            "entry": {"data": dict(entry.data), "options": dict(entry.options)},
            "connected": hub.available,
            "supervised": hub.supervised,
            "status": None if hub.status is None else hub.status.to_wire(),
            "devices": async_redact_data(
                [device.to_wire() for device in hub.devices.values()],
                {"name"},  # elsewhere it is an interface's or a feed's
            ),
            "blocks": [block.to_wire() for block in hub.blocks],
            "feeds": [feed.to_wire() for feed in hub.feeds.values()],
            "events": {"newest": hub.events.newest, "lost": hub.events.lost},
        },
        TO_REDACT,
    )
    return diagnostics
