"""What samples say, as observations: live and in a capture by the same code."""

import ipaddress
import struct
from typing import Any

import pytest
from dnslib import QTYPE, RR, A, DNSRecord

from hearthwall_sensor.flows.flow import (
    DOWNLOAD,
    SAMPLE_ARP,
    SAMPLE_ND,
    SAMPLE_PAYLOAD,
    TCP,
    UDP,
    UPLOAD,
    FlowKey,
    Sample,
)
from hearthwall_sensor.flows.observed import World, device_text
from hearthwall_sensor.flows.observer import Observer
from hearthwall_sensor.flows.witness import Witness
from hearthwall_sensor.identity.identities import Identities
from hearthwall_sensor.network.places import Place
from hearthwall_sensor.observations import (
    Advertised,
    Answered,
    Asked,
    Claimed,
    Leased,
    Named,
    Observation,
    Spoke,
)
from tests.unit.hellos import NAME, client_hello

MAC, OTHER = bytes.fromhex("00005e005321"), bytes.fromhex("00005e005322")
WHO = "00:00:5e:00:53:21"
SECOND = 10**9


def ip(text: str) -> bytes:
    address = ipaddress.ip_address(text)
    return address.packed if address.version == 6 else bytes(10) + b"\xff\xff" + address.packed


NEAR, FAR, SERVER = ip("192.168.1.21"), ip("203.0.113.9"), ip("192.168.1.1")


class Listener:
    """An observer whose witness tells a list."""

    def __init__(self, *, believes: bool = True) -> None:
        self.told: list[Any] = []
        self.openers: dict[bytes, int] = {}
        self.observer = Observer(Identities(lambda _: True), lambda time: time / SECOND)
        self.observer.on_dns = lambda *_: believes
        world = World(
            device_text,
            lambda address: "internet" if address == FAR else "lan",
            lambda _: Place(),
            lambda time: time / SECOND,
        )
        self.observer.witness = Witness(self.told.append, world, self.openers.get)

    def hear(
        self,
        data: bytes,
        key: FlowKey,
        direction: int = UPLOAD,
        *,
        kind: int = SAMPLE_PAYLOAD,
        sender: bytes = MAC,
        time: float = 1.0,
        length: int = 0,
        interface: int = 2,
    ) -> None:
        moment = round(time * SECOND)
        self.observer.take(
            Sample(
                *(moment, key.pack(), interface, 0, length or len(data)),
                *(direction, kind, sender, data),
            )
        )

    def of(self, kind: type[Observation]) -> list[Any]:
        return [each for each in self.told if isinstance(each, kind)]


def flow(protocol: int, peer_port: int, peer: bytes = FAR, port: int = 40000) -> FlowKey:
    return FlowKey(MAC, port, peer_port, protocol, 0, NEAR, peer)


def test_a_hello_tells_what_is_spoken_and_the_name_once() -> None:
    listener = Listener()
    key = flow(TCP, 443)
    for _ in range(2):
        listener.hear(client_hello(), key)
    (spoke,), (named,) = listener.of(Spoke), listener.of(Named)
    assert (spoke.time, spoke.who, spoke.application, spoke.scope) == (1.0, WHO, "tls", "internet")
    assert (named.who, named.name, named.source, named.packed) == (
        WHO,
        NAME.lower(),
        "tls",
        key.pack(),
    )


def test_a_name_that_the_peer_says_is_not_the_devices_word() -> None:
    listener = Listener()
    listener.hear(client_hello(), flow(TCP, 50000, port=443), DOWNLOAD)
    assert (len(listener.of(Spoke)), listener.of(Named)) == (1, [])


@pytest.mark.parametrize(("opener", "is_outgoing"), [(UPLOAD, True), (DOWNLOAD, False)])
def test_who_opened_a_flow_is_what_was_counted(opener: int, is_outgoing: bool) -> None:
    """A server may speak first."""
    listener = Listener()
    key = flow(TCP, 22)
    listener.openers[key.pack()] = opener
    listener.hear(b"SSH-2.0-OpenSSH_9.2\r\n", key, DOWNLOAD)
    (spoke,) = listener.of(Spoke)
    assert (spoke.application, spoke.is_outgoing) == ("ssh", is_outgoing)


def question(kind: str = "A") -> bytes:
    return bytes(DNSRecord.question("cloud.example", kind).pack())


def answer(message: bytes) -> bytes:
    reply = DNSRecord.parse(message).reply()
    reply.add_answer(RR("cloud.example", QTYPE.A, rdata=A("203.0.113.9"), ttl=60))
    return bytes(reply.pack())


def test_questions_and_answers_are_told_once_each() -> None:
    listener = Listener()
    key, message = flow(UDP, 53, SERVER), question()
    listener.hear(message, key)
    listener.hear(answer(message), key, DOWNLOAD, length=900)
    (asked,), (answered,) = listener.of(Asked), listener.of(Answered)
    assert (asked.name, asked.kind, asked.server) == ("cloud.example", QTYPE.A, SERVER)
    assert asked.size == len(message)
    assert (answered.name, answered.addresses, answered.size) == ("cloud.example", (FAR,), 900)


