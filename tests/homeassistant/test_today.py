"""What each device has moved since midnight."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.hearthwall.today import Today
from tests.devices import CAMERA, PHONE, TV
from tests.homeassistant.peer import Peer, device

BERLIN = ZoneInfo("Europe/Berlin")
LONG_AGO = 1_700_000_000.0


class Clock:
    """The wall clock of a home, which Home Assistant's timers follow."""

    def __init__(self, hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
        self._hass = hass
        self._freezer = freezer

    async def set(self, *when: int, fold: int = 0, zone: ZoneInfo = BERLIN) -> None:
        """Let it be a time in the home's own time zone."""
        moment = datetime(*when, tzinfo=zone, fold=fold)  # type: ignore[misc, arg-type]
        self._freezer.move_to(moment.astimezone(ZoneInfo("UTC")))
        async_fire_time_changed(self._hass, moment + timedelta(milliseconds=600))
        await self._hass.async_block_till_done()


@pytest.fixture
async def clock(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> Clock:
    """A clock that shows noon of an ordinary day in Berlin."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    clock = Clock(hass, freezer)
    await clock.set(2026, 6, 15, 12)
    return clock


class Home:
    """The totals of the day of a home, as its gateway's hub has them."""

    def __init__(self, hass: HomeAssistant, entry: MockConfigEntry) -> None:
        self._hass = hass
        self._entry = entry
        self.is_connected = True
        self.midnights = 0
        self.today = self._make()

    def _make(self) -> Today:
        return Today(self._hass, self._entry, lambda: self.is_connected, self._midnight)

    def _midnight(self) -> None:
        self.midnights += 1

    async def begin(self) -> None:
        await self.today.async_load()
        self.end = self.today.async_follow()

    async def restart(self) -> None:
        """End Home Assistant and begin it again."""
        self.end()
        await self.today.async_save()
        self.today = self._make()
        await self.begin()

    def tell(self, mac: str, upload: int, download: int = 0, **fields: Any) -> None:
        fields = {"first_seen": LONG_AGO} | fields
        told = device(mac, upload_bytes=upload, download_bytes=download, **fields)
        self.today.async_take([told])


@pytest.fixture
async def home(hass: HomeAssistant, clock: Clock, hass_storage: dict[str, Any]) -> Any:
    """A home whose day has begun."""
    entry = MockConfigEntry(domain="hearthwall")
    entry.add_to_hass(hass)
    home = Home(hass, entry)
    await home.begin()
    yield home
    home.end()


async def test_a_day_begins_with_the_first_figure_and_anew_at_midnight(
    home: Home, clock: Clock
) -> None:
    assert home.today.moved(CAMERA) == (0, 0)
    home.tell(CAMERA, 1_000, 5_000)
    assert home.today.moved(CAMERA) == (0, 0), "what it moved before is not of this day"
    home.tell(CAMERA, 1_010, 5_200)
    assert home.today.moved(CAMERA) == (10, 200)
    await clock.set(2026, 6, 15, 23, 59, 58)
    assert home.today.moved(CAMERA) == (10, 200)
    await clock.set(2026, 6, 16, 0, 0, 0)
    assert home.today.moved(CAMERA) == (0, 0)
    assert home.midnights == 1
    home.tell(CAMERA, 1_011, 5_200)
    assert home.today.moved(CAMERA) == (1, 0)


async def test_a_device_that_came_today_has_moved_all_of_it_today(home: Home) -> None:
    home.tell(PHONE, 300, 700, first_seen=dt_util.start_of_local_day().timestamp())
    assert home.today.moved(PHONE) == (300, 700)
    home.tell(TV, 300, 700, first_seen=dt_util.start_of_local_day().timestamp() - 1)
    assert home.today.moved(TV) == (0, 0)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", (2026, 3, 29), 23),
        ("Europe/Berlin", (2026, 10, 25), 25),
        # Clocks are put forward at midnight: there is no 00:00
        ("America/Santiago", (2026, 9, 6), 23),
    ],
)
async def test_days_when_clocks_are_put_forward_and_back(
    hass: HomeAssistant, home: Home, clock: Clock, zone: str, day: tuple[int, ...], hours: int
) -> None:
    await hass.config.async_set_time_zone(zone)
    there = ZoneInfo(zone)
    noon_before = datetime(*day, 12, tzinfo=there) - timedelta(days=1)  # type: ignore[misc, arg-type]
    await clock.set(*noon_before.timetuple()[:5], zone=there)
    await home.restart()
    home.tell(CAMERA, 0)
    home.tell(CAMERA, 10)
    begin = datetime(*day, tzinfo=there).astimezone(ZoneInfo("UTC"))  # type: ignore[misc, arg-type]
    utc = ZoneInfo("UTC")
    await clock.set(*(begin - timedelta(seconds=2)).timetuple()[:6], zone=utc)
    assert home.today.moved(CAMERA) == (10, 0)
    await clock.set(*begin.timetuple()[:6], zone=utc)
    assert home.today.moved(CAMERA) == (0, 0)
    home.tell(CAMERA, 15)
    end = begin + timedelta(hours=hours)
    await clock.set(*(end - timedelta(seconds=2)).timetuple()[:6], zone=utc)
    assert home.today.moved(CAMERA) == (5, 0), "it is the same day"
    await clock.set(*end.timetuple()[:6], zone=utc)
    assert home.today.moved(CAMERA) == (0, 0)


