"""Which packets are copied for the sensor, and how much of them: real programs over single frames."""

import ipaddress
import os
import random
import select
import subprocess
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_RA,
    ICMPv6ND_Redirect,
    ICMPv6ND_RS,
    ICMPv6Unknown,
)
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Packet, Raw

from hearthwall_sensor.flows.flow import (
    DOWNLOAD,
    SAMPLE_ARP,
    SAMPLE_BYTES,
    SAMPLE_ND,
    SAMPLE_PAYLOAD,
    UPLOAD,
    FlowKey,
)
from hearthwall_sensor.kernel import loader
from hearthwall_sensor.notation import boot_ns, mapped
from tests.gateway.meter import (
    DEVICE,
    DOWN,
    DOWN4,
    DOWN6,
    GATEWAY_MAC,
    MAC,
    PEER,
    UP,
    UP4,
    UP6,
    Meter,
    on_cpu,
)

pytestmark = pytest.mark.lab

PYTHON = "/usr/bin/python3"
BPF = str(Path(loader.__file__).resolve().parents[2])
#: Sends a packet over the loopback interface of a network of its own.
SENDER = """
import random, socket, subprocess, sys
sys.path.insert(0, sys.argv[1])
from hearthwall_sensor.kernel.attachment import TC_INGRESS, Classifier
from hearthwall_sensor.kernel.libbpf import Program
size = int(sys.argv[3])
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
Classifier(1, TC_INGRESS).attach(Program.pinned(sys.argv[2]))
data = random.Random(size).randbytes(size)
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(data, ("127.0.0.1", 5353))
"""
MAC_BYTES = bytes.fromhex(MAC.replace(":", ""))
TELLING = (53, 5353, 5355, 67, 68, 546, 547, 1900)
HTTP_WORDS = (
    b"GET /", b"POST ", b"PUT /", b"HEAD ", b"OPTIO", b"DELET", b"PATCH", b"CONNE", b"NOTIF",
    b"M-SEA", b"HTTP/",
)  # fmt: skip
ISN = 0xFFFFF000  # the numbers come round within the first packets
LONG = b"\xc3\0\0\0\1" + bytes(1200)
SHORT = b"\x43" + bytes(60)


def datagram(
    data: bytes, *, port: int = 40000, peer_port: int = 4433, upload: bool = True
) -> Packet:
    if upload:
        return UP4 / UDP(sport=port, dport=peer_port) / Raw(data)
    return DOWN4 / UDP(sport=peer_port, dport=port) / Raw(data)


class Connection:
    """A TCP connection of the device: what each end has sent so far."""

    def __init__(self, meter: Meter, peer_port: int = 443, *, syn: bool = True) -> None:
        self.meter = meter
        self.peer_port = peer_port
        self.sequences = [ISN, 77]
        if syn:
            self.send(b"", flags="S")
            self.send(b"", DOWNLOAD, flags="SA")

    def send(
        self, data: bytes, direction: int = UPLOAD, *, flags: str = "PA", again: bool = False
    ) -> None:
        """Send a segment, or the data anew from the stream's beginning."""
        at = self.sequences[direction]
        ports = (40000, self.peer_port) if direction == UPLOAD else (self.peer_port, 40000)
        frame = (
            (UP4, DOWN4)[direction]
            / TCP(sport=ports[0], dport=ports[1], flags=flags, seq=at)
            / Raw(data)
        )
        (self.meter.up, self.meter.down)[direction](frame)
        self.sequences[direction] = (at + len(data) + ("S" in flags)) % 2**32

    def segments(self, data: bytes, size: int, direction: int = UPLOAD) -> None:
        for at in range(0, len(data), size):
            self.send(data[at : at + size], direction)

    def window(self, direction: int = UPLOAD) -> int:
        _, counted = self.meter.flow()
        return counted.download_window if direction else counted.upload_window


def hello(length: int) -> bytes:
    """Return a record with a ClientHello of so many bytes."""
    body = b"\x01" + length.to_bytes(3) + random.Random(length).randbytes(length)
    return b"\x16\x03\x01" + min(len(body), 0xFFFF).to_bytes(2) + body


