"""A model of a device's behaviour, and the events that it leads to."""

import json
import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings, strategies as st

from hearthwall_sensor.detectors.behaviour_anomaly import BehaviourAnomaly, severity
from hearthwall_sensor.flows.flow import UDP
from hearthwall_sensor.learning.model import GROWN, Model, Verdict
from hearthwall_sensor.learning.profile import Profile
from hearthwall_sensor.learning.profiles import Profiles
from hearthwall_sensor.learning.prototypes import SIZE, Prototypes, placed
from hearthwall_sensor.learning.tail import Tail
from hearthwall_sensor.learning.window import FEATURES, WINDOW, Counts, Tally
from hearthwall_sensor.notice import Notice
from hearthwall_sensor.observations import (
    Asked,
    Began,
    Look,
    Moved,
    Observation,
    Settled,
)
from hearthwall_sensor.policy.policy import DevicePolicy
from tests.unit.observed import CAMERA, DAY, NOON, flow, home, packed, told

START = NOON - NOON % DAY
#: Windows of calm before something happens.
CALM = 432
NAMES = [each.name for each in FEATURES]


def calm(rng: random.Random, hour: float = 12.0) -> Counts:
    """A camera: heartbeats, and clips by day."""
    clips = rng.random() < (0.4 if 7 <= hour < 22 else 0.05)
    calls = rng.randint(5, 9) + 3 * clips
    return Counts(
        *(calls, 2, 2, 0, 2, calls, calls, 0, calls, 0),
        *(rng.lognormvariate(0, 0.4) * (4e6 if clips else 4e4), 4e4, 2e3),
    )


EXFILTRATION = Counts(10, 3, 2, 0, 2, 8, 10, 0, 10, 3, 9e7, 4e4, 2e3)
SCAN = Counts(38, 2, 3, 30, 2, 8, 38, 29, 7, 0, 4e4, 4e4, 2e4)


def taught(days: int = 14, seed: int = 1) -> tuple[Model, float]:
    """Return a model that has learnt a camera, and when."""
    model, rng, at = Model(), random.Random(seed), START
    for _ in range(days * 96):
        verdict = model.judge(calm(rng, at % DAY / 3600).levels(), at)
        assert severity(verdict) is None
        at += WINDOW
    return model, at


def judged(model: Model, counts: Counts, at: float, times: int = 2) -> list[Verdict]:
    return [model.judge(counts.levels(), at + each * WINDOW) for each in range(times)]


# Windows


def test_a_window_counts_what_a_device_does() -> None:
    tally = Tally()
    for number in range(10):
        call = flow(
            f"203.0.113.{number % 3}", 443 if number % 2 else 8883, near=number, name="a.example"
        )
        tally.begin(Began(NOON, CAMERA, call))
        tally.settle(Settled(NOON, CAMERA, call))
    tally.begin(Began(NOON, CAMERA, flow("198.51.100.1", name=None)))
    tally.begin(Began(NOON, CAMERA, flow("192.168.0.7", 22, scope="lan", name=None)))
    tally.begin(Began(NOON, CAMERA, flow("203.0.113.53", 53, protocol=UDP, name=None)))
    tally.begin(Began(NOON, CAMERA, flow(outgoing=False)))
    refused = flow("192.168.0.7", 22, scope="lan", outcome="refused")
    tally.settle(Settled(NOON, CAMERA, refused))
    for name in ("a.example", "b.example", "www.a.example"):
        tally.ask(Asked(NOON, CAMERA, name, 1, packed("192.0.2.53"), 40))
    tally.move(Moved(NOON, CAMERA, 5.0, 1_000, 2_000, 3, 4, 1_500, 2_500))
    counts = tally.counts()
    assert counts.flows == 13
    assert counts.peers == pytest.approx(4, abs=0.1)
    assert counts.services == pytest.approx(4, abs=0.1)
    assert counts.lan_peers == pytest.approx(1, abs=0.1)
    assert counts.domains == pytest.approx(2, abs=0.1)
    assert (counts.questions, counts.settled, counts.failed) == (3, 11, 1)
    assert (counts.outside, counts.nameless) == (11, 1)
    assert (counts.upload, counts.download, counts.lan_upload) == (1_000, 2_000, 500)


def test_a_million_peers_are_some_bits() -> None:
    tally = Tally()
    for number in range(20_000):
        tally.begin(Began(NOON, CAMERA, flow(f"203.0.{number % 100}.{number // 100}", number)))
    assert tally._peers < 2**256
    assert tally._services < 2**256
    assert tally.counts().peers > 500


