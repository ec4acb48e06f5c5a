"""The websocket commands that tell of traffic, and of one device."""

from time import time
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.hearthwall.bpf.hearthwall_sensor.habits import Acceptance, ProfileReport
from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import SensorError
from custom_components.hearthwall.bpf.hearthwall_sensor.requests import GetProfile, GetUsage
from tests.devices import CAMERA, TV
from tests.homeassistant.live import Browser, browser
from tests.homeassistant.peer import Peer, device
from tests.homeassistant.test_devices import camera
from tests.homeassistant.test_services import call


@pytest.fixture
async def admin(hass: HomeAssistant, hass_ws_client: WebSocketGenerator) -> Any:
    """The browser of an administrator."""
    made = await browser(hass, hass_ws_client)
    yield made
    await made.close()


def report(*rows: dict[str, Any], upload: int = 0, download: int = 0, flows: int = 0) -> Any:
    """Return what a sensor answers."""
    return {"rows": rows, "upload_bytes": upload, "download_bytes": download, "flows": flows}


def moved(upload: int, download: int, flows: int, **of: Any) -> dict[str, Any]:
    return of | {"upload_bytes": upload, "download_bytes": download, "flows": flows}


async def test_by_device_and_peer(
    hass: HomeAssistant, admin: Browser, loaded: MockConfigEntry, peer: Peer
) -> None:
    peer.answers["usage"] = report(
        moved(5, 10, 2, mac=CAMERA, peer="cdn.example"),
        moved(4, 1, 1, mac="00:00:5e:00:53:99", peer="203.0.113.5"),
        upload=100,
        download=200,
        flows=7,
    )
    answer = await admin.result("usage", by=["mac", "peer"], since=60, limit=2)
    assert answer == {
        "rows": [
            moved(5, 10, 2, mac=CAMERA, peer="cdn.example")
            | {"device_id": camera(hass, loaded).id, "name": "camera"},
            moved(4, 1, 1, mac="00:00:5e:00:53:99", peer="203.0.113.5")
            | {"device_id": None, "name": "00:00:5e:00:53:99"},
        ],
        "upload_bytes": 100,
        "download_bytes": 200,
        "flows": 7,
    }
    (request,) = peer.orders(GetUsage)
    assert (request.by, request.limit, request.devices) == (("mac", "peer"), 2, ())
    assert request.since == pytest.approx(time() - 60, abs=20)


async def test_one_device(
    hass: HomeAssistant, admin: Browser, loaded: MockConfigEntry, peer: Peer
) -> None:
    peer.answers["usage"] = report(moved(1, 2, 1, country=None))
    answer = await admin.result("usage", by=["country"], device_id=camera(hass, loaded).id)
    assert answer["rows"] == [moved(1, 2, 1, country=None)], "only what was asked for"
    assert peer.orders(GetUsage) == [GetUsage(by=("country",), devices=(CAMERA,))]


async def test_gateways_are_joined(
    admin: Browser, loaded: MockConfigEntry, peer: Peer, garden: tuple[MockConfigEntry, Peer]
) -> None:
    entry, there = garden
    peer.answers["usage"] = report(
        moved(5, 0, 1, application="tls"), moved(4, 0, 1, application=None), upload=9, flows=2
    )
    there.answers["usage"] = report(moved(3, 1, 2, application=None), upload=3, download=1, flows=2)
    answer = await admin.result("usage", by=["application"])
    assert answer == {
        "rows": [moved(7, 1, 3, application=None), moved(5, 0, 1, application="tls")],
        "upload_bytes": 12,
        "download_bytes": 1,
        "flows": 4,
    }
    answer = await admin.result("usage", by=["application"], limit=1)
    assert (len(answer["rows"]), answer["flows"]) == (1, 4)
    answer = await admin.result("usage", by=["application"], entry_id=entry.entry_id)
    assert answer["flows"] == 2

    row = moved(1, 0, 1, mac=TV)
    peer.answers["usage"] = there.answers["usage"] = report(row, upload=1, flows=1)
    answer = await admin.result("usage", by=["mac"])
    assert [each["name"] for each in answer["rows"]] == ["Acme 53:13", TV], "each home has its own"

    there.errors["usage"] = SensorError("unknown_command")
    answer = await admin.result("usage", by=["mac"])
    assert answer["flows"] == 1, "one that is too old keeps none of the others from answering"
    peer.errors["usage"] = SensorError("unknown_command")
    assert not (await admin.ask("usage", by=["mac"]))["success"]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"by": []},
        {"by": ["colour"]},
        {"by": ["mac", "mac"]},
        {"by": ["mac"], "limit": 0},
        {"by": ["mac"], "limit": 2001},
        {"by": ["mac"], "since": -1},
    ],
)
async def test_bad_input(admin: Browser, loaded: MockConfigEntry, fields: dict[str, Any]) -> None:
    answer = await admin.ask("usage", **fields)
    assert answer["error"]["code"] == "invalid_format"


