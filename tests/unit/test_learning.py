"""Profiles: what becomes known and when, within which bounds, and that they survive the disk."""

import json
import sqlite3
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from hearthwall_sensor import database
from hearthwall_sensor.detectors.ripening import Ripening
from hearthwall_sensor.detectors.volume_anomaly import VolumeAnomaly
from hearthwall_sensor.learning import kept, needs, profiles as learning
from hearthwall_sensor.learning.destinations import habits
from hearthwall_sensor.learning.facet import Facet, Seen
from hearthwall_sensor.learning.pace import Pace
from hearthwall_sensor.learning.profile import FACETS, Profile
from hearthwall_sensor.learning.profiles import Profiles
from hearthwall_sensor.learning.reporting import report
from hearthwall_sensor.network.places import Place
from hearthwall_sensor.observations import Began, Look, Met, Observation, Settled
from hearthwall_sensor.policy.policy import DevicePolicy
from tests.unit.habits import HOUR, START, Habits, moved
from tests.unit.observed import CAMERA, DAY, LAPTOP, NOON, PLUG, flow


def profiles(**policy: Any) -> Profiles:
    return Profiles((), lambda _: DevicePolicy(**policy))


def visit(known: Profiles, at: float, name: str, who: str = CAMERA) -> None:
    learn(known, Began(at, who, flow(name=name, at=at)))


def learn(known: Profiles, *observations: Observation) -> None:
    """Let a device be learnt as the sensor does: of flows, those that are ripe."""
    ripening = Ripening()
    for each in observations:
        known.learn(each)
        for met in ripening.take(each):
            known.learn(met)


def knows(known: Profiles, name: str, who: str = CAMERA) -> bool:
    return known.of(who, NOON).facets["domain"].is_known(name)


def test_all_that_is_done_while_learning_is_known_and_nothing_later() -> None:
    known = profiles()
    visit(known, NOON, "a.example.org")
    visit(known, NOON + 7 * DAY - 1, "b.example.net")
    visit(known, NOON + 7 * DAY, "c.example.com")
    assert [knows(known, f"example.{end}") for end in ("org", "net", "com")] == [True, True, False]


@pytest.mark.parametrize(
    ("days", "becomes_known"), [((8, 9, 15), True), ((8, 9, 14.9), False), ((8, 15), False)]
)
def test_what_is_seen_on_three_days_over_a_week_becomes_known(
    days: tuple[float, ...], becomes_known: bool
) -> None:
    known = profiles()
    visit(known, NOON, "example.org")
    for day in days:
        visit(known, NOON + day * DAY, "example.com")
        visit(known, NOON + day * DAY + 60, "example.com")
    assert knows(known, "example.com") is becomes_known


def test_a_frozen_profile_learns_nothing() -> None:
    known = profiles()
    visit(known, NOON, "example.org")
    known.freeze(CAMERA, True)
    before = known.of(CAMERA, NOON).to_wire()
    visit(known, NOON + 1, "example.com")
    known.learn(moved(NOON + HOUR, 10**9))
    assert known.of(CAMERA, NOON).to_wire() == before
    known.freeze(CAMERA, False)
    visit(known, NOON + 2, "example.com")
    assert knows(known, "example.com")


def test_a_flow_counts_once_and_only_if_somebody_answered() -> None:
    known = profiles()
    named = flow(name="example.org")
    silent = flow("203.0.113.7", name="example.com", outcome="no_answer", packets=(3, 0))
    called = flow("203.0.113.8", name="example.net", outgoing=False)
    for each in (named, silent, called):
        again = (Settled(NOON + seconds, CAMERA, each) for seconds in (5, 50))
        learn(known, Began(NOON, CAMERA, each), *again)
    seen = dict(known.of(CAMERA, NOON).facets["domain"])
    assert {name: each.flows for name, each in seen.items()} == {"example.org": 1}


def test_a_flow_that_is_answered_late_counts_when_it_ends() -> None:
    known = profiles()
    early = flow(name="example.org", outcome="open", packets=(1, 0))
    learn(known, Began(NOON, CAMERA, early))
    assert not knows(known, "example.org")
    whole = Settled(NOON + 5, CAMERA, flow(name="example.org"))
    learn(known, Began(NOON, CAMERA, early), whole)
    assert knows(known, "example.org")


