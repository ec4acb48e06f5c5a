"""What `explain`, `accept`, `profile` and `policy` ask, and how they show people the answers."""

import json
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from hearthwall_sensor.commands import explain
from hearthwall_sensor.commands.cells import width
from hearthwall_sensor.commands.policy import section_of, show, value_of
from hearthwall_sensor.commands.wrapping import wrapped
from hearthwall_sensor.habits import Acceptance, Band, Habit, PolicyReport, ProfileReport
from hearthwall_sensor.kinds import KINDS
from hearthwall_sensor.policy.reading import read
from hearthwall_sensor.protocol import Event, SensorError
from hearthwall_sensor.requests import (
    AcceptEvent,
    GetPolicy,
    GetProfile,
    RevokeAccepted,
    SetPolicy,
    SetProfile,
)
from tests.devices import CAMERA, TV
from tests.unit.household import Household, Serving

LAUNCHER = Path(__file__).resolve().parents[2] / "bpf" / "hearthwall-sensor"
FLOW = {
    "community_id": "1:vTdrngJjlP5eZ9mw9JtnKyn99KM=",
    "address": "192.168.20.21",
    "port": 40000,
    "peer_address": "192.168.10.1",
    "peer_port": 23,
    "peer_name": None,
    "transport": "tcp",
    "application": "unknown",
    "upload_bytes": 60,
    "download_bytes": 0,
    "first_seen": 1.0,
    "last_seen": 2.0,
}
EVENT = Event(
    seq=17,
    time=time.mktime((2026, 5, 4, 14, 30, 0, 0, 0, -1)),
    kind="port_scan",
    severity="high",
    mac=CAMERA,
    address="192.168.20.21",
    peer_address="192.168.10.1",
    peer_name=None,
    process=None,
    summary="camera tries many ports of 192.168.10.1.",
    evidence={
        "detector": "port_scan",
        "value": 42,
        "threshold": 15,
        "window": 300.0,
        "why": "It failed on 42 ports within five minutes; in a week it failed on none.",
        "flows": [FLOW],
        "hosts": ["192.168.10.1", "192.168.10.2"],
    },
    technique="T1071.004",
    count=5,
    last_time=time.mktime((2026, 5, 4, 14, 40, 0, 0, 0, -1)),
    subject="tcp",
)
ACCEPTED = Acceptance(
    3, 1_777_900_000.0, 17, "port_scan", CAMERA, None, "tcp", EVENT.summary, EVENT.evidence
)
PROFILE = ProfileReport(
    mac=CAMERA,
    since=time.time() - 3 * 86400,
    learning_until=time.time() + 4 * 86400,
    sure=0.42,
    frozen=True,
    domains=tuple(Habit(f"d{number}.example", 50 - number, time.time()) for number in range(12)),
    ports=(Habit("tcp/443", 9, time.time()),),
    upload_this_hour=Band(1_000_000, 20_000_000, 90),
    model={"age_hours": 12.0},
    accepted=(ACCEPTED,),
)
POLICY = PolicyReport(
    "/var/lib/hearthwall/policy.toml",
    True,
    {
        "all": {"detectors": {"beacon": "audit"}, "respond": [{"action": "none"}]},
        "device": {CAMERA: {"local": True, "labels": ["iot"], "learning": "10m"}},
        "label": {"iot": {}},
    },
    None,
)


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    household = Household()
    household.answers |= {
        "event": EVENT.to_wire(),
        "accept": EVENT.to_wire(),
        "accepted": [ACCEPTED.to_wire()],
        "revoke": ACCEPTED.to_wire(),
        "profile": PROFILE.to_wire(),
        "set_profile": PROFILE.to_wire(),
        "policy": POLICY.to_wire(),
        "set_policy": POLICY.to_wire(),
    }
    serving = Serving(tmp_path / "s.sock", household).start()
    yield serving
    serving.stop()


