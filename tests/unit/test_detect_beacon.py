"""Beacons: even calls to a peer that is new, and the heartbeats and habits that look like them."""

import random
from collections.abc import Iterable, Iterator

import pytest

from hearthwall_sensor.detectors import beacon
from hearthwall_sensor.detectors.beacon import Beacon
from hearthwall_sensor.detectors.detector import Home
from hearthwall_sensor.flows.flow import ICMP, UDP
from hearthwall_sensor.learning.profile import Profile
from hearthwall_sensor.notice import Notice
from hearthwall_sensor.observations import Began, Flow, Observation, Settled
from hearthwall_sensor.policy.policy import DevicePolicy
from tests.unit.observed import CAMERA, DAY, LAPTOP, NOON, PLUG, flow, home, told

C2 = "c2.example"


def calls(
    every: float = 60.0,
    jitter: float = 0.0,
    count: int = 20,
    *,
    seed: int = 1,
    sizes: Iterable[int] = (500,),
    start: float = NOON,
    **more: object,
) -> Iterator[Observation]:
    """Yield calls at a pace, as they are looked at and settle."""
    rng, at, sizes = random.Random(seed), start, list(sizes)
    for number in range(count):
        size = sizes[number % len(sizes)]
        call = flow(**{"at": at, "near": 40_000 + number, "up": size, "name": C2, **more})  # type: ignore[arg-type]
        yield Began(at + 2.0, CAMERA, call)
        yield Settled(at + 4.0, CAMERA, call)
        at += every * (1 + rng.uniform(-jitter, jitter))


def run(observations: Iterable[Observation], at: Home | None = None) -> list[Notice]:
    return told(Beacon(at or home()), observations)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("every", [5.0, 60.0, 900.0])
def test_ten_per_cent_of_jitter_are_found_within_a_few_calls(every: float, seed: int) -> None:
    (notice, *_) = run(calls(every, 0.1, 23, seed=seed))
    assert (notice.kind, notice.severity, notice.mac) == ("beacon", "medium", CAMERA)
    assert notice.subject == f"{C2} tcp/443"
    assert notice.evidence["interval"] == pytest.approx(every, rel=0.1)
    assert notice.evidence["flows"]
    assert "Camera" in notice.summary
    assert C2 in notice.summary


@pytest.mark.parametrize("seed", range(20))
def test_sixty_per_cent_of_jitter_are_no_beacon(seed: int) -> None:
    assert run(calls(30.0, 0.6, 300, seed=seed)) == []


@pytest.mark.parametrize("seed", range(10))
def test_calls_at_random_are_no_beacon(seed: int) -> None:
    rng = random.Random(seed)
    at, observations = NOON, []
    for number in range(300):
        at += rng.expovariate(1 / 30)
        observations.append(Began(at, CAMERA, flow(at=at, near=number, name=C2)))
    assert run(observations) == []


@pytest.mark.parametrize(("count", "found"), [(19, 0), (20, 1)])
def test_so_many_calls_make_a_pace(count: int, found: int) -> None:
    assert len(run(calls(60, 0.05, count))) == found


def test_sensitivity_moves_the_number_of_calls() -> None:
    policies = {each: DevicePolicy(sensitivity=each) for each in ("low", "high")}  # type: ignore[arg-type]
    assert run(calls(60, 0.05, 10), home(policy=policies["high"]))
    assert not run(calls(60, 0.05, 39), home(policy=policies["low"]))
    assert run(calls(60, 0.05, 40), home(policy=policies["low"]))


@pytest.mark.parametrize(("every", "found"), [(3.0, 0), (3.2, 1)])
def test_a_progress_bar_is_none(every: float, found: int) -> None:
    assert len(run(calls(every, 0.02, 20))) == found


@pytest.mark.parametrize(("share", "count", "found"), [(0.11, 47, 0), (0.11, 48, 1), (0.13, 99, 0)])
def test_what_is_somewhat_uneven_takes_more_calls(share: float, count: int, found: int) -> None:
    at, observations = NOON, []
    for number in range(count):
        call = flow(at=at, near=40_000 + number, name=C2)
        observations += [Began(at + 2, CAMERA, call), Settled(at + 4, CAMERA, call)]
        at += 60.0 * (1 + (0, share, -share, share, -share)[number % 5])
    assert len(run(observations)) == found


def test_calls_that_are_remembered_are_bounded() -> None:
    detector = Beacon(home())
    told(detector, calls(60, 0.1, 500))
    state = detector._devices.find(CAMERA)
    assert state is not None
    assert [len(each.times) for each in state.pairs.values()] == [64]


