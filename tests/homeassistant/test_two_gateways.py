"""Two gateways that see the same device: it is there once for each, and each is told only what is meant for it."""

from pathlib import Path
from time import time
from typing import Any

import pytest
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    label_registry as lr,
)
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import Device
from custom_components.hearthwall.bpf.hearthwall_sensor.requests import AddBlock
from custom_components.hearthwall.const import DOMAIN
from tests.devices import CAMERA, TV
from tests.homeassistant.automating import Automate, automate
from tests.homeassistant.live import browser
from tests.homeassistant.peer import Peer, device, event
from tests.homeassistant.test_devices import camera
from tests.homeassistant.test_init import state, wait_for
from tests.homeassistant.test_llm import ask
from tests.homeassistant.test_services import call
from tests.homeassistant.test_voice import ask as say
from tests.homeassistant.test_websocket_traffic import moved, report

__all__ = ["automate"]


class Gateway:
    """A gateway's entry, the sensor at its other end, and the camera as it is registered there."""

    def __init__(self, hass: HomeAssistant, entry: MockConfigEntry, peer: Peer) -> None:
        self.hass = hass
        self.entry = entry
        self.peer = peer

    @property
    def camera(self) -> dr.DeviceEntry:
        return camera(self.hass, self.entry)

    def entity(self, platform: str, key: str, mac: str | None = CAMERA) -> str:
        owner = "_".join([self.entry.entry_id, *([mac] if mac else [])])
        found = er.async_get(self.hass).async_get_entity_id(platform, DOMAIN, f"{owner}_{key}")
        assert found is not None
        return found

    def shows(self, platform: str, key: str, mac: str | None = CAMERA) -> str:
        return state(self.hass, self.entity(platform, key, mac))

    async def sees(self, *devices: Device) -> None:
        """Have the sensor see just these."""
        gone = {each.mac for each in self.peer.devices} - {each.mac for each in devices}
        self.peer.devices = list(devices)
        await self.peer.tell(devices=devices, removed_devices=sorted(gone))

    @property
    def blocked(self) -> set[str]:
        return {target for target, _, _ in self.peer.blocks}


@pytest.fixture
def home(hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer) -> Gateway:
    """A gateway with a camera and a TV."""
    return Gateway(hass, loaded, peer)


@pytest.fixture
async def far(hass: HomeAssistant, home: Gateway, garden: tuple[MockConfigEntry, Peer]) -> Gateway:
    """Another one, which sees the same camera."""
    found = Gateway(hass, *garden)
    await found.sees(device(CAMERA, hostname="camera"))
    await hass.async_block_till_done()
    return found


@pytest.fixture
async def assistant(hass: HomeAssistant, home: Gateway, far: Gateway) -> None:
    """An assistant that may know of all devices."""
    for component in ("homeassistant", "llm", "conversation"):
        assert await async_setup_component(hass, component, {})
    await hass.async_block_till_done()
    for gateway in (home, far):
        registry = er.async_get(hass)
        for each in er.async_entries_for_config_entry(registry, gateway.entry.entry_id):
            async_expose_entity(hass, "conversation", each.entity_id, each.domain == "switch")


@pytest.fixture
def other(hass: HomeAssistant) -> dr.DeviceEntry:
    """The camera as another integration has it."""
    entry = MockConfigEntry(domain="other")
    entry.add_to_hass(hass)
    connections = {(dr.CONNECTION_NETWORK_MAC, CAMERA)}
    return dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id, connections=connections
    )


async def test_the_device_is_there_once_for_each(
    hass: HomeAssistant, home: Gateway, far: Gateway
) -> None:
    assert home.camera.id != far.camera.id
    assert home.camera.via_device_id != far.camera.via_device_id
    assert home.entity("switch", "quarantine") != far.entity("switch", "quarantine")
    await home.peer.tell(devices=[device(CAMERA, download_bytes=5_000_000)])
    assert home.shows("sensor", "download_total") == "5.0"
    assert far.shows("sensor", "download_total") == "0.0"
    rows = (await call(hass, "get_devices"))["devices"]
    assert sorted((each["mac"], each["gateway"], each["device_id"]) for each in rows) == sorted(
        [
            (CAMERA, "Home", home.camera.id),
            (CAMERA, "Garden", far.camera.id),
            *((TV, "Home", each["device_id"]) for each in rows if each["mac"] == TV),
        ]
    )


async def test_sums_are_each_gateways_own(hass: HomeAssistant, home: Gateway, far: Gateway) -> None:
    await home.peer.tell(devices=[device(CAMERA, download_rate=1000.0), device(TV)])
    await far.peer.tell(devices=[device(CAMERA, download_rate=300.0, upload_rate=200.0)])
    assert home.entry.runtime_data.online == 2
    assert home.shows("sensor", "devices_online", None) == "2"
    assert far.shows("sensor", "devices_online", None) == "1"
    rates = [
        float(each.shows("sensor", f"{way}_rate", None))
        for each in (home, far)
        for way in ("download", "upload")
    ]
    assert rates == [1.0, 0.0, 0.3, 0.2]
    await call(hass, "quarantine", device_id=far.camera.id)
    assert home.shows("sensor", "active_blocks", None) == "0"
    assert far.shows("sensor", "active_blocks", None) == "1"


