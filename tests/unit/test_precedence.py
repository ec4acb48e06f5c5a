"""What several detectors see is told once, as the kind that says most."""

from collections.abc import Iterable, Iterator, Mapping

import pytest

from hearthwall_sensor import precedence as module
from hearthwall_sensor.detection import Consequences, Detection
from hearthwall_sensor.detectors import DETECTORS, YIELDS
from hearthwall_sensor.detectors.detector import Detector, Handler
from hearthwall_sensor.kinds import EventKind, Severity
from hearthwall_sensor.notice import Notice
from hearthwall_sensor.observations import Began, Look, Observation
from hearthwall_sensor.policy.policy import DevicePolicy, Response
from hearthwall_sensor.precedence import Precedence
from tests.unit.observed import CAMERA, NOON, PLUG, flow, home


def notice(
    kind: EventKind, severity: Severity = "medium", who: str = CAMERA, **evidence: str
) -> Notice:
    return Notice(kind, severity, "", {"why": "It is so.", **evidence}, who)


BURST, SCAN = notice("connection_burst"), notice("port_scan")
Told = list[tuple[float, EventKind, Severity]]


def told(*steps: tuple[float, Notice], until: float = 60.0, every: float = 5.0) -> Told:
    """Return what is told when, with looks every five seconds."""
    precedence, found, now = Precedence(YIELDS), list[tuple[float, EventKind, Severity]](), 0.0
    waiting = list(steps)
    while now <= until:
        while waiting and waiting[0][0] <= now:
            at, each = waiting.pop(0)
            found += [(at, e.kind, e.severity) for e, _ in precedence.take(each, at)]
        found += [(now, e.kind, e.severity) for e, _ in precedence.look(now)]
        now += every
    return found


def test_what_stands_alone_is_told_after_two_looks() -> None:
    assert told((5.0, BURST)) == [(15.0, "connection_burst", "medium")]
    assert told((5.0, SCAN)) == [(5.0, "port_scan", "medium")]


@pytest.mark.parametrize("other", ["address_scan", "dns_tunnel", "flood", "port_scan"])
def test_a_burst_is_part_of_what_says_more(other: EventKind) -> None:
    more = notice(other)
    after = told((5.0, BURST), (9.0, more))
    assert after == [(9.0, other, "medium"), (10.0, "connection_burst", "info")]
    before = told((5.0, more), (8.0, BURST))
    assert before == [(5.0, other, "medium"), (8.0, "connection_burst", "info")]


def test_what_is_worse_is_told_besides() -> None:
    assert told((5.0, notice("port_scan", "low")), (5.0, BURST))[-1][1:] == BURST_ALONE
    sweep = notice("address_scan", "high", service="tcp/23")
    assert told((5.0, SCAN), (6.0, sweep)) == [
        (5.0, "port_scan", "medium"),
        (6.0, "address_scan", "high"),
    ]
    assert told((5.0, sweep), (6.0, SCAN))[-1] == (6.0, "port_scan", "info")


BURST_ALONE = ("connection_burst", "medium")


def test_a_worm_speaks_where_its_scan_found_somebody() -> None:
    telnet = notice("forbidden_protocol", "high", service="tcp/23")
    sweep = notice("address_scan", "high", service="tcp/23")
    assert told((5.0, telnet), (9.0, sweep))[-1] == (9.0, "address_scan", "info")
    elsewhere = notice("address_scan", "high", service="tcp/445")
    assert told((5.0, telnet), (9.0, elsewhere))[-1] == (9.0, "address_scan", "high")


def test_another_device_or_time_or_what_others_did_is_another_thing() -> None:
    assert told((5.0, notice("port_scan", who=PLUG)), (6.0, BURST))[-1][1:] == BURST_ALONE
    assert told((5.0, notice("port_scan", blame="peer")), (6.0, BURST))[-1][1:] == BURST_ALONE
    assert told((5.0, SCAN), (125.0, BURST), until=200)[-1][1:] == BURST_ALONE
    assert told((5.0, SCAN), (124.0, BURST), until=200)[-1][1:] == ("connection_burst", "info")
    assert told((5.0, BURST), (126.0, SCAN), until=200)[0][1:] == BURST_ALONE


