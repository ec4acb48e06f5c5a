"""Who is the device in a capture, which flows it has, and what is sampled of them."""

import ipaddress
import itertools
import struct
from collections.abc import Sequence

import pytest

from hearthwall_sensor.capture.meter import Meter
from hearthwall_sensor.capture.packet import Packet
from hearthwall_sensor.capture.replay import parse_lan
from hearthwall_sensor.flows.flow import Counted, FlowKey, Sample
from tests.unit.captures import address, cooked, ethernet, ip, mac, packets, tcp, udp

CAMERA, TV, ROUTER, OTHER = (f"00:00:5e:00:53:{each}" for each in ("21", "22", "01", "02"))
IP, IP2, GATEWAY, PEER = "192.168.1.21", "192.168.1.22", "192.168.1.1", "203.0.113.9"
COOKED, COOKED2, RAW = 113, 276, 101


class Metered:
    """A capture that was metered to its end."""

    def __init__(self, capture: Sequence[Packet], *lan: str, max_flows: int = 1_000_000) -> None:
        self.samples: list[Sample] = []
        self.meter = Meter(self.samples.append, parse_lan(lan), max_flows=max_flows)
        for packet in capture:
            self.meter.take(packet)
        self.routers = self.meter.finish()

    @property
    def flows(self) -> dict[FlowKey, Counted]:
        flows = self.meter.flows.items()
        return {FlowKey.unpack(key): Counted._make(flow) for key, flow in flows}

    def views(self) -> dict[tuple[str, str, str], tuple[int, int]]:
        """Return packets up and down by MAC, address and peer."""
        return {
            (key.mac.hex(":"), text(key.address), text(key.peer)): (
                flow.upload_packets,
                flow.download_packets,
            )
            for key, flow in self.flows.items()
        }


def text(packed: bytes) -> str:
    found = ipaddress.IPv6Address(packed)
    return str(found.ipv4_mapped or found)


def up(packet: bytes, source: str = CAMERA, destination: str = ROUTER) -> bytes:
    return ethernet(source, destination, packet)


def test_who_is_at_home_is_the_device() -> None:
    there, back = udp(IP, 1000, PEER, 443), udp(PEER, 443, IP, 1000)
    metered = Metered(packets([up(there), ethernet(ROUTER, CAMERA, back), up(there)]))
    assert metered.views() == {(CAMERA, IP, PEER): (2, 1)}
    ((key, flow),) = metered.flows.items()
    assert (key.port, key.peer_port, key.protocol) == (1000, 443, 17)
    assert (flow.upload_bytes, flow.download_bytes) == (2 * len(up(there)), len(up(back)))
    assert (flow.last - flow.first, flow.opener, flow.interface) == (2 * 10**9, 0, 0)


def test_two_devices_have_a_flow_each() -> None:
    metered = Metered(packets([up(udp(IP, 1, IP2, 2), CAMERA, TV)]))
    assert metered.views() == {(CAMERA, IP, IP2): (1, 0), (TV, IP2, IP): (0, 1)}


@pytest.mark.parametrize(
    ("to", "destination"),
    [
        ("ff:ff:ff:ff:ff:ff", "255.255.255.255"),
        ("01:00:5e:00:00:fb", "224.0.0.251"),
        ("ff:ff:ff:ff:ff:ff", "192.168.1.255"),
        (TV, "224.0.0.251"),
        ("01:00:5e:00:00:fb", IP2),
    ],
)
def test_what_is_for_several_is_only_its_senders(to: str, destination: str) -> None:
    metered = Metered(packets([up(udp(IP, 1, destination, 2), CAMERA, to)]))
    assert metered.views() == {(CAMERA, IP, destination): (1, 0)}


def test_a_broadcast_is_known_by_its_prefix_where_no_mac_says_so() -> None:
    capture = packets([udp(IP, 1, "192.168.1.255", 2)], RAW)
    assert len(Metered(capture, "192.168.1.0/24").flows) == 1
    assert len(Metered(capture).flows) == 2


def test_of_two_strangers_the_first_to_send_is_the_device() -> None:
    a, b = "198.51.100.1", "2001:db8::1"
    for first, second in ((a, PEER), (b, "2001:db8::2")):
        there, back = udp(first, 1, second, 2), udp(second, 2, first, 1)
        capture = packets([up(there), ethernet(OTHER, ROUTER, back), up(there)])
        metered = Metered(capture)
        assert metered.views() == {(CAMERA, first, second): (2, 1)}


def test_a_message_without_an_answer_is_its_senders_among_strangers_too() -> None:
    message = ip(PEER, "198.51.100.1", 1, b"\x03\x01" + bytes(30))
    metered = Metered(packets([up(message), up(message)]))
    ((key, flow),) = metered.flows.items()
    assert (key.port, key.peer_port, key.one_way, flow.upload_packets) == (3, 1, 1, 2)


