"""Rules as they are told: in events, and to a person at a terminal."""

from dataclasses import replace
from typing import Any

import pytest

from hearthwall_sensor.commands import display
from hearthwall_sensor.kernel.layouts import Counters
from hearthwall_sensor.orders import ended, ordered
from hearthwall_sensor.rules.rule import Rule
from hearthwall_sensor.rules.telling import told

RULE = Rule(3, "exe:/opt/x", "exe", "isolate", (), "why", 1.0, 0, 3, slot=0)


def wire(rule: Rule, *, enforced: bool = True) -> dict[str, Any]:
    return told(rule, Counters(2, 100, 5, 6), enforced=enforced).to_wire()


@pytest.mark.parametrize(
    ("rule", "process"),
    [
        (RULE, "/opt/x"),
        (replace(RULE, target="dir:/opt/a:b", kind="dir"), "/opt/a:b"),
        (replace(RULE, target="pid:7", kind="pid", started=1, program="/opt/y"), "/opt/y"),
        (replace(RULE, target="192.0.2.1", kind="ipv4", slot=None), None),
    ],
)
def test_events_of_rules_on_programs_name_the_program(rule: Rule, process: str | None) -> None:
    block = told(rule, Counters())
    for notice in (ordered(block, forced=False), ended(block, "has ended")):
        assert notice.process == process
        assert rule.target in notice.summary


@pytest.mark.parametrize(
    ("target", "kind", "mode", "said"),
    [
        ("00:00:5e:00:53:21", "mac", "isolate", "quarantine"),
        ("00:00:5e:00:53:21", "mac", "no_internet", "no internet"),
        ("192.0.2.1", "ipv4", "isolate", "block"),
        ("exe:/opt/x", "exe", "audit", "audit"),
    ],
)
def test_events_call_a_rule_what_people_call_it(
    target: str, kind: Any, mode: Any, said: str
) -> None:
    block = told(replace(RULE, target=target, kind=kind, mode=mode, slot=None), Counters())
    assert ordered(block, forced=False).summary == f"{target}: {said} (why)"
    assert ended(block, "was taken back").summary == f"{target}: {said} was taken back"
    assert ordered(block, forced=False).evidence["mode"] == mode


def test_block_tells_of_children_links_and_what_is_not_enforced() -> None:
    rule = replace(RULE, children=True, asked="exe:/opt/link")
    said = display.block(wire(rule))
    assert "with what they start" in said
    assert "named by the link exe:/opt/link" in said
    assert "NOT ENFORCED" not in said
    listed = display.blocks([wire(rule, enforced=False)])
    assert "NOT ENFORCED" in listed
    assert "exe:/opt/x" in listed


def test_plain_rule_has_no_details() -> None:
    assert display.block(wire(RULE)) == "In force on exe:/opt/x: isolate. To end it: unblock 3"