def test_a_peer_without_a_name_waits_for_one_and_is_nameless_then() -> None:
    known = profiles()
    learn(known, Began(NOON, CAMERA, flow()), Look(NOON + 5))
    assert not known.of(CAMERA, NOON).facets["network"].is_known("203.0.0.0/16")
    learn(known, Began(NOON, CAMERA, flow()), Look(NOON + 10))
    assert known.of(CAMERA, NOON).facets["network"].is_known("203.0.0.0/16")
    assert knows(known, "-")


def test_networks_by_number_else_by_prefix_and_peers_at_home_by_service_only() -> None:
    numbered = flow()._replace(place=Place("DE", 64_500, "Example"))
    assert habits(numbered)["network"] == "AS64500"
    assert habits(numbered)["country"] == "DE"
    assert habits(flow("198.51.100.7"))["network"] == "198.51.0.0/16"
    assert habits(flow("2001:db8:1::1"))["network"] == "2001:db8::/32"
    assert habits(flow("192.168.0.9", 445, scope="lan")) == {
        "lan_service": "tcp/445",
        "need": "tcp/445 local",
    }
    assert "outside" not in habits(flow(port=123, protocol=17))


def test_how_surprising_something_new_is() -> None:
    plug, laptop = Facet(512), Facet(512)
    for day in range(14):
        for facet, name in ((plug, "cloud.example"), (laptop, f"site{day}.example")):
            facet.note(name, START + day * DAY, DAY, learning=True)
    assert plug.surprise("new.example") == pytest.approx(1.484, abs=0.01)
    assert laptop.surprise("new.example") < 0.25
    plug.note("new.example", START + 14 * DAY, DAY, learning=False)
    # What is new itself does not make new things usual
    assert plug.surprise("new.example") > 1.4
    assert plug.surprise("other.example") < 1.1


def test_habits_of_long_ago_fade() -> None:
    facet = Facet(512)
    for day in range(200):
        facet.note(
            f"site{day}.example" if day < 50 else "same.example", day * DAY, DAY, learning=True
        )
    assert facet.units < 57
    assert facet.novelty() < 0.2


def test_longer_units_do_not_stop_the_count() -> None:
    facet = Facet(512)
    facet.note("a.example", START, 60.0, learning=True)
    facet.note("a.example", START + 60, DAY, learning=True)
    facet.note("a.example", START + DAY, DAY, learning=True)
    assert facet.units == 2


def test_accepting_makes_known_also_what_is_frozen() -> None:
    known = profiles()
    visit(known, NOON, "example.org")
    known.freeze(CAMERA, True)
    evidence = {"new": {"domain": "example.com", "network": "AS1", "nothing": "x", "service": 3}}
    known.absorb(CAMERA, "unexpected_destination", "domain example.com", evidence, NOON + 1)
    facets = known.of(CAMERA, NOON).facets
    assert facets["domain"].is_known("example.com")
    assert facets["network"].is_known("AS1")
    assert not facets["country"].is_known("AS1")
    assert [each.who for each in known.changed()] == [CAMERA]


def test_accepting_amounts_and_going_out() -> None:
    known = profiles()
    known.absorb(CAMERA, "connection_burst", "connections", {"value": 300}, NOON)
    known.absorb(CAMERA, "volume_anomaly", "upload", {"value": 90.0}, NOON)
    known.absorb(CAMERA, "local_device_on_internet", "internet", {"value": "tcp/443"}, NOON)
    profile = known.of(CAMERA, NOON)
    assert profile.pace.highest(NOON) == 300
    assert profile.upload.largest == 90e6
    assert profile.download.largest == 0
    assert profile.facets["outside"].is_known("internet")


def test_reset_forget_and_merge() -> None:
    known = profiles()
    visit(known, NOON, "example.org")
    visit(known, NOON + 60, "example.com", LAPTOP)
    known.merge(LAPTOP, CAMERA)
    assert knows(known, "example.org")
    assert knows(known, "example.com")
    assert len(known) == 1
    known.reset(CAMERA, NOON + DAY)
    assert known.of(CAMERA, NOON + DAY).since == NOON + DAY
    assert not knows(known, "example.org")
    known.forget(CAMERA)
    assert len(known) == 0