@given(
    st.lists(st.floats(0, 1e15), min_size=len(Counts._fields), max_size=len(Counts._fields)).map(
        lambda values: Counts(*values)
    )
)
def test_whatever_is_counted_has_levels(counts: Counts) -> None:
    assert len(counts._replace(failed=min(counts.failed, counts.settled)).levels()) == len(FEATURES)


@pytest.mark.parametrize("feature", FEATURES)
def test_levels_stand_for_values(feature: object) -> None:
    for value in (0.0, 0.5) if feature.unit == "share" else (0.0, 7.0, 5e4):  # type: ignore[attr-defined]
        again = feature.value(feature.level(value))  # type: ignore[attr-defined]
        assert again == pytest.approx(value, rel=0.1, abs=40)


# What is usual, and how far from it


def test_what_is_alike_is_one_example() -> None:
    prototypes, rng = Prototypes(), random.Random(1)
    for number in range(2_000):
        window = bytes(max(0, 50 + rng.randint(-1, 1)) for _ in FEATURES)
        prototypes.learn(placed(window, START), number)
    assert len(prototypes) == 1
    assert prototypes.score(placed(bytes([50] * len(FEATURES)), START)) < 0.5


def test_a_weekly_film_stays_among_idle_hours() -> None:
    prototypes, rng = Prototypes(), random.Random(1)
    film = bytes([200] * len(FEATURES))
    for number in range(4 * 7 * 96):
        window = film if number % (7 * 96) == 80 else bytes(rng.randint(0, 60) for _ in FEATURES)
        prototypes.learn(placed(window, START + number * WINDOW), number)
    # Whatever the other windows are, there is room for no more than so many
    assert len(prototypes) <= 96
    calm_model, rng = Prototypes(), random.Random(1)
    for number in range(4 * 7 * 96):
        window = film if number % (7 * 96) == 80 else bytes([9 + rng.randint(0, 2)] * len(FEATURES))
        calm_model.learn(placed(window, START + number * WINDOW), number)
    assert calm_model.score(placed(film, START + 80 * WINDOW)) < 1
    assert calm_model.score(placed(bytes([120] * len(FEATURES)), START + 80 * WINDOW)) > 4


def test_an_hour_of_its_own_makes_a_difference() -> None:
    prototypes = Prototypes()
    window = bytes([50] * len(FEATURES))
    for number in range(100):
        prototypes.learn(placed(window, START + 14 * 3600), number)
    by_day, at_night = (prototypes.score(placed(window, START + hour * 3600)) for hour in (14, 2))
    assert by_day < 1
    assert at_night > 4


def test_a_tail_goes_by_what_was_there() -> None:
    rng = random.Random(1)
    low, high = Tail(), Tail()
    assert low.beyond(0.01) == float("inf")
    for _ in range(5_000):
        low.add(rng.expovariate(2))
        high.add(5 + rng.expovariate(0.5))
    assert low.beyond(0.02) == pytest.approx(2, rel=0.2)
    assert low.beyond(1e-5) > low.beyond(1e-3) > low.beyond(0.02)
    assert high.beyond(1e-4) > 2 * low.beyond(1e-4)
    for _ in range(20_000):
        high.add(1.0)
    assert high.total <= 12_001


# Judgement


@pytest.mark.parametrize(
    ("counts", "features"),
    [(EXFILTRATION, {"upload", "nameless"}), (SCAN, {"lan_peers", "failed"})],
)
def test_what_is_unlike_the_device_takes_two_windows(counts: Counts, features: set[str]) -> None:
    model, at = taught()
    first, second = judged(model, counts, at)
    assert severity(first) is None
    assert severity(second) in ("low", "medium")
    parts = dict(zip(NAMES, second.parts, strict=True))
    furthest = sorted(parts, key=lambda each: -abs(parts[each]))[:5]
    assert features <= set(furthest)


def test_ordinary_windows_of_another_year_are_nothing() -> None:
    model, at = taught(28)
    rng = random.Random(99)
    for _ in range(28 * 96):
        verdict = model.judge(calm(rng, at % DAY / 3600).levels(), at)
        assert severity(verdict) is None
        at += WINDOW


def test_what_is_a_little_off_is_nothing_to_a_device_that_always_does_the_same() -> None:
    model, still = Model(), bytes([50] * len(FEATURES))
    for number in range(4 * GROWN):
        model.judge(still, START + number * WINDOW)
    off = model.judge(bytes([66] * 3 + [50] * (len(FEATURES) - 3)), START + 14 * DAY)
    assert 3.3 < off.score < 4
    assert off.run == 0


