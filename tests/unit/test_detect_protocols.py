"""Forbidden protocols and segment crossings, and what must not be taken for them."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from hearthwall_sensor.detectors.forbidden_protocol import ForbiddenProtocol
from hearthwall_sensor.detectors.segment_crossing import SegmentCrossing
from hearthwall_sensor.flows.flow import ICMP, TCP, TCP_ACK, TCP_SYN, UDP
from hearthwall_sensor.notice import Notice
from hearthwall_sensor.observations import Began, Flow, Listed, Settled, Spoke
from hearthwall_sensor.policy.policy import DevicePolicy
from tests.unit.observed import CAMERA, NOON, flow, home, packed, told


def spoke(application: str, at: float = 0.0, **more: Any) -> Spoke:
    each = flow(**more)
    return Spoke(
        *(NOON + at, CAMERA, each.packed, each.key, application, each.scope, None),
        is_outgoing=each.is_outgoing,
    )


def test_the_flow_is_shown_as_far_as_it_has_come() -> None:
    so_far = flow(up=212, down=66).counted
    asked = replace(home(), counted={spoke("telnet").packed: so_far}.get)
    (notice,) = told(ForbiddenProtocol(asked), [spoke("telnet")])
    (shown,) = notice.evidence["flows"]
    assert (shown["upload_bytes"], shown["download_bytes"]) == (212, 66)
    (notice,) = told(ForbiddenProtocol(asked), [spoke("telnet", outgoing=False)])
    assert notice.evidence["incoming"]


def began(each: Flow, application: str | None = None, at: float = 0.0) -> Began:
    return Began(
        NOON + at, CAMERA, each._replace(label=each.label._replace(application=application))
    )


def forbidden(observations: Iterable[Any], policy: DevicePolicy | None = None) -> list[Notice]:
    return told(ForbiddenProtocol(home(policy=policy)), observations)


@pytest.mark.parametrize(
    ("application", "severity", "of_a_thing", "technique"),
    [
        ("stratum", "high", "high", "T1496"),
        ("telnet", "high", "high", "T1021"),
        ("smb", "high", "high", "T1021.002"),
        ("tor", "high", "high", "T1090.003"),
        ("socks", "medium", "high", "T1090"),
        ("irc", "low", "medium", "T1071"),
        ("bittorrent", "low", "medium", None),
    ],
)
def test_what_is_spoken_is_told_at_once(
    application: str, severity: str, of_a_thing: str, technique: str | None
) -> None:
    (notice,) = forbidden([spoke(application)])
    assert notice.fitting_technique == technique
    assert (notice.severity, notice.mac, notice.subject) == (severity, CAMERA, application)
    assert notice.evidence["value"] == application
    assert notice.evidence["flows"][0]["community_id"].startswith("1:")
    assert "Camera speaks" in notice.summary
    for policy in (DevicePolicy(local=True), DevicePolicy(labels=("Camera",))):
        assert forbidden([spoke(application)], policy)[0].severity == of_a_thing


def test_the_policy_decides() -> None:
    allowed = DevicePolicy(allowed_protocols=frozenset(("irc",)))
    assert not forbidden([spoke("irc")], allowed)
    assert forbidden([spoke("telnet")], allowed)
    assert not forbidden([spoke("telnet")], DevicePolicy(forbidden_protocols=frozenset()))
    assert forbidden([spoke("ssh")], DevicePolicy(forbidden_protocols=frozenset(("ssh",))))
    assert not forbidden([spoke("ssh"), spoke("tls"), spoke("unknown")])


def test_within_the_home_all_may_be_spoken() -> None:
    assert not forbidden([spoke("smb", scope="lan"), spoke("telnet", scope="gateway")])
    assert not forbidden([began(flow(scope="lan"), "smb")])


def test_a_flow_that_was_labelled_is_as_good() -> None:
    assert forbidden([began(flow(), "stratum")])
    settled = Settled(NOON, CAMERA, began(flow(), "stratum").flow)
    assert forbidden([settled])


def test_a_port_alone_says_nothing() -> None:
    for port in (23, 445, 6667, 3333, 9001, 1080):
        assert not forbidden([began(flow(port=port)), began(flow(port=port), "tls")])


def test_one_connection_is_one_event_and_many_are_counted_once_a_minute() -> None:
    same = [spoke("telnet"), began(flow(), "telnet", 5.0), began(flow(), "telnet", 30.0)]
    assert len(forbidden(same)) == 1
    brute = [spoke("telnet", number, near=40_000 + number) for number in range(150)]
    notices = forbidden(brute)
    assert [each.evidence["connections"] for each in notices] == [1, 61, 121]
    assert {each.subject for each in notices} == {"telnet"}


@pytest.mark.parametrize("application", ["telnet", "smb", "socks"])
def test_what_a_device_serves_to_the_internet(application: str) -> None:
    (notice,) = forbidden([spoke(application, outgoing=False)])
    assert (notice.severity, notice.subject) == ("medium", f"{application} from the internet")
    assert notice.fitting_technique == "T1133"
    assert notice.evidence["blame"] == "peer"
    assert "serves" in notice.summary


def test_peers_of_file_sharing_that_call_are_no_news() -> None:
    assert not forbidden([spoke("bittorrent", outgoing=False), spoke("irc", outgoing=False)])


def listed(feed: str = "coin-miners", name: str | None = "pool.example") -> Listed:
    return Listed(
        *(NOON, CAMERA, "192.168.0.10", None, name, "dns", (feed,), "pool.example", None),
        resolved=("203.0.113.9",),
    )


def test_a_pools_port_counts_beside_a_listed_name() -> None:
    pool = began(flow(port=3333), "tls")
    (notice,) = forbidden([listed(), pool])
    assert notice.subject == "stratum"
    assert "coin-miners" in notice.evidence["why"]
    assert forbidden([listed(), began(flow("203.0.113.10", 3333, name="pool.example"))])
    assert not forbidden([listed("ads"), pool])
    assert not forbidden([listed(), began(flow(port=443), "tls")])
    assert not forbidden([listed(), began(flow("203.0.113.10", 3333), "tls")])
    assert not forbidden([listed(), began(flow(port=3333, outcome="refused"), "tls")])


def test_names_that_a_device_meets_are_bounded() -> None:
    detector = ForbiddenProtocol(home())
    told(detector, [listed(name=f"{number}.example") for number in range(5000)])
    state = detector._devices.find(CAMERA)
    assert state is not None
    assert len(state.listed) <= 64
    detector.forget(CAMERA)
    assert not len(detector._devices)


def test_accepting_one_protocol_accepts_no_other() -> None:
    irc, telnet = forbidden([spoke("irc"), spoke("telnet")])
    detector = ForbiddenProtocol(home())
    assert detector.covers(irc.evidence, irc)
    assert not detector.covers(irc.evidence, telnet)


# Segments

SEGMENTS = {"192.168.0": "main", "192.168.9": "iot", "192.168.8": "guests"}


def _segment(address: bytes) -> str | None:
    text = ".".join(map(str, address[12:15]))
    return SEGMENTS.get(text)


def crossing(observations: Iterable[Any], **more: Any) -> list[Notice]:
    policy = DevicePolicy(may_reach=more.pop("may_reach", frozenset(("guests",))))
    policy = more.pop("policy", policy)
    asked = replace(home(policy=policy), segment=_segment, **more)
    return told(SegmentCrossing(asked), observations)


def local(peer: str = "192.168.9.7", port: int = 80, **more: Any) -> Flow:
    known: dict[str, Any] = {"scope": "lan"} | more
    each = flow(peer, port, **known)
    return each._replace(counted=each.counted._replace(upload_flags=TCP_SYN | TCP_ACK))


def test_who_reaches_into_a_closed_segment() -> None:
    (notice,) = crossing([began(local())])
    assert notice.fitting_technique == "T1021"
    assert (notice.severity, notice.subject) == ("medium", "segment iot")
    assert notice.summary == (
        "Camera in the segment main reaches for tcp/80 of 192.168.9.7 in the segment iot"
    )
    assert notice.evidence["threshold"] == ["guests"]
    assert crossing([began(local(outcome="no_answer"))])  # it tried
    assert crossing([began(local())], may_reach=frozenset())


@pytest.mark.parametrize(
    "near_miss",
    [
        local("192.168.8.7"),  # open
        local("192.168.0.7"),  # its own
        local("192.168.7.7"),  # no segment
        local(outgoing=False),  # they came
        local("192.168.9.255"),
        local("224.0.0.251", protocol=UDP),
        local(port=8, near=0, protocol=ICMP),  # an answer to a ping
        flow("192.168.9.7", scope="internet"),
    ],
)
def test_what_is_no_crossing(near_miss: Flow) -> None:
    assert not crossing([began(near_miss)])


def test_answers_of_a_connection_that_began_unseen() -> None:
    each = local()
    answer = each._replace(counted=each.counted._replace(upload_flags=TCP_ACK))
    assert not crossing([began(answer)])


def test_nobody_is_judged_where_the_policy_says_nothing() -> None:
    assert not crossing([began(local())], may_reach=None)


def test_what_the_policy_says_of_a_segment_holds_for_its_devices() -> None:
    assert crossing([began(local())], policy=DevicePolicy(segments_reach={"main": frozenset()}))
    for reach in ({"main": frozenset(("iot",))}, {"iot": frozenset[str]()}):
        assert not crossing([began(local())], policy=DevicePolicy(segments_reach=reach))


def test_the_gateway_is_in_all_segments() -> None:
    assert not crossing([began(local())], own_addresses=lambda: (packed("192.168.9.7"),))
    assert not crossing([began(local())], own=lambda: (CAMERA,))


def test_each_service_is_told_once_a_minute_and_accepted_by_itself() -> None:
    many = [began(local(near=number), at=number) for number in range(61)]
    assert len(crossing(many)) == 2
    web, mail = crossing([began(local()), began(local(port=25))])
    assert SegmentCrossing(home()).covers(web.evidence, web)
    assert not SegmentCrossing(home()).covers(web.evidence, mail)


# Spoofed sources


def foreign(source: str, number: int, protocol: int = TCP, **more: Any) -> Flow:
    each = local(protocol=protocol, near=2000 + number, scope="internet", **more)
    key = each.key._replace(address=packed(source))
    return each._replace(
        key=key, packed=key.pack(), counted=each.counted._replace(upload_flags=TCP_SYN)
    )


def spoofs(flows: Iterable[Flow], *, at_home: bool = True, **more: Any) -> list[Notice]:
    first = [began(flow())] if at_home else []
    network = packed("192.168.0.0")[:14]
    asked = replace(home(), **{"is_home": lambda each: each[:14] == network, **more})
    return told(SegmentCrossing(asked), [*first, *(began(each, at=1.0) for each in flows)])


def test_connections_from_addresses_that_are_not_the_homes() -> None:
    flows = [foreign(f"198.51.100.{number}", number) for number in range(3)]
    (notice,) = spoofs(flows)
    assert (notice.severity, notice.subject, notice.mac) == ("high", "spoofed source", CAMERA)
    assert notice.fitting_technique == "T1498"
    assert (notice.evidence["value"], notice.evidence["threshold"]) == (3, 3)
    assert not spoofs(flows[:2])
    assert spoofs([foreign("198.51.100.1", number) for number in range(3)])
    assert spoofs([foreign(f"198.51.100.{number}", number, UDP) for number in range(3)])
    assert spoofs([foreign(f"2a00:{number}::1", number) for number in range(1, 4)])


def test_a_stream_of_datagrams_from_one_such_address() -> None:
    assert spoofs([foreign("198.51.100.1", 1, UDP, packets=(20, 0))])
    assert not spoofs([foreign("198.51.100.1", number, UDP, packets=(4, 0)) for number in range(4)])


@pytest.mark.parametrize(
    "near_miss",
    [
        "fe80::1",
        "0.0.0.0",
        "::",
        "169.254.3.4",
        "192.0.0.4",  # 464XLAT
        "224.0.0.1",
        "192.168.0.77",
    ],
)
def test_addresses_that_anybody_may_have(near_miss: str) -> None:
    assert not spoofs([foreign(near_miss, number) for number in range(30)])


def test_the_prefix_that_the_home_had_yesterday() -> None:
    old = [foreign(f"2a00:1:2:3::{number}", number, UDP) for number in range(1, 9)]
    assert not spoofs(old)
    connections = [foreign("2a00:1:2:3::1", number) for number in range(9)]
    assert not spoofs(connections, owner=lambda _: CAMERA)
    assert spoofs(connections)


def test_a_phone_that_comes_home_ends_its_connections() -> None:
    leaks = [foreign(f"100.{number}.9.9", number) for number in range(70, 90)]
    ends = [
        each._replace(counted=each.counted._replace(upload_flags=TCP_ACK | 1)) for each in leaks
    ]
    assert not spoofs(ends)
    assert spoofs(leaks)


def test_routers_and_strangers_are_not_judged() -> None:
    flows = [foreign(f"198.51.100.{number}", number) for number in range(9)]
    assert not spoofs(flows, own=lambda: (CAMERA,))
    assert not spoofs(flows, at_home=False)  # a capture that was taken elsewhere
    link_local = began(flow()._replace(key=flow().key._replace(address=packed("fe80::1"))))
    assert not told(SegmentCrossing(home()), [link_local, *map(began, flows)])


def test_what_is_long_ago_does_not_count() -> None:
    def at(number: int, time: float) -> Began:
        each = foreign(f"198.51.100.{number}", number)
        return began(each._replace(first=NOON + time, last=NOON + time), at=time)

    near = [began(flow()), at(1, 0), at(2, 100), at(3, 299)]
    assert told(SegmentCrossing(home()), near)
    far = [began(flow()), at(1, 0), at(2, 100), at(3, 301)]
    assert not told(SegmentCrossing(home()), far)


def test_what_is_remembered_of_a_device_is_bounded() -> None:
    asked = replace(home(policy=DevicePolicy(may_reach=frozenset())), segment=_segment)
    detector = SegmentCrossing(asked)
    told(detector, [began(local(port=number)) for number in range(500)])
    told(detector, [began(foreign("198.51.100.1", number)) for number in range(500)])
    state = detector._devices.find(CAMERA)
    assert state is not None
    assert len(state.crossed) <= 64
    assert len(state.strange) <= 16
    detector.forget(CAMERA)
    assert not len(detector._devices)
