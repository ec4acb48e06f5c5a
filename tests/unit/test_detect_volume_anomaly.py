"""Volume anomalies: beyond the band of the hour or the day, for this very device."""

import pytest

from hearthwall_sensor.detectors import volume_anomaly as module
from hearthwall_sensor.detectors.volume_anomaly import VolumeAnomaly
from hearthwall_sensor.learning import bands
from hearthwall_sensor.learning.bands import Band
from hearthwall_sensor.learning.profile import Profile
from hearthwall_sensor.notice import Notice
from hearthwall_sensor.observations import Began, Moved, Settled
from hearthwall_sensor.policy.policy import DevicePolicy
from tests.unit.habits import HOUR, START, Habits, moved
from tests.unit.observed import CAMERA, DAY, NOON, flow

MB = 10**6


def sensor(days: int = 8, *, hourly: tuple[int, int] = (120_000, 120_000)) -> Habits:
    """Return a device that moves the same every hour; the usual one sends 2 kB in a minute."""
    habits = Habits(VolumeAnomaly)
    assert habits.live(days, hourly=hourly) == []
    return habits


def push(
    habits: Habits, megabytes: float, *, down: bool = False, seconds: int = 300
) -> list[Notice]:
    """Return what is told when so much is moved evenly."""
    habits.now += 10
    steps = seconds // 5
    amount = int(megabytes * MB / steps)
    amounts = (0, amount) if down else (amount, 0)
    begin = habits.now
    return habits.see(*(moved(begin + 5 * step, *amounts) for step in range(steps)))


def test_a_sensor_sends_two_hundred_megabytes() -> None:
    habits = sensor()
    begin = habits.now + 10
    at = begin + 1
    out = flow("198.51.100.9", at=at, name="drop.example", up=3 * MB, outcome="open")
    habits.see(Began(begin + 5, CAMERA, out))
    first, second = push(habits, 200)
    assert (first.severity, first.subject) == ("medium", "upload")
    assert (second.severity, second.subject) == ("high", "upload")
    # 40 MB a minute: the floor is passed after 30 s
    assert first.time is not None
    assert first.time - begin <= 60
    assert first.peer_name == "drop.example"
    assert first.evidence["threshold"][1] == 20.0
    assert first.evidence["value"] == pytest.approx(20, abs=4)
    assert "0.12 MB" in first.evidence["why"]


def test_below_the_floor_it_may_send_what_it_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    assert push(sensor(), 19) == []

    habits = sensor()
    habits.profiles.of(CAMERA, habits.now).upload._floor = 1000.0
    assert len(push(habits, 19)) == 1


def test_a_download_is_low_and_has_a_floor_of_its_own() -> None:
    assert push(sensor(), 480, down=True) == []
    (notice,) = push(sensor(), 900, down=True)
    assert (notice.severity, notice.subject) == ("low", "download")


def test_while_it_is_learnt_nothing_is_told() -> None:
    assert push(sensor(6), 400) == []


def test_a_camera_may_have_half_as_much_again_as_its_largest_hour() -> None:
    camera = (100 * MB, MB)
    assert push(sensor(30, hourly=camera), 40) == []
    (notice,) = push(sensor(30, hourly=camera), 500)
    assert notice.severity == "low"
    assert [each.severity for each in push(sensor(30, hourly=camera), 1100)] == ["low", "medium"]


def test_what_varies_wildly_is_never_more_than_low() -> None:
    habits = Habits(VolumeAnomaly)
    for day in range(30):
        habits.live(1, hourly=(200_000, MB))
        if day % 7 == 3:
            push(habits, 18)
    assert {each.severity for each in push(habits, 400)} == {"low"}


def test_film_nights_are_told_no_more_once_they_happened() -> None:
    habits = Habits(VolumeAnomaly)
    told = []
    for _ in range(8):
        told.append(len(habits.live(7, hourly=(100_000, 50 * MB))))
        told[-1] += len(push(habits, 4000, down=True, seconds=3000))
    assert told == [1, 1, 1, 0, 0, 0, 0, 0]


def test_it_is_told_once_until_the_device_was_within_its_band() -> None:
    habits = sensor(hourly=(5 * MB, MB))
    habits.now += 100
    assert len(push(habits, 30)) == 1
    assert push(habits, 30) == []
    habits.now = habits.now // HOUR * HOUR + HOUR
    assert push(habits, 50) == []
    habits.live(3, hourly=(5 * MB, MB))
    assert len(push(habits, 190)) >= 1


