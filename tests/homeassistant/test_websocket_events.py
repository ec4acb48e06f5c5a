"""The websocket commands that tell of events."""

from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.hearthwall import live_events
from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import SensorError
from custom_components.hearthwall.bpf.hearthwall_sensor.requests import GetEvent, GetEvents
from tests.devices import CAMERA, TV
from tests.homeassistant.live import Browser, browser
from tests.homeassistant.peer import Peer, device, event
from tests.homeassistant.test_devices import camera

COMMAND = "subscribe_events"


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again soon."""
    monkeypatch.setattr(live_events, "RETRY", 0.05)


@pytest.fixture
async def admin(hass: HomeAssistant, hass_ws_client: WebSocketGenerator) -> Any:
    """The browser of an administrator."""
    made = await browser(hass, hass_ws_client)
    yield made
    await made.close()


def numbers(told: dict[str, Any]) -> list[int]:
    assert told["type"] == "events"
    return [each["seq"] for each in told["events"]]


async def test_the_newest_and_then_each(
    hass: HomeAssistant, admin: Browser, loaded: MockConfigEntry, peer: Peer
) -> None:
    peer.events = [event(seq) for seq in range(1, 6)]
    await admin.subscribe(COMMAND, limit=3)
    told = await admin.next()
    assert (told["entry_id"], numbers(told)) == (loaded.entry_id, [3, 4, 5])
    await peer.happen(event(6))
    assert numbers(await admin.next()) == [6]
    row = told["events"][0]
    assert row["device_id"] == camera(hass, loaded).id
    assert row["advice"]
    said = {"entry_id": loaded.entry_id, "gateway": "Home", "device_name": "camera", "why": None}
    assert row | said | event(3).to_wire() == row


async def test_none_at_all_is_told_as_well(admin: Browser, loaded: MockConfigEntry) -> None:
    await admin.subscribe(COMMAND)
    assert numbers(await admin.next()) == []


async def test_what_happens_while_the_newest_are_read_comes_once(
    admin: Browser, loaded: MockConfigEntry, peer: Peer
) -> None:
    peer.events = [event(1)]
    await peer.tell(events=[event(1)])
    peer.errors["events"] = SensorError("internal")
    await admin.subscribe(COMMAND)
    loaded.runtime_data.events._async_hand_on(event(2))
    loaded.runtime_data.events._async_hand_on(event(3))
    peer.events += [event(2)]
    del peer.errors["events"]
    assert numbers(await admin.next()) == [1, 2, 3]
    loaded.runtime_data.events._async_hand_on(event(3))
    assert await admin.is_told_nothing()


async def test_by_device_and_severity(
    hass: HomeAssistant, admin: Browser, loaded: MockConfigEntry, peer: Peer
) -> None:
    peer.events = [
        event(1),
        event(2, severity="low"),
        event(3, mac=TV),
        event(4, mac=None, process="/usr/bin/curl"),
    ]
    await admin.subscribe(COMMAND, device_id=camera(hass, loaded).id, severity="medium")
    assert numbers(await admin.next()) == [1]
    await peer.happen(event(5, severity="info"), event(6, mac=TV), event(7, severity="critical"))
    assert numbers(await admin.next()) == [7]
    other = await admin.ask(COMMAND, device_id="nobody")
    assert other["error"]["translation_key"] == "not_a_device"


async def test_what_a_program_of_the_gateway_did(
    admin: Browser, loaded: MockConfigEntry, peer: Peer
) -> None:
    peer.events = [event(1, mac=None, process="/usr/bin/curl")]
    await admin.subscribe(COMMAND)
    (row,) = (await admin.next())["events"]
    assert (row["device_name"], row["device_id"]) == ("Hearthwall", None)


async def test_merged_macs_are_the_device(
    hass: HomeAssistant, admin: Browser, loaded: MockConfigEntry, peer: Peer
) -> None:
    merged = device(CAMERA, hostname="camera", other_macs=(TV,))
    await peer.tell(devices=[merged], removed_devices=[TV])
    await admin.subscribe(COMMAND, device_id=camera(hass, loaded).id)
    await admin.next()
    await peer.happen(event(1, mac=TV))
    assert numbers(await admin.next()) == [1]


async def test_a_reload_and_a_lost_sensor_lose_and_repeat_nothing(
    hass: HomeAssistant, admin: Browser, loaded: MockConfigEntry, peer: Peer
) -> None:
    peer.events = [event(1), event(2)]
    await admin.subscribe(COMMAND)
    assert numbers(await admin.next()) == [1, 2]
    peer.events += [event(3)]
    assert await hass.config_entries.async_reload(loaded.entry_id)
    assert numbers(await admin.next()) == [3]
    await peer.stop()
    peer.events += [event(4)]
    await peer.start()
    assert numbers(await admin.next()) == [4]
    await peer.happen(event(5))
    assert numbers(await admin.next()) == [5]


async def test_a_new_journal_is_told_from_its_beginning(
    hass: HomeAssistant, admin: Browser, loaded: MockConfigEntry, peer: Peer
) -> None:
    peer.events = [event(seq) for seq in range(1, 9)]
    await admin.subscribe(COMMAND)
    assert numbers(await admin.next()) == list(range(1, 9))
    peer.events = [event(1, time=1_800_000_000.0)]
    assert await hass.config_entries.async_reload(loaded.entry_id)
    assert numbers(await admin.next()) == [1]


async def test_a_new_journal_is_not_taken_for_what_was_told(
    admin: Browser, loaded: MockConfigEntry, peer: Peer
) -> None:
    peer.events = [event(seq) for seq in range(1, 9)]
    await admin.subscribe(COMMAND)
    assert numbers(await admin.next()) == list(range(1, 9))
    # The sensor's disk was wiped while Home Assistant's view stays: the numbers begin anew
    await peer.stop()
    peer.events = []
    await peer.start()
    await peer.happen(event(1, time=1_800_000_000.0), event(2, time=1_800_000_001.0))
    assert numbers(await admin.next()) == [1]
    assert numbers(await admin.next()) == [2]


async def test_a_gateway_that_comes_later(
    hass: HomeAssistant,
    admin: Browser,
    loaded: MockConfigEntry,
    peer: Peer,
    garden: tuple[MockConfigEntry, Peer],
) -> None:
    entry, there = garden
    await hass.config_entries.async_unload(entry.entry_id)
    await admin.subscribe(COMMAND)
    assert (await admin.next())["entry_id"] == loaded.entry_id
    there.events = [event(1)]
    assert await hass.config_entries.async_setup(entry.entry_id)
    told = await admin.next()
    assert (told["entry_id"], told["events"][0]["gateway"]) == (entry.entry_id, "Garden")


async def test_an_event_and_whom_an_order_may_cut_off(
    hass: HomeAssistant, admin: Browser, loaded: MockConfigEntry, peer: Peer
) -> None:
    said = {"culprit": CAMERA, "blockable_peer": "203.0.113.66", "has_ended": False}
    peer.answers["event"] = event(7).to_wire() | said
    answer = await admin.result("event", entry_id=loaded.entry_id, seq=7)
    assert peer.orders(GetEvent) == [GetEvent(7)]
    assert answer["event"]["device_id"] == camera(hass, loaded).id
    del answer["event"]
    assert answer == said | {"program": None}


@pytest.mark.parametrize(
    ("culprit", "program"),
    [
        ("exe:/usr/bin/curl", "exe:/usr/bin/curl"),
        ("pid:4711", "pid:4711"),
        ("192.0.2.7", None),
        ("exe:relative", None),
        ("", None),
        (None, None),
    ],
)
async def test_an_event_of_a_program_and_what_stops_it(
    admin: Browser, loaded: MockConfigEntry, peer: Peer, culprit: str | None, program: str | None
) -> None:
    said = {"culprit": culprit, "blockable_peer": None, "has_ended": True}
    peer.answers["event"] = event(7, mac=None, process="/usr/bin/curl").to_wire() | said
    answer = await admin.result("event", entry_id=loaded.entry_id, seq=7)
    assert answer["event"]["process"] == "/usr/bin/curl"
    del answer["event"]
    assert answer == said | {"culprit": None, "program": program}


async def test_an_events_number_is_not_taken_for_the_subscriptions(
    admin: Browser, loaded: MockConfigEntry, peer: Peer
) -> None:
    peer.answers["event"] = event(7).to_wire()
    await admin.result("event", entry_id=loaded.entry_id, seq=7)
    await peer.tell(devices=[device(CAMERA, upload_bytes=5)])
    assert loaded.runtime_data.available, "what is told next was not taken for a gap"
    assert loaded.runtime_data.devices[CAMERA].upload_bytes == 5


async def test_an_event_that_is_gone_is_an_error_in_words(
    admin: Browser, loaded: MockConfigEntry, peer: Peer
) -> None:
    peer.errors["event"] = SensorError("not_found", "there is no event 7")
    answer = await admin.ask("event", entry_id=loaded.entry_id, seq=7)
    assert answer["error"]["translation_key"] == "not_found"
    assert "there is no event 7" in answer["error"]["message"]
    assert not (await admin.ask("event", entry_id="nobody", seq=7))["success"]
    assert not (await admin.ask("event", entry_id=loaded.entry_id, seq=0))["success"]


@pytest.mark.parametrize(
    ("command", "fields"),
    [
        (COMMAND, {}),
        ("event", {"entry_id": "x", "seq": 1}),
        ("usage", {"by": ["mac"]}),
        ("device", {"device_id": "x"}),
    ],
)
async def test_whom_others_talk_to_is_for_administrators(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
    loaded: MockConfigEntry,
    peer: Peer,
    command: str,
    fields: dict[str, Any],
) -> None:
    before = len(peer.orders(GetEvents))
    guest = await browser(hass, hass_ws_client, hass_read_only_access_token)
    answer = await guest.ask(command, **fields)
    assert answer["error"]["code"] == "unauthorized"
    assert len(peer.orders(GetEvents)) == before
    await guest.close()


@pytest.mark.parametrize(
    "fields", [{"severity": "grave"}, *({"limit": each} for each in (0, 1001, "many", True, 1.0))]
)
async def test_bad_input(admin: Browser, loaded: MockConfigEntry, fields: dict[str, Any]) -> None:
    answer = await admin.ask(COMMAND, **fields)
    assert answer["error"]["code"] == "invalid_format"
