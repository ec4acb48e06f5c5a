"""A DNS answer's names and addresses; what is hostile is refused in bounded time, and nothing is raised."""

import ipaddress
import itertools
import struct
import time
from random import Random

import pytest
from dnslib import AAAA, CNAME, QTYPE, RR, A, DNSRecord
from hypothesis import given, settings, strategies as st

from hearthwall_sensor.dissect import dns
from hearthwall_sensor.dissect.dns import MAX_NAMES, Answer
from hearthwall_sensor.notation import address_text

QUESTION = "Tracker.Example"


def message(zone: str, question: str = QUESTION, kind: str = "A", **flags: int) -> bytes:
    """Return an answer made by dnslib from the lines of a zone."""
    reply = DNSRecord.question(question, kind).reply()
    reply.add_answer(*RR.fromZone(zone))
    for name, value in flags.items():
        setattr(reply.header, name, value)
    return bytes(reply.pack())


def parsed(data: bytes) -> Answer:
    answer = dns.parse(data)
    assert answer is not None
    return answer


def addresses(data: bytes) -> dict[str, int]:
    return {address_text(address): ttl for address, ttl in parsed(data).addresses}


def test_addresses_of_both_families_with_their_ttl() -> None:
    data = message(
        "tracker.example 60 A 203.0.113.5\nTRACKER.example 300 AAAA 2001:db8:ffff::5\n"
        "tracker.example 90 A 203.0.113.6\ntracker.example 30 A 203.0.113.6"
    )
    assert addresses(data) == {"203.0.113.5": 60, "2001:db8:ffff::5": 300, "203.0.113.6": 90}
    assert parsed(data).names == ("tracker.example",)
    assert parsed(data).kind == QTYPE.A
    assert not parsed(data).truncated


@pytest.mark.parametrize("backwards", [False, True])
def test_all_names_of_a_chain_of_aliases_lead_to_the_address(backwards: bool) -> None:
    lines = [
        "tracker.example 60 CNAME a.cdn.example",
        "a.cdn.example 60 CNAME b.cdn.example",
        "b.cdn.example 20 A 203.0.113.5",
    ]
    data = message("\n".join(reversed(lines) if backwards else lines))
    assert parsed(data).names == ("tracker.example", "a.cdn.example", "b.cdn.example")
    assert addresses(data) == {"203.0.113.5": 20}


def test_a_record_that_the_question_does_not_lead_to_is_not_believed() -> None:
    data = message("tracker.example 60 A 203.0.113.5\nbank.example 60 A 203.0.113.9")
    assert parsed(data).names == ("tracker.example",)
    assert addresses(data) == {"203.0.113.5": 60}


def test_aliases_in_a_circle_and_without_end() -> None:
    circle = message("tracker.example 1 CNAME b.example\nb.example 1 CNAME tracker.example")
    assert parsed(circle).names == ("tracker.example", "b.example")
    chain = [f"n{i}.example 1 CNAME n{i + 1}.example" for i in range(30)]
    long = message("\n".join(chain), "n0.example")
    assert len(parsed(long).names) == MAX_NAMES


def test_hints_of_an_https_record_are_addresses_too() -> None:
    hint4, hint6 = (
        ipaddress.ip_address("203.0.113.7").packed,
        ipaddress.ip_address("2001:db8::7").packed,
    )
    data = b"\0\1\0" + struct.pack("!HH", 4, 4) + hint4 + struct.pack("!HH", 6, 16) + hint6
    head = bytearray(DNSRecord.question(QUESTION, "HTTPS").pack())
    head[2:8] = b"\x81\x80\0\1\0\1"
    record = struct.pack("!HHHIH", 0xC00C, 65, 1, 40, len(data)) + data
    assert addresses(bytes(head) + record) == {"203.0.113.7": 40, "2001:db8::7": 40}
    assert addresses(bytes(head) + record[:-3]) == {}  # cut off, said to be
    assert parsed(bytes(head) + record[:-3]).truncated


def test_other_records_are_stepped_over_however_odd_they_are() -> None:
    head = bytearray(DNSRecord.question(QUESTION).pack())
    head[2:8] = b"\x81\x80\0\1\0\3"
    odd = struct.pack("!HHHIH", 0xC00C, 47, 1, 40, 5) + b"\xff" * 5
    chaos = struct.pack("!HHHIH", 0xC00C, 1, 3, 40, 4) + bytes((203, 0, 113, 4))
    good = struct.pack("!HHHIH", 0xC00C, 1, 1, 40, 4) + bytes((203, 0, 113, 5))
    assert addresses(bytes(head) + odd + chaos + good) == {"203.0.113.5": 40}


def test_labels_that_no_host_has_hide_nothing_and_look_like_no_other_name() -> None:
    head = struct.pack("!6H", 1, 0x8180, 1, 2, 0, 0)
    question = b"\x03a.b\x02\xff\\\x07example\0" + struct.pack("!HH", 1, 1)
    alias = struct.pack("!HHHIH", 0xC00C, 5, 1, 40, 6) + b"\x03\xc3(x\0"
    address = b"\x03\xc3(x\0" + struct.pack("!HHIH", 1, 1, 40, 4) + bytes((203, 0, 113, 5))
    answer = parsed(head + question + alias[:10] + b"\0\5" + alias[12:] + address)
    assert answer.names == ("a\\046b.\\255\\092.example", "\\195(x")
    assert len(answer.addresses) == 1


