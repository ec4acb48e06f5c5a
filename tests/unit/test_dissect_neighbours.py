"""ARP and neighbour discovery, in packets made by scapy."""

from typing import Any

import pytest
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_RA,
    ICMPv6ND_Redirect,
    ICMPv6ND_RS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptMTU,
    ICMPv6NDOptPrefixInfo,
    ICMPv6NDOptSrcLLAddr,
)
from scapy.layers.l2 import ARP

from hearthwall_sensor.dissect import arp, nd
from hearthwall_sensor.notation import address_text

MAC = "02:00:5e:00:53:21"
SOURCE = ICMPv6NDOptSrcLLAddr(lladdr=MAC)
TARGET = ICMPv6NDOptDstLLAddr(lladdr=MAC)


@pytest.mark.parametrize("operation", [1, 2])
def test_who_says_that_an_address_is_theirs(operation: int) -> None:
    data = bytes(ARP(op=operation, hwsrc=MAC, psrc="192.168.7.20", pdst="192.168.7.1")) + bytes(18)
    claim = arp.parse(data)
    assert claim is not None
    assert claim.mac.hex(":") == MAC
    assert (address_text(claim.address), address_text(claim.target)) == (
        "192.168.7.20",
        "192.168.7.1",
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(ARP())[:27],
        bytes(ARP(op=3)),
        bytes(ARP(hwtype=6)),
        bytes(ARP(ptype=0x86DD)),
        bytes(ARP(hwlen=8)),
        bytes(ARP(plen=16)),
    ],
)
def test_what_is_no_arp(data: bytes) -> None:
    assert arp.parse(data) is None


@pytest.mark.parametrize(
    ("message", "address", "mac"),
    [
        (ICMPv6ND_RS() / SOURCE, None, MAC),
        (ICMPv6ND_RS(), None, None),
        (ICMPv6ND_RA() / ICMPv6NDOptPrefixInfo() / SOURCE / ICMPv6NDOptMTU(), None, MAC),
        (ICMPv6ND_NS(tgt="fe80::20") / SOURCE, "fe80::20", MAC),
        (ICMPv6ND_NS(tgt="fe80::20"), "fe80::20", None),
        (ICMPv6ND_NA(tgt="fe80::20") / TARGET, "fe80::20", MAC),
        (ICMPv6ND_NA(tgt="fe80::20") / SOURCE, "fe80::20", None),
        (ICMPv6ND_Redirect(tgt="fe80::1", dst="2001:db8::9") / TARGET, "fe80::1", MAC),
    ],
)
def test_which_address_and_which_mac(message: Any, address: str | None, mac: str | None) -> None:
    found = nd.parse(bytes(message))
    assert found is not None
    assert found.kind == message.type
    assert (found.address and address_text(found.address), found.mac and found.mac.hex(":")) == (
        address,
        mac,
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(ICMPv6EchoRequest()),
        bytes(ICMPv6ND_NS())[:23],
        bytes(ICMPv6ND_NS() / SOURCE)[:-1],
        bytes(ICMPv6ND_NS()) + b"\1\0" + bytes(6),
        bytes(ICMPv6ND_NS()) + b"\1",
        b"\x87\1" + bytes(ICMPv6ND_NS())[2:],
    ],
)
def test_what_is_no_neighbour_discovery(data: bytes) -> None:
    assert nd.parse(data) is None
