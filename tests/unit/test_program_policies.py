"""What the policy says of programs, and what is done by itself about them."""

import dataclasses
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from hearthwall_sensor.commands import events, explain
from hearthwall_sensor.commands.policy import section_of
from hearthwall_sensor.detection import Consequences, Detection
from hearthwall_sensor.detectors import DETECTORS
from hearthwall_sensor.errors import SensorError
from hearthwall_sensor.learning.profile import Profile
from hearthwall_sensor.notice import Notice
from hearthwall_sensor.observations import (
    Met,
)
from hearthwall_sensor.patterns.reading import needed_calls, shipped
from hearthwall_sensor.policy import reading
from hearthwall_sensor.policy.blame import Blame
from hearthwall_sensor.policy.file import PolicyFile
from hearthwall_sensor.policy.policy import Answer, DevicePolicy, Response
from hearthwall_sensor.policy.reading import read
from hearthwall_sensor.policy.writing import change, parse_section
from hearthwall_sensor.protocol import Event
from hearthwall_sensor.rules.host import ran_at
from hearthwall_sensor.words import behind, explaining
from tests.devices import CAMERA
from tests.unit.observed import NOON, flow, home
from tests.unit.processes import AGENT, INSIDE, NOBODY, notice

# The policy

POLICY = """
[all]
local = true
sensitivity = "high"
detectors = { beacon = "audit" }
patterns = { new_talker = "off" }

[program."/usr/bin/agent"]
may_talk_to = ["local", "203.0.113.0/24", "*.vendor.example"]
detectors = { port_scan = "off" }
patterns = { raw_socket = "off" }

[program."/usr/bin/agent@*"]
sensitivity = "low"

[program."/usr/bin/agent@0123456789ab"]
sensitivity = "normal"
"""


def policy(tmp_path: Path, text: str = POLICY) -> PolicyFile:
    path = tmp_path / "policy.toml"
    path.write_text(text)
    path.chmod(0o644)
    return PolicyFile(path)


def test_a_program_has_a_section_of_its_own(tmp_path: Path) -> None:
    held = policy(tmp_path)
    agent, other = held.device(AGENT), held.device("exe:/usr/bin/other")
    assert agent.patterns == {"new_talker": "off", "raw_socket": "off"}
    assert agent.detectors == {"beacon": "audit", "port_scan": "off"}
    assert (agent.sensitivity, agent.local) == ("high", None)
    assert agent.expected is not None
    assert (other.patterns, other.expected) == ({"new_talker": "off"}, None)
    assert held.device(INSIDE).sensitivity == "normal"
    assert held.device("exe:/usr/bin/agent@ba9876543210").sensitivity == "low"
    assert held.device(CAMERA).local is True


@pytest.mark.parametrize(
    ("peer", "name", "scope", "is_told"),
    [
        ("203.0.113.9", None, "internet", False),
        ("198.51.100.9", "eu.vendor.example", "internet", False),
        ("198.51.100.9", None, "internet", True),
        ("192.168.0.9", None, "lan", False),
        ("127.0.0.1", None, "gateway", False),
    ],
)
def test_whom_a_program_may_talk_to(
    tmp_path: Path, peer: str, name: str | None, scope: Any, is_told: bool
) -> None:
    told: list[Notice] = []
    known = dataclasses.replace(
        home(profile=lambda who: Profile(who, NOON)), policy=policy(tmp_path).device
    )
    detection = Detection(DETECTORS, known, Consequences(told.append))
    detection.take(Met(NOON, AGENT, flow(peer, name=name, scope=scope, mac=NOBODY)))
    assert [each.kind for each in told] == (["unexpected_destination"] if is_told else [])
    assert all("which the policy does not provide for" in each.summary for each in told)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"program": {"agent": {}}}, "is the path of an executable"),
        ({"program": {"/usr/bin/a@b": {}}}, "is the path of an executable"),
        ({"program": {"/usr/../a": {}}}, "is the path of an executable"),
        ({"program": {"/usr/bin/\x1b": {}}}, "is the path of an executable"),
        ({"program": {"/a": {"local": True}}}, "has no key 'local'"),
        ({"program": {"/a": {"may_talk_to": ["a b"]}}}, "may_talk_to holds addresses"),
        ({"program": {"/a": {"patterns": {"new_talkers": "off"}}}}, "did you mean new_talker"),
        ({"all": {"patterns": {"new_talker": "audit"}}}, "new_talker is one of on, off"),
        ({"label": {"a": {"patterns": {}}}}, "has no key 'patterns'"),
    ],
)
def test_a_mistake_on_a_program_is_told(document: dict[str, Any], said: str) -> None:
    with pytest.raises(SensorError, match=said):
        read(document)