def pieces(meter: Meter, direction: int = UPLOAD) -> list[tuple[int, int]]:
    """Take the samples; return where they stand in the stream, and how long they are."""
    return [
        (each.offset, len(each.data)) for each in meter.samples() if each.direction == direction
    ]


# What a sample says


def test_a_sample_says_when_who_where_and_what(meter: Meter) -> None:
    meter.up(datagram(b"question", peer_port=53))
    before = boot_ns()
    meter.down(datagram(b"answer", peer_port=53, upload=False))
    question, answer = meter.samples()
    key = FlowKey.unpack(answer.key)
    assert question.key == answer.key == meter.flow()[0].pack()
    assert (key.mac, key.port, key.peer_port) == (MAC_BYTES, 40000, 53)
    assert key.peer == mapped(ipaddress.ip_address(PEER))
    assert before < answer.time < boot_ns()
    assert (question.direction, answer.direction) == (UPLOAD, DOWNLOAD)
    assert answer.sender == bytes.fromhex(GATEWAY_MAC.replace(":", ""))
    assert (answer.interface, answer.offset, answer.kind) == (0, 0, SAMPLE_PAYLOAD)
    assert (answer.data, answer.wire_length) == (b"answer", 6)


@pytest.mark.parametrize("size", [SAMPLE_BYTES - 1, SAMPLE_BYTES, SAMPLE_BYTES + 1, 60_000])
def test_no_more_than_its_bound_is_copied(meter: Meter, size: int) -> None:
    """Over a real interface: test runs take frames of a page at most."""
    program = str(meter.directory / "meter_ingress")
    subprocess.run(["unshare", "-n", PYTHON, "-c", SENDER, BPF, program, str(size)], check=True)
    (sample,) = meter.samples()
    assert sample.data == random.Random(size).randbytes(size)[:SAMPLE_BYTES]
    assert (sample.wire_length, sample.interface) == (size, 1)


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("transport", [UDP, TCP])
def test_padding_is_no_payload(meter: Meter, family: int, transport: type[Packet]) -> None:
    ports = {"sport": 40000, "dport": 53} | ({"flags": "A"} if transport is TCP else {})
    head = (UP4 if family == 4 else UP6) / transport(**ports)
    meter.up(bytes(head).ljust(100, b"\xaa"))
    assert meter.samples() == []
    meter.up(bytes(head / Raw(b"xy")).ljust(100, b"\xaa"))
    (sample,) = meter.samples()
    assert (sample.data, sample.wire_length) == (b"xy", 2)


def test_a_super_packet_that_leaves_out_its_length_reaches_to_its_end(meter: Meter) -> None:
    frame = bytearray(bytes(UP4 / TCP(sport=40000, dport=443, flags="A", seq=9) / Raw(b"x" * 3000)))
    frame[16:18] = b"\0\0"
    meter.up(bytes(frame), segment=1000)
    (sample,) = meter.samples()
    assert (sample.wire_length, sample.data) == (3000, b"x" * 3000)
    frame6 = bytearray(
        bytes(UP6 / TCP(sport=40000, dport=443, flags="A", seq=9) / Raw(b"y" * 3000))
    )
    frame6[18:20] = b"\0\0"
    meter.up(bytes(frame6), segment=1000)
    (sample,) = meter.samples()
    assert sample.data == b"y" * 3000


def test_a_length_beyond_the_frame_is_not_believed(meter: Meter) -> None:
    frame = bytearray(bytes(datagram(b"short", peer_port=53)))
    frame[16:18] = b"\xff\xff"
    meter.up(bytes(frame))
    (sample,) = meter.samples()
    assert sample.data == b"short"


def test_nothing_is_copied_if_nothing_is_wanted(meter: Meter) -> None:
    meter.tables.watch_names(resolved=False, sample=False)
    meter.up(datagram(b"x", peer_port=53), UP / ARP(), UP6 / ICMPv6ND_NS())
    Connection(meter).send(hello(200))
    assert meter.samples() == []
    assert len(meter.flows()) == 3


# ARP and ND


