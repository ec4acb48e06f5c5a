"""The cards' types of messages are what Home Assistant really sends and the protocol defines."""

import types
import typing
from collections.abc import Mapping
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.hearthwall.bpf.hearthwall_sensor.habits import (
    Acceptance,
    Band,
    Habit,
    ProfileReport,
)
from custom_components.hearthwall.bpf.hearthwall_sensor.kinds import SEVERITIES
from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import (
    Block,
    Device,
    DeviceRule,
    Event,
    SensorError,
)
from custom_components.hearthwall.bpf.hearthwall_sensor.usage import (
    DIMENSIONS,
    UsageReport,
    UsageRow,
)
from custom_components.hearthwall.live_rows import Row
from tests.devices import CAMERA, TV
from tests.homeassistant.live import Browser, browser
from tests.homeassistant.peer import Peer, device, event, feed
from tests.homeassistant.test_devices import camera
from tests.homeassistant.test_services import call
from tests.homeassistant.typescript import MESSAGES, Source, members, parsed

#: What the protocol, or a row's own type, says of the fields.
DEFINED: dict[str, type] = {
    "Row": Row,
    "RowRule": DeviceRule,
    "Habit": Habit,
    "Band": Band,
    "Acceptance": Acceptance,
    "ProfileReport": ProfileReport,
    "Block": Block,
}
#: What Home Assistant adds to an event of the sensor's.
ADDED = {
    "sensor_summary",
    "why",
    "advice",
    "device_id",
    "culprit_device_id",
    "entry_id",
    "gateway",
    "device_name",
}
#: What is looked at as it is sent.
SENT = {
    "Snapshot",
    "Delta",
    "Lost",
    "Removed",
    "Alive",
    "Event",
    "Events",
    "EventDetails",
    "UsageRow",
    "Usage",
    "DeviceDetails",
    "AcceptedEvent",
    "GatewayInterface",
    "GatewayFeed",
    "GatewayReport",
    "AcceptedEvents",
}


@pytest.fixture(scope="module")
def source() -> Source:
    """What the cards' source says."""
    return parsed(MESSAGES.read_text())


@pytest.fixture
async def admin(hass: HomeAssistant, hass_ws_client: WebSocketGenerator) -> Any:
    """The browser of an administrator."""
    made = await browser(hass, hass_ws_client)
    yield made
    await made.close()


def shape(hint: Any) -> set[str]:
    """Return what JSON a Python type becomes, in TypeScript's words; objects without their names."""
    origin = get_origin(hint)
    if origin in {types.UnionType, typing.Union}:
        return {each for member in get_args(hint) for each in shape(member)}
    if origin is typing.Literal or hint is str:
        return {"string"}
    if origin in {tuple, list}:
        return {f"{each}[]" for each in shape(get_args(hint)[0])}
    if hint in {int, float}:
        return {"number"}
    known = {bool: "boolean", types.NoneType: "null"}
    return {known.get(hint, "object")}


def written(source: Source, kind: str) -> set[str]:
    """Return the same of a type of TypeScript."""
    found = set()
    for member in members(kind):
        name, brackets, _ = member.partition("[]")
        is_object = name in source.interfaces or name.startswith("Record<")
        found.add(("object" if is_object else name) + brackets)
    return found


def test_every_interface_is_looked_at(source: Source) -> None:
    assert set(source.interfaces) == set(DEFINED) | SENT


@pytest.mark.parametrize("name", DEFINED)
def test_fields_are_those_that_python_defines(source: Source, name: str) -> None:
    hints = get_type_hints(DEFINED[name])
    fields = source.interfaces[name]
    assert set(fields) == set(hints)
    for field, hint in hints.items():
        assert written(source, fields[field].type) == shape(hint), field
        assert not fields[field].is_optional, f"{field} is always sent"


