"""Unexpected destinations: surprising for this very device, or against the policy."""

from typing import Any

import pytest

from hearthwall_sensor.detectors import unexpected_destination as module
from hearthwall_sensor.detectors.unexpected_destination import UnexpectedDestination
from hearthwall_sensor.flows.flow import UDP
from hearthwall_sensor.network.places import Place
from hearthwall_sensor.notice import Notice
from hearthwall_sensor.observations import Began, Flow, Look, Named, Settled
from hearthwall_sensor.policy.expectations import LOCAL, Expectation, Expectations
from hearthwall_sensor.policy.policy import DevicePolicy
from tests.unit.habits import HOUR, START, Habits, moved
from tests.unit.observed import CAMERA, DAY, LAPTOP, PLUG, flow

CLOUD = flow(name="api.vendor.example")._replace(place=Place("DE", 64_500))
ABROAD = Place("XX", 64_999, "Elsewhere")
KNOWN = Place("DE", 64_500)


def plug(days: int = 8, policy: DevicePolicy | None = None) -> Habits:
    """Return a device that talks to its cloud every day and to nobody else."""
    habits = Habits(UnexpectedDestination, policy)
    assert habits.live(days, [CLOUD]) == []
    return habits


def laptop(days: int = 14) -> Habits:
    """Return a device that meets some new domains and networks every day."""
    habits = Habits(UnexpectedDestination)
    for day in range(days):
        new = [
            flow(f"203.{100 + day}.1.{number}", name=f"n{day}-{number}.example")
            for number in range(4)
        ]
        habits.live(1, [CLOUD, *new])
    return habits


def visit(
    habits: Habits, name: str | None, place: Place = KNOWN, port: int = 443, **more: Any
) -> list[Notice]:
    """Return what is told when the device talks to somebody."""
    at = habits.now + 60
    met: Flow = flow("198.51.100.9", port, at, name=name, **more)._replace(place=place)
    return habits.see(
        Began(at, CAMERA, met), Look(at), Look(at + 10), Settled(at + 20, CAMERA, met)
    )


def test_a_new_domain_in_a_known_network_is_low() -> None:
    (notice,) = visit(plug(), "new.other.example")
    assert (notice.severity, notice.subject) == ("low", "domain other.example")
    assert notice.peer_name == "new.other.example"
    assert notice.evidence["new"] == {"domain": "other.example"}
    assert notice.evidence["value"] > notice.evidence["threshold"]
    assert "8 days since learning it began" in notice.evidence["why"]
    assert "once in" not in notice.evidence["why"], "an estimate can contradict what was counted"
    assert len(notice.evidence["flows"]) == 1


def test_the_same_is_nothing_for_a_device_that_meets_new_ones_daily() -> None:
    assert visit(laptop(), "new.other.example") == []


def test_a_new_address_of_a_known_domain_is_no_novelty() -> None:
    assert visit(plug(), "edge7.vendor.example", ABROAD) == []


def test_a_new_domain_and_network_of_a_constant_device_stay_low() -> None:
    (notice,) = visit(plug(80), "cdn.other.example", Place("DE", 64_999))
    assert notice.severity == "low"


def test_a_new_country_as_well_is_medium() -> None:
    (notice,) = visit(plug(), "c2.other.example", ABROAD)
    assert notice.severity == "medium"
    assert "Elsewhere" in notice.summary


@pytest.mark.parametrize(("others", "severity"), [(1, "medium"), (2, "low")])
def test_a_country_that_others_of_the_home_know_is_less(others: int, severity: str) -> None:
    habits = plug()
    habits.now = START
    for who in (PLUG, LAPTOP)[:others]:
        met = flow("198.51.100.7", name="www.known.example", mac=who)._replace(place=ABROAD)
        for day in range(8):
            at = START + day * DAY + HOUR
            habits.see(Began(at, who, met), Look(at), Look(at + 10))
    habits.now = START + 8 * DAY
    # The network is another one of that country
    (notice,) = visit(habits, "c2.other.example", ABROAD._replace(as_number=65_000))
    assert notice.severity == severity
    assert ("country" in notice.evidence["new"]) is (severity == "medium")