def test_a_merged_profile_is_kept_in_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    known = profiles()
    for who in (CAMERA, LAPTOP):
        for number in range(100):
            at = START + number
            known.of(who, at).facets["domain"].note(f"{who}{number}", at, 60.0, learning=True)
        known.absorb(who, "unexpected_destination", "domain x", {}, START)
    monkeypatch.setattr(learning, "MAX_VALUES", 150)
    known.merge(CAMERA, LAPTOP)
    assert sum(map(len, known)) <= 150


def test_only_what_matters_is_saved_again() -> None:
    known = profiles()
    visit(known, NOON, "example.org")
    assert len(known.changed()) == 1
    visit(known, NOON + 60, "example.org")
    known.learn(moved(NOON + 61, 100))
    assert known.changed() == []
    known.learn(moved(NOON + HOUR, 100))
    assert len(known.changed()) == 1


def test_hours_in_which_nobody_watched_are_not_learnt() -> None:
    blind, watched = profiles(), profiles()
    for known in (blind, watched):
        known.learn(moved(NOON, 1000))
        if known is watched:
            for minute in range(0, 300, 10):
                known.learn(Look(NOON + minute * 60))
        known.learn(moved(NOON + 5 * HOUR, 1000))
    assert blind.of(CAMERA, NOON).upload.hours == 1
    assert watched.of(CAMERA, NOON).upload.hours == 5


def test_flows_that_nobody_answers_wait_in_bounds() -> None:
    ripening = Ripening()
    for number in range(500):
        silent = flow(near=number + 1, outcome="open", packets=(1, 0))
        assert list(ripening.take(Began(NOON, CAMERA, silent))) == []
    assert len(ripening._waiting.find(CAMERA) or ()) == 16
    list(ripening.take(Look(NOON + 61)))
    assert ripening._waiting.find(CAMERA) is None


def test_the_local_clock_is_given() -> None:
    ahead = Profiles((), lambda _: DevicePolicy(), lambda _: 2 * HOUR)
    assert ahead.of(CAMERA, NOON).minute_of_day(NOON) == 14 * 60
    assert ahead.of(CAMERA, NOON).hour(NOON) == NOON // HOUR + 2
    kept = Profiles([Profile(PLUG, NOON)], lambda _: DevicePolicy(), lambda _: 2 * HOUR)
    assert kept.of(PLUG, NOON).minute_of_day(NOON) == 14 * 60


# Bounds


def test_a_full_facet_lets_the_rare_and_unknown_go() -> None:
    facet = Facet(16)
    for day in range(3):
        facet.note("often.example", START + day * DAY, DAY, learning=True)
    for number in range(1000):
        facet.note(f"{number}.example", START + 3 * DAY + number, DAY, learning=False)
    assert len(facet) <= 16
    assert facet.is_known("often.example")
    assert facet.once == 1000


def test_a_million_names_of_one_device_take_nothing_from_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(learning, "MAX_VALUES", 600)
    known = profiles()
    visit(known, NOON, "example.org", PLUG)
    for number in range(2000):
        peer = f"203.{number % 250}.113.9"
        named = flow(peer, 1024 + number, name=f"{number}.example")
        known.learn(Met(NOON + number, LAPTOP, named))
    assert len(known.of(LAPTOP, NOON)) <= 600
    assert sum(map(len, known)) <= 600
    assert knows(known, "example.org", PLUG)


def test_invented_devices_push_out_each_other() -> None:
    known = profiles()
    visit(known, NOON, "example.org", PLUG)
    visit(known, NOON + 3 * DAY, "example.org", PLUG)
    for number in range(3000):
        visit(known, NOON + 3 * DAY + number, "example.org", f"02:aa:00:00:{number:04x}"[:17])
    assert len(known) <= 1024
    assert knows(known, "example.org", PLUG)


