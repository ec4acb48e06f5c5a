"""Which of the home's devices an action's targets mean: devices, entities, areas, floors, labels."""

from collections.abc import Iterator
from dataclasses import dataclass

from homeassistant.core import HomeAssistant, ServiceCall, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.target import TargetSelection, async_extract_referenced_entity_ids

from .const import DOMAIN
from .devices import device_identifier, macs_of, shown_name
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

    Another integration's device means the one with its MAC. What an area or a label holds beside
    devices of the home is passed over; what is named itself must be one, or nothing is done at all.
    """
    selection = TargetSelection(call.data)
    selected = async_extract_referenced_entity_ids(hass, selection)
    entities = er.async_get(hass)

    def devices_of(entity_ids: set[str]) -> set[str]:
        """Return the devices that these entities belong to, an unknown one as itself."""
        return {
            (entry.device_id if (entry := entities.async_get(entity_id)) else None) or entity_id
            for entity_id in entity_ids
        }

    named = selection.device_ids | devices_of(selected.referenced)
    implied = selected.referenced_devices | devices_of(selected.indirectly_referenced)
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


def _matches(hass: HomeAssistant, hubs: list[Hub], device_id: str) -> Iterator[TargetedDevice]:
    """Yield the device at each gateway that guards it, by the MAC that it goes by there."""
    registered = dr.async_get(hass).async_get(device_id)
    if not isinstance(registered, dr.DeviceEntry):
        return
    for hub in hubs:
        for mac in sorted({hub.primary(each) for each in macs_of(registered)}):
            own = device_identifier(hub.entry, mac) in registered.identifiers
            if own or mac in hub.devices:
                yield TargetedDevice(hub, mac, _name(hass, device_id))


def _name(hass: HomeAssistant, device_id: str) -> str:
    """Return a registered device's name as the user sees it, else the id."""
    registered = dr.async_get(hass).async_get(device_id)
    return (registered and shown_name(registered)) or device_id
