"""The devices of the home as an action answers them, and what Home Assistant makes of merged and forgotten ones."""

from time import time
from typing import Any

import pytest
import voluptuous as vol
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import Context, Event, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import Fingerprint, SensorError
from custom_components.hearthwall.bpf.hearthwall_sensor.requests import (
    AddBlock,
    ForgetDevice,
    GetFlows,
)
from custom_components.hearthwall.const import DOMAIN
from tests.devices import CAMERA, PHONE, TV
from tests.homeassistant.peer import Peer, device, flow
from tests.homeassistant.test_devices import camera
from tests.homeassistant.test_flows import FIRMWARE, second
from tests.homeassistant.test_init import state
from tests.homeassistant.test_services import call

__all__ = ["second"]

DAY = 86400.0


@pytest.fixture(autouse=True)
def household(peer: Peer) -> None:
    """A camera, a TV that was silent for long, and a phone that Home Assistant has no device for yet."""
    now = time()
    peer.devices = [
        device(TV, vendor="Acme", last_seen=now - 2 * DAY),
        device(
            CAMERA,
            name="Porch camera",
            hostname="cam",
            vendor="Vendor",
            addresses=("192.168.20.21", "2001:db8::21"),
            last_seen=now - 60,
            fingerprint=Fingerprint((1, 3, 6), "udhcp 1.36"),
        ),
        device(PHONE, randomised=True, hostname="phone", last_seen=now - 10, addresses=()),
    ]


async def listed(hass: HomeAssistant, **data: Any) -> list[str]:
    """Return the MACs in an answer, in its order."""
    return [each["mac"] for each in (await call(hass, "get_devices", **data))["devices"]]


async def test_all_devices_those_seen_last_first_with_the_users_names(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    devices = (await call(hass, "get_devices"))["devices"]
    assert [each["name"] for each in devices] == ["phone", "Porch camera", "Acme 53:13"]
    assert devices[0]["device_id"] is None, "it has not sent enough yet"
    assert devices[1] == peer.devices[1].to_wire() | {
        "upload_today": 0,
        "download_today": 0,
        "name": "Porch camera",
        "device_id": camera(hass, loaded).id,
        "config_entry_id": loaded.entry_id,
        "gateway": "Home",
    }
    dr.async_get(hass).async_update_device(camera(hass, loaded).id, name_by_user="Spy")
    devices = (await call(hass, "get_devices"))["devices"]
    assert devices[1]["name"] == "Spy"


async def test_what_the_sensor_counts_now_is_told(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    peer.devices = [device(CAMERA, upload_bytes=7_000_000)]
    (found,) = (await call(hass, "get_devices"))["devices"]
    assert found["upload_bytes"] == 7_000_000


async def test_filters(hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer) -> None:
    entity_id = "switch.porch_camera_quarantine"
    assert await listed(hass, entity_id=entity_id) == [CAMERA]
    assert await listed(hass, since="1d") == [PHONE, CAMERA]
    assert await listed(hass, since={"active_choice": "ago", "ago": {"seconds": 30}}) == [PHONE]
    assert await listed(hass, limit=1) == [PHONE]
    assert await listed(hass, entity_id=entity_id, since="30s") == []
    assert await listed(hass, config_entry_id=loaded.entry_id) == [PHONE, CAMERA, TV]
    assert not peer.orders(GetFlows)


async def test_who_talked_to_a_peer(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    now = time()
    peer.flows = [
        flow(CAMERA, FIRMWARE, "firmware.vendor.example", last_seen=now - 50),
        flow(CAMERA, FIRMWARE, "firmware.vendor.example", last_seen=now - 70),
        flow(PHONE, FIRMWARE, "firmware.vendor.example", last_seen=now - 7200),
        flow(PHONE, "203.0.113.30", "video.example", last_seen=now),
    ]
    assert await listed(hass, peer="*.vendor.example") == [PHONE, CAMERA]
    assert await listed(hass, peer=FIRMWARE, since="1h") == [CAMERA]
    assert await listed(hass, peer="192.0.2.0/24") == []
    entity_id = "switch.porch_camera_quarantine"
    assert await listed(hass, peer="video.example", entity_id=entity_id) == []
    assert await listed(hass, peer="vendor.example") == []


async def test_several_gateways_are_joined(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, second: tuple[MockConfigEntry, Peer]
) -> None:
    entry, _ = second
    devices = (await call(hass, "get_devices", since="1h"))["devices"]
    assert [(each["gateway"], each["mac"]) for each in devices] == [
        ("Home", PHONE),
        ("Garden", PHONE),
        ("Home", CAMERA),
    ]
    assert await listed(hass, config_entry_id=entry.entry_id) == [PHONE]


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"peer": "camera"}, "invalid_peer"),
        ({"since": "soon"}, "invalid_since"),
        ({"label_id": "nobody"}, "no_devices"),
        ({"entity_id": "light.lamp"}, "not_a_device"),
    ],
)
async def test_bad_input_is_refused_in_words(
    hass: HomeAssistant, loaded: MockConfigEntry, data: dict[str, Any], key: str
) -> None:
    with pytest.raises(ServiceValidationError) as raised:
        await call(hass, "get_devices", **data)
    assert raised.value.translation_key == key