def test_without_its_threshold_a_new_country_is_low(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MEDIUM", 1e9)
    (notice,) = visit(plug(), "c2.other.example", ABROAD)
    assert notice.severity == "low"


@pytest.mark.parametrize(("days", "severity"), [(8, "medium"), (28, "high")])
def test_all_at_once_is_high_after_weeks_without_anything_new(days: int, severity: str) -> None:
    (notice,) = visit(plug(days), "c2.other.example", ABROAD, 4444)
    assert notice.severity == severity


@pytest.mark.parametrize("name", ["c2.other.example", None])
@pytest.mark.parametrize("learning", [600.0, 7 * DAY])
def test_once_it_is_learnt_the_first_stranger_is_told(learning: float, name: str | None) -> None:
    habits = Habits(UnexpectedDestination, DevicePolicy(learning=learning))
    # It did something when it was switched on, and was still ever since
    habits.see(moved(START), Began(START, CAMERA, CLOUD), Look(START), Look(START + 10))
    habits.now = START + learning
    assert len(visit(habits, name, ABROAD)) == 1


@pytest.mark.parametrize("learning", [600.0, 7 * DAY])
def test_a_new_port_of_a_known_peer_is_told_of_a_device_that_was_there(learning: float) -> None:
    habits = Habits(UnexpectedDestination, DevicePolicy(learning=learning))
    for unit in range(8):
        at = START + unit * learning / 7
        habits.see(moved(at), Began(at, CAMERA, CLOUD), Look(at), Look(at + 10))
    habits.now = START + 8 * learning / 7
    (notice,) = visit(habits, "api.vendor.example", KNOWN, 8883)
    assert notice.evidence["new"] == {"service": "tcp/8883"}


def test_a_common_service_is_no_surprise() -> None:
    assert visit(plug(), "www.vendor.example", port=80) == []
    assert [each.subject for each in visit(plug(), "www.vendor.example", port=8883)] == [
        "domain vendor.example"
    ]


def test_a_peer_without_a_name_weighs_more() -> None:
    (bare,) = visit(plug(), None, Place("DE", 64_999))
    (named,) = visit(plug(), "new.other.example", Place("DE", 64_999))
    assert bare.subject == "network AS64999"
    assert bare.evidence["value"] > named.evidence["value"]


def test_another_resolver_alone_is_nothing() -> None:
    assert visit(plug(30), None, Place("DE", 64_999), 53, protocol=UDP) == []
    (abroad,) = visit(plug(30), None, ABROAD, 53, protocol=UDP)
    assert abroad.severity == "low"


def test_a_name_that_is_said_late_counts() -> None:
    habits = plug()
    at = habits.now + 60
    bare = flow("198.51.100.9", at=at)._replace(place=KNOWN)
    assert habits.see(Began(at, CAMERA, bare)) == []
    named = Named(at + 1, CAMERA, bare.packed, bare.key, "x.vendor.example")
    assert habits.see(named, Look(at + 10), Look(at + 20)) == []


def test_while_it_is_learnt_nothing_is_told() -> None:
    habits = plug(6)
    assert visit(habits, "c2.other.example", ABROAD, 4444) == []


def test_nobody_answered_is_nothing_and_neither_is_who_calls() -> None:
    assert visit(plug(), "a.other.example", packets=(3, 0), outcome="no_answer") == []
    assert visit(plug(), "a.other.example", outgoing=False) == []


def test_a_device_that_never_went_out_is_told_of_by_another_detector() -> None:
    habits = Habits(UnexpectedDestination)
    habits.live(8)
    assert visit(habits, "c2.other.example", ABROAD) == []


def test_sensitivity() -> None:
    assert visit(plug(policy=DevicePolicy(sensitivity="low")), "new.other.example") == []
    habits = plug(policy=DevicePolicy(sensitivity="high"))
    assert [each.severity for each in visit(habits, "n.other.example", ABROAD)] == ["high"]


def test_the_same_is_told_again_for_its_count_only_after_a_while() -> None:
    habits = plug()
    assert len(visit(habits, "a.other.example")) == 1
    assert visit(habits, "b.other.example") == []
    habits.now += 700
    assert len(visit(habits, "b.other.example")) == 1


def test_what_is_accepted_is_known() -> None:
    habits = plug()
    (notice,) = visit(habits, "c2.other.example", ABROAD, 4444)
    habits.profiles.absorb(CAMERA, notice.kind, notice.subject, notice.evidence, habits.now)
    habits.now += DAY
    assert visit(habits, "c3.other.example", ABROAD, 4444) == []


def test_after_many_new_ones_new_ones_are_usual() -> None:
    habits = plug(14)
    told = [len(visit(habits, f"{number}.example{number}.example")) for number in range(20)]
    assert 1 <= sum(told) <= 4
    assert told[-10:] == [0] * 10


# The policy


def test_a_country_that_the_policy_does_not_name() -> None:
    habits = Habits(UnexpectedDestination, DevicePolicy(countries=frozenset(("DE",))))
    assert visit(habits, "a.vendor.example") == []
    (notice,) = visit(habits, "b.vendor.example", ABROAD)
    assert (notice.severity, notice.subject) == ("medium", "country XX")
    assert "DE" in notice.evidence["why"]


def quiet(factor: float = 1.0, amount: int = 70_000, at: float = 23.5 * HOUR) -> list[Notice]:
    habits = Habits(UnexpectedDestination, DevicePolicy(quiet_hours=((23 * 60, 6 * 60),)))
    habits.see(Began(START + at, CAMERA, CLOUD))
    return habits.see(*(moved(START + at + step * 5, amount // 40) for step in range(40)))


def test_talk_in_quiet_hours() -> None:
    (notice,) = quiet()
    assert (notice.severity, notice.subject) == ("medium", "quiet hours")
    assert notice.peer_name == "api.vendor.example"
    assert len(quiet(at=29 * HOUR)) == 1


@pytest.mark.parametrize(
    ("at", "amount"), [(22 * HOUR, 10**9), (30.1 * HOUR, 10**9), (24 * HOUR, 60_000)]
)
def test_outside_of_them_and_heartbeats_in_them_are_nothing(at: float, amount: int) -> None:
    assert quiet(at=at, amount=amount) == []


def test_heartbeats_all_night_are_nothing() -> None:
    habits = Habits(UnexpectedDestination, DevicePolicy(quiet_hours=((23 * 60, 6 * 60),)))
    night = START + 23 * HOUR
    beats = [moved(night + number * 5, 500, 500) for number in range(7 * 720)]
    assert habits.see(*beats[:5000]) == []


def test_a_hostile_device_fills_only_its_own_bounds() -> None:
    habits = plug()
    # A frozen profile takes no note, so that all of them stay new
    habits.profiles.freeze(CAMERA, True)
    for number in range(200):
        visit(habits, f"x.example{number}.test", Place("DE", number + 1), 1024 + number)
    state = habits.detector._states.find(CAMERA)  # type: ignore[attr-defined]
    assert 1 < len(state.told) <= 64
    assert len(state.flows) <= 5


MUD = Expectations(
    [
        Expectation("*.vendor.example", "tcp", (443, 443), "device"),
        Expectation(LOCAL, "tcp", (8123, 8123), "device"),
    ]
)


@pytest.mark.parametrize(
    ("name", "port", "scope", "told"),
    [
        ("api.vendor.example", 443, "internet", False),
        ("api.vendor.example", 80, "internet", True),
        ("c2.other.example", 443, "internet", True),
        (None, 8123, "lan", False),
        (None, 22, "lan", True),
    ],
)
def test_a_device_is_held_against_its_mud_file_from_the_first_day(
    name: str | None, port: int, scope: str, told: bool
) -> None:
    habits = Habits(UnexpectedDestination, DevicePolicy(expected=MUD))
    notices = visit(habits, name, port=port, scope=scope)
    subjects = [each.subject for each in notices if each.subject.startswith("description")]
    assert subjects == ([f"description {name or '198.51.100.9'} tcp/{port}"] if told else [])
    assert all(each.severity == "medium" for each in notices)
