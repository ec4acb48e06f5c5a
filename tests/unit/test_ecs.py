"""Documents for SIEMs: ECS' names and types in each of them, whatever an event holds."""

import ipaddress
import json
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hearthwall_sensor.kinds import KINDS, SEVERITIES
from hearthwall_sensor.protocol import Event
from hearthwall_sensor.sinks import ecs
from hearthwall_sensor.sinks.ecs import LEAST_BYTES, MAX_BYTES, Origin, event_id, line
from hearthwall_sensor.sinks.ecs_fields import FIELDS
from hearthwall_sensor.sinks.mitre import TACTICS, TECHNIQUES
from tests.unit.ecs_names import EVENT_TYPES, LISTS, TYPES
from tests.unit.sink_events import FLOW, HOSTILE, MAC, event, process_event

ORIGIN = Origin("gateway", "5e0f", lambda _: "garden camera", lambda _: "Some Maker")
ROOT = Path(__file__).resolve().parents[2]

_FITS = {
    "keyword": lambda each: isinstance(each, str) and 0 < len(each) <= 1024,
    "wildcard": lambda each: isinstance(each, str) and 0 < len(each) <= 1024,
    "match_only_text": lambda each: isinstance(each, str) and len(each) > 0,
    "long": lambda each: type(each) is int and -(2**63) <= each < 2**63,
    "float": lambda each: type(each) in (int, float),
    "ip": lambda each: bool(ipaddress.ip_address(each)) and "%" not in each,
    "date": lambda each: bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", each)),
    "flattened": lambda each: isinstance(each, dict) and all(each),
}


def leaves(document: dict[str, Any], folder: str = "") -> Iterator[tuple[str, Any]]:
    """Return each field of a document by its whole name, with its values."""
    for name, value in document.items():
        path = f"{folder}{name}"
        if path == "hearthwall.flows":
            for each in value:
                yield from leaves(each, f"{path}.")
        elif isinstance(value, dict) and path not in FIELDS:
            yield from leaves(value, f"{path}.")
        else:
            yield path, value


def document(of: Event, most: int = MAX_BYTES) -> dict[str, Any]:
    """Return an event's document, once it was seen to be one that Elasticsearch would take."""
    text = line(of, ORIGIN, most)
    assert len(text) <= most
    assert text.isascii()
    assert not re.search(rb"[\x00-\x1f\x7f]", text)
    said: dict[str, Any] = json.loads(text)
    for name, value in leaves(said):
        kind = FIELDS[name].type if name.startswith("hearthwall.") else TYPES[name]
        is_list = FIELDS[name].is_list if name.startswith("hearthwall.") else name in LISTS
        assert isinstance(value, list) == is_list, name
        for each in value if is_list else [value]:
            assert _FITS[kind](each), (name, each)
    return said


def test_the_fields_are_those_of_ecs_with_its_types() -> None:
    ours = {name: each for name, each in FIELDS.items() if not name.startswith("hearthwall.")}
    assert {name: each.type for name, each in ours.items()} == TYPES
    assert {name for name, each in ours.items() if each.is_list} == LISTS


def test_an_event_is_told_by_the_names_that_siems_search_by() -> None:
    said = document(event())
    assert said["@timestamp"] == "2026-09-21T14:13:30.123Z"
    assert said["event"] == {
        "action": "unexpected_destination",
        "category": ["network", "intrusion_detection"],
        "dataset": "hearthwall.events",
        "id": "5e0f-7-1790000010123",
        "kind": "alert",
        "module": "hearthwall",
        "provider": "hearthwall",
        "reason": "it never did that",
        "risk_score": 47.0,
        "sequence": 7,
        "severity": 3,
        "start": "2026-09-21T14:13:30.123Z",
        "type": ["connection", "info"],
    }
    device = {"address": "192.168.10.21", "ip": "192.168.10.21", "port": 51234}
    assert said["source"] == device | {"mac": "02-00-5E-10-00-01"}
    assert said["destination"] == {
        "address": "203.0.113.9",
        "ip": "203.0.113.9",
        "domain": "bad.example",
        "port": 443,
    }
    assert said["network"] == {
        "community_id": FLOW["community_id"],
        "direction": "outbound",
        "protocol": "tls",
        "transport": "tcp",
        "type": "ipv4",
    }
    assert said["threat"]["technique"] == {
        "id": ["T1071"],
        "name": ["Application Layer Protocol"],
        "subtechnique": {"id": ["T1071.004"], "name": ["DNS"]},
    }
    assert said["threat"]["tactic"] == {"id": ["TA0011"], "name": ["Command and Control"]}
    assert said["rule"]["name"] == "unexpected_destination"
    assert said["related"] == {
        "ip": ["192.168.10.21", "203.0.113.9"],
        "hosts": ["bad.example", "gateway", "garden camera"],
    }
    assert said["host"]["name"] == said["observer"]["name"] == "gateway"
    assert said["hearthwall"]["flows"][0]["last_seen"] == "2026-09-21T14:13:29.000Z"
    assert said["hearthwall"]["evidence"] == {"country": "ZZ"}
    assert said["hearthwall"]["device"] == {"mac": MAC, "name": "garden camera"}
    assert said["device"] == {"id": "02-00-5E-10-00-01", "manufacturer": "Some Maker"}


