"""Names, areas and makers of devices."""

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, device_registry as dr
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hearthwall.const import DOMAIN
from custom_components.hearthwall.devices import device_name
from tests.devices import CAMERA
from tests.homeassistant.peer import Peer, device


@pytest.mark.parametrize(
    ("elsewhere", "fields", "expected"),
    [
        ("Garden camera", {"name": "Mine", "hostname": "cam", "vendor": "Acme"}, "Mine"),
        ("Garden camera", {"hostname": "cam", "vendor": "Acme"}, "Garden camera"),
        (None, {"hostname": "cam", "vendor": "Acme"}, "cam"),
        (None, {"vendor": "Acme"}, "Acme 53:21"),
        (None, {}, CAMERA),
    ],
)
def test_the_best_name_known(elsewhere: str | None, fields: dict[str, str], expected: str) -> None:
    assert device_name(device(CAMERA, **fields), elsewhere) == expected


@pytest.fixture
def other(hass: HomeAssistant) -> MockConfigEntry:
    """Another integration, which knows the camera."""
    other = MockConfigEntry(domain="other")
    other.add_to_hass(hass)
    return other


def camera(hass: HomeAssistant, entry: MockConfigEntry) -> dr.DeviceEntry:
    found = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, f"{entry.entry_id}_{CAMERA}"), entry.entry_id
    )
    assert found is not None
    return found


def elsewhere(hass: HomeAssistant, other: MockConfigEntry, name: str) -> dr.DeviceEntry:
    return dr.async_get(hass).async_get_or_create(
        config_entry_id=other.entry_id,
        connections={(dr.CONNECTION_NETWORK_MAC, CAMERA)},
        name=name,
    )


async def test_name_and_area_come_from_the_integration_that_knows_more(
    hass: HomeAssistant, other: MockConfigEntry, entry: MockConfigEntry
) -> None:
    area = ar.async_get(hass).async_create("Garden")
    known = elsewhere(hass, other, "Garden camera")
    dr.async_get(hass).async_update_device(known.id, area_id=area.id)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert camera(hass, entry).name == "Garden camera"
    assert camera(hass, entry).area_id == area.id
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_better_name_is_taken_over_later(
    hass: HomeAssistant, other: MockConfigEntry, loaded: MockConfigEntry, peer: Peer
) -> None:
    assert camera(hass, loaded).name == "camera"
    await peer.tell(devices=[device(CAMERA, hostname="porch")])
    assert camera(hass, loaded).name == "porch"
    known = elsewhere(hass, other, "Garden camera")
    await hass.async_block_till_done()
    assert camera(hass, loaded).name == "Garden camera"
    dr.async_get(hass).async_update_device(known.id, name_by_user="Spy")
    await hass.async_block_till_done()
    assert camera(hass, loaded).name == "Spy"
    await peer.tell(devices=[device(CAMERA, name="Mine", hostname="porch", vendor="Acme")])
    assert camera(hass, loaded).name == "Mine"
    assert camera(hass, loaded).manufacturer == "Acme"
    await peer.tell(devices=[device(CAMERA, hostname="porch", vendor="Acme")])
    assert camera(hass, loaded).name == "Spy", "the name was taken back"


async def test_the_users_own_name_stands_above_all(
    hass: HomeAssistant, other: MockConfigEntry, loaded: MockConfigEntry, peer: Peer
) -> None:
    dr.async_get(hass).async_update_device(camera(hass, loaded).id, name_by_user="Mine")
    elsewhere(hass, other, "Garden camera")
    await peer.tell(devices=[device(CAMERA, name="Not mine", hostname="porch")])
    assert camera(hass, loaded).name_by_user == "Mine"
    assert hass.states.get("switch.camera_quarantine").name == "Mine Quarantine"


@pytest.mark.parametrize("name", [CAMERA, "00-00-5E-00-53-21", "00005e005321"])
async def test_a_mac_is_no_name(
    hass: HomeAssistant, other: MockConfigEntry, entry: MockConfigEntry, name: str
) -> None:
    elsewhere(hass, other, name)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert camera(hass, entry).name == "camera"
    await hass.config_entries.async_unload(entry.entry_id)


async def test_devices_lie_behind_the_gateway(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    gateway = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, loaded.entry_id), loaded.entry_id
    )
    assert gateway is not None
    assert camera(hass, loaded).via_device_id == gateway.id
    assert camera(hass, loaded).connections == {(dr.CONNECTION_NETWORK_MAC, CAMERA)}
