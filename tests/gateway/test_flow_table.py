"""What the kernel counts as a flow, and its table: real programs, attached to nothing, over single frames."""

import ipaddress
import os
import struct
import threading
from collections.abc import Iterator

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, IPv6, IPv6ExtHdrFragment
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.layers.sctp import SCTP
from scapy.packet import Packet, Raw

from hearthwall_sensor.flows.flow import (
    DOWNLOAD,
    ICMP as ICMPV4,
    ICMPV6,
    TCP as TCP_NUMBER,
    UPLOAD,
    FlowKey,
)
from hearthwall_sensor.kernel.flow_table import FlowTable
from hearthwall_sensor.kernel.layouts import Counters, Entry
from hearthwall_sensor.notation import boot_ns, mapped
from hearthwall_sensor.targets import Target
from tests.gateway.meter import (
    DEVICE,
    DEVICE6,
    DOWN,
    DOWN4,
    DOWN6,
    GATEWAY_MAC,
    MAC,
    PEER,
    PEER6,
    UP,
    UP4,
    UP6,
    Meter,
    on_cpu,
)

pytestmark = pytest.mark.lab

PROMISED = 65_536
MAC_BYTES = bytes.fromhex(MAC.replace(":", ""))
#: Question → answer; the rest go one way.
PAIRS = {
    4: {8: 0, 13: 14, 15: 16, 17: 18, 10: 9},
    6: {128: 129, 133: 134, 135: 136, 130: 131, 139: 140, 144: 145},
}


def key(port: int, peer_port: int, protocol: int, *, one_way: int = 0, version: int = 4) -> FlowKey:
    address, peer = (DEVICE, PEER) if version == 4 else (DEVICE6, PEER6)
    ends = (mapped(ipaddress.ip_address(each)) for each in (address, peer))
    return FlowKey(MAC_BYTES, port, peer_port, protocol, one_way, *ends)


# What is one flow


@pytest.mark.parametrize(
    ("up", "down", "version"),
    [(UP4, DOWN4, 4), (UP6, DOWN6, 6)],
)
@pytest.mark.parametrize(("transport", "protocol"), [(TCP, 6), (UDP, 17), (SCTP, 132)])
def test_both_directions_are_one_flow_of_the_device(
    meter: Meter, up: Packet, down: Packet, version: int, transport: type[Packet], protocol: int
) -> None:
    question = up / transport(sport=40000, dport=443) / Raw(b"x" * 100)
    answer = down / transport(sport=443, dport=40000) / Raw(b"y" * 700)
    before = boot_ns()
    meter.up(question, question)
    meter.down(answer)
    found, counted = meter.flow()
    assert found == key(40000, 443, protocol, version=version)
    assert (counted.upload_packets, counted.download_packets) == (2, 1)
    assert counted.upload_bytes == 2 * len(question)
    assert counted.download_bytes == len(answer)
    assert before < counted.first <= counted.last < boot_ns()
    assert counted.interface == 1  # test runs are on loopback
    assert found.pack() in dict(meter.table.read())


def test_who_comes_first_is_known(meter: Meter) -> None:
    meter.up(UP4 / UDP(sport=1, dport=2))
    meter.down(DOWN4 / UDP(sport=443, dport=40000))
    flows = meter.flows()
    assert flows[key(1, 2, 17)].opener == UPLOAD
    assert flows[key(40000, 443, 17)].opener == DOWNLOAD


@pytest.mark.parametrize(
    "tags",
    [[Dot1Q(vlan=7)], [Dot1Q(vlan=7), Dot1Q(vlan=8)]],
)
def test_tags_are_weighed_and_make_no_other_flow(meter: Meter, tags: list[Packet]) -> None:
    plain = UP4 / UDP(sport=40000, dport=443) / Raw(b"x" * 60)
    tagged = UP
    for tag in tags:
        tagged = tagged / tag.copy()
    tagged = tagged / plain[IP].copy()
    meter.up(plain, tagged)
    found, counted = meter.flow()
    assert found == key(40000, 443, 17)
    assert counted.upload_bytes == 2 * len(plain) + 4 * len(tags)
    assert [each.data for each in meter.samples()] == [b"x" * 60] * 2


