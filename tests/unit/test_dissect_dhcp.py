"""DHCP, both versions, in messages made by scapy: addresses, names, and how a device asks."""

import ipaddress
from typing import Any

import pytest
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.dhcp6 import (
    DUID_EN,
    DUID_LL,
    DUID_LLT,
    VENDOR_CLASS_DATA,
    DHCP6_Confirm,
    DHCP6_InfoRequest,
    DHCP6_RelayForward,
    DHCP6_Release,
    DHCP6_Reply,
    DHCP6_Request,
    DHCP6_Solicit,
    DHCP6OptClientFQDN,
    DHCP6OptClientId,
    DHCP6OptIA_NA,
    DHCP6OptIA_TA,
    DHCP6OptIAAddress,
    DHCP6OptOptReq,
    DHCP6OptRelayMsg,
    DHCP6OptVendorClass,
)

from hearthwall_sensor.dissect import dhcp
from hearthwall_sensor.dissect.dhcp import Lease
from hearthwall_sensor.notation import address_text

MAC = bytes.fromhex("02005e005321")


def v4(kind: str, *options: Any, **fields: Any) -> bytes:
    """Return a DHCP message."""
    head = BOOTP(chaddr=MAC + bytes(10), xid=1, **fields)
    return bytes(head / DHCP(options=[("message-type", kind), *options, "end"]))


def lease(data: bytes) -> Lease:
    found = dhcp.parse_v4(data)
    assert found is not None
    return found


def texts(addresses: tuple[bytes, ...]) -> list[str]:
    return [address_text(each) for each in addresses]


def test_a_discovery_says_who_asks_and_how_and_has_no_address_yet() -> None:
    found = lease(
        v4(
            "discover",
            ("requested_addr", "192.168.7.20"),
            ("hostname", b"Living-Room"),
            ("param_req_list", [1, 3, 6, 15, 119]),
            ("vendor_class_id", b"android-dhcp-14"),
        )
    )
    assert found == Lease(
        "discover", MAC, (), (), "Living-Room", (1, 3, 6, 15, 119), "android-dhcp-14", None
    )


@pytest.mark.parametrize(
    ("kind", "fields", "options", "held", "given_up"),
    [
        ("request", {}, [("requested_addr", "192.168.7.20")], ["192.168.7.20"], []),
        ("request", {"ciaddr": "192.168.7.20"}, [], ["192.168.7.20"], []),
        ("inform", {"ciaddr": "192.168.7.20"}, [], ["192.168.7.20"], []),
        ("ack", {"op": 2, "yiaddr": "192.168.7.20"}, [], ["192.168.7.20"], []),
        ("ack", {"op": 2, "ciaddr": "192.168.7.20"}, [], ["192.168.7.20"], []),
        ("offer", {"op": 2, "yiaddr": "192.168.7.20"}, [], [], []),
        ("nak", {"op": 2}, [], [], []),
        ("release", {"ciaddr": "192.168.7.20"}, [], [], ["192.168.7.20"]),
        ("decline", {}, [("requested_addr", "192.168.7.20")], [], ["192.168.7.20"]),
    ],
)
def test_addresses_that_are_held_and_given_up(
    kind: str, fields: dict[str, Any], options: list[Any], held: list[str], given_up: list[str]
) -> None:
    found = lease(v4(kind, *options, ("server_id", "192.168.7.1"), **fields))
    assert found.kind == kind
    assert (texts(found.addresses), texts(found.given_up)) == (held, given_up)
    assert address_text(found.server or b"") == "192.168.7.1"


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ([("hostname", b"tv")], "tv"),
        ([("hostname", b"tv\0\0")], "tv"),
        ([("hostname", b"\x1b[2Jtv\xff")], "[2Jtv"),
        ([("hostname", b"")], None),
        ([("hostname", b"tv"), ("client_FQDN", b"\0\0\0tv.home.example.")], "tv.home.example"),
        ([("client_FQDN", b"\4\0\0\2TV\4home\0")], "tv.home"),
        ([("client_FQDN", b"\4\0\0\2tv")], "tv"),
        ([("client_FQDN", b"\4\0\0\x3ftv"), ("hostname", b"tv2")], "tv2"),
        ([("client_FQDN", b"\0\0\0"), ("hostname", b"tv2")], "tv2"),
    ],
)
def test_what_the_client_calls_itself(options: list[Any], name: str | None) -> None:
    assert lease(v4("request", *options)).hostname == name


def test_long_options_come_in_parts_and_in_other_fields() -> None:
    parts = lease(v4("request", ("hostname", b"living"), ("hostname", b"-room")))
    assert parts.hostname == "living-room"
    data = bytearray(v4("request", (52, b"\3")))
    data[108:116] = b"\x0c\6living"
    data[44:51] = b"\x0c\5-room"
    assert lease(bytes(data)).hostname == "living-room"


