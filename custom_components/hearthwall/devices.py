"""The home's devices in Home Assistant's device registry."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from .bpf.hearthwall_sensor.protocol import Device, SensorError, Status
from .bpf.hearthwall_sensor.targets import parse_mac
from .const import DOMAIN

RANDOMISED_MODEL = "Randomised address"


def device_name(device: Device, elsewhere: str | None) -> str:
    """Return the best name known: another integration's, the device's own, its maker's, its MAC.

    A name that the user gave to our own device stands above all these in the registry.
    """
    if elsewhere:
        return elsewhere
    if device.hostname:
        return device.hostname
    if device.vendor:
        return f"{device.vendor} {device.mac[-5:]}"
    return device.mac


def gateway_identifier(entry: ConfigEntry) -> tuple[str, str]:
    """Return what identifies an entry's gateway in the device registry."""
    return (DOMAIN, entry.entry_id)


def device_identifier(entry: ConfigEntry, mac: str) -> tuple[str, str]:
    """Return what identifies a device of an entry's home in the device registry."""
    return (DOMAIN, f"{entry.entry_id}_{mac}")


@callback
def async_register_gateway(hass: HomeAssistant, entry: ConfigEntry, status: Status) -> None:
    """Create or update the device that stands for the gateway."""
    dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={gateway_identifier(entry)},
        entry_type=dr.DeviceEntryType.SERVICE,
        manufacturer="Hearthwall",
        model="Sensor",
        name="Hearthwall",
        sw_version=status.version,
    )


@callback
def async_register_device(hass: HomeAssistant, entry: ConfigEntry, device: Device) -> None:
    """Create or update the device of a MAC.

    A new one comes into the area of the device that another integration has for the same MAC, so
    that an area means the same things to an action, whoever set the device up.
    """
    registry = dr.async_get(hass)
    identifier = device_identifier(entry, device.mac)
    is_new = registry.async_get_device_by_identifier(identifier, entry.entry_id) is None
    others = _devices_elsewhere(registry, entry, device.mac)
    registered = registry.async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={identifier},
        connections={(dr.CONNECTION_NETWORK_MAC, device.mac)},
        name=device_name(device, _name_elsewhere(hass, others)),
        manufacturer=device.vendor,
        model=RANDOMISED_MODEL if device.randomised else None,
        via_device_id=dr.async_get_device_id_by_identifier(
            hass, gateway_identifier(entry), config_entry_id=entry.entry_id
        ),
    )
    area = next((other.area_id for other in others if other.area_id), None)
    if is_new and area and registered.area_id is None:
        registry.async_update_device(registered.id, area_id=area)


@callback
def async_registered_name(hass: HomeAssistant, entry: ConfigEntry, mac: str) -> str:
    """Return the name that the device of a MAC has in the registry, the user's first."""
    registered = _registered(hass, entry, mac)
    return (registered.name_by_user or registered.name or mac) if registered else mac


@callback
def async_registered_id(hass: HomeAssistant, entry: ConfigEntry, mac: str) -> str | None:
    """Return the id that the device of a MAC has in the registry."""
    registered = _registered(hass, entry, mac)
    return registered.id if registered else None


def _registered(hass: HomeAssistant, entry: ConfigEntry, mac: str) -> dr.DeviceEntry | None:
    """Return the device of a MAC."""
    return dr.async_get(hass).async_get_device_by_identifier(
        device_identifier(entry, mac), entry.entry_id
    )


def macs_of(device: dr.DeviceEntry) -> set[str]:
    """Return the MACs by which a registered device is known."""
    return {value for kind, value in device.connections if kind == dr.CONNECTION_NETWORK_MAC}


def _devices_elsewhere(
    registry: dr.DeviceRegistry, entry: ConfigEntry, mac: str
) -> list[dr.DeviceEntry]:
    """Return the devices that other entries have for this MAC."""
    return [
        other
        for other in registry.async_get_devices(connections={(dr.CONNECTION_NETWORK_MAC, mac)})
        if other.config_entry_id != entry.entry_id
    ]


def _name_elsewhere(hass: HomeAssistant, others: list[dr.DeviceEntry]) -> str | None:
    """Return a name of someone else's, one that the user gave first."""
    for other in others:
        if other.name_by_user:
            return other.name_by_user
    for other in others:
        owner = hass.config_entries.async_get_entry(other.config_entry_id)
        # Another gateway of ours knows no more than this one.
        if owner is not None and owner.domain != DOMAIN and other.name and not _is_mac(other.name):
            return other.name
    return None


def _is_mac(name: str) -> bool:
    """Tell whether a name is only a MAC, as trackers without a better one use."""
    try:
        parse_mac(name)
    except SensorError:
        return False
    return True