def test_later_fragments_are_a_flow_without_ports_and_say_nothing(meter: Meter) -> None:
    whole = UP4 / UDP(sport=40000, dport=443) / Raw(b"x" * 40)
    data = bytes(whole[UDP])
    ends = {"src": DEVICE, "dst": PEER, "proto": 17, "id": 9}
    meter.up(UP / IP(**ends, flags="MF") / Raw(data[:24]), UP / IP(**ends, frag=3) / Raw(data[24:]))
    flows = meter.flows()
    assert set(flows) == {key(40000, 443, 17), key(0, 0, 17)}
    assert [each.data for each in meter.samples()] == [b"x" * 16]
    assert flows[key(0, 0, 17)].upload_window == 0


def test_fragments_of_ipv6_as_well(meter: Meter) -> None:
    data = bytes((UP6 / UDP(sport=40000, dport=443) / Raw(b"x" * 40))[UDP])
    first = UP6 / IPv6ExtHdrFragment(nh=17, offset=0, m=1, id=9) / Raw(data[:24])
    later = UP6 / IPv6ExtHdrFragment(nh=17, offset=3, m=0, id=9) / Raw(data[24:])
    meter.up(first, later)
    assert set(meter.flows()) == {key(40000, 443, 17, version=6), key(0, 0, 17, version=6)}
    assert [each.data for each in meter.samples()] == [b"x" * 16]


def test_a_later_fragment_of_tcp_or_icmp_is_no_segment_and_no_type(meter: Meter) -> None:
    for protocol in (6, 1):
        meter.up(UP / IP(src=DEVICE, dst=PEER, proto=protocol, frag=3) / Raw(b"\x08" * 40))
    flows = meter.flows()
    assert set(flows) == {key(0, 0, 6), key(0, 0, 1)}
    assert {
        (each.upload_start, each.upload_window, each.upload_flags) for each in flows.values()
    } == {(0, 0, 0)}


def test_other_protocols_have_no_ports(meter: Meter) -> None:
    meter.up(UP / IP(src=DEVICE, dst=PEER, proto=47) / Raw(b"\1\2\3\4\5\6"))
    meter.down(DOWN / IP(src=PEER, dst=DEVICE, proto=47) / Raw(b"\6\5\4\3\2\1"))
    found, counted = meter.flow()
    assert found == key(0, 0, 47)
    assert (counted.upload_packets, counted.download_packets) == (1, 1)


# ICMP


@pytest.mark.parametrize("version", [4, 6])
def test_every_type_of_icmp_is_a_question_an_answer_or_goes_one_way(
    meter: Meter, version: int
) -> None:
    pairs = PAIRS[version] | {answer: asked for asked, answer in PAIRS[version].items()}
    protocol = ICMPV4 if version == 4 else ICMPV6
    up, down = (UP4, DOWN4) if version == 4 else (UP6, DOWN6)
    ends = {"proto": 1} if version == 4 else {"nh": 58}
    for frame in (up.copy(), down.copy()):
        for name, value in ends.items():
            setattr(frame[IP if version == 4 else IPv6], name, value)
        run = meter.up if frame.src == MAC else meter.down
        run(*(frame / Raw(bytes([kind, 3, 0, 0, 0, 0, 0, 0])) for kind in range(256)))
    expected = set()
    for kind in range(256):
        if kind in pairs:
            expected |= {
                key(kind, pairs[kind], protocol, version=version),
                key(pairs[kind], kind, protocol, version=version),
            }
        else:
            expected |= {
                key(kind, 3, protocol, one_way=1, version=version),
                key(3, kind, protocol, one_way=2, version=version),
            }
    assert set(meter.flows()) == expected


def test_a_ping_and_its_answer_are_one_flow(meter: Meter) -> None:
    meter.up(UP4 / ICMP(type=8), UP6 / ICMPv6EchoRequest())
    meter.down(DOWN4 / ICMP(type=0), DOWN6 / ICMPv6EchoReply())
    flows = meter.flows()
    assert set(flows) == {key(8, 0, 1), key(128, 129, 58, version=6)}
    assert all((each.upload_packets, each.download_packets) == (1, 1) for each in flows.values())


