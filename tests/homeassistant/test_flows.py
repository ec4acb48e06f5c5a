"""Who talks to whom: what is asked of the sensor, and what is answered to the user."""

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path
from time import time
from typing import Any

import pytest
import voluptuous as vol
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    floor_registry as fr,
    label_registry as lr,
)
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import SensorError
from custom_components.hearthwall.bpf.hearthwall_sensor.requests import MAX_FLOWS, GetFlows
from custom_components.hearthwall.const import CONF_SOCKET, DOMAIN
from tests.devices import CAMERA, PHONE, TV
from tests.homeassistant.peer import Peer, device, flow
from tests.homeassistant.test_devices import camera
from tests.homeassistant.test_services import call

DAY = 86400.0
FIRMWARE = "203.0.113.20"
VIDEO = "203.0.113.30"


@pytest.fixture(autouse=True)
def flows(peer: Peer) -> None:
    """What the camera and the TV did: the newest is neither the first nor the last that is told."""
    now = time()
    peer.flows = [
        flow(CAMERA, "192.168.20.1", application="dns", last_seen=now - 60, scope="gateway"),
        flow(CAMERA, FIRMWARE, "firmware.vendor.example", last_seen=now - 3600),
        flow(TV, VIDEO, "video.example", last_seen=now - 10),
        flow(TV, "2001:db8::30", "cdn.video.example", last_seen=now - 2 * DAY),
    ]


async def listed(hass: HomeAssistant, **data: Any) -> list[str]:
    """Return the peers that an answer names, in its order."""
    found = (await call(hass, "get_flows", **data))["flows"]
    return [each["peer_name"] or each["peer_address"] for each in found]


ALL = ["video.example", "192.168.20.1", "firmware.vendor.example", "cdn.video.example"]


