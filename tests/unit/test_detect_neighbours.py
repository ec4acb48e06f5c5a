"""New devices, addresses that two claim, and servers that are one too many."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from hearthwall_sensor.detectors.address_conflict import AddressConflict
from hearthwall_sensor.detectors.new_device import NewDevice
from hearthwall_sensor.detectors.rogue_dhcp import RogueDhcp
from hearthwall_sensor.dissect.dhcp import Lease
from hearthwall_sensor.notice import Notice
from hearthwall_sensor.observations import Advertised, Appeared, Claimed, Leased, Look
from tests.unit.observed import CAMERA, LAPTOP, NOON, PLUG, home, packed, told

ROUTER = "02:00:00:00:00:fe"


def mac(number: int) -> str:
    return f"06:00:00:00:{number >> 8:02x}:{number & 255:02x}"


# New devices


def new_devices(observations: Iterable[Any], **more: Any) -> list[Notice]:
    return told(NewDevice(replace(home(), **more)), observations)


def appeared(who: str = CAMERA, at: float = 0.0, *, randomised: bool = False) -> Appeared:
    return Appeared(NOON + at, who, randomised)


def test_a_new_device_is_told_once_it_said_its_name() -> None:
    assert not new_devices([appeared(), Look(NOON + 5)])
    (notice,) = new_devices([appeared(), Look(NOON + 5), Look(NOON + 10), Look(NOON + 15)])
    assert (notice.severity, notice.mac, notice.time) == ("low", CAMERA, NOON)
    assert notice.summary == "Camera is on the network for the first time"
    assert notice.evidence["randomised"] is False


def test_a_randomised_mac_is_something_to_know() -> None:
    (notice,) = new_devices([appeared(randomised=True), Look(NOON + 10)])
    assert (notice.severity, notice.evidence["randomised"]) == ("info", True)
    assert "randomised" in notice.summary


def test_while_all_is_new_nothing_is() -> None:
    assert not new_devices([appeared(), Look(NOON + 60)], is_settling=lambda _: True)
    assert not new_devices([appeared(), Look(NOON + 60)], own=lambda: (CAMERA,))


def test_visitors_come_by_themselves_and_floods_as_one() -> None:
    visitors = [appeared(mac(number), number * 2.0) for number in range(5)]
    assert len(new_devices([*visitors, Look(NOON + 60)])) == 5
    (sixth,) = new_devices([*visitors, appeared(mac(5), 11.0), Look(NOON + 60)])
    assert (sixth.subject, sixth.evidence["value"]) == ("many", 6)
    flood = [appeared(mac(number), number / 10, randomised=True) for number in range(300)]
    (notice,) = new_devices([*flood, Look(NOON + 31), Look(NOON + 60)])
    assert (notice.severity, notice.subject, notice.mac) == ("medium", "many", None)
    assert notice.evidence["value"] == 300
    assert len(notice.evidence["devices"]) <= 20
    slow = [appeared(mac(number), number * 12.0) for number in range(6)]
    assert len(new_devices([*slow, Look(NOON + 90)])) == 6


def test_a_flood_that_goes_on_is_told_once_a_minute() -> None:
    observations: list[Any] = []
    for number in range(1200):
        observations += [appeared(mac(number), number / 10), Look(NOON + number / 10)]
    notices = new_devices(observations)
    assert [each.subject for each in notices] == ["many"] * 2


def test_a_device_that_is_forgotten_is_not_told_of() -> None:
    detector = NewDevice(home())
    told(detector, [appeared()])
    detector.forget(CAMERA)
    assert not told(detector, [Look(NOON + 60)])


# Addresses

GATEWAY, SHARED = packed("192.168.0.1"), packed("192.168.0.50")


def claim(
    who: str, at: float, address: bytes = SHARED, *, reply: bool = True, true: bool = True
) -> Claimed:
    return Claimed(NOON + at, who, address, reply, true)


def conflicts(observations: Iterable[Any], **more: Any) -> list[Notice]:
    asked: dict[str, Any] = {"own": lambda: (ROUTER,), "own_addresses": lambda: (GATEWAY,)}
    return told(AddressConflict(replace(home(), **asked | more)), observations)


def test_who_claims_the_gateways_address() -> None:
    (notice,) = conflicts([claim(LAPTOP, 0, GATEWAY), claim(LAPTOP, 2, GATEWAY)])
    assert (notice.severity, notice.mac, notice.address) == ("high", LAPTOP, "192.168.0.1")
    assert notice.subject == "address 192.168.0.1"
    assert (notice.evidence["value"], notice.evidence["threshold"]) == (2, 2)
    assert not conflicts([claim(LAPTOP, 0, GATEWAY)])
    assert not conflicts([claim(LAPTOP, 0, GATEWAY), claim(LAPTOP, 31, GATEWAY)])
    assert not conflicts([claim(ROUTER, each, GATEWAY) for each in range(9)])


def test_one_claim_is_enough_in_somebody_elses_name() -> None:
    (notice,) = conflicts([claim(LAPTOP, 0, GATEWAY, true=False)])
    assert notice.evidence["untrue"] == 1


def test_the_same_is_told_once_a_minute() -> None:
    spoofing = [claim(LAPTOP, at, GATEWAY) for at in range(0, 120, 2)]
    assert len(conflicts(spoofing)) == 2


def test_two_that_both_go_on_claiming() -> None:
    both = [claim(CAMERA, 0), claim(LAPTOP, 5), claim(CAMERA, 10), claim(LAPTOP, 15)]
    (notice,) = conflicts(both)
    assert (notice.severity, notice.subject) == ("medium", "address 192.168.0.50")
    assert notice.evidence["claimants"] == [LAPTOP, CAMERA]
    assert notice.evidence["blame"] == "unknown"
    assert "both claim 192.168.0.50" in notice.summary
    assert not conflicts(both[:3])  # to another port, and back


@pytest.mark.parametrize(
    "near_miss",
    [
        # A lease that went to another device, whose first owner is silent
        [claim(CAMERA, 0), *(claim(LAPTOP, 10 + at) for at in range(99))],
        # A device that sleeps while another one answers for it, and wakes now and then
        [claim((CAMERA, LAPTOP)[at % 2], at * 40) for at in range(20)],
        # A router that answers for others
        [claim((CAMERA, ROUTER)[at % 2], at) for at in range(20)],
        # Answers that come twice
        [claim(CAMERA, at) for at in range(99)],
        # IPv6: is this address free?
        [claim((CAMERA, LAPTOP)[at % 2], at, packed("fe80::1"), reply=False) for at in range(20)],
    ],
)
def test_what_is_no_conflict(near_miss: list[Claimed]) -> None:
    assert not conflicts(near_miss)


def test_claims_long_apart_do_not_add_up() -> None:
    slow = [claim((CAMERA, LAPTOP)[at % 2], at * 29) for at in range(20)]
    assert conflicts(slow)
    spread = [claim((CAMERA, LAPTOP)[at % 2], at // 2 * 200 + at % 2 * 5) for at in range(20)]
    assert not conflicts(spread)


def test_two_that_took_turns_for_long() -> None:
    def turns(length: int) -> list[Claimed]:
        return [claim((CAMERA, LAPTOP)[at // length % 2], at * 20) for at in range(4 * length)]

    assert conflicts(turns(7))  # every 140 seconds
    assert not conflicts(turns(8))


def test_after_a_pause_it_is_counted_anew() -> None:
    twice, once = (0, 5, 10), (50, 55)
    claims = [claim((CAMERA, LAPTOP)[at // 5 % 2], at) for at in twice]
    assert not conflicts([*claims, *(claim((LAPTOP, CAMERA)[at % 2], at) for at in once)])
    assert conflicts([*claims, *(claim((LAPTOP, CAMERA)[at % 2], at - 25) for at in once)])


def test_ipv6_claims_count_where_they_change_others_tables() -> None:
    assert conflicts([claim((CAMERA, LAPTOP)[at % 2], at, packed("fe80::1")) for at in range(4)])


def test_who_claims_the_addresses_of_many() -> None:
    def take(count: int, every: float = 1.0) -> list[Claimed]:
        return [
            claim(LAPTOP, number * every, packed(f"192.168.0.{100 + number}"))
            for number in range(count)
        ]

    (notice,) = conflicts(take(9), owner=lambda _: CAMERA)
    assert (notice.severity, notice.subject) == ("high", "many addresses")
    assert notice.evidence["value"] == 9
    assert not conflicts(take(8), owner=lambda _: CAMERA)
    assert not conflicts(take(9, 10.0), owner=lambda _: CAMERA)
    assert not conflicts(take(30))  # nobody's
    assert not conflicts(take(30), owner=lambda _: LAPTOP)
    theirs = [each._replace(who=CAMERA, time=NOON - 99) for each in take(9)]
    assert conflicts([*theirs, *take(9)])  # by what was claimed before


def test_claims_are_bounded() -> None:
    detector = AddressConflict(replace(home(), owner=lambda _: CAMERA))
    told(detector, [claim(CAMERA, 0)])
    for number in range(20_000):
        address = packed(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
        told(detector, [claim(LAPTOP, number / 1000, address)])
    state = detector._devices.find(LAPTOP)
    assert state is not None
    assert len(state.taken) <= 65
    assert len(detector._addresses) <= 33
    assert SHARED in detector._addresses
    for number in range(1000):
        for each in range(9):
            address = packed(f"10.{number >> 8}.{number & 255}.{each}")
            told(detector, [claim(mac(number), 30, address)])
    assert len(detector._addresses) <= 4096
    detector.forget(LAPTOP)
    assert detector._devices.find(LAPTOP) is None


# Servers


def lease(
    who: str, at: float = 0.0, kind: str = "offer", *, v6: bool = False, server: str = "192.168.0.9"
) -> Leased:
    said = Lease(kind, b"\2\0\0\0\0\x09", (), (), None, (), None, packed(server))
    return Leased(NOON + at, who, said, v6, packed(server), is_own=who == ROUTER)


def advertised(
    who: str, at: float = 0.0, *, lifetime: int | None = 1800, redirect: bool = False
) -> Advertised:
    return Advertised(NOON + at, who, packed("fe80::9"), redirect, lifetime)


def rogues(observations: Iterable[Any], **more: Any) -> list[Notice]:
    asked: dict[str, Any] = {"own": lambda: (ROUTER,)} | more
    return told(RogueDhcp(replace(home(), **asked)), observations)


@pytest.mark.parametrize(
    ("subject", "serve"),
    [
        ("DHCP", lease),
        ("DHCPv6", lambda who, at=0.0: lease(who, at, "advertise", v6=True)),
    ],
)
def test_whoever_serves_beside_the_gateway(subject: str, serve: Any) -> None:
    (notice,) = rogues([serve(ROUTER), serve(LAPTOP, 5.0)])
    assert (notice.severity, notice.mac, notice.subject) == ("high", LAPTOP, subject)
    assert notice.evidence["known"] == ["the gateway"]
    assert notice.fitting_technique == "T1557.003"
    assert "blame" not in notice.evidence
    assert not rogues([serve(ROUTER)] * 5)


def test_whoever_advertises_beside_a_router() -> None:
    (notice,) = rogues([advertised(ROUTER), advertised(LAPTOP, 5.0)])
    assert (notice.severity, notice.mac) == ("high", LAPTOP)
    assert notice.fitting_technique == "T1557", "no DHCP is spoofed"
    assert (notice.evidence["known"], notice.evidence["blame"]) == ([ROUTER], "unknown")


def test_whoever_advertises_where_the_gateways_own_routes_are_known_is_one_too_many() -> None:
    asked: dict[str, Any] = {"routes_ipv6": lambda: True, "is_settling": lambda _: True}
    (notice,) = rogues([advertised(LAPTOP)], **asked)
    assert (notice.severity, notice.evidence["known"]) == ("high", ["the gateway"])
    assert "blame" not in notice.evidence
    assert not rogues([advertised(ROUTER), advertised(PLUG, lifetime=0)], **asked)
    assert rogues([advertised(LAPTOP)])[0].severity == "low"
    assert rogues([lease(LAPTOP, v6=True)], **asked)[0].severity == "low"  # that is another service


def test_a_frame_in_the_gateways_name_does_no_harm_to_the_homes_server() -> None:
    faked = lease(ROUTER, 10.0)._replace(is_own=False)
    (first,) = rogues([lease(PLUG), faked, *(lease(PLUG, at) for at in (20.0, 200.0))])
    assert (first.severity, first.evidence["blame"]) == ("low", "unknown")
    (late,) = rogues([faked, lease(PLUG, 20.0)])
    assert (late.severity, late.evidence["blame"]) == ("high", "unknown")


def test_the_first_server_elsewhere_is_known_and_the_second_is_not() -> None:
    (first,) = rogues([lease(PLUG), lease(PLUG, 300.0), lease(PLUG, 600.0)])
    assert (first.severity, first.mac) == ("low", PLUG)
    notices = rogues([lease(PLUG), lease(LAPTOP, 300.0), lease(PLUG, 600.0)])
    assert [(each.severity, each.mac) for each in notices] == [("low", PLUG), ("high", LAPTOP)]
    assert notices[1].evidence["known"] == ["Plug"]


def test_who_was_first_by_luck_is_told_of_when_the_gateway_speaks() -> None:
    notices = rogues([lease(LAPTOP), lease(ROUTER, 1.0), lease(LAPTOP, 2.0)])
    assert [each.severity for each in notices] == ["low", "high"]


def test_while_all_is_new_two_are_known_but_not_beside_the_gateway() -> None:
    new: dict[str, Any] = {"is_settling": lambda _: True}
    assert [each.severity for each in rogues([lease(PLUG), lease(LAPTOP)], **new)] == ["low"] * 2
    both = rogues([lease(ROUTER), lease(LAPTOP)], **new)
    assert [each.severity for each in both] == ["high"]
    assert not rogues([lease(PLUG)], own=lambda: ())


@pytest.mark.parametrize("kind", ["discover", "request", "decline", "release", "inform"])
def test_what_clients_say_is_no_serving(kind: str) -> None:
    assert not rogues([lease(ROUTER), lease(LAPTOP, kind=kind)])


def test_hubs_of_thread_advertise_no_way_out() -> None:
    hub = [advertised(ROUTER), *(advertised(PLUG, at, lifetime=0) for at in range(0, 900, 100))]
    assert not rogues(hub)
    assert rogues([advertised(ROUTER), advertised(PLUG, lifetime=9)])
    assert rogues([advertised(ROUTER), advertised(PLUG, lifetime=None)])


def test_redirects_of_others() -> None:
    (notice,) = rogues([advertised(LAPTOP, redirect=True, lifetime=None)])
    assert (notice.severity, notice.subject) == ("medium", "redirects")
    assert notice.fitting_technique == "T1557"
    assert not rogues([advertised(ROUTER, redirect=True)])


def test_the_same_server_is_told_once_a_minute() -> None:
    served = [lease(ROUTER), *(lease(LAPTOP, float(at)) for at in range(120))]
    assert len(rogues(served)) == 2


def test_servers_are_bounded() -> None:
    asked = replace(home(), is_settling=lambda _: True, own=lambda: (ROUTER,))
    detector = RogueDhcp(asked)
    told(detector, [lease(mac(number)) for number in range(5000)])
    told(detector, [lease(mac(number), v6=True) for number in range(5000)])
    assert all(len(each) <= 16 for each in detector._known.values())
    told(detector, [lease(ROUTER), *(lease(mac(number)) for number in range(5000))])
    assert len(detector._told) <= 256
    detector.forget(mac(4999))
    assert all(mac(4999) not in each for each in detector._known.values())