def test_a_programs_section_is_changed(tmp_path: Path) -> None:
    held = policy(tmp_path, "# mine\n")
    for section, values in (
        ("program /usr/bin/agent", {"may_talk_to": ["local"]}),
        ("all", {"patterns.new_talker": "off"}),
    ):
        change(held.path, parse_section(section), values)
    assert held.follow()
    assert held.device(AGENT).patterns == {"new_talker": "off"}
    assert held.device(AGENT).expected is not None
    assert held.path.read_text().startswith("# mine\n")


def test_a_program_is_named_on_the_command_line() -> None:
    for text in ("program./usr/bin/agent", "exe:/usr/bin/agent", "program /usr/bin/agent"):
        assert section_of(text) == "program /usr/bin/agent"


def test_only_what_wanted_patterns_need_is_traced(tmp_path: Path) -> None:
    off = 'patterns = { ptrace_other = "off", raw_socket = "off" }'
    held = policy(tmp_path, f"[all]\n{off}\n")
    assert needed_calls(held.wanted_patterns()) == {"write", "chmod", "memfd"}
    held.path.write_text(f'[all]\n{off}\n[program."/a"]\npatterns = {{ raw_socket = "on" }}\n')
    assert held.follow()
    assert needed_calls(held.wanted_patterns()) == {"write", "chmod", "memfd", "socket"}


# Responses


@pytest.mark.parametrize(
    ("process", "answers", "done"),
    [
        ("/usr/bin/agent", ("quarantine", "block_process"), "block_process"),
        (None, ("block_process", "quarantine"), "quarantine"),
        ("/usr/bin/agent", ("block_peer", "block_process"), "block_peer"),
        ("/usr/bin/agent", ("quarantine",), None),
    ],
)
def test_a_response_that_is_not_for_programs_is_passed_over(
    process: str | None, answers: tuple[Answer, ...], done: str | None
) -> None:
    responses = tuple(Response(None, "info", each, 60.0) for each in answers)
    known = dataclasses.replace(home(), policy=lambda _: DevicePolicy(responses=responses))
    found: list[str] = []
    detection = Detection(
        [], known, Consequences(lambda _: None, respond=lambda _, what: found.append(what.action))
    )
    detection._respond(notice(process, mac=None if process else CAMERA), "high")
    assert found == ([] if done is None else [done])


@pytest.mark.parametrize(
    ("told", "stopped"),
    [
        (notice(), "exe:/usr/bin/agent"),
        (notice(evidence={"pid": 77}), "exe:/usr/bin/agent"),
        (notice(evidence={"pid": 77, "stops": "process"}), "pid:77"),
        (notice("/usr/bin/agent@0123456789ab", evidence={"pid": 77}), "pid:77"),
        (notice("/usr/bin/agent@0123456789ab"), None),
        (notice("/usr/bin/python3.11", evidence={"pid": 77}), "pid:77"),
        (notice("/usr/bin/dash"), None),
        (notice(evidence={"blame": "peer"}), None),
        (notice(evidence={"stops": "process", "pid": 1}), None),
        (notice(None, mac=CAMERA), None),
    ],
)
def test_what_stops_a_program(told: Notice, stopped: str | None) -> None:
    """Never the gateway as a device, whose address the event has."""
    blame = Blame(lambda _: True, lambda _: False)
    assert blame.program(told) == stopped
    if told.process is not None:
        assert blame.culprit(told) is None


