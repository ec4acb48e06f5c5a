"""Which of the home's devices an action's targets mean: devices, entities, areas, floors, labels."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.target import TargetSelection, async_extract_referenced_entity_ids

from .const import DOMAIN
from .devices import device_identifier, gateway_identifier, macs_of, shown_name
from .hub import HearthwallConfigEntry, Hub


@dataclass(frozen=True)
class TargetedDevice:
    """A device of a home that an action shall treat."""

    hub: Hub
    mac: str
    name: str


@callback
def async_loaded_hubs(hass: HomeAssistant) -> list[Hub]:
    """Return the gateways that are set up, at least one."""
    loaded: list[HearthwallConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    if not loaded:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_gateway")
    return [entry.runtime_data for entry in loaded]


@callback
def async_targeted_devices(hass: HomeAssistant, call: ServiceCall) -> list[TargetedDevice]:
    """Return the devices that a call's targets mean, each once.

    A gateway's device means that gateway, another integration's the one with its MAC, wherever it is seen.
    What an area or a label holds beside devices of the home is passed over; what is named itself must be
    one, or nothing is done at all.
    """
    named, implied = _device_ids(hass, call.data)
    hubs = async_loaded_hubs(hass)

    found: dict[tuple[str, str], TargetedDevice] = {}
    for device_id in (*sorted(named), *sorted(implied - named)):
        matches = list(_matches(hass, hubs, device_id))
        if not matches and device_id in named:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="not_a_device",
                translation_placeholders={"name": _name(hass, device_id)},
            )
        found |= {(match.hub.entry.entry_id, match.mac): match for match in matches}
    if not found:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_devices")
    return list(found.values())


@callback
def async_devices_there_are(
    hass: HomeAssistant, config: Mapping[str, Any]
) -> list[tuple[Hub, str]]:
    """Return the devices of loaded gateways that a target means now: none is no error, as for triggers."""
    loaded: list[HearthwallConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    hubs = [entry.runtime_data for entry in loaded]
    named, implied = _device_ids(hass, config)
    found = {
        (match.hub.entry.entry_id, match.mac): (match.hub, match.mac)
        for device_id in named | implied
        for match in _matches(hass, hubs, device_id)
    }
    return list(found.values())


@callback
def async_is_meant(
    hass: HomeAssistant, config: Mapping[str, Any], hub: Hub, mac: str | None
) -> bool:
    """Tell whether a target means a device, or what is no device's: that is the gateway's.

    The gateway means its whole home if it is named itself; an area or a label that it is in does not.
    """
    named, implied = _device_ids(hass, config)
    identifier = gateway_identifier(hub.entry)
    gateway = dr.async_get(hass).async_get_device_by_identifier(identifier, hub.entry.entry_id)
    if gateway is not None and gateway.id in (named | implied if mac is None else named):
        return True
    return mac is not None and any(
        match.mac == hub.primary(mac)
        for device_id in named | implied
        for match in _matches(hass, [hub], device_id)
    )


@callback
def _device_ids(hass: HomeAssistant, config: Mapping[str, Any]) -> tuple[set[str], set[str]]:
    """Return the ids of the devices that a target names, and of those that its areas and labels hold.

    An entity means its device; an unknown one stands for itself.
    """
    selection = TargetSelection(dict(config))
    selected = async_extract_referenced_entity_ids(hass, selection)
    entities = er.async_get(hass)

    def devices_of(entity_ids: set[str]) -> set[str]:
        return {
            (entry.device_id if (entry := entities.async_get(entity_id)) else None) or entity_id
            for entity_id in entity_ids
        }

    # What a target excludes is not referenced any more, though it be named.
    named = selection.device_ids & selected.referenced_devices
    return (
        named | devices_of(selected.referenced),
        selected.referenced_devices | devices_of(selected.indirectly_referenced),
    )


def _matches(hass: HomeAssistant, hubs: list[Hub], device_id: str) -> Iterator[TargetedDevice]:
    """Yield the device at each gateway that guards it, by the MAC that it goes by there."""
    for hub in hubs:
        for mac in async_macs_at(hub, device_id):
            yield TargetedDevice(hub, mac, _name(hass, device_id))


@callback
def async_macs_at(hub: Hub, device_id: str) -> list[str]:
    """Return the MACs that a device of Home Assistant goes by at a gateway, none if it is none of its home.

    A gateway's own device is nobody at the others, though they see it: what is aimed at it is for that
    gateway. Another integration's device is the one with its MAC at each gateway.
    """
    registered = dr.async_get(hub.hass).async_get(device_id)
    if not isinstance(registered, dr.DeviceEntry):
        return []
    owner = hub.hass.config_entries.async_get_entry(registered.config_entry_id)
    if owner is not None and owner.domain == DOMAIN and owner.entry_id != hub.entry.entry_id:
        return []
    return [
        mac
        for mac in sorted({hub.primary(each) for each in macs_of(registered)})
        if mac in hub.devices or device_identifier(hub.entry, mac) in registered.identifiers
    ]


def _name(hass: HomeAssistant, device_id: str) -> str:
    """Return a registered device's name as the user sees it, else the id."""
    registered = dr.async_get(hass).async_get(device_id)
    return (registered and shown_name(registered)) or device_id