async def test_another_time_zone_may_be_another_day(
    hass: HomeAssistant, home: Home, clock: Clock
) -> None:
    home.tell(CAMERA, 0)
    home.tell(CAMERA, 10)
    await hass.config.async_update(time_zone="Europe/Paris")
    await hass.async_block_till_done()
    assert home.today.moved(CAMERA) == (10, 0)
    await hass.config.async_update(time_zone="Pacific/Kiritimati")
    await hass.async_block_till_done()
    assert home.today.moved(CAMERA) == (0, 0), "there it is tomorrow already"


async def test_a_restart_on_the_same_day_loses_nothing(home: Home) -> None:
    home.tell(CAMERA, 1_000)
    home.tell(CAMERA, 1_010)
    await home.restart()
    assert home.today.moved(CAMERA) == (10, 0)
    home.tell(CAMERA, 1_300)
    assert home.today.moved(CAMERA) == (300, 0), "what it moved meanwhile is of this day, too"


async def test_home_assistant_was_off_over_midnight(home: Home, clock: Clock) -> None:
    home.tell(CAMERA, 1_000)
    home.tell(CAMERA, 1_010)
    await home.today.async_save()
    home.end()
    await clock.set(2026, 6, 16, 7)
    await home.restart()
    assert home.today.moved(CAMERA) == (0, 0)
    home.tell(CAMERA, 9_000)
    assert home.today.moved(CAMERA) == (0, 0), "nobody knows what of it was moved after midnight"
    home.tell(CAMERA, 9_001)
    assert home.today.moved(CAMERA) == (1, 0)


async def test_the_sensor_was_away_at_midnight(home: Home, clock: Clock) -> None:
    home.tell(CAMERA, 1_000)
    home.is_connected = False
    await clock.set(2026, 6, 16, 0, 0, 0)
    home.is_connected = True
    home.tell(CAMERA, 5_000)
    assert home.today.moved(CAMERA) == (0, 0)
    home.tell(CAMERA, 5_050)
    assert home.today.moved(CAMERA) == (50, 0)


async def test_a_forgotten_device_begins_at_nothing(
    home: Home, hass_storage: dict[str, Any]
) -> None:
    now = dt_util.utcnow().timestamp()
    home.tell(CAMERA, 1_000)
    home.tell(CAMERA, 1_500)
    home.today.async_take([], [CAMERA])
    assert home.today.moved(CAMERA) == (0, 0)
    await home.today.async_save()
    assert CAMERA not in str(hass_storage), "it is forgotten on disk, too"
    home.tell(CAMERA, 70, first_seen=now)
    assert home.today.moved(CAMERA) == (70, 0)


