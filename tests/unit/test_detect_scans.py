"""Port scans and address scans, by what each attempt was, and what looks like them."""

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from hearthwall_sensor.detectors import address_scan, attempts, port_scan
from hearthwall_sensor.detectors.address_scan import AddressScan
from hearthwall_sensor.detectors.attempts import Groups
from hearthwall_sensor.detectors.port_scan import PortScan
from hearthwall_sensor.flows.flow import DOWNLOAD, ICMP, TCP, TCP_ACK, TCP_FIN, TCP_SYN, UDP
from hearthwall_sensor.flows.labels import Label
from hearthwall_sensor.notice import Notice
from hearthwall_sensor.observations import Claimed, Flow, Settled
from hearthwall_sensor.policy.policy import DevicePolicy
from tests.unit.observed import CAMERA, LAPTOP, NOON, flow, home, packed, told

NAS = "192.168.0.2"
QUIET: dict[str, Any] = {"down": 0, "packets": (1, 0), "up": 60}
REFUSED: dict[str, Any] = {"down": 54, "packets": (1, 1), "up": 60}


def flags(each: Flow, *, syn: int = TCP_SYN, answer: int = 0) -> Flow:
    ways = {"upload_flags": syn, "download_flags": answer}
    if each.counted.opener == DOWNLOAD:
        ways = {"upload_flags": answer, "download_flags": syn}
    return each._replace(counted=each.counted._replace(**ways))


def failed(peer: str, port: int, at: float = NOON, protocol: int = TCP, **more: Any) -> Flow:
    """Return a flow that nobody answered; in the home unless it says otherwise."""
    known: dict[str, Any] = {"outcome": "no_answer" if protocol == TCP else None, "scope": "lan"}
    known |= QUIET | {"near": 8 if protocol == ICMP else 50_000} | more
    return flags(flow(peer, port, at, protocol=protocol, **known))


def used(peer: str, port: int, at: float = NOON, **more: Any) -> Flow:
    known: dict[str, Any] = {"scope": "lan", "up": 900, "down": 9000} | more
    return flags(flow(peer, port, at, **known), answer=TCP_SYN | TCP_ACK)


def settled(flows: Iterable[Flow], who: str = CAMERA, every: float = 1.0) -> list[Settled]:
    return [Settled(NOON + 3 + number * every, who, each) for number, each in enumerate(flows)]


def ports(count: int, protocol: int = TCP, **more: Any) -> list[Flow]:
    return [failed(NAS, 1000 + number, protocol=protocol, **more) for number in range(count)]


def internet_host(number: int) -> str:
    return f"203.0.{number // 250}.{1 + number % 250}"


def hosts(count: int, port: int = 23, **more: Any) -> list[Flow]:
    known: dict[str, Any] = {"scope": "internet"} | more
    return [failed(internet_host(number), port, **known) for number in range(count)]


def port_scans(observations: Iterable[Any], **more: Any) -> list[Notice]:
    return told(PortScan(home(**more)), observations)


def address_scans(observations: Iterable[Any], **more: Any) -> list[Notice]:
    return told(AddressScan(home(**more)), observations)


# Ports


def test_fifteen_ports_of_one_host_are_a_scan() -> None:
    (notice,) = port_scans(settled(ports(15)))
    assert (notice.kind, notice.severity, notice.mac) == ("port_scan", "medium", CAMERA)
    assert notice.summary == "Camera tries many TCP ports of 192.168.0.2: 15 within 5 minutes"
    assert notice.subject == "host 192.168.0.2"
    assert notice.evidence["value"] == notice.evidence["threshold"] == 15
    assert notice.evidence["window"] == 300.0
    assert len(notice.evidence["flows"]) == 5
    assert notice.evidence["flows"][0]["community_id"].startswith("1:")
    assert notice.evidence["ports"][:2] == [1014, 1013]
    assert not port_scans(settled(ports(14)))


@pytest.mark.parametrize(("sensitivity", "least"), [("high", 8), ("low", 30)])
def test_sensitivity(sensitivity: Any, least: int) -> None:
    policy = DevicePolicy(sensitivity=sensitivity)
    assert port_scans(settled(ports(least)), policy=policy)
    assert not port_scans(settled(ports(least - 1)), policy=policy)


