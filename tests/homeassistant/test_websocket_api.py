"""The live view for cards: what each device moves, and all that a card shows beside it."""

import asyncio
import re
from time import monotonic, time
from typing import Any

import pytest
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.hearthwall import live, live_feed, top_peers
from custom_components.hearthwall.bpf.hearthwall_sensor import client
from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import (
    DEFAULT_INTERVAL,
    MAX_INTERVAL,
    MIN_INTERVAL,
    DeviceRule,
    SensorError,
)
from custom_components.hearthwall.bpf.hearthwall_sensor.requests import MAX_FLOWS, GetUsage
from custom_components.hearthwall.const import DOMAIN
from custom_components.hearthwall.live_rows import Row
from custom_components.hearthwall.websocket_api import async_setup_websocket_api
from tests.devices import CAMERA, TV
from tests.homeassistant.live import Browser, browser
from tests.homeassistant.peer import Peer, device
from tests.homeassistant.test_devices import camera
from tests.homeassistant.test_documents import TEXT
from tests.homeassistant.test_services import call

COMMAND = "subscribe_devices"


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again soon, and end soon after the last viewer."""
    monkeypatch.setattr(live_feed, "RETRY", 0.05)
    monkeypatch.setattr(live_feed, "LINGER", 0.2)


@pytest.fixture
async def admin(hass: HomeAssistant, hass_ws_client: WebSocketGenerator) -> Any:
    """The browser of an administrator."""
    made = await browser(hass, hass_ws_client)
    yield made
    await made.close()


async def clients(peer: Peer, number: int) -> None:
    """Wait until the sensor has so many clients."""
    async with asyncio.timeout(5):
        while peer.clients != number:
            await asyncio.sleep(0.02)


def usage(*rows: tuple[str, str, int]) -> dict[str, Any]:
    """Return what a sensor answers: devices, their peers and what those uploaded."""
    told = [
        {"mac": mac, "peer": peer, "upload_bytes": moved, "download_bytes": 0, "flows": 1}
        for mac, peer, moved in rows
    ]
    return {"rows": told, "upload_bytes": 0, "download_bytes": 0, "flows": len(rows)}


async def test_snapshot_deltas_and_an_end(
    hass: HomeAssistant, admin: Browser, loaded: MockConfigEntry, peer: Peer
) -> None:
    identity = await admin.subscribe(COMMAND, interval=0.02, entry_id=loaded.entry_id)
    event = await admin.next()
    assert {each["mac"] for each in event["devices"]} == {each.mac for each in peer.devices}
    gateway = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, loaded.entry_id), loaded.entry_id
    )
    assert gateway is not None
    assert event | {"devices": []} == {
        "type": "snapshot",
        "entry_id": loaded.entry_id,
        "gateway": "Home",
        "gateway_device_id": gateway.id,
        "role": "operate",
        "devices": [],
    }
    assert peer.intervals == [1.0, 0.02]
    for row in event["devices"]:
        assert set(row) == Row.__required_keys__

    began = monotonic()
    await peer.tell(devices=[device(CAMERA, upload_bytes=7, upload_rate=0.7)])
    event = await admin.next()
    assert monotonic() - began < 0.5
    assert (event["type"], event["entry_id"]) == ("delta", loaded.entry_id)
    assert [each["mac"] for each in event["devices"]] == [CAMERA], "what did not change is not told"
    assert event["devices"][0]["upload_bytes"] == 7
    await peer.tell(removed_devices=[CAMERA])
    event = await admin.until(removed=[CAMERA])
    assert event["devices"] == []

    await admin.unsubscribe(identity)
    await clients(peer, 1)


async def test_what_a_row_says(
    hass: HomeAssistant, admin: Browser, loaded: MockConfigEntry, peer: Peer
) -> None:
    await admin.subscribe(COMMAND)
    (row,) = [each for each in (await admin.next())["devices"] if each["mac"] == CAMERA]
    told = peer.devices[0]
    assert row == {
        "mac": CAMERA,
        "device_id": camera(hass, loaded).id,
        "name": "camera",
        "online": True,
        "upload_rate": 0.0,
        "download_rate": 0.0,
        "upload_bytes": 0,
        "download_bytes": 0,
        "upload_today": 0,
        "download_today": 0,
        "first_seen": told.first_seen,
        "last_seen": told.last_seen,
        "randomised": False,
        "vendor": None,
        "addresses": ["192.168.20.21"],
        "top_peer": None,
        "rule": None,
        "quarantined": False,
        "quarantine_entity": "switch.camera_quarantine",
    }


async def test_a_rule_and_todays_bytes_are_told_as_the_sensor_tells_them(
    hass: HomeAssistant, admin: Browser, loaded: MockConfigEntry, peer: Peer
) -> None:
    await admin.subscribe(COMMAND, interval=0.02)
    await admin.next()
    await call(hass, "quarantine", device_id=camera(hass, loaded).id, duration="10m")
    (block,) = peer.blocks.values()
    rule = DeviceRule(block.id, "isolate", block.expires)
    await peer.tell(blocks=[block], devices=[device(CAMERA, upload_bytes=50, rule=rule)])
    row = await admin.row(CAMERA, quarantined=True)
    assert row["rule"] == {"id": block.id, "mode": "isolate", "expires": block.expires}
    assert row["upload_today"] == 50
    await peer.tell(removed_blocks=[block.id], devices=[device(CAMERA, upload_bytes=50)])
    assert (await admin.row(CAMERA, quarantined=False))["rule"] is None


async def test_a_name_and_a_switch_change_in_home_assistant(
    hass: HomeAssistant, admin: Browser, loaded: MockConfigEntry
) -> None:
    await admin.subscribe(COMMAND)
    await admin.next()
    dr.async_get(hass).async_update_device(camera(hass, loaded).id, name_by_user="Porch")
    await admin.row(CAMERA, name="Porch")
    registry = er.async_get(hass)
    registry.async_update_entity("switch.camera_quarantine", new_entity_id="switch.porch")
    await admin.row(CAMERA, quarantine_entity="switch.porch")
    registry.async_update_entity("switch.porch", disabled_by=er.RegistryEntryDisabler.USER)
    await admin.row(CAMERA, quarantine_entity=None)
    hass.config_entries.async_update_entry(loaded, title="Attic")
    dr.async_get(hass).async_update_device(camera(hass, loaded).id, name_by_user="Gable")
    assert (await admin.until(type="snapshot"))["gateway"] == "Attic"


async def test_a_silent_device_goes_and_midnight_comes(
    hass: HomeAssistant, admin: Browser, loaded: MockConfigEntry, peer: Peer
) -> None:
    await admin.subscribe(COMMAND)
    await admin.next()
    hub = loaded.runtime_data
    hub.presence.update({}, now=time(), consider_home=1)
    hub._notify([CAMERA])  # as when the clock is asked
    await admin.row(CAMERA, online=False)
    await peer.tell(devices=[device(CAMERA, upload_bytes=9)])
    await admin.row(CAMERA, upload_today=9)
    hub.today.day = hub.today.day.replace(year=2020)
    hub.today._async_look(None)  # as when it is midnight
    await admin.row(CAMERA, upload_today=0)


# Whom a device talks to


async def test_the_top_peer_is_told_and_only_to_administrators(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
    loaded: MockConfigEntry,
    peer: Peer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(top_peers, "INTERVAL", 0.1)
    peer.answers["usage"] = usage((CAMERA, "cdn.example", 9))
    guest = await browser(hass, hass_ws_client, hass_read_only_access_token)
    await guest.subscribe(COMMAND)
    await guest.next()
    await asyncio.sleep(0.3)
    assert not peer.orders(GetUsage), "nobody who may see it looks"

    admin = await browser(hass, hass_ws_client)
    await admin.subscribe(COMMAND)
    await admin.row(CAMERA, top_peer="cdn.example")
    request = peer.orders(GetUsage)[0]
    assert (request.by, request.each) == (("mac", "peer"), 1)
    peer.answers["usage"] = usage((CAMERA, "other.example", 9))
    await admin.row(CAMERA, top_peer="other.example")
    assert await guest.is_told_nothing(), "that it changed says something, too"
    await peer.tell(devices=[device(CAMERA, upload_bytes=1)])
    assert (await guest.row(CAMERA, upload_bytes=1))["top_peer"] is None
    assert (await admin.row(CAMERA, upload_bytes=1))["top_peer"] == "other.example"

    await admin.close()
    await clients(peer, 2)
    await asyncio.sleep(0.2)
    asked = len(peer.orders(GetUsage))
    await asyncio.sleep(0.3)
    assert len(peer.orders(GetUsage)) == asked, "nobody looks any more"
    await guest.close()


async def test_two_paces_ask_for_the_top_peers_once(
    admin: Browser, loaded: MockConfigEntry, peer: Peer
) -> None:
    peer.answers["usage"] = usage((CAMERA, "cdn.example", 9))
    await admin.subscribe(COMMAND)
    await admin.row(CAMERA, top_peer="cdn.example")
    await admin.subscribe(COMMAND, interval=5)
    await admin.row(CAMERA, top_peer="cdn.example")
    assert len(peer.orders(GetUsage)) == 1


async def test_an_older_sensor_tells_no_top_peers(
    admin: Browser, loaded: MockConfigEntry, peer: Peer
) -> None:
    peer.errors["usage"] = SensorError("unknown_command")
    await admin.subscribe(COMMAND)
    assert (await admin.next())["type"] == "snapshot"
    await peer.tell(devices=[device(CAMERA, upload_bytes=1)])
    assert (await admin.row(CAMERA, upload_bytes=1))["top_peer"] is None


# Coming and going


async def test_browsers_share_a_connection_and_the_last_one_closes_it(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    admin: Browser,
    loaded: MockConfigEntry,
    peer: Peer,
) -> None:
    await admin.subscribe(COMMAND)
    await admin.next()
    other = await browser(hass, hass_ws_client)
    await other.subscribe(COMMAND)
    assert len((await other.next())["devices"]) == 2
    assert peer.clients == 2, "the hub's and that of both"
    await other.close()
    await peer.tell(devices=[device(CAMERA, upload_bytes=1)])
    await admin.row(CAMERA, upload_bytes=1)
    assert peer.clients == 2
    await admin.close()
    await clients(peer, 1)


async def test_who_comes_and_goes_makes_no_new_connection_each_time(
    admin: Browser, loaded: MockConfigEntry, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_feed, "LINGER", 3)
    for interval in (1, 2, 3, 4, 5, 6, 7, 1, 2, 3):
        identity = await admin.subscribe(COMMAND, interval=interval)
        assert (await admin.until(type="snapshot"))["devices"]
        await admin.unsubscribe(identity)
    assert len(peer.intervals) == 1 + live.MAX_PACES, "the hub's, and each pace once"
    await clients(peer, 1)
    await admin.subscribe(COMMAND)
    assert (await admin.next())["type"] == "snapshot"
    assert len(peer.intervals) == 2 + live.MAX_PACES, "it had ended"


async def test_what_lingers_goes_with_its_gateway(
    hass: HomeAssistant,
    admin: Browser,
    loaded: MockConfigEntry,
    peer: Peer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_feed, "LINGER", 3600)
    identity = await admin.subscribe(COMMAND)
    await admin.next()
    await admin.unsubscribe(identity)
    assert peer.clients == 2
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await clients(peer, 1)
    identity = await admin.subscribe(COMMAND)
    assert (await admin.next())["type"] == "snapshot"
    await admin.unsubscribe(identity)
    await hass.config_entries.async_unload(loaded.entry_id)
    await clients(peer, 0)


async def test_what_nobody_thought_of_is_told_as_a_loss_and_logged_once(
    admin: Browser,
    loaded: MockConfigEntry,
    peer: Peer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    tried = 0

    def fail(*_: Any) -> None:
        nonlocal tried
        tried += 1
        raise RuntimeError("unthought of")

    with monkeypatch.context() as broken:
        broken.setattr(live_feed, "async_row", fail)
        await admin.subscribe(COMMAND)
        assert await admin.next() == {"type": "lost", "entry_id": loaded.entry_id}
        async with asyncio.timeout(5):
            while tried < 3:
                await asyncio.sleep(0.02)
    assert (await admin.next())["type"] == "snapshot"
    assert caplog.text.count("A live view failed and begins again") == 1
    assert "unthought of" in caplog.text


async def test_paces_are_bounded(admin: Browser, loaded: MockConfigEntry, peer: Peer) -> None:
    for interval in (1, 2, 3, 4, 5, 6, 7):
        await admin.subscribe(COMMAND, interval=interval)
        assert (await admin.until(type="snapshot"))["devices"]
    assert peer.intervals == [1.0, 1.0, 2.0, 3.0, 4.0], "the rest goes with the nearest"


async def test_a_loss_is_told_and_healed(
    admin: Browser, loaded: MockConfigEntry, peer: Peer
) -> None:
    await admin.subscribe(COMMAND)
    assert (await admin.next())["type"] == "snapshot"
    await peer.stop()
    assert await admin.next() == {"type": "lost", "entry_id": loaded.entry_id}
    assert await admin.is_told_nothing(), "once is enough"
    await peer.start()
    assert (await admin.next())["type"] == "snapshot"


async def test_signs_of_life(
    admin: Browser, loaded: MockConfigEntry, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_feed, "HEARTBEAT", 0.05)
    monkeypatch.setattr(client, "ANSWER_TIMEOUT", 0.5)
    await admin.subscribe(COMMAND)
    assert (await admin.next())["type"] == "snapshot"
    alive = {"type": "alive", "entry_id": loaded.entry_id}
    assert [await admin.next() for _ in "12"] == [alive, alive]
    peer.silent.add("status")
    assert await admin.until(type="lost"), "it is connected and does not answer"
    peer.silent.clear()
    assert await admin.until(type="snapshot")


async def test_a_browser_that_comes_while_the_sensor_is_away(
    admin: Browser, loaded: MockConfigEntry, peer: Peer
) -> None:
    await peer.stop()
    await admin.subscribe(COMMAND)
    assert await admin.next() == {"type": "lost", "entry_id": loaded.entry_id}
    await admin.subscribe(COMMAND)
    assert (await admin.next())["type"] == "lost"
    await peer.start()
    assert [(await admin.next())["type"] for _ in "12"] == ["snapshot", "snapshot"]


async def test_a_reload(
    hass: HomeAssistant, admin: Browser, loaded: MockConfigEntry, peer: Peer
) -> None:
    await admin.subscribe(COMMAND)
    await admin.next()
    assert await hass.config_entries.async_reload(loaded.entry_id)
    assert await admin.next() == {"type": "lost", "entry_id": loaded.entry_id}
    assert (await admin.next())["type"] == "snapshot"
    await peer.tell(devices=[device(TV, upload_bytes=3)])
    await admin.row(TV, upload_bytes=3)
    await clients(peer, 2)


async def test_a_gateway_that_is_disabled_removed_and_one_that_is_added(
    hass: HomeAssistant, admin: Browser, loaded: MockConfigEntry, peer: Peer
) -> None:
    await admin.subscribe(COMMAND)
    await admin.next()
    await hass.config_entries.async_set_disabled_by(loaded.entry_id, ConfigEntryDisabler.USER)
    assert (await admin.next())["type"] == "lost"
    await clients(peer, 0)
    await hass.config_entries.async_set_disabled_by(loaded.entry_id, None)
    assert (await admin.next())["type"] == "snapshot"
    await hass.config_entries.async_remove(loaded.entry_id)
    assert (await admin.next())["type"] == "lost"
    assert await admin.next() == {"type": "removed", "entry_id": loaded.entry_id}
    entry = MockConfigEntry(domain=DOMAIN, title="New", data=dict(loaded.data))
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    event = await admin.next()
    assert (event["type"], event["gateway"]) == ("snapshot", "New")
    await hass.config_entries.async_unload(entry.entry_id)


async def test_all_gateways_or_one(
    hass: HomeAssistant,
    admin: Browser,
    loaded: MockConfigEntry,
    garden: tuple[MockConfigEntry, Peer],
) -> None:
    await admin.subscribe(COMMAND)
    events = {event["gateway"]: event for event in [await admin.next(), await admin.next()]}
    assert [len(events[name]["devices"]) for name in ("Home", "Garden")] == [2, 0]
    entry, there = garden
    await there.tell(devices=[device(TV)])
    assert (await admin.until(type="delta"))["entry_id"] == entry.entry_id
    await admin.subscribe(COMMAND, entry_id=entry.entry_id)
    assert (await admin.next())["gateway"] == "Garden"
    assert await admin.is_told_nothing()


async def test_a_gateway_that_could_not_be_set_up(
    hass: HomeAssistant, admin: Browser, entry: MockConfigEntry, peer: Peer
) -> None:
    await peer.stop()
    assert not await hass.config_entries.async_setup(entry.entry_id)
    await admin.subscribe(COMMAND, entry_id=entry.entry_id)
    assert await admin.next() == {"type": "lost", "entry_id": entry.entry_id}
    await peer.start()
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert (await admin.next())["type"] == "snapshot"
    await hass.config_entries.async_unload(entry.entry_id)


# Bounds


@pytest.mark.parametrize(
    "fields", [{"interval": each} for each in (0, 61, "fast", "1", "inf", True, None)]
)
async def test_intervals_have_bounds(
    admin: Browser, loaded: MockConfigEntry, fields: dict[str, Any]
) -> None:
    answer = await admin.ask(COMMAND, **fields)
    assert not answer["success"]
    assert answer["error"]["code"] == "invalid_format"


async def test_the_number_of_views_is_bounded(
    admin: Browser, loaded: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MAX_SUBSCRIPTIONS", 1)
    identity = await admin.subscribe(COMMAND, interval=60)
    await admin.next()
    for command in (COMMAND, "subscribe_events"):
        answer = await admin.ask(command)
        assert answer["error"]["translation_key"] == "too_many_live_views"
    await admin.unsubscribe(identity)
    await admin.subscribe(COMMAND)


async def test_one_user_leaves_room_for_others(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
    admin: Browser,
    loaded: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "MAX_OF_A_USER", 2)
    pages = [await browser(hass, hass_ws_client, hass_read_only_access_token) for _ in "12"]
    for page in pages:
        await page.subscribe(COMMAND)
        await page.next()
    answer = await pages[1].ask(COMMAND)
    assert answer["error"]["translation_key"] == "too_many_live_views"
    assert answer["error"]["translation_placeholders"] == {"limit": "2"}
    for _ in range(3):
        await admin.subscribe("subscribe_events")
        await admin.next()
    for each in pages:
        await each.close()


async def test_whoever_is_no_administrator_leaves_places_for_those_who_are(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
    admin: Browser,
    loaded: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "MAX_SUBSCRIPTIONS", 3)
    monkeypatch.setattr(live, "KEPT_FOR_ADMINS", 2)
    guest = await browser(hass, hass_ws_client, hass_read_only_access_token)
    await guest.subscribe(COMMAND)
    await guest.next()
    assert (await guest.ask(COMMAND))["error"]["translation_placeholders"] == {"limit": "1"}
    for _ in "12":
        await admin.subscribe(COMMAND)
        await admin.next()
    assert not (await admin.ask(COMMAND))["success"]
    await guest.close()


async def test_who_is_no_administrator_is_not_told_as_often_as_the_sensor_can(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
    loaded: MockConfigEntry,
    peer: Peer,
) -> None:
    guest = await browser(hass, hass_ws_client, hass_read_only_access_token)
    await guest.subscribe(COMMAND, interval=0.02)
    assert (await guest.next())["type"] == "snapshot"
    assert peer.intervals == [1.0, 0.25]
    await guest.close()


async def test_an_unknown_gateway(
    hass: HomeAssistant, admin: Browser, loaded: MockConfigEntry
) -> None:
    stranger = MockConfigEntry(domain="other")
    stranger.add_to_hass(hass)
    for entry_id in ("nobody", stranger.entry_id):
        assert not (await admin.ask(COMMAND, entry_id=entry_id))["success"]


# The documents


def test_commands_and_their_fields_are_documented(hass: HomeAssistant) -> None:
    async_setup_websocket_api(hass)
    said = TEXT.split("## Websocket commands")[1].split("\n## ")[0]
    commands = {
        name: schema
        for name, (_, schema) in hass.data["websocket_api"].items()
        if name.startswith(f"{DOMAIN}/")
    }
    assert set(commands) == set(re.findall(r"^\| `(hearthwall/\w+)` \|", said, re.MULTILINE))
    looked_at = set()
    for name, schema in commands.items():
        for field in set(map(str, schema.schema)) - {"id", "type"}:
            row = re.search(rf"^\| `{field}` \| ([^|]*) \|", said, re.MULTILINE)
            assert row is not None, (name, field)
            short = name.removeprefix(f"{DOMAIN}/")
            assert (f"`{short}`" in row[1]) != row[1].startswith("all but"), (name, field)
            looked_at.add(field)
    assert looked_at == set(re.findall(r"^\| `(\w+)` \|", said, re.MULTILINE))


def test_rows_and_bounds_are_documented() -> None:
    said = " ".join(TEXT.split())
    for field in (*Row.__required_keys__, "gateway_device_id", "removed"):
        assert f"`{field}`" in said, field
    assert f"At most {live.MAX_SUBSCRIPTIONS} subscriptions" in said
    assert live.MAX_PACES == 4
    assert "a fifth interval goes with the nearest of four" in said
    assert f"asked for every {top_peers.INTERVAL:.0f} seconds" in said
    assert f"{MIN_INTERVAL} to {MAX_INTERVAL:.0f}; {DEFAULT_INTERVAL:.0f} if nothing" in said
    assert f"1,000 at most), or how many rows (100, {MAX_FLOWS:,} at most)" in said