@pytest.mark.parametrize("upload", [70, 70_000])
async def test_it_was_forgotten_while_nobody_listened(home: Home, upload: int) -> None:
    home.tell(CAMERA, 1_000)
    home.tell(CAMERA, 1_500)
    home.today.async_take_all(
        [device(CAMERA, upload_bytes=upload, first_seen=dt_util.utcnow().timestamp())]
    )
    assert home.today.moved(CAMERA) == (upload, 0), "smaller or larger: it is another count"


@pytest.mark.parametrize("is_told_of", [True, False])
async def test_merged_and_split_again(home: Home, is_told_of: bool) -> None:
    home.tell(CAMERA, 1_000, 10_000)
    home.tell(CAMERA, 1_010, 10_100)
    if is_told_of:
        home.tell(TV, 50_000)
        home.tell(TV, 50_005)
    merged = {"first_seen": LONG_AGO - 5, "other_macs": (TV,)}
    told = device(CAMERA, upload_bytes=51_015, download_bytes=10_100, **merged)
    home.today.async_take([told], [TV])
    expected = 15 if is_told_of else 10
    assert home.today.moved(CAMERA) == (expected, 100), "not all that the other one ever moved"
    assert home.today.moved_of(told) == (expected, 100)
    home.tell(CAMERA, 51_017, 10_100, **merged)
    assert home.today.moved(CAMERA) == (expected + 2, 100)
    home.tell(CAMERA, 1_012, 10_100)
    home.tell(TV, 50_005)
    assert home.today.moved(CAMERA) == (expected + 2, 100)
    assert home.today.moved(TV) == (0, 0)
    home.tell(CAMERA, 1_013, 10_100)
    assert home.today.moved(CAMERA) == (expected + 3, 100)


async def test_a_row_is_told_of_what_it_shows(home: Home) -> None:
    home.tell(CAMERA, 1_000)
    assert home.today.moved_of(device(CAMERA, upload_bytes=1_200)) == (200, 0)
    assert home.today.moved_of(device(TV, upload_bytes=1_200)) == (0, 0)


async def test_a_row_of_what_was_just_merged_does_not_show_all_that_the_other_one_moved(
    home: Home,
) -> None:
    home.tell(CAMERA, 1_000)
    home.tell(CAMERA, 1_010)
    merged = device(CAMERA, upload_bytes=51_015, other_macs=(TV,))
    assert home.today.moved_of(merged) == (10, 0), "until the totals know of it, too"


async def test_the_hub_keeps_them_over_a_reload_and_forgets_them_with_the_entry(
    hass: HomeAssistant, peer: Peer, loaded: MockConfigEntry, hass_storage: dict[str, Any]
) -> None:
    old = {"first_seen": LONG_AGO, "hostname": "camera"}
    await peer.tell(devices=[device(CAMERA, upload_bytes=1_000, **old)])
    assert loaded.runtime_data.today.moved(CAMERA) == (1_000, 0), "the snapshot said nothing yet"
    peer.devices = [device(CAMERA, upload_bytes=1_500, **old)]
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done()
    assert loaded.runtime_data.today.moved(CAMERA) == (1_500, 0)
    (row,) = (
        await hass.services.async_call(
            "hearthwall", "get_devices", blocking=True, return_response=True
        )
    )["devices"]
    assert (row["upload_today"], row["download_today"]) == (1_500, 0)
    assert f"hearthwall.{loaded.entry_id}.today" in hass_storage
    await hass.config_entries.async_remove(loaded.entry_id)
    await hass.async_block_till_done()
    assert f"hearthwall.{loaded.entry_id}.today" not in hass_storage