def test_refusals_count_as_silence_does() -> None:
    assert port_scans(settled(ports(15, outcome="refused", **REFUSED)))


def test_the_same_port_again_and_again_is_no_scan() -> None:
    assert not port_scans(settled([failed(NAS, 9100) for _ in range(100)]))


def test_a_few_ports_of_many_hosts_are_no_port_scan() -> None:
    flows = [failed(f"192.168.0.{host}", port) for host in range(2, 60) for port in range(10)]
    assert not port_scans(settled(flows, every=0.1))


def test_a_slow_scan_is_seen_within_a_day() -> None:
    (notice,) = port_scans(settled(ports(15), every=3600.0))
    assert notice.evidence["window"] == attempts.SLOW
    assert not port_scans(settled(ports(15), every=6500.0))


def test_open_ports_that_a_scan_found_are_told_of() -> None:
    found = [
        flags(
            flow(NAS, port, scope="lan", up=110, down=60, packets=(2, 1), outcome="reset"),
            answer=TCP_SYN | TCP_ACK,
        )
        for port in (80, 443)
    ]
    mixed = [*ports(7), *found, *(failed(NAS, 2000 + number) for number in range(6))]
    (notice,) = port_scans(settled(mixed))
    assert notice.evidence["open_ports"] == [443, 80]
    assert (notice.evidence["value"], notice.evidence["failed"]) == (15, 13)


def test_a_host_with_many_open_ports_is_no_scan_by_itself() -> None:
    def opened(port: int, syn: int) -> Flow:
        each = flow(NAS, port, scope="lan", up=110, down=60, packets=(2, 1), outcome="reset")
        return flags(each, syn=syn, answer=TCP_ACK)

    most = [failed(NAS, 99), *(opened(port, TCP_SYN) for port in range(8)), *ports(6)]
    assert not port_scans(settled(most))
    assert port_scans(settled([*most[1:], *ports(1), *most[:7], *ports(8)]))
    unseen = [*ports(8), *(opened(port, TCP_ACK) for port in range(7)), failed(NAS, 1000)]
    assert not port_scans(settled(unseen))


def test_who_speaks_with_many_ports_does_not_scan() -> None:
    spoken = [used(NAS, 3000 + number) for number in range(12)]
    flows = [failed(NAS, 999), *spoken, *ports(14)]
    assert not port_scans(settled(flows))
    assert port_scans(settled([failed(NAS, 999), *ports(14)]))


def test_probes_without_syn_fail_whatever_comes_back() -> None:
    for odd in (0, TCP_FIN, TCP_FIN | 0x28):
        odd_flows = [flags(each, syn=odd) for each in ports(15, outcome="open")]
        assert port_scans(settled(odd_flows))
    late = [flags(each, syn=TCP_ACK) for each in ports(40, outcome="reset", **REFUSED)]
    assert not port_scans(settled(late))


def test_of_udp_twice_as_many() -> None:
    assert port_scans(settled(ports(30, UDP)))
    assert not port_scans(settled(ports(29, UDP)))


@pytest.mark.parametrize(
    "near_miss",
    [
        [failed("203.0.113.9", 33_434 + n, protocol=UDP, scope="internet") for n in range(90)],
        [failed(NAS, 40_000 + number, protocol=UDP) for number in range(90)],  # SSDP's answers
        [failed(NAS, 2000 + number, protocol=UDP, near=53) for number in range(90)],
        [failed(NAS, 2000 + number, protocol=UDP, packets=(50, 0)) for number in range(90)],
        [
            failed(NAS, 2000 + number, protocol=UDP)._replace(label=Label("stun"))
            for number in range(90)
        ],
        [failed("192.168.0.255", 2000 + number) for number in range(90)],
        [failed("239.1.1.1", 2000 + number, protocol=UDP) for number in range(90)],
        [failed("ff02::1", 2000 + number, protocol=UDP) for number in range(90)],
        [failed(NAS, 50_000, near=number, outgoing=False, packets=(0, 1)) for number in range(90)],
        [failed(NAS, 2000 + number, outcome="open") for number in range(90)],  # not over yet
    ],
)
def test_what_looks_like_a_scan_of_ports(near_miss: list[Flow]) -> None:
    assert not port_scans(settled(near_miss))