def test_icmp_of_the_other_family_is_a_protocol_like_any_other(meter: Meter) -> None:
    meter.up(
        UP / IP(src=DEVICE, dst=PEER, proto=58) / Raw(bytes([128] * 8)),
        UP / IPv6(src=DEVICE6, dst=PEER6, nh=1) / Raw(bytes([8] * 8)),
    )
    assert set(meter.flows()) == {key(0, 0, 58), key(0, 0, 1, version=6)}


# TCP


def segment(flags: str, *, sequence: int = 1000, data: bytes = b"", upload: bool = True) -> Packet:
    ports = {"sport": 40000, "dport": 8000} if upload else {"sport": 8000, "dport": 40000}
    return (UP4 if upload else DOWN4) / TCP(**ports, flags=flags, seq=sequence) / Raw(data)


def test_flags_are_gathered_for_each_direction(meter: Meter) -> None:
    meter.up(segment("S"))
    meter.down(segment("SA", upload=False))
    meter.up(segment("A"), segment("PA", data=b"x"), segment("FA"))
    _, counted = meter.flow()
    assert counted.upload_flags == 0x02 | 0x10 | 0x08 | 0x01
    assert counted.download_flags == 0x12
    assert (counted.upload_start, counted.download_start) == (1001, 1001)


def test_who_opens_a_connection_is_who_sends_the_syn(meter: Meter) -> None:
    meter.up(segment("A"))
    meter.down(segment("S", upload=False))
    assert meter.flow()[1].opener == DOWNLOAD
    meter.up(segment("SA"))
    assert meter.flow()[1].opener == DOWNLOAD


@pytest.mark.parametrize("end", ["F", "R"])
@pytest.mark.parametrize("ended_by_device", [True, False])
def test_a_port_that_is_used_again_begins_anew_and_what_was_counted_stays(
    meter: Meter, end: str, ended_by_device: bool
) -> None:
    meter.up(segment("S"), segment("PA", sequence=1001, data=b"GET / HTTP/1.1\r\n"))
    meter.down(segment("A", upload=False))
    (meter.up if ended_by_device else meter.down)(segment(end + "A", upload=ended_by_device))
    before = meter.flow()[1]
    meter.up(segment("S", sequence=5000))
    _, counted = meter.flow()
    assert (counted.upload_start, counted.upload_window) == (5001, 4096)
    assert (counted.upload_sampled, counted.upload_flags) == (0, 2)
    assert (counted.download_start, counted.download_window, counted.download_flags) == (0, 0, 0)
    assert counted.upload_packets == before.upload_packets + 1
    assert counted.first == before.first
    meter.samples()
    meter.up(segment("PA", sequence=5001, data=b"GET /again"))
    (sample,) = meter.samples()
    assert (sample.offset, sample.data) == (0, b"GET /again")


def test_a_syn_that_is_sent_again_begins_nothing_anew(meter: Meter) -> None:
    meter.up(segment("S"), segment("PA", sequence=1001, data=b"GET / HTTP"), segment("S"))
    _, counted = meter.flow()
    assert (counted.upload_sampled, counted.upload_flags) == (1, 0x1A)


def test_a_header_that_is_cut_off_or_too_short_has_no_segment(meter: Meter) -> None:
    short = bytes(segment("S"))
    meter.up(short[: 14 + 20 + 12])
    nonsense = bytearray(bytes(segment("PA", data=b"x" * 30)))
    nonsense[14 + 20 + 12] = 0x40
    meter.up(bytes(nonsense))
    found, counted = meter.flow()
    assert found == key(40000, 8000, TCP_NUMBER)
    assert (counted.upload_start, counted.upload_window, counted.upload_sampled) == (0, 0, 0)
    assert counted.upload_packets == 2
    assert meter.samples() == []


# What is weighed


