"""Patterns' files: what can be said in them, and that every mistake is an error with file and key."""

import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from hearthwall_sensor.errors import SensorError
from hearthwall_sensor.kinds import KINDS
from hearthwall_sensor.patterns import conditions
from hearthwall_sensor.patterns.pattern import BONDS, PATTERN_KINDS
from hearthwall_sensor.patterns.reading import KEYS, RULES, needed_calls, read, read_file, shipped
from hearthwall_sensor.patterns.standard_input import standard_input
from hearthwall_sensor.patterns.words import PLACEHOLDERS

ROOT = Path(__file__).resolve().parents[2]
GOOD = """
kind = "unexpected_process"
severity = "low"
says = "{program} talks to {peer}"
why = "It never did."

[[step]]
sees = "called"
call = ["write"]

[[step]]
sees = "executed"
file_of = 1

[[step]]
sees = "connected"
process_of = 2
"""


def test_the_files_are_there_and_make_sense() -> None:
    assert len(shipped()) >= 12
    assert {each.kind for each in shipped()} == set(PATTERN_KINDS)
    assert len({each.name for each in shipped()}) == len(shipped())
    assert all(KINDS[each.kind].of_programs for each in shipped())


def test_which_calls_have_to_be_traced() -> None:
    assert needed_calls(shipped()) == {"write", "chmod", "memfd", "socket", "ptrace"}
    assert needed_calls(tuple(each for each in shipped() if each.name == "new_talker")) == set()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('kind = "unexpected_process"', "", "kind is missing"),
        ('"unexpected_process"', '"beacon"', "kind is one of unexpected_process"),
        ('severity = "low"', 'severity = "lowly"', "severity is one of .*did you mean low"),
        ('why = "It never did."', "why = 3", "why is a text"),
        ("{peer}", "{service}", r"says names {service}; there are program"),
        ("{peer}", "{peer!r}", "says names its parts as {program}, without more"),
        ("{peer}", "{", "says "),
        ('sees = "called"', 'sees = "caled"', "step 1 sees is one of .*did you mean called"),
        ('call = ["write"]', "", "step call is missing"),
        ('call = ["write"]', 'call = ["fork"]', "step 1 call holds some of write"),
        ('call = ["write"]', 'call = "write"', "step 1 call is a list of texts"),
        ('call = ["write"]', "call = []", "step 1 call holds 1 to"),
        ("file_of = 1", "", "step 2 has one of file_of, process_of"),
        ("file_of = 1", "file_of = 1\nprocess_of = 1", "step 2 has one of"),
        ("file_of = 1", "file_of = 2", "step 2 file_of is the number of an earlier step"),
        ("process_of = 2", "file_of = 1", "file_of ties what is executed to what was called"),
        (
            "process_of = 2",
            "process_of = 2\nport = [1, 2]",
            "step 3: what is connected has no key 'port'",
        ),
        ("process_of = 2", "process_of = 2\noutgoing = 1", "step 3 outgoing is true or false"),
        ("process_of = 2", 'process_of = 2\nstdin = "socket"', "step stdin belongs to the first"),
        ("process_of = 2", "process_of = 2\n[[unless]]", "unless has a condition at least"),
        ("process_of = 2", 'process_of = 2\n[[unless]]\nstep = 4\nunit = ["x"]', "unless step"),
        ("process_of = 2", 'process_of = 2\n[unless]\nunit = ["x"]', "unless is written as"),
        ('severity = "low"', 'severity = "low"\nwithin = "soon"', "within is a time such as"),
        ('severity = "low"', 'severity = "low"\nlearns = "all"', "learns is one of talker"),
        ('severity = "low"', 'severity = "low"\ntechnique = "1059"', "technique is one of MITRE"),
        ('severity = "low"', 'severity = "low"\nsevere = 1', "there is no key 'severe'"),
        ('severity = "low"', "severity = ", "is no pattern"),
        ('severity = "low"', "#" * 20_000, "longer than 16 kB"),
    ],
)
def test_a_mistake_is_told_with_its_file_and_key(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    assert read_file(path).name == "mine"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(SensorError, match=said) as raised:
        read_file(path)
    assert "mine" in raised.value.message


def test_a_first_step_has_no_bond() -> None:
    document: dict[str, Any] = tomllib.loads(GOOD)
    document["step"] = [{"sees": "connected", "process_of": 1}]
    with pytest.raises(SensorError, match="step 1 is the first"):
        read("mine", document)


@pytest.mark.usefixtures("socket_enabled")
def test_standard_input_is_looked_at_as_it_is() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as caller:
        caller.connect(server.getsockname())
        ours, theirs = socket.socketpair()
        with ours, theirs:
            for stdin, is_connection in (
                (caller, True),
                (theirs, False),
                (subprocess.PIPE, False),
                (subprocess.DEVNULL, False),
            ):
                line = [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"]
                with subprocess.Popen(line, stdin=stdin, stdout=subprocess.PIPE) as process:
                    assert process.stdout is not None
                    process.stdout.readline()
                    found = standard_input(process.pid)
                    assert (found is not None) == is_connection
                    if found is not None:
                        assert found.peer[-4:] == bytes((127, 0, 0, 1))
                        assert found.peer_port == server.getsockname()[1]
                    process.kill()
                assert not standard_input(process.pid)


@pytest.mark.parametrize("table", ["tcp", "tcp6", "udp", "udp6"])
def test_any_table_of_sockets_may_have_it(tmp_path: Path, table: str) -> None:
    """Its inode is the tenth field; that of a line is no other's, nor is a number elsewhere."""
    process = tmp_path / "7"
    (process / "fd").mkdir(parents=True)
    (process / "net").mkdir()
    (process / "fd" / "0").symlink_to("socket:[42]")
    line = "0: 0100007F:1F90 00000000:0000 01 00000000:00000000 00:00000000 00000000 0 42 {} 1 00\n"
    (process / "net" / table).write_text("  sl  local_address\n" + line.format(421))
    assert not standard_input(7, tmp_path)
    (process / "net" / table).write_text("  sl  local_address\n" + line.format(42))
    assert standard_input(7, tmp_path)


# The page


def page() -> str:
    return (ROOT / "docs/detectors.md").read_text().split("## Patterns")[1].split("\n## ")[0]


def test_every_pattern_is_documented() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (\w+) \| (\S*) \| .+ \|$", page(), re.MULTILINE)
    assert rows == [
        (each.name, each.kind, each.severity, each.technique or "") for each in shipped()
    ]


def test_every_key_of_a_pattern_is_documented() -> None:
    told = set(re.findall(r"`{?(\w+)}?`", page()))
    for known in (KEYS, conditions.CONDITIONS, conditions.SEES, BONDS, PLACEHOLDERS):
        assert set(known) <= told
    assert set(conditions.CALLS) <= told


def test_every_file_says_in_its_first_line_what_it_is_for() -> None:
    for path in RULES.glob("*.toml"):
        assert re.match(r"# [A-Z].+\.\n", path.read_text()), path