def test_a_client_without_ethernet_has_no_mac() -> None:
    data = v4("request")
    assert lease(data[:1] + b"\x20" + data[2:]).mac is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        v4("request")[:239],
        b"\3" + v4("request")[1:],
        v4("request").replace(b"\x63\x82\x53\x63", b"\x63\x82\x53\x64"),
        bytes(BOOTP(chaddr=MAC) / DHCP(options=[("hostname", b"bootp"), "end"])),
        v4("request").replace(b"\x35\1\3", b"\x35\1\x63"),
        v4("request", ("hostname", b"tv"))[:-2],
        v4("request")[:-1] + b"\x0c\1a" * 300,
        v4("request", ("hostname", b"tv")).replace(b"\x0c\2tv", b"\x0c\x40tv"),
    ],
)
def test_what_is_no_message(data: bytes) -> None:
    assert dhcp.parse_v4(data) is None


def v6(message: Any, *options: Any) -> Lease:
    """Return what a DHCPv6 message says."""
    for each in options:
        message /= each
    found = dhcp.parse_v6(bytes(message))
    assert found is not None
    return found


CLIENT = DHCP6OptClientId(duid=DUID_LL(hwtype=1, lladdr="02:00:5e:00:53:21"))


def association(address: str, valid: int = 3600) -> Any:
    return DHCP6OptIA_NA(ianaopts=[DHCP6OptIAAddress(addr=address, preflft=valid, validlft=valid)])


def test_a_solicitation_says_who_asks_and_how() -> None:
    found = v6(
        DHCP6_Solicit(),
        CLIENT,
        DHCP6OptOptReq(reqopts=[23, 24, 39]),
        DHCP6OptVendorClass(enterprisenum=311, vcdata=[VENDOR_CLASS_DATA(data=b"MSFT 5.0")]),
        DHCP6OptClientFQDN(fqdn="Laptop"),
        association("2001:db8::20"),
    )
    assert found == Lease("solicit", MAC, (), (), "laptop", (23, 24, 39), "MSFT 5.0", None)


@pytest.mark.parametrize(
    ("message", "held", "given_up"),
    [
        (DHCP6_Request(), ["2001:db8::20", "2001:db8::21"], []),
        (DHCP6_Confirm(), ["2001:db8::20", "2001:db8::21"], []),
        (DHCP6_Reply(), ["2001:db8::20"], []),
        (DHCP6_Release(), [], ["2001:db8::20", "2001:db8::21"]),
    ],
)
def test_addresses_of_version_6(message: Any, held: list[str], given_up: list[str]) -> None:
    temporary = DHCP6OptIA_TA(iataopts=[DHCP6OptIAAddress(addr="2001:db8::21", validlft=0)])
    found = v6(message, CLIENT, association("2001:db8::20"), temporary)
    assert (texts(found.addresses), texts(found.given_up)) == (held, given_up)


def test_only_some_identifiers_tell_a_mac() -> None:
    timed = DUID_LLT(hwtype=1, timeval=5, lladdr="02:00:5e:00:53:21")
    assert v6(DHCP6_InfoRequest(), DHCP6OptClientId(duid=timed)).mac == MAC
    other = DUID_EN(enterprisenum=9, id=b"12345678")
    assert v6(DHCP6_InfoRequest(), DHCP6OptClientId(duid=other)).mac is None
    assert v6(DHCP6_InfoRequest()).mac is None


def test_a_message_inside_those_of_relays() -> None:
    inner = DHCP6_Request() / CLIENT / association("2001:db8::20")
    for _ in range(3):
        inner = DHCP6_RelayForward(linkaddr="::", peeraddr="fe80::1") / DHCP6OptRelayMsg(
            message=inner
        )
    found = v6(inner)
    assert (found.kind, texts(found.addresses)) == ("request", ["2001:db8::20"])


def test_of_many_addresses_some_are_enough() -> None:
    many = [
        DHCP6OptIAAddress(addr=str(ipaddress.ip_address("2001:db8::") + i), validlft=9)
        for i in range(100)
    ]
    assert len(v6(DHCP6_Reply(), CLIENT, DHCP6OptIA_NA(ianaopts=many)).addresses) == 64


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\1\2\3",
        b"\x0e\1\2\3",
        bytes(DHCP6_Solicit() / CLIENT)[:-1],
        bytes(DHCP6_Solicit()) + b"\0\1\xff\xff\0",
        bytes(DHCP6_RelayForward()),
        b"\x0c" * 200,
    ],
)
def test_what_is_no_message_of_version_6(data: bytes) -> None:
    assert dhcp.parse_v6(data) is None


def test_a_device_says_where_it_is_described() -> None:
    said = lease(v4("request", (161, b"https://vendor.example/plug.json")))
    assert said.mud_url == "https://vendor.example/plug.json"
    assert lease(v4("request")).mud_url is None
    option = b"\x00\x70\x00\x18https://vendor.example/6"
    found = dhcp.parse_v6(b"\x03\x00\x00\x01" + option)
    assert found is not None
    assert found.mud_url == "https://vendor.example/6"