def test_arp_is_copied_as_a_device_says_it(meter: Meter) -> None:
    request = ARP(op=1, hwsrc=MAC, psrc=DEVICE, pdst="192.168.20.1")
    group = Ether(src=MAC, dst="ff:ff:ff:ff:ff:ff")
    meter.up(
        group / request, group / Dot1Q(vlan=5) / request, bytes(group / request).ljust(60, b"\0")
    )
    samples = meter.samples()
    assert [each.data[:28] for each in samples] == [bytes(request)] * 3
    assert {each.kind for each in samples} == {SAMPLE_ARP}
    assert {each.key for each in samples} == {MAC_BYTES.ljust(44, b"\0")}
    assert {each.sender for each in samples} == {MAC_BYTES}
    meter.down(DOWN / ARP(op=2))
    meter.up(Ether(src=MAC, dst=GATEWAY_MAC, type=0x88B5) / Raw(bytes(60)))
    assert meter.samples() == []


@pytest.mark.parametrize(
    "message", [ICMPv6ND_RS(), ICMPv6ND_RA(), ICMPv6ND_NS(), ICMPv6ND_NA(), ICMPv6ND_Redirect()]
)
def test_neighbour_discovery_is_copied_as_a_device_says_it(meter: Meter, message: Packet) -> None:
    frame = UP6 / message
    meter.up(frame)
    (sample,) = meter.samples()
    assert sample.kind == SAMPLE_ND
    assert sample.data == bytes(frame)[14 + 40 :]
    assert FlowKey.unpack(sample.key).protocol == 58
    meter.down(DOWN6 / message)
    assert meter.samples() == []


def test_other_icmp_is_not(meter: Meter) -> None:
    meter.up(
        *(
            UP6 / ICMPv6Unknown(type=kind, msgbody=b"x" * 20)
            for kind in (*range(133), *range(138, 256))
        )
    )
    meter.up(
        UP4 / ICMP(type=8) / Raw(b"x" * 40),
        UP / IP(src=DEVICE, dst=PEER, proto=58) / Raw(b"\x87" * 30),
    )
    assert meter.samples() == []


# UDP


@pytest.mark.parametrize("port", TELLING)
def test_what_tells_who_is_who_is_copied_always(meter: Meter, port: int) -> None:
    for upload, run in ((True, meter.up), (False, meter.down)):
        run(*(datagram(b"x" * 20, peer_port=port, upload=upload) for _ in range(10)))
        run(*(datagram(b"x" * 20, port=port, peer_port=9, upload=upload) for _ in range(10)))
        assert len(meter.samples()) == 20
    for counted in meter.flows().values():
        assert (counted.upload_sampled, counted.upload_window) == (10, 0)


def test_the_number_of_samples_stops_growing_and_samples_do_not(meter: Meter) -> None:
    for _ in range(3):
        meter.up(*(datagram(b"x" * 20, peer_port=53) for _ in range(100)))
        assert len(meter.samples()) == 100
    assert meter.flow()[1].upload_sampled == 255


@pytest.mark.parametrize(
    ("first", "allowance"),
    [(LONG, 6), (SHORT, 2), (b"\x80" + bytes(9), 2)],
    ids=["long header", "short header", "neither"],
)
@pytest.mark.parametrize("upload", [True, False])
def test_of_other_udp_the_first_packets_with_payload(
    meter: Meter, first: bytes, allowance: int, upload: bool
) -> None:
    meter.up(datagram(b""), datagram(b""))
    run = meter.up if upload else meter.down
    run(*(datagram(each, upload=upload) for each in (first, b"", LONG, b"", *[SHORT] * 10)))
    samples = meter.samples()
    assert [each.data for each in samples] == [first, LONG, *[SHORT] * 4][:allowance]
    _, counted = meter.flow()
    mine = (counted.upload_window, counted.upload_sampled)
    other = (counted.download_window, counted.download_sampled)
    assert (mine, other) == (
        ((allowance, allowance), (0, 0)) if upload else ((0, 0), (allowance, allowance))
    )


# TCP


@pytest.mark.parametrize("size", [200, 512, 3000, 20_000])
@pytest.mark.parametrize("syn", [True, False])
def test_a_hello_is_copied_whole_as_far_as_it_goes(meter: Meter, size: int, syn: bool) -> None:
    connection = Connection(meter, syn=syn)
    sent = hello(size) + bytes(20_000)
    connection.segments(sent, 1400)
    window = min(9 + size + 64, 16384)
    samples = meter.samples()
    assert connection.window() == window
    assert [each.offset for each in samples] == list(range(0, window, 1400))
    assert b"".join(each.data for each in samples) == sent[: len(samples) * 1400]