def test_who_made_a_device_is_no_name_of_it() -> None:
    nameless = replace(ORIGIN, device_name=lambda _: None)
    said = json.loads(line(event(), nameless))
    assert said["hearthwall"]["device"] == {"mac": MAC}
    assert said["device"]["manufacturer"] == "Some Maker"
    assert said["related"]["hosts"] == ["bad.example", "gateway"]


def test_a_gateway_without_a_name_tells_its_events_all_the_same() -> None:
    said = json.loads(line(event(), replace(ORIGIN, host="")))
    assert "host" not in said
    assert said["related"]["hosts"] == ["bad.example", "garden camera"]


def test_a_process_of_the_gateway_is_told_with_what_it_came_from() -> None:
    said = document(process_event())
    assert said["process"] == {
        "executable": "/usr/bin/bash",
        "name": "bash",
        "pid": 4242,
        "command_line": "bash -i",
        "parent": {"executable": "/usr/sbin/nginx", "pid": 800, "command_line": "nginx"},
    }
    assert said["container"] == {"id": "4f1b9a6b7e0c"}
    assert said["destination"]["port"] == 4444
    assert said["hearthwall"]["pattern"] == "reverse_shell"
    assert "device" not in said


def test_every_kind_has_a_place_in_ecs() -> None:
    for kind in KINDS:
        said = document(event(kind=kind, technique=None))["event"]
        is_plain = kind in ("new_device", "blocked", "unblocked")
        assert said["kind"] == ("event" if is_plain else "alert")
        allowed = set[str]().union(*(EVENT_TYPES[each] for each in said["category"]))
        assert set(said["type"]) <= allowed
        assert (said.get("outcome") == "success") == (kind in ("blocked", "unblocked"))


def test_severities_are_numbers_that_grow() -> None:
    told = [document(event(severity=each))["event"] for each in SEVERITIES]
    assert [each["severity"] for each in told] == [1, 2, 3, 4, 5]
    assert [each["risk_score"] for each in told] == [0, 21, 47, 73, 99]


def test_every_kind_is_in_the_table() -> None:
    assert set(ecs.SORTS) == set(KINDS)
    assert set(ecs.SEVERITIES) == set(SEVERITIES)


def test_every_technique_has_its_name_and_tactics() -> None:
    sources = [*(ROOT / "bpf/hearthwall_sensor").rglob("*.py")]
    sources += [*(ROOT / "bpf/hearthwall_sensor").rglob("*.toml")]
    named = {
        each for path in sources for each in re.findall(r'"(T\d{4}(?:\.\d{3})?)"', path.read_text())
    }
    assert len(named) > 20
    assert named <= set(TECHNIQUES)
    assert {each.partition(".")[0] for each in named} <= set(TECHNIQUES)
    assert {each for known in TECHNIQUES.values() for each in known.tactics} == set(TACTICS)


@pytest.mark.parametrize(
    ("address", "peer", "evidence", "direction"),
    [
        ("192.168.10.21", "203.0.113.9", {}, "outbound"),
        ("192.168.10.21", "203.0.113.9", {"blame": "peer"}, "inbound"),
        ("192.168.10.21", "203.0.113.9", {"incoming": True}, "inbound"),
        ("192.168.10.21", "192.168.20.4", {"blame": "peer"}, "internal"),
        ("fe80::1", "fe80::2", {}, "internal"),
        ("2001:db8:1:2::5", "2001:db8:1:2::9", {}, "internal"),
        ("2001:db8:1:2::5", "2001:db8:1:3::9", {}, None),
        ("2001:db8:1:2::5", "2001:db8:9::9", {}, "outbound"),
        ("192.168.10.21", None, {}, None),
    ],
)
def test_a_direction_is_told_where_it_is_sure(
    address: str, peer: str | None, evidence: dict[str, Any], direction: str | None
) -> None:
    said = document(event(address=address, peer_address=peer, evidence=evidence))
    assert said["network"].get("direction") == direction


def test_who_did_it_is_the_source() -> None:
    said = document(event(evidence={"blame": "peer", "flows": [FLOW]}))
    assert (said["source"]["ip"], said["source"]["port"]) == ("203.0.113.9", 443)
    assert said["source"]["domain"] == "bad.example"
    assert said["destination"]["mac"] == "02-00-5E-10-00-01"


def test_flows_that_differ_give_no_port() -> None:
    other = FLOW | {"port": 51235, "peer_port": 22, "application": "ssh"}
    said = document(event(evidence={"flows": [FLOW, other]}))
    assert "port" not in said["source"]
    assert "port" not in said["destination"]
    assert "protocol" not in said["network"]
    assert said["network"]["transport"] == "tcp"
    assert [each["peer_port"] for each in said["hearthwall"]["flows"]] == [443, 22]


