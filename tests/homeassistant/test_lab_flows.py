"""Who talks to whom, from packets to an action's answer: real kernel, sensor and Home Assistant."""

from typing import Any

import pytest
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.hearthwall.bpf.hearthwall_sensor.requests import (
    MergeDevices,
    RenameDevice,
    SplitDevice,
)
from custom_components.hearthwall.devices import async_registered
from lab import DEVICES, Lab
from lab.home import DNS, SITES
from tests.homeassistant.household import CAMERA, entity_id, known, on, reaches, until
from tests.homeassistant.test_get_devices import remove
from tests.homeassistant.test_init import state
from tests.homeassistant.test_lab_rules import resolve as resolve_at_home, resolver
from tests.homeassistant.test_services import call

__all__ = ["resolver"]

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("on_the_gateway")]

FIRMWARE, STORAGE, CLOUD = (
    SITES[f"{name}.vendor.example"] for name in ("firmware", "storage", "cloud")
)
SIZE = 200_000


async def fetch(lab: Lab, host: str, url: str, *options: str) -> None:
    """Fetch what is so many bytes."""
    line = ("curl", "-ksfo", "/dev/null", "-m", "5", *options, f"{url}/bytes/{SIZE}")
    assert (await on(lab, host, *line)).returncode == 0, url


async def flows(hass: HomeAssistant, **data: Any) -> dict[str | None, dict[str, Any]]:
    """Return the newest flow to each name."""
    found = (await call(hass, "get_flows", **data))["flows"]
    assert found == sorted(found, key=lambda each: -each["last_seen"])
    return {each["peer_name"]: each for each in reversed(found)}


async def test_what_the_camera_fetched_has_the_names_it_used(
    hass: HomeAssistant, gateway: ConfigEntry, lab: Lab, resolver: None
) -> None:
    """By its DNS, its TLS and its HTTP; and what the TV did is not the camera's."""
    switch = await known(hass, gateway, lab)
    await known(hass, gateway, lab, "tv")
    http, tls = (f"{each.names[0]}:{port}" for each, port in ((STORAGE, 80), (CLOUD, 443)))
    await fetch(
        lab, "camera", "http://storage.vendor.example", "--resolve", f"{http}:{STORAGE.ipv4}"
    )
    await fetch(lab, "camera", "https://cloud.vendor.example", "--resolve", f"{tls}:{CLOUD.ipv4}")
    assert (await resolve_at_home(lab, "camera", "firmware.vendor.example")).returncode == 0
    await fetch(lab, "camera", f"http://{FIRMWARE.ipv4}")
    await fetch(lab, "tv", "https://cloud.vendor.example", "--resolve", f"{tls}:{CLOUD.ipv4}")

    found = await flows(hass, entity_id=switch, since="5m", peer="*.vendor.example")
    assert {name: (each["name_source"], each["application"]) for name, each in found.items()} == {
        "storage.vendor.example": ("http", "http"),
        "cloud.vendor.example": ("tls", "tls"),
        "firmware.vendor.example": ("dns", "http"),
    }
    for each in found.values():
        assert each["mac"] == CAMERA
        assert each["device_id"]
        assert each["device_name"]
        assert each["gateway"] == gateway.title
        assert SIZE < each["download_bytes"] < 1.2 * SIZE
        assert (each["opened_by"], each["scope"]) == ("device", "internet")
    (only,) = (await flows(hass, entity_id=switch, peer=CLOUD.ipv4)).values()
    assert only["peer_name"] == "cloud.vendor.example"

    talkers = (await call(hass, "get_devices", peer="cloud.vendor.example"))["devices"]
    assert {each["mac"] for each in talkers} == {CAMERA, DEVICES["tv"].mac}
    talkers = (await call(hass, "get_devices", peer=STORAGE.ipv4))["devices"]
    assert [each["mac"] for each in talkers] == [CAMERA]


async def test_questions_to_a_server_outside_are_flows_too(
    hass: HomeAssistant, gateway: ConfigEntry, lab: Lab
) -> None:
    switch = await known(hass, gateway, lab)
    asked = await on(lab, "camera", "dig", "+time=3", f"@{DNS.ipv4}", "video.example")
    assert asked.returncode == 0
    found = (await call(hass, "get_flows", entity_id=switch, peer=DNS.ipv4))["flows"]
    assert [(each["application"], each["peer_port"]) for each in found] == [("dns", 53)]


async def test_a_device_that_is_removed_is_forgotten_and_comes_back_as_new(
    hass: HomeAssistant, gateway: ConfigEntry, lab: Lab, hass_ws_client: WebSocketGenerator
) -> None:
    switch = await known(hass, gateway, lab)
    await fetch(lab, "camera", f"http://{FIRMWARE.ipv4}")
    (before,) = (await call(hass, "get_devices", entity_id=switch))["devices"]
    assert before["download_bytes"] > SIZE
    assert (await remove(hass, hass_ws_client, before["device_id"]))["success"]
    await until(lambda: CAMERA not in gateway.runtime_data.devices)
    assert not (await call(hass, "get_flows", peer=FIRMWARE.ipv4))["flows"]
    assert entity_id(hass, gateway, CAMERA, "quarantine") is None
    switch = await known(hass, gateway, lab)
    (after,) = (await call(hass, "get_devices", entity_id=switch))["devices"]
    assert after["download_bytes"] < SIZE
    assert after["first_seen"] > before["last_seen"]


async def test_devices_that_the_user_made_one_are_one_in_home_assistant(
    hass: HomeAssistant, gateway: ConfigEntry, lab: Lab
) -> None:
    """Named, cut off and listed as one; and two again when they are split."""
    hub, tv = gateway.runtime_data, DEVICES["tv"].mac
    switch = await known(hass, gateway, lab)
    await known(hass, gateway, lab, "tv")

    def registered(mac: str) -> dr.DeviceEntry | None:
        return async_registered(hass, gateway, mac)

    await hub.call(RenameDevice(CAMERA, "Both"))
    await hub.call(MergeDevices(tv, CAMERA))
    await until(lambda: registered(tv) == registered(CAMERA))
    both = registered(CAMERA)
    assert both is not None
    assert both.name == "Both"
    assert entity_id(hass, gateway, tv, "quarantine") is None
    (found,) = (await call(hass, "get_devices", device_id=both.id))["devices"]
    assert (found["mac"], list(found["other_macs"]), found["name"]) == (CAMERA, [tv], "Both")

    await fetch(lab, "tv", f"http://{STORAGE.ipv4}")
    (flow,) = (await call(hass, "get_flows", device_id=both.id, peer=STORAGE.ipv4))["flows"]
    assert (flow["device_name"], flow["device_id"]) == ("Both", both.id)

    await call(hass, "quarantine", device_id=both.id)
    assert not await reaches(lab, "camera")
    assert not await reaches(lab, "tv")
    await call(hass, "release", device_id=both.id)
    assert await reaches(lab, "camera")
    assert await reaches(lab, "tv")

    await hub.call(SplitDevice(tv))
    await until(lambda: entity_id(hass, gateway, tv, "quarantine") is not None)
    await hub.call(RenameDevice(CAMERA, None))
    await until(lambda: registered(CAMERA).name != "Both")
    assert registered(tv) != registered(CAMERA)
    assert state(hass, switch) == "off"
