"""What was measured, what else was found and how far an acceptance reaches, in words for every kind of event."""

import time
from typing import Any

import pytest

from hearthwall_sensor.commands import alike
from hearthwall_sensor.kinds import KINDS
from hearthwall_sensor.words.evidence import measured, rows
from hearthwall_sensor.words.wrapping import aligned
from tests.devices import CAMERA, TV

NAMES = {CAMERA: "camera", TV: "tv"}


def told(kind: str, subject: str, value: Any, threshold: Any, window: float) -> str:
    evidence = {"value": value, "threshold": threshold, "window": window, "detector": kind}
    return measured({"kind": kind, "subject": subject, "evidence": evidence})


@pytest.mark.parametrize(
    ("kind", "subject", "figures", "words"),
    [
        ("port_scan", "host x", (31, 15.0, 300.0), "31 ports tried, against 15, within 5 min"),
        ("address_scan", "tcp/23", (128, 25.0, 300), "128 hosts tried, against 25, within 5 min"),
        (
            *("volume_anomaly", "upload", (480.0, [12.0, 60.5], 3600.0)),
            "480.0 MB sent, where 12.0 MB is usual and 60.5 MB not yet odd, within 1 h",
        ),
        ("flood", "udp wan", (2300, 200, 1.0), "2300 packets a second, against 200"),
        ("flood", "many", (16, 8, 1.0), "16 sources at once, against 8"),
        (
            "beacon",
            "x tcp/443",
            (0.93, 0.8, 7200),
            "0.93 of 1 in evenness, against 0.8, within 2 h",
        ),
        (
            *("unexpected_destination", "quiet hours", (2_000_000, 100_000, 300.0)),
            "2.0 MB moved, against 100.0 kB, within 5 min",
        ),
        (
            *("unexpected_destination", "domain x", (4.21, 3.0, 86400.0)),
            "4.21 points of surprise, against 3",
        ),
        (
            "dns_tunnel",
            "server x",
            (512, 150, 9.0),
            "512 B in each packet, against 150 B, within 9 s",
        ),
        ("threat_address", "address x", (4, 1, 0.0), "4 packets"),
        # Where the sentences say it all, or it is a word, there is nothing to add
        ("threat_domain", "domain x", (1, 1, 0.0), ""),
        ("new_device", "", (1, 1, 15.0), ""),
        ("forbidden_protocol", "tor", ("tor", [], 0.0), ""),
        ("rogue_dhcp", "DHCP", (CAMERA, [TV], 0.0), ""),
        ("unexpected_destination", "country FR", ("FR", ["DE"], 0.0), ""),
        ("local_device_on_internet", "internet", ("tcp/443", "none", 0.2), ""),
        ("a_newer_one", "x", (3, None, 0.0), "3"),
        ("port_scan", "x", (3, "", None), "3 ports tried"),
    ],
)
def test_what_was_measured_has_a_unit(
    kind: str, subject: str, figures: tuple[Any, Any, Any], words: str
) -> None:
    assert told(kind, subject, *figures) == words


def test_other_evidence_is_written_as_people_read_it() -> None:
    ends = time.mktime((2026, 5, 4, 15, 0, 0, 0, 0, -1))
    evidence = {
        "detector": "x",
        "expires": ends,
        "bytes": 1_500_000,
        "dropped_bytes": 2_000,
        "interval": 90.4,
        "uneven": 0.031,
        "age_days": 3.5,
        "open_ports": [80, 8080],
        "claimants": [CAMERA, "02:00:00:00:00:01"],
        "new": {"domain": "-", "service": "tcp/443"},
        "blame": "unknown",
        "forced": False,
        "blocked": False,
        "server": None,
        "sources": [{"mac": TV, "dropped": 1_200_000}, {"mac": None, "dropped": 3}],
    }
    assert dict(rows(evidence, NAMES)) == {
        "ends": "2026-05-04 15:00:00",
        "data": "1.5 MB",
        "dropped in all": "2.0 kB",
        "every": "1 min 30 s",
        "give or take": "3%",
        "on the list for": "3 d 12 h",
        "open ports": "80, 8080",
        "claimed by": f"camera ({CAMERA}), 02:00:00:00:00:01",
        "new for it": "domain without a name, service tcp/443",
        "done by": "nobody can tell for sure: this device, or another one that it answers",
        "blocked": "no",
        "sources": f"mac tv ({TV}), packets dropped 1,200,000; packets dropped 3",
    }


