"""No internet at bedtime: the blueprint's evenings, nights and mornings."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import device_registry as dr, label_registry as lr
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.test_util.aiohttp import AiohttpClientMocker

from custom_components.hearthwall.bpf.hearthwall_sensor.requests import AddBlock
from tests.devices import CAMERA, TV
from tests.homeassistant.blueprints import automate
from tests.homeassistant.peer import Peer
from tests.homeassistant.test_blueprints import SOON, house
from tests.homeassistant.test_init import wait_for
from tests.homeassistant.test_services import call

__all__ = ["house"]


@pytest.fixture
def children(hass: HomeAssistant, loaded: MockConfigEntry) -> str:
    """A label that the camera and the TV have."""
    label = lr.async_get(hass).async_create("Children").label_id
    registry = dr.async_get(hass)
    for mac in (CAMERA, TV):
        connection = (dr.CONNECTION_NETWORK_MAC, mac)
        found = registry.async_get_device_by_connection(connection, loaded.entry_id)
        assert found is not None
        registry.async_update_device(found.id, labels={label})
    return label


def night(begins_in: timedelta, lasts: timedelta) -> dict[str, Any]:
    """Return the inputs of a night that begins so long from now, on this very day of the week."""
    begin = (dt_util.now() + begins_in).replace(microsecond=0)
    return {
        "begin": begin.strftime("%H:%M:%S"),
        "end": (begin + lasts).strftime("%H:%M:%S"),
        "days": [DAYS[begin.weekday()]],
    }


DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TEN_HOURS = timedelta(hours=10)


async def test_bedtime_begins_on_its_days_and_ends_by_itself(
    hass: HomeAssistant, peer: Peer, aioclient_mock: AiohttpClientMocker, children: str
) -> None:
    inputs = night(SOON, TEN_HOURS)
    await automate(hass, aioclient_mock, "bedtime_internet", label=children, **inputs)
    await wait_for(lambda: len(peer.orders(AddBlock)) == 2)
    orders = peer.orders(AddBlock)
    assert {each.target for each in orders} == {CAMERA, TV}
    for each in orders:
        assert (each.mode, each.reason) == ("no_internet", "Bedtime")
        assert abs(each.duration - 10 * 3600) < 10, "the sensor ends it at the end"


async def test_other_evenings_are_free(
    hass: HomeAssistant, peer: Peer, aioclient_mock: AiohttpClientMocker, children: str
) -> None:
    inputs = night(SOON, TEN_HOURS)
    inputs["days"] = [day for day in DAYS if day not in inputs["days"]]
    await automate(hass, aioclient_mock, "bedtime_internet", label=children, **inputs)
    await asyncio.sleep(2.5)
    await hass.async_block_till_done()
    assert not peer.orders(AddBlock)


async def test_who_is_cut_off_for_longer_stays_so(
    hass: HomeAssistant, peer: Peer, aioclient_mock: AiohttpClientMocker, children: str
) -> None:
    await call(hass, "quarantine", entity_id="switch.camera_quarantine")
    await call(hass, "quarantine", entity_id="switch.acme_53_13_quarantine", duration="2h")
    inputs = night(SOON, TEN_HOURS)
    await automate(hass, aioclient_mock, "bedtime_internet", label=children, **inputs)
    await wait_for(lambda: len(peer.orders(AddBlock)) == 3)
    await asyncio.sleep(0.2)
    assert len(peer.orders(AddBlock)) == 3
    order = peer.orders(AddBlock)[-1]
    assert (order.target, order.mode) == (TV, "isolate"), "not less than it was, and until the end"
    assert abs(order.duration - 10 * 3600) < 10


@pytest.mark.parametrize(
    ("began", "lasts", "left"), [(2, 10, 8), (9, 10, 1), (23, 23.5, 0.5), (3, 2, None)]
)
async def test_a_night_that_began_without_home_assistant_is_caught_up_with_once(
    hass: HomeAssistant,
    peer: Peer,
    aioclient_mock: AiohttpClientMocker,
    children: str,
    began: float,
    lasts: float,
    left: float | None,
) -> None:
    inputs = night(-timedelta(hours=began), timedelta(hours=lasts))
    entity_id = await automate(hass, aioclient_mock, "bedtime_internet", label=children, **inputs)
    automation = {"entity_id": entity_id}
    for _ in range(2):
        await hass.services.async_call("automation", "turn_off", automation, blocking=True)
        hass.set_state(CoreState.starting)
        await hass.services.async_call("automation", "turn_on", automation, blocking=True)
        hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
        hass.set_state(CoreState.running)
        await asyncio.sleep(0.3)
        await hass.async_block_till_done()
    orders = peer.orders(AddBlock)
    assert len(orders) == (0 if left is None else 2), "once for each device"
    assert all(abs(each.duration - (left or 0) * 3600) < 10 for each in orders)