def test_the_answer_to_a_hello_is_its_first_packet(meter: Meter) -> None:
    connection = Connection(meter)
    connection.send(hello(300))
    connection.segments(b"\x16\x03\x03\0\x7a\x02" + bytes(5000), 1400, DOWNLOAD)
    assert pieces(meter, DOWNLOAD) == [(0, 1400)]
    assert connection.window(DOWNLOAD) == 1


def test_a_hello_in_tiny_pieces(meter: Meter) -> None:
    connection = Connection(meter)
    sent = hello(300)
    connection.segments(sent[:5], 1)
    assert connection.window() == 4096  # the first piece did not say
    connection.segments(sent[5:], 40)
    found = meter.samples()
    assert b"".join(each.data for each in found) == sent
    assert [each.offset for each in found] == [*range(5), *range(5, 309, 40)]
    assert connection.meter.flow()[1].upload_sampled == 13


def test_no_connection_is_copied_for_ever(meter: Meter) -> None:
    connection = Connection(meter)
    connection.segments(hello(10_000), 9)
    assert pieces(meter) == [(at, 9) for at in range(0, 16 * 9, 9)]
    assert meter.flow()[1].upload_sampled == 16


def test_what_is_sent_out_of_order_is_copied_where_it_belongs(meter: Meter) -> None:
    connection = Connection(meter)
    sent = hello(2000)
    begin = connection.sequences[UPLOAD]
    for at in (1400, 0):
        connection.sequences[UPLOAD] = (begin + at) % 2**32
        connection.send(sent[at : at + 1400])
    connection.sequences[UPLOAD] = (begin - 1) % 2**32
    connection.send(b"\0")  # as keepalives are: before all else
    assert pieces(meter) == [(1400, 609), (0, 1400)]


@pytest.mark.parametrize("word", HTTP_WORDS)
@pytest.mark.parametrize("direction", [UPLOAD, DOWNLOAD])
def test_of_http_the_first_two_kilobytes(meter: Meter, word: bytes, direction: int) -> None:
    connection = Connection(meter, 80)
    connection.segments(word + b"x" * 9995, 500, direction)
    assert pieces(meter, direction) == [(at, 500) for at in range(0, 2048, 500)]
    assert connection.window(direction) == 2048


@pytest.mark.parametrize(
    "first",
    [b"SSH-2.0-x", b"get / htt", b"\x16\x03\1\1\0\2\0\1\0", b"\x16\x02\1\1\0\1\0\1\0", bytes(9)],
)
def test_of_anything_else_the_first_packet(meter: Meter, first: bytes) -> None:
    connection = Connection(meter, 22)
    connection.segments(first + bytes(991), 500)
    assert pieces(meter) == [(0, 500)]
    assert connection.window() == 1


def test_acknowledgements_are_not_copied(meter: Meter) -> None:
    connection = Connection(meter)
    connection.send(b"", flags="A")
    assert meter.samples() == []
    assert connection.window() == 4096


def test_data_beside_a_syn_begins_the_stream(meter: Meter) -> None:
    connection = Connection(meter, syn=False)
    connection.send(hello(100), flags="S")
    assert pieces(meter) == [(0, 109)]
    assert connection.window() == 9 + 100 + 64


@pytest.mark.parametrize("upload", [True, False])
def test_dns_over_tcp_is_copied_always(meter: Meter, upload: bool) -> None:
    connection = Connection(meter, 53)
    direction = UPLOAD if upload else DOWNLOAD
    for part in range(3):
        connection.segments(bytes(100 * 100), 100, direction)
        found = pieces(meter, direction)
        assert found == [(at, 100) for at in range(part * 10_000, (part + 1) * 10_000, 100)]
    _, counted = meter.flow()
    assert (counted.upload_sampled, counted.download_sampled) == ((255, 0) if upload else (0, 255))


# What one device may have


