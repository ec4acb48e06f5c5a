"""Rules on processes in the kernel's tables: nothing stale, nothing half, no slot that holds for two."""

import asyncio
import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hearthwall_sensor.kernel.layouts import Counters
from hearthwall_sensor.kernel.libbpf import Map
from hearthwall_sensor.kernel.process_layouts import PROCESS_SLOTS
from hearthwall_sensor.kernel.process_rules import (
    MAX_ALIASES,
    LiveImage,
    ProcessRule,
    ProcessRules,
)
from hearthwall_sensor.kernel.process_tables import PidRule, Process, ProcessTables, SlotRule
from hearthwall_sensor.kernel.program_masks import program_key
from hearthwall_sensor.kernel.tables import Tables
from hearthwall_sensor.notation import boot_ns
from hearthwall_sensor.protocol import SensorError
from hearthwall_sensor.requests import AddBlock, Confirm, RemoveBlock
from hearthwall_sensor.rules import file as rules_file
from hearthwall_sensor.rules.host import started
from hearthwall_sensor.rules.rule import Rule
from hearthwall_sensor.rules.rules import RULES_FILE, Rules
from hearthwall_sensor.targets import parse_target
from tests.gateway.unattached import loaded

pytestmark = pytest.mark.lab

RULE_TABLES = ("process_peers", "program_rules", "image_rules", "pid_rules", "processes")
COUNTED = Counters(5, 500, 11, 12)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Tables, ProcessTables]]:
    with loaded(tmp_path_factory.mktemp("tables")) as programs:
        tables = ProcessTables(str(programs.directory))
        yield programs.tables, tables
        tables.close()


@pytest.fixture
def tables(opened: tuple[Tables, ProcessTables]) -> ProcessTables:
    """The tables, from which whatever another test left has gone."""
    _, tables = opened
    for name in RULE_TABLES:
        for key in list(tables.map(name).keys()):
            tables.map(name).delete(key)
    for slot in PROCESS_SLOTS:
        tables.put_rule(slot, None)
    tables.set(cgroup=7, level=3, sensor=os.getpid(), rules=0, pid_rules=0, children=0)
    return tables


class Sensor:
    """Rules of a sensor that has just started."""

    def __init__(self, network: Tables, tables: ProcessTables, folder: Path) -> None:
        self.tables = tables
        self.processes = ProcessRules(tables, started)
        self.rules = Rules(folder / RULES_FILE, network, processes=self.processes)
        self.rules.restore({})

    def add(self, target: str, **fields: Any) -> Rule:
        return asyncio.run(self.rules.add(AddBlock(target, **fields), lambda _, __: None))

    def remove(self, target: str) -> None:
        asyncio.run(self.rules.remove(RemoveBlock(target)))

    def mask(self, path: str | bytes) -> int:
        """Return the rules that the kernel finds for a path, as it does at an exec."""
        text = path if isinstance(path, bytes) else path.encode()
        value = self.tables.map("program_rules").get(program_key(text + b"\0"))
        return 0 if value is None else int.from_bytes(value, "little")


@pytest.fixture
def sensor(opened: tuple[Tables, ProcessTables], tables: ProcessTables, tmp_path: Path) -> Sensor:
    return Sensor(opened[0], tables, tmp_path)


def contents(tables: ProcessTables) -> dict[str, Any]:
    """Return all that rules have put into the tables."""
    found: dict[str, Any] = {name: sorted(tables.map(name).items()) for name in RULE_TABLES}
    return found | {"rules": tables.rules(), "settings": tables.settings()}