def test_what_is_far_off_is_nothing_to_a_device_that_is_often() -> None:
    model, rng = Model(), random.Random(1)
    verdicts = []
    for number in range(4 * GROWN):
        levels = bytes([50] * len(FEATURES))
        if number % 8 == 0:
            levels = bytes(rng.randint(30, 70) for _ in FEATURES)
        verdicts.append(model.judge(levels, START + number * WINDOW))
    assert max(each.score for each in verdicts[2 * GROWN :]) > 4
    assert all(each.run == 0 for each in verdicts[2 * GROWN :])


def test_one_window_alone_is_a_hiccup() -> None:
    model, at = taught()
    for each in range(5):
        assert severity(judged(model, SCAN, at + 2 * each * WINDOW, 1)[0]) is None
        judged(model, calm(random.Random(each)), at + (2 * each + 1) * WINDOW, 1)


def test_an_hour_or_three_features_are_medium() -> None:
    mild = Verdict(0.0, b"", 9.0, 5.0, 2, (4.0, -4.0, 0.0))
    assert severity(mild) == "low"
    assert severity(mild._replace(parts=(4.0, -4.0, 3.0))) == "medium"
    assert severity(mild._replace(parts=(4.0, -4.0, 2.9))) == "low"
    assert severity(mild._replace(run=3)) == "low"
    assert severity(mild._replace(run=4)) == "medium"
    assert severity(mild._replace(run=1, parts=(9.0,) * 5)) is None
    assert severity(mild, 2.0) is None


@pytest.mark.parametrize("how", ["young", "few"])
def test_a_device_that_is_learnt_is_not_judged(how: str) -> None:
    model, at = taught(14 if how == "young" else 3)
    assert model.windows < GROWN or how == "young"
    verdicts = [
        model.judge(SCAN.levels(), at + each * WINDOW, young=how == "young") for each in range(4)
    ]
    assert all(each.run == 0 for each in verdicts)


def test_what_is_flagged_is_not_learnt_and_what_is_accepted_is() -> None:
    model, at = taught()
    windows = model.windows
    second = judged(model, SCAN, at, 8)[-1]
    assert model.windows == windows
    assert severity(second)
    model.accept({"window_levels": list(second.window)})
    assert judged(model, SCAN, at + 8 * WINDOW, 1)[0].run == 0


def test_a_frozen_model_judges_and_does_not_learn() -> None:
    model, at = taught()
    before = json.dumps(model.to_wire())
    rng = random.Random(5)
    for each in range(50):
        model.judge(calm(rng).levels(), at + each * WINDOW, learns=False)
    for each in range(2):
        verdict = model.judge(SCAN.levels(), at + (50 + each) * WINDOW, learns=False)
    assert severity(verdict)
    assert json.dumps(model.to_wire()) == before


def test_what_comes_back_for_a_week_is_a_habit() -> None:
    model, at = taught()
    runs = []
    for day in range(10):
        runs.append(judged(model, SCAN, at + day * DAY)[1].run)
        judged(model, calm(random.Random(day)), at + day * DAY + 2 * WINDOW, 94)
    assert runs[:7] == [2] * 7
    assert runs[8:] == [0, 0]


@pytest.mark.parametrize("damage", [None, {}, [], "x", {"windows": "no"}, {"windows": 1}])
def test_damage_is_a_value_error(damage: object) -> None:
    with pytest.raises(ValueError, match=r"no (model|examples|scores)|invalid"):
        Model.from_wire(damage)


@settings(max_examples=60)
@given(st.data())
def test_damage_anywhere_is_a_value_error(data: st.DataObject) -> None:
    wire = json.loads(WIRE)
    place: object = wire
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))  # type: ignore[arg-type, call-overload]
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):  # type: ignore[index]
            break
        place = place[key]  # type: ignore[index]
    place[key] = data.draw(  # type: ignore[index]
        st.one_of(st.none(), st.integers(), st.text(), st.floats(), st.lists(st.integers()))
    )
    try:
        model = Model.from_wire(wire)
    except ValueError:
        return
    model.judge(bytes(len(FEATURES)), START)


def _wire() -> str:
    model, at = taught(10)
    judged(model, SCAN, at)
    return json.dumps(model.to_wire())


WIRE = _wire()


def test_it_comes_back_from_disk_as_it_was_and_is_small() -> None:
    model, at = taught(20, seed=3)
    judged(model, SCAN, at)
    wire = json.dumps(model.to_wire())
    again = Model.from_wire(json.loads(wire))
    assert len(wire) <= 8_192
    assert json.dumps(again.to_wire()) == wire
    verdicts = []
    for each in (model, again):
        judged(each, calm(random.Random(4)), at + DAY, 1)
        verdicts.append(judged(each, EXFILTRATION, at + DAY + WINDOW)[1])
    mine, its = verdicts
    assert its.score == pytest.approx(mine.score, rel=0.02)
    assert its.run == mine.run == 2


