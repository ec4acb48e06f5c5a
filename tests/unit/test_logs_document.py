"""docs/logs.md and its examples: every field and option, and files that fit one another."""

import asyncio
import fnmatch
import json
import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from hearthwall_sensor.protocol import SensorError
from hearthwall_sensor.sinks import ecs, reading, syslog, syslog_message
from hearthwall_sensor.sinks.ecs_fields import ECS_VERSION, FIELDS
from hearthwall_sensor.sinks.facts import PRIORITIES
from hearthwall_sensor.sinks.file import FileOptions
from hearthwall_sensor.sinks.kinds import KINDS
from hearthwall_sensor.sinks.table import Table
from tests.unit.sink_events import context, event

DOCS = Path(__file__).resolve().parents[2] / "docs"
TEXT = (DOCS / "logs.md").read_text()
EXAMPLES = DOCS / "examples"

#: What a type of Elasticsearch's is told beside its name: a longer value than we write is kept, not searched.
_BOUNDED = {"ignore_above": 1024}
_MORE: dict[str, dict[str, Any]] = dict.fromkeys(("keyword", "wildcard", "flattened"), _BOUNDED)


def section(name: str) -> str:
    """Return what stands below a heading."""
    return TEXT.split(f"\n## {name}\n")[1].split("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """Return the cells of a section's tables."""
    lines = [each for each in text.splitlines() if each.startswith("| ")]
    return [[cell.strip() for cell in each.split("|")[1:-1]] for each in lines]


def test_every_field_of_a_document_is_told_with_its_type() -> None:
    told = {
        row[0]: (row[1], row[2]) for row in rows(section("The document")) if row[0].startswith("`")
    }
    assert told == {
        f"`{name}`": (f"{field.type}{', a list' if field.is_list else ''}", field.meaning)
        for name, field in FIELDS.items()
    }
    assert ECS_VERSION.rpartition(".")[0] in section("The document")


def test_the_index_template_has_every_field_with_its_type() -> None:
    template = json.loads((EXAMPLES / "elasticsearch-index-template.json").read_text())
    found: dict[str, Any] = {}

    def walk(folder: str, properties: dict[str, Any]) -> None:
        for name, mapping in properties.items():
            if "properties" in mapping:
                walk(f"{folder}{name}.", mapping["properties"])
            else:
                found[f"{folder}{name}"] = mapping

    walk("", template["template"]["mappings"]["properties"])
    assert found == {
        name: {"type": field.type} | _MORE.get(field.type, {}) for name, field in FIELDS.items()
    }


def test_the_examples_read_the_file_and_write_where_the_template_is_for() -> None:
    (pattern,) = json.loads((EXAMPLES / "elasticsearch-index-template.json").read_text())[
        "index_patterns"
    ]
    default = str(FileOptions.read(Table("log", {})).path)
    filebeat = yaml.safe_load((EXAMPLES / "filebeat.yml").read_text())
    (source,) = filebeat["filebeat.inputs"]
    vector = yaml.safe_load((EXAMPLES / "vector.yaml").read_text())
    for patterns in (source["paths"], vector["sources"]["hearthwall"]["include"]):
        for rotated in ("", ".1"):
            assert any(fnmatch.fnmatch(default + rotated, each) for each in patterns)
    assert fnmatch.fnmatch(filebeat["output.elasticsearch"]["index"], pattern)
    (fingerprint,) = [each["fingerprint"] for each in filebeat["processors"]]
    assert set(fingerprint["fields"]) <= set(FIELDS)
    output = vector["sinks"]["elasticsearch"]
    assert fnmatch.fnmatch(output["bulk"]["index"], pattern)
    (made,) = output["inputs"]
    assert f".{output['id_key']} = .event.id" in vector["transforms"][made]["source"]


@pytest.mark.parametrize("kind", ["file", "journald", "syslog"])
def test_every_option_is_told(kind: str) -> None:
    table = Table("log", {"server": "log.example"})
    KINDS[kind].read(table)
    told = [
        each
        for row in rows(section(f"`{kind}`"))
        for each in re.findall(r"^`(\w+)`|, `(\w+)`$", row[0])
    ]
    assert {one or two for one, two in told} == set(table._known)


@pytest.mark.parametrize("kind", ["file", "journald", "syslog"])
def test_an_example_is_read_as_it_stands(kind: str) -> None:
    (example,) = re.findall(r"```toml\n(.+?)```", section(f"`{kind}`"), re.DOTALL)
    (named,) = reading.read(tomllib.loads(example)["sink"])
    assert named.type == kind


def test_figures_and_words_are_those_of_the_code() -> None:
    text = section("`syslog`")
    assert f"default {syslog._BYTES}" in text
    assert (syslog_message.LEAST_BYTES, ecs.LEAST_BYTES) == (480, 2048)
    assert "at least 480 (`ecs`: 2048), over UDP at most 65507" in text
    assert f"Up to {syslog._AT_ONCE} events" in text
    assert syslog_message.SD_ID in text
    for port in set(syslog._PORTS.values()):
        assert str(port) in text
    (numbers,) = [row for row in rows(section("`journald`")) if row[0].startswith("priority")]
    assert [int(each.split()[0]) for each in numbers[1:]] == list(PRIORITIES.values())
    log = FileOptions.read(Table("log", {}))
    assert f"default {log.max_mb}" in section("`file`")
    assert f"default {log.keep}" in section("`file`")


def test_a_message_without_options_is_refused_with_what_is_missing() -> None:
    with pytest.raises(SensorError, match="sink siem: server is missing"):
        reading.read([{"name": "siem", "type": "syslog"}])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a folder to another group")
def test_an_agents_group_reads_what_is_written_into_its_folder(tmp_path: Path) -> None:
    text = " ".join(TEXT.split())
    assert "LogsDirectory= ReadWritePaths=/var/log/hearthwall" in text
    assert "chmod 2750 /var/log/hearthwall" in text
    folder = tmp_path / "log"
    folder.mkdir()
    os.chown(folder, 0, 4)
    folder.chmod(0o2750)
    (named,) = reading.read(
        [{"name": "log", "type": "file", "path": str(folder / "events.json"), "mode": "0640"}]
    )

    async def run() -> None:
        sink = named.make(context())
        await sink.start()
        await sink.send([event()])
        await sink.close()

    asyncio.run(run())
    said = (folder / "events.json").stat()
    assert (said.st_gid, stat.S_IMODE(said.st_mode)) == (4, 0o640)
