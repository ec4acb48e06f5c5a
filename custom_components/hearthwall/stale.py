"""Devices that are not seen any more, and those with randomised MACs: which of them Home Assistant keeps."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from homeassistant.components.automation import automations_with_device, automations_with_entity
from homeassistant.components.group import groups_with_entity
from homeassistant.components.homeassistant.scene import scenes_with_entity
from homeassistant.components.person import persons_with_entity
from homeassistant.components.script import scripts_with_device, scripts_with_entity
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.storage import Store

from .blocks import Blocks
from .bpf.hearthwall_sensor.protocol import Device
from .const import (
    CONF_RANDOMISED_DEVICES,
    CONF_REMOVE_AFTER,
    CONF_REMOVE_RANDOMISED_AFTER,
    DEFAULT_RANDOMISED_DEVICES,
    DEFAULT_REMOVE_AFTER,
    DEFAULT_REMOVE_RANDOMISED_AFTER,
    DOMAIN,
    LOGGER,
)
from .devices import async_registered_as, registered_mac

#: Nobody waits for a removal, but a changed option is looked at with the next change of presence.
INTERVAL: Final = 3600.0
_DAY: Final = 86400.0
_STORAGE_VERSION: Final = 1
_SAVE_DELAY: Final = 10.0

#: What may need a device, or an entity, so that it must not go.
_NEED_DEVICE: Final[tuple[Callable[[HomeAssistant, str], list[str]], ...]] = (
    automations_with_device,
    scripts_with_device,
)
_NEED_ENTITY: Final[tuple[Callable[[HomeAssistant, str], list[str]], ...]] = (
    automations_with_entity,
    groups_with_entity,
    persons_with_entity,
    scenes_with_entity,
    scripts_with_entity,
)


class StaleDevices:
    """Says which of a gateway's devices have a place in Home Assistant, and removes the others.

    A device that the user did something for stays. What goes, the sensor still knows, and it comes back when
    it speaks; Home Assistant then gives it its old ids and settings.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        devices: Mapping[str, Device],
        blocks: Blocks,
    ) -> None:
        """Take the gateway's entry, and what its sensor says of devices and rules."""
        self._hass = hass
        self._entry = entry
        self._devices = devices
        self._blocks = blocks
        self._store = _store(hass, entry)
        #: Since when the sensor does not know a registered MAC, which nothing else tells.
        self._unknown_since: dict[str, float] = {}
        #: When the sensor last saw anybody. What is silent longer than the others is measured by that, so that
        #: neither a wrong clock nor a sensor that sees nothing empties the house.
        self._newest = 0.0
        self._next = 0.0
        self._judged_by: tuple[bool, int, int] | None = None

    async def async_load(self) -> None:
        """Read since when the sensor does not know what."""
        self._unknown_since = await self._store.async_load() or {}

    async def async_save(self) -> None:
        """Write what waits to be written."""
        if self._unknown_since:
            await self._store.async_save(self._unknown_since)

    def note_seen(self, devices: Iterable[Device]) -> None:
        """Note when the sensor saw somebody."""
        self._newest = max(self._newest, *(each.last_seen for each in devices), 0.0)

    def has_place(self, device: Device) -> bool:
        """Tell whether a device shall have entities."""
        if self._is_wanted(device.mac, device):
            return True
        registered = async_registered_as(self._hass, self._entry, device.mac)
        return self._is_kept(device.mac, device, registered)

    @callback
    def async_judge(self, *, now: float) -> set[str]:
        """Once in a while, and after a change of the options, remove what has no place; return those MACs."""
        if now < self._next and self._judged_by == self._options:
            return set()
        self._next = now + INTERVAL
        self._judged_by = self._options
        self._newest = max((each.last_seen for each in self._devices.values()), default=0.0)
        registry = dr.async_get(self._hass)
        registered = {
            mac: each
            for each in dr.async_entries_for_config_entry(registry, self._entry.entry_id)
            if isinstance(each, dr.DeviceEntry) and (mac := registered_mac(self._entry, each))
        }
        self._note_unknown(registered)
        gone = {
            mac
            for mac, each in registered.items()
            if not self._is_wanted(mac, device := self._devices.get(mac))
            and not self._is_kept(mac, device, each)
        }
        for mac in gone:
            registry.async_remove_device(registered[mac].id)
        if gone:
            LOGGER.info("Removed %s devices that were not seen for long or not wanted", len(gone))
        return gone

    @property
    def _options(self) -> tuple[bool, int, int]:
        """Return whether randomised MACs are wanted, and after how many days what is removed."""
        chosen = self._entry.options
        return (
            bool(chosen.get(CONF_RANDOMISED_DEVICES, DEFAULT_RANDOMISED_DEVICES)),
            int(chosen.get(CONF_REMOVE_AFTER, DEFAULT_REMOVE_AFTER)),
            int(chosen.get(CONF_REMOVE_RANDOMISED_AFTER, DEFAULT_REMOVE_RANDOMISED_AFTER)),
        )

    def _is_wanted(self, mac: str, device: Device | None) -> bool:
        """Tell whether the options leave a device its place."""
        randomised_wanted, days, days_randomised = self._options
        randomised = _is_randomised(mac) if device is None else device.randomised
        if randomised and not randomised_wanted:
            return False
        limit = days_randomised if randomised else days
        unknown_since = self._unknown_since.get(mac, self._newest)
        seen = unknown_since if device is None else device.last_seen
        return limit == 0 or self._newest - seen <= limit * _DAY

    def _is_kept(self, mac: str, device: Device | None, registered: dr.DeviceEntry | None) -> bool:
        """Tell whether somebody did something for a device: gave it a name, a place, a rule, a task."""
        if self._blocks.on(mac) or (device is not None and device.name):
            return True
        if registered is None:
            return False
        if _is_touched(registered) or _needs(self._hass, _NEED_DEVICE, registered.id):
            return True
        entities = er.async_entries_for_device(
            er.async_get(self._hass), registered.id, include_disabled_entities=True
        )
        return any(
            _is_touched_entity(each) or _needs(self._hass, _NEED_ENTITY, each.entity_id)
            for each in entities
        )

    def _note_unknown(self, registered: Iterable[str]) -> None:
        """Note which registered MACs the sensor does not know: it has forgotten them, or lost its state."""
        unknown = {
            mac: self._unknown_since.get(mac, self._newest)
            for mac in registered
            if mac not in self._devices
        }
        if unknown != self._unknown_since:
            self._unknown_since = unknown
            self._store.async_delay_save(lambda: self._unknown_since, _SAVE_DELAY)


