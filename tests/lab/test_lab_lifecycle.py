"""The lab comes up, goes down and leaves nothing behind, whatever happens meanwhile."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab import DEVICES, Lab, LabError, tools
from lab.lab import names

pytestmark = pytest.mark.lab


def traces(name: str) -> list[str]:
    """Everything on this machine that belongs to the lab, processes included."""
    found = [str(path) for path in Path("/run/netns").glob(f"hw-{name}-*")]
    found += [str(path) for path in Path("/run/hearthwall-lab").glob(f"{name}*")]
    found += [str(path) for path in Path("/etc/netns").glob(f"hw-{name}-*")]
    found += [
        line for line in Path("/proc/mounts").read_text().splitlines() if f"hw-{name}-" in line
    ]
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                command = (entry / "cmdline").read_bytes().decode().split("\0")
            except OSError:
                continue
            if str(tools.LAUNCHER) in command and name in command:
                found.append(" ".join(command))
    return found


def call(lab: Lab, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        lab.command(command, *arguments), capture_output=True, text=True, timeout=60, check=False
    )


def test_up_then_down_leaves_nothing(spare: Lab) -> None:
    assert spare.status().state == "down"
    assert spare.up()
    assert spare.status().state == "up"
    assert spare.name in names()
    assert spare.down()
    assert spare.status().state == "down"
    assert spare.name not in names()
    assert traces(spare.name) == []


def test_nothing_is_added_to_the_machines_own_interfaces(spare: Lab) -> None:
    before = {path.name for path in Path("/sys/class/net").iterdir()}
    spare.up()
    added = {path.name for path in Path("/sys/class/net").iterdir()} - before
    assert not added & {"br-lan", "wan", "uplink", "eth0", *DEVICES}


def test_up_again_changes_nothing(spare: Lab) -> None:
    spare.up()
    server = spare.status().server_pid
    assert "is up already" in call(spare, "up").stdout
    assert spare.status().server_pid == server


def test_down_without_lab_succeeds(spare: Lab) -> None:
    done = call(spare, "down")
    assert (done.returncode, "down already" in done.stdout) == (0, True)


def test_status_tells_by_exit_code_and_json(spare: Lab) -> None:
    down = call(spare, "status", "--json")
    assert (down.returncode, json.loads(down.stdout)["state"]) == (3, "down")
    spare.up()
    up = call(spare, "status", "--json")
    assert (up.returncode, json.loads(up.stdout)["state"]) == (0, "up")
    camera = next(h for h in json.loads(up.stdout)["hosts"] if h["name"] == "camera")
    assert camera == {
        "name": "camera",
        "namespace": f"hw-{spare.name}-camera",
        "interface": "eth0",
        "mac": "00:00:5e:00:53:21",
        "addresses": ["192.168.20.21", "2001:db8:20::21"],
        "segment": "iot",
    }


def test_up_repairs_a_lab_without_its_server(spare: Lab) -> None:
    spare.up()
    pid = spare.status().server_pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while spare.status().state == "up" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert spare.status().state == "broken"
    assert spare.up()
    assert spare.status().state == "up"


@pytest.mark.parametrize(
    "damage",
    [
        ("link", "set", "camera", "down"),
        ("link", "del", "tv"),
        ("link", "set", "plug", "nomaster"),
        ("address", "del", "192.168.10.1/24", "dev", "br-lan"),
    ],
    ids=" ".join,
)
def test_up_repairs_a_damaged_network(spare: Lab, damage: tuple[str, ...]) -> None:
    spare.up()
    spare.run("gateway", ["ip", *damage], check=True)
    assert spare.status().state == "broken"
    assert spare.up()
    assert spare.status().state == "up"


@pytest.mark.parametrize("host", ["phone", "gateway", "internet"])
def test_up_repairs_a_lab_without_one_namespace(spare: Lab, host: str) -> None:
    spare.up()
    subprocess.run(["ip", "netns", "del", spare.netns(host).name], check=True)
    assert spare.status().state == "broken"
    assert spare.up()
    assert spare.status().state == "up"
    spare.down()
    assert traces(spare.name) == []


@pytest.mark.parametrize("milliseconds", range(40, 520, 40))
def test_killed_up_can_be_taken_down(spare: Lab, milliseconds: int) -> None:
    with subprocess.Popen(spare.command("up"), stdout=subprocess.DEVNULL) as process:
        time.sleep(milliseconds / 1000)
        process.kill()
    assert call(spare, "down").returncode == 0
    assert traces(spare.name) == []


@pytest.mark.parametrize("milliseconds", [100, 200, 300])
def test_killed_up_can_be_repeated(spare: Lab, milliseconds: int) -> None:
    with subprocess.Popen(spare.command("up"), stdout=subprocess.DEVNULL) as process:
        time.sleep(milliseconds / 1000)
        process.kill()
    assert call(spare, "up").returncode == 0
    assert spare.status().problems == ()


def test_down_ends_what_runs_on_the_hosts(spare: Lab) -> None:
    spare.up()
    # A shell that ignores SIGTERM, as people's shells do
    stubborn = spare.popen("laptop", ["sh", "-c", "trap '' TERM; echo ready; sleep 60; sleep 60"])
    assert stubborn.stdout
    assert stubborn.stdout.readline() == "ready\n"
    spare.down()
    assert stubborn.wait(timeout=5) == -signal.SIGKILL
    stubborn.communicate()
    assert traces(spare.name) == []


def test_down_spares_a_stranger_with_a_recycled_pid(spare: Lab) -> None:
    spare.up()
    record = spare.run_directory.path / "internet.pid"
    with subprocess.Popen(["sleep", "60"]) as stranger:
        record.write_text(json.dumps({"pid": stranger.pid, "started": 1}))
        assert spare.status().state == "broken"
        spare.down()
        assert stranger.poll() is None
        stranger.kill()


def test_two_labs_side_by_side(lab: Lab, spare: Lab) -> None:
    spare.up()
    spare.reset_sink()
    lab.reset_sink()
    sent = call(spare, "send", "--from", "camera", "--rate", "100", "--seconds", "0.2")
    assert json.loads(sent.stdout)["sent"] == 20
    assert [s["count"] for s in spare.sink()["streams"]] == [20]
    assert lab.sink()["streams"] == []
    spare.down()
    assert lab.status().state == "up"


def test_exec_passes_everything_through(lab: Lab) -> None:
    done = subprocess.run(
        lab.command("exec", "tv", "sh", "-c", "cat; echo error >&2; exit 7"),
        input="input", capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (7, "input", "error\n")


def test_exec_keeps_the_machines_sys(lab: Lab) -> None:
    mounts = lab.run("gateway", ["cat", "/proc/self/mounts"]).stdout
    assert mounts == Path("/proc/self/mounts").read_text()


@pytest.mark.parametrize("name", ["", "Home", "a-b", "../x", "1st", "muchtoolonganame", "a b"])
def test_bad_names_are_refused(name: str) -> None:
    with pytest.raises(LabError, match="lower-case letters and digits"):
        Lab(name)
    done = subprocess.run(
        [str(tools.LAUNCHER), "up", f"--name={name}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "lower-case letters and digits" in done.stderr


def test_unknown_host_is_refused(lab: Lab) -> None:
    with pytest.raises(LabError, match="no host of the lab"):
        lab.run("toaster", ["true"])


def test_exec_without_lab_says_what_to_do(spare: Lab) -> None:
    done = call(spare, "exec", "tv", "true")
    assert done.returncode == 1
    assert f"run scripts/lab up --name {spare.name}" in done.stderr


@pytest.mark.parametrize("command", ["up", "down", "status", "list"])
def test_needs_root(command: str) -> None:
    program = (
        f"import os, sys; sys.path.append({str(tools.LAUNCHER.parent.parent)!r}); from lab import cli;"
        f"sys.argv = ['lab', {command!r}]; os.seteuid(65534); sys.exit(cli.main())"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert f"needs root: run sudo scripts/lab {command}" in done.stderr


def test_missing_tool_names_its_package(monkeypatch: pytest.MonkeyPatch, spare: Lab) -> None:
    monkeypatch.setattr(tools, "FOLDERS", ("/nonexistent",))
    with pytest.raises(LabError, match=r"apt-get install .*iproute2.*nftables"):
        spare.up()