def run(serving: Serving, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-I", str(LAUNCHER), command, "--socket", serving.socket, *arguments]
    environment = {**os.environ, "COLUMNS": "70"}
    return subprocess.run(
        line, capture_output=True, text=True, timeout=30, check=False, env=environment
    )


def said(serving: Serving, command: str, *arguments: str) -> str:
    done = run(serving, command, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def asked(serving: Serving, kind: type) -> Any:
    (request,) = [each for each in serving.household.received if isinstance(each, kind)]
    return request


def test_explain_says_what_why_and_what_next(serving: Serving) -> None:
    text = said(serving, "explain", "17")
    plain = " ".join(text.split())
    for part in (
        "Event 17, high: port_scan camera tries many ports of 192.168.10.1.",
        "2026-05-04 14:30:00, 5 times until 2026-05-04 14:40:00",
        f"camera ({CAMERA})",
        "in a week it failed on none.",
        KINDS["port_scan"].meaning,
        KINDS["port_scan"].advice,
        "42, against 15, within 5 min",
        "hosts: 192.168.10.1, 192.168.10.2",
        "MITRE ATT&CK T1071.004 https://attack.mitre.org/techniques/T1071/004/",
        "192.168.10.1:23",
        "1:vTdrngJjlP5eZ9mw9JtnKyn99KM=",
        "accept 17",
        f"block {CAMERA} --duration 1h",
        f"profile {CAMERA}",
    ):
        assert part in plain, part
    prose = text.split("flows behind it:")[0]
    assert all(width(line) <= 70 for line in prose.splitlines())


def test_explain_as_json_holds_the_event_and_its_meaning(serving: Serving) -> None:
    found = json.loads(said(serving, "explain", "17", "--json"))
    assert found["event"] == json.loads(json.dumps(EVENT.to_wire()))
    assert found["device"] == "camera"
    assert found["advice"] == KINDS["port_scan"].advice
    assert found["next"][0]["command"] == "accept 17"


def test_an_event_of_a_rule_is_not_one_to_accept(serving: Serving) -> None:
    event = {"kind": "blocked", "peer_address": "203.0.113.9", "evidence": {"detector": "rules"}}
    serving.household.answers["event"] = EVENT.to_wire() | event
    text = said(serving, "explain", "17")
    assert "accept" not in text
    assert "  blocks " in text


def test_an_event_that_there_is_not(serving: Serving) -> None:
    serving.household.errors["event"] = SensorError("not_found", "there is no event 9")
    done = run(serving, "explain", "9")
    assert (done.returncode, done.stderr) == (1, "hearthwall-sensor: there is no event 9\n")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=9,
)


@given(evidence=st.dictionaries(st.text(max_size=9) | st.sampled_from(sorted(explain._TOLD)), JSON))
def test_whatever_is_evidence_can_be_shown_and_is_cleaned(evidence: dict[str, Any]) -> None:
    wire = {
        "event": EVENT.to_wire() | {"evidence": evidence, "summary": "\x1b[2J\u202eevil"},
        "device": "\x07",
        "meaning": None,
        "advice": None,
        "technique": None,
        "technique_url": None,
        "next": [],
    }
    text = explain.show(wire)
    assert all(each.isprintable() for line in text.split("\n") for each in line)


def test_accept_says_how_to_take_it_back(serving: Serving) -> None:
    text = " ".join(said(serving, "accept", "17").split())
    assert text.startswith("Accepted: camera tries many ports of 192.168.10.1.")
    assert text.endswith("accept --revoke 3")
    assert asked(serving, AcceptEvent).seq == 17
    assert json.loads(said(serving, "accept", "17", "--json"))["seq"] == 17


def test_what_was_accepted_is_listed_and_taken_back(serving: Serving) -> None:
    head, line = said(serving, "accept", "--list").splitlines()
    assert head.split()[:3] == ["id", "accepted", "event"]
    assert line.split()[0] == "3"
    assert CAMERA in line
    assert json.loads(said(serving, "accept", "--list", "--json"))[0]["id"] == 3
    assert said(serving, "accept", "--revoke", "3").startswith("Taken back: camera tries")
    assert asked(serving, RevokeAccepted).acceptance == 3
    serving.household.answers["accepted"] = []
    assert "Nothing was accepted" in said(serving, "accept", "--list")


@pytest.mark.parametrize("arguments", [(), ("17", "--list"), ("--list", "--revoke", "3")])
def test_accept_does_one_thing(serving: Serving, arguments: tuple[str, ...]) -> None:
    done = run(serving, "accept", *arguments)
    assert done.returncode == 1
    assert "say an event's number, or --list, or --revoke ID" in done.stderr


def test_a_profile_is_shown_with_how_sure_it_is(serving: Serving) -> None:
    text = said(serving, "profile", "CAMERA")
    assert text.startswith(f"camera ({CAMERA})\n")
    plain = " ".join(text.split())
    for part in (
        "42% sure; frozen: nothing more is learnt",
        "learnt: for 3 d",
        "too new to be judged by its habits for 3 d",
        "upload usually 1.0 MB, unusual beyond 20.0 MB",
        "age hours 12",
        "1 of its events",
        "d9.example",
        "and 2 more",
        "tcp/443",
    ):
        assert part in plain, part
    assert "d10.example" not in plain
    assert asked(serving, GetProfile).mac == CAMERA
    found = json.loads(said(serving, "profile", CAMERA, "--json"))
    assert len(found["domains"]) == 12


@pytest.mark.parametrize("action", ["freeze", "unfreeze", "reset"])
def test_a_profile_is_changed(serving: Serving, action: str) -> None:
    said(serving, "profile", "192.168.20.21" if action == "x" else CAMERA, f"--{action}")
    assert asked(serving, SetProfile) == SetProfile(CAMERA, action)  # type: ignore[arg-type]


def test_a_profile_is_changed_in_one_way_only(serving: Serving) -> None:
    assert "not allowed" in run(serving, "profile", CAMERA, "--freeze", "--reset").stderr
    assert "there is no device x" in run(serving, "profile", "x").stderr


def test_a_profile_of_a_silent_device(serving: Serving) -> None:
    serving.household.answers["profile"] = ProfileReport(TV, 1.0, 2.0, 0.0, False).to_wire()
    assert "not seen to talk to anybody yet" in said(serving, "profile", TV)


def test_the_policy_is_shown_as_it_could_stand_in_a_file(serving: Serving) -> None:
    text = said(serving, "policy")
    assert tomllib.loads(text) == POLICY.document
    read(tomllib.loads(text))
    assert asked(serving, GetPolicy) == GetPolicy()
    assert json.loads(said(serving, "policy", "show", "--json"))["problem"] is None


def test_a_problem_and_a_missing_file_are_told() -> None:
    assert "no TOML" in show(PolicyReport("/x", True, {}, "/x is no TOML").to_wire())
    assert "There is no such file" in show(PolicyReport("/x", False, {}, None).to_wire())


def test_the_policy_is_changed(serving: Serving) -> None:
    said(serving, "policy", "set", CAMERA, "local=true", "countries=DE, NL", "sensitivity=")
    assert asked(serving, SetPolicy) == SetPolicy(
        f"device {CAMERA}", {"local": True, "countries": ["DE", "NL"], "sensitivity": None}
    )


@pytest.mark.parametrize(
    "arguments", [("set",), ("set", "all"), ("set", "all", "x"), ("show", "all")]
)
def test_what_policy_does_not_take(serving: Serving, arguments: tuple[str, ...]) -> None:
    assert run(serving, "policy", *arguments).returncode == 1
    assert not serving.household.received


@pytest.mark.parametrize(
    ("text", "section"),
    [
        ("all", "all"),
        ("label.iot", "label iot"),
        ("label.living.room", "label living.room"),
        ("label iot", "label iot"),
        ("segment.main", "segment main"),
        (CAMERA.upper(), f"device {CAMERA}"),
        (f"device.{CAMERA}", f"device {CAMERA}"),
    ],
)
def test_sections(text: str, section: str) -> None:
    assert section_of(text) == section


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("local=false", False),
        ("sensitivity=high", "high"),
        ('sensitivity="high"', "high"),
        ("learning=10m", "10m"),
        ("learning=600", 600),
        ("quiet_hours=23:00-06:00,12:00-13:00", ["23:00-06:00", "12:00-13:00"]),
        ("labels=2026-01-01", ["2026-01-01"]),
        ('countries=["DE"]', ["DE"]),
        ('detectors={ beacon = "off" }', {"beacon": "off"}),
        ("detectors.beacon=off", "off"),
        ("local=true\nx = 1", "true\nx = 1"),
        ("local=", None),
    ],
)
def test_values(text: str, value: Any) -> None:
    assert value_of(text) == (text.partition("=")[0], value)


@given(text=st.text(max_size=60), indent=st.sampled_from(["", "    "]))
def test_wrapped_text_fits(text: str, indent: str) -> None:
    for line in wrapped(text, indent).split("\n"):
        assert width(line) <= 100