def test_what_waits_is_told_as_it_is_worst() -> None:
    low = notice("connection_burst", "low")
    assert told((5.0, low), (10.0, BURST), (10.0, low)) == [(15.0, "connection_burst", "medium")]


def test_what_was_worst_speaks_on() -> None:
    scans = [(5.0, notice("port_scan", "medium")), (6.0, notice("port_scan", "info"))]
    assert told(*scans, (7.0, BURST))[-1][1:] == ("connection_burst", "info")
    later = [(5.0, notice("port_scan", "medium")), (130.0, notice("port_scan", "info"))]
    assert told(*later, (131.0, BURST), until=200)[-1][1:] == BURST_ALONE


def test_a_forgotten_device_is_told_of_no_more() -> None:
    precedence = Precedence(YIELDS)
    assert list(precedence.take(SCAN, 0.0)) == [(SCAN, "medium")]
    precedence.forget(CAMERA)
    assert list(precedence.take(BURST, 0.0)) == []
    precedence.forget(CAMERA)
    assert list(precedence.look(60.0)) == []


def test_it_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_WAITING", 16)
    precedence = Precedence(YIELDS)
    found = []
    for number in range(5000):
        who = f"device {number}"
        list(precedence.take(notice("port_scan", who=who), 0.0))
        found += precedence.take(notice("connection_burst", who=f"other {number}"), 0.0)
    assert len(precedence._told) <= 1024
    assert len(precedence._waiting) == 16
    assert len(found) == 5000 - 16  # nothing is lost


def test_every_kind_in_the_table_has_a_detector() -> None:
    kinds = {each.kind for each in DETECTORS}
    assert {*YIELDS, *(kind for each in YIELDS.values() for kind in each.to)} <= kinds


# In the engine


class Scans(Detector):
    """Tells of a scan whenever a flow begins."""

    kind: EventKind = "port_scan"
    says = SCAN

    def handlers(self) -> Mapping[type[Observation], Handler]:
        return {Began: self._began}

    def _began(self, _: Began) -> Iterator[Notice]:
        yield self.says


class Bursts(Scans):
    """Tells of a burst whenever a flow begins."""

    kind: EventKind = "connection_burst"
    says = BURST


def judged(
    policy: DevicePolicy, observations: Iterable[Observation], *, is_over: bool = False
) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    then = Consequences(
        lambda each: found.append((each.kind, each.severity)),
        respond=lambda each, _: found.append(("respond", each.kind)),
    )
    detection = Detection([Bursts, Scans], home(policy=policy), then)
    for each in observations:
        detection.take(each)
    if is_over:
        detection.finish()
    assert not detection.failed
    return found


STEPS = [Began(NOON, CAMERA, flow()), *(Look(NOON + each) for each in (0.0, 5.0, 10.0))]


def test_what_another_speaks_for_is_responded_to_as_severe_as_it_is_and_by_whom_both_blame() -> (
    None
):
    answer = Response("connection_burst", "medium", "quarantine", 60.0)
    assert judged(DevicePolicy(responses=(answer,)), STEPS) == [
        ("port_scan", "medium"),
        ("connection_burst", "info"),
        ("respond", "connection_burst"),
    ]
    precedence = Precedence(YIELDS)
    list(precedence.take(notice("flood", blame="unknown"), 0.0))
    ((beside, alone),) = precedence.take(BURST, 1.0)
    assert (beside.severity, alone) == ("info", "medium")
    assert beside.evidence["blame"] == "unknown"


def test_the_engine_lets_the_burst_wait_and_responds_to_what_is_told() -> None:
    answer = Response(None, "medium", "quarantine", 60.0)
    assert judged(DevicePolicy(responses=(answer,)), STEPS) == [
        ("port_scan", "medium"),
        ("respond", "port_scan"),
        ("connection_burst", "info"),
        ("respond", "connection_burst"),
    ]


def test_who_is_switched_off_or_in_audit_speaks_for_nobody() -> None:
    off = DevicePolicy(detectors={"port_scan": "off"})
    assert judged(off, STEPS[:3]) == []
    assert judged(off, STEPS[:3], is_over=True) == [("connection_burst", "medium")]
    assert judged(off, STEPS) == [("connection_burst", "medium")]
    audit = DevicePolicy(detectors={"port_scan": "audit"})
    assert judged(audit, STEPS) == [("port_scan", "info"), ("connection_burst", "medium")]
