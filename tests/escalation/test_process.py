"""The user tries root's processes."""

import json
from pathlib import Path

import pytest

from tests.escalation.home import Home

pytestmark = pytest.mark.lab

#: What a sensor that runs may still do.
KEPT = {"net_admin", "perfmon", "bpf"}
NUMBERS = {12: "net_admin", 38: "perfmon", 39: "bpf"}


@pytest.mark.parametrize("signal", ["KILL", "TERM", "STOP", "HUP", "USR1", "QUIT"])
def test_the_sensor_hears_no_signal_of_the_users(home: Home, signal: str) -> None:
    pid = home.pid
    done = home.shell(f"kill -{signal} {pid}")
    assert "not permitted" in done.stderr
    assert home.pid == pid


@pytest.mark.parametrize("name", ["environ", "mem", "maps", "fd", "cwd", "root", "exe", "stack"])
def test_the_sensors_inside_is_not_shown(home: Home, name: str) -> None:
    done = home.shell(f"cat /proc/{home.pid}/{name} >/dev/null || ls /proc/{home.pid}/{name}/")
    assert done.returncode != 0


def test_no_secret_and_no_file_of_the_users_is_in_a_command_line(home: Home) -> None:
    """Of any process that root runs here: everybody may read them."""
    token = home.token["token"]
    lines = [
        Path(f"/proc/{each}/cmdline").read_bytes().decode().split("\0")
        for each in home.system.processes
    ]
    assert any("run" in line and "hearthwall-sensor" in " ".join(line) for line in lines)
    for word in (word for line in lines for word in line):
        assert token not in word
        assert not word.startswith("/home")


def test_the_sensor_keeps_no_right_to_change_files_of_others(home: Home) -> None:
    """And can't get any back: neither it nor what it starts."""
    status = Path(f"/proc/{home.pid}/status").read_text()
    said = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    for kind in ("CapPrm", "CapEff", "CapBnd"):
        bits = int(said[kind], 16)
        assert {NUMBERS.get(each, str(each)) for each in range(64) if bits >> each & 1} <= KEPT
    assert said["NoNewPrivs"] == "1"


def test_the_users_word_does_not_make_a_token(home: Home) -> None:
    """A token outlives the group: only root hands one out, shows or revokes one."""
    before = json.loads(home.run("hearthwall-sensor", "token", "--list", "--json"))
    for words in (
        ["token", "theirs"],
        ["token", "--list"],
        ["token", "--revoke", "mine"],
        ["pair"],
    ):
        done = home.attempt("timeout", "10", "hearthwall-sensor", *words, "--json")
        assert done.returncode not in (0, 124), words
        assert home.token["token"] not in done.stdout
    assert json.loads(home.run("hearthwall-sensor", "token", "--list", "--json")) == before