@pytest.mark.parametrize("data", [{"limit": 0}, {"mac": CAMERA}])
async def test_fields_that_make_no_sense(
    hass: HomeAssistant, loaded: MockConfigEntry, data: dict[str, Any]
) -> None:
    with pytest.raises(vol.Invalid):
        await call(hass, "get_devices", **data)


async def test_everyone_at_home_may_see_the_devices_but_not_whom_they_talk_to(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    hass_read_only_user: MockUser,
    hass_admin_user: MockUser,
) -> None:
    peer.flows = [flow(CAMERA, FIRMWARE)]

    async def get(user_id: str, **data: Any) -> Any:
        return await hass.services.async_call(
            DOMAIN,
            "get_devices",
            data,
            blocking=True,
            return_response=True,
            context=Context(user_id=user_id),
        )

    assert len((await get(hass_read_only_user.id))["devices"]) == 3
    for user_id in (hass_read_only_user.id, "nobody"):
        with pytest.raises(Unauthorized):
            await get(user_id, peer=FIRMWARE)
    assert not peer.orders(GetFlows)
    assert len((await get(hass_admin_user.id, peer=FIRMWARE))["devices"]) == 1


# Merged devices


def registered(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, dr.DeviceEntry]:
    """Return the devices of an entry's home, by the MAC that each goes by."""
    return {
        value.removeprefix(f"{entry.entry_id}_"): found
        for found in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
        for _, value in found.identifiers
        if value != entry.entry_id
    }


def entities(hass: HomeAssistant, entry: MockConfigEntry, mac: str) -> list[er.RegistryEntry]:
    found = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return [each for each in found if f"_{mac}_" in each.unique_id]


MERGED = device(CAMERA, hostname="cam", other_macs=(TV,))
BOTH = {(dr.CONNECTION_NETWORK_MAC, CAMERA), (dr.CONNECTION_NETWORK_MAC, TV)}


async def merge(hass: HomeAssistant, peer: Peer) -> None:
    peer.devices = [MERGED]
    await peer.tell(devices=[MERGED], removed_devices=[TV])
    await hass.async_block_till_done()


