"""Blueprints on a real home: packets stop, and go on, as a phone and a bedtime say."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, label_registry as lr
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.test_util.aiohttp import AiohttpClientMocker

from lab import DEVICES, Lab
from lab.home import SITES
from tests.homeassistant.blueprints import automate
from tests.homeassistant.household import CAMERA, known, reaches, until
from tests.homeassistant.phone import Phone, phone
from tests.homeassistant.test_blueprint_bedtime import DAYS
from tests.homeassistant.test_init import state
from tests.homeassistant.test_services import call

__all__ = ["phone"]

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("on_the_gateway")]

BAD = SITES["bad.example"].ipv4


@pytest.fixture(autouse=True)
async def house(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[None]:
    """A configuration folder of its own; no automation is left running."""
    hass.config.config_dir = str(tmp_path)
    yield
    await hass.services.async_call("automation", "turn_off", {"entity_id": "all"}, blocking=True)
    await hass.async_block_till_done()


async def test_something_grave_stops_the_cameras_packets_and_the_phone_lets_them_go_on(
    hass: HomeAssistant,
    gateway: ConfigEntry,
    lab: Lab,
    tmp_path: Path,
    aioclient_mock: AiohttpClientMocker,
    phone: Phone,
) -> None:
    switch = await known(hass, gateway, lab)
    inputs = {"phone": phone.device_id, "severity": "medium"}
    await automate(hass, aioclient_mock, "quarantine_on_event", **inputs)
    source = tmp_path / "list.txt"
    source.write_text(f"{BAD}\n")
    await call(hass, "add_feed", name="own", source=str(source))
    await reaches(lab, "camera", BAD)
    await until(lambda: state(hass, switch) == "on")
    assert not await reaches(lab, "camera")
    assert await reaches(lab, "tv")
    await until(lambda: bool(phone.told))
    message = phone.told[0]
    assert message["title"].endswith("is cut off")
    phone.press(message, "Let it back in")
    await until(lambda: state(hass, switch) == "off")
    assert await reaches(lab, "camera")
    await call(hass, "remove_feed", name="own")


async def test_bedtime_stops_the_childrens_packets_and_lets_them_go_on_by_itself(
    hass: HomeAssistant, gateway: ConfigEntry, lab: Lab, aioclient_mock: AiohttpClientMocker
) -> None:
    await known(hass, gateway, lab)
    label = lr.async_get(hass).async_create("Children").label_id
    registry = dr.async_get(hass)
    connection = (dr.CONNECTION_NETWORK_MAC, CAMERA)
    found = registry.async_get_device_by_connection(connection, gateway.entry_id)
    assert found is not None
    registry.async_update_device(found.id, labels={label})
    begin = (dt_util.now() + timedelta(seconds=3)).replace(microsecond=0)
    end = begin + timedelta(seconds=15)
    await automate(
        hass,
        aioclient_mock,
        "bedtime_internet",
        label=label,
        begin=begin.strftime("%H:%M:%S"),
        end=end.strftime("%H:%M:%S"),
        days=list(DAYS),
    )
    assert await reaches(lab, "camera")
    await until(lambda: len(gateway.runtime_data.blocks) == 1)
    # Home Assistant is away as it ends
    assert await hass.config_entries.async_unload(gateway.entry_id)
    assert not await reaches(lab, "camera")
    assert await reaches(lab, "camera", str(DEVICES["camera"].gateway[0])), "the home stays"
    assert await reaches(lab, "tv")
    while dt_util.now() < end + timedelta(seconds=1):
        await asyncio.sleep(0.2)
    assert await reaches(lab, "camera")
    assert await hass.config_entries.async_setup(gateway.entry_id)