def test_a_scanner_outside_is_something_to_know() -> None:
    scan = [
        failed("203.0.113.9", 50_000, near=port, outgoing=False, scope="internet", packets=(0, 1))
        for port in range(15)
    ]
    (notice,) = port_scans(settled(scan))
    assert (notice.severity, notice.mac, notice.peer_address) == ("info", CAMERA, "203.0.113.9")
    assert notice.subject == "from the internet"
    assert notice.evidence["blame"] == "peer"
    assert "203.0.113.9 on the internet" in notice.summary
    assert not port_scans(settled(scan[:-1]))


def test_the_gateway_may() -> None:
    detector = PortScan(replace(home(), own=lambda: (CAMERA,)))
    assert not told(detector, settled(ports(40)))


def test_a_scan_of_many_hosts_is_one_subject_and_told_once_a_minute() -> None:
    scan = [failed(f"192.168.0.{host}", port) for host in (2, 3) for port in range(40)]
    notices = port_scans(settled(scan))
    assert [each.subject for each in notices] == ["host 192.168.0.2"] * 2
    assert [each.evidence["target"] for each in notices] == ["192.168.0.2", "192.168.0.3"]
    detector = PortScan(home())
    assert detector.covers(notices[0].evidence, notices[0])
    assert not detector.covers(notices[0].evidence, notices[1])


@pytest.mark.parametrize("scan", [ports(200), hosts(200)])
def test_a_scan_that_goes_on_is_told_once_a_minute_and_shows_the_latest(scan: list[Flow]) -> None:
    scans = port_scans if scan[0].peer == NAS else address_scans
    notices = scans(settled(scan))
    assert len(notices) == (4 if scans is port_scans else 3)
    shown = [each.evidence.get("ports") or each.evidence["hosts"] for each in notices]
    assert max(map(len, shown)) == 20


@pytest.mark.parametrize("pause", [780, 7200])
def test_a_later_scan_is_told_of_by_its_own_name(pause: int) -> None:
    first = settled(ports(15))
    later = [
        Settled(NOON + pause + number, CAMERA, failed("192.168.0.3", number))
        for number in range(15)
    ]
    assert [each.subject for each in port_scans([*first, *later])] == [
        "host 192.168.0.2",
        "host 192.168.0.3",
    ]


# Hosts


def test_twenty_five_hosts_on_one_port_are_a_scan() -> None:
    (notice,) = address_scans(settled(hosts(25)))
    assert (notice.severity, notice.mac, notice.peer_address) == ("high", CAMERA, None)
    assert notice.summary == "Camera tries many hosts by TCP port 23: 25 within 5 minutes"
    assert (notice.subject, notice.evidence["service"]) == ("tcp/23", "tcp/23")
    assert notice.evidence["hosts"][0] == "203.0.0.25"
    assert len(notice.evidence["flows"]) == 5
    assert not address_scans(settled(hosts(24)))
    assert not address_scans(settled(hosts(12), every=1) * 3)


def test_hosts_of_ipv6_too() -> None:
    scan = [failed(f"2001:db8::{number:x}", 23, scope="internet") for number in range(1, 26)]
    assert address_scans(settled(scan))


def test_slow_sweeps_are_seen_within_a_day() -> None:
    (notice,) = address_scans(settled(hosts(25), every=900.0))
    assert notice.evidence["window"] == attempts.SLOW
    assert not address_scans(settled(hosts(25), every=4000.0))
    assert not address_scans(settled(hosts(100, 1900, protocol=UDP), every=20.0))


def test_a_worm_in_a_small_home_finds_few_hosts() -> None:
    def scan(port: int, count: int) -> list[Settled]:
        return settled([failed(f"192.168.0.{number + 2}", port) for number in range(count)])

    assert address_scans(scan(23, 8), devices=10)
    assert not address_scans(scan(23, 7), devices=10)
    assert not address_scans(scan(23, 11), devices=20)
    assert address_scans(scan(23, 12), devices=20)
    assert not address_scans(scan(8008, 24), devices=10)