def test_a_burst_is_none() -> None:
    burst = [
        Began(at, CAMERA, flow(at=at, near=number, name=C2))
        for number, at in enumerate(NOON + 0.3 * each for each in range(900))
    ]
    assert run(burst) == []


def test_calls_within_a_second_are_one() -> None:
    twice = [
        Began(at + 2, CAMERA, flow(at=at + late, near=int(number * 2 + late), name=C2))
        for number, at in enumerate(NOON + 60.0 * each for each in range(20))
        for late in (0.0, 0.3)
    ]
    assert len(run(twice)) == 1
    assert not run(twice[:38])


def test_bursts_with_pauses_are_no_beacon() -> None:
    """Four calls each 10 seconds, then a pause of 100: the median is even, and most of the time has no call."""
    times = [NOON + 140.0 * visit + 10.0 * call for visit in range(30) for call in range(5)]
    assert not run(Began(at, CAMERA, flow(at=at, near=int(at) % 60_000, name=C2)) for at in times)


def test_sizes_at_random_speak_against_it() -> None:
    rng = random.Random(3)
    sizes = [rng.choice((300, 3_000, 30_000, 300_000)) for _ in range(64)]
    steady = run(calls(60, 0.1, 20, sizes=[500]))[0].evidence
    varied = run(calls(60, 0.02, 20, sizes=sizes))
    assert steady["sizes"] == 1.0
    assert all(each.evidence["sizes"] < 0.5 for each in varied)
    assert not run(calls(60, 0.28, 64, sizes=sizes, seed=4))


def test_a_night_in_between_is_no_uneven_pace() -> None:
    evening = list(calls(60, 0.1, 15))
    morning = list(calls(60, 0.1, 20, start=NOON + DAY / 2))
    assert len(run([*evening, *morning])) == 1


def test_looks_may_see_calls_out_of_order() -> None:
    began = [each for each in calls(5, 0.1, 24) if isinstance(each, Began)]
    for at in range(0, len(began) - 1, 2):
        began[at], began[at + 1] = began[at + 1], began[at]
    pair_times: list[float] = []
    detector = Beacon(home())
    told(detector, began)
    (pair,) = detector._devices.of(CAMERA, NOON).pairs.values()
    pair_times += pair.times
    assert pair_times == sorted(pair_times)
    assert len(pair_times) == 24


# Whom it is told of


@pytest.mark.parametrize(
    "more",
    [
        {"scope": "lan"},
        {"scope": "gateway"},
        {"outgoing": False},
        {"port": 123, "protocol": UDP},
        {"port": 53, "protocol": UDP},
        {"port": 853},
        {"port": 0, "protocol": ICMP},
    ],
)
def test_what_every_home_does_evenly(more: dict[str, object]) -> None:
    assert run(calls(60, 0.05, 60, **more)) == []


def _profile(who: str, *, known: Iterable[str] = (), since: float = NOON - 30 * DAY) -> Profile:
    profile = Profile(who, since)
    for each in known:
        profile.facets["domain"].note(each, since, DAY, learning=True)
    return profile


def test_a_heartbeat_that_the_device_was_learnt_with_is_no_news() -> None:
    assert not run(calls(), home(profile=lambda who: _profile(who, known=[C2])))
    assert run(calls(), home(profile=lambda who: _profile(who, known=["other.example"])))


def test_a_network_that_the_device_was_learnt_with_is_no_news_without_a_name() -> None:
    profile = _profile(CAMERA)
    assert run(calls(name=None), home(profile=lambda _: profile))
    profile.facets["network"].note("203.0.0.0/16", NOON - DAY, DAY, learning=True)
    assert run(calls(name=C2), home(profile=lambda _: profile))
    assert not run(calls(name=None), home(profile=lambda _: profile))


@pytest.mark.parametrize(
    ("more", "severity"),
    [
        ({}, None),
        ({"port": 8883}, None),
        ({"port": 993}, None),
        ({"name": None}, "low"),
        ({"port": 4444}, "low"),
    ],
)
def test_while_a_device_is_learnt_only_odd_ones_are_told(
    more: dict[str, object], severity: str | None
) -> None:
    learning = home(profile=lambda who: _profile(who, since=NOON - DAY))
    settling = home(settling=True)
    for each in (learning, settling):
        found = run(calls(60, 0.05, 25, **more), each)
        assert [notice.severity for notice in found] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("every", "size", "found"), [(9.0, 500, 1), (12.0, 500, 0), (9.0, 750_000, 0)]
)
def test_while_a_device_is_learnt_small_calls_in_a_hurry_are_told(
    every: float, size: int, found: int
) -> None:
    learning = home(profile=lambda who: _profile(who, since=NOON - DAY))
    assert len(run(calls(every, 0.05, 25, sizes=[size]), learning)) == found


