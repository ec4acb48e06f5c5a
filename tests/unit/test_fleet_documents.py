"""What docs/scale.md and docs/metrics.md tell those who gather many homes' data is what these homes send."""

import fnmatch
import re
from pathlib import Path

import pytest

from hearthwall_sensor.installation.places import Places
from hearthwall_sensor.sinks.ecs_fields import FIELDS

ROOT = Path(__file__).resolve().parents[2]
SCALE = (ROOT / "docs" / "scale.md").read_text()
METRICS = (ROOT / "docs" / "metrics.md").read_text()

#: Fields that name nobody. A new field is either here or in the document: whoever adds it decides.
NAMELESS = {
    *("@timestamp", "ecs.version", "event.action", "event.category", "event.dataset", "event.end"),
    *("event.id", "event.kind", "event.module", "event.outcome", "event.provider"),
    *("event.risk_score", "event.sequence", "event.severity", "event.start", "event.type"),
    *("rule.category", "rule.description", "rule.name", "rule.ruleset"),
    *("threat.feed.name", "threat.framework", "threat.tactic.id", "threat.tactic.name"),
    *("threat.technique.id", "threat.technique.name"),
    *("threat.technique.subtechnique.id", "threat.technique.subtechnique.name"),
    *("network.direction", "network.protocol", "network.transport", "network.type"),
    *("observer.product", "observer.serial_number", "observer.type", "observer.vendor"),
    *("observer.version", "hearthwall.count", "hearthwall.cut", "hearthwall.pattern"),
    *("hearthwall.severity", "hearthwall.threshold", "hearthwall.value", "hearthwall.window"),
}


def private() -> list[str]:
    """Return the fields that the document says must not leave a home."""
    table = SCALE.split("| what it tells | fields |")[1].split("\n\n")[0]
    return re.findall(r"`([^`]+)`", table)


def test_every_field_that_names_somebody_is_told_and_no_other() -> None:
    told = {each for each in FIELDS if any(fnmatch.fnmatchcase(each, some) for some in private())}
    assert told == set(FIELDS) - NAMELESS


@pytest.mark.parametrize("pattern", private())
def test_a_field_that_is_told_is_one_of_a_document(pattern: str) -> None:
    assert fnmatch.filter(FIELDS, pattern)


def test_what_cron_runs_is_found_there() -> None:
    """Its own PATH has neither place; of `install` it is one, of Debian's package the other."""
    (table,) = re.findall(r"^# /etc/cron\.d/.*\n((?:.+\n)+?)```", METRICS, re.MULTILINE)
    path = re.findall(r"^PATH=(.*)$", table, re.MULTILINE)[0].split(":")
    assert {str(Places().command.parent), "/usr/sbin"} <= set(path)
    assert table.splitlines()[-1].split()[5:7] == ["root", "hearthwall-sensor"]


def test_what_only_root_and_a_group_may_is_said_with_sudo() -> None:
    lines = re.findall(r"^.*--unix-socket.*$", METRICS, re.MULTILINE)
    assert lines
    assert all(each.startswith("sudo ") for each in lines)
