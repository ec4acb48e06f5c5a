"""Programs that mean ill: whatever they call themselves, however many they are, nobody else is blamed."""

import ctypes
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import Lab
from tests.gateway.sensor_process import SensorProcess, until
from tests.gateway.talking import SERVER, Gateway, flows_of, programs, watched

pytestmark = pytest.mark.lab

ESCAPE = "\x1b[31mred\x07\r\n\u202e"


@pytest.fixture(scope="module")
def scene(
    lab: Lab, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[SensorProcess, Gateway]]:
    """One sensor for all of the file's tests, and the gateway."""
    with watched(lab, tmp_path_factory.mktemp("watching")) as scene:
        yield scene


@pytest.fixture
def watching(scene: tuple[SensorProcess, Gateway]) -> Iterator[SensorProcess]:
    """The sensor, which is none the worse for a test."""
    yield scene[0]
    assert scene[0].call("status")["lost"]["detectors_failed"] == 0
    assert "Traceback" not in scene[0].log.read_text()


@pytest.fixture
def gateway(scene: tuple[SensorProcess, Gateway]) -> Gateway:
    """The gateway, as its programs see it."""
    return scene[1]


def is_clean(text: str) -> bool:
    """Return whether a terminal would only show a text."""
    return all(each.isprintable() or each == "\n" for each in text)


@pytest.mark.parametrize("lasts", [True, False], ids=["lasting", "momentary"])
@pytest.mark.parametrize(
    "name",
    [
        b"line\nbreak",
        b"\x1b]0;title\x07",
        b"caf\xe9\xff\xfe",
        "r\u202etl".encode(),
        b"spaces at the end  ",
        b"at@0123456789ab",
        b"x" * 150,
    ],
)
def test_names_that_are_no_text(
    watching: SensorProcess,
    gateway: Gateway,
    built: Path,
    tmp_path: Path,
    name: bytes,
    lasts: bool,
) -> None:
    path = os.fsencode(tmp_path) + b"/" + name
    shutil.copy(built, path)
    way = [b"serve", b"5555", b"1"] if lasts else [b"connect", SERVER.encode(), b"80", b"1"]
    line = gateway.lab.argv("gateway", gateway.cgroup.argv([]))
    program = subprocess.Popen([*map(os.fsencode, line), path, *way], stdout=subprocess.PIPE)
    assert program.stdout is not None
    program.stdout.readline()
    shown = [each for each in programs(watching) if each.startswith(str(tmp_path))]
    assert until(lambda: any(each.startswith(str(tmp_path)) for each in programs(watching))), (
        programs(watching)
    )
    (shown,) = [each for each in programs(watching) if each.startswith(str(tmp_path))]
    assert is_clean(shown)
    for command in ("processes", "flows", "events"):
        assert is_clean(watching.say(command)), command
    # What is shown is what a rule takes, and it is about this very file.
    block = watching.call("block", f"exe:{shown}")
    program.kill()
    program.wait(10)
    said = subprocess.run(
        [*map(os.fsencode, line), path, b"connect", SERVER.encode(), b"80", b"1"],
        capture_output=True,
        check=False,
    )
    assert said.stdout.endswith(b"Operation not permitted\n"), said
    watching.call("unblock", str(block["id"]))


def test_long_and_hostile_words(
    watching: SensorProcess, gateway: Gateway, built: Path, tmp_path: Path
) -> None:
    program = shutil.copy(built, tmp_path / "words")
    gateway.run(program, "connect", SERVER, "80", "1", ESCAPE, "--token=hush", "x" * 100_000)
    (flow,) = flows_of(watching, program)
    told = flow["process_details"]["command_line"]
    assert len(told) <= 256
    assert is_clean(told)
    assert "hush" not in told
    assert is_clean(watching.say("flows"))


def test_an_executable_that_was_renamed_or_removed(
    watching: SensorProcess, gateway: Gateway, built: Path, tmp_path: Path
) -> None:
    removed = Path(shutil.copy(built, tmp_path / "removed"))
    renamed = Path(shutil.copy(built, tmp_path / "renamed"))
    script = (
        f"{removed} hold {SERVER} 80 & rm {removed}; {renamed} hold {SERVER} 80 &"
        f" mv {renamed} {renamed}-2; sleep 1"
    )
    gateway.run("bash", "-c", script)

    def are_known() -> bool:
        known = set(programs(watching))
        return str(removed) in known and bool({str(renamed), f"{renamed}-2"} & known)

    assert until(are_known), programs(watching).keys()


def test_a_number_that_comes_back_is_another_process(
    watching: SensorProcess, gateway: Gateway, built: Path, tmp_path: Path
) -> None:
    """The kernel gives a number again at once if it is told to (ns_last_pid)."""
    last = Path("/proc/sys/kernel/ns_last_pid")
    first = shutil.copy(built, tmp_path / "first")
    second = shutil.copy(built, tmp_path / "second")
    ((pid, port, _),) = gateway.run(first, "connect", SERVER, "80", "1")
    if last.exists():
        script = f"echo {int(pid) - 1} > {last}; {second} connect {SERVER} 80 1"
        told = gateway.run("sh", "-c", script)
    else:  # go once round
        ctypes.CDLL(None).sync()
        script = (
            f"i=0; while [ $i -lt 40000 ]; do o=$({second} connect {SERVER} 80 1); i=$((i+1));"
            f' case "$o" in "{pid} "*) echo "$o"; exit;; esac; done'
        )
        told = gateway.run("sh", "-c", script)
    assert told
    assert told[0][0] == pid
    flows_of(watching, first)
    flows_of(watching, second)
    by_port = {e["port"]: e["process"] for e in watching.call("flows", "--limit", "2000")}
    assert by_port[int(port)] == str(first)
    assert by_port[int(told[0][1])] == str(second)


def test_a_crowd_of_processes(
    watching: SensorProcess, gateway: Gateway, built: Path, tmp_path: Path
) -> None:
    """A bounded fork bomb: the sensor stays small, answers, and attributes what comes after it."""
    before = watching.call("status")["resident_bytes"]
    script = "for i in $(seq 8); do (for j in $(seq 400); do (:) & done; wait) & done; wait"
    begun = time.monotonic()
    gateway.run("bash", "-c", script)
    assert time.monotonic() - begun < 60
    after = watching.call("status")
    assert after["resident_bytes"] - before < 20_000_000
    program = shutil.copy(built, tmp_path / "after")
    gateway.run(program, "connect", SERVER, "80", "1")
    (flow,) = flows_of(watching, program)
    assert flow["process"] == str(program)


def test_more_programs_than_are_remembered(
    watching: SensorProcess, gateway: Gateway, built: Path, tmp_path: Path
) -> None:
    """Invented executables push out no more than each other, and are counted."""
    script = (
        f"cd {tmp_path}; for i in $(seq 1200); do ln -f {built} p$i 2>/dev/null || cp {built} p$i;"
        f" $PWD/p$i connect 127.0.0.1 1 1; done"
    )
    gateway.run("bash", "-c", script)
    assert until(lambda: watching.call("status")["lost"]["programs_evicted"] > 0)
    assert len(programs(watching)) <= 1024
