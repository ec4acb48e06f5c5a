"""Connection bursts: far more connections in a minute than the device ever began."""

import pytest

from hearthwall_sensor.detectors import connection_burst as module
from hearthwall_sensor.detectors.connection_burst import ConnectionBurst
from hearthwall_sensor.flows.flow import ICMP, TCP_ACK, UDP
from hearthwall_sensor.notice import Notice
from hearthwall_sensor.observations import Began, Look, Observation
from hearthwall_sensor.policy.policy import DevicePolicy
from tests.unit.habits import Habits
from tests.unit.observed import CAMERA, DAY, flow


def burst(habits: Habits, number: int, seconds: int = 50) -> list[Notice]:
    """Return what is told when so many connections begin, from the beginning of a minute on."""
    begin = habits.now = habits.now // 60 * 60 + 120
    observations: list[Observation] = []
    for step in range(0, seconds, 5):
        share = number * 5 // seconds
        observations += [
            Began(begin + step, CAMERA, flow(f"203.0.113.{each % 250}", near=each + 1, at=begin))
            for each in range(share)
        ]
        observations.append(Look(begin + step))
    return habits.see(*observations)


def used_to(number: int) -> Habits:
    """Return a device whose highest minute had so many connections."""
    habits = Habits(ConnectionBurst)
    assert burst(habits, number) == []
    assert habits.live(7, [flow(name="example.org")]) == []
    return habits


def test_a_device_of_few_connections_begins_many() -> None:
    (notice,) = burst(used_to(10), 150)
    assert (notice.severity, notice.subject) == ("low", "connections")
    assert notice.evidence["value"] > notice.evidence["threshold"] == 120
    assert notice.evidence["services"]["tcp/443"] > 100
    assert notice.evidence["peers"] == 15
    assert len(notice.evidence["flows"]) == 5


def test_a_page_with_all_its_advertisements_is_nothing() -> None:
    assert burst(used_to(10), 110) == []


def test_without_the_floor_it_would_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FLOOR", 0.0)
    assert len(burst(used_to(10), 110)) >= 1


def test_it_goes_by_the_own_highest_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    habits = used_to(300)
    # The highest minute of a week ago counts half
    assert burst(habits, 550) == []
    monkeypatch.setattr(module, "_OVER_HIGHEST", 0.0)
    assert len(burst(used_to(300), 550)) == 1


def test_much_more_is_medium_and_told_again_when_it_gets_there() -> None:
    assert [each.severity for each in burst(used_to(10), 1500)] == ["low", "medium"]


def test_an_attack_makes_no_room_for_the_next_one() -> None:
    habits = used_to(50)
    for _ in range(5):
        assert [each.severity for each in burst(habits, 250)] == ["low"]
        habits.live(2)
    learnt = Habits(ConnectionBurst)
    assert len(burst(learnt, 800)) == 1
    learnt.live(8, [flow(name="example.org")])
    assert [each.severity for each in burst(learnt, 300)] == ["low"]


def test_what_raises_no_alarm_becomes_the_measure_by_and_by() -> None:
    habits = used_to(50)
    for number in (115, 155, 255):
        assert burst(habits, number) == []
        habits.live(2)


def test_while_it_is_learnt_only_a_flood_is_told() -> None:
    assert burst(Habits(ConnectionBurst), 500) == []
    assert [each.severity for each in burst(Habits(ConnectionBurst), 800)] == ["low"]


def test_a_burst_that_goes_on_is_told_once_and_another_one_again() -> None:
    habits = used_to(10)
    assert len(burst(habits, 400, 300)) == 0
    assert len(burst(habits, 1500, 300)) == 1
    habits.live(1)
    assert len(burst(habits, 300)) == 1


def test_a_burst_is_over_below_half_of_the_limit() -> None:
    habits = used_to(10)
    begin = habits.now // 60 * 60
    told = []
    for minute, number in enumerate((150, 150, 80, 80, 150, 20, 20, 150, 150)):
        for step in range(0, 60, 5):
            at = begin + minute * 60 + step
            begun = [Began(at, CAMERA, flow(near=each + 1)) for each in range(number // 12)]
            if habits.see(*begun, Look(at)):
                told.append(minute)
    assert told == [0, 7]


def test_over_the_turn_of_a_minute_it_is_one_burst() -> None:
    habits = used_to(10)
    at = habits.now // 60 * 60 + 175
    begun = [Began(at, CAMERA, flow(near=each + 1)) for each in range(140)]
    (notice,) = habits.see(*begun, Look(at + 5))
    assert notice.evidence["services"] == {"tcp/443": 140}


def test_connections_from_outside_do_not_count() -> None:
    habits = used_to(10)
    begun = [Began(habits.now, CAMERA, flow(near=each + 1, outgoing=False)) for each in range(500)]
    assert habits.see(*begun, Look(habits.now)) == []


def test_pings_and_what_began_before_the_sensor_do_not_count() -> None:
    habits = used_to(10)
    ping = flow(protocol=ICMP, near=8, port=0)
    old = flow()
    old = old._replace(counted=old.counted._replace(upload_flags=TCP_ACK))
    begun = [Began(habits.now, CAMERA, each) for each in (ping, old) for _ in range(500)]
    assert habits.see(*begun, Look(habits.now)) == []
    datagrams = [Began(habits.now, CAMERA, flow(protocol=UDP)) for _ in range(500)]
    assert len(habits.see(*datagrams, Look(habits.now))) == 1


def test_sensitivity() -> None:
    habits = used_to(10)
    habits.policy = DevicePolicy(sensitivity="high")
    object.__setattr__(habits.detector.home, "policy", lambda _: habits.policy)
    assert len(burst(habits, 80)) == 1


def test_the_word_of_the_user_reaches_so_far() -> None:
    habits = used_to(10)
    (notice,) = burst(habits, 150)
    (more,) = burst(used_to(10), 400)
    assert habits.detector.covers(notice.evidence, notice)
    assert not habits.detector.covers(notice.evidence, _of(more, 400))
    habits.profiles.absorb(CAMERA, notice.kind, notice.subject, notice.evidence, habits.now)
    habits.now += DAY
    assert burst(habits, 400) == []


def _of(notice: Notice, value: int) -> Notice:
    """Return a notice with another value."""
    return Notice(notice.kind, notice.severity, "", {**notice.evidence, "value": value})


def test_a_scan_of_everything_stays_in_bounds() -> None:
    habits = used_to(10)
    observations = [
        Began(
            habits.now, CAMERA, flow(f"203.0.{each // 250}.{each % 250}", 1 + each, near=each + 1)
        )
        for each in range(3000)
    ]
    habits.see(*observations)
    state = habits.detector._states.find(CAMERA)  # type: ignore[attr-defined]
    assert len(state.services) <= 16
    assert len(state.peers) <= 256
    assert len(state.flows) <= 5