async def test_a_merged_device_goes_into_the_other_and_leaves_nothing(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    assert set(registered(hass, loaded)) == {CAMERA, TV}
    assert entities(hass, loaded, TV)
    switch = "switch.acme_53_13_quarantine"
    assert hass.states.get(switch)
    await merge(hass, peer)
    (found,) = registered(hass, loaded).values()
    assert found.connections == BOTH
    assert not entities(hass, loaded, TV)
    assert hass.states.get(switch) is None
    assert state(hass, "switch.porch_camera_quarantine") == "off"


async def test_an_action_on_the_merged_mac_means_the_device(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    other = MockConfigEntry(domain="other")
    other.add_to_hass(hass)
    television = dr.async_get(hass).async_get_or_create(
        config_entry_id=other.entry_id,
        connections={(dr.CONNECTION_NETWORK_MAC, TV)},
        name="Television",
    )
    await merge(hass, peer)
    await call(hass, "quarantine", device_id=television.id)
    assert [each.target for each in peer.orders(AddBlock)] == [CAMERA]
    await call(hass, "quarantine", device_id=camera(hass, loaded).id)
    assert [each.target for each in peer.orders(AddBlock)] == [CAMERA, CAMERA]
    assert camera(hass, loaded).name == "Television", "it is the same device"
    dr.async_get(hass).async_update_device(television.id, name_by_user="Big screen")
    await hass.async_block_till_done()
    assert camera(hass, loaded).name == "Big screen"


async def test_a_split_device_stands_for_itself_again(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    await merge(hass, peer)
    await peer.tell(devices=[device(CAMERA, hostname="cam")])
    assert camera(hass, loaded).connections == {(dr.CONNECTION_NETWORK_MAC, CAMERA)}
    await peer.tell(devices=[device(TV, vendor="Acme")])
    await hass.async_block_till_done()
    found = registered(hass, loaded)
    assert {mac: found[mac].connections for mac in found} == {
        mac: {(dr.CONNECTION_NETWORK_MAC, mac)} for mac in (CAMERA, TV)
    }
    assert state(hass, "switch.acme_53_13_quarantine") == "off"


@pytest.mark.parametrize("newcomer_first", [True, False])
async def test_merged_and_split_while_home_assistant_was_away(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, newcomer_first: bool
) -> None:
    peer.devices = [MERGED]
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done()
    (found,) = registered(hass, loaded).values()
    assert found.connections == BOTH
    assert not entities(hass, loaded, TV)
    peer.devices = [device(TV, vendor="Acme"), device(CAMERA, hostname="cam")]
    if not newcomer_first:
        peer.devices.reverse()
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done()
    assert {mac: each.connections for mac, each in registered(hass, loaded).items()} == {
        mac: {(dr.CONNECTION_NETWORK_MAC, mac)} for mac in (CAMERA, TV)
    }


async def test_what_is_told_again_is_not_written_again(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    await merge(hass, peer)
    changes: list[Event[Any]] = []
    unsubscribe = hass.bus.async_listen(dr.EVENT_DEVICE_REGISTRY_UPDATED, changes.append)
    for packets in range(3):
        await peer.tell(
            devices=[device(CAMERA, hostname="cam", other_macs=(TV,), upload_packets=packets)]
        )
    assert changes == []
    await peer.tell(devices=[device(CAMERA, hostname="cam", vendor="Acme", other_macs=(TV,))])
    await hass.async_block_till_done()
    assert [each.data["changes"] for each in changes] == [{"manufacturer": None}]
    unsubscribe()


# Forgotten devices


async def remove(hass: HomeAssistant, client: WebSocketGenerator, device_id: str) -> dict[str, Any]:
    """Remove a device as the user interface does."""
    assert await async_setup_component(hass, "config", {})
    connection = await client(hass)
    await connection.send_json_auto_id(
        {"type": "config/device_registry/remove", "device_id": device_id}
    )
    answer: dict[str, Any] = await connection.receive_json()
    await hass.async_block_till_done()
    await connection.close()
    return answer


async def test_removing_a_device_makes_the_sensor_forget_it(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, hass_ws_client: WebSocketGenerator
) -> None:
    await merge(hass, peer)
    assert (await remove(hass, hass_ws_client, camera(hass, loaded).id))["success"]
    assert peer.orders(ForgetDevice) == [ForgetDevice(CAMERA)]
    assert registered(hass, loaded) == {}
    assert not entities(hass, loaded, CAMERA)
    await peer.tell(removed_devices=[CAMERA])
    await peer.tell(devices=[device(CAMERA, hostname="cam")])
    await hass.async_block_till_done()
    assert set(registered(hass, loaded)) == {CAMERA}, "it spoke again, so it is new"
    assert state(hass, "switch.porch_camera_quarantine") == "off"


@pytest.mark.parametrize("code", ["storage_failed", "unknown_command"])
async def test_a_device_that_the_sensor_does_not_forget_stays(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    hass_ws_client: WebSocketGenerator,
    code: str,
) -> None:
    peer.errors["forget_device"] = SensorError(code, "because")
    answer = await remove(hass, hass_ws_client, camera(hass, loaded).id)
    assert not answer["success"]
    assert "because" in answer["error"]["message"]
    assert camera(hass, loaded)


async def test_a_device_cannot_be_forgotten_by_a_sensor_that_is_not_there(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, hass_ws_client: WebSocketGenerator
) -> None:
    found = camera(hass, loaded)
    await peer.stop()
    await hass.async_block_till_done()
    assert not (await remove(hass, hass_ws_client, found.id))["success"]
    await hass.config_entries.async_set_disabled_by(loaded.entry_id, ConfigEntryDisabler.USER)
    await hass.async_block_till_done()
    from custom_components.hearthwall import async_remove_config_entry_device  # noqa: PLC0415

    with pytest.raises(HomeAssistantError) as raised:
        await async_remove_config_entry_device(hass, loaded, found)
    assert raised.value.translation_key == "not_running"