def test_an_event_has_the_protocols_fields_and_ours(source: Source) -> None:
    hints, fields = get_type_hints(Event), source.interfaces["Event"]
    assert set(fields) == set(hints) | ADDED
    for field in set(hints) - {"severity"}:
        assert written(source, fields[field].type) == shape(hints[field]), field
    assert {each.strip('"') for each in members(source.aliases["Severity"])} == set(SEVERITIES)


def test_dimensions(source: Source) -> None:
    assert [each.strip('"') for each in members(source.aliases["Dimension"])] == [*DIMENSIONS]
    optional = {name for name, each in source.interfaces["UsageRow"].items() if each.is_optional}
    assert optional == {*DIMENSIONS, "device_id", "name"}
    counted = set(get_type_hints(UsageReport)) - {"rows"}
    assert set(source.interfaces["UsageRow"]) - optional == counted
    assert set(source.interfaces["Usage"]) == counted | {"rows"}


# As it is really sent


def full_device(rule: DeviceRule | None) -> Device:
    """Return a device of which all is known."""
    return device(CAMERA, hostname="cam", vendor="Acme", rule=rule, upload_rate=0.5)


async def test_live_messages(
    hass: HomeAssistant, source: Source, admin: Browser, loaded: MockConfigEntry, peer: Peer
) -> None:
    row = UsageRow(1, 2, 3, mac=CAMERA, peer="cdn.example")
    peer.answers["usage"] = UsageReport((row,), 1, 2, 3).to_wire()
    await admin.subscribe("subscribe_devices")
    snapshot = await admin.next()
    source.fit(snapshot, "Snapshot")
    assert len(snapshot["devices"]) == 2
    await call(hass, "quarantine", device_id=camera(hass, loaded).id, duration="10m")
    (block,) = peer.blocks.values()
    rule = DeviceRule(block.id, block.mode, block.expires)
    told: list[dict[str, Any]] = []
    await peer.tell(blocks=[block], devices=[full_device(rule)])
    while not any(row["quarantined"] and row["top_peer"] for row in told):
        delta = await admin.next()
        source.fit(delta, "Delta")
        told += [row for row in delta["devices"] if row["mac"] == CAMERA]
    assert None not in told[-1].values(), "each field was seen with what it holds"
    alive = await admin.until(type="alive")
    source.fit(alive, "Alive")
    source.fit(alive, "LiveMessage")
    await peer.stop()
    lost = await admin.until(type="lost")
    source.fit(lost, "Lost")
    source.fit(lost, "LiveMessage")
    await hass.config_entries.async_remove(loaded.entry_id)
    removed = await admin.until(type="removed")
    source.fit(removed, "Removed")
    source.fit(removed, "LiveMessage")


async def test_events(source: Source, admin: Browser, loaded: MockConfigEntry, peer: Peer) -> None:
    peer.events = [
        event(1, technique="T1046", last_time=5.0, evidence={"why": "new"}, peer_name="a.example"),
        event(2, "from the future", mac=None, address=None, peer_address=None, process="/bin/sh"),
    ]
    await admin.subscribe("subscribe_events")
    told = await admin.next()
    source.fit(told, "Events")
    assert len(told["events"]) == 2
    for culprit, target in ((CAMERA, "203.0.113.66"), ("pid:4711", None), (None, None)):
        said = {"culprit": culprit, "blockable_peer": target, "has_ended": culprit is None}
        peer.answers["event"] = event(1).to_wire() | said
        answer = await admin.result("event", entry_id=loaded.entry_id, seq=1)
        source.fit(answer, "EventDetails")


async def test_accepted(
    source: Source, admin: Browser, loaded: MockConfigEntry, peer: Peer
) -> None:
    accepted = Acceptance(3, 1.0, 7, "beacon", CAMERA, None, "tcp/443", "…", {})
    peer.answers["accepted"] = [accepted.to_wire()]
    answer = await admin.result("accepted")
    source.fit(answer, "AcceptedEvents")
    source.fit(answer["accepted"][0], "AcceptedEvent")


