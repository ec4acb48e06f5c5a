"""Long-term statistics by a real recorder: over restarts of either side, and totals that began anew."""

import logging
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
    statistics_during_period,
)

from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import Device
from tests.devices import CAMERA
from tests.homeassistant.peer import Peer, device
from tests.homeassistant.test_init import wait_for

TOTAL = "sensor.camera_total_download"
RATE = "sensor.camera_download_rate"
PERIOD = timedelta(minutes=5)


class Statistics:
    """The recorder's statistics: five minutes pass whenever they are compiled."""

    def __init__(self, hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
        self._hass = hass
        now = dt_util.utcnow()
        self._start = now.replace(minute=now.minute - now.minute % 5, second=0, microsecond=0)
        self._start += PERIOD
        self._ahead = (self._start - now).total_seconds() + 1
        real = time.time
        for module, name in ((time, "time"), (entity, "timer")):
            monkeypatch.setattr(module, name, lambda: real() + self._ahead)

    async def compile(self) -> dict[str, dict[str, Any]]:
        """Compile what was recorded in these five minutes; return the newest row of each entity."""
        await async_wait_recording_done(self._hass)
        do_adhoc_statistics(self._hass, start=self._start)
        await async_wait_recording_done(self._hass)
        found = statistics_during_period(self._hass, self._start, period="5minute")
        self._start += PERIOD
        self._ahead += PERIOD.total_seconds()
        return {entity_id: rows[-1] for entity_id, rows in found.items()}


@pytest.fixture(autouse=True, scope="module")
def quiet_database() -> Iterator[None]:
    """Do not tell each statement: Home Assistant's own fixtures have that done."""
    logger = logging.getLogger("sqlalchemy.engine")
    level = logger.level
    logger.setLevel(logging.WARNING)
    yield
    logger.setLevel(level)


@pytest.fixture
async def mock_recorder_before_hass(async_test_recorder: Any) -> None:
    """Have the database before there is a Home Assistant."""


@pytest.fixture
async def statistics(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    monkeypatch: pytest.MonkeyPatch,
) -> Statistics:
    """The recorder's statistics."""
    return Statistics(hass, monkeypatch)


def camera(megabytes: float, rate: float = 0.0) -> Device:
    """Return a camera that has fetched so much."""
    fetched = int(megabytes * 1_000_000)
    return device(CAMERA, hostname="camera", download_bytes=fetched, download_rate=rate)


async def begin_at(
    hass: HomeAssistant, entry: MockConfigEntry, peer: Peer, megabytes: float
) -> None:
    """Set the entry up with a camera that has fetched so much already, and write whatever changes."""
    hass.config_entries.async_update_entry(entry, options={"write_interval": 0})
    peer.devices = [camera(megabytes)]
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()


async def test_what_was_moved_before_is_no_part_of_it(
    hass: HomeAssistant, statistics: Statistics, entry: MockConfigEntry, peer: Peer
) -> None:
    await begin_at(hass, entry, peer, 5_000)
    await peer.tell(devices=[camera(5_010, rate=250_000.0)])
    compiled = await statistics.compile()
    assert compiled[TOTAL]["state"] == 5_010
    assert compiled[TOTAL]["sum"] == 10
    assert compiled[RATE]["max"] == 250
    await peer.tell(devices=[camera(5_012.5)])
    assert (await statistics.compile())[TOTAL]["sum"] == 12.5
    await hass.config_entries.async_unload(entry.entry_id)


async def test_home_assistant_was_away(
    hass: HomeAssistant, statistics: Statistics, entry: MockConfigEntry, peer: Peer
) -> None:
    """What was moved meanwhile is in the first sum afterwards."""
    await begin_at(hass, entry, peer, 100)
    assert (await statistics.compile())[TOTAL]["sum"] == 0
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    await statistics.compile()
    peer.devices = [camera(130)]
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert (await statistics.compile())[TOTAL]["sum"] == 30
    await peer.tell(devices=[camera(131)])
    assert (await statistics.compile())[TOTAL]["sum"] == 31
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize(
    ("afterwards", "expected"),
    [
        pytest.param(120, 20, id="it kept its totals, as it does"),
        pytest.param(3, 3, id="its totals began anew"),
        pytest.param(0, 0, id="and nothing was moved since"),
    ],
)
async def test_the_sensor_was_away(
    hass: HomeAssistant,
    statistics: Statistics,
    entry: MockConfigEntry,
    peer: Peer,
    afterwards: float,
    expected: float,
) -> None:
    await begin_at(hass, entry, peer, 100)
    await statistics.compile()
    await peer.stop()
    await wait_for(lambda: not entry.runtime_data.available)
    peer.devices = [camera(afterwards)]
    await peer.start()
    await wait_for(lambda: entry.runtime_data.available)
    await hass.async_block_till_done()
    assert (await statistics.compile())[TOTAL]["sum"] == expected
    await peer.tell(devices=[camera(afterwards + 7)])
    assert (await statistics.compile())[TOTAL]["sum"] == expected + 7
    await hass.config_entries.async_unload(entry.entry_id)


async def test_the_last_total_before_a_stop_is_not_lost_though_it_was_not_written(
    hass: HomeAssistant, statistics: Statistics, entry: MockConfigEntry, peer: Peer
) -> None:
    await begin_at(hass, entry, peer, 100)
    hass.config_entries.async_update_entry(entry, options={"write_interval": 3600})
    await peer.tell(devices=[camera(101)])
    await peer.tell(devices=[camera(150)])
    assert (await statistics.compile())[TOTAL]["sum"] == 1, "50 waits for its time"
    peer.devices = [camera(150)]
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert (await statistics.compile())[TOTAL]["sum"] == 50
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_device_that_was_removed_goes_on_where_it_was(
    hass: HomeAssistant, statistics: Statistics, entry: MockConfigEntry, peer: Peer
) -> None:
    """Removed for its silence, not forgotten by the sensor: its totals go on, and so do its statistics."""
    await begin_at(hass, entry, peer, 100)
    await statistics.compile()
    entry.runtime_data.devices[CAMERA] = device(CAMERA, last_seen=1_000.0)
    newer = device("00:00:5e:00:53:99", last_seen=time.time())
    await peer.tell(devices=[newer])
    entry.runtime_data._async_judge_presence(None)
    await hass.async_block_till_done()
    assert hass.states.get(TOTAL) is None
    await statistics.compile()
    await peer.tell(devices=[camera(160)])
    await hass.async_block_till_done()
    assert hass.states.get(TOTAL) is not None
    assert (await statistics.compile())[TOTAL]["sum"] == 60
    await hass.config_entries.async_unload(entry.entry_id)