def test_what_a_feed_lists_is_an_indicator() -> None:
    evidence = {"feed": "list", "entry": "203.0.113.0/24", "blocked": True}
    said = document(event(kind="threat_address", evidence=evidence))
    assert said["threat"]["indicator"] == {
        "ip": "203.0.113.9",
        "name": "203.0.113.0/24",
        "provider": "list",
        "type": "ipv4-addr",
    }
    assert said["event"]["type"] == ["connection", "info", "denied"]
    named = document(event(kind="threat_domain", evidence=evidence | {"blocked": False}))
    assert named["threat"]["indicator"]["type"] == "domain-name"
    assert named["event"]["type"] == ["info", "allowed"]


def test_an_events_id_is_the_same_again_and_another_in_a_journal_that_began_anew() -> None:
    one = event()
    assert event_id(one, "5e0f") == event_id(replace(one, count=9), "5e0f")
    assert event_id(one, "5e0f") != event_id(replace(one, time=one.time + 1), "5e0f")
    assert event_id(one, "5e0f") != event_id(one, "5e10")


def test_hostile_text_stays_text() -> None:
    said = document(
        event(
            summary=HOSTILE,
            peer_name=HOSTILE,
            subject=HOSTILE,
            evidence={"why": HOSTILE, "detector": HOSTILE, HOSTILE: [HOSTILE]},
        )
    )
    shown = said["message"]
    assert shown.isprintable()
    assert shown == said["destination"]["domain"]
    assert "\\x0a<13>1" in shown
    assert list(said["hearthwall"]["evidence"].values()) == [[shown]]


_ODD = (
    *(
        None,
        True,
        -1,
        2**70,
        1e300,
        float("nan"),
        float("inf"),
        "",
        "x",
        HOSTILE,
        "1.2.3.4",
        "::1%e",
    ),
    *([], {}, [1, "a", None], {"a": {"b": [1]}}, "x" * 5000, "日本語" * 900),
)


def _made_up(random_: random.Random, depth: int = 4) -> Any:
    """Return some evidence that no detector would tell."""
    if depth == 0 or random_.random() < 0.5:
        return random_.choice(_ODD)
    if random_.random() < 0.5:
        return [_made_up(random_, depth - 1) for _ in range(random_.randrange(12))]
    return {
        random_.choice(("a", "b.c", "", "\0", HOSTILE, str(number))): _made_up(random_, depth - 1)
        for number in range(random_.randrange(8))
    }


def test_no_evidence_makes_a_document_that_is_refused() -> None:
    for seed in range(40):
        document(*_odd_event(random.Random(seed)))


def _odd_event(random_: random.Random) -> tuple[Event, int]:
    """Return an event that no sensor tells, and a limit."""
    keys = ["detector", "value", "threshold", "window", "why", "flows", "connections", "chain"]
    keys += ["feed", "entry", "pattern", "pid", "blocked", "blame", "incoming", "more"]
    of = random_.choice((event, process_event))
    evidence = {key: _made_up(random_) for key in keys if random_.random() < 0.7}
    flow = {key: random_.choice(_ODD) for key in FLOW}
    if random_.random() < 0.5:
        evidence["flows"] = [flow, FLOW]
    odd = of(
        evidence=evidence,
        address=random_.choice(("192.168.10.21", "fe80::1", "nonsense", "", None)),
        peer_address=random_.choice(("203.0.113.9", "::1%eth0", "nonsense", None)),
        technique=random_.choice((None, "T1071", "T9999.999", "", HOSTILE)),
    )
    return odd, random_.choice((LEAST_BYTES, 4096, MAX_BYTES))


def test_what_has_no_room_is_left_out_and_said() -> None:
    large = event(summary="s" * 5000, evidence=event().evidence | {"names": ["n" * 1000] * 40})
    assert "cut" not in document(event(), MAX_BYTES)["hearthwall"]
    less = document(large, 4000)
    assert less["hearthwall"]["cut"] == ["message", "hearthwall.evidence"]
    assert less["message"] == "s" * 200
    assert len(less["hearthwall"]["flows"]) == 1
    assert document(event(), LEAST_BYTES - 300)["hearthwall"]["cut"] == [
        "hearthwall.evidence",
        "hearthwall.flows",
    ]
    wide = process_event(process="/" + "日" * 1000, summary="日" * 4096, evidence={"why": "w"})
    least = document(wide, LEAST_BYTES)
    assert least["hearthwall"]["cut"] == ["*"]
    assert least["message"] == "日" * 80
    assert least["event"]["id"] == event_id(wide, "5e0f")
    many = document(event(evidence={"long": "n" * 2000, "many": ["n"] * 100}))
    assert many["hearthwall"]["evidence"] == {"long": "n" * 1024, "many": ["n"] * 64}