async def test_a_sensor_that_is_not_there_is_an_error_in_words(
    hass: HomeAssistant, admin: Browser, loaded: MockConfigEntry, peer: Peer
) -> None:
    await peer.stop()
    await hass.async_block_till_done()
    answer = await admin.ask("usage", by=["mac"])
    assert answer["error"]["translation_key"] == "not_running"


ACCEPTED = Acceptance(3, 1.0, 7, "beacon", CAMERA, None, "tcp/443", "…", {})


async def test_a_device(
    hass: HomeAssistant, admin: Browser, loaded: MockConfigEntry, peer: Peer
) -> None:
    profile = ProfileReport(CAMERA, 1.0, 2.0, 0.5, frozen=False, accepted=(ACCEPTED,))
    peer.answers["profile"] = profile.to_wire()
    for target in (CAMERA, peer.devices[0].addresses[0], TV):
        await call(hass, "block", target=target)
    answer = await admin.result("device", device_id=camera(hass, loaded).id)
    assert peer.orders(GetProfile) == [GetProfile(CAMERA)]
    assert (answer["entry_id"], answer["mac"]) == (loaded.entry_id, CAMERA)
    assert ProfileReport.from_wire(answer["profile"]) == profile
    assert [each["target"] for each in answer["blocks"]] == [CAMERA, "192.168.20.21"]
    assert answer["accepted"] == [ACCEPTED.to_wire()]


async def test_a_device_of_which_nothing_was_learnt(
    hass: HomeAssistant, admin: Browser, loaded: MockConfigEntry, peer: Peer
) -> None:
    peer.errors["profile"] = SensorError("not_found")
    answer = await admin.result("device", device_id=camera(hass, loaded).id)
    assert (answer["profile"], answer["accepted"]) == (None, [])
    peer.errors["profile"] = SensorError("internal", "because")
    answer = await admin.ask("device", device_id=camera(hass, loaded).id)
    assert "because" in answer["error"]["message"]


async def test_another_integrations_device_means_the_one_with_its_mac(
    hass: HomeAssistant,
    admin: Browser,
    loaded: MockConfigEntry,
    peer: Peer,
    garden: tuple[MockConfigEntry, Peer],
) -> None:
    other = MockConfigEntry(domain="other")
    other.add_to_hass(hass)
    television = dr.async_get(hass).async_get_or_create(
        config_entry_id=other.entry_id, connections={(dr.CONNECTION_NETWORK_MAC, TV)}
    )
    peer.errors["profile"] = SensorError("not_found")
    assert (await admin.result("device", device_id=television.id))["mac"] == TV
    _, there = garden
    there.devices = [device(CAMERA)]
    await there.tell(devices=there.devices)
    answer = await admin.result("device", device_id=camera(hass, loaded).id)
    assert answer["entry_id"] == loaded.entry_id, "both know the MAC: it is the one that is meant"
    gateway = dr.async_get(hass).async_get_device_by_identifier(
        ("hearthwall", loaded.entry_id), loaded.entry_id
    )
    assert gateway is not None
    for device_id in (gateway.id, "nobody"):
        answer = await admin.ask("device", device_id=device_id)
        assert answer["error"]["translation_key"] == "not_a_device"