async def test_live_rows_and_totals_of_the_day_are_each_gateways_own(
    hass: HomeAssistant,
    home: Gateway,
    far: Gateway,
    hass_ws_client: WebSocketGenerator,
) -> None:
    await home.sees(device(CAMERA, download_bytes=5_000_000), device(TV))
    await far.sees(device(CAMERA, download_bytes=4_000_000))
    rows = (await call(hass, "get_devices"))["devices"]
    today = {(each["mac"], each["gateway"]): each["download_today"] for each in rows}
    assert today == {(CAMERA, "Home"): 5_000_000, (TV, "Home"): 0, (CAMERA, "Garden"): 4_000_000}
    page = await browser(hass, hass_ws_client)
    await page.subscribe("subscribe_devices")
    told = [await page.until(type="snapshot") for _ in (home, far)]
    live = [
        (row["mac"], each["gateway"], row["download_today"])
        for each in told
        for row in each["devices"]
    ]
    assert sorted(live) == sorted((*key, amount) for key, amount in today.items())
    await page.close()


async def test_an_answer_has_the_device_once(
    hass: HomeAssistant, home: Gateway, far: Gateway, assistant: None
) -> None:
    now = time()
    away = device(CAMERA, hostname="camera", download_bytes=5_000_000, last_seen=now - 9999)
    await home.sees(away, device(TV))
    await far.sees(
        device(CAMERA, hostname="camera", download_bytes=4_000_000, upload_bytes=10, last_seen=now)
    )
    assert await say(hass, "How many devices are online?") == "2 of 2 devices are online."
    most = await say(hass, "Which device used the most data today?")
    assert most == "camera used the most data today: 5.0 MB."
    await call(hass, "quarantine", device_id=far.camera.id)
    assert await say(hass, "Is the camera quarantined?") == "Yes, camera is quarantined."
    told = await ask(hass, "get_devices")
    assert (told["devices_in_all"], told["devices_online"]) == (2, 2)
    assert told["devices"][0] == {
        "name": "camera",
        "online": True,
        "uploaded_bytes_today": 10,
        "downloaded_bytes_today": 5_000_000,
        "restricted": "isolate",
    }


async def test_an_answer_says_which_gateway_blocks_and_notices(
    hass: HomeAssistant, home: Gateway, far: Gateway, assistant: None
) -> None:
    for each in (home, far):
        await call(hass, "quarantine", device_id=each.camera.id)
        each.peer.events = [event(1, time=time(), summary=f"at {each.entry.title}")]
    told = await ask(hass, "get_blocked")
    assert [(each["name"], each["gateway"]) for each in told["blocked"]] == [
        ("camera", "Home"),
        ("camera", "Garden"),
    ]
    assert (told["blocked_in_all"], told["devices_in_all"]) == (2, 1)
    events = (await ask(hass, "get_events"))["events"]
    assert {(each["name"], each["gateway"], each["summary"]) for each in events} == {
        ("camera", "Home", "at Home"),
        ("camera", "Garden", "at Garden"),
    }


async def test_a_device_that_one_gateway_knows_by_another_address_is_one(
    hass: HomeAssistant, home: Gateway, far: Gateway, assistant: None
) -> None:
    """The user has merged two MACs at one gateway; the other only knows one of them."""
    await home.sees(device(TV, other_macs=(CAMERA,)))
    assert (await ask(hass, "get_devices"))["devices_in_all"] == 1


async def test_sums_are_as_documented(hass: HomeAssistant, home: Gateway, far: Gateway) -> None:
    """Of several gateways what passes both is in the totals twice; of one that is named it is not."""
    for each in (home, far):
        row = moved(5, 10, 2, mac=CAMERA)
        each.peer.answers["usage"] = report(row, upload=5, download=10, flows=2)
    both = await call(hass, "get_usage")
    one = await call(hass, "get_usage", config_entry_id=far.entry.entry_id)
    assert [each["gateway"] for each in one["usage"]] == ["Garden"]
    assert sorted(each["gateway"] for each in both["usage"]) == ["Garden", "Home"]
    assert (one["download_bytes"], both["download_bytes"]) == (10, 20)
    page = (Path(__file__).parents[2] / "docs" / "home-assistant.md").read_text()
    assert "what passes two of them is in the totals twice" in page


async def test_top_peers_are_each_gateways_own(
    hass: HomeAssistant, home: Gateway, far: Gateway, hass_ws_client: WebSocketGenerator
) -> None:
    for each in (home, far):
        row = moved(5, 10, 2, mac=CAMERA, peer=f"{each.entry.title}.example")
        each.peer.answers["usage"] = report(row)
    page = await browser(hass, hass_ws_client)
    await page.subscribe("subscribe_devices")
    found: dict[str, str] = {}
    while len(found) < 2:
        said = await page.next()
        for row in said.get("devices", ()):
            if row["mac"] == CAMERA and row["top_peer"]:
                found[said["entry_id"]] = row["top_peer"]
    assert found == {
        home.entry.entry_id: "Home.example",
        far.entry.entry_id: "Garden.example",
    }
    await page.close()


