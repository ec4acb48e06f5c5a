"""Rules, feeds and events from automations to packets: real kernel, sensor and Home Assistant."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.setup import async_setup_component

from custom_components.hearthwall.const import (
    CONF_INTERFACES,
    CONF_SOCKET,
    CONF_STATE_DIR,
    CONF_WAN,
    DOMAIN,
)
from lab import DEVICES, Lab
from lab.home import SITES
from tests.gateway.test_domains import ASK, PYTHON, RESOLVER
from tests.homeassistant.flows import submit, through_progress
from tests.homeassistant.household import CAMERA, WEB, entity_id, known, on, reaches, until
from tests.homeassistant.test_init import state
from tests.homeassistant.test_services import call

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("on_the_gateway")]

BAD = SITES["bad.example"].ipv4
FIRMWARE = SITES["firmware.vendor.example"]
VIDEO = SITES["video.example"].ipv4
RESOLVER_ADDRESS = str(DEVICES["camera"].gateway[0])
SECURITY = "event.hearthwall_security"
#: What an automation of these tests is triggered by.
EVENING = "evening"


async def fetches(lab: Lab, host: str, port: int = 80) -> bool:
    scheme = "https" if port == 443 else "http"
    line = ["curl", "-ksfo", "/dev/null", "-m", "3", f"{scheme}://{WEB}/bytes/1000"]
    return (await on(lab, host, *line)).returncode == 0


@pytest.fixture
async def automate(hass: HomeAssistant) -> AsyncIterator[Any]:
    """Set up an automation; none is left running."""

    async def automate(action: dict[str, Any], trigger: dict[str, Any] | None = None) -> None:
        triggers = [trigger or {"trigger": "event", "event_type": EVENING}]
        automation = {"alias": "Test", "triggers": triggers, "actions": [action]}
        assert await async_setup_component(hass, "automation", {"automation": [automation]})
        await hass.async_block_till_done()
        assert state(hass, "automation.test") == "on"

    yield automate
    await hass.services.async_call("automation", "turn_off", {"entity_id": "all"}, blocking=True)


async def order(hass: HomeAssistant, gateway: ConfigEntry, number: int) -> None:
    """Let the automation do its work, and wait until there are so many rules."""
    hass.bus.async_fire(EVENING)
    await until(lambda: len(gateway.runtime_data.blocks) == number)
    await hass.async_block_till_done()


@pytest.fixture
def resolver(lab: Lab) -> Iterator[None]:
    """A DNS server on the gateway, as in most homes."""
    root = str(Path(sys.modules["lab"].__file__ or "").resolve().parents[1])
    server = lab.popen("gateway", [PYTHON, "-c", RESOLVER, root, RESOLVER_ADDRESS])
    assert server.stdout is not None
    assert server.stdout.readline() == "ready\n"
    yield
    server.kill()
    server.communicate()


async def resolve(lab: Lab, host: str, name: str) -> subprocess.CompletedProcess[str]:
    return await on(lab, host, PYTHON, "-c", ASK, RESOLVER_ADDRESS, name, "A")


async def test_an_automation_blocks_a_port_of_a_device(
    hass: HomeAssistant, gateway: ConfigEntry, lab: Lab, automate: Any
) -> None:
    switch = await known(hass, gateway, lab)
    assert await fetches(lab, "camera")
    await automate(
        {
            "action": "hearthwall.quarantine",
            "target": {"entity_id": switch},
            "data": {"transport": "tcp", "port": 80},
        }
    )
    await order(hass, gateway, 1)
    assert not await fetches(lab, "camera")
    assert await fetches(lab, "camera", 443)
    assert await reaches(lab, "camera")
    assert await fetches(lab, "tv")
    assert state(hass, switch) == "off", "it is not cut off"
    (block,) = (await call(hass, "get_blocks", target=CAMERA))["blocks"]
    assert (block["transport"], block["port"]) == ("tcp", 80)
    assert block["packets"] > 0
    assert block["latency_ms"] is not None
    assert len((await call(hass, "release", entity_id=switch))["blocks"]) == 1
    assert await fetches(lab, "camera")


async def test_an_automation_limits_a_devices_rate(
    hass: HomeAssistant, gateway: ConfigEntry, lab: Lab, automate: Any
) -> None:
    switch = await known(hass, gateway, lab)
    limit = 250_000

    async def speed() -> float:
        line = ["curl", "-so", "/dev/null", "-w", "%{speed_download}"]
        return float((await on(lab, "camera", *line, f"http://{WEB}/bytes/1500000")).stdout)

    assert await speed() > 4 * limit
    await automate(
        {
            "action": "hearthwall.quarantine",
            "target": {"entity_id": switch},
            "data": {"mode": "rate_limit", "bytes_per_second": limit},
        }
    )
    await order(hass, gateway, 1)
    assert 0.5 * limit < await speed() < 1.2 * limit
    assert await reaches(lab, "camera")
    await call(hass, "release", entity_id=switch)
    assert await speed() > 4 * limit


async def test_an_automation_lets_a_camera_talk_to_its_maker_only(
    hass: HomeAssistant, gateway: ConfigEntry, lab: Lab, automate: Any, resolver: None
) -> None:
    switch = await known(hass, gateway, lab)
    await automate(
        {
            "action": "hearthwall.quarantine",
            "target": {"entity_id": switch},
            "data": {"mode": "allow_only", "peers": ["*.vendor.example", WEB]},
        }
    )
    assert await reaches(lab, "camera", VIDEO)
    await order(hass, gateway, 1)
    assert await fetches(lab, "camera")
    assert not await reaches(lab, "camera", VIDEO)
    assert not await reaches(lab, "camera", FIRMWARE.ipv4), "nobody has asked for its name yet"
    assert (await resolve(lab, "camera", "firmware.vendor.example")).returncode == 0
    await asyncio.sleep(0.5)
    assert await reaches(lab, "camera", FIRMWARE.ipv4)
    assert not await reaches(lab, "camera", VIDEO)
    assert await reaches(lab, "tv", VIDEO)


async def test_an_action_blocks_a_domain(
    hass: HomeAssistant, gateway: ConfigEntry, lab: Lab, resolver: None
) -> None:
    await known(hass, gateway, lab)
    await call(hass, "block", target="*.vendor.example", reason="Says too much")
    assert (await resolve(lab, "camera", "firmware.vendor.example")).returncode == 0
    await asyncio.sleep(0.5)
    assert not await reaches(lab, "camera", FIRMWARE.ipv4)
    assert await reaches(lab, "camera")
    (block,) = (await call(hass, "get_blocks"))["blocks"]
    assert list(block["addresses"]) == [FIRMWARE.ipv4]
    await call(hass, "unblock", target="*.vendor.example")
    assert await reaches(lab, "camera", FIRMWARE.ipv4)


async def test_an_unconfirmed_quarantine_is_taken_back_and_a_confirmed_one_stays(
    hass: HomeAssistant, gateway: ConfigEntry, lab: Lab
) -> None:
    switch = await known(hass, gateway, lab)
    await call(hass, "quarantine", entity_id=switch, confirm_within="2s")
    assert not await reaches(lab, "camera")
    await until(lambda: state(hass, switch) == "off", 6)
    assert await reaches(lab, "camera")
    await call(hass, "quarantine", entity_id=switch, confirm_within="2s")
    await call(hass, "confirm", target=CAMERA)
    await asyncio.sleep(3)
    assert state(hass, switch) == "on"
    assert not await reaches(lab, "camera")


async def test_a_feeds_hit_is_an_event_that_quarantines_the_device(
    hass: HomeAssistant, gateway: ConfigEntry, lab: Lab, automate: Any, tmp_path: Path
) -> None:
    switch = await known(hass, gateway, lab)
    source = tmp_path / "list.txt"
    source.write_text(f"{BAD}\n")
    assert await reaches(lab, "tv", BAD)
    await automate(
        {
            "action": "hearthwall.quarantine",
            "target": {"device_id": "{{ trigger.to_state.attributes.device_id }}"},
        },
        {
            "trigger": "event.received",
            "target": {"entity_id": SECURITY},
            "options": {"event_type": ["threat_address"]},
        },
    )
    added = await call(hass, "add_feed", name="own", source=str(source), action="drop")
    assert added["feeds"][0]["addresses"] == 1, added
    assert added["feeds"][0]["last_error"] is None
    assert await reaches(lab, "camera")
    assert not await reaches(lab, "camera", BAD)
    await until(lambda: state(hass, switch) == "on")
    assert not await reaches(lab, "camera")
    assert await reaches(lab, "tv")
    events = (await call(hass, "get_events"))["events"]
    kinds = [each["kind"] for each in events]
    assert "threat_address" in kinds
    assert "blocked" in kinds
    threat = events[kinds.index("threat_address")]
    assert (threat["mac"], threat["peer_address"]) == (CAMERA, BAD)
    (feed,) = (await call(hass, "get_feeds"))["feeds"]
    assert feed["packets"] > 0
    registered = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, f"{gateway.entry_id}_{CAMERA}"), gateway.entry_id
    )
    assert registered is not None
    await call(hass, "remove_feed", name="own")
    await call(hass, "release", device_id=registered.id)
    assert await reaches(lab, "camera", BAD)


async def test_a_feed_with_the_home_in_it_is_a_repair_and_cuts_nobody_off(
    hass: HomeAssistant, gateway: ConfigEntry, lab: Lab, tmp_path: Path
) -> None:
    await known(hass, gateway, lab)
    source = tmp_path / "list.txt"
    source.write_text(f"192.168.0.0/16\n{BAD}\n")

    def problems() -> set[str | None]:
        issues = ir.async_get(hass).issues.values()
        return {each.translation_key for each in issues if each.domain == DOMAIN and each.active}

    await call(hass, "add_feed", name="level1", source=str(source), action="drop")
    await until(lambda: problems() == {"feed_overlaps"})
    assert await reaches(lab, "camera")
    assert await reaches(lab, "camera", DEVICES["tv"].ipv4)
    assert not await reaches(lab, "camera", BAD)
    assert entity_id(hass, gateway, "feed", "level1_hits") is not None
    await call(hass, "remove_feed", name="level1")
    await until(lambda: problems() == set())
    await until(lambda: entity_id(hass, gateway, "feed", "level1_hits") is None)


async def test_the_internets_side_is_guarded_once_it_is_chosen(
    hass: HomeAssistant, gateway: ConfigEntry, lab: Lab
) -> None:
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": gateway.entry_id}
    )
    flow = await through_progress(hass, result)
    paths = {key: gateway.data[key] for key in (CONF_SOCKET, CONF_STATE_DIR)}
    data = {CONF_INTERFACES: ["br-lan"], CONF_WAN: ["wan"], "paths": paths}
    flow = await submit(hass, flow, data)
    assert flow.get("reason") == "reconfigure_successful", flow
    await hass.async_block_till_done()
    roles = {each.name: each.role for each in gateway.runtime_data.status.interfaces}
    assert roles["wan"] == "wan"
    assert roles["camera"] == "lan"
    await known(hass, gateway, lab)
    assert await reaches(lab, "camera", BAD)
    await call(hass, "block", target=BAD, direction="from_wan")
    assert not await reaches(lab, "camera", BAD)
    assert await reaches(lab, "camera", WEB)
    (block,) = (await call(hass, "get_blocks"))["blocks"]
    assert block["packets"] > 0
    await call(hass, "unblock", id=block["id"])
    assert await reaches(lab, "camera", BAD)
