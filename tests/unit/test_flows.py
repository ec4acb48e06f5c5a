"""Community IDs, outcomes, and which name a flow gets."""

import base64
import hashlib
import ipaddress

import pytest
from dnslib import DNSRecord

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
from hearthwall_sensor.flows.labels import Label, Labels
from hearthwall_sensor.flows.listing import Context, describe
from hearthwall_sensor.flows.outcome import outcome
from hearthwall_sensor.flows.streams import Streams
from hearthwall_sensor.names.answered import Answered
from hearthwall_sensor.network.places import Place
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
        assert len(answered) <= 100
    assert len(answered) + answered.forgotten == 151
    assert answered.name(b"camera", (0).to_bytes(16), 999) is None
    assert answered.name(b"camera", (149).to_bytes(16), 999) == "149.example"
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


def connection(port: int) -> FlowKey:
    return key(TCP, "192.168.1.42", port, "203.0.113.9", 443)


def test_a_connection_begun_anew_on_the_same_ports_has_its_own_name() -> None:
    labels = Labels()
    flow = connection(50_000)
    for name in ("first.example", "second.example"):
        labels.take(said(flow, UPLOAD, client_hello(name)), flow)
    assert labels.of(flow.pack()).name == "second.example"
    later = said(flow, UPLOAD, client_hello("third.example"))._replace(offset=5000)
    labels.take(later, flow)  # in the middle of it somebody's data looks like a hello
    assert labels.of(flow.pack()).name == "second.example"


def test_labels_are_bounded_and_forgotten() -> None:
    labels = Labels(limit=10)
    flows = [connection(port) for port in range(50_000, 50_020)]
    for flow in flows:
        labels.set_application(flow.pack(), "dns")
    assert len(labels) <= 10
    assert labels.of(flows[0].pack()).application is None
    assert labels.of(flows[-1].pack()).application == "dns"
    labels.forget(flows[-1].pack())
    assert labels.of(flows[-1].pack()).application is None


def test_of_hellos_that_never_end_the_newest_are_waited_for() -> None:
    labels = Labels()
    hello = client_hello()
    head, rest = hello[:100], hello[100:]
    flows = [connection(port) for port in range(10_000, 10_600)]
    for flow in flows:
        labels.take(said(flow, UPLOAD, head), flow)
    for flow in (flows[0], flows[-1]):
        labels.take(said(flow, UPLOAD, rest)._replace(offset=100), flow)
    names = [labels.of(flow.pack()).name for flow in (flows[0], flows[-1])]
    assert names == [None, NAME.lower()]
    labels.take(said(flows[-2], UPLOAD, head), flows[-2])
    labels.forget(flows[-2].pack())  # with what is still open
    labels.take(said(flows[-2], UPLOAD, rest)._replace(offset=100), flows[-2])
    assert labels.of(flows[-2].pack()).name is None


def test_dns_over_tcp_begins_anew_with_a_connection_and_waits_for_a_bounded_number() -> None:
    streams = Streams()
    message = bytes(DNSRecord.question("vendor.example").pack())
    framed = len(message).to_bytes(2) + message
    flow = key(TCP, "192.168.1.42", 50_000, "203.0.113.53", 53)
    assert streams.take(said(flow, UPLOAD, framed)) == [message]
    assert streams.take(said(flow, UPLOAD, framed)) == [message]  # and not what was there before
    flows = [key(TCP, "192.168.1.42", port, "203.0.113.53", 53) for port in range(1000, 1200)]
    for each in flows:
        streams.take(said(each, UPLOAD, framed[:9]))
    rests = [said(each, UPLOAD, framed[9:])._replace(offset=9) for each in (flows[0], flows[-1])]
    assert [streams.take(each) for each in rests] == [[], [message]]


def test_a_later_fragment_has_a_community_id_without_ports() -> None:
    fragment = community_id(key(UDP, "192.168.1.42", 0, "8.8.8.8", 0))
    text = bytes(2) + packed("8.8.8.8")[12:] + packed("192.168.1.42")[12:] + bytes((UDP, 0))
    assert fragment == "1:" + base64.b64encode(hashlib.sha1(text).digest()).decode()


@pytest.mark.parametrize(
    ("flags", "application"), [((SYN, 0), "unknown"), ((SYN | ACK, SYN | ACK), "http")]
)
def test_a_port_says_what_is_spoken_only_where_both_sides_spoke(
    flags: tuple[int, int], application: str
) -> None:
    web = key(TCP, "192.168.1.52", 54_585, "8.8.8.8", 80)
    context = Context(
        0,
        float,
        lambda *_: Label(),
        lambda _: "internet",
        lambda _: Place(),
        lambda _: None,
    )
    assert describe(web.pack(), counted(*flags), context).application == application