async def test_a_name_that_the_user_gave_at_one_is_known_at_the_other(
    hass: HomeAssistant, home: Gateway, far: Gateway
) -> None:
    registry = dr.async_get(hass)
    registry.async_update_device(home.camera.id, name_by_user="Porch")
    await hass.async_block_till_done()
    assert far.camera.name == "Porch"
    registry.async_update_device(far.camera.id, name_by_user="Gate")
    await hass.async_block_till_done()
    assert (home.camera.name_by_user, far.camera.name_by_user) == ("Porch", "Gate")
    registry.async_update_device(home.camera.id, name_by_user=None)
    await hass.async_block_till_done()
    assert home.camera.name == "Gate"
    # What one sensor was told of a device's name, the other was not.
    await home.peer.tell(devices=[device(CAMERA, name="Mine", hostname="camera")])
    assert (home.camera.name, far.camera.name_by_user) == ("Mine", "Gate")


@pytest.mark.parametrize("by", ["device", "entity", "switch"])
async def test_what_is_aimed_at_one_gateways_device_is_that_ones_only(
    hass: HomeAssistant, home: Gateway, far: Gateway, by: str
) -> None:
    switch = far.entity("switch", "quarantine")
    target: dict[str, Any] = {"device": {"device_id": far.camera.id}}.get(by, {"entity_id": switch})
    domain, on, off = (DOMAIN, "quarantine", "release")
    if by == "switch":
        domain, on, off = ("switch", "turn_on", "turn_off")
    await hass.services.async_call(domain, on, target, blocking=True)
    assert (home.blocked, far.blocked) == (set(), {CAMERA})
    assert (home.shows("switch", "quarantine"), far.shows("switch", "quarantine")) == ("off", "on")
    await call(hass, "quarantine", device_id=home.camera.id)
    await hass.services.async_call(domain, off, target, blocking=True)
    assert (home.blocked, far.blocked) == ({CAMERA}, set())
    assert (home.shows("switch", "quarantine"), far.shows("switch", "quarantine")) == ("on", "off")


@pytest.mark.parametrize("by", ["area", "label", "another integration's device", "both devices"])
async def test_what_means_both_is_done_at_both(
    hass: HomeAssistant, home: Gateway, far: Gateway, other: dr.DeviceEntry, by: str
) -> None:
    registry = dr.async_get(hass)
    area = ar.async_get(hass).async_create("Porch").id
    label = lr.async_get(hass).async_create("Cameras").label_id
    for each in (home, far):
        registry.async_update_device(each.camera.id, area_id=area, labels={label})
    target: dict[str, Any] = {
        "area": {"area_id": area},
        "label": {"label_id": label},
        "another integration's device": {"device_id": other.id},
        "both devices": {"device_id": [home.camera.id, far.camera.id]},
    }[by]
    answer = await call(hass, "quarantine", **target)
    assert len(answer["blocks"]) == 2
    assert (home.blocked, far.blocked) == ({CAMERA}, {CAMERA})
    assert [len(each.peer.orders(AddBlock)) for each in (home, far)] == [1, 1], "once each"
    await call(hass, "release", **target)
    assert (home.blocked, far.blocked) == (set(), set())


async def test_a_rule_on_an_address_names_its_gateway(
    hass: HomeAssistant, home: Gateway, far: Gateway
) -> None:
    await call(hass, "block", target=CAMERA, config_entry_id=far.entry.entry_id)
    assert (home.blocked, far.blocked) == (set(), {CAMERA})
    assert not await _holds(hass, home)
    assert await _holds(hass, far)


async def _holds(hass: HomeAssistant, gateway: Gateway) -> bool:
    """Tell whether the camera is cut off at a gateway, as the list of rules says."""
    blocks = await call(hass, "get_blocks", config_entry_id=gateway.entry.entry_id)
    return [each["target"] for each in blocks["blocks"]] == [CAMERA]


async def test_events_of_one_gateways_device_are_that_ones(
    hass: HomeAssistant, home: Gateway, far: Gateway, automate: Automate
) -> None:
    target = {"device_id": far.camera.id}
    told = await automate(
        {"trigger": "event_detected", "target": target}, says={"summary": "{{ trigger.summary }}"}
    )
    await home.peer.happen(event(1, summary="at home"))
    await far.peer.happen(event(1, summary="in the garden"))
    await wait_for(lambda: bool(told))
    await hass.async_block_till_done()
    assert [each.data["summary"] for each in told] == ["in the garden"]
    events = (await call(hass, "get_events", device_id=home.camera.id))["events"]
    assert [(each["summary"], each["gateway"]) for each in events] == [("at home", "Home")]
