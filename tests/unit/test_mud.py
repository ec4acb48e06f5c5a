"""Manufacturer Usage Descriptions: read as hostile, written so that they read the same, and what they let expect."""

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from hearthwall_sensor.mud import reading, writing
from hearthwall_sensor.policy.expectations import LOCAL, Expectation, Expectations
from hearthwall_sensor.protocol import SensorError

CLOUD = Expectation("cloud.vendor.example", "tcp", (443, 443), "device")
EXPECTED = (
    CLOUD,
    Expectation("*.cdn.example", "udp", None, None),
    Expectation("203.0.113.0/24", "tcp", (8000, 8100), "device"),
    Expectation("2001:db8::7", None, None, None),
    Expectation(LOCAL, "tcp", (80, 80), "peer"),
)


def written(expected: tuple[Expectation, ...] = EXPECTED) -> dict[str, Any]:
    return writing.write(expected, system="a plug", url="https://gateway.example/p", when=1.7e9)


def entry(**matches: Any) -> dict[str, Any]:
    """A document with one entry for what the device sends."""
    document = written((CLOUD,))
    lists = document[reading.ACLS]["acl"]
    lists[0]["aces"]["ace"][0]["matches"] = matches
    for each in lists[1:]:
        each["aces"]["ace"] = []
    return document


def test_what_was_written_reads_the_same() -> None:
    found = reading.read(written())
    assert set(found.expected) == set(EXPECTED)
    assert (found.url, found.system) == ("https://gateway.example/p", "a plug")
    assert found.last_update == "2023-11-14T22:13:20+00:00"
    assert found.supported
    assert found.left_out == ()


def test_a_file_has_the_shape_that_rfc_8520_wants() -> None:
    document = written((CLOUD,))
    head, lists = document["ietf-mud:mud"], document["ietf-access-control-list:acls"]["acl"]
    assert head["mud-version"] == 1
    assert 1 <= head["cache-validity"] <= 168
    named = [
        each["name"]
        for policy in ("from-device-policy", "to-device-policy")
        for each in head[policy]["access-lists"]["access-list"]
    ]
    assert named == ["learnt-ipv4-from", "learnt-ipv6-from", "learnt-ipv4-to", "learnt-ipv6-to"]
    assert [each["name"] for each in lists] == named
    assert [each["type"] for each in lists] == ["ipv4-acl-type", "ipv6-acl-type"] * 2
    sent, received = (lists[i]["aces"]["ace"][0]["matches"] for i in (0, 2))
    assert sent == {
        "ipv4": {"ietf-acldns:dst-dnsname": "cloud.vendor.example", "protocol": 6},
        "tcp": {
            "destination-port": {"operator": "eq", "port": 443},
            "ietf-mud:direction-initiated": "from-device",
        },
    }
    assert received["ipv4"]["ietf-acldns:src-dnsname"] == "cloud.vendor.example"
    assert received["tcp"]["source-port"] == {"operator": "eq", "port": 443}


def test_icmp_has_a_number_for_each_family() -> None:
    ping = Expectation("a.example", "icmp")
    document = written((ping,))
    lists = document["ietf-access-control-list:acls"]["acl"]
    numbers = {
        family: {each["aces"]["ace"][0]["matches"][family]["protocol"]}
        for each in lists
        for family in [each["type"].removesuffix("-acl-type")]
    }
    assert numbers == {"ipv4": {1}, "ipv6": {58}}
    assert {each.transport for each in reading.read(document).expected} == {"icmp"}


@pytest.mark.parametrize(
    ("matches", "expected"),
    [
        ({"ipv4": {"ietf-acldns:dst-dnsname": "a.example"}}, Expectation("a.example")),
        (
            {"ipv4": {"destination-ipv4-network": "198.51.100.0/24", "protocol": 17}},
            Expectation("198.51.100.0/24", "udp"),
        ),
        (
            {"ipv6": {"destination-ipv6-network": "2001:db8::/32"}, "udp": {}},
            Expectation("2001:db8::/32", "udp"),
        ),
        ({"ietf-mud:mud": {"local-networks": [None]}}, Expectation(LOCAL)),
        ({"ietf-mud:mud": {"controller": "urn:x"}}, Expectation(LOCAL)),
        (
            {
                "ietf-mud:mud": {"my-controller": [None]},
                "tcp": {"source-port": {"operator": "eq", "port": 80}},
            },
            Expectation(LOCAL, "tcp", (80, 80), "peer"),
        ),
        (
            {
                "ipv4": {"ietf-acldns:dst-dnsname": "a.example"},
                "tcp": {"destination-port": {"lower-port": 10, "upper-port": 20}},
            },
            Expectation("a.example", "tcp", (10, 20)),
        ),
        (
            {
                "ipv4": {"ietf-acldns:dst-dnsname": "a.example"},
                "udp": {"destination-port": {"operator": "gte", "port": 1024}},
            },
            Expectation("a.example", "udp", (1024, 65535)),
        ),
    ],
)
def test_an_entry_is_understood(matches: dict[str, Any], expected: Expectation) -> None:
    assert reading.read(entry(**matches)).expected == (expected,)


