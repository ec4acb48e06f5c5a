"""The traffic that bench/sensor sends says what it is meant to say: else its figures would be of something else."""

import struct
from collections import defaultdict

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from bench import household
from bench.household import DEVICES, FLOWS_PER_VISIT, Visit, names
from bench.segments import DOWN, UP, checksum
from hearthwall_sensor.dissect import dns
from hearthwall_sensor.dissect.conversation import Conversation

NUMBER = 7


@pytest.fixture(scope="module")
def visit() -> Visit:
    (visit,) = household.visits([NUMBER])
    return visit


def by_flow(visit: Visit) -> dict[int, list[tuple[int, Packet]]]:
    """Return each flow's frames with their directions."""
    flows: dict[int, list[tuple[int, Packet]]] = defaultdict(list)
    for each in visit.spoken:
        flows[each.flow].append((each.segment.direction, Ether(each.segment.frame)))
    return dict(flows)


def test_every_flow_says_whom_it_talks_to(visit: Visit) -> None:
    api, storage, video, update = names(NUMBER)
    said, led = [], {}
    for flow in by_flow(visit).values():
        transport = TCP if TCP in flow[0][1] else UDP
        peer_port, found, payloads = flow[0][1][transport].dport, None, []
        conversation = Conversation(flow[0][1][IP].proto, 40000, peer_port)
        begun: dict[int, int] = {}
        for direction, frame in flow:
            data = bytes(frame[transport].payload)
            if not data:
                continue
            payloads.append(data)
            if peer_port in (53, 123):
                continue
            sequence = frame[TCP].seq if transport is TCP else 0
            offset = sequence - begun.setdefault(direction, sequence)
            found = conversation.take(direction, offset, data, len(data))
        if found is not None:
            assert found.malformed is None
            said.append((found.application, found.name, flow[0][1][IP].dst))
        if peer_port == 53:
            question, answer = dns.question(payloads[0]), dns.parse(payloads[1])
            assert question is not None
            assert answer is not None
            ((address, _),) = answer.addresses
            led[question[0]] = ".".join(map(str, address[12:]))
    assert led.keys() == {api, storage, video, update}
    assert said == [
        ("tls", api, led[api]),
        ("tls", storage, led[storage]),
        ("tls", api, led[api]),
        ("quic", video, led[video]),
        ("http", update, led[update]),
    ]


def test_frames_are_whole_and_the_devices_port_is_where_it_is_written(visit: Visit) -> None:
    assert len(by_flow(visit)) == FLOWS_PER_VISIT
    for each in visit.spoken:
        frame = bytearray(each.segment.frame)
        struct.pack_into(">H", frame, each.segment.port_at, 51234)
        packet = Ether(bytes(frame))
        assert checksum(bytes(packet[IP])[:20]) == b"\0\0"
        assert packet[IP].len == len(frame) - 14
        layer = packet[TCP] if TCP in packet else packet[UDP]
        assert (layer.sport if each.segment.direction == UP else layer.dport) == 51234


def test_a_visit_knows_what_it_weighs(visit: Visit) -> None:
    frames = [(each.segment.direction, each.segment.frame) for each in visit.spoken]
    for direction in (UP, DOWN):
        sizes = [len(frame) for way, frame in frames if way == direction]
        assert visit.amount(direction) == (sum(sizes), len(sizes))


def test_devices_are_different_ones() -> None:
    visits = household.visits(range(0, DEVICES, 50))
    assert len({each.mac for each in visits}) == len(visits)
    sources = {Ether(each.spoken[0].segment.frame)[IP].src for each in visits}
    assert len(sources) == len(visits)
