"""Floods, and meetings with what is on feeds."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from hearthwall_sensor.detectors.flood import Flood
from hearthwall_sensor.detectors.listed import Meetings
from hearthwall_sensor.detectors.threat_address import ThreatAddress
from hearthwall_sensor.detectors.threat_domain import ThreatDomain
from hearthwall_sensor.flows.flow import ICMP, ICMPV6, TCP_ACK, TCP_RST, UDP
from hearthwall_sensor.notice import Notice
from hearthwall_sensor.observations import (
    LOOK,
    Began,
    Flooding,
    Flow,
    Listed,
    Look,
    Moved,
    Settled,
)
from hearthwall_sensor.policy.policy import DevicePolicy
from tests.unit.observed import CAMERA, LAPTOP, NOON, flow, home, packed, told

# Floods


def flooding(number: int = 1, who: str | None = CAMERA, **more: Any) -> Flooding:
    known = Flooding(
        *(NOON, who, f"192.168.0.{number}", "203.0.113.9", "udp", "lan", 5000, 1000, 400, 24_000)
    )
    return known._replace(**more)


def floods(observations: Iterable[Any], **more: Any) -> list[Notice]:
    return told(Flood(replace(home(), **more)), observations)


def moved(up: float, down: float, size: float, answer: float = 60, **more: Any) -> Moved:
    """Return what was moved in a look, by packets a second and bytes of each."""
    counts = [round(up * LOOK), round(down * LOOK)]
    sizes = [round(up * LOOK * size), round(down * LOOK * answer)]
    return Moved(NOON, CAMERA, LOOK, 0, 0, *counts, *sizes)._replace(**more)


def test_a_source_above_the_kernels_threshold() -> None:
    (notice,) = floods([flooding(), Look(NOON)])
    assert (notice.severity, notice.mac, notice.peer_address) == ("high", CAMERA, "203.0.113.9")
    assert notice.summary == (
        "Camera (in the home) sends 5,000 UDP packets a second to 203.0.113.9; more than 1,000 are dropped"
    )
    assert (notice.evidence["value"], notice.evidence["threshold"]) == (5000, 1000)
    assert notice.evidence["dropped"] == 400
    (outside,) = floods([flooding(who=None, side="wan", address="198.51.100.7"), Look(NOON)])
    assert (outside.severity, outside.mac, outside.evidence["blame"]) == ("medium", None, "peer")
    assert outside.summary.startswith("198.51.100.7 (from outside) sends 5,000")


def test_many_sources_are_one_event() -> None:
    assert len(floods([*(flooding(number) for number in range(5)), Look(NOON)])) == 5
    (notice,) = floods([*(flooding(number) for number in range(6)), Look(NOON)])
    assert (notice.severity, notice.subject, notice.evidence["value"]) == ("high", "many", 6)
    assert len(notice.evidence["sources"]) == 5
    (notice,) = floods([*(flooding(number % 256) for number in range(9999)), Look(NOON)])
    assert notice.evidence["value"] <= 256


@pytest.mark.parametrize(
    "sent",
    [
        moved(2000, 0, 60),
        moved(2000, 200, 299, 600),
        moved(20_000, 100, 1400),
        moved(60_000, 40, 1500),
    ],
)
def test_what_only_a_flood_sends(sent: Moved) -> None:
    (notice,) = floods([sent])
    assert (notice.severity, notice.mac, notice.subject) == ("high", CAMERA, "sent")
    assert notice.evidence["value"] >= notice.evidence["threshold"]
    assert {"blame", "kind", "side"}.isdisjoint(notice.evidence)
    assert not floods([sent], own=lambda: (CAMERA,))


#: A packet for each that comes, and as empty.
ANSWERED = moved(5000, 5000, 60, 54)
#: What somebody began, and what the device seems to have begun when it answers: refusals and errors of ICMP.
PINGS = {"protocol": ICMP, "near": 8, "port": 0, "packets": (900, 900)}
ERRORS = {"protocol": ICMP, "near": 3, "port": 3, "packets": (5000, 0)}
ECHOES = {"protocol": ICMPV6, "near": 129, "port": 128, "packets": (5000, 0)}
REFUSED = {"packets": (9, 9), "outcome": "reset"}


def began(outgoing: bool, who: str = CAMERA, **more: Any) -> Began:
    return Began(NOON, who, flow(outgoing=outgoing, **more))


def test_of_a_flood_that_is_answered_only_who_began_is_told() -> None:
    for sort in (PINGS, REFUSED):
        (notice,) = floods([began(outgoing=True, **sort), ANSWERED])
        assert (notice.severity, notice.mac) == ("high", CAMERA)
        assert not floods([began(outgoing=False, **sort), ANSWERED])
    assert not floods([ANSWERED])
    assert not floods(
        [began(outgoing=True, packets=(1, 1)), began(outgoing=False, **PINGS), ANSWERED]
    )


@pytest.mark.parametrize("answer", [ERRORS, ECHOES])
def test_answers_are_nobodys_beginning(answer: dict[str, Any]) -> None:
    flooded = [began(outgoing=False, protocol=UDP, port=9, packets=(0, 900))]
    assert not floods([*flooded, began(outgoing=True, **answer), ANSWERED])
    refusal = flow(packets=(5000, 0))
    refusal = refusal._replace(counted=refusal.counted._replace(upload_flags=TCP_RST | TCP_ACK))
    assert not floods([*flooded, Began(NOON, CAMERA, refusal), ANSWERED])


def test_who_began_is_known_as_long_as_the_flood_goes_on() -> None:
    quiet = moved(10, 10, 60, 54)
    begun = [began(outgoing=False, packets=(20, 20)), quiet]
    later = [began(outgoing=True, packets=(50, 50)), ANSWERED, ANSWERED]
    assert not floods([*begun, ANSWERED, ANSWERED, *later])
    assert len(floods([*begun, ANSWERED, quiet, *later])) == 2
    attacker = [began(outgoing=True, packets=(20, 20)), quiet, ANSWERED]
    assert len(floods([*attacker, began(outgoing=False, packets=(50, 50)), ANSWERED])) == 2
    assert not floods([*attacker[:2], quiet, ANSWERED])  # of too long ago to say


def test_sensitivity_moves_the_floods_threshold() -> None:
    low = DevicePolicy(sensitivity="low")
    assert not floods([moved(3999, 0, 60)], policy=lambda _: low)
    assert floods([moved(4000, 0, 60)], policy=lambda _: low)
    high = DevicePolicy(sensitivity="high")
    assert not floods([moved(999, 0, 60)], policy=lambda _: high)
    assert floods([moved(1000, 0, 60)], policy=lambda _: high)


@pytest.mark.parametrize(
    "near_miss",
    [
        moved(1999, 0, 60),
        moved(2000, 201, 60, 600),
        moved(40_000, 80_000, 60, 1500),  # a download's acknowledgements
        moved(40_000, 1800, 60, 65_000),  # where what comes was put together to large packets
        moved(2000, 0, 300),
        moved(1500, 0, 1200),  # a camera's video
        moved(80_000, 1800, 1500),  # a backup, acknowledged for 45 packets at once
        moved(20_000, 101, 1500),
        moved(19_999, 0, 1400),
        moved(5000, 5000, 100, 54),
        moved(5000, 5000, 60, 100),
        moved(9000, 0, 60, seconds=0.5),
    ],
)
def test_what_is_no_flood(near_miss: Moved) -> None:
    assert not floods([began(outgoing=True, packets=(5000, 5000)), near_miss])


def sends(packets: int, number: int = 1, port: int = 9, **more: Any) -> Flow:
    return flow(f"203.0.113.{number}", port, protocol=UDP, packets=(packets, 0), **more)


def test_the_flows_of_a_flood_are_those_that_moved_most_and_its_peer_theirs() -> None:
    begun = [Began(NOON, CAMERA, sends(number * 900, number)) for number in (1, 9, 2)]
    begun += [Began(NOON, CAMERA, sends(9000, 9, port)) for port in range(20, 25)]
    (notice,) = floods([*begun, moved(9000, 0, 60)])
    assert {each["peer_address"] for each in notice.evidence["flows"]} == {"203.0.113.9"}
    assert notice.peer_address == "203.0.113.9"
    assert notice.summary == "Camera sends 9,000 packets a second of 60 bytes to 203.0.113.9"


@pytest.mark.parametrize("begun", [[sends(2, 1, port) for port in range(300)], []])
@pytest.mark.parametrize("is_before", [True, False])
def test_a_flood_whose_flow_nobody_knows_names_nobody(begun: list[Flow], is_before: bool) -> None:
    probes = [Began(NOON, CAMERA, each) for each in begun]
    before = [*probes, moved(100, 0, 60)] if is_before else probes
    (notice,) = floods([*before, moved(9000, 0, 60)])
    assert (notice.peer_address, notice.evidence["flows"]) == (None, [])
    assert notice.summary == "Camera sends 9,000 packets a second of 60 bytes"


def test_a_flood_in_a_flow_of_long_ago_is_told_by_what_it_moved_since() -> None:
    old = flow("203.0.113.7", 0, NOON - 900, near=8, protocol=ICMP, packets=(4, 4), lasts=3)
    now = old.counted._replace(upload_packets=25_004, download_packets=25_004, last=int(NOON * 1e9))
    begun = [
        Began(NOON - 900, CAMERA, old),
        moved(1, 1, 60)._replace(time=NOON - 900),
        Settled(NOON - 890, CAMERA, old),
        *(Began(NOON - 800, CAMERA, sends(2, 1, port)) for port in range(300)),
        moved(100, 0, 60)._replace(time=NOON - 800),
    ]
    (notice,) = floods([*begun, ANSWERED], counted={old.packed: now}.get)
    assert notice.peer_address == "203.0.113.7"


@pytest.mark.parametrize(("seconds", "is_told"), [(3.0, True), (2.0, False)])
@pytest.mark.parametrize("ago", [0.0, 1.5])
def test_a_flood_that_begins_between_two_looks_is_measured_by_its_own_time(
    seconds: float, is_told: bool, ago: float
) -> None:
    began_at = NOON - seconds - ago
    known = flow("203.0.113.7", 0, began_at, near=8, protocol=ICMP, lasts=seconds)
    count = round(3000 * seconds) if is_told else 4900  # in less than half a look: so many are few
    known = known._replace(counted=known.counted._replace(upload_packets=count, download_packets=2))
    sent = Moved(NOON, CAMERA, LOOK, 0, 0, count, 2, count * 60, 120)
    assert bool(floods([Began(NOON, CAMERA, known), sent])) is is_told


def test_forgotten_devices_flood_no_more() -> None:
    detector = Flood(home())
    told(detector, [flooding(), Began(NOON, CAMERA, flow())])
    detector.forget(CAMERA)
    assert not told(detector, [Look(NOON)])
    assert not len(detector._devices)


# Feeds


def met(number: int = 9, at: float = 0.0, **more: Any) -> Listed:
    peer = f"203.0.{number >> 8}.{number & 255}"
    known = Listed(
        *(NOON + at, CAMERA, "192.168.0.10", peer, None, "packets", ("c2",), peer),
        *(NOON - 86_400, 4, 400, True),
    )
    return known._replace(**more)


NATTED = {"who": None, "address": "198.51.100.2"}


@pytest.mark.parametrize("same_look", [True, False])
def test_what_a_device_sends_through_nat_is_told_of_it_alone(same_look: bool) -> None:
    detector = ThreatAddress(replace(home(), own_addresses=lambda: (packed("198.51.100.2"),)))
    peer = met().peer
    assert peer is not None
    between = [] if same_look else [Look(NOON)]
    called = Began(NOON, CAMERA, flow(peer))
    (notice,) = told(detector, [called, met(), *between, met(**NATTED), Look(NOON + LOOK)])
    assert notice.mac == CAMERA
    (alone,) = told(detector, [met(7, **NATTED), Look(NOON + LOOK)])
    assert alone.summary.startswith("this gateway (198.51.100.2) exchanged packets with 203.0.0.7")


def asked(name: str = "bad.example", at: float = 0.0, **more: Any) -> Listed:
    known = Listed(
        *(NOON + at, CAMERA, "192.168.0.10", None, name, "dns", ("c2",), "*.example", None),
        resolved=("203.0.113.9",),
    )
    return known._replace(**more)


def addresses(observations: Iterable[Any]) -> list[Notice]:
    """Return what is told of meetings with peers that the devices called."""
    met = list(observations)
    calls = [
        Began(each.time, each.who, flow(each.peer))
        for each in met
        if isinstance(each, Listed) and each.who and each.peer
    ]
    return told(ThreatAddress(home()), [*calls, *met])


def knocks(observations: Iterable[Any]) -> list[Notice]:
    return told(ThreatAddress(home()), observations)


def domains(observations: Iterable[Any]) -> list[Notice]:
    return told(ThreatDomain(home()), observations)


def test_an_address_on_a_feed() -> None:
    (notice,) = addresses([met(), Look(NOON)])
    assert (notice.severity, notice.mac, notice.peer_address) == ("medium", CAMERA, "203.0.0.9")
    assert notice.summary == "Camera exchanged packets with 203.0.0.9, which is on the feed c2"
    assert notice.evidence["feed"] == "c2"
    assert notice.evidence["entry"] == "203.0.0.9"
    assert notice.evidence["age_days"] == 1.0
    assert notice.evidence["blocked"] is True
    assert not addresses([asked(), Look(NOON)])


def test_much_that_was_exchanged_is_worse() -> None:
    assert addresses([met(bytes=10_001), Look(NOON)])[0].severity == "high"
    assert addresses([met(bytes=10_000), Look(NOON)])[0].severity == "medium"
    again = [met(), Look(NOON), met(at=60, bytes=20_000), Look(NOON + 60)]
    assert [each.severity for each in addresses(again)] == ["medium", "high"]


def test_the_same_is_told_once_in_a_while() -> None:
    def twice(seconds: float) -> list[Notice]:
        return addresses([met(), Look(NOON), met(at=seconds), Look(NOON + seconds)])

    assert len(twice(3599.0)) == 1
    assert len(twice(3600.0)) == 2


def test_many_addresses_at_once_are_one_event() -> None:
    assert len(addresses([*(met(number) for number in range(5)), Look(NOON)])) == 5
    (notice,) = addresses([*(met(number) for number in range(6)), Look(NOON)])
    assert (notice.severity, notice.subject) == ("high", "many of c2")
    assert notice.evidence["value"] == 6
    assert len(notice.evidence["peers"]) == 5


def test_the_sixth_address_of_a_device_is_worse() -> None:
    one_by_one: list[Any] = []
    for number in range(6):
        one_by_one += [met(number, number * 10.0), Look(NOON + number * 10)]
    assert [each.severity for each in addresses(one_by_one)] == [*["medium"] * 5, "high"]
    others = [each._replace(who=LAPTOP) if each is one_by_one[0] else each for each in one_by_one]
    assert addresses(others)[-1].severity == "medium"


def knock(**more: Any) -> Began:
    known: dict[str, Any] = {"outgoing": False, "packets": (0, 1), "outcome": "no_answer"} | more
    return Began(NOON, CAMERA, flow("203.0.0.9", **known))


def test_who_knocks_from_outside_is_something_to_know() -> None:
    (notice,) = knocks([knock(), met(), Look(NOON)])
    assert (notice.severity, notice.evidence["blame"]) == ("low", "peer")
    assert "was knocked at by" in notice.summary
    assert notice.evidence["flows"][0]["peer_address"] == "203.0.0.9"
    answered = knock(packets=(3, 3), outcome="closed")
    (notice,) = knocks([answered, met(), Look(NOON)])
    assert (notice.severity, notice.evidence["blame"]) == ("medium", "peer")
    called = Settled(NOON, CAMERA, flow("203.0.0.9"))
    assert knocks([called, knock(), met(), Look(NOON)])[0].severity == "medium"
    assert knocks([knock(), met(bytes=10_001), Look(NOON)])[0].severity == "low"


def test_knocks_that_are_not_remembered_are_no_exchange() -> None:
    def by(peer: str) -> Began:
        return Began(NOON, CAMERA, flow(peer, outgoing=False, packets=(0, 1), outcome="no_answer"))

    crowd = [by(f"198.51.100.{number}") for number in range(200)]
    (notice,) = knocks([knock(), *crowd, met(via="knock", bytes=90_000), Look(NOON)])
    assert (notice.severity, notice.evidence["blame"]) == ("low", "peer")
    called = Settled(NOON, CAMERA, flow("203.0.0.9"))
    assert knocks([called, *crowd, met(), Look(NOON)])[0].severity == "medium"
    (many,) = knocks([*(met(number, via="knock") for number in range(6)), Look(NOON)])
    assert (many.severity, many.evidence["blame"]) == ("low", "peer")
    assert "was knocked at by 6 addresses" in many.summary
    one_called = [met(9), *(met(number, via="knock") for number in range(6)), Look(NOON)]
    assert [each.severity for each in knocks(one_called)] == ["medium", "low"]


def test_who_was_only_called_is_not_to_blame_and_its_own_calls_are_no_worse_for_it() -> None:
    calls = [
        Began(
            NOON, CAMERA, flow(f"203.0.0.{number}", outgoing=False, packets=(1, 1), protocol=ICMP)
        )
        for number in range(8)
    ]
    pings = [*calls, *(met(number, blocked=False) for number in range(8)), Look(NOON)]
    (many,) = knocks(pings)
    assert (many.severity, many.evidence["blame"]) == ("high", "peer")
    assert many.subject == "many of c2 from outside"
    own = met(9, 10.0)
    called = [Began(NOON, CAMERA, flow("203.0.0.9")), own, Look(NOON + 10)]
    (_, alone) = knocks([*pings, *called])
    assert (alone.severity, "blame" in alone.evidence) == ("medium", False)
    (alone, _) = knocks([*called[:2], *pings])
    assert (alone.severity, "blame" in alone.evidence) == ("medium", False)
    back = Began(NOON, CAMERA, flow("203.0.0.1"))  # then it calls one of them
    assert "blame" not in knocks([*calls[:2], back, met(1), Look(NOON)])[0].evidence
    unseen = knocks([met(1, blocked=False), Look(NOON)])[0]
    assert unseen.evidence["blame"] == "unknown"


def test_on_the_way_to_the_internet_nobody_knows_whose_it_is_but_who_answered() -> None:
    def outside(**more: Any) -> Notice:
        (notice,) = knocks([met(who=None, blocked=False, **more), Look(NOON)])
        return notice

    knocked = outside(via="knock")
    assert (knocked.severity, knocked.mac) == ("low", None)
    assert knocked.summary.startswith("192.168.0.10 was knocked at by 203.0.0.9")
    assert "4 packets (400 bytes), and was not let in or answered" in knocked.evidence["why"]
    called, refused = outside(), outside(bytes=4 * 94)
    assert (called.severity, refused.severity) == ("medium", "low")
    assert "blame" not in {*called.evidence, *refused.evidence}
    assert called.summary.startswith("192.168.0.10 exchanged packets with 203.0.0.9")


def test_knocks_make_no_call_worse() -> None:
    knocking = [met(number, via="knock") for number in range(20, 30)]
    assert knocks([*knocking, Look(NOON), met(), Look(NOON)])[-1].severity == "medium"


def test_a_call_that_is_blocked_has_no_flow_and_is_no_knock() -> None:
    (notice,) = knocks([met(), Look(NOON)])
    assert (notice.severity, "blame" in notice.evidence) == ("medium", False)


def test_a_name_on_a_feed() -> None:
    (notice,) = domains([asked(), Look(NOON)])
    assert (notice.severity, notice.mac, notice.peer_name) == ("medium", CAMERA, "bad.example")
    assert notice.summary == "Camera asked for bad.example, which is on the feed c2"
    assert notice.evidence["entry"] == "*.example"
    assert notice.evidence["resolved"] == ["203.0.113.9"]
    assert notice.subject == "domain bad.example"
    assert "spoke (TLS) to" in domains([asked(via="tls"), Look(NOON)])[0].summary
    assert not domains([met(), Look(NOON)])


def test_many_names_at_once_are_one_event() -> None:
    assert len(domains([*(asked(f"{each}.example") for each in range(5)), Look(NOON)])) == 5
    (notice,) = domains([*(asked(f"{each}.example") for each in range(6)), Look(NOON)])
    assert (notice.severity, notice.evidence["value"]) == ("high", 6)
    again = [asked(), Look(NOON), asked(at=60.0), Look(NOON + 60)]
    assert len(domains(again)) == 1


def test_accepting_one_accepts_no_other() -> None:
    one, other = addresses([met(1), met(2), Look(NOON)])
    assert ThreatAddress(home()).covers(one.evidence, one)
    assert not ThreatAddress(home()).covers(one.evidence, other)
    first, second = domains([asked("a.example"), asked("b.example"), Look(NOON)])
    assert ThreatDomain(home()).covers(first.evidence, first)
    assert not ThreatDomain(home()).covers(first.evidence, second)


def test_a_device_that_meets_a_million_takes_no_room_from_others() -> None:
    meetings = Meetings("threat_address")
    for number in range(5000):
        meetings.add(met(number))
    meetings.add(met(7, who=LAPTOP))
    found = list(meetings.take())
    assert [len(each) for each in found] == [32, 1]
    for number in range(5000):
        meetings.met(met(number))
        meetings.told([met(number)], "high")
    state = meetings._devices.find(CAMERA)
    assert state is not None
    assert max(len(state.recent), len(state.told)) <= 256


def test_flows_that_are_kept_are_bounded() -> None:
    detector = ThreatAddress(home())
    told(detector, [Began(NOON, CAMERA, flow(f"203.0.113.{number}")) for number in range(250)])
    told(detector, [Began(NOON, CAMERA, flow(f"203.0.114.{number}")) for number in range(250)])
    state = detector._devices.find(CAMERA)
    assert state is not None
    assert len(state.flows) <= 16
    assert len(state.called) <= 256
    detector.forget(CAMERA)
    assert not len(detector._devices)