def test_a_little_in_every_hour_is_seen_in_the_day() -> None:
    habits = sensor(10)
    notices = habits.live(1, hourly=(10 * MB, 120_000))
    (notice,) = notices
    assert (notice.severity, notice.subject) == ("medium", "upload in a day")
    assert notice.evidence["window"] == DAY
    assert notice.evidence["value"] > 100


def test_less_than_that_in_a_day_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sensor(10).live(1, hourly=(4 * MB, 120_000)) == []
    monkeypatch.setattr(bands, "_DAY_FLOORS", 0.0)
    assert len(sensor(10).live(1, hourly=(4 * MB, 120_000))) == 1


def test_what_raised_an_event_is_not_the_measure_at_once() -> None:
    habits = sensor()
    push(habits, 400)
    habits.live(1)
    assert len(push(habits, 400)) >= 1


def test_what_was_accepted_is() -> None:
    habits = sensor()
    notices = push(habits, 150)
    (first, second) = notices
    assert habits.detector.covers(second.evidence, second)
    assert not habits.detector.covers(first.evidence, second)
    habits.now += HOUR
    habits.see(moved(habits.now))
    habits.profiles.absorb(CAMERA, first.kind, first.subject, first.evidence, habits.now)
    habits.live(2)
    assert push(habits, 200) == []


def test_a_device_that_was_learnt_for_minutes_only() -> None:
    habits = Habits(VolumeAnomaly, DevicePolicy(learning=600.0))
    habits.see(*(moved(START + 60 * minute, 2000) for minute in range(11)))
    habits.now = START + 660
    assert [each.severity for each in push(habits, 200)] == ["medium", "high"]


@pytest.mark.parametrize("begun", [100, 1900, 3300, 3590])
@pytest.mark.parametrize("learning", [600.0, 1800.0])
def test_an_hour_that_was_not_watched_from_its_beginning_is_no_whole_one(
    begun: float, learning: float
) -> None:
    habits = Habits(VolumeAnomaly, DevicePolicy(learning=learning))
    # Evenly, 600 MB an hour
    for second in range(0, 3 * 3600, 5):
        at = START + begun + second
        assert habits.see(moved(at, 833_333)) == []


@pytest.mark.parametrize(
    ("begun", "minutes", "said"),
    [
        (0, 130, "(1 hour was learnt)"),
        (0, 190, "(2 hours were learnt)"),
        (1800, 60, "(no whole hours were learnt)"),
    ],
)
def test_how_many_hours_were_learnt_is_said_in_words(begun: float, minutes: int, said: str) -> None:
    habits = Habits(VolumeAnomaly, DevicePolicy(learning=600.0))
    habits.see(*(moved(START + begun + 60 * minute, 2000) for minute in range(minutes)))
    habits.now = START + begun + 60 * minutes
    assert said in push(habits, 200)[0].evidence["why"]


def test_sensitivity() -> None:
    habits = Habits(VolumeAnomaly, DevicePolicy(sensitivity="high"))
    habits.live(8)
    assert len(push(habits, 15)) == 1


def test_the_flows_that_may_be_behind_it() -> None:
    habits = sensor()
    at = habits.now
    running = flow("198.51.100.1", at=at, up=4000, outcome="open", near=1)
    small = flow("198.51.100.2", at=at, up=9000, near=2)
    big = flow("198.51.100.3", at=at, up=21 * MB, near=3)
    home_flow = flow("192.168.0.2", at=at, up=90 * MB, near=4, scope="lan")
    habits.see(Began(at, CAMERA, running), Settled(at + 5, CAMERA, small))
    habits.see(Settled(at + 5, CAMERA, big), Settled(at + 5, CAMERA, home_flow))
    (notice,) = push(habits, 30)
    peers = [each["peer_address"] for each in notice.evidence["flows"]]
    assert peers == ["198.51.100.3", "198.51.100.1", "198.51.100.2"]


def test_a_thousand_flows_hide_no_big_one_and_stay_in_bounds() -> None:
    habits = sensor()
    at = habits.now
    habits.see(Began(at, CAMERA, flow("198.51.100.1", at=at, up=MB, outcome="open")))
    for number in range(1000):
        small = flow("198.51.100.2", at=at, near=number + 1, up=100)
        habits.see(Began(at, CAMERA, small), Settled(at, CAMERA, small))
    state = habits.detector._states.find(CAMERA)  # type: ignore[attr-defined]
    assert len(state.flows) <= 16
    (notice,) = push(habits, 30)
    assert notice.peer_address == "198.51.100.1"