async def async_forget_stale(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Remove what is on disk for an entry."""
    await _store(hass, entry).async_remove()


def _store(hass: HomeAssistant, entry: ConfigEntry) -> Store[dict[str, float]]:
    """Return the file that notes since when MACs are unknown."""
    return Store(hass, _STORAGE_VERSION, f"{DOMAIN}.{entry.entry_id}.unknown")


def _is_randomised(mac: str) -> bool:
    """Tell whether a MAC says of itself that no maker gave it."""
    return bool(int(mac[:2], 16) & 0b10)


def _is_touched(registered: dr.DeviceEntry) -> bool:
    """Tell whether a device has a name, a place, labels or a switch-off that the user, or who knows it, gave."""
    return bool(
        registered.name_by_user or registered.area_id or registered.labels or registered.disabled_by
    )


def _is_touched_entity(entity: er.RegistryEntry) -> bool:
    """Tell whether the user changed how an entity is shown."""
    return bool(
        entity.name
        or entity.icon
        or entity.area_id
        or entity.labels
        or entity.categories
        or entity.hidden_by
        or entity.disabled_by is er.RegistryEntryDisabler.USER
    )


def _needs(
    hass: HomeAssistant, asked: Iterable[Callable[[HomeAssistant, str], list[str]]], what: str
) -> bool:
    """Tell whether an automation or the like names a device or an entity."""
    return any(each(hass, what) for each in asked)