def test_a_super_packet_weighs_what_is_on_the_wire(meter: Meter) -> None:
    frame = segment("A", data=bytes(3000))
    meter.up(frame, segment=1000)
    meter.down(segment("A", data=bytes(3000), upload=False), segment=1000)
    _, counted = meter.flow()
    assert counted.upload_packets == counted.download_packets == 3
    assert counted.upload_bytes == counted.download_bytes == 3000 + 3 * 54


def test_options_and_extension_headers_are_seen_through(meter: Meter) -> None:
    options = IP(src=DEVICE, dst=PEER, options=[IPOption(b"\x94\x04\0\0")])
    meter.up(UP / options / UDP(sport=40000, dport=443) / Raw(b"abc"))
    assert meter.flow()[0] == key(40000, 443, 17)
    assert [each.data for each in meter.samples()] == [b"abc"]


# What is no flow


def test_a_device_begins_with_its_first_upload(meter: Meter) -> None:
    stranger = (
        Ether(src=GATEWAY_MAC, dst="00:00:5e:00:53:99")
        / DOWN4[IP].copy()
        / UDP(sport=53, dport=9)
        / Raw(b"x")
    )
    meter.down(stranger)
    assert meter.flows() == {}
    assert meter.samples() == []


def test_groups_have_no_flows_and_what_is_sent_to_them_is_its_senders(meter: Meter) -> None:
    group = (
        Ether(src=MAC, dst="01:00:5e:00:00:fb")
        / IP(src=DEVICE, dst="224.0.0.251")
        / UDP(sport=5353, dport=5353)
        / Raw(b"x")
    )
    meter.down(group)
    assert meter.flows() == {}
    meter.up(group)
    assert meter.flow()[0].mac == MAC_BYTES
    assert len(meter.samples()) == 1
    from_group = Ether(src="01:00:5e:00:00:01", dst=GATEWAY_MAC) / UP4[IP].copy() / UDP()
    meter.up(from_group)
    assert len(meter.flows()) == 1


def test_frames_without_addresses_are_no_flow(meter: Meter) -> None:
    meter.up(Ether(src=MAC, dst=GATEWAY_MAC, type=0x88B5) / Raw(bytes(60)), UP / ARP())
    assert meter.flows() == {}


@pytest.mark.parametrize("program", ["wan_ingress", "wan_egress"])
def test_the_internets_side_has_no_flows(meter: Meter, program: str) -> None:
    assert meter.meet(program, UP4 / UDP(sport=40000, dport=53) / Raw(b"x" * 40)) == "pass"
    assert meter.flows() == {}
    assert meter.samples() == []


def test_what_is_dropped_is_no_flow_and_what_a_rule_lets_pass_is(meter: Meter) -> None:
    target = Target("mac", MAC)
    meter.tables.put_rule(target, Entry(1, 2, 0, 0, Counters()))
    meter.tables.set_sizes({"mac": 1})
    try:
        out = UP4 / UDP(sport=40000, dport=53) / Raw(b"x" * 40)
        assert meter.meet("meter_ingress", out) == "drop"
        assert meter.flows() == {}
        assert meter.samples() == []
        at_home = UP / IP(src=DEVICE, dst="192.168.20.1") / UDP(sport=40000, dport=53) / Raw(b"x")
        meter.up(at_home)
        assert len(meter.flows()) == len(meter.samples()) == 1
    finally:
        meter.tables.delete_rule(target)
        meter.tables.set_sizes({})


# The table


def many(count: int, start: int = 0) -> Iterator[bytes]:
    """Yield frames of so many flows."""
    frame = bytearray(bytes(UP4 / UDP(sport=40000, dport=9)))
    for number in range(start, start + count):
        struct.pack_into("!I", frame, 14 + 16, 0xC6120000 | number & 0x1FFFF)
        struct.pack_into("!H", frame, 14 + 22, 9 + (number >> 17))
        yield bytes(frame)


