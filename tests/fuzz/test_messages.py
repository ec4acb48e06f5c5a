"""Parsers of single messages under hostile input: they return what they say they do, soon, and raise nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from dnslib import RR, DNSRecord
from hypothesis import given, settings, strategies as st
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.dhcp6 import (
    DUID_LL,
    DHCP6_Reply,
    DHCP6OptClientFQDN,
    DHCP6OptClientId,
    DHCP6OptIA_NA,
    DHCP6OptIAAddress,
    DHCP6OptOptReq,
)
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr
from scapy.layers.l2 import ARP

from hearthwall_sensor.dissect import arp, dhcp, dns, nd, ssdp
from tests.fuzz.hostile import changed, hostile, soon

EXAMPLES = settings(max_examples=400, deadline=None)


def _answer(zone: str) -> bytes:
    reply = DNSRecord.question("tracker.example").reply()
    reply.add_answer(*RR.fromZone(zone))
    return bytes(reply.pack())


ANSWERS = (
    _answer("tracker.example 60 CNAME a.cdn.example\na.cdn.example 60 A 203.0.113.5"),
    _answer("tracker.example 60 AAAA 2001:db8::5\ntracker.example 60 TXT text"),
    _answer("tv.local 120 A 192.168.7.20\n_a._tcp.local 9 PTR x._a._tcp.local"),
    _answer("x._a._tcp.local 9 SRV 0 0 80 tv.local\ntv.local 120 AAAA fe80::1"),
)
LEASES = (
    bytes(
        BOOTP(chaddr=b"\2\0\x5e\0\x53\x21")
        / DHCP(
            options=[
                ("message-type", "request"),
                ("requested_addr", "192.168.7.20"),
                ("hostname", b"tv"),
                ("client_FQDN", b"\4\0\0\2tv\4home\0"),
                ("param_req_list", [1, 3, 6]),
                ("vendor_class_id", b"class"),
                (52, b"\3"),
                "end",
            ]
        )
    ),
)
LEASES_V6 = (
    bytes(
        DHCP6_Reply()
        / DHCP6OptClientId(duid=DUID_LL(hwtype=1, lladdr="02:00:5e:00:53:21"))
        / DHCP6OptOptReq(reqopts=[23, 24])
        / DHCP6OptClientFQDN(fqdn="tv.home")
        / DHCP6OptIA_NA(ianaopts=[DHCP6OptIAAddress(addr="2001:db8::20", validlft=9)])
    ),
)
SEARCHES = (
    b"NOTIFY * HTTP/1.1\r\nLocation: http://192.168.7.20/\r\nServer: a\r\nUSN: uuid:1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nDLNADeviceName.lge.com: %5bLG%5d TV\r\nCPFN.UPNP.ORG: me\r\n\r\n",
)
CLAIMS = (bytes(ARP(psrc="192.168.7.20")),)
NEIGHBOURS = (
    bytes(ICMPv6ND_NA(tgt="fe80::20") / ICMPv6NDOptDstLLAddr(lladdr="02:00:5e:00:53:21")),
    bytes(ICMPv6ND_NS(tgt="fe80::20")),
)


def _is_name(name: str) -> None:
    assert name.isascii()
    assert name == name.lower()
    assert len(name) <= 4 * 255
    assert " " not in name


def _is_answer(found: Any) -> None:
    assert found is None or isinstance(found, dns.Answer)
    for name in found.names if found else ():
        _is_name(name)
    for address, ttl in found.addresses if found else ():
        assert len(address) == 16
        assert 0 <= ttl < 1 << 32


def _is_question(found: Any) -> None:
    if found is not None:
        name, kind = found
        _is_name(name)
        assert 0 <= kind < 1 << 16


def _are_announced(found: Any) -> None:
    for name, address in found or ():
        _is_name(name)
        assert len(address) == 16
    assert len(found or ()) <= 64


def _is_lease(found: Any) -> None:
    if found is None:
        return
    assert isinstance(found, dhcp.Lease)
    assert found.mac is None or len(found.mac) == 6
    assert all(len(each) == 16 for each in (*found.addresses, *found.given_up))
    assert len(found.addresses) + len(found.given_up) <= 64
    assert found.server is None or len(found.server) == 16
    for text in (found.hostname, found.vendor_class):
        assert text is None or (text.isprintable() and 0 < len(text) <= 4 * 255)


def _is_announcement(found: Any) -> None:
    for text in found or ():
        assert text is None or (text.isprintable() and 0 < len(text) <= 512)


def _is_claim(found: Any) -> None:
    assert found is None or [len(each) for each in found[:3]] == [6, 16, 16]


def _is_message(found: Any) -> None:
    if found is not None:
        assert 133 <= found.kind <= 137
        assert found.address is None or len(found.address) == 16
        assert found.mac is None or len(found.mac) == 6


PARSERS: tuple[tuple[Callable[[bytes], Any], tuple[bytes, ...], Callable[[Any], None]], ...] = (
    (dns.parse, ANSWERS, _is_answer),
    (dns.question, ANSWERS, _is_question),
    (dns.announcements, ANSWERS, _are_announced),
    (dhcp.parse_v4, LEASES, _is_lease),
    (dhcp.parse_v6, LEASES_V6, _is_lease),
    (ssdp.parse, SEARCHES, _is_announcement),
    (arp.parse, CLAIMS, _is_claim),
    (nd.parse, NEIGHBOURS, _is_message),
)
each_parser = pytest.mark.parametrize(
    ("parse", "valid", "check"),
    PARSERS,
    ids=[f"{parse.__module__.rpartition('.')[2]}.{parse.__name__}" for parse, _, _ in PARSERS],
)


@each_parser
@EXAMPLES
@given(data=st.data())
def test_anything(
    parse: Callable[[bytes], Any],
    valid: tuple[bytes, ...],
    check: Callable[[Any], None],
    data: st.DataObject,
) -> None:
    check(soon(parse, data.draw(hostile(valid))))


@each_parser
def test_every_length(
    parse: Callable[[bytes], Any], valid: tuple[bytes, ...], check: Callable[[Any], None]
) -> None:
    for message in valid:
        assert parse(message) is not None
        for size in range(len(message)):
            check(soon(parse, message[:size]))


@each_parser
def test_every_value_of_every_byte_at_the_beginning(
    parse: Callable[[bytes], Any], valid: tuple[bytes, ...], check: Callable[[Any], None]
) -> None:
    for message in valid:
        for at in range(min(len(message), 64)):
            for value in range(0, 256, 5):
                check(parse(message[:at] + bytes((value,)) + message[at + 1 :]))


@EXAMPLES
@given(data=st.lists(changed(ANSWERS), max_size=6))
def test_streams_of_messages_over_tcp(data: list[bytes]) -> None:
    stream = b"".join(len(each).to_bytes(2, "big") + each for each in data)
    messages, found = dns.TcpMessages(), []
    for at in range(0, len(stream), 97):
        found += soon(messages.feed, at, stream[at : at + 97]) or []
    expected = []
    for each in data:  # what is too short for a header ends it
        if len(each) < 12:
            break
        expected.append(each)
    assert found == expected


@EXAMPLES
@given(fed=st.lists(st.tuples(st.integers(0, 2**32 - 1), st.binary(max_size=300)), max_size=30))
def test_pieces_of_a_tcp_stream_from_anywhere(fed: list[tuple[int, bytes]]) -> None:
    messages = dns.TcpMessages()
    for offset, data in fed:
        found = soon(messages.feed, offset, data)
        assert found is None or all(len(each) >= 12 for each in found)


@pytest.mark.parametrize(
    ("parse", "data"),
    [
        (dns.announcements, ANSWERS[0][:4] + b"\xff" * 8 + ANSWERS[0][12:] * 60),
        (dns.parse, ANSWERS[0][:6] + b"\xff\xff" + ANSWERS[0][8:] * 60),
        (dhcp.parse_v4, LEASES[0][:240] + b"\x0c\0" * 4000),
        (dhcp.parse_v4, LEASES[0][:240] + b"\0" * 9000),
        (dhcp.parse_v6, LEASES_V6[0][:4] + b"\0\3\0\0" * 2200),
        (dhcp.parse_v6, b"\x0c" + bytes(33) + (b"\0\x09\x20\0\x0c" + bytes(33)) * 200),
        (ssdp.parse, SEARCHES[0][:19] + b"a:b\r\n" * 1800),
        (ssdp.parse, b"NOTIFY " + b"*" * 9000),
        (nd.parse, NEIGHBOURS[1] + b"\2\1" * 4400),
    ],
)
def test_what_is_made_to_take_long(parse: Callable[[bytes], Any], data: bytes) -> None:
    soon(parse, data)