@pytest.fixture
async def second(
    hass: HomeAssistant, tmp_path: Path
) -> AsyncIterator[tuple[MockConfigEntry, Peer]]:
    """Another gateway, with a phone behind it."""
    peer = Peer(tmp_path / "second.sock")
    peer.devices = [device(PHONE, hostname="phone", last_seen=time() - 20, addresses=("10.0.0.2",))]
    peer.flows = [flow(PHONE, FIRMWARE, "firmware.vendor.example", last_seen=time() - 30)]
    await peer.start()
    entry = MockConfigEntry(
        domain=DOMAIN, title="Garden", unique_id=peer.socket, data={CONF_SOCKET: peer.socket}
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    yield entry, peer
    await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    await peer.stop()


async def test_all_flows_the_newest_first_with_whose_they_are(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    assert await listed(hass) == ALL
    assert peer.orders(GetFlows) == [GetFlows(limit=100)]
    flows = (await call(hass, "get_flows"))["flows"]
    (found,) = [each for each in flows if each["peer_address"] == FIRMWARE]
    assert found == peer.flows[1].to_wire() | {
        "device_name": "camera",
        "device_id": camera(hass, loaded).id,
        "config_entry_id": loaded.entry_id,
        "gateway": "Home",
    }
    assert type(found) is dict


async def test_the_users_name_is_the_one_that_is_told(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    dr.async_get(hass).async_update_device(camera(hass, loaded).id, name_by_user="Porch")
    flows = (await call(hass, "get_flows"))["flows"]
    assert {each["device_name"] for each in flows} == {"Porch", "Acme 53:13"}


async def test_flows_of_who_is_no_device_of_home_assistants(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    shy = "00:00:5e:00:53:99"
    peer.flows = [flow(shy, FIRMWARE), flow(PHONE, VIDEO)]
    await peer.tell(devices=[device(PHONE, hostname="phone", addresses=())])
    flows = (await call(hass, "get_flows"))["flows"]
    told = {each["mac"]: (each["device_name"], each["device_id"]) for each in flows}
    assert told == {shy: (shy, None), PHONE: ("phone", None)}


@pytest.mark.parametrize("by", ["device", "entity", "area", "floor", "label", "other"])
async def test_every_kind_of_target(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, by: str
) -> None:
    devices, found = dr.async_get(hass), camera(hass, loaded)
    floor = fr.async_get(hass).async_create("Ground")
    area = ar.async_get(hass).async_create("Porch", floor_id=floor.floor_id)
    label = lr.async_get(hass).async_create("Cameras")
    devices.async_update_device(found.id, area_id=area.id, labels={label.label_id})
    other = MockConfigEntry(domain="other")
    other.add_to_hass(hass)
    elsewhere = devices.async_get_or_create(
        config_entry_id=other.entry_id, connections={(dr.CONNECTION_NETWORK_MAC, CAMERA)}
    )
    target = {
        "device": {"device_id": found.id},
        "entity": {"entity_id": "switch.camera_quarantine"},
        "area": {"area_id": area.id},
        "floor": {"floor_id": floor.floor_id},
        "label": {"label_id": [label.label_id]},
        "other": {"device_id": [elsewhere.id]},
    }[by]
    assert await listed(hass, **target) == ["192.168.20.1", "firmware.vendor.example"]
    assert peer.orders(GetFlows) == [GetFlows(devices=(CAMERA,))]


@pytest.mark.parametrize(
    ("peer_asked", "sent", "expected"),
    [
        (FIRMWARE, FIRMWARE, ["firmware.vendor.example"]),
        (" 203.0.113.9/24", "203.0.113.0/24", ["video.example", "firmware.vendor.example"]),
        ("2001:DB8:0::/32", "2001:db8::/32", ["cdn.video.example"]),
        ("Video.Example.", "video.example", ["video.example"]),
        ("*.video.example", "*.video.example", ["cdn.video.example"]),
        ("nobody.example", "nobody.example", []),
    ],
)
async def test_every_kind_of_peer(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    peer_asked: str,
    sent: str,
    expected: list[str],
) -> None:
    assert await listed(hass, peer=peer_asked) == expected
    assert peer.orders(GetFlows) == [GetFlows(peer=sent)]


def ago(seconds: float) -> float:
    return time() - seconds


@pytest.mark.parametrize(
    ("since", "seconds"),
    [
        ("24h", DAY),
        (7200, 7200),
        ("20261103", 20_261_103),  # not the day
        ("01:30:00", 5400),
        ({"days": 1, "hours": 1}, DAY + 3600),
        ({"active_choice": "ago", "ago": {"hours": 2}}, 7200),
        (dt.timedelta(minutes=5), 300),
    ],
)
async def test_since_so_long_ago(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, since: Any, seconds: float
) -> None:
    before = ago(seconds)
    await call(hass, "get_flows", since=since)
    (order,) = peer.orders(GetFlows)
    assert before <= order.since <= ago(seconds)


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        ("2026-11-03 12:00:00", dt.datetime(2026, 11, 3, 20, tzinfo=dt.UTC)),  # Los Angeles
        ("2026-11-03", dt.datetime(2026, 11, 3, 8, tzinfo=dt.UTC)),
        ("2026-11-03T12:00:00+02:00", dt.datetime(2026, 11, 3, 10, tzinfo=dt.UTC)),
        (dt.datetime(2026, 11, 3, tzinfo=dt.UTC), dt.datetime(2026, 11, 3, tzinfo=dt.UTC)),
        (
            {"active_choice": "time", "time": "2026-11-03 12:00:00", "ago": {"hours": 1}},
            dt.datetime(2026, 11, 3, 20, tzinfo=dt.UTC),
        ),
        (1_700_000_000.5, dt.datetime.fromtimestamp(1_700_000_000.5, dt.UTC)),
        ("1700000000.5", dt.datetime.fromtimestamp(1_700_000_000.5, dt.UTC)),
    ],
)
async def test_since_a_moment(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, since: Any, expected: dt.datetime
) -> None:
    await hass.config.async_set_time_zone("America/Los_Angeles")
    await call(hass, "get_flows", since=since)
    (order,) = peer.orders(GetFlows)
    assert order.since == expected.timestamp()


async def test_since_leaves_out_what_has_not_moved(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    assert await listed(hass, since="1d") == ALL[:3]
    assert await listed(hass, since={"minutes": 5}) == ALL[:2]


async def test_no_more_than_the_limit(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    assert await listed(hass, limit=2) == ALL[:2]
    assert peer.orders(GetFlows) == [GetFlows(limit=2)]
    assert await listed(hass, limit=MAX_FLOWS) == ALL


async def test_all_filters_together(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    found = await listed(
        hass,
        device_id=camera(hass, loaded).id,
        peer="*.vendor.example",
        since="2h",
        limit=5,
        config_entry_id=loaded.entry_id,
    )
    assert found == ["firmware.vendor.example"]
    (order,) = peer.orders(GetFlows)
    assert (order.devices, order.peer, order.limit) == ((CAMERA,), "*.vendor.example", 5)


async def test_the_flows_of_several_gateways_are_joined(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    second: tuple[MockConfigEntry, Peer],
) -> None:
    entry, _ = second
    flows = (await call(hass, "get_flows", limit=3))["flows"]
    assert [(each["gateway"], each["device_name"]) for each in flows] == [
        ("Home", "Acme 53:13"),
        ("Garden", "phone"),
        ("Home", "camera"),
    ]
    assert flows[1]["config_entry_id"] == entry.entry_id
    assert await listed(hass, config_entry_id=entry.entry_id) == ["firmware.vendor.example"]
    assert await listed(hass, config_entry_id=loaded.entry_id) == ALL
    asked = len(peer.orders(GetFlows))
    assert await listed(hass, entity_id="switch.phone_quarantine") == ["firmware.vendor.example"]
    assert len(peer.orders(GetFlows)) == asked, "the other gateway is not asked"
    with pytest.raises(ServiceValidationError) as raised:
        await listed(hass, entity_id="switch.phone_quarantine", config_entry_id=loaded.entry_id)
    assert raised.value.translation_key == "no_devices"


async def test_flows_of_a_merged_device_are_one_devices(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    peer.devices = [device(CAMERA, hostname="camera", other_macs=(TV,))]
    await peer.tell(devices=peer.devices, removed_devices=[TV])
    await hass.async_block_till_done()
    assert await listed(hass, device_id=camera(hass, loaded).id) == ALL
    flows = (await call(hass, "get_flows"))["flows"]
    assert {each["mac"] for each in flows} == {CAMERA, TV}
    assert {(each["device_name"], each["device_id"]) for each in flows} == {
        ("camera", camera(hass, loaded).id)
    }


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"peer": "camera"}, "invalid_peer"),
        ({"peer": "192.168.20.300"}, "invalid_peer"),
        ({"peer": "10.0.0.0/33"}, "invalid_peer"),
        ({"peer": ""}, "invalid_peer"),
        ({"since": "soon"}, "invalid_since"),
        ({"since": "-5m"}, "invalid_since"),
        ({"since": 0}, "invalid_since"),
        ({"since": "2026-13-45 00:00:00"}, "invalid_since"),
        ({"since": {"fortnights": 1}}, "invalid_since"),
        ({"since": {"active_choice": "ago"}}, "invalid_since"),
        ({"since": {"active_choice": []}}, "invalid_since"),
        ({"since": float("nan")}, "invalid_since"),
        ({"device_id": "nothing"}, "not_a_device"),
        ({"entity_id": ["light.lamp"]}, "not_a_device"),
        ({"area_id": "nowhere"}, "no_devices"),
        ({"device_id": []}, "no_devices"),
    ],
)
async def test_bad_input_is_refused_in_words_and_nothing_sent(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, data: dict[str, Any], key: str
) -> None:
    with pytest.raises(ServiceValidationError) as raised:
        await call(hass, "get_flows", **data)
    assert raised.value.translation_key == key
    assert str(raised.value)
    assert not peer.orders(GetFlows)


@pytest.mark.parametrize(
    "data", [{"limit": 0}, {"limit": MAX_FLOWS + 1}, {"limit": "many"}, {"mac": CAMERA}]
)
async def test_fields_that_make_no_sense(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, data: dict[str, Any]
) -> None:
    with pytest.raises(vol.Invalid):
        await call(hass, "get_flows", **data)
    assert not peer.orders(GetFlows)


async def test_a_sensor_that_cannot_answer(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    peer.errors["flows"] = SensorError("unknown_command", "no command is called 'flows'")
    with pytest.raises(HomeAssistantError, match="Update it") as raised:
        await call(hass, "get_flows")
    assert raised.value.translation_key == "unknown_command"
    await peer.stop()
    await hass.async_block_till_done()
    with pytest.raises(HomeAssistantError, match="not connected") as raised:
        await call(hass, "get_flows")
    assert raised.value.translation_key == "not_running"


async def test_without_a_gateway_there_is_nothing_to_ask(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    await hass.config_entries.async_unload(loaded.entry_id)
    with pytest.raises(ServiceValidationError) as raised:
        await call(hass, "get_flows")
    assert raised.value.translation_key == "no_gateway"
    with pytest.raises(ServiceValidationError):
        await call(hass, "get_flows", config_entry_id="nobody")


async def test_what_someone_talks_to_is_for_administrators(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    hass_read_only_user: MockUser,
    hass_admin_user: MockUser,
) -> None:
    async def get(user: MockUser) -> Any:
        return await hass.services.async_call(
            DOMAIN,
            "get_flows",
            blocking=True,
            return_response=True,
            context=Context(user_id=user.id),
        )

    with pytest.raises(Unauthorized):
        await get(hass_read_only_user)
    assert not peer.orders(GetFlows)
    assert len((await get(hass_admin_user))["flows"]) == 4
