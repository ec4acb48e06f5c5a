"""docs/home-assistant.md says what is there, and its automations do what they say."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from time import time
from typing import Any

import pytest
import yaml
from homeassistant.components import persistent_notification
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, label_registry as lr
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    async_mock_service,
)

from custom_components.hearthwall import event as event_platform
from custom_components.hearthwall.bpf.hearthwall_sensor.requests import (
    AcceptEvent,
    AddBlock,
    AddFeed,
    GetFlows,
)
from custom_components.hearthwall.condition import CONDITIONS
from custom_components.hearthwall.options_flow import SECTIONS
from custom_components.hearthwall.services import ACTIONS
from custom_components.hearthwall.trigger import TRIGGERS
from tests.devices import CAMERA, TV
from tests.homeassistant.peer import Peer, event, flow
from tests.homeassistant.test_devices import camera
from tests.homeassistant.test_init import state, wait_for
from tests.homeassistant.test_translations import DESCRIPTIONS, FOLDER, SCHEMAS, WORDS

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "home-assistant.md").read_text()
YAML: list[str] = re.findall(r"```yaml\n(.+?)```", TEXT, re.DOTALL)
AUTOMATIONS: dict[str, dict[str, Any]] = {each["alias"]: each for each in map(yaml.safe_load, YAML)}
#: What does more than to order one thing.
ANSWERED = {
    *("Quarantine on a threat", "Who talked to whom", "Cut off on something grave"),
    *("Tell me what happens", "Accept from the phone", "Cut off a program"),
    "The sensor is away",
}


@pytest.mark.parametrize("action", [each.name for each in ACTIONS])
def test_every_action_and_its_fields_are_documented(action: str) -> None:
    assert f"| `hearthwall.{action}` |" in TEXT
    for field in SCHEMAS[action]:
        assert re.search(rf"^\| [^|]*`{field}`", TEXT, re.MULTILINE), field


@pytest.mark.parametrize(("title", "written"), [("Triggers", TRIGGERS), ("Conditions", CONDITIONS)])
def test_every_trigger_and_condition_and_its_fields_are_documented(
    title: str, written: dict[str, Any]
) -> None:
    section = TEXT.split(f"### {title}\n")[1].split("\n### ")[0]
    described = yaml.safe_load((FOLDER / f"{title.lower()}.yaml").read_text())
    for name in written:
        assert f"`hearthwall.{name}`" in section
        for field in described[name]["fields"]:
            assert f"`{field}`" in section, (name, field)


def test_every_kind_and_attribute_of_an_event_is_documented() -> None:
    section = TEXT.split("## Events")[1].split("\n## ")[0]
    shown = {*event(1).to_wire(), "device_id", "culprit_device_id", "event_type", "why", "advice"}
    for name in {*shown, *(event_platform.SECURITY.event_types or ())}:
        assert f"`{name}`" in section, name


def test_every_entity_is_documented() -> None:
    section = TEXT.split("## Entities")[1].split("\n## ")[0]
    for platform, descriptions in DESCRIPTIONS.items():
        for each in descriptions:
            name = WORDS["entity"][platform][each.translation_key]["name"].format(feed="…")
            key = re.sub(r"[^a-z0-9…]+", "_", name.lower())
            assert f"`{platform}.…_{key}`" in section, (platform, key)


def test_every_option_and_its_default_is_documented() -> None:
    sections = WORDS["options"]["step"]["init"]["sections"]
    for name, schema in SECTIONS.items():
        for key in schema.schema:
            row = re.search(
                rf"^\| {re.escape(sections[name]['data'][str(key)])} \|.+\| (.+) \|$",
                TEXT,
                re.MULTILINE,
            )
            assert row is not None, key
            default = key.default()
            shown = row[1].split()[0]
            assert shown == (
                {True: "on", False: "off"}[default] if isinstance(default, bool) else str(default)
            )


@pytest.fixture
async def automations(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> AsyncIterator[None]:
    """The automations, in a home with a camera, a child's and a guest's device."""
    devices = dr.async_get(hass)
    for name, mac in (("children", TV), ("guests", CAMERA)):
        label = lr.async_get(hass).async_create(name)
        found = next(
            each
            for each in dr.async_entries_for_config_entry(devices, loaded.entry_id)
            if (dr.CONNECTION_NETWORK_MAC, mac) in each.connections
        )
        devices.async_update_device(found.id, labels={label.label_id})
    assert await async_setup_component(
        hass, "automation", {"automation": list(AUTOMATIONS.values())}
    )
    assert await async_setup_component(hass, "persistent_notification", {})
    await hass.async_block_till_done()
    states = {each.name: each.state for each in hass.states.async_all("automation")}
    assert states == dict.fromkeys(AUTOMATIONS, "on"), "all of them are valid"
    yield
    await hass.services.async_call("automation", "turn_off", {"entity_id": "all"}, blocking=True)


def ordered(alias: str) -> AddBlock | AddFeed:
    """Return the order that an automation is there for."""
    return {
        "Bedtime": AddBlock(TV, "no_internet", duration=9 * 3600.0, reason="Bedtime"),
        "Quarantine on a threat": AddBlock(CAMERA, duration=3600.0, reason="number 2"),
        "Guests share the line": AddBlock(
            CAMERA,
            "rate_limit",
            duration=2 * 86400.0,
            reason="Quarantined from Home Assistant",
            bytes_per_second=1_250_000,
        ),
        "The camera talks to its maker only": AddBlock(
            CAMERA,
            "allow_only",
            ("addressing", "dns", "home_assistant"),
            reason="Quarantined from Home Assistant",
            peers=("*.vendor.example", "198.51.100.20"),
        ),
        "Drop what Spamhaus lists": AddFeed(
            "spamhaus-drop", "https://www.spamhaus.org/drop/drop_v4.json", action="drop"
        ),
    }[alias]


@pytest.mark.parametrize("alias", [each for each in AUTOMATIONS if each not in ANSWERED])
async def test_what_an_automation_orders(
    hass: HomeAssistant, peer: Peer, automations: None, alias: str
) -> None:
    entity_id = next(
        each.entity_id for each in hass.states.async_all("automation") if each.name == alias
    )
    await hass.services.async_call("automation", "trigger", {"entity_id": entity_id}, blocking=True)
    order = ordered(alias)
    assert peer.orders(type(order)) == [order]


async def test_an_event_triggers_a_quarantine_and_a_reload_does_not(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, automations: None
) -> None:
    assert camera(hass, loaded).id
    await peer.happen(event(1, kind="flood", severity="low"))
    await peer.happen(event(2, severity="medium"))
    await wait_for(lambda: bool(peer.orders(AddBlock)))
    await hass.async_block_till_done()
    assert peer.orders(AddBlock) == [ordered("Quarantine on a threat")]
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done()
    await peer.happen(event(3, mac=None))
    for number, blame in ((4, "peer"), (5, "unknown")):
        await peer.happen(event(number, evidence={"blame": blame}))
    await hass.async_block_till_done()
    assert len(peer.orders(AddBlock)) == 1, "whom something was done to is not cut off for it"


async def test_something_grave_triggers_a_quarantine_and_nothing_else_does(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, automations: None
) -> None:
    text = next(each for each in YAML if "Cut off on something grave" in each)
    assert len(text.splitlines()) < 10
    assert "{{" not in text

    async def ordered_after(number: int) -> int:
        await hass.async_block_till_done()
        await wait_for(lambda: len(peer.orders(AddBlock)) >= number)
        await asyncio.sleep(0.05)
        return len(peer.orders(AddBlock))

    await peer.happen(event(1, kind="beacon", severity="medium"))
    await peer.happen(event(2, kind="beacon", severity="critical", mac=TV))
    for number, blame in ((3, "peer"), (4, "unknown")):
        await peer.happen(event(number, severity="critical", evidence={"blame": blame}))
    assert await ordered_after(0) == 0
    for number in (1, 2):
        await peer.happen(event(4 + number, kind="beacon", severity="high"))
        assert await ordered_after(number) == number
    assert peer.orders(AddBlock)[0] == AddBlock(CAMERA, reason="Quarantined from Home Assistant")
    assert await hass.config_entries.async_reload(loaded.entry_id)
    assert await ordered_after(0) == 2


async def test_a_phone_is_told_what_matters_and_accepts_it(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, automations: None
) -> None:
    for alias in ("Tell me what happens", "Accept from the phone"):
        text = next(each for each in YAML if alias in each)
        assert len(text.splitlines()) <= 12
        assert "{%" not in text
    sent = async_mock_service(hass, "notify", "mobile_app_phone")
    # All at once, as an attack comes with what follows on it
    await peer.happen(
        event(1, kind="new_device", severity="info"),
        event(2, kind="port_scan", severity="medium"),
        event(3, kind="blocked", severity="info"),
        event(4, kind="beacon", severity="critical", mac=None),
    )
    await wait_for(lambda: len(sent) >= 2)
    await hass.async_block_till_done()
    assert [each.data["message"] for each in sent] == ["number 2", "number 4"]
    ((button,), _) = (each.data["data"]["actions"] for each in sent)
    assert button["title"] == "Accept"
    for action in ("SOMEBODY_ELSES", button["action"]):
        hass.bus.async_fire("mobile_app_notification_action", {"action": action})
    await wait_for(lambda: bool(peer.orders(AcceptEvent)))
    await hass.async_block_till_done()
    assert peer.orders(AcceptEvent) == [AcceptEvent(2)]
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done()
    assert len(sent) == 2, "a reload is no event"


async def test_a_program_that_came_and_connects_is_cut_off_for_an_hour(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, automations: None
) -> None:
    text = next(each for each in YAML if "Cut off a program" in each)
    assert len(text.splitlines()) <= 11
    sent = async_mock_service(hass, "notify", "mobile_app_phone")
    of_program: dict[str, Any] = {"mac": None, "address": None, "process": "/tmp/agent"}
    await peer.happen(
        event(1, kind="new_device", severity="info"),
        event(2, kind="exec_and_connect", **of_program),
        event(3, kind="unexpected_process", severity="low", **of_program),
        event(4, kind="exec_and_connect", **of_program | {"process": "/opt/b"}),
    )
    await wait_for(lambda: len(peer.orders(AddBlock)) >= 2)
    await hass.async_block_till_done()
    held = ("exe:/tmp/agent", "exe:/opt/b")
    assert peer.orders(AddBlock) == [AddBlock(target, duration=3600.0) for target in held]
    # Whoever has the other automations too is told by that one as well
    assert {"number 2", "number 4"} <= {each.data["message"] for each in sent}
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done()
    assert len(peer.orders(AddBlock)) == 2, "a reload is no event"


async def test_whoever_waits_is_told_that_the_sensor_is_away(
    hass: HomeAssistant, peer: Peer, automations: None
) -> None:
    told: list[tuple[str, str]] = []
    persistent_notification.async_register_callback(
        hass, lambda _, all_of_them: told.extend(map(_said, all_of_them.values()))
    )
    await peer.stop()
    connection = "binary_sensor.hearthwall_sensor_connection"
    await wait_for(lambda: state(hass, connection) == "off")
    await hass.async_block_till_done()
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=9))
    await hass.async_block_till_done()
    assert not told
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=11))
    await hass.async_block_till_done()
    assert told == [("Hearthwall", "The sensor does not answer.")]


async def test_a_notification_says_who_talked_to_whom(
    hass: HomeAssistant, peer: Peer, automations: None
) -> None:
    peer.flows = [
        flow(CAMERA, "203.0.113.20", "storage.vendor.example", upload_bytes=1_500_000_000),
        flow(CAMERA, "203.0.113.20", "storage.vendor.example", upload_bytes=500_000_000),
        flow(CAMERA, "203.0.113.21", None),
        flow(TV, "203.0.113.30", "video.example", download_bytes=7_000_000),
        flow(None, "203.0.113.40", "mirror.example", process="/usr/bin/apt"),
    ]
    told: list[tuple[str, str]] = []
    persistent_notification.async_register_callback(
        hass, lambda _, all_of_them: told.extend(map(_said, all_of_them.values()))
    )
    entity_id = "automation.who_talked_to_whom"
    await hass.services.async_call("automation", "trigger", {"entity_id": entity_id}, blocking=True)
    await hass.async_block_till_done()
    (order,) = peer.orders(GetFlows)
    assert (order.limit, round(time() - order.since, -1)) == (2_000, 86400)
    ((title, message),) = told
    assert title == "Who talked to whom"
    assert message.strip().splitlines() == [
        "**Acme 53:13**",
        "- video.example: 2.0 MB up, 7.0 MB down",
        "",
        "**camera**",
        "- storage.vendor.example: 2000.0 MB up, 10.0 MB down",
        "",
        "**Hearthwall**",
        "- mirror.example: 2.0 MB up, 5.0 MB down",
    ]


def _said(notification: persistent_notification.Notification) -> tuple[str, str]:
    """Return a notification's title and message."""
    return notification["title"] or "", notification["message"]
