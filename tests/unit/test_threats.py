"""Meetings with what is on feeds, and floods that the kernel counts: what detectors are told, and how often."""

import time
from collections.abc import Iterable
from typing import Any, ClassVar, NamedTuple

import pytest

from hearthwall_sensor.floods import Floods
from hearthwall_sensor.flows.flow import TCP, FlowKey
from hearthwall_sensor.flows.observed import device_text
from hearthwall_sensor.kernel.layouts import Flood, Sighting
from hearthwall_sensor.names.domains import Match
from hearthwall_sensor.observations import Asked, Flooding, Named
from hearthwall_sensor.threats import Threats

MAC, PEER = "00:00:5e:00:53:21", "203.0.113.9"
HOUR = 3600.0


class Feed(NamedTuple):
    name: str
    action: str
    updated: float | None


class Feeds:
    """Two feeds: one drops, one only counts."""

    feeds: ClassVar = {0: Feed("bad", "block", 1000.0), 1: Feed("odd", "audit", 500.0)}

    def in_slots(self, slots: Iterable[int]) -> tuple[Feed, ...]:
        return tuple(self.feeds[slot] for slot in sorted(slots) if slot in self.feeds)

    def match_domain(self, name: str) -> int:
        return 2 if name.endswith("odd.example") else 0

    def entry_of_domain(self, name: str) -> str:
        return name if name == "odd.example" else "*.odd.example"

    def entry_of_address(self, _: bytes) -> str:
        return "203.0.113.0/24"


class Tables:
    """What the kernel counted."""

    def __init__(self) -> None:
        self.seen: list[Sighting] = []
        self.flooding: list[Flood] = []

    def statistics(self) -> dict[str, int]:
        return {"listed": 0, "dropped_flood": 0}

    def sightings(self) -> list[Sighting]:
        return self.seen

    def floods(self) -> list[Flood]:
        return self.flooding

    def set_flood_thresholds(self, _: object) -> None:
        pass