async def test_gateway(source: Source, admin: Browser, loaded: MockConfigEntry, peer: Peer) -> None:
    peer.feeds["drop"] = feed("drop", last_hit=1.0, last_error="HTTP 404", packets=3, domains=2)
    answer = await admin.result("gateway", entry_id=loaded.entry_id)
    source.fit(answer, "GatewayReport")
    source.fit(answer["interfaces"][0], "GatewayInterface")
    (told,) = answer["feeds"]
    source.fit(told, "GatewayFeed")
    assert (told["entries"], told["packets"]) == (1002, 3)
    peer.errors["feeds"] = SensorError("internal", "It is broken.")
    failed = await admin.ask("gateway", entry_id=loaded.entry_id)
    assert "It is broken." in failed["error"]["message"]


async def test_usage(source: Source, admin: Browser, loaded: MockConfigEntry, peer: Peer) -> None:
    whole = UsageRow(1, 2, 3, CAMERA, "tls", "example.org", "a.example.org", "DE", "Example")
    report = UsageReport((whole, UsageRow(1, 2, 3, mac=TV), UsageRow(1, 2, 3)), 3, 6, 9)
    peer.answers["usage"] = report.to_wire()
    for by in (DIMENSIONS, *((each,) for each in DIMENSIONS)):
        answer = await admin.result("usage", by=[*by])
        source.fit(answer, "Usage")
        for row in answer["rows"]:
            assert set(by) <= set(row)
            assert ("device_id" in row) == ("mac" in by)


async def test_device(
    hass: HomeAssistant, source: Source, admin: Browser, loaded: MockConfigEntry, peer: Peer
) -> None:
    accepted = Acceptance(3, 1.0, 7, "beacon", CAMERA, None, "tcp/443", "…", {"a": 1})
    habits = (Habit("a.example", 3, 1.0),)
    band = Band(1.0, 2.0, 3)
    profile = ProfileReport(
        *(CAMERA, 1.0, 2.0, 0.5, True),
        *(habits, habits, habits, habits, habits),
        *(band, None, band, None),
        *({"groups": 2}, None, (accepted,)),
    )
    peer.answers["profile"] = profile.to_wire()
    await call(hass, "block", target=CAMERA, mode="rate_limit", bytes_per_second=5000)
    answer = await admin.result("device", device_id=camera(hass, loaded).id)
    source.fit(answer, "DeviceDetails")
    assert answer["blocks"]
    assert answer["accepted"]
    peer.errors["profile"] = SensorError("not_found")
    answer = await admin.result("device", device_id=camera(hass, loaded).id)
    source.fit(answer, "DeviceDetails")


# The test itself notices


PLAIN = """
export type Way = "up" | "down";
export interface Lost {
  type: "lost";
  entry_id: string;
  /** Why. */
  way?: Way | null;
  many: number[];
}
"""
FITS: Mapping[str, Any] = {"type": "lost", "entry_id": "x", "many": [1, 2.5]}


@pytest.mark.parametrize(
    "value",
    [
        FITS | {"entry": "x"},
        {"type": "lost", "many": []},
        FITS | {"entry_id": None},
        FITS | {"many": [1, True]},
        FITS | {"many": 1},
        FITS | {"way": "left"},
        FITS | {"type": "found"},
    ],
)
def test_a_field_too_many_too_few_or_another_one_is_noticed(value: dict[str, Any]) -> None:
    source = parsed(PLAIN)
    source.fit(dict(FITS), "Lost")
    source.fit(FITS | {"way": None}, "Lost")
    source.fit(FITS | {"way": "up"}, "Lost")
    with pytest.raises(AssertionError):
        source.fit(value, "Lost")


@pytest.mark.parametrize(
    "text",
    [
        PLAIN.replace("entry_id: string;", "entry_id: string"),
        PLAIN.replace("interface Lost {", "interface Lost extends Found {"),
        PLAIN.replace("many: number[];", "many: { a: number };"),
    ],
)
def test_what_is_not_plain_is_not_passed_over(text: str) -> None:
    with pytest.raises((AssertionError, KeyError)):
        parsed(text).fit(dict(FITS), "Lost")