@pytest.mark.parametrize("value", [1e300, -1e18, float("inf"), float("nan"), 10**40])
def test_numbers_beyond_all_bounds_are_shown_too(value: float) -> None:
    for key in ("expires", "interval", "bytes", "uneven", "age_days"):
        assert all(isinstance(text, str) for _, text in rows({key: value}, NAMES))
    assert isinstance(told("port_scan", "x", value, value, value), str)


def test_labels_are_whole_and_texts_begin_in_one_column(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = aligned([("when", "now"), ("new characters in each name", "8 " * 60)])
    first, second, third, *_ = text.splitlines()
    assert second.startswith("new characters in each name: 8 8")
    assert first.index("now") == second.index("8 8") == third.index("8 8")
    monkeypatch.setenv("COLUMNS", "40")
    narrow = aligned([("when", "now"), ("new characters in each name", "8 " * 60)]).splitlines()
    assert narrow[1] == "new characters in each name:"
    assert all(len(line) <= 40 for line in narrow)


@pytest.mark.parametrize(
    ("kind", "subject", "words"),
    [
        ("port_scan", "host 192.168.1.7", "that camera tries ports of 192.168.1.7"),
        ("port_scan", "from the internet", "that hosts of the internet try ports of camera"),
        (
            "beacon",
            "203.0.113.9 tcp/8333",
            "that camera calls 203.0.113.9 tcp/8333 at an even pace",
        ),
        ("forbidden_protocol", "tor", "that camera speaks tor with anybody on the internet"),
        (
            *("forbidden_protocol", "smb from the internet"),
            "that camera serves smb to anybody on the internet",
        ),
        (
            *("unexpected_destination", "network 203.0.0.0/16"),
            "that camera talks to hosts without a name in the network 203.0.0.0/16",
        ),
        (
            *("segment_crossing", "segment iot"),
            "that camera reaches for tcp/23 in the segment iot",
        ),
        ("address_scan", "tcp/23", "that camera tries many hosts by tcp/23"),
        (
            *("volume_anomaly", "upload"),
            "that camera sends up to 150.0 MB to the internet in an hour",
        ),
        ("connection_burst", "connections", "that camera begins up to 150 connections in a minute"),
        ("rogue_dhcp", "DHCPv6", "that camera hands out IPv6 addresses"),
        ("flood", "udp lan", "that camera sends floods of udp packets"),
        (
            *("beacon", ""),
            f"of camera that {KINDS['beacon'].meaning}",
        ),
    ],
)
def test_how_far_an_acceptance_reaches(kind: str, subject: str, words: str) -> None:
    evidence = {"value": 100, "service": "tcp/23"}
    assert alike.what({"kind": kind, "subject": subject, "evidence": evidence}, "camera") == words


def test_every_kind_that_can_be_accepted_has_its_words() -> None:
    assert set(alike._ALIKE) == {name for name, kind in KINDS.items() if not kind.by_rules}
    newer = {"kind": "a_newer_one", "subject": "x", "evidence": {}}
    assert alike.what(newer, "camera") == "of camera that a_newer_one (x)"


def test_a_value_of_many_lines_is_cut() -> None:
    ((label, text),) = rows({"example": r"\196\247" * 100}, {})
    assert label == "example"
    assert len(text) < 200
    assert text.endswith("… (whole with --json)")
    assert dict(rows({"example": "a.example"}, {})) == {"example": "a.example"}