def slots(*rules: Rule) -> int:
    return sum(1 << rule.slot for rule in rules if rule.slot is not None)


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with programs in it, and a link to one."""
    folder = tmp_path.resolve() / "opt"
    (folder / "app" / "bin").mkdir(parents=True)
    (folder / "app" / "bin" / "tool").write_text("")
    (folder / "tool").symlink_to("app/bin/tool")
    return folder


@pytest.fixture
def waiting() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_every_kind_is_in_its_tables_and_leaves_nothing(
    sensor: Sensor, programs: Path, waiting: subprocess.Popen[bytes]
) -> None:
    empty = contents(sensor.tables)
    tool = sensor.add(f"exe:{programs}/tool", children=True, duration=60)
    app = sensor.add(
        f"dir:{programs}/app", mode="allow_only", peers=("203.0.113.0/24", "2001:db8::1")
    )
    number = sensor.add(f"pid:{waiting.pid}", mode="audit")
    assert (tool.target, tool.asked) == (f"exe:{programs}/app/bin/tool", f"exe:{programs}/tool")
    held = sensor.tables.rules()
    assert [held[each.slot].id for each in (tool, app, number) if each.slot is not None] == [
        1,
        2,
        3,
    ]
    assert held[tool.slot or 0] == SlotRule(1, tool.expires or 0)
    assert held[app.slot or 0].peers
    assert held[number.slot or 0].audit
    assert len(sensor.tables.map("process_peers").items()) == 2
    settings = sensor.tables.settings()
    assert settings == {
        "cgroup": 7,
        "level": 3,
        "sensor": os.getpid(),
        "rules": 3,
        "pid_rules": 1,
        "children": slots(tool),
    }
    assert sensor.mask(f"{programs}/app/bin/tool") == slots(tool, app)
    assert sensor.mask(f"{programs}/tool") == slots(tool)
    assert sensor.mask(f"{programs}/app/bin/tool2") == slots(app)
    assert sensor.mask(f"{programs}/app") == sensor.mask(f"{programs}/apple") == 0
    assert sensor.tables.pid_rules() == {waiting.pid: PidRule(slots(number), 0)}
    for rule in (tool, app, number):
        sensor.remove(rule.asked or rule.target)
    assert contents(sensor.tables) == empty


def test_wider_and_narrower_rules_come_and_go_in_any_order(sensor: Sensor, programs: Path) -> None:
    path = f"{programs}/app/bin/tool"
    targets = [f"dir:{programs}", f"dir:{programs}/app", f"dir:{programs}/app/bin", f"exe:{path}"]
    for order in (targets, targets[::-1], targets[1:] + targets[:1]):
        rules = [sensor.add(target) for target in order]
        assert sensor.mask(path) == slots(*rules)
        for at, rule in enumerate(rules, 1):
            sensor.remove(rule.target)
            assert sensor.mask(path) == slots(*rules[at:])


def test_a_rule_in_anothers_place_keeps_its_slot_and_its_own_peers(
    sensor: Sensor, programs: Path
) -> None:
    target = f"exe:{programs}/app/bin/tool"
    first = sensor.add(target, mode="allow_only", peers=("192.0.2.1", "192.0.2.2"))
    second = sensor.add(target, mode="allow_only", peers=("192.0.2.2", "192.0.2.3"))
    assert first.slot == second.slot
    peers = {key[-4:] for key in sensor.tables.map("process_peers").keys()}  # noqa: SIM118
    assert peers == {bytes((192, 0, 2, 2)), bytes((192, 0, 2, 3))}
    third = sensor.add(target)
    assert sensor.tables.rules() == {third.slot: SlotRule(third.id)}
    assert not sensor.tables.map("process_peers").items()


def test_program_is_told_with_the_rule_on_it(sensor: Sensor, programs: Path) -> None:
    path = f"exe:{programs}/app/bin/tool"
    assert sensor.rules.on_program(path) is None
    for target in (f"dir:{programs}", f"dir:{programs}/app", path):
        rule = sensor.add(target)
        for who in (path, f"{path}@0123456789ab"):
            told = sensor.rules.on_program(who)
            assert told is not None
            assert told.id == rule.id
    other = sensor.rules.on_program(f"exe:{programs}/tool")
    assert other is not None
    assert other.id == 1
    assert sensor.rules.on_program("exe:/usr/bin/tool") is None


def test_counters_come_back_as_those_of_other_rules_do(sensor: Sensor, programs: Path) -> None:
    rule = sensor.add(f"dir:{programs}")
    assert rule.slot is not None
    hit = boot_ns()
    sensor.tables.put_rule(rule.slot, SlotRule(rule.id, 0, Counters(5, 500, hit, hit)))
    (changed,) = sensor.rules.count()
    (told,) = sensor.rules.blocks()
    assert changed == told
    assert (told.packets, told.bytes) == (5, 500)
    assert told.first_hit == told.last_hit
    assert told.latency_ms is not None
    assert 0 <= told.latency_ms < 10_000
    asyncio.run(sensor.rules.remove(RemoveBlock(str(rule.id))))
    assert not sensor.tables.rules()


def test_full_table_of_slots(sensor: Sensor, programs: Path) -> None:
    rules = [sensor.add(f"exe:{programs}/{number}") for number in PROCESS_SLOTS]
    assert sorted(each.slot or 0 for each in rules) == list(PROCESS_SLOTS)
    before = contents(sensor.tables)
    with pytest.raises(SensorError, match="64 processes") as error:
        sensor.add(f"dir:{programs}")
    assert error.value.code == "table_full"
    assert contents(sensor.tables) == before
    assert sensor.add(rules[63].target).slot == 63
    sensor.remove(rules[40].target)
    assert sensor.add(f"dir:{programs}").slot == 40
    assert sensor.mask(f"{programs}/63") == 1 << 63 | 1 << 40


def test_whoever_has_a_slot_next_inherits_nobody(
    sensor: Sensor, programs: Path, waiting: subprocess.Popen[bytes]
) -> None:
    sensor.processes.live = lambda: [LiveImage(5, b"/a", b"/a"), LiveImage(6, b"/b", b"/b")]
    sensor.add("exe:/a")
    assert sensor.tables.image_rules() == {5: 1}
    sensor.remove("exe:/a")
    # An exec that was on its way while the rule went.
    sensor.tables.put_image_rule(5, 1)
    sensor.tables.put_pid_rule(9, PidRule(1, 1))
    sensor.add("exe:/b")
    assert sensor.tables.image_rules() == {6: 1}
    assert sensor.tables.pid_rules() == {}


def test_images_follow_what_they_really_are(sensor: Sensor, programs: Path) -> None:
    tool = sensor.add(f"exe:{programs}/app/bin/tool")
    app = sensor.add(f"dir:{programs}/app")
    real = f"{programs}/app/bin/tool".encode()
    script = f"{programs}/app/script".encode()
    for image, executable, file, rules in (
        (11, real, real, slots(tool, app)),
        (12, real, b"./tool", slots(tool, app)),
        (13, real, b"/elsewhere/link", slots(tool, app)),
        (14, b"/usr/bin/python3.11", script, slots(app)),
        (15, b"/usr/bin/true", f"{programs}/app/../true".encode(), 0),
        (16, b"/usr/bin/true", f"{programs}//app/./true".encode(), slots(app)),
        (0, real, real, 0),
    ):
        sensor.processes.apply(image, executable, file)
        assert sensor.tables.image_rule(image) == rules, file
    # At the next exec by that name the kernel knows at once; relative names mean another file elsewhere.
    assert sensor.mask("/elsewhere/link") == slots(tool, app)
    assert sensor.mask("./tool") == 0
    # What the kernel found by the path that was asked for is taken back.
    sensor.tables.put_image_rule(17, slots(app))
    sensor.processes.apply(17, b"/usr/bin/true", b"/usr/bin/true")
    assert sensor.tables.image_rule(17) == 0
    # The link leads elsewhere by now.
    sensor.processes.apply(18, b"/usr/bin/true", b"/elsewhere/link")
    assert sensor.mask("/elsewhere/link") == 0
    sensor.processes.apply(13, real, b"/elsewhere/link")
    sensor.remove(app.target)
    assert sensor.mask("/elsewhere/link") == sensor.tables.image_rule(13) == slots(tool)
    sensor.remove(tool.target)
    assert sensor.mask("/elsewhere/link") == 0
    assert sensor.tables.image_rules() == {}


def test_other_names_are_bounded(sensor: Sensor, programs: Path) -> None:
    sensor.add(f"exe:{programs}/app/bin/tool")
    real = f"{programs}/app/bin/tool".encode()
    for number in range(MAX_ALIASES + 20):
        sensor.processes.apply(100 + number, real, b"/link/%d" % number)
    assert (
        len(sensor.tables.map("program_rules").items()) == MAX_ALIASES + 2
    )  # its own and its name
    assert sensor.mask("/link/19") == 0
    assert sensor.mask("/link/20") == 1
    sensor.processes.apply(7, real, b"/" + b"x" * 251)
    assert sensor.tables.image_rule(7) == 1


def test_what_runs_already_is_held_and_what_it_started(sensor: Sensor, programs: Path) -> None:
    shell, tool = (b"/bin/sh", b"/bin/sh"), (f"{programs}/x".encode(),) * 2
    live = [
        LiveImage(1, *tool),
        LiveImage(2, *shell, (tool,)),
        LiveImage(3, b"/bin/curl", b"curl", (shell, tool)),
        LiveImage(4, *shell),
    ]
    sensor.processes.live = lambda: live
    target = f"exe:{programs}/x"
    sensor.add(target)
    assert sensor.tables.image_rules() == {1: 1}
    sensor.add(target, children=True)
    assert sensor.tables.image_rules() == {1: 1, 2: 1, 3: 1}
    # What the kernel has handed down stays, however far it was.
    sensor.tables.put_image_rule(8, 1)
    sensor.processes.apply(8, b"/bin/true", b"/bin/true")
    assert sensor.tables.image_rule(8) == 1
    live.append(LiveImage(8, b"/bin/true", b"/bin/true"))
    sensor.add(target)
    assert sensor.tables.image_rules() == {1: 1}


def test_images_that_nobody_has_are_forgotten(sensor: Sensor, programs: Path) -> None:
    sensor.add(f"dir:{programs}")
    for image in (1, 2, 3):
        sensor.tables.put_image_rule(image, 1)
    sensor.tables.put_process(4000, Process(2, 1, 1))
    sockets: Map = sensor.tables.map("sockets")
    sockets.put(bytes(8), (3).to_bytes(8, "little") + bytes(sockets.value_size - 8))
    sensor.processes.forget_images()
    sockets.delete(bytes(8))
    assert set(sensor.tables.image_rules()) == {2, 3}


def test_process_with_its_children_until_none_is_left(sensor: Sensor) -> None:
    code = (
        "import os, subprocess, sys; c = subprocess.Popen(['sleep', '60'], stdout=2);"
        "print(c.pid, flush=True); input(); os._exit(0)"
    )
    command = [sys.executable, "-c", code]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        sensor.tables.put_process(parent.pid, Process(1, os.getpid(), 1))
        sensor.tables.put_process(child, Process(2, parent.pid, 1))
        # Older than what is said to have started it: its parent's number was another's then.
        sensor.tables.put_process(os.getpid(), Process(3, parent.pid, 1))
        rule = sensor.add(f"pid:{parent.pid}", children=True)
        every = PidRule(slots(rule), slots(rule))
        assert sensor.tables.pid_rules() == {parent.pid: every, child: every}
        sensor.add(rule.target)
        assert sensor.tables.pid_rules() == {parent.pid: PidRule(1, 0)}
        sensor.add(rule.target, children=True)
        assert sensor.rules.sweep() == []
        parent.communicate(b"\n")
        assert sensor.rules.sweep() == []
        assert set(sensor.tables.pid_rules()) == {child}
        os.kill(child, signal.SIGKILL)
        deadline = boot_ns() + 5 * 10**9
        while not (ended := sensor.rules.sweep()) and boot_ns() < deadline:
            pass
        assert [each.target for each in ended] == [rule.target]
    assert sensor.tables.pid_rules() == {}
    assert sensor.tables.settings()["pid_rules"] == 0


def test_number_that_is_another_processes_by_now_is_not_held(
    opened: tuple[Tables, ProcessTables],
    sensor: Sensor,
    tmp_path: Path,
    waiting: subprocess.Popen[bytes],
) -> None:
    rule = sensor.add(f"pid:{waiting.pid}")
    another = dataclasses.replace(rule, started=(rule.started or 0) - 1)
    asyncio.run(rules_file.write(tmp_path / RULES_FILE, [another], 2))
    again = Sensor(opened[0], sensor.tables, tmp_path)
    assert len(again.rules) == 0
    assert sensor.tables.pid_rules() == {}


def test_restart_takes_up_what_the_disk_says(
    opened: tuple[Tables, ProcessTables],
    sensor: Sensor,
    tmp_path: Path,
    programs: Path,
    waiting: subprocess.Popen[bytes],
) -> None:
    tool = sensor.add(f"exe:{programs}/tool", children=True)
    app = sensor.add(f"dir:{programs}/app", mode="allow_only", peers=("192.0.2.1",))
    number = sensor.add(f"pid:{waiting.pid}", children=True)
    sensor.tables.put_image_rule(4, slots(tool, app))
    assert app.slot is not None
    sensor.tables.put_rule(app.slot, SlotRule(app.id, 0, COUNTED, peers=True))
    before = contents(sensor.tables)
    again = Sensor(opened[0], sensor.tables, tmp_path)
    assert contents(sensor.tables) == before
    assert {each.id: each.packets for each in again.rules.blocks()}[app.id] == COUNTED.packets
    # What was never answered with success: in the kernel, and not on disk.
    sensor.add(f"exe:{programs}/never")
    asyncio.run(rules_file.write(tmp_path / RULES_FILE, [tool, app, number], 4))
    Sensor(opened[0], sensor.tables, tmp_path)
    assert contents(sensor.tables) == before


def test_order_that_fails_changes_nothing(
    sensor: Sensor, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = f"exe:{programs}/app/bin/tool"
    rule = sensor.add(target, mode="allow_only", peers=("192.0.2.1",))
    before = contents(sensor.tables)

    async def fails(*_: object) -> None:
        raise SensorError("storage_failed")

    monkeypatch.setattr(rules_file, "write", fails)
    for order in (target, f"dir:{programs}"):
        with pytest.raises(SensorError):
            sensor.add(order, children=True)
        with pytest.raises(SensorError):
            sensor.remove(target)
        assert contents(sensor.tables) == before
    assert list(sensor.rules) == [rule]


def test_where_nothing_watches_processes(
    opened: tuple[Tables, ProcessTables], sensor: Sensor, tmp_path: Path, programs: Path
) -> None:
    rule = sensor.add(f"dir:{programs}", confirm_within=60)
    without = Rules(tmp_path / RULES_FILE, opened[0])
    without.restore({})
    (block,) = without.blocks()
    assert (block.id, block.enforced) == (rule.id, False)
    with pytest.raises(SensorError, match="--cgroup none") as error:
        asyncio.run(without.add(AddBlock("exe:/bin/x"), lambda _, __: None))
    assert error.value.code == "missing_capability"
    asyncio.run(without.confirm(Confirm(rule.target)))
    again = Sensor(opened[0], sensor.tables, tmp_path)
    (block,) = again.rules.blocks()
    assert (block.enforced, block.confirm_by) == (True, None)


def test_most_entries_have_room(tables: ProcessTables) -> None:
    """A rule's longest path fits the kernel's key, and 64 rules with their links and all aliases its table."""
    rules = ProcessRules(tables, started)
    long = "/" + "x" * 249
    target = parse_target(f"exe:{long}")
    rules.put(ProcessRule(0, 1, target, 0), Counters())
    rules.put(ProcessRule(1, 2, parse_target(f"dir:{long}"), 0), Counters())
    value = tables.map("program_rules").get(program_key(long.encode() + b"\0"))
    assert value == (1).to_bytes(8, "little")
    value = tables.map("program_rules").get(program_key(long.encode() + b"/"))
    assert value == (2).to_bytes(8, "little")
    rules.take_out(0)
    rules.take_out(1)
    assert not tables.map("program_rules").items()