def test_a_page_that_polls_stays_below_medium() -> None:
    many = [f"site{number}.example" for number in range(beacon._PERSONAL)]
    assert [each.severity for each in run(calls(30), _with(many))] == ["low"]
    assert [each.severity for each in run(calls(30), _with(many[1:]))] == ["medium"]


def _with(known: list[str]) -> Home:
    return home(profile=lambda who: _profile(who, known=known))


def test_what_others_of_the_home_know_matters_less() -> None:
    knowing = [LAPTOP]

    def profile(who: str) -> Profile:
        return _profile(who, known=[C2] if who in knowing else [])

    def severities() -> list[str]:
        detector = Beacon(home(profile=profile))
        others = [Began(NOON, each, flow(near=1, name="a.example")) for each in (LAPTOP, PLUG)]
        return [each.severity for each in told(detector, [*others, *calls()])]

    assert severities() == ["medium"]
    knowing.append(PLUG)
    assert severities() == ["low"]


def test_that_others_know_the_network_of_an_address_says_little() -> None:
    def profile(who: str) -> Profile:
        found = _profile(who)
        if who != CAMERA:
            found.facets["network"].note("203.0.0.0/16", NOON - DAY, DAY, learning=True)
        return found

    detector = Beacon(home(profile=profile))
    others = [Began(NOON, each, flow(near=1, name="a.example")) for each in (LAPTOP, PLUG)]
    found = told(detector, [*others, *calls(name=None)])
    assert [each.severity for each in found] == ["medium"]


# Bounds


def _others(count: int, start: float, per_second: float) -> Iterator[Began]:
    for number in range(count):
        at = start + number / per_second
        yield Began(at, CAMERA, flow(at=at, near=number % 60_000, name=f"n{number}.example"))


def test_a_million_peers_stay_within_bounds() -> None:
    detector = Beacon(home())
    told(detector, _others(20_000, NOON, 1000))
    pairs = detector._devices.of(CAMERA, NOON).pairs
    assert len(pairs) == beacon._MAX_PAIRS == 64
    for each in calls(1.5, 0.0, 1000):
        told(detector, [each])
    assert all(len(pair.times) <= beacon._MAX_CALLS for pair in pairs.values())
    assert all(len(pair.sizes) == len(pair.times) for pair in pairs.values())


def test_regular_pairs_stay_while_others_come_and_go() -> None:
    """A call a minute, and 300 new peers between two of them, once the pace has begun to show."""
    detector = Beacon(home())
    early = list(calls(60, 0.05, 5))
    late = list(calls(60, 0.05, 18, start=NOON + 300))
    found = told(detector, early)
    for each in late:
        found += told(detector, [*_others(150, each.time, 10), each])
    assert [each.subject for each in found] == [f"{C2} tcp/443"]


def test_stale_pairs_give_way() -> None:
    detector = Beacon(home())
    told(detector, calls(60, 0.05, 10))
    told(detector, _others(2 * beacon._MAX_PAIRS, NOON + DAY, 10))
    assert (C2, "tcp/443") not in detector._devices.of(CAMERA, NOON).pairs


def test_it_is_told_again_once_an_hour_for_its_count() -> None:
    assert len(run(calls(60, 0.05, 20 + 125))) == 3


def test_a_forgotten_device_begins_anew() -> None:
    detector = Beacon(home())
    observations: list[Observation] = list(calls(60, 0.05, 30))
    told(detector, observations[:38])
    detector.forget(CAMERA)
    assert told(detector, observations[38:]) == []


def test_sizes_are_of_the_first_rest_and_other_flows_do_not_matter() -> None:
    detector = Beacon(home())
    call = flow(at=NOON, name=C2, up=400)
    more: Flow = call._replace(counted=call.counted._replace(upload_bytes=9_000))
    told(detector, [Began(NOON, CAMERA, call)])
    told(detector, [Settled(NOON + 4, CAMERA, call), Settled(NOON + 60, CAMERA, more)])
    told(detector, [Settled(NOON, PLUG, call)])
    (pair,) = detector._devices.of(CAMERA, NOON).pairs.values()
    assert list(pair.sizes) == [1_100]