@pytest.mark.parametrize(
    "matches",
    [
        {"ipv4": {"ietf-acldns:dst-dnsname": "a.example"}, "tcp-flags": {}},
        {
            "ipv4": {"ietf-acldns:dst-dnsname": "a.example"},
            "tcp": {"destination-port": {"operator": "neq", "port": 1}},
        },
        {
            "ipv4": {"ietf-acldns:dst-dnsname": "a.example"},
            "tcp": {"destination-port": {"port": 70000}},
        },
        {},
    ],
)
def test_what_is_not_understood_is_not_allowed_and_said(matches: dict[str, Any]) -> None:
    found = reading.read(entry(**matches))
    assert found.expected == ()
    assert found.left_out == ("learnt-ipv4-from-0",)


def test_an_entry_that_forbids_allows_nothing() -> None:
    document = entry(ipv4={"ietf-acldns:dst-dnsname": "a.example"})
    document[reading.ACLS]["acl"][0]["aces"]["ace"][0]["actions"]["forwarding"] = "drop"
    assert reading.read(document).expected == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "no JSON"),
        ("[" * 5000, "no JSON"),
        ("{}", "no ietf-mud:mud"),
        ('{"ietf-mud:mud": {"mud-version": 2}}', "version 1"),
        ('{"ietf-mud:mud": {"mud-version": 1}}', "no ietf-access-control-list:acls"),
        (" " * (reading.MAX_BYTES + 1), "larger than"),
        (json.dumps(entry(ipv4={"destination-ipv4-network": "0.0.0.0/0"})), "too wide"),
        (json.dumps(entry(ipv4={"ietf-acldns:dst-dnsname": "a b"})), "neither"),
    ],
)
def test_a_file_that_can_not_be_used_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(SensorError) as caught:
        reading.read(reading.load(text))
    assert caught.value.code == "invalid_mud"
    assert why in caught.value.message


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.data())
def test_whatever_is_in_a_file_is_read_or_refused(data: st.DataObject) -> None:
    """Anything may stand anywhere."""
    document = written()
    here: Any = document
    while isinstance(here, (dict, list)) and here:
        key = data.draw(
            st.sampled_from(sorted(here) if isinstance(here, dict) else range(len(here)))
        )
        if data.draw(st.booleans()):
            here[key] = data.draw(_JSON)
            break
        here = here[key]
    try:
        reading.read(document)
    except SensorError:
        return  # anything else fails the test


@pytest.mark.parametrize(
    "url",
    ["http://a.example/x", "https://", "https://u:p@a.example/", "https://a b", "ftp://a", "", "é"],
)
def test_an_address_that_is_not_https_is_refused(url: str) -> None:
    with pytest.raises(SensorError):
        reading.check_url(url)
    with pytest.raises(SensorError, match="only https:// addresses are fetched"):
        reading.check_url("http://a.example/x.json")
    assert reading.check_url("https://a.example/x.json") == "https://a.example/x.json"


OUT = ("tcp", 443, "device")


@pytest.mark.parametrize(
    ("flow", "address", "name", "is_home", "allowed"),
    [
        (OUT, "198.51.100.9", "cloud.vendor.example", False, True),
        (OUT, "198.51.100.9", "evil.example", False, False),
        (OUT, "198.51.100.9", None, False, False),
        (("tcp", 80, "device"), "198.51.100.9", "cloud.vendor.example", False, False),
        (("tcp", 443, "peer"), "198.51.100.9", "cloud.vendor.example", False, False),
        (("udp", 9, "device"), "198.51.100.9", "a.cdn.example", False, True),
        (("tcp", 8050, "device"), "203.0.113.9", None, False, True),
        (("tcp", 8101, "device"), "203.0.113.9", None, False, False),
        (("icmp", 0, "device"), "2001:db8::7", None, False, True),
        (("tcp", 80, "peer"), "192.168.1.2", None, True, True),
        (("tcp", 80, "peer"), "192.168.1.2", None, False, False),
        (("tcp", 81, "peer"), "192.168.1.2", None, True, False),
    ],
)
def test_only_what_is_expected_is_allowed(
    flow: tuple[str, int, str], address: str, name: str | None, is_home: bool, allowed: bool
) -> None:
    assert Expectations(EXPECTED).allow(flow, address, name, is_home=is_home) is allowed


def test_a_device_stays_home_if_nobody_outside_is_expected() -> None:
    inside = (Expectation(LOCAL), Expectation("192.168.0.0/16"), Expectation("fd00::/8"))
    assert Expectations(inside).stays_home
    for each in (CLOUD, Expectation("203.0.113.9")):
        assert not Expectations((*inside, each)).stays_home
