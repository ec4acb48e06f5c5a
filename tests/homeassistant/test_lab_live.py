"""What cards are told, from packets to the websocket: real kernel, sensor and Home Assistant."""

import asyncio

import pytest
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.hearthwall import top_peers
from lab import Lab
from tests.homeassistant.household import CAMERA, known, reaches
from tests.homeassistant.live import browser
from tests.homeassistant.test_lab_flows import FIRMWARE, SIZE, fetch
from tests.homeassistant.test_services import call

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("on_the_gateway")]


async def test_rows_sums_and_events_follow_the_packets(
    hass: HomeAssistant,
    gateway: ConfigEntry,
    lab: Lab,
    hass_ws_client: WebSocketGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(top_peers, "INTERVAL", 0.5)
    switch = await known(hass, gateway, lab)
    cards = await browser(hass, hass_ws_client)
    await cards.subscribe("subscribe_devices", interval=0.1)
    before = await cards.row(CAMERA)
    assert before["quarantine_entity"] == switch
    await fetch(lab, "camera", f"http://{FIRMWARE.ipv4}")
    async with asyncio.timeout(10):
        row = before
        while (
            row["download_bytes"] < before["download_bytes"] + SIZE
            or row["top_peer"] != FIRMWARE.ipv4
        ):
            row = await cards.row(CAMERA)
    assert row["online"]
    for way in ("upload", "download"):
        moved = row[f"{way}_bytes"] - before[f"{way}_bytes"]
        assert row[f"{way}_today"] - before[f"{way}_today"] == moved > 0
        assert row[f"{way}_today"] == row[f"{way}_bytes"], "it came today"
    assert SIZE < row["download_today"] - before["download_today"] < 1.2 * SIZE

    usage = await (await browser(hass, hass_ws_client)).result(
        "usage", by=["peer", "application"], device_id=row["device_id"]
    )
    (told,) = [each for each in usage["rows"] if each["peer"] == FIRMWARE.ipv4]
    assert told["application"] == "http"
    assert SIZE < told["download_bytes"] < 1.2 * SIZE

    assert await reaches(lab, "camera")
    events = await browser(hass, hass_ws_client)
    await events.subscribe("subscribe_events", device_id=row["device_id"])
    await events.next()
    await call(hass, "quarantine", entity_id=switch)
    row = await cards.row(CAMERA, quarantined=True)
    assert row["rule"]["mode"] == "isolate"
    assert not await reaches(lab, "camera")
    while (told := (await events.next())["events"][-1])["kind"] != "blocked":
        pass
    details = await (await browser(hass, hass_ws_client)).result(
        "event", entry_id=gateway.entry_id, seq=told["seq"]
    )
    assert details["event"]["kind"] == "blocked"
    await call(hass, "release", entity_id=switch)
    assert (await cards.row(CAMERA, quarantined=False))["rule"] is None
    assert await reaches(lab, "camera")