def test_a_restless_device_stays_within_bounds() -> None:
    model, rng = Model(), random.Random(1)
    for number in range(3_000):
        model.judge(rng.randbytes(len(FEATURES)), START + number * WINDOW)
    assert len(json.dumps(model.to_wire())) <= 8_192


# From observations to an event


def observed(at: float, seconds: float, counts: Counts) -> Iterator[Observation]:
    """Yield what is observed of a camera in a window, with its looks."""
    for number in range(int(counts.flows)):
        is_lan = number < counts.lan_peers
        call = flow(
            f"192.168.0.{number + 20}" if is_lan else "203.0.113.9",
            at=at,
            near=1_000 + number,
            name=None if is_lan else "a.example",
            scope="lan" if is_lan else "internet",
            outcome="refused" if number < counts.failed else "closed",
        )
        yield Began(at + 5, CAMERA, call)
        yield Settled(at + 10, CAMERA, call)
    yield Moved(
        *(at + 20, CAMERA, 5.0, int(counts.upload), int(counts.download), 9, 9),
        *(int(counts.upload + counts.lan_upload), int(counts.download)),
    )
    for each in range(0, int(seconds), 300):
        yield Look(at + 25 + each)


def run(scan_for: int, *, policy: DevicePolicy | None = None, frozen: bool = False) -> list[Notice]:
    """Return what is told of a camera that scans for so many windows after four days and a half of calm."""
    policy = policy or DevicePolicy(learning=4 * DAY)
    profiles = Profiles((), lambda _: policy)
    detector = BehaviourAnomaly(home(profile=lambda who: profiles.of(who, START), policy=policy))
    rng, found = random.Random(1), []
    for number in range(CALM + scan_for + 2):
        at = START + number * WINDOW
        if frozen and number == CALM:
            profiles.freeze(CAMERA, True)
        is_scan = CALM <= number < CALM + scan_for
        for each in observed(at, WINDOW, SCAN if is_scan else calm(rng, at % DAY / 3600)):
            found += told(detector, [each])
            profiles.learn(each)
    assert Profile.from_wire(profiles.of(CAMERA, START).to_wire()).model is not None
    return found


def test_a_scan_of_an_hour_is_an_event_with_what_stands_out() -> None:
    found = run(4)
    assert found
    assert {(each.kind, each.subject, each.mac) for each in found} == {
        ("behaviour_anomaly", "behaviour", CAMERA)
    }
    shown = found[0].evidence["features"]
    assert len(shown) == 3
    assert {"lan_peers", "failed"} & {each["name"] for each in shown}
    assert all(set(each) >= {"value", "usual", "meaning"} for each in shown)
    assert len(found[0].evidence["window_levels"]) == SIZE
    assert found[0].time is not None
    assert found[0].time <= START + (CALM + 2) * WINDOW + 600
    assert "Camera" in found[0].summary
    json.dumps(found[0].evidence)


def test_a_calm_week_a_single_window_and_a_new_device_are_silent() -> None:
    assert run(0) == []
    assert run(1) == []
    assert run(4, policy=DevicePolicy(learning=30 * DAY)) == []


def test_a_frozen_profile_is_judged() -> None:
    assert run(4, frozen=True)


def test_an_accepted_event_covers_what_stands_out_alike() -> None:
    detector = BehaviourAnomaly(home())
    found = run(3)
    same = found[0]
    assert detector.covers(same.evidence, same)
    other = [{**each, "differences": -each["differences"]} for each in same.evidence["features"]]
    assert not detector.covers({**same.evidence, "features": other}, same)


def test_the_model_ignores_a_gap_in_which_nobody_watched() -> None:
    model = Model()
    model.turn(START)
    model.turn(START + 10 * DAY)
    assert model.windows == 1
    model.turn(START + 10 * DAY + 3 * WINDOW)
    assert model.windows == 4


def test_windows_of_devices_end_at_different_times() -> None:
    """All at once would hold up everything else for half a second, in a home of 250 devices."""
    profiles = Profiles((), lambda _: DevicePolicy())
    whos = [f"02:00:5e:00:00:{number:02x}" for number in range(200)]
    for who in whos:
        profiles.learn(Moved(0.0, who, 5.0, 1, 1, 1, 1, 1, 1))
    ended = []
    for look in range(1, 361):
        before = sum(each.model.windows for each in profiles)
        profiles.learn(Look(5.0 * look))
        ended.append(sum(each.model.windows for each in profiles) - before)
    assert sum(ended) >= 200
    assert max(ended) <= 8