def test_with_prefixes_only_they_are_home() -> None:
    capture = packets([up(udp(IP, 1, "10.1.2.3", 2)), up(udp("fe80::1", 1, "fe80::2", 2))])
    metered = Metered(capture, "192.168.1.0/24")
    assert metered.views() == {
        (CAMERA, IP, "10.1.2.3"): (1, 0),
        (CAMERA, "fe80::1", "fe80::2"): (1, 0),
        (ROUTER, "fe80::2", "fe80::1"): (0, 1),
    }
    assert len(Metered(capture).flows) == 4
    public = packets([up(udp("2001:db8::5", 1, "2001:db8:1::1", 2), CAMERA, ROUTER)])
    assert Metered(public, "2001:db8::/64").views() == {
        (CAMERA, "2001:db8::5", "2001:db8:1::1"): (1, 0)
    }


def test_a_device_without_address_is_no_router() -> None:
    discover = up(udp("0.0.0.0", 68, "255.255.255.255", 67), CAMERA, "ff:ff:ff:ff:ff:ff")
    for lan in ((), ("192.168.1.0/24",)):
        metered = Metered(packets([discover]), *lan)
        assert metered.views() == {(CAMERA, "0.0.0.0", "255.255.255.255"): (1, 0)}
        assert not metered.routers


# Routers


def test_what_a_device_and_its_router_say_is_the_devices() -> None:
    capture = [
        ethernet(ROUTER, CAMERA, udp(PEER, 443, IP, 1000)),
        up(udp(IP, 1000, GATEWAY, 53)),
        ethernet(ROUTER, CAMERA, udp(GATEWAY, 53, IP, 1000)),
        ethernet(ROUTER, "ff:ff:ff:ff:ff:ff", udp(GATEWAY, 1, "192.168.1.255", 2)),
        up(ip(GATEWAY, IP, 1, b"\x03\x01" + bytes(30)), ROUTER, CAMERA),
    ]
    metered = Metered(packets(capture))
    assert metered.routers == {mac(ROUTER)}
    left = {(key.mac, key.protocol, text(key.peer)) for key in metered.flows}
    assert left == {
        (mac(CAMERA), 17, PEER),
        (mac(CAMERA), 17, GATEWAY),
        (mac(CAMERA), 1, GATEWAY),
        (mac(ROUTER), 17, "192.168.1.255"),
    }


def test_what_two_routers_say_stays() -> None:
    capture = [
        ethernet(ROUTER, CAMERA, udp(PEER, 443, IP, 1000)),
        ethernet(OTHER, CAMERA, udp(PEER, 443, IP, 1000)),
        ethernet(ROUTER, OTHER, udp(GATEWAY, 1, "192.168.1.2", 2)),
    ]
    metered = Metered(packets(capture))
    assert (ROUTER, GATEWAY, "192.168.1.2") in metered.views()
    assert (OTHER, "192.168.1.2", GATEWAY) in metered.views()


def test_what_only_the_router_counted_whole_stays() -> None:
    """An address that two MACs have: each of them has a part of what the router sent."""
    capture = [
        ethernet(ROUTER, CAMERA, udp(PEER, 443, IP, 1000)),
        ethernet(ROUTER, CAMERA, udp(GATEWAY, 53, IP, 1000)),
        ethernet(ROUTER, TV, udp(GATEWAY, 53, IP, 1000)),
        ethernet(ROUTER, "ff:ff:ff:ff:ff:ff", udp(GATEWAY, 53, IP, 1000)),
    ]
    views = Metered(packets(capture)).views()
    assert views[ROUTER, GATEWAY, IP] == (3, 0)
    assert views[CAMERA, IP, GATEWAY] == views[TV, IP, GATEWAY] == (0, 1)


def advertisement(prefix: str) -> bytes:
    option = bytes([3, 4, 64, 0xC0]) + bytes(12) + address(prefix)
    return ip("fe80::1", "ff02::1", 58, b"\x86\0\0\0" + bytes(12) + b"\1\1" + bytes(6) + option)


def solicitation(source: str, target: str) -> bytes:
    return ip(source, "ff02::1:ff00:1", 58, b"\x87\0\0\0" + bytes(4) + address(target))


