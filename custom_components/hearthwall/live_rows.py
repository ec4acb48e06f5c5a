"""A device as a live card shows it."""

from collections.abc import Iterable
from typing import Any, TypedDict

from homeassistant.components.switch import DOMAIN as SWITCH
from homeassistant.core import callback
from homeassistant.helpers import entity_registry as er

from .asked import shown_device
from .blocks import isolates
from .bpf.hearthwall_sensor.protocol import Block, Device
from .const import DOMAIN
from .hub import Hub
from .switch import QUARANTINE


class Row(TypedDict):
    """What a card knows of a device; `top_peer` is whom it moved most with today, for administrators only."""

    mac: str
    device_id: str | None
    name: str
    online: bool
    upload_rate: float
    download_rate: float
    upload_bytes: int
    download_bytes: int
    upload_today: int
    download_today: int
    first_seen: float
    last_seen: float
    randomised: bool
    vendor: str | None
    addresses: list[str]
    top_peer: str | None
    rule: dict[str, Any] | None
    quarantined: bool
    quarantine_entity: str | None


@callback
def async_row(hub: Hub, device: Device, blocks: Iterable[Block], top_peer: str | None) -> Row:
    """Return a device's row, with the rules on it."""
    name, device_id = shown_device(hub, device.mac, device)
    upload_today, download_today = hub.today.moved_of(device)
    return {
        "mac": device.mac,
        "device_id": device_id,
        "name": name,
        "online": device.mac in hub.presence.online,
        "upload_rate": device.upload_rate,
        "download_rate": device.download_rate,
        "upload_bytes": device.upload_bytes,
        "download_bytes": device.download_bytes,
        "upload_today": upload_today,
        "download_today": download_today,
        "first_seen": device.first_seen,
        "last_seen": device.last_seen,
        "randomised": device.randomised,
        "vendor": device.vendor,
        "addresses": list(device.addresses),
        "top_peer": top_peer,
        "rule": None if device.rule is None else device.rule.to_wire(),
        "quarantined": any(isolates(block) for block in blocks),
        "quarantine_entity": _quarantine_entity(hub, device.mac),
    }


@callback
def _quarantine_entity(hub: Hub, mac: str) -> str | None:
    """Return the switch that cuts a device off, None if it has none or the user disabled it."""
    registry = er.async_get(hub.hass)
    unique_id = f"{hub.entry.entry_id}_{mac}_{QUARANTINE.key}"
    entity_id = registry.async_get_entity_id(SWITCH, DOMAIN, unique_id)
    if entity_id is None:
        return None
    registered = registry.async_get(entity_id)
    return None if registered is None or registered.disabled else entity_id
