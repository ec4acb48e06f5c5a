"""Syslog's messages: by RFC 5424, and nothing in an event breaks one; and what a person may set."""

import json
import re
from typing import Any

import pytest

from hearthwall_sensor.kinds import KINDS
from hearthwall_sensor.protocol import Event, SensorError
from hearthwall_sensor.sinks import reading
from hearthwall_sensor.sinks.ecs import LEAST_BYTES as LEAST_OF_ECS, Origin, event_id
from hearthwall_sensor.sinks.facts import FACTS
from hearthwall_sensor.sinks.syslog_message import LEAST_BYTES, SD_ID, message
from tests.unit.rfc5424 import Message, parse
from tests.unit.sink_events import HOSTILE, MAC, event, process_event

ORIGIN = Origin("gateway", "5e0f", lambda _: "garden camera", lambda _: None)


def written(of: Event, *, most: int = 8192, is_ecs: bool = False, origin: Origin = ORIGIN) -> bytes:
    """Return an event's message."""
    said = message(of, origin, facility=3, is_ecs=is_ecs, most=most)
    assert len(said) <= most
    return said


def read(of: Event, **how: Any) -> Message:
    """Return what a receiver reads of an event's message."""
    return parse(written(of, **how))


def test_a_message_has_a_sentence_and_the_facts() -> None:
    said = read(event())
    assert (said.facility, said.severity) == (3, 4)
    assert said.time == "2026-09-21T14:13:30.123Z"
    assert (said.host, said.app, said.kind) == ("gateway", "hearthwall", "unexpected_destination")
    assert said.text == "event 7"
    assert set(said.data) == {SD_ID, "origin"}
    assert said.data[SD_ID] == {
        "seq": "7",
        "kind": "unexpected_destination",
        "severity": "medium",
        "id": event_id(event(), "5e0f"),
        "device": MAC,
        "srcIp": "192.168.10.21",
        "srcPort": "51234",
        "dstIp": "203.0.113.9",
        "dstPort": "443",
        "transport": "tcp",
        "application": "tls",
        "communityId": "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
        "technique": "T1071.004",
        "detector": "unexpected_destination",
        "deviceName": "garden camera",
        "dstName": "bad.example",
        "subject": "tcp/443",
    }


def test_a_fact_has_a_bound() -> None:
    assert read(event(subject="s" * 1000)).data[SD_ID]["subject"] == "s" * 255


def test_each_severity_has_its_own() -> None:
    severities = [
        read(event(severity=each)).severity
        for each in ("info", "low", "medium", "high", "critical")
    ]
    assert severities == [6, 5, 4, 3, 2]


def test_every_kind_of_event_fits_its_field() -> None:
    assert [read(event(kind=each)).kind for each in KINDS] == list(KINDS)


def test_text_in_other_letters_is_utf_8_and_says_so() -> None:
    said = written(
        event(summary="カメラ"),
        origin=Origin("gateway", "5e0f", lambda _: "庭のカメラ", lambda _: None),
    )
    assert b"] \xef\xbb\xbf" in said
    assert parse(said).text == "カメラ"
    assert parse(said).data[SD_ID]["deviceName"] == "庭のカメラ"
    assert b"\xef\xbb\xbf" not in written(event())


def test_nothing_in_an_event_ends_an_element_a_line_or_the_message() -> None:
    origin = Origin(HOSTILE, HOSTILE, lambda _: HOSTILE, lambda _: HOSTILE)
    hostile = event(summary=HOSTILE, peer_name=HOSTILE, subject=HOSTILE, kind=HOSTILE)
    for is_ecs in (False, True):
        said = written(hostile, is_ecs=is_ecs, origin=origin)
        assert not re.search(rb"[\x00-\x1f\x7f]", said)
        found = parse(said)
        assert set(found.data) == (set() if is_ecs else {SD_ID, "origin"})
        assert found.app == "hearthwall"
    shown = read(hostile, origin=origin)
    assert set(shown.data[SD_ID]) <= {each.param for each in FACTS}
    assert shown.data[SD_ID]["deviceName"] == shown.data[SD_ID]["subject"] == shown.text
    assert shown.text.startswith('x"]\\x0a<13>1')


def test_the_document_is_a_message_as_well() -> None:
    said = read(event(), is_ecs=True)
    assert said.data == {}
    assert json.loads(said.text)["event"]["id"] == event_id(event(), "5e0f")


def test_what_is_too_long_is_cut_between_letters_and_said() -> None:
    long = event(summary="日本語" * 700, subject="s" * 3000, peer_name="p" * 3000)
    for most in range(LEAST_BYTES, 3000, 7):
        said = read(long, most=most)
        assert said.data[SD_ID]["cut"] == "true"
        assert len(said.text) >= 20
        assert said.text == ("日本語" * 700)[: len(said.text)]
    assert read(long, most=LEAST_BYTES).data[SD_ID]["seq"] == "7"
    assert "cut" not in read(event()).data[SD_ID]
    least = read(long, most=LEAST_OF_ECS, is_ecs=True)
    assert json.loads(least.text)["hearthwall"]["cut"]
    host = Origin("h" * 255, "5e0f", lambda _: "", lambda _: "")
    assert read(long, most=LEAST_BYTES, origin=host).host == "h" * 255
    assert read(process_event()).data[SD_ID]["program"] == "/usr/bin/bash"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"transport": "sctp"}, "transport is udp, tcp or tls"),
        ({"server": "one two"}, "server is a host and a port"),
        ({"server": ""}, "server is a text"),
        ({"format": "cef"}, "format is text or ecs"),
        ({"facility": "kern"}, "facility is"),
        ({"max_bytes": 400}, "max_bytes is a number from 480"),
        ({"max_bytes": 1000, "format": "ecs"}, "max_bytes is a number from 2048"),
        ({"max_bytes": 65_508, "transport": "udp"}, "max_bytes is a number from 480 to 65507"),
        ({"fingerprint": "abc"}, "64 hexadecimal digits"),
        ({"ca_file": "ca.pem"}, "whole path"),
        ({"client_key": "/etc/key.pem"}, "client_key is nothing without"),
        ({"ca_file": "/etc/ca.pem", "transport": "tcp"}, "there is no option 'ca_file'"),
    ],
)
def test_a_mistake_in_the_options_is_said(options: dict[str, Any], said: str) -> None:
    with pytest.raises(SensorError, match=re.escape(said)):
        reading.read([{"name": "siem", "type": "syslog", "server": "log.example"} | options])
