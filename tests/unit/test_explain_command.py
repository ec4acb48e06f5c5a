"""What `explain`, `accept` and `profile` ask, and how they show people the answers; a real process and a server."""

import dataclasses
import json
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from hearthwall_sensor.habits import Acceptance, ProfileReport
from hearthwall_sensor.kinds import KINDS
from hearthwall_sensor.protocol import Event, SensorError
from hearthwall_sensor.requests import (
    AcceptEvent,
    Request,
    RevokeAccepted,
)
from hearthwall_sensor.words import evidence, explaining
from hearthwall_sensor.words.amounts import moment
from hearthwall_sensor.words.cells import width
from tests.devices import CAMERA, TV
from tests.unit.asking import asked, run, said
from tests.unit.household import Household, Serving, device

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
    subject="host 192.168.10.1",
    culprit=CAMERA,
)
ACCEPTED = Acceptance(
    3, 1_777_900_000.0, 17, "port_scan", CAMERA, None, EVENT.subject, EVENT.summary, EVENT.evidence
)


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    household = Household()
    household.answers |= {
        "event": EVENT.to_wire() | {"blockable_peer": None},
        "accept": EVENT.to_wire(),
        "accepted": [],
        "revoke": ACCEPTED.to_wire(),
        "profile": ProfileReport(CAMERA, 1.0, 2.0, 0.0, False).to_wire(),
    }
    serving = Serving(tmp_path / "s.sock", household).start()
    yield serving
    serving.stop()


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
        "measured: 42 ports tried, against 15, within 5 min",
        "hosts: 192.168.10.1, 192.168.10.2",
        "MITRE ATT&CK T1071.004 https://attack.mitre.org/techniques/T1071/004/",
        "192.168.10.1:23",
        "1:vTdrngJjlP5eZ9mw9JtnKyn99KM=",
    ):
        assert part in plain, part
    prose = text.split("flows behind it:")[0]
    assert all(width(line) <= 70 for line in prose.splitlines())


def commands(text: str) -> list[str]:
    """Return the commands that an explanation proposes."""
    return [line.strip() for line in text.split("To go on:")[1].splitlines() if line[:4] == "    "]


def test_what_explain_proposes_can_be_pasted(serving: Serving) -> None:
    proposed = commands(said(serving, "explain", "17"))
    where = f"--socket {serving.socket}"
    assert proposed == [
        f"{LAUNCHER} accept {where} 17",
        f"{LAUNCHER} block {where} camera --duration 1h",
        f"{LAUNCHER} flows {where} --device camera",
        f"{LAUNCHER} profile {where} camera",
    ]
    for each in proposed:
        done = subprocess.run(shlex.split(each), capture_output=True, timeout=30, check=False)
        assert (done.returncode, done.stderr) == (0, b""), each


@pytest.mark.parametrize(
    ("whose", "name"), [(TV, "Camera"), (CAMERA, "good.example"), (CAMERA, "42"), (CAMERA, "--all")]
)
def test_a_name_that_means_something_else_too_is_not_proposed(
    serving: Serving, whose: str, name: str
) -> None:
    household = serving.household
    household.devices[whose] = device(whose, name=name)
    assert any(
        each.endswith(f"--device {CAMERA}") for each in commands(said(serving, "explain", "17"))
    )


@pytest.mark.parametrize(
    "words",
    [
        *(("block", "Camera"), ("unblock", "camera"), ("block", "192.168.20.21")),
        *(("rename", "camera", "Door"), ("merge", "Camera", TV), ("forget", "CAMERA", "--yes")),
    ],
)
def test_a_device_is_named_by_its_name(serving: Serving, words: tuple[str, ...]) -> None:
    household = serving.household
    household.answers |= {each: {} for each in ("rename", "merge", "forget")}
    if words[0] == "unblock":
        said(serving, "block", CAMERA)
    command, *arguments = words
    run(serving, command, *arguments, "--json")
    orders = [each.to_wire() for each in household.received]
    targets = [each.get("target") or each.get("mac") for each in orders]
    assert list(filter(None, targets))[-1] == (
        "192.168.20.21" if "192.168.20.21" in words else CAMERA
    )


def test_a_target_that_is_none_says_so_and_what_may_be_meant(serving: Serving) -> None:
    for command in ("block", "unblock"):
        done = run(serving, command, "camra")
        assert done.returncode == 1
        assert "'camra' is neither a MAC" in done.stderr
        assert "there is no device camra; did you mean camera?" in done.stderr
    assert "is no device camra; did you mean camera?" in run(serving, "rename", "camra", "x").stderr


@pytest.mark.parametrize(
    ("whom", "proposed"),
    [
        ({"culprit": None, "blockable_peer": None}, []),
        ({"culprit": None, "blockable_peer": "203.0.113.9"}, ["203.0.113.9"]),
        ({"culprit": TV, "blockable_peer": "bad.example"}, [TV, "bad.example"]),
    ],
)
def test_explain_proposes_to_block_only_whom_the_sensor_says(
    serving: Serving, whom: dict[str, Any], proposed: list[str]
) -> None:
    serving.household.answers["event"] = EVENT.to_wire() | whom
    lines = [shlex.split(each) for each in commands(said(serving, "explain", "17"))]
    blocks = [each[4:] for each in lines if each[1] == "block"]
    assert [each[0] for each in blocks] == proposed
    assert all(each[1] == "--duration" for each in blocks), "nobody is cut off for good unasked"


