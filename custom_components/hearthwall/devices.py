"""The home's devices in Home Assistant's device registry."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.device_registry import AnyDeviceEntry

from .bpf.hearthwall_sensor.protocol import Device, SensorError, Status
from .bpf.hearthwall_sensor.targets import parse_mac
from .const import DOMAIN

RANDOMISED_MODEL = "Randomised address"


def device_name(device: Device, elsewhere: str | None) -> str:
    """Return the best name known: the sensor's user's, another integration's, the device's own, its maker's.

    Without any it is the MAC. A name that the user gave to our own device in Home Assistant stands above
    all these in the registry.
    """
    made = f"{device.vendor} {device.mac[-5:]}" if device.vendor else None
    return device.name or elsewhere or device.hostname or made or device.mac


def gateway_identifier(entry: ConfigEntry) -> tuple[str, str]:
    """Return what identifies an entry's gateway in the device registry."""
    return (DOMAIN, entry.entry_id)


def device_identifier(entry: ConfigEntry, mac: str) -> tuple[str, str]:
    """Return what identifies a device of an entry's home in the device registry."""
    return (DOMAIN, f"{entry.entry_id}_{mac}")


def registered_mac(entry: ConfigEntry, registered: dr.DeviceEntry) -> str | None:
    """Return the MAC that a registered device of an entry's home stands for, None for the gateway."""
    prefix = f"{entry.entry_id}_"
    for domain, value in registered.identifiers:
        if domain == DOMAIN and value.startswith(prefix):
            return value.removeprefix(prefix)
    return None


def registered_features(device: Device | None) -> tuple[object, ...] | None:
    """Return what of a device the registry shows."""
    if device is None:
        return None
    return (device.name, device.hostname, device.vendor, device.randomised, device.other_macs)


@callback
def async_register_gateway(hass: HomeAssistant, entry: ConfigEntry, status: Status) -> None:
    """Create or update the device that stands for the gateway."""
    dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={gateway_identifier(entry)},
        entry_type=dr.DeviceEntryType.SERVICE,
        manufacturer="Hearthwall",
        model="Sensor",
        name=_gateway_name(hass, entry),
        sw_version=status.version,
    )


def _gateway_name(hass: HomeAssistant, entry: ConfigEntry) -> str:
    """Return what a gateway is called: the first one briefly, the others by what tells them apart."""
    first = next(iter(hass.config_entries.async_entries(DOMAIN, include_ignore=False)), entry)
    return "Hearthwall" if first.entry_id == entry.entry_id else entry.title


@callback
def async_register_device(hass: HomeAssistant, entry: ConfigEntry, device: Device) -> None:
    """Create or update the device of a MAC.

    A new one comes into the area of the device that another integration has for the same MAC, so
    that an area means the same things to an action, whoever set the device up. One that was merged into
    this one goes, with its entities.
    """
    registry = dr.async_get(hass)
    identifier = device_identifier(entry, device.mac)
    is_new = registry.async_get_device_by_identifier(identifier, entry.entry_id) is None
    connections = _connections(device)
    others = _devices_elsewhere(registry, entry, connections)
    _async_make_way(registry, entry, device)
    registered = registry.async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={identifier},
        connections=connections,
        name=device_name(device, _name_elsewhere(hass, others)),
        manufacturer=device.vendor,
        model=RANDOMISED_MODEL if device.randomised else None,
        via_device_id=dr.async_get_device_id_by_identifier(
            hass, gateway_identifier(entry), config_entry_id=entry.entry_id
        ),
    )
    if registered.connections != connections:  # a MAC stands for itself again
        registry.async_update_device(registered.id, new_connections=connections)
    area = next((other.area_id for other in others if other.area_id), None)
    if is_new and area and registered.area_id is None:
        registry.async_update_device(registered.id, area_id=area)


@callback
def async_registered_name(hass: HomeAssistant, entry: ConfigEntry, mac: str) -> str:
    """Return the name that the device of a MAC has in the registry, the user's first."""
    registered = async_registered(hass, entry, mac)
    return (registered and shown_name(registered)) or mac


@callback
def async_registered_gateway_name(hass: HomeAssistant, entry: ConfigEntry) -> str:
    """Return the name that the gateway has in the registry, the user's first."""
    registered = dr.async_get(hass).async_get_device_by_identifier(
        gateway_identifier(entry), entry.entry_id
    )
    return (registered and shown_name(registered)) or entry.title


@callback
def async_registered_id(hass: HomeAssistant, entry: ConfigEntry, mac: str) -> str | None:
    """Return the id that the device of a MAC has in the registry."""
    registered = async_registered(hass, entry, mac)
    return registered.id if registered else None


@callback
def async_registered(hass: HomeAssistant, entry: ConfigEntry, mac: str) -> dr.DeviceEntry | None:
    """Return the device of a MAC in the registry, which may be one that it was merged into."""
    return dr.async_get(hass).async_get_device_by_connection(
        (dr.CONNECTION_NETWORK_MAC, mac), entry.entry_id
    )


@callback
def async_registered_as(hass: HomeAssistant, entry: ConfigEntry, mac: str) -> dr.DeviceEntry | None:
    """Return the device that stands for a MAC in the registry, and for none into which that was merged."""
    return dr.async_get(hass).async_get_device_by_identifier(
        device_identifier(entry, mac), entry.entry_id
    )


def shown_name(device: AnyDeviceEntry) -> str | None:
    """Return a registered device's name as the user sees it."""
    return device.name_by_user or device.name


def macs_of(device: dr.DeviceEntry) -> set[str]:
    """Return the MACs by which a registered device is known."""
    return {value for kind, value in device.connections if kind == dr.CONNECTION_NETWORK_MAC}


def _connections(device: Device) -> set[tuple[str, str]]:
    """Return a device's MACs as the registry has them."""
    return {(dr.CONNECTION_NETWORK_MAC, mac) for mac in (device.mac, *device.other_macs)}


@callback
def _async_make_way(registry: dr.DeviceRegistry, entry: ConfigEntry, device: Device) -> None:
    """Take a device's MACs from what else of this entry has them, which the registry lets only one have."""
    own = device_identifier(entry, device.mac)
    merged = {device_identifier(entry, mac) for mac in device.other_macs}
    connections = _connections(device)
    for holder in registry.async_get_devices(
        identifiers=merged, connections=connections, config_entry_id=entry.entry_id
    ):
        if merged & holder.identifiers:
            registry.async_remove_device(holder.id)
        elif own not in holder.identifiers:
            registry.async_update_device(
                holder.id, new_connections=holder.connections - connections
            )


def _devices_elsewhere(
    registry: dr.DeviceRegistry, entry: ConfigEntry, connections: set[tuple[str, str]]
) -> list[dr.DeviceEntry]:
    """Return the devices that other entries have for these MACs."""
    return [
        other
        for other in registry.async_get_devices(connections=connections)
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