def test_a_device_has_a_budget_and_what_is_above_is_counted(meter: Meter) -> None:
    cpu, *_ = sorted(os.sched_getaffinity(0))
    limited, lost = meter.statistic("samples_limited"), meter.statistic("samples_lost")
    source = "00:00:5e:00:53:77"
    flood = (
        Ether(src=source, dst=GATEWAY_MAC)
        / IP(src="192.168.20.77", dst=PEER)
        / UDP(sport=9, dport=53)
        / Raw(b"x")
    )
    program = meter.programs.benches["meter_ingress"]._program
    with on_cpu(cpu):
        begun = boot_ns()
        program.run(bytes(flood), 4096)
        assert len(meter.samples()) == 4096
        program.run(bytes(flood), 4000)
        seconds = (boot_ns() - begun) / 1e9
        taken = len(meter.samples())
        assert taken <= 2000 * seconds + 1 < 2000
        assert meter.statistic("samples_limited") - limited == 4000 - taken
        meter.up(datagram(b"x", peer_port=53))
    assert [FlowKey.unpack(each.key).mac for each in meter.samples()] == [MAC_BYTES]
    assert meter.statistic("samples_lost") == lost


def test_what_finds_no_room_in_the_ring_is_counted(meter: Meter) -> None:
    lost = meter.statistic("samples_lost")
    meter.up(*(datagram(bytes(3000), peer_port=53) for _ in range(300)))
    taken = len(meter.samples())
    assert 128 * 4096 // 3100 - 3 <= taken < 300
    assert meter.statistic("samples_lost") - lost == 300 - taken


def test_a_flood_of_samples_pushes_out_no_dns_answer_and_closes_no_window(meter: Meter) -> None:
    meter.up(*(datagram(bytes(3000), peer_port=53) for _ in range(300)))
    meter.up(datagram(bytes(3500), port=4000))  # finds no room, so the next ones are as good
    answer = DOWN4 / UDP(sport=53, dport=4001) / Raw(b"an answer")
    meter.down(answer)
    taken = meter.samples()
    assert taken[-1].data == b"an answer"
    assert meter.statistic("answers_lost") == 0
    meter.up(datagram(b"second", port=4000), datagram(b"third", port=4000))
    assert [each.data for each in meter.samples()] == [b"second", b"third"]


# When the sensor is woken


def is_woken(meter: Meter) -> bool:
    """Say whether there is something to read that wakes its reader; it stays so until all is read."""
    readable, _, _ = select.select([each.fileno() for each in meter.rings], [], [], 0)
    return bool(readable)


def test_an_answer_wakes_the_sensor_at_once_and_what_can_wait_does_so(meter: Meter) -> None:
    cpu, *_ = sorted(os.sched_getaffinity(0))
    answer = datagram(b"x", peer_port=53, upload=False)
    with on_cpu(cpu):
        meter.up(datagram(b"first", peer_port=53))  # a device begins with what it sends
        for message in (answer, DOWN4 / TCP(sport=53, dport=40000, seq=7) / Raw(b"x")):
            meter.down(message)
            assert is_woken(meter)
            assert meter.samples()
            assert not is_woken(meter)
        meter.up(datagram(b"x", peer_port=53), datagram(b"x", peer_port=5353), datagram(b"x"))
        meter.up(UP / ARP(hwsrc=MAC, psrc=DEVICE, pdst=PEER))
        assert not is_woken(meter)
        assert len(meter.samples()) == 4


def until_woken(meter: Meter) -> int:
    """Return how many packets that can wait are sent until the sensor is woken, after an answer that woke it."""
    meter.up(datagram(b"first", peer_port=53))
    meter.down(datagram(b"x", peer_port=53, upload=False))
    assert meter.samples()
    sent = 0
    while not is_woken(meter) and sent < 100:
        meter.up(datagram(bytes(1000), peer_port=53))
        sent += 1
    assert len(meter.samples()) == sent
    return sent


def test_much_that_can_wait_wakes_the_sensor_long_before_the_ring_is_full(meter: Meter) -> None:
    cpu, *_ = sorted(os.sched_getaffinity(0))
    lost = meter.statistic("samples_lost")
    with on_cpu(cpu):
        # On a busy machine the kernel may deliver an answer's wake-up only after it was read: then it comes early once
        sent = [until_woken(meter) for _ in range(5)]
    assert max(sent) < 40
    assert sorted(sent)[2] > 20
    assert meter.statistic("samples_lost") == lost
