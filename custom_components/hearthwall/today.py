"""What each device has moved since midnight, in the time zone of Home Assistant's user."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_CORE_CONFIG_UPDATE
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from .bpf.hearthwall_sensor.protocol import Device
from .const import DOMAIN

_STORAGE_VERSION: Final = 1
#: What totals a day began with is noted on disk at the latest after so many seconds.
_SAVE_DELAY: Final = 5.0


@dataclass(slots=True)
class _Morning:
    """The totals that a device began its day with, and those that were told last."""

    upload: int
    download: int
    upload_now: int
    download_now: int
    first_seen: float
    other_macs: tuple[str, ...]

    @property
    def moved(self) -> tuple[int, int]:
        """Return upload and download since then."""
        return self.upload_now - self.upload, self.download_now - self.download


class Today:
    """The totals of the day. The sensor counts for good, so that only what there was at midnight is kept."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        is_current: Callable[[], bool],
        on_midnight: CALLBACK_TYPE,
    ) -> None:
        """Take what tells whether the sensor's word is its last, and what to call when a day begins."""
        self._hass = hass
        self._is_current = is_current
        self._store = _store(hass, entry)
        self._on_midnight = on_midnight
        self._mornings: dict[str, _Morning] = {}
        self._cancel_timer: CALLBACK_TYPE | None = None
        self.day = date.min

    async def async_load(self) -> None:
        """Read what an earlier run noted of this day; what it noted of another one is of no use."""
        self.day = dt_util.now().date()
        kept = await self._store.async_load()
        if kept is not None and kept["day"] == self.day.isoformat():
            self._mornings = {
                mac: _Morning(**fields | {"other_macs": tuple(fields["other_macs"])})
                for mac, fields in kept["devices"].items()
            }

    async def async_save(self) -> None:
        """Note what this day began with."""
        await self._store.async_save(self._kept())

    @callback
    def async_follow(self) -> CALLBACK_TYPE:
        """Begin each day at midnight, wherever that is; return what ends it."""

        @callback
        def moved_house(_: Event[Any]) -> None:
            """Look what day it is in a new time zone."""
            self._async_look(dt_util.utcnow())

        unsubscribe = self._hass.bus.async_listen(EVENT_CORE_CONFIG_UPDATE, moved_house)
        self._async_look(dt_util.utcnow())

        @callback
        def end() -> None:
            unsubscribe()
            if self._cancel_timer is not None:
                self._cancel_timer()

        return end

    @callback
    def _async_look(self, _now: datetime) -> None:
        """Begin a day if it is another one, and wait for the next."""
        if self._cancel_timer is not None:
            self._cancel_timer()
        day = dt_util.now().date()
        # Where clocks are put forward at midnight, the day begins at one o'clock: the same moment.
        midnight = dt_util.as_utc(dt_util.start_of_local_day(day + timedelta(days=1)))
        self._cancel_timer = async_track_point_in_utc_time(self._hass, self._async_look, midnight)
        if day == self.day:
            return
        self.day = day
        if self._is_current():
            for each in self._mornings.values():
                each.upload, each.download = each.upload_now, each.download_now
        else:
            self._mornings.clear()  # when the sensor is back, what it counted by then is of two days
        self._async_note()
        self._on_midnight()

    def moved(self, mac: str) -> tuple[int, int]:
        """Return the bytes that a device has uploaded and downloaded since midnight."""
        morning = self._mornings.get(mac)
        return (0, 0) if morning is None else morning.moved

    def moved_of(self, device: Device) -> tuple[int, int]:
        """Return the same of a device that may be told of later than what was taken here."""
        morning = self._mornings.get(device.mac)
        if morning is None or morning.other_macs != device.other_macs:
            return self.moved(device.mac)
        return (
            max(device.upload_bytes - morning.upload, 0),
            max(device.download_bytes - morning.download, 0),
        )

    @callback
    def async_take(self, devices: Iterable[Device], gone: Iterable[str] = ()) -> None:
        """Take what devices have moved, and forget those that are gone."""
        began = dt_util.start_of_local_day(self.day).timestamp()
        for device in devices:
            before = self._mornings.get(device.mac)
            if before is None or _is_begun_anew(before, device):
                is_new = device.first_seen >= began
                up, down = (0, 0) if is_new else (device.upload_bytes, device.download_bytes)
            else:
                up, down = self._continued(before, device)
            after = _Morning(
                up,
                down,
                device.upload_bytes,
                device.download_bytes,
                device.first_seen,
                device.other_macs,
            )
            self._mornings[device.mac] = after
            if before is None or (before.upload, before.download) != (up, down):
                self._async_note()
        for mac in gone:
            if self._mornings.pop(mac, None) is not None:
                self._async_note()

    @callback
    def async_take_all(self, devices: Iterable[Device]) -> None:
        """Take what all devices have moved; no others are there."""
        devices = list(devices)
        self.async_take(devices, self._mornings.keys() - {device.mac for device in devices})

    def _continued(self, before: _Morning, device: Device) -> tuple[int, int]:
        """Return what a known device began its day with, whatever the user merged into it or split off."""
        total = (device.upload_bytes, device.download_bytes)
        joined = set(device.other_macs) - set(before.other_macs)
        if set(before.other_macs) - set(device.other_macs):
            # Nobody knows whose it was: the one that is left has moved it
            up, down = map(min, before.moved, total, strict=True)
            return total[0] - up, total[1] - down
        if not joined:
            return before.upload, before.download
        others = [each for mac in joined if (each := self._mornings.get(mac)) is not None]
        if not others:
            return total[0] - before.moved[0], total[1] - before.moved[1]
        return (
            before.upload + sum(each.upload for each in others),
            before.download + sum(each.download for each in others),
        )

    @callback
    def _async_note(self) -> None:
        """Have it written to disk soon."""
        self._store.async_delay_save(self._kept, _SAVE_DELAY)

    def _kept(self) -> dict[str, Any]:
        """Return what is noted."""
        devices = {mac: asdict(each) for mac, each in self._mornings.items()}
        return {"day": self.day.isoformat(), "devices": devices}


def _is_begun_anew(before: _Morning, device: Device) -> bool:
    """Tell whether a device's totals are not those that they were: it was forgotten, and spoke again."""
    if set(before.other_macs) - set(device.other_macs):
        return False
    fell = device.upload_bytes < before.upload_now or device.download_bytes < before.download_now
    return fell or device.first_seen > before.first_seen


async def async_forget_today(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Remove what is on disk for an entry."""
    await _store(hass, entry).async_remove()


def _store(hass: HomeAssistant, entry: ConfigEntry) -> Store[dict[str, Any]]:
    """Return the file that notes what an entry's day began with."""
    return Store(hass, _STORAGE_VERSION, f"{DOMAIN}.{entry.entry_id}.today")