def test_many_ports_of_a_few_hosts_are_no_address_scan() -> None:
    flows = [failed(f"192.168.0.{host}", port) for host in range(2, 9) for port in range(90)]
    assert not address_scans(settled(flows, every=0.1))


def test_pings() -> None:
    sweep = [failed(f"10.0.0.{number}", 0, protocol=ICMP) for number in range(25)]
    (notice,) = address_scans(settled(sweep))
    assert (notice.severity, notice.subject) == ("medium", "icmp")
    assert "by ping" in notice.summary
    assert not address_scans(settled(sweep[1:]))
    answers = [failed(f"10.0.0.{number}", 8, protocol=ICMP, near=0) for number in range(90)]
    assert not address_scans(settled(answers))


def test_arp_questions_for_hosts_that_nobody_knows() -> None:
    def ask(number: int) -> Claimed:
        address, sought = packed("192.168.0.10"), packed(f"192.168.0.{number}")
        return Claimed(NOON + number, CAMERA, address, False, True, sought)

    def home_of(*known: str) -> AddressScan:
        addresses = [packed(each) for each in known]
        asked = replace(home(), owner=lambda each: LAPTOP if each in addresses else None)
        return AddressScan(asked)

    (notice,) = told(home_of(), map(ask, range(25)))
    assert (notice.severity, notice.subject) == ("medium", "arp")
    assert (
        notice.evidence["blame"] == "unknown"
    )  # packets in strangers' names make a host ask for them
    assert not told(home_of("192.168.0.3"), map(ask, range(25)))
    assert not told(home_of(), map(ask, range(24)))
    assert not told(home_of(), [ask(number % 20) for number in range(90)])
    gateway = replace(home(), own_addresses=lambda: (packed("192.168.0.3"),))
    assert not told(AddressScan(gateway), map(ask, range(25)))


@pytest.mark.parametrize(
    "near_miss",
    [
        hosts(90, 51_413, protocol=UDP, packets=(20, 0)),
        [each._replace(label=Label("bittorrent")) for each in hosts(90, 6881, protocol=UDP)],
        hosts(90, 443, protocol=UDP),  # QUIC behind a firewall that keeps it out
        hosts(49, 5000, protocol=UDP),
        hosts(90, 443),  # the way out is cut
        [failed(internet_host(n), 22, scope="internet", name="a.example") for n in range(90)],
    ],
)
def test_what_looks_like_a_scan_of_hosts(near_miss: list[Flow]) -> None:
    assert not address_scans(settled(near_miss))


def test_the_thresholds_above_those_near_misses() -> None:
    assert address_scans(settled(hosts(50, 5000, protocol=UDP)))
    assert address_scans(settled(hosts(100, 443)))
    assert address_scans(settled(hosts(25, 22)))


def test_ipv6_without_a_way_out_is_no_scan_while_ipv4_works() -> None:
    flows = []
    for number in range(120):
        flows += [
            failed(f"2001:db8::{number:x}", 5222, scope="internet"),
            used(internet_host(number), 5222, scope="internet"),
        ]
    assert not address_scans(settled(flows))
    assert address_scans(settled(flows[::2]))


def test_peers_that_are_gone_are_no_scan_where_the_ports_are_many() -> None:
    flows = []
    for number in range(40):
        flows += [failed(internet_host(number), 6881, scope="internet")]
        flows += [
            failed(internet_host(number * 5 + each), 7000 + number * 5 + each, scope="internet")
            for each in range(5)
        ]
    assert not address_scans(settled(flows))
    assert address_scans(settled([each for each in flows if each.key.peer_port == 6881]))


def test_a_scanner_outside_that_tries_all_devices() -> None:
    scan = [
        failed("203.0.113.9", 50_000, near=23, outgoing=False, scope="internet", packets=(0, 1))
        for _ in range(25)
    ]
    scan = [
        each._replace(key=each.key._replace(address=packed(f"2001:db8::{number:x}")))
        for number, each in enumerate(scan)
    ]
    (notice,) = address_scans(settled(scan))
    assert (notice.severity, notice.subject) == ("info", "from the internet")
    assert notice.evidence["blame"] == "peer"