# Bands


def test_after_three_weeks_the_hour_of_the_week_counts() -> None:
    band = Band(20e6)
    for hour in range(4 * 168):
        busy = 200 * MB if hour % 24 == 20 else 1000
        band.take(hour, busy, 0, learning=True)
    evening, night = band.expect(4 * 168 + 20), band.expect(4 * 168 + 4)
    assert evening.top > 280e6
    assert night.top < 110e6
    young = Band(20e6)
    for hour in range(20 * 24):
        young.take(hour, 200 * MB if hour % 24 == 20 else 1000, 0, learning=True)
    assert young.expect(20 * 24 + 4).top > 380e6


@pytest.mark.parametrize(
    ("hours", "name", "top"),
    # The median and six deviations, or twice the median; else half as much again as the largest hour
    [((20, 50, 80), "_DEVIATIONS", 317), ((100, 100, 100), "_LEAST_SPREAD", 200)],
)
def test_an_hour_of_the_week_has_its_own_spread(
    monkeypatch: pytest.MonkeyPatch, hours: tuple[int, ...], name: str, top: int
) -> None:
    band = Band(20e6)
    for hour in range(6 * 168):
        band.take(hour, hours[hour % 3] * MB, 0, learning=True)
    assert band.expect(6 * 168).top == pytest.approx(top * MB, rel=0.15)
    monkeypatch.setattr(bands, name, 0.0)
    assert band.expect(6 * 168).top == pytest.approx(1.5 * max(hours) * MB, rel=0.15)


def test_the_largest_hour_fades() -> None:
    band = Band(20e6)
    band.take(0, 10**9, 0, learning=True)
    band.take(1, 0, 0, learning=True)
    assert band.expect(2).largest == pytest.approx(1e9, rel=0.01)
    band.take(4 * 168, 0, 0, learning=True)
    assert band.expect(4 * 168).largest == pytest.approx(5e8, rel=0.01)


def test_hours_without_a_watcher_are_not_still() -> None:
    blind, watched = Band(20e6), Band(20e6)
    for band, since in ((blind, 499), (watched, 0)):
        band.take(0, 1000, since, learning=True)
        band.take(500, 1000, since, learning=True)
    assert (blind.hours, watched.hours) == (2, 500)


def test_a_clock_that_is_set_back_makes_an_hour_longer() -> None:
    band = Band(20e6)
    assert not band.take(10, 5, 0, learning=True)
    assert not band.take(9, 5, 0, learning=True)
    assert band.moved == 10


def test_a_merged_device_has_both_histories() -> None:
    one, other = Profile(CAMERA, NOON), Profile("x", NOON - DAY)
    for hour in range(200):
        one.upload.take(hour, 1000, 0, learning=True)
        other.upload.take(hour + 100, 50 * MB, 0, learning=True)
    one.join(other)
    assert one.since == NOON - DAY
    assert one.upload.expect(300).largest > 40e6
    assert one.upload.hour == 299


@pytest.mark.parametrize("name", ["_MUCH", "_HIGH"])
def test_severities_need_their_thresholds(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(module, name, 1e12)
    camera = push(sensor(30, hourly=(100 * MB, MB)), 1100)
    assert [each.severity for each in camera] == (["low"] if name == "_MUCH" else ["low", "medium"])
    assert [each.severity for each in push(sensor(), 200)] == (
        ["medium"] if name == "_HIGH" else ["medium", "high"]
    )


def test_an_hour_before_the_one_that_runs_begins_anew() -> None:
    hour = module._Hour()
    hour.turn(10, 5)
    hour.moved, hour.told = 10, 1
    hour.turn(10, 0)
    assert hour.moved == 10
    hour.expected = Band(20e6).expect(10)
    hour.turn(4, 1)
    assert (hour.hour, hour.moved, hour.told, hour.expected) == (4, 1, -1, None)


def test_a_clock_that_is_set_back_adds_no_hours_together() -> None:
    habits = sensor(30)
    assert push(habits, 15) == []
    back = habits.now - 30 * HOUR
    for number in range(4):
        assert told(habits, [moved(back + number * HOUR, 15 * MB)]) == []


def told(habits: Habits, observations: list[Moved]) -> list[Notice]:
    """Return what the detector tells of times before the profiles'."""
    return [each for seen in observations for each in habits.detector._moved(seen)]  # type: ignore[attr-defined]