def test_memory_of_many_devices() -> None:
    """250 devices with usual profiles, and ten full ones among them, take less than 10 MB."""
    tracemalloc.start()
    known = profiles()
    for device in range(250):
        profile = known.of(f"02:00:00:00:01:{device:02x}", NOON)
        for name, limit in FACETS.items():
            usual = {"domain": 50, "network": 30}.get(name, 5)
            for number in range(limit if device < 10 else min(usual, limit)):
                value = f"d{device}.{name}{number}.com"
                profile.facets[name].note(value, NOON + number, DAY, learning=True)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 1e6 < size < 10e6


# Disk


NAMES = st.text(max_size=40)
NUMBERS = st.integers(0, 2**30)


@given(st.dictionaries(NAMES, st.lists(NUMBERS, min_size=1, max_size=5), max_size=20), NUMBERS)
@settings(max_examples=50, deadline=None)
def test_a_profile_survives_the_disk(seen: dict[str, list[int]], amount: int) -> None:
    profile = Profile(CAMERA, NOON, frozen=True)
    for name, times in seen.items():
        for facet in profile.facets.values():
            for each in sorted(times):
                facet.note(name, each, DAY, learning=bool(each % 2))
    for hour in range(5):
        profile.upload.take(hour, amount, 0, learning=True)
        profile.pace.begin(hour * HOUR, learning=True)
    wire = profile.to_wire()
    again = Profile.from_wire(json.loads(json.dumps(wire)))
    assert again.to_wire() == wire
    assert again.upload.expect(5).top == pytest.approx(profile.upload.expect(5).top, abs=10)


@given(st.tuples(*(st.integers(0, 2**bits - 1) for bits in (26, 26, 16, 21, 1))))
def test_what_was_seen_fits_one_number(values: tuple[int, ...]) -> None:
    assert Seen.unpack(Seen(*values).pack()) == values


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_damage_on_the_disk_is_a_value_error(data: st.DataObject) -> None:
    profile = Profile(CAMERA, NOON)
    profile.facets["domain"].note("example.org", NOON, DAY, learning=True)
    wire: Any = profile.to_wire()
    holder = wire
    path = data.draw(st.sampled_from([(), ("facets",), ("facets", "domain"), ("upload",)]))
    for each in path:
        holder = holder[each]
    holder[data.draw(st.sampled_from(sorted(holder)))] = data.draw(JSON)
    try:
        again = Profile.from_wire(wire)
    except ValueError:
        return
    json.dumps(again.to_wire())
    again.upload.expect(again.hour(NOON))


@pytest.mark.parametrize("wire", [None, 3, [], {}, "x", {"who": "x"}])
def test_what_is_no_profile_at_all(wire: Any) -> None:
    with pytest.raises(ValueError, match="no profile"):
        Profile.from_wire(wire)


def test_a_usual_profile_takes_little_disk() -> None:
    habits_of = Habits(VolumeAnomaly)
    flows = [flow(name=f"n{number}.example{number}.com") for number in range(50)]
    habits_of.live(21, flows, hourly=(300_000, 4_000_000))
    profile = habits_of.profiles.of(CAMERA, habits_of.now)
    assert len(json.dumps(profile.to_wire())) < 8_000
    for name, facet in profile.facets.items():
        for number in range(2 * FACETS[name]):
            facet.note(f"some-longer-name-{number}.example.com", NOON + number, DAY, learning=True)
    assert len(json.dumps(profile.to_wire())) < 90_000


# Pace


def test_the_highest_minute_is_learnt_and_fades() -> None:
    pace = Pace()
    for minute, number in enumerate((5, 80, 3)):
        for _ in range(number):
            pace.begin(NOON + minute * 60, learning=True)
    assert pace.highest(NOON + 120) == pytest.approx(80, abs=0.1)
    assert pace.highest(NOON + 7 * DAY) == pytest.approx(40, abs=0.1)


def test_a_burst_after_learning_is_not_the_measure_at_once() -> None:
    pace = Pace()
    for minute, number in enumerate((40, 5000, 5000, 1)):
        for _ in range(number):
            pace.begin(NOON + minute * 60, learning=minute == 1)
    assert pace.highest(NOON + 180) == pytest.approx(40, abs=0.1)
    for day, number in ((2, 130), (4, 200)):
        for _ in range(number):
            pace.begin(NOON + day * DAY, learning=False)
        pace.begin(NOON + day * DAY + 60, learning=False)
    assert pace.highest(NOON + 4 * DAY) == pytest.approx(4 * 40 * 0.5 ** (4 / 7), abs=0.1)


