"""Community IDs, outcomes, and which name a flow gets."""

import ipaddress

import pytest

from hearthwall_sensor.flows.community_id import community_id
from hearthwall_sensor.flows.flow import (
    DOWNLOAD,
    ICMP,
    ICMPV6,
    SAMPLE_PAYLOAD,
    SCTP,
    TCP,
    UDP,
    UPLOAD,
    Counted,
    FlowKey,
    Sample,
)
from hearthwall_sensor.flows.labels import Labels
from hearthwall_sensor.flows.outcome import outcome
from hearthwall_sensor.names.answered import Answered
from tests.unit.hellos import NAME, client_hello

MAC = bytes.fromhex("00005e005321")
FIN, SYN, RST, ACK = 1, 2, 4, 16
SECOND = 10**9
ONE, TWO, BUSY = (bytes([number]) * 16 for number in (1, 2, 255))


def packed(text: str) -> bytes:
    address = ipaddress.ip_address(text)
    return address.packed if address.version == 6 else bytes(10) + b"\xff\xff" + address.packed


def key(protocol: int, near: str, port: int, far: str, peer_port: int, one_way: int = 0) -> FlowKey:
    return FlowKey(MAC, port, peer_port, protocol, one_way, packed(near), packed(far))


def counted(up: int = 0, down: int = 0, opener: int = UPLOAD, last: int = 0) -> Counted:
    return Counted(
        *(0, last, 60, int(bool(up)), 0, 0, 0, up),
        *(60, int(bool(down)), 0, 0, 0, down, 0, opener),
    )


# The vectors of the specification's own baseline
@pytest.mark.parametrize(
    ("flow", "expected"),
    [
        (key(UDP, "192.168.1.42", 4242, "8.8.8.8", 53), "1:vTdrngJjlP5eZ9mw9JtnKyn99KM="),
        (key(UDP, "8.8.8.8", 53, "192.168.1.42", 4242), "1:vTdrngJjlP5eZ9mw9JtnKyn99KM="),
        (key(TCP, "128.232.110.120", 34855, "66.35.250.204", 80), "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
        (key(UDP, "192.168.1.52", 54585, "8.8.8.8", 53), "1:d/FP5EW3wiY1vCndhwleRRKHowQ="),
        (key(SCTP, "192.168.170.8", 7, "192.168.170.56", 7), "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="),
        (key(ICMP, "192.168.0.89", 8, "192.168.0.1", 0), "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="),
        (key(ICMP, "192.168.0.1", 0, "192.168.0.89", 8), "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="),
    ],
)
def test_community_id(flow: FlowKey, expected: str) -> None:
    assert community_id(flow) == expected


def test_a_message_without_an_answer_has_a_community_id_of_its_direction() -> None:
    sent = key(ICMPV6, "fe80::1", 1, "fe80::2", 3, 1)
    received = FlowKey(MAC, 3, 1, ICMPV6, 2, packed("fe80::2"), packed("fe80::1"))
    other_way = key(ICMPV6, "fe80::2", 1, "fe80::1", 3, 1)
    assert community_id(sent) == community_id(received) != community_id(other_way)


@pytest.mark.parametrize(
    ("flow", "expected"),
    [
        (counted(SYN), "no_answer"),
        (counted(SYN, last=8 * SECOND), "open"),  # the answer may still come
        (counted(SYN, RST | ACK), "refused"),
        (counted(RST | ACK, SYN, DOWNLOAD), "refused"),
        (counted(SYN | ACK, SYN | ACK), "open"),
        (counted(SYN | ACK | FIN, SYN | ACK), "open"),
        (counted(SYN | ACK | FIN, SYN | ACK | FIN), "closed"),
        (counted(SYN | ACK | FIN, SYN | ACK | FIN | RST), "closed"),
        (counted(SYN | ACK | FIN, SYN | ACK | RST), "closed"),
        (counted(SYN | ACK, SYN | ACK | RST), "reset"),
        (counted(ACK, ACK), "open"),
        (counted(ACK | RST, ACK), "reset"),
    ],
)
def test_outcome(flow: Counted, expected: str) -> None:
    assert outcome(flow, 9 * SECOND) == expected


def test_a_flow_has_the_name_that_its_device_was_told_last() -> None:
    answered = Answered()
    answered.note(b"camera", "first.example", [ONE, TWO], 10 * SECOND)
    answered.note(b"camera", "second.example", [ONE], 20 * SECOND)
    answered.note(b"tv", "third.example", [ONE], 15 * SECOND)
    names = [answered.name(b"camera", ONE, at * SECOND) for at in (5, 10, 19, 20, 99)]
    assert names == ["first.example"] * 3 + ["second.example"] * 2
    assert answered.name(b"tv", ONE, 99 * SECOND) == "third.example"
    assert answered.name(b"tv", TWO, 99 * SECOND) is None
    answered.forget(b"camera")
    assert {each.who for each in answered} == {b"tv"}


def test_what_is_remembered_of_answers_is_bounded_and_counted() -> None:
    answered = Answered(limit=100)
    for number in range(150):
        answered.note(b"camera", f"{number}.example", [number.to_bytes(16)], number)
        answered.note(b"camera", f"a{number}.example", [BUSY], number)
    assert len(answered) == 100
    assert answered.forgotten == 51
    assert answered.name(b"camera", BUSY, 999) == "a149.example"
    assert sum(1 for each in answered if each.address == BUSY) == 4


def test_a_name_is_the_servers_whoever_is_the_device() -> None:
    labels = Labels()
    hello = client_hello()
    for way, port in ((UPLOAD, 443), (DOWNLOAD, 50_000)):
        flow = key(TCP, "192.168.1.42", 50_443 - port, "192.168.1.43", port)
        labels.take(said(flow, way, hello), flow)
        labels.take(said(flow, 1 - way, b"\x16\3\3\0\x7a\2\0\0\x76" + bytes(118)), flow)
    client, server = (
        labels.of(key(TCP, "192.168.1.42", 50_443 - port, "192.168.1.43", port).pack())
        for port in (443, 50_000)
    )
    assert (client.peer_name, client.served_as) == (NAME.lower(), None)
    assert (server.peer_name, server.served_as) == (None, NAME.lower())
    assert client.application == server.application == "tls"


def said(flow: FlowKey, way: int, data: bytes) -> Sample:
    return Sample(0, flow.pack(), 0, 0, len(data), way, SAMPLE_PAYLOAD, MAC, data)
