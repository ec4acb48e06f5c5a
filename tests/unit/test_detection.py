"""What the engine does between detectors and the journal: clocks that are set back, and mistakes of ours."""

from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from hearthwall_sensor.detection import Consequences, Detection
from hearthwall_sensor.detectors.detector import Detector, Handler, Home
from hearthwall_sensor.judging import Judge
from hearthwall_sensor.notice import Notice
from hearthwall_sensor.observations import Began, Look, Met
from hearthwall_sensor.policy.policy import Answer, DevicePolicy, Response
from tests.unit.observed import CAMERA, DAY, LAPTOP, NOON, flow, home

HOUR = 3600.0
CUT: Answer = "quarantine"


class Once(Detector):
    """Tells three things once a day, whichever clock says so."""

    kind = "beacon"

    def __init__(self, home: Home) -> None:
        super().__init__(home)
        self.told = float("-inf")

    def handlers(self) -> Mapping[type, Handler]:
        return {Look: self._look}

    def _look(self, look: Look) -> Iterator[Notice]:
        if look.time - self.told < DAY:
            return
        self.told = look.time
        for subject in "abc":
            yield Notice("beacon", "low", "It calls.", {}, CAMERA, subject=subject)


def test_detectors_begin_anew_when_the_clock_is_set_back() -> None:
    told: list[Notice] = []
    detection = Detection([Once], home(), Consequences(told.append))
    counts = []
    for time in (NOON, NOON + 400 * DAY, NOON + 400 * DAY - 600, NOON, NOON + 1, NOON + DAY):
        detection.take(Look(time))
        counts.append(len(told))
    assert counts == [3, 6, 6, 9, 9, 12]
    assert detection.restarted == 1


def test_an_event_that_can_not_be_told_keeps_back_no_other() -> None:
    told: list[str] = []

    def note(notice: Notice) -> None:
        if notice.subject == "a":
            raise ValueError
        told.append(notice.subject)

    detection = Detection([Once], home(), Consequences(note))
    detection.take(Look(NOON))
    assert told == ["b", "c"]
    assert detection.failed == {"beacon": 1}


def test_what_can_not_be_compared_to_the_users_word_keeps_back_no_other() -> None:
    told: list[str] = []

    def accepted(notice: Notice) -> list[dict[str, Any]]:
        if notice.subject == "b":
            raise KeyError("missing")
        return []

    detection = Detection(
        [Once], home(), Consequences(lambda each: told.append(each.subject), accepted)
    )
    detection.take(Look(NOON))
    assert told == ["a", "c"]


def test_now_is_not_before_the_clock_that_was_set_back() -> None:
    living: Any = SimpleNamespace(now=0.0, home=home)
    judge = Judge(living, Consequences(lambda _: None))
    for time, now in ((NOON, NOON), (NOON - 60, NOON), (NOON - DAY, NOON - DAY)):
        judge.take(Look(time))
        assert living.now == now


def followed(*responses: Response, days: int = 1, **policy: Any) -> list[str]:
    """Return which responses follow from what is told on some days."""
    found: list[str] = []
    accepted = policy.pop("accepted", lambda _: ())
    detection = Detection(
        [Once],
        home(policy=DevicePolicy(responses=responses, **policy)),
        Consequences(
            lambda _: None,
            accepted,
            lambda notice, each: found.append(f"{notice.subject} {each.action}"),
        ),
    )
    for day in range(days):
        detection.take(Look(NOON + day * DAY))
    return found


def test_the_first_response_that_fits_is_what_is_done() -> None:
    low, severe = Response(None, "low", CUT, 1.0), Response(None, "medium", "block_peer", 1.0)
    assert followed() == []
    assert followed(severe) == []
    assert followed(severe, low) == ["a quarantine", "b quarantine", "c quarantine"]
    assert followed(Response("flood", "info", CUT, 1.0)) == []
    assert followed(Response("beacon", "info", "none", 1.0), low) == ["a none", "b none", "c none"]


def test_nothing_follows_from_what_is_audited_switched_off_or_accepted() -> None:
    low = Response(None, "info", CUT, 1.0)
    assert followed(low, detectors={"beacon": "audit"}) == []
    assert followed(low, detectors={"beacon": "off"}) == []
    assert followed(low, accepted=lambda each: [{}] if each.subject == "b" else []) == [
        "a quarantine",
        "c quarantine",
    ]


def test_a_repeat_is_responded_to_as_well() -> None:
    assert len(followed(Response(None, "low", CUT, 1.0), days=2)) == 6


class Waits(Detector):
    """Tells of a burst with every look, which waits for a scan or a flood."""

    kind = "connection_burst"

    def handlers(self) -> Mapping[type, Handler]:
        return {Look: self._look}

    def _look(self, look: Look) -> Iterator[Notice]:
        if look.time == NOON:
            yield Notice("connection_burst", "medium", "It calls.", {}, CAMERA, time=look.time)


class Meets(Detector):
    """Tells of whom devices turn out to be with."""

    kind = "beacon"

    def handlers(self) -> Mapping[type, Handler]:
        return {Met: self._met}

    def _met(self, met: Met) -> Iterator[Notice]:
        yield Notice("beacon", "low", "It calls.", {}, met.who, time=met.time)


def test_what_waits_of_a_device_that_is_forgotten_is_not_told() -> None:
    told: list[Notice] = []
    detection = Detection([Waits, Meets], home(), Consequences(told.append))
    for who in (CAMERA, LAPTOP):
        detection.take(Began(NOON, who, flow()))
    detection.take(Look(NOON))
    assert told == []
    detection.forget(CAMERA)
    detection.take(Look(NOON + DAY))
    assert [(each.kind, each.mac) for each in told] == [("beacon", LAPTOP)]