def test_what_is_told_of_a_profile() -> None:
    habits_of = Habits(VolumeAnomaly)
    habits_of.live(8, [flow(name="www.example.org")])
    camera = habits_of.profiles.of(CAMERA, habits_of.now)
    told = report(camera, habits_of.now, habits_of.policy)
    assert told.learning_until == START + 7 * DAY
    assert [(each.name, each.count) for each in told.domains] == [("example.org", 8)]
    assert told.upload_this_hour is not None
    assert told.upload_this_hour.most == 20_000_000
    assert 0.5 < told.sure <= 1
    assert replace(told, mac="x").to_wire()["ports"]


def test_a_profile_of_a_clock_that_was_ahead_begins_now() -> None:
    known = Profiles([Profile(CAMERA, NOON + 400 * DAY)], lambda _: DevicePolicy())
    assert known.of(CAMERA, NOON).since == NOON
    assert [each.who for each in known.changed()] == [CAMERA]
    assert known.of(CAMERA, NOON - HOUR).since == NOON


def test_who_is_watched_is_watched_since_the_clock_was_set_back() -> None:
    known = profiles()
    known.learn(moved(NOON + 400 * DAY))
    known.learn(moved(NOON))
    known.learn(moved(NOON + 60))
    assert (known._watching, known._now) == (NOON, NOON + 60)


def test_a_frozen_profile_gives_way_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "MAX_DEVICES", 16)
    known = profiles()
    for number in range(15):
        known.of(str(number), NOON)
        known.learn(moved(NOON + 2 * DAY + number, who=str(number)))
    known.of("frozen", NOON)
    known.freeze("frozen", True)
    known.of("another", NOON + 3 * DAY)
    assert {each.who for each in known} == {*map(str, range(1, 15)), "frozen", "another"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *((("facets", "domain", each), 10**400) for each in ("units", "once", "newest")),
        *(((band, each), 10**14) for band in ("upload", "download") for each in ("hour", "at")),
        (("upload", "hour"), -(10**400)),
    ],
)
def test_numbers_beyond_all_bounds_are_a_value_error(path: tuple[str, ...], value: int) -> None:
    wire: Any = Profile(CAMERA, NOON).to_wire()
    assert Profile.from_wire(wire).who == CAMERA
    holder = wire
    for each in path[:-1]:
        holder = holder[each]
    holder[path[-1]] = value
    with pytest.raises(ValueError, match=r"no (facet|band) of a profile"):
        Profile.from_wire(wire)


def test_needs_without_a_port_are_left_out() -> None:
    facet = Facet(10)
    for each in ("tcp/abc x.example", "udp/70000 x.example", "tcp/443 x.example"):
        facet.note(each, NOON, DAY, learning=True)
    assert [each.ports for each in needs.expectations(facet)] == [(443, 443)]


def test_a_damaged_row_spoils_no_other(tmp_path: Path) -> None:
    def opened() -> sqlite3.Connection:
        path = tmp_path / "devices.db"
        schema = database.Schema(1, kept.SCHEMA)
        return database.opened(path, schema, durable=False, check=kept.meta).connection

    connection = opened()
    profile = kept.packed(Profile(CAMERA, NOON))
    kept.write(connection, kept.Learning({CAMERA: profile, PLUG: "{}"}, {"since": 1.5, "x": [1]}))
    bad = {
        "a": "[" * 100_000,
        "b": "{",
        "c": "1e999",
        "d": "1e10",
        "e": "NaN",
        "f": b"\xff",
        "g": 7e9,
    }
    with connection:
        connection.executemany("INSERT INTO meta VALUES (?, ?)", bad.items())
        connection.execute("INSERT INTO meta VALUES ('h', CAST(x'22ff' AS TEXT))")
    connection.close()
    connection = opened()
    assert kept.meta(connection) == {"since": 1.5, "x": [1]}
    assert [each.who for each in kept.profiles(connection)] == [CAMERA]
    connection.close()
    assert not list(tmp_path.glob("*.damaged"))
