"""What may be answered when somebody asks an assistant about the home's devices."""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from homeassistant.components.homeassistant import async_should_expose
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
)

from .blocks import isolates
from .bpf.hearthwall_sensor.protocol import Block
from .const import DOMAIN
from .devices import async_registered, shown_name
from .hostile import plain
from .hub import Hub

#: A name that is spoken, or read by a language model; the longest that anybody gives.
MAX_NAME: Final = 64
#: How one says where a device is.
_IN_AREA: Final = ("{area} {name}", "{name} in {area}", "{name} in the {area}", "{area}の{name}")


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """A device of a home as one gateway sees it, and as an answer needs it."""

    hub: Hub
    mac: str
    macs: frozenset[str]
    """All that it has, that one among them."""
    name: str
    is_online: bool
    upload_today: int
    download_today: int
    rule: Block | None

    @property
    def today(self) -> int:
        """Return the bytes that it has moved since midnight."""
        return self.upload_today + self.download_today


@callback
def async_hubs(hass: HomeAssistant) -> list[Hub]:
    """Return the gateways that are there, so that what is known of them is true."""
    return [
        entry.runtime_data
        for entry in hass.config_entries.async_entries(DOMAIN)
        if entry.state is ConfigEntryState.LOADED and entry.runtime_data.available
    ]


@callback
def async_known_devices(hass: HomeAssistant, assistant: str | None) -> Iterator[KnownDevice]:
    """Yield the devices of which an assistant may tell; all of them if there is none. Each is there for each gateway.

    Its user's choice decides: at least one of the device's entities must be exposed to it.
    """
    for hub in async_hubs(hass):
        for mac, device in hub.devices.items():
            registered = async_registered(hass, hub.entry, mac)
            if registered is None or (
                assistant is not None and not _is_exposed(hass, registered, assistant)
            ):
                continue
            upload, download = hub.today.moved(mac)
            yield KnownDevice(
                hub,
                mac,
                frozenset({mac, *device.other_macs}),
                plain(shown_name(registered) or mac, MAX_NAME),
                mac in hub.presence.online,
                upload,
                download,
                hub.blocks.whole(mac),
            )


def once(known: Iterable[KnownDevice]) -> list[KnownDevice]:
    """Return each device once, however many gateways see it.

    What passes two of them was moved once, so that the larger amount holds, not the sum.
    """
    joined: dict[str, list[KnownDevice]] = {}
    found: list[list[KnownDevice]] = []
    for device in known:
        group = next((joined[mac] for mac in device.macs if mac in joined), None)
        if group is None:
            found.append(group := [])
        group.append(device)
        for mac in device.macs:
            joined.setdefault(mac, group)
    return [_joined(each) for each in found]


def _joined(seen: list[KnownDevice]) -> KnownDevice:
    """Return what several gateways see as one: online and restricted is what is so at any of them."""
    rules = [each.rule for each in seen if each.rule is not None]
    return replace(
        max(seen, key=lambda each: each.today),
        is_online=any(each.is_online for each in seen),
        upload_today=max(each.upload_today for each in seen),
        download_today=max(each.download_today for each in seen),
        rule=max(rules, key=isolates, default=None),
    )


@callback
def async_is_called(hass: HomeAssistant, device: KnownDevice, assistant: str, asked: str) -> bool:
    """Tell whether a device goes by a name: its own, an alias of an exposed entity, or either with its area's."""
    registered = async_registered(hass, device.hub.entry, device.mac)
    if registered is None:
        return False
    names = {device.name}
    for each in er.async_entries_for_device(er.async_get(hass), registered.id):
        if async_should_expose(hass, assistant, each.entity_id):
            # Beside them stands a mark for the entity's own name, which is none of the device's.
            names |= {alias for alias in each.aliases if isinstance(alias, str)}
    area = registered.area_id and ar.async_get(hass).async_get_area(registered.area_id)
    areas = {area.name, *area.aliases} if area else set()
    names |= {
        form.format(area=each, name=name) for each in areas for name in names for form in _IN_AREA
    }
    return _spoken(asked) in map(_spoken, names)


def _spoken(name: str) -> str:
    """Return a name as it is heard: without spaces, which are not, and of one case and width."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


async def async_is_told_of_events(hass: HomeAssistant, context: Context | None) -> bool:
    """Tell whether whoever asks may know what devices do: an administrator, or Home Assistant itself."""
    if context is None or context.user_id is None:
        return True
    user = await hass.auth.async_get_user(context.user_id)
    return user is not None and user.is_admin


def _is_exposed(hass: HomeAssistant, registered: dr.DeviceEntry, assistant: str) -> bool:
    """Tell whether a device is exposed to an assistant."""
    entities = er.async_entries_for_device(er.async_get(hass), registered.id)
    return any(async_should_expose(hass, assistant, each.entity_id) for each in entities)