@pytest.mark.parametrize(
    "hint",
    [
        ethernet(ROUTER, "33:33:00:00:00:01", advertisement("2001:db8:5::")),
        ethernet(TV, "33:33:ff:00:00:01", solicitation("fe80::22", "2001:db8:5::21")),
        ethernet(TV, "33:33:ff:00:00:01", solicitation("2001:db8:5::22", "fe80::21")),
    ],
)
def test_a_device_with_a_public_address_is_no_router(hint: bytes) -> None:
    out = up(udp("2001:db8:5::21", 1, "2001:db8:9::9", 443))
    back = ethernet(ROUTER, CAMERA, udp("2001:db8:9::9", 443, "2001:db8:5::21", 1))
    for capture in itertools.permutations([hint, out, back]):
        assert Metered(packets(capture)).routers == {mac(ROUTER)}
    assert Metered(packets([out, back])).routers == {mac(ROUTER), mac(CAMERA)}


def arp(source: str, sender: str, own: str) -> bytes:
    body = bytes.fromhex("0001080006040001") + mac(sender) + address(own) + bytes(10)
    return b"\xff" * 6 + mac(source) + b"\x08\x06" + body


def test_the_addresses_that_a_router_claims_are_the_gateways() -> None:
    capture = [
        ethernet(ROUTER, CAMERA, udp(PEER, 443, IP, 1000)),
        ethernet(ROUTER, CAMERA, udp("192.168.9.9", 443, IP, 1000)),
        arp(ROUTER, ROUTER, GATEWAY),
        arp(ROUTER, CAMERA, "192.168.1.99"),
        arp(CAMERA, CAMERA, IP),
    ]
    metered = Metered(packets(capture))
    assert {text(each) for each in metered.meter.routers.addresses()} == {GATEWAY}


# Links without MACs, or with one


def test_without_macs_devices_are_known_by_address() -> None:
    capture = packets([udp(IP, 1, IP2, 2), udp(IP2, 2, IP, 1), udp(PEER, 5, IP, 6)], RAW)
    metered = Metered(capture)
    none = "00:00:00:00:00:00"
    assert metered.views() == {
        (none, IP, IP2): (1, 1),
        (none, IP2, IP): (1, 1),
        (none, IP, PEER): (0, 1),
    }
    assert not metered.routers


@pytest.mark.parametrize(("link_type", "version"), [(COOKED, 1), (COOKED2, 2)])
def test_a_cooked_capture_learns_who_has_which_address(link_type: int, version: int) -> None:
    dns = bytes(20)
    frames = [
        cooked(ROUTER, udp(PEER, 53, IP, 1000, dns), 4, version),
        cooked(ROUTER, udp(PEER, 53, IP2, 1000, dns), 4, version),
        cooked(CAMERA, udp(IP, 1000, PEER, 53, dns), 0, version),
        cooked(ROUTER, udp(PEER, 53, IP, 1000, dns), 4, version),
        cooked(ROUTER, udp(IP, 1000, PEER, 53, dns), 4, version),  # what the router forwards
    ]
    metered = Metered(packets(frames, link_type))
    none = "00:00:00:00:00:00"
    assert metered.views() == {(CAMERA, IP, PEER): (2, 2), (none, IP2, PEER): (0, 1)}
    told = [(FlowKey.unpack(each.key).mac.hex(":"), each.direction) for each in metered.samples]
    assert told == [(CAMERA, 1), (CAMERA, 0), (CAMERA, 1), (CAMERA, 0), (none, 1)]
    assert all(each.sender == mac(ROUTER) for each in metered.samples if each.direction)
    ((_, flow),) = [each for each in metered.flows.items() if each[0].mac == mac(CAMERA)]
    assert (flow.last - flow.first, flow.opener) == (4 * 10**9, 1)


def test_who_turns_out_to_have_another_mac_is_somebody_else() -> None:
    frames = [
        cooked(CAMERA, udp(IP, 1, PEER, 2)),
        cooked(TV, udp(IP, 1, PEER, 2)),
        cooked(ROUTER, udp(PEER, 2, IP, 1), 4),
    ]
    metered = Metered(packets(frames, COOKED))
    assert metered.views() == {(CAMERA, IP, PEER): (1, 0), (TV, IP, PEER): (1, 1)}


def test_a_capture_of_a_loopback_among_others() -> None:
    frames = [
        cooked("00:00:00:00:00:00", udp("127.0.0.1", 53, "127.0.0.1", 9, b"to")),
        cooked("00:00:00:00:00:00", udp("127.0.0.1", 9, "127.0.0.1", 53, b"back")),
        cooked(None, udp(IP, 53, "127.0.0.1", 9, b"tunnel")),
        cooked(CAMERA, udp(IP, 53, PEER, 9, b"ether")),
    ]
    metered = Metered(packets(frames, COOKED))
    assert (CAMERA, IP, PEER) in metered.views()
    # A device that was met without a MAC gets it with all that it has done
    assert metered.views()[CAMERA, IP, "127.0.0.1"] == (1, 0)
    assert len(metered.samples) == 2 * 3 + 1