def test_what_came_before_the_cut_stands() -> None:
    data = message("tracker.example 60 A 203.0.113.5\ntracker.example 60 A 203.0.113.6")
    assert addresses(data[:-2]) == {"203.0.113.5": 60}
    assert parsed(data[:-2]).truncated
    assert parsed(message("tracker.example 60 A 203.0.113.5", tc=1)).truncated


def test_what_is_no_answer() -> None:
    zone = "tracker.example 60 A 203.0.113.5"
    assert dns.parse(message(zone, qr=0)) is None
    assert dns.parse(message(zone, opcode=5)) is None
    data = message(zone)
    assert dns.parse(data[:4] + b"\0\2" + data[6:]) is None
    assert dns.parse(b"") is None
    assert dns.parse(data[:20]) is None


def test_a_name_has_at_most_255_bytes() -> None:
    def asked(length: int) -> Answer | None:
        labels = b"".join(b"\x01a" for _ in range((length - 2) // 2)) + b"\x01" * (length % 2)
        labels = labels if length % 2 == 0 else labels[:-1].replace(b"\x01a", b"\x02aa", 1)
        return dns.parse(
            struct.pack("!6H", 1, 0x8180, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", 1, 1)
        )

    longest = asked(254)
    assert longest is not None
    assert asked(260) is None


def circles() -> bytes:
    """Return a message whose pointers lead in a circle of two, past dnslib's check."""
    body = bytearray()
    while len(body) + 76 <= 0x37E:
        body += b"\x3f" + b"a" * 63
    rest = 0x37E - 12 - len(body)
    body += bytes([rest - 1]) + b"a" * (rest - 1) + b"\x01a" + b"\x01" * 539 + b"\x02"
    body += b"\xc3\x81\xc3\x80"
    return struct.pack("!6H", 1, 0x8180, 1, 1, 0, 0) + bytes(body) + struct.pack("!HH", 1, 1)


def staircases() -> bytes:
    """Return a message full of records whose names are one pointer after the other."""
    body = b"\x01a\0" + struct.pack("!HH", 1, 1)
    at = 12
    while len(body) < 1000:
        body += struct.pack("!H", 0xC000 | at)
        at = 12 + len(body) - 2
    steps = 0
    while len(body) < 1440:
        body += struct.pack("!HHHIH", 0xC000 | at, 5, 1, 1, 2) + struct.pack("!H", 0xC000 | at)
        steps += 1
    return struct.pack("!6H", 1, 0x8180, 1, 0xFFFF, 0, 0) + body


@pytest.mark.parametrize("data", [circles(), staircases(), b"\xc0" * 1472])
def test_hostile_pointers_end_soon(data: bytes) -> None:
    started = time.process_time()
    for _ in range(10):
        dns.parse(data)
    assert (time.process_time() - started) / 10 < 0.02


NAMES = st.lists(
    st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=20),
    min_size=1,
    max_size=6,
).map(".".join)
RECORDS = st.lists(
    st.tuples(
        NAMES,
        st.integers(0, 2**31 - 1),
        st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6), NAMES),
    ),
    max_size=12,
)


@settings(max_examples=500, deadline=None)
@given(question=NAMES, records=RECORDS, aliased=st.booleans())
def test_agrees_with_dnslib_on_what_is_well_formed(
    question: str,
    records: list[tuple[str, int, ipaddress.IPv4Address | ipaddress.IPv6Address | str]],
    aliased: bool,
) -> None:
    reply = DNSRecord.question(question).reply()
    known, wanted = {question}, {}
    for owner, ttl, data in records:
        name = question if aliased else owner
        if isinstance(data, str):
            reply.add_answer(RR(name, QTYPE.CNAME, ttl=ttl, rdata=CNAME(data)))
        elif isinstance(data, ipaddress.IPv4Address):
            reply.add_answer(RR(name, QTYPE.A, ttl=ttl, rdata=A(str(data))))
        else:
            reply.add_answer(RR(name, QTYPE.AAAA, ttl=ttl, rdata=AAAA(tuple(data.packed))))
    read = DNSRecord.parse(bytes(reply.pack()))
    text = {id(each): str(each.rname).rstrip(".").lower() for each in read.rr}
    for _ in read.rr:  # as often as there can be aliases
        known |= {
            str(each.rdata.label).rstrip(".").lower()
            for each in read.rr
            if each.rtype == QTYPE.CNAME and text[id(each)] in known
        }
    for each in read.rr:
        if each.rtype in (QTYPE.A, QTYPE.AAAA) and text[id(each)] in known:
            key = bytes(each.rdata.data).rjust(4, b"\0")
            key = key if len(key) == 16 else bytes(10) + b"\xff\xff" + key
            wanted[key] = max(each.ttl, wanted.get(key, 0))
    answer = parsed(bytes(reply.pack()))
    assert set(answer.names) == known
    assert dict(answer.addresses) == wanted


