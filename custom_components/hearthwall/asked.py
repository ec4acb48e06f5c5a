"""Which gateways and devices an action that reads asks for, and how its answer names them."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv

from .action import named_hub
from .bpf.hearthwall_sensor.protocol import Device
from .bpf.hearthwall_sensor.wire import Message
from .const import DOMAIN
from .devices import async_registered, async_registered_gateway_name, device_name, shown_name
from .hub import Hub
from .targets import async_loaded_hubs, async_targeted_devices

TARGETS: Final = frozenset(map(str, cv.TARGET_SERVICE_FIELDS))


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of one gateway: of its devices those with these MACs, None for all."""

    hub: Hub
    macs: frozenset[str] | None

    def takes(self, mac: str) -> bool:
        """Tell whether a device is asked for."""
        return self.macs is None or mac in self.macs


def asked_gateways(call: ServiceCall) -> list[Asked]:
    """Return which gateways are asked for what; without targets it is all of everything."""
    named = named_hub(call) if ATTR_CONFIG_ENTRY_ID in call.data else None
    if not TARGETS & call.data.keys():
        return [Asked(hub, None) for hub in ([named] if named else async_loaded_hubs(call.hass))]
    macs: defaultdict[Hub, set[str]] = defaultdict(set)
    for device in async_targeted_devices(call.hass, call):
        if named in {None, device.hub}:
            macs[device.hub].add(device.mac)
    if not macs:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_devices")
    return [Asked(hub, frozenset(of_hub)) for hub, of_hub in macs.items()]


def gateway_fields(hub: Hub) -> dict[str, Any]:
    """Return which gateway tells it."""
    return {ATTR_CONFIG_ENTRY_ID: hub.entry.entry_id, "gateway": hub.entry.title}


def device_namer(hub: Hub) -> Callable[[str | None, str | None], dict[str, Any]]:
    """Return what tells whose a flow or an event is, by MAC and process, looking for each device once.

    A process is the gateway's. That has a name, but no id: no action can be aimed at it.
    """
    known: dict[str | None, dict[str, Any]] = {None: {"device_name": None, "device_id": None}}
    gateway = {
        "device_name": async_registered_gateway_name(hub.hass, hub.entry),
        "device_id": None,
    }

    def name(mac: str | None, process: str | None) -> dict[str, Any]:
        if mac is None and process is not None:
            return gateway
        if mac is not None and mac not in known:
            name, device_id = shown_device(hub, mac, hub.devices.get(hub.primary(mac)))
            known[mac] = {"device_name": name, "device_id": device_id}
        return known[mac]

    return name


def shown_device(hub: Hub, mac: str, device: Device | None) -> tuple[str, str | None]:
    """Return the name that the user sees for a device, and its id in Home Assistant if it has one."""
    registered = async_registered(hub.hass, hub.entry, mac)
    if registered is not None:
        return shown_name(registered) or mac, registered.id
    return (mac if device is None else device_name(device, None)), None


async def async_read(
    hass: HomeAssistant, kind: type[Message], wire: Iterable[Any]
) -> list[dict[str, Any]]:
    """Return what a sensor listed as plain dicts, each checked.

    Thousands of them take a small computer seconds, in which Home Assistant would stand still.
    """
    return await hass.async_add_executor_job(
        lambda: [kind.from_wire(each).to_wire() for each in wire]
    )