def test_samples_that_wait_for_a_mac_are_bounded() -> None:
    frame = cooked(ROUTER, udp(PEER, 53, IP, 1, b"a"), 4)
    capture = packets([frame] * 5000, COOKED)
    waiting = Metered(capture)
    assert len(waiting.samples) == 5000
    assert [each.time for each in waiting.samples[-4096:]] == [each.time for each in capture[:4096]]


# Counting


def test_bytes_are_those_on_the_wire_however_much_was_kept() -> None:
    frame = up(udp(IP, 1, PEER, 53, b"x" * 1000))
    metered = Metered([Packet(1, len(frame), 1, frame[:100])])
    ((_, flow),) = metered.flows.items()
    assert flow.upload_bytes == len(frame)
    (sample,) = metered.samples
    assert (sample.wire_length, sample.data) == (1000, b"x" * 58)


def test_times_may_go_back() -> None:
    capture = packets([up(udp(IP, 1, PEER, 2))] * 3)
    ((_, flow),) = Metered(capture[::-1]).flows.items()
    assert (flow.first, flow.last) == (capture[0].time, capture[2].time)


def test_more_flows_than_fit_are_counted() -> None:
    frames = [up(udp(IP, port, PEER, 443)) for port in range(10)]
    metered = Metered(packets(frames * 2), max_flows=4)
    assert len(metered.flows) == 4
    assert metered.meter.counted == {
        "flows_too_many_packets": 12,
        "flows_too_many_bytes": 12 * len(frames[0]),
    }


def test_what_is_left_out_is_counted() -> None:
    capture = [
        *packets([arp(CAMERA, CAMERA, IP), b"short", mac(TV) + mac(CAMERA) + b"\x88\xcc"]),
        *packets([b"\0" * 40, b""], 147),
    ]
    metered = Metered(capture)
    assert metered.meter.counted == {"not_ip": 2, "too_short": 1, "link_type_147": 2}
    assert metered.meter.others.keys() == {mac(CAMERA)}
    (sample,) = metered.samples
    assert (sample.kind, sample.key, len(sample.data)) == (1, mac(CAMERA) + bytes(38), 28)


def test_every_byte_is_in_a_flow() -> None:
    """One view each, since none of it is between two devices."""
    frames = [
        up(packet)
        for packet in (
            udp(IP, 1, PEER, 2),
            udp("2001:db8::5", 1, "2001:db8::6", 2),
            ip(IP, PEER, 50, bytes(40)),
            ip(IP, PEER, 1, b"\x08\0" + bytes(6)),
            ip("198.51.100.1", PEER, 47, b""),
            tcp((IP, 1, PEER, 2), 2)[:30],
            ip("fd00::1", "2001:db8::1", 0, b""),
            b"\x45" + ip(PEER, "224.0.0.1", 2, bytes(8))[1:],
        )
    ]
    metered = Metered(packets(frames))
    counted = sum(flow.upload_bytes + flow.download_bytes for flow in metered.flows.values())
    assert counted == sum(map(len, frames))


def test_a_new_connection_on_old_ports_is_sampled_anew() -> None:
    ends = (IP, 1000, PEER, 80)
    request = b"GET / HTTP/1.1\r\n"
    frames = [
        up(tcp(ends, 0x02, 100)),
        up(tcp(ends, 0x18, 101, request)),
        up(tcp(ends, 0x18, 101 + 5000, b"later")),
        up(tcp(ends, 0x11, 101 + 5005)),
        up(tcp(ends, 0x02, 0xFFFFFFFF)),
        up(tcp(ends, 0x18, 0, request)),
    ]
    metered = Metered(packets(frames))
    assert [(each.offset, each.data) for each in metered.samples] == [(0, request)] * 2
    ((_, flow),) = metered.flows.items()
    assert (flow.upload_packets, flow.upload_flags, flow.upload_window) == (6, 0x1A, 2048)


def test_a_capture_joined_from_several_interfaces_is_one_home() -> None:
    capture = [
        *packets([up(udp(IP, 1, PEER, 2))]),
        *packets(
            [cooked(CAMERA, udp(IP, 1, PEER, 2)), cooked(ROUTER, udp(PEER, 2, IP, 1), 4)], COOKED
        ),
    ]
    assert Metered(capture).views() == {(CAMERA, IP, PEER): (2, 1)}


def test_an_unfinished_option_of_an_advertisement_is_passed_over() -> None:
    for option in (b"", b"\3", b"\3\0", b"\3\4\x40", struct.pack(">BB", 3, 255)):
        frame = ip("fe80::1", "ff02::1", 58, b"\x86\0\0\0" + bytes(12) + option)
        assert not Metered(packets([up(frame, ROUTER, "33:33:00:00:00:01")])).routers