@settings(max_examples=2000, deadline=None)
@given(data=st.binary(max_size=1472))
def test_any_bytes_are_read_without_fault(data: bytes) -> None:
    dns.parse(data)
    dns.parse(struct.pack("!6H", 1, 0x8180, 1, 9, 0, 0) + data)


VALID = message(
    "tracker.example 60 CNAME a.cdn.example\na.cdn.example 60 A 203.0.113.5\n"
    "a.cdn.example 60 AAAA 2001:db8::5\na.cdn.example 60 TXT text"
)


@settings(max_examples=2000, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(2, len(VALID) - 1), st.integers(0, 255)), max_size=8))
def test_changed_bytes_are_read_without_fault(changes: list[tuple[int, int]]) -> None:
    data = bytearray(VALID)
    for at, value in changes:
        data[at] = value
    answer = dns.parse(bytes(data))
    assert answer is None or all(len(address) == 16 for address, _ in answer.addresses)


@pytest.mark.parametrize("qr", [0, 1])
def test_what_is_asked_for(qr: int) -> None:
    asked = DNSRecord.question("Camera.Vendor.example", "AAAA")
    asked.header.qr = qr
    assert dns.question(bytes(asked.pack())) == ("camera.vendor.example", QTYPE.AAAA)


@pytest.mark.parametrize("data", [b"", bytes(12), VALID[:20], b"\0\1\x28" + VALID[3:]])
def test_what_asks_for_nothing(data: bytes) -> None:
    assert dns.question(data) is None


def announced(zone: str, **flags: int) -> tuple[tuple[str, str], ...] | None:
    """Return the hosts of an mDNS message made by dnslib, with their addresses as text."""
    reply = DNSRecord()
    reply.header.qr = 1
    reply.add_answer(*RR.fromZone(zone))
    for name, value in flags.items():
        setattr(reply.header, name, value)
    return shown(bytes(reply.pack()))


def shown(data: bytes) -> tuple[tuple[str, str], ...] | None:
    found = dns.announcements(data)
    return (
        None if found is None else tuple((name, address_text(address)) for name, address in found)
    )


def test_hosts_of_the_local_network() -> None:
    zone = (
        "Living-Room.local 120 A 192.168.7.20\nliving-room.local 120 AAAA fe80::20\n"
        "_airplay._tcp.local 4500 PTR TV._airplay._tcp.local\n"
        "TV._airplay._tcp.local 120 SRV 0 0 7000 living-room.local\n"
        "gone.local 0 A 192.168.7.21"
    )
    assert announced(zone) == (
        ("living-room.local", "192.168.7.20"),
        ("living-room.local", "fe80::20"),
    )
    assert announced(zone, qr=0) is None
    assert announced(zone, opcode=5) is None


def test_hosts_in_all_sections_and_records_that_replace_others() -> None:
    first = bytes(DNSRecord().pack())[:4].replace(b"\1\0", b"\x84\0") + struct.pack(
        "!4H", 0, 0, 0, 2
    )
    record = b"\2tv\5local\0" + struct.pack("!HHIH", 1, 0x8001, 120, 4) + bytes((192, 168, 7, 20))
    other = b"\xc0\x0c" + struct.pack("!HHIH", 1, 0x8003, 120, 4) + bytes((192, 168, 7, 21))
    assert shown(first + record + other) == (("tv.local", "192.168.7.20"),)
    assert shown(first + record + other[:-1]) == (("tv.local", "192.168.7.20"),)
    assert shown(first + record[:-1]) is None


def test_of_many_hosts_some_are_enough() -> None:
    found = announced("\n".join(f"h{i}.local 120 A 192.168.7.1" for i in range(200)))
    assert found is not None
    assert len(found) == 64


MESSAGES = (VALID, message("a.example 60 A 203.0.113.7", "a.example"), VALID[:40])
STREAM = b"".join(struct.pack("!H", len(each)) + each for each in MESSAGES)


@settings(max_examples=100, deadline=None)
@given(
    cuts=st.lists(st.integers(1, len(STREAM) - 1), unique=True, max_size=12), random=st.randoms()
)
def test_messages_over_tcp_however_they_are_cut(cuts: list[int], random: Random) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    pieces = [(at, STREAM[at:end]) for at, end in itertools.pairwise(edges)]
    pieces += pieces[:2]
    random.shuffle(pieces)
    messages, found = dns.TcpMessages(), []
    for at, piece in pieces:
        found += messages.feed(at, piece) or []
    assert tuple(found) == MESSAGES


def test_what_is_no_dns_over_tcp() -> None:
    messages = dns.TcpMessages()
    assert messages.feed(0, b"\0") == []
    assert messages.feed(1, b"\x0b" + bytes(11)) is None
    assert messages.feed(13, STREAM) is None
    both = dns.TcpMessages()
    assert both.feed(0, STREAM + b"\0\0") == list(MESSAGES)
    assert both.feed(len(STREAM) + 2, STREAM) is None
