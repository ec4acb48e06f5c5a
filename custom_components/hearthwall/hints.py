"""What Home Assistant knows of the home's devices and the sensor does not: who stays in the home, and labels."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from homeassistant.components.device_tracker import DOMAIN as DEVICE_TRACKER_DOMAIN
from homeassistant.components.media_player import DOMAIN as MEDIA_PLAYER_DOMAIN
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er, label_registry as lr
from homeassistant.helpers.event import async_call_later
from homeassistant.loader import Integration, async_get_integrations

from .bpf.hearthwall_sensor.protocol import Device, SensorError
from .bpf.hearthwall_sensor.requests import Hint, Request, SetHints
from .const import CONF_GIVE_HINTS, DEFAULT_GIVE_HINTS, DOMAIN, LOGGER
from .devices import macs_of

#: Changes of a registry come in flocks.
SETTLES: Final = 5.0

#: Integrations that know devices of others by their MACs, and say nothing of what these do. Those that track
#: presence are known by their entities.
NETWORK_INTEGRATIONS: Final = frozenset(
    {
        DOMAIN,
        "bluetooth",
        "dhcp",
        "network",
        "nmap_tracker",
        "ping",
        "ssdp",
        "upnp",
        "wake_on_lan",
        "zeroconf",
    }
)
#: An entry with more devices on the network than one hub has is such a one, too.
MOST_DEVICES: Final = 32

_LOCAL: Final = "local_"
_MAX_LABEL: Final = 64
_MAX_LABELS: Final = 64


class Hints:
    """Tells the sensor, when it connects and whenever something of it changes."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        devices: Mapping[str, Device],
        call: Callable[[Request], Awaitable[Any]],
        is_read_only: Callable[[], bool],
    ) -> None:
        """Take the gateway's entry, its devices, what asks its sensor, and whether that refuses orders."""
        self._hass = hass
        self._entry = entry
        self._devices = devices
        self._call = call
        self._is_read_only = is_read_only
        self._cancel: CALLBACK_TYPE | None = None
        self._telling = asyncio.Lock()
        #: What the sensor was told last over this connection.
        self._told: Mapping[str, Hint] | None = None
        #: What it did not take of that, and why.
        self._refused: set[tuple[str, str]] = set()
        self._given: bool | None = None

    @callback
    def async_follow(self) -> CALLBACK_TYPE:
        """Look anew when a registry changes; return what ends that."""
        unsubscribes = [
            self._hass.bus.async_listen(each, self._async_changed)
            for each in (
                dr.EVENT_DEVICE_REGISTRY_UPDATED,
                er.EVENT_ENTITY_REGISTRY_UPDATED,
                lr.EVENT_LABEL_REGISTRY_UPDATED,
            )
        ]

        @callback
        def stop() -> None:
            for unsubscribe in unsubscribes:
                unsubscribe()
            if self._cancel is not None:
                self._cancel()
                self._cancel = None

        return stop

    @callback
    def async_connected(self) -> None:
        """Tell a sensor that may be another one than before."""
        self._told = None
        self._async_soon()

    @callback
    def async_judge(self) -> None:
        """Look anew if the user has changed whether hints are given."""
        if self._given is not None and self._given != self._wanted:
            self._async_soon()

    @property
    def _wanted(self) -> bool:
        """Whether the user wants hints given."""
        return bool(self._entry.options.get(CONF_GIVE_HINTS, DEFAULT_GIVE_HINTS))

    @callback
    def _async_changed(self, _event: Event[Any]) -> None:
        """Notice that a registry has changed."""
        self._async_soon()

    @callback
    def _async_soon(self) -> None:
        """Look anew when changes have settled."""
        if self._cancel is None:
            self._cancel = async_call_later(self._hass, SETTLES, self._async_tell)

    async def _async_tell(self, _now: datetime) -> None:
        """Tell the sensor, one time after the other."""
        self._cancel = None
        async with self._telling:
            await self._tell()

    async def _tell(self) -> None:
        """Tell the sensor, if there is something else to tell than before; one that takes no orders is told none."""
        if self._is_read_only():
            return
        self._given = self._wanted
        hints = await self._hints() if self._given else {}
        if hints == self._told:
            return
        try:
            answer = await self._call(SetHints(hints))
        except SensorError as error:
            # Told with the next change or connection; an older sensor takes none.
            LOGGER.debug("The sensor takes no hints: %s", error)
        else:
            self._told = hints
            self._log_refused(answer)

    def _log_refused(self, answer: Any) -> None:
        """Say once what the sensor could not take; the rest holds."""
        refused = answer.get("refused", {}) if isinstance(answer, Mapping) else {}
        for who, why in refused.items():
            if (who, why) not in self._refused:
                LOGGER.warning("The sensor does not take all that is known of %s: %s", who, why)
        self._refused = set(refused.items())

    async def _hints(self) -> dict[str, Hint]:
        """Return what there is to say of the devices, by MAC."""
        registry = dr.async_get(self._hass)
        entries = self._speaking_entries()
        domains = {each.domain for each in entries.values()}
        integrations = await async_get_integrations(self._hass, domains)
        local = {
            entry_id
            for entry_id, each in entries.items()
            if _is_local(integrations.get(each.domain))
        }
        hints = {}
        for mac, device in self._devices.items():
            macs = {(dr.CONNECTION_NETWORK_MAC, each) for each in (mac, *device.other_macs)}
            known = [
                each for each in registry.async_get_devices(connections=macs) if not each.disabled
            ]
            hint = Hint(self._stays_home(known, entries, local), self._labels(known))
            if hint != Hint():
                hints[mac] = hint
        return hints

    def _stays_home(
        self, known: Iterable[dr.DeviceEntry], entries: Mapping[str, ConfigEntry], local: set[str]
    ) -> bool | None:
        """Return True for a device that all who speak with it reach in the home, None where that is not known.

        What plays media fetches it from the internet, whoever orders it to.
        """
        speaking = [each for each in known if each.config_entry_id in entries]
        if not speaking or any(each.config_entry_id not in local for each in speaking):
            return None
        entities = er.async_get(self._hass)
        plays = any(
            entity.domain == MEDIA_PLAYER_DOMAIN
            for device in speaking
            for entity in er.async_entries_for_device(entities, device.id, True)
        )
        return None if plays else True

    def _speaking_entries(self) -> dict[str, ConfigEntry]:
        """Return the entries of integrations that speak with their devices, rather than look at the network."""
        devices, entities = dr.async_get(self._hass), er.async_get(self._hass)

        def looks_at_the_network(entry: ConfigEntry) -> bool:
            """Tell whether an entry knows who is there, whoever that is."""
            on_the_network = [
                each
                for each in dr.async_entries_for_config_entry(devices, entry.entry_id)
                if isinstance(each, dr.DeviceEntry) and macs_of(each)
            ]
            return len(on_the_network) > MOST_DEVICES or any(
                each.domain == DEVICE_TRACKER_DOMAIN
                for each in er.async_entries_for_config_entry(entities, entry.entry_id)
            )

        return {
            entry.entry_id: entry
            for entry in self._hass.config_entries.async_entries(include_ignore=False)
            if entry.domain not in NETWORK_INTEGRATIONS and not looks_at_the_network(entry)
        }

    def _labels(self, known: Iterable[dr.DeviceEntry]) -> tuple[str, ...]:
        """Return the labels of a device, by their names and by what automations call them."""
        registry = lr.async_get(self._hass)
        found = {label_id for each in known for label_id in each.labels}
        names = {label.name for each in found if (label := registry.async_get_label(each))}
        usable = (each for each in found | names if each.isprintable() and len(each) <= _MAX_LABEL)
        return tuple(sorted(usable))[:_MAX_LABELS]


def _is_local(integration: Integration | Exception | None) -> bool:
    """Tell whether an integration reaches its devices in the home."""
    if not isinstance(integration, Integration):
        return False
    return (integration.iot_class or "").startswith(_LOCAL)