def test_a_whole_network_scan_is_one_of_each() -> None:
    scan = [
        failed(f"10.1.0.{host}", port) for port in (*range(15, 30), 23) for host in range(1, 40)
    ]
    both = port_scans(settled(scan, every=0.01)), address_scans(settled(scan, every=0.01))
    for notices in both:
        assert len({each.subject for each in notices}) == 1


# Bounds


@pytest.mark.parametrize("make", [PortScan, AddressScan])
def test_a_hostile_device_takes_its_own_room_only(make: Callable[[Any], Any]) -> None:
    detector = make(home())
    for number in range(20_000):
        host = f"10.{number // 62_500}.{number // 250 % 250}.{1 + number % 250}"
        hostile = failed(host, number % 60_000, near=number % 60_000)
        told(detector, [Settled(NOON + number / 1000, LAPTOP, hostile)])
        if number % 1500 == 0:
            step = number // 1500
            victim = failed(NAS, step) if make is PortScan else failed(internet_host(step), 23)
            told(detector, [Settled(NOON + number / 1000, CAMERA, victim)])
    groups = detector._devices.find(LAPTOP)
    assert len(groups) <= 512
    assert len(groups._groups) <= 64
    assert len(detector._devices.find(CAMERA)) == 14


@pytest.mark.parametrize("make", [PortScan, AddressScan])
def test_invented_devices_and_scanners_are_bounded(make: Callable[[Any], Any]) -> None:
    detector = make(home())
    for number in range(2000):
        who = f"06:00:00:00:{number >> 8:02x}:{number & 255:02x}"
        told(detector, [Settled(NOON + number, who, failed(NAS, 23))])
        outside = failed(internet_host(number), 9, outgoing=False, scope="internet", packets=(0, 1))
        told(detector, [Settled(NOON + number, CAMERA, outside)])
    assert len(detector._devices) <= 256
    assert len(detector._outside) <= 256


def test_a_group_forgets_the_oldest() -> None:
    groups = Groups()
    for number in range(3000):
        groups.add("host", number, "failed", NOON)
    assert len(groups) <= 256
    group = groups.add("host", 3000, "failed", NOON + 2 * attempts.SLOW)
    assert group is not None
    assert len(group) == len(groups) == 1


def test_many_large_groups_make_room_for_each_other() -> None:
    groups = Groups()
    for number in range(3000):
        groups.add(number % 10, number, "failed", NOON)
        assert len(groups) <= 513
    assert len(groups) == sum(map(len, groups._groups.values()))


def test_noise_does_not_push_out_a_slow_scan() -> None:
    groups = Groups()
    for number in range(5):
        groups.add("target", number, "failed", NOON)
    for number in range(1000):
        groups.add(number, 80, "failed", NOON + number)
    group = groups.add("target", 6, "failed", NOON + 2000)
    assert group is not None
    assert len(group) == 6
    assert math.isinf(group.told)


@pytest.mark.parametrize("module", [port_scan, address_scan])
def test_forgotten_devices_leave_nothing(module: Any) -> None:
    make = PortScan if module is port_scan else AddressScan
    detector = make(home())
    told(detector, settled(ports(5)))
    assert len(detector._devices) == 1
    detector.forget(CAMERA)
    assert not len(detector._devices)


@pytest.mark.parametrize("make", [PortScan, AddressScan])
def test_attempts_at_others_in_between_hide_no_scan(make: Callable[[Any], Any]) -> None:
    """Who knows the bounds fills them with groups that are larger than the one that grows."""

    def target(number: int) -> Flow:
        return failed(NAS, 1 + number) if make is PortScan else failed(internet_host(number), 23)

    def chaff(number: int, step: int) -> Flow:
        if make is PortScan:
            return failed(f"198.51.{number % 250}.{number // 250 + 1}", 10_000 + step)
        return failed(f"198.51.100.{step + 1}", 10_000 + number)

    flows = [chaff(number, step) for number in range(64) for step in range(8)]
    for number in range(280):
        flows.append(target(number))
        if number % 7 == 6:
            flows.append(chaff(1000 + number, 0))
    notices = told(make(home()), settled(flows, every=0.6))
    assert [each for each in notices if NAS in each.summary or "23" in each.subject]