@pytest.mark.parametrize(
    ("process", "stopped"),
    [
        ("/usr/bin/bash", None),
        ("/memfd:kworker", "exe:/memfd:kworker"),
        ("/memfd:kworker@0123456789ab", None),
    ],
)
def test_a_process_that_has_ended_is_not_stopped(process: str, stopped: str | None) -> None:
    told = notice(process, evidence={"pid": 77, "stops": "process"})
    blame = Blame(lambda _: True, lambda _: False, is_there=lambda pid, _: pid != 77)
    assert (blame.program(told), blame.has_ended(told)) == (stopped, True)
    assert not blame.has_ended(notice(evidence={"pid": 77}))
    shown = explaining.show(
        {"event": event(told) | {"evidence": told.evidence, "culprit": None, "has_ended": True}}
        | dict.fromkeys(("device", "accepted", "meaning", "advice", "technique", "technique_url")),
        {},
        [],
    )
    assert "process 77 has ended" in shown


def test_a_process_is_told_from_a_later_one_with_its_number() -> None:
    with subprocess.Popen(["/usr/bin/sleep", "60"]) as process:
        now = time.time()
        assert ran_at(process.pid, now)
        assert ran_at(process.pid, None)
        assert not ran_at(process.pid, now - 60)
        process.kill()
    assert not ran_at(process.pid, now)


def test_processes_behind_an_event_are_shown_as_tables() -> None:
    said = "\n".join(
        behind.tables(
            {
                "chain": [{"executable": "/bin/sh", "pid": 7, "command_line": "sh -i"}],
                "files": [],
                "connections": [
                    {"peer_address": "203.0.113.9", "peer_port": 443, "transport": "tcp"}
                ],
            }
        )
    )
    assert "processes, each begun by the one below it:" in said
    assert "sh -i" in said
    assert "files" not in said
    assert "203.0.113.9" in said
    assert not list(behind.tables({"chain": "nonsense", "files": [3]}))


@pytest.mark.parametrize("wide", [60, 100])
def test_a_process_has_one_row_that_fits(monkeypatch: pytest.MonkeyPatch, wide: int) -> None:
    monkeypatch.setenv("COLUMNS", str(wide))
    chain = [
        {"executable": "/usr/bin/wget", "pid": 8, "command_line": "wget " + "x" * 190},
        {"executable": "/usr/bin/dash", "pid": 8, "command_line": "sh scr"},
        {"executable": "/usr/bin/bash", "pid": 7, "command_line": "bash"},
    ]
    _, _, said = behind.tables({"chain": chain})
    _, first, second = said.splitlines()
    assert first.split()[:6] == ["8", "/usr/bin/wget,", "before", "it", "/usr/bin/dash", "wget"]
    assert second.split() == ["7", "/usr/bin/bash", "bash"]
    assert max(map(len, said.splitlines())) <= wide
    assert first.endswith("~")


# For people


def event(told: Notice, **more: Any) -> dict[str, Any]:
    """Return an event as the sensor answers it, with whom an order may cut off."""
    said = Event(7, NOON, told.kind, told.severity, *(None,) * 4, told.process, "It does.", {})
    stopped = Blame(lambda _: True, lambda _: False).program(told)
    return said.to_wire() | {"culprit": stopped, "blockable_peer": None, **more}


@pytest.mark.parametrize(
    ("told", "block"),
    [
        (notice(), "block exe:/usr/bin/agent --duration 1h"),
        (
            notice(evidence={"pid": 77, "stops": "process"}),
            "block pid:77 --children --duration 1h",
        ),
    ],
)
def test_explain_proposes_what_stops_the_program(told: Notice, block: str) -> None:
    wire = {"event": event(told), "device": told.process, "accepted": None}
    commands = [" ".join(words) for words, _ in explain._steps(wire, None)]
    assert commands == ["accept 7", block, "profile exe:/usr/bin/agent"]
    shown = explaining.show(
        wire | {"meaning": "m", "advice": "a", "technique": None, "technique_url": None}, {}, []
    )
    assert "program" in shown
    assert "/usr/bin/agent" in shown


def test_events_names_the_program() -> None:
    assert "/usr/bin/agent" in events.show([event(notice(), address="192.168.0.1")], {})


@pytest.mark.parametrize("name", [each.name for each in shipped()])
def test_the_policy_knows_every_pattern_s_name(name: str) -> None:
    assert reading._patterns({name: "off"}) == {name: "off"}