def test_a_question_that_was_not_seen_is_told_by_an_answer_that_is_believed() -> None:
    message = question()
    believing, doubting = Listener(), Listener(believes=False)
    for each in (believing, doubting):
        each.hear(answer(message), flow(UDP, 53, SERVER), DOWNLOAD)
        assert len(each.of(Answered)) == 1
    (asked,) = believing.of(Asked)
    assert (asked.name, asked.size) == ("cloud.example", len(message))
    assert doubting.of(Asked) == []


def test_who_is_asked_asks_nothing() -> None:
    listener = Listener()
    key = FlowKey(MAC, 53, 40000, UDP, 0, NEAR, SERVER)
    listener.hear(question(), key, DOWNLOAD)
    listener.hear(answer(question()), key, UPLOAD)
    assert listener.of(Asked) == listener.of(Answered) == []


def arp(operation: int, mac: bytes, claimed: str, target: str) -> bytes:
    head = bytes.fromhex("000108000604") + operation.to_bytes(2, "big")
    return head + mac + ip(claimed)[12:] + bytes(6) + ip(target)[12:]


ARP_KEY = FlowKey(MAC, 0, 0, 0, 0, bytes(16), bytes(16))


@pytest.mark.parametrize(
    ("packet", "is_reply", "is_true", "sought"),
    [
        (arp(1, MAC, "192.168.1.21", "192.168.1.9"), False, True, ip("192.168.1.9")),
        (arp(1, MAC, "192.168.1.21", "192.168.1.21"), True, True, None),
        (arp(2, MAC, "192.168.1.21", "192.168.1.9"), True, True, None),
        (arp(2, OTHER, "192.168.1.21", "192.168.1.9"), True, False, None),
    ],
)
def test_claims_by_arp(packet: bytes, is_reply: bool, is_true: bool, sought: bytes | None) -> None:
    listener = Listener()
    listener.hear(packet, ARP_KEY, kind=SAMPLE_ARP)
    assert listener.told == [Claimed(1.0, WHO, NEAR, is_reply, is_true, sought)]


def test_a_probe_claims_nothing() -> None:
    listener = Listener()
    listener.hear(arp(1, MAC, "0.0.0.0", "192.168.1.21"), ARP_KEY, kind=SAMPLE_ARP)
    assert listener.told == []


LINK_LOCAL, TARGET = ip("fe80::21"), ip("2001:db8::21")


def nd(kind: int, source: bytes, body: bytes) -> tuple[bytes, FlowKey]:
    key = FlowKey(MAC, kind, 0, 58, 0, source, ip("ff02::1"))
    return bytes((kind, 0, 0, 0)) + body, key


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (nd(136, LINK_LOCAL, bytes(4) + TARGET), Claimed(1.0, WHO, TARGET, True, True)),
        (
            nd(136, LINK_LOCAL, bytes(4) + TARGET + b"\2\1" + OTHER),
            Claimed(1.0, WHO, TARGET, True, False),
        ),
        (nd(135, bytes(16), bytes(4) + TARGET), Claimed(1.0, WHO, TARGET, False, True)),
        (nd(135, LINK_LOCAL, bytes(4) + TARGET), Claimed(1.0, WHO, LINK_LOCAL, False, True)),
        (
            nd(134, LINK_LOCAL, struct.pack(">BBHII", 64, 0, 1800, 0, 0)),
            Advertised(1.0, WHO, LINK_LOCAL, False, 1800),
        ),
        (nd(137, LINK_LOCAL, bytes(4) + TARGET + TARGET), Advertised(1.0, WHO, LINK_LOCAL, True)),
    ],
)
def test_neighbour_discovery(said: tuple[bytes, FlowKey], expected: Observation) -> None:
    listener = Listener()
    listener.hear(*said, kind=SAMPLE_ND)
    assert listener.told == [expected]


def dhcp(kind: int, transaction: int = 1) -> bytes:
    head = struct.pack(">BBBBI", 2, 1, 6, 0, transaction).ljust(28, b"\0") + OTHER
    return head.ljust(236, b"\0") + b"\x63\x82\x53\x63" + bytes((53, 1, kind, 255))


def test_a_server_is_whoever_sends_its_words_and_a_frame_that_is_seen_twice_is_one() -> None:
    listener = Listener()
    here = FlowKey(MAC, 67, 68, UDP, 0, NEAR, ip("255.255.255.255"))
    there = FlowKey(OTHER, 68, 67, UDP, 0, ip("192.168.1.22"), NEAR)
    listener.hear(dhcp(2), here)
    listener.hear(dhcp(2), there, DOWNLOAD, time=1.001)
    listener.hear(dhcp(2), here, time=3.0)
    listener.hear(dhcp(1), here, time=4.0)  # what a client says
    first, second = listener.of(Leased)
    assert (first.who, first.lease.kind, first.address, first.is_v6) == (WHO, "offer", NEAR, False)
    assert second.time == 3.0


@pytest.mark.parametrize(("interface", "is_own"), [(0, True), (7, False)])
def test_what_this_host_serves_is_told_from_frames_in_its_name(
    interface: int, is_own: bool
) -> None:
    listener = Listener()
    here = FlowKey(MAC, 67, 68, UDP, 0, NEAR, ip("255.255.255.255"))
    listener.hear(dhcp(2), here, interface=interface)
    assert listener.of(Leased)[0].is_own is is_own