def test_as_many_as_promised_are_there_and_what_gives_way_is_counted(meter: Meter) -> None:
    created = meter.statistic("flows_created")
    table, evicted = meter.table, meter.table.evicted
    cpus = sorted(os.sched_getaffinity(0))
    for share, cpu in enumerate(cpus):
        with on_cpu(cpu):
            size = PROMISED // len(cpus)
            meter.up(*many(size, share * size))
    there = PROMISED // len(cpus) * len(cpus)
    assert len(dict(table.read())) == table.present == there
    assert meter.statistic("flows_created") - created == there
    assert table.evicted == evicted == 0
    meter.up(*many(40_000, PROMISED))
    keys = {each for each, _ in table.read()}
    assert table.present == len(keys) >= PROMISED
    assert table.evicted == there + 40_000 - table.present > 0
    newest = FlowKey.unpack(max(keys, key=lambda each: FlowKey.unpack(each).peer))
    assert newest.peer == mapped(ipaddress.IPv4Address(0xC6120000 | there + 40_000 - 1))
    assert table.delete(list(keys)) == len(keys)
    assert sum(1 for _ in table.read()) == table.present == 0
    assert table.evicted == there + 40_000 - len(keys)


def test_what_the_last_process_deleted_is_not_taken_for_evicted(meter: Meter) -> None:
    meter.up(*many(100))
    meter.table.delete([each for each, _ in meter.table.read()][:60])
    again = FlowTable(meter.tables)
    assert again.present == 40
    meter.up(*many(50, 1000))
    assert len(list(again.read())) == again.present == 90
    assert (again.evicted, again.deleted) == (0, 0)


def test_batches_read_what_is_read_one_by_one(
    meter: Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter.up(*many(10_000))
    table = meter.tables.map("flows")
    with monkeypatch.context() as patched:
        patched.setattr(table, "blocks", lambda _: table._singles())
        singly = list(meter.table.read())
        assert meter.table.present == 10_000
    batches = list(meter.table.read())
    assert len(batches) == 10_000
    assert dict(batches) == dict(singly)
    assert list(meter.table.times()) == [(key, counted[:2]) for key, counted in batches]
    some, counted = batches[5000]
    assert table.get(some) == struct.pack("<QQQQIHBBQQIHBBIB3x", *counted)


def test_a_look_finds_what_moved_and_what_did_not_for_long(
    meter: Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter.up(*many(10_000))
    flows = sorted(meter.table.read(), key=lambda each: each[1][1])
    since, until = flows[9_000][1][1], flows[500][1][1]
    table = meter.tables.map("flows")
    for singly in (False, True):
        if singly:
            monkeypatch.setattr(table, "blocks", lambda _: table._singles())
        found = list(meter.table.moved(since, until))
        moved = dict(each for block, _ in found for each in block)
        assert moved == {key: counted for key, counted in flows if counted[1] > since} != {}
        old = [key for _, block in found for key in block]
        assert sorted(old) == sorted(key for key, counted in flows if counted[1] <= until) != []
        assert meter.table.present == 10_000


def test_what_is_not_there_any_more_does_not_keep_the_rest_from_being_deleted(meter: Meter) -> None:
    before = meter.table.deleted
    meter.up(*many(30))
    keys = [each for each, _ in meter.table.read()]
    assert meter.table.delete(keys[:3] + keys[10:12]) == 5
    assert meter.table.delete(keys) == 25
    assert meter.table.delete(keys[:1]) == 0
    assert meter.table.delete([]) == 0
    assert meter.table.deleted - before == 30
    assert meter.flows() == {}


def test_nothing_is_lost_where_two_cpus_meet(meter: Meter) -> None:
    frame, repeat = bytes(UP4 / UDP(sport=40000, dport=9)), 2_000_000
    program = meter.programs.benches["meter_ingress"]._program
    cpus = sorted(os.sched_getaffinity(0))[:2]
    if len(cpus) < 2:
        pytest.skip("needs two CPUs")

    meet = threading.Barrier(len(cpus))

    def run(cpu: int) -> None:
        with on_cpu(cpu):
            meet.wait()
            program.run(frame, repeat)

    threads = [threading.Thread(target=run, args=[cpu]) for cpu in cpus]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _, counted = meter.flow()
    assert counted.upload_packets == 2 * repeat
    assert counted.upload_bytes == 2 * repeat * len(frame)
