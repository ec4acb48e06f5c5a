"""Local devices on the internet: by the policy, and by a life spent at home."""

from typing import Any

import pytest

from hearthwall_sensor.detectors import local_device_on_internet as module
from hearthwall_sensor.detectors.local_device_on_internet import LocalDeviceOnInternet
from hearthwall_sensor.flows.flow import ICMP, UDP
from hearthwall_sensor.notice import Notice
from hearthwall_sensor.observations import Began, Look, Settled
from hearthwall_sensor.policy.policy import DevicePolicy
from tests.unit.habits import Habits
from tests.unit.observed import CAMERA, DAY, flow

LOCAL = DevicePolicy(local=True)
NTP = flow("203.0.113.5", 123, protocol=UDP, name="pool.ntp.example")


def go(habits: Habits, **more: Any) -> list[Notice]:
    at = habits.now + 60
    gone = flow("198.51.100.9", at=at, **{"name": "cloud.example", **more})
    return habits.see(Began(at, CAMERA, gone), Look(at + 10), Settled(at + 20, CAMERA, gone))


def homebody(days: int = 8, policy: DevicePolicy | None = None) -> Habits:
    """Return a device that only asked for the time, and spoke to others at home."""
    habits = Habits(LocalDeviceOnInternet, policy)
    at_home = flow("192.168.0.2", 1883, scope="lan")
    assert habits.live(days, [NTP, at_home]) == []
    return habits


def test_a_device_that_is_to_stay_in_the_home_goes_out() -> None:
    (notice,) = go(Habits(LocalDeviceOnInternet, LOCAL))
    assert (notice.severity, notice.subject) == ("high", "internet")
    assert notice.peer_name == "cloud.example"
    assert notice.evidence["flows"]


@pytest.mark.parametrize(
    "more",
    [{"port": 53, "protocol": UDP}, {"port": 123, "protocol": UDP}, {"port": 0, "protocol": ICMP}],
)
def test_names_time_and_ping_of_such_a_device_are_low(more: dict[str, Any]) -> None:
    (notice,) = go(Habits(LocalDeviceOnInternet, LOCAL), **more)
    assert (notice.severity, notice.subject) == ("low", "internet basics")
    assert go(homebody(), **more) == []


def test_an_attempt_of_such_a_device_is_low_and_of_others_nothing() -> None:
    (notice,) = go(Habits(LocalDeviceOnInternet, LOCAL), packets=(3, 0), outcome="no_answer")
    assert (notice.severity, notice.subject) == ("low", "internet attempt")
    assert go(homebody(), packets=(3, 0), outcome="no_answer") == []


def test_a_device_that_never_went_out_goes_out() -> None:
    (notice,) = go(homebody())
    assert (notice.severity, notice.subject) == ("medium", "internet")
    assert "8 days" in notice.evidence["why"]


def test_who_went_out_while_it_was_learnt_may() -> None:
    habits = Habits(LocalDeviceOnInternet)
    assert go(habits) == []
    habits.live(8)
    assert go(habits) == []


def test_it_is_told_until_it_became_usual() -> None:
    habits = homebody()
    told = []
    for _ in range(12):
        told.append(len(go(habits)))
        habits.live(1)
    assert told == [1] * 8 + [0] * 4


def test_within_the_learning_period_nothing_is_told() -> None:
    assert go(homebody(6)) == []


def test_who_was_there_for_an_hour_weeks_ago_is_not_known_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def returns() -> list[Notice]:
        habits = homebody(1)
        habits.now += 30 * DAY
        return go(habits)

    assert returns() == []
    monkeypatch.setattr(module, "_UNITS", 1)
    assert len(returns()) == 1


def test_who_may_go_out_may() -> None:
    assert go(homebody(policy=DevicePolicy(local=False))) == []


def test_peers_at_home_and_callers_from_outside_are_nothing() -> None:
    habits = Habits(LocalDeviceOnInternet, LOCAL)
    assert go(habits, scope="lan") == []
    assert go(habits, outgoing=False) == []


def test_many_flows_are_told_once_for_a_while() -> None:
    habits = Habits(LocalDeviceOnInternet, LOCAL)
    assert [len(go(habits, near=number)) for number in range(1, 6)] == [1, 0, 0, 0, 0]


def test_what_is_accepted_is_not_told() -> None:
    habits = homebody()
    (notice,) = go(habits)
    habits.profiles.absorb(CAMERA, notice.kind, notice.subject, notice.evidence, habits.now)
    habits.now += DAY
    assert go(habits) == []