def test_explain_as_json_holds_the_event_and_its_meaning(serving: Serving) -> None:
    found = json.loads(said(serving, "explain", "17", "--json"))
    assert found["event"].items() >= json.loads(json.dumps(EVENT.to_wire())).items()
    assert found["device"] == "camera"
    assert found["advice"] == KINDS["port_scan"].advice
    assert found["accepted"] is None
    assert [each["command"] for each in found["next"]] == [
        "accept 17",
        f"block {CAMERA} --duration 1h",
        f"flows --device {CAMERA}",
        f"profile {CAMERA}",
    ]


def test_an_accepted_event_says_so_and_how_to_take_that_back(serving: Serving) -> None:
    serving.household.answers["accepted"] = [ACCEPTED.to_wire()]
    text = said(serving, "explain", "17")
    assert f"accepted:   on {moment(ACCEPTED.time)}: the like of it is not told" in text
    assert shlex.split(commands(text)[0])[1:] == [
        "accept",
        "--socket",
        serving.socket,
        "--revoke",
        "3",
    ]
    assert not any(each.endswith(" 17") for each in commands(text))


def test_an_event_of_a_rule_is_not_one_to_accept(serving: Serving) -> None:
    ends = time.mktime((2026, 5, 4, 15, 0, 0, 0, 0, -1))
    evidence = {
        "detector": "rules",
        "rule": 3,
        "mode": "no_internet",
        "expires": ends,
        "forced": True,
    }
    event = {"kind": "blocked", "peer_address": "203.0.113.9", "evidence": evidence}
    serving.household.answers["event"] = EVENT.to_wire() | event
    text = said(serving, "explain", "17")
    assert "accept" not in text
    assert [shlex.split(each)[1] for each in commands(text)] == ["flows", "blocks"]
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert {f"device: camera ({CAMERA})", "mode: no internet", "ends: 2026-05-04 15:00:00"} <= set(
        lines
    )
    assert "although protected: yes" in lines
    assert str(int(ends)) not in text


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


@given(
    found=st.dictionaries(
        st.text(max_size=9) | st.sampled_from(sorted(evidence.TOLD | set(evidence._LABELS))), JSON
    )
)
def test_whatever_is_evidence_can_be_shown_and_is_cleaned(found: dict[str, Any]) -> None:
    wire = {
        "event": EVENT.to_wire() | {"evidence": found, "summary": "\x1b[2J\u202eevil"},
        "device": "\x07",
        "meaning": None,
        "advice": None,
        "technique": None,
        "technique_url": None,
        "accepted": None,
    }
    text = explaining.show(wire, {}, [])
    assert all(each.isprintable() for line in text.split("\n") for each in line)


class Accepting(Household):
    """A household whose events can be accepted once."""

    async def answer(self, request: Request) -> Any:
        if isinstance(request, AcceptEvent):
            self.answers["accepted"] = [ACCEPTED.to_wire()]
        return await super().answer(request)


def test_accept_says_how_far_it_reaches_and_how_to_take_it_back(tmp_path: Path) -> None:
    household = Accepting()
    household.answers |= {"accept": EVENT.to_wire(), "accepted": []}
    serving = Serving(tmp_path / "s.sock", household).start()
    try:
        first, again = said(serving, "accept", "17"), said(serving, "accept", "17")
        as_json = json.loads(said(serving, "accept", "17", "--json"))
    finally:
        serving.stop()
    plain = " ".join(first.split())
    assert plain.startswith(
        "Accepted. From now on you are not told that camera tries ports of 192.168.10.1;"
    )
    assert "Of other devices, and of anything else that this one does, you are told" in plain
    assert first.endswith(f"    {LAUNCHER} accept --socket {serving.socket} --revoke 3\n")
    assert again.startswith("It was accepted already, on ")
    assert again.endswith(" --revoke 3\n")
    assert as_json["seq"] == 17


def test_what_was_accepted_is_listed_and_taken_back(serving: Serving) -> None:
    serving.household.answers["accepted"] = [ACCEPTED.to_wire()]
    _, line = said(serving, "accept", "--list").splitlines()
    assert line.split()[0] == "3"
    assert line.endswith("event 17  that camera tries ports of 192.168.10.1")
    assert json.loads(said(serving, "accept", "--list", "--json"))[0]["id"] == 3
    text = " ".join(said(serving, "accept", "--revoke", "3").split())
    assert text == (
        "Taken back: from now on you are told again that camera tries ports of 192.168.10.1."
    )
    assert asked(serving, RevokeAccepted).acceptance == 3
    serving.household.answers["accepted"] = []
    assert "Nothing was accepted" in said(serving, "accept", "--list")


def test_what_stays_learnt_is_told_when_it_is_taken_back(serving: Serving) -> None:
    burst = dataclasses.replace(ACCEPTED, kind="connection_burst", subject="connections")
    serving.household.answers["revoke"] = burst.to_wire()
    text = said(serving, "accept", "--revoke", "3")
    assert "that camera begins up to 63 connections in a minute." in " ".join(text.split())
    assert text.endswith(f" profile --socket {serving.socket} camera --reset\n")


@pytest.mark.parametrize("arguments", [(), ("17", "--list"), ("--list", "--revoke", "3")])
def test_accept_does_one_thing(serving: Serving, arguments: tuple[str, ...]) -> None:
    done = run(serving, "accept", *arguments)
    assert done.returncode == 1
    assert "say an event's number, or --list, or --revoke ID" in done.stderr