class Clock:
    """Both clocks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 10_000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(time, "time", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def sighting(packets: int, slots: tuple[int, ...] = (0,), sent: int = 1) -> Sighting:
    return Sighting(slots, MAC, "192.168.1.21", PEER, packets, 100 * packets, 0, 0, sent)


def made() -> tuple[Threats, Tables, list[Any]]:
    told: list[Any] = []
    tables = Tables()
    return Threats(tables, Feeds(), device_text, told.append), tables, told  # type: ignore[arg-type]


def test_a_meeting_is_told_with_what_is_known_of_the_list(clock: Clock) -> None:
    threats, tables, told = made()
    tables.seen = [sighting(3, (0, 1))]
    threats.look(3)
    (listed,) = told
    assert (listed.who, listed.peer, listed.name, listed.via) == (MAC, PEER, None, "packets")
    assert (listed.feeds, listed.entry, listed.blocked) == (("bad", "odd"), "203.0.113.0/24", True)
    assert (listed.listed_since, listed.packets, listed.bytes) == (500.0, 3, 300)


def test_the_same_meeting_is_told_again_after_an_hour_of_quiet(clock: Clock) -> None:
    threats, tables, told = made()
    for packets, now in ((1, 0.0), (2, HOUR - 1), (3, 2 * HOUR - 2), (4, 3 * HOUR)):
        clock.now = 10_000.0 + now
        tables.seen = [sighting(packets)]
        threats.look(packets)
    assert [each.packets for each in told] == [1, 4]


def test_what_an_earlier_run_told_is_no_news(clock: Clock) -> None:
    tables, told = Tables(), list[Any]()
    tables.seen = [sighting(3)]
    threats = Threats(tables, Feeds(), device_text, told.append)  # type: ignore[arg-type]
    clock.now += 60
    tables.seen = [sighting(4)]
    threats.look(1)
    assert told == []


def test_a_knock_is_told_from_a_call_and_told_again_when_it_is_answered(clock: Clock) -> None:
    threats, tables, told = made()
    for packets, sent, later in (
        (2, 0, 0.0),
        (4, 0, 60.0),
        (6, 1, 60.0),
        (9, 1, 60.0),
        (12, 1, HOUR),
    ):
        clock.now += later
        tables.seen = [sighting(packets, sent=sent)]
        threats.look(packets)
    assert [(each.via, each.packets) for each in told] == [
        ("knock", 2),
        ("packets", 6),
        ("knock", 12),
    ]


def test_what_an_earlier_run_told_as_a_knock_is_news_when_it_is_answered(clock: Clock) -> None:
    tables, told = Tables(), list[Any]()
    tables.seen = [sighting(3, sent=0)]
    threats = Threats(tables, Feeds(), device_text, told.append)  # type: ignore[arg-type]
    for packets, sent in ((4, 0), (5, 1)):
        tables.seen = [sighting(packets, sent=sent)]
        threats.look(packets)
    assert [each.packets for each in told] == [5]


def named(name: str) -> Named:
    key = FlowKey(bytes(6), 1, 443, TCP, 0, bytes(16), bytes(10) + b"\xff\xff" + bytes(4))
    return Named(clock_now(), MAC, b"", key, name, "tls")


def clock_now() -> float:
    return time.time()


def test_a_name_that_is_said_is_looked_up(clock: Clock) -> None:
    threats, _, told = made()
    for name in ("fine.example", "a.odd.example", "a.odd.example", "odd.example"):
        threats.take(named(name))
    assert [(each.name, each.entry, each.via) for each in told] == [
        ("a.odd.example", "*.odd.example", "tls"),
        ("odd.example", "odd.example", "tls"),
    ]
    assert told[0].blocked is False


def asked(name: str) -> Asked:
    return Asked(clock_now(), MAC, name, 1, bytes(16), 40)


def test_a_question_is_told_with_its_answer_or_after_a_while_without(clock: Clock) -> None:
    threats, _, told = made()
    threats.take(asked("odd.example"))
    assert told == []
    match = Match(frozenset((1,)), "odd.example", MAC, "192.168.1.21", (PEER,))
    threats.name_asked(match)
    clock.now += 10
    threats.look(0)
    assert [(each.name, each.resolved) for each in told] == [("odd.example", (PEER,))]
    threats.take(asked("b.odd.example"))
    clock.now += 2
    threats.look(0)
    assert len(told) == 1
    clock.now += 2
    threats.look(0)
    assert [(each.name, each.resolved) for each in told[1:]] == [("b.odd.example", ())]


def test_a_device_that_asks_for_a_million_names_is_told_of_a_thousand_times(clock: Clock) -> None:
    threats, _, told = made()
    for number in range(5000):
        threats.take(named(f"{number}.odd.example"))
    assert len(told) == 1024


def test_forgetting_a_device_makes_it_news(clock: Clock) -> None:
    threats, _, told = made()
    threats.take(named("odd.example"))
    threats.forget((MAC,))
    threats.take(named("odd.example"))
    assert len(told) == 2


# Floods


def flood(dropped: int) -> Flood:
    return Flood("lan", "syn", MAC, "192.168.1.21", PEER, dropped, 60 * dropped, 0, 2 * 10**9)


def test_a_flood_is_told_once_until_it_was_quiet_for_a_minute(clock: Clock) -> None:
    tables, told = Tables(), list[Any]()
    floods = Floods(tables, {("lan", "syn"): 100}, device_text, told.append)  # type: ignore[arg-type]
    for dropped, now in ((100, 0.0), (200, 59.0), (300, 118.0), (400, 178.0)):
        clock.now = 10_000.0 + now
        tables.flooding = [flood(dropped)]
        floods.look(dropped)
    assert [each.dropped for each in told] == [100, 400]
    first = told[0]
    assert isinstance(first, Flooding)
    assert (first.who, first.side, first.flood, first.limit) == (MAC, "lan", "syn", 100)
    assert first.rate == 150


def test_sources_that_are_quiet_for_long_are_forgotten(clock: Clock) -> None:
    tables, told = Tables(), list[Any]()
    floods = Floods(tables, {("lan", "syn"): 100}, device_text, told.append)  # type: ignore[arg-type]
    for number in range(50):
        tables.flooding = [flood(number + 1)._replace(mac=f"00:00:5e:00:53:{number:02x}")]
        floods.look(number + 1)
        clock.now += 60.0
    assert len(told) == 50
    assert len(floods._known) == 10
