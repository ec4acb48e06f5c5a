"""The devices live by a schedule that a seed decides, and come back after they were cut off."""

import itertools
import json
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lab import DEVICES, Lab, habits, tools


def plan(*arguments: str) -> list[dict[str, Any]]:
    """The schedule as the command prints it, in the system's Python and without root."""
    argv = tools.lab_command("traffic", "--plan", "--json", *arguments)
    events: list[dict[str, Any]] = json.loads(subprocess.check_output(argv, text=True, timeout=30))
    return events


def test_same_seed_gives_same_schedule_in_every_python() -> None:
    first = plan("--seed", "7", "--duration", "600")
    here = [event.as_dict() for event in habits.plan_until(7, list(DEVICES), 600)]
    assert first == json.loads(json.dumps(here))
    assert first != plan("--seed", "8", "--duration", "600")


def test_a_device_alone_keeps_its_schedule() -> None:
    together = [e for e in plan("--duration", "300") if e["device"] == "phone"]
    assert plan("--duration", "300", "--device", "phone") == together


def test_schedule_is_an_everyday_one() -> None:
    events = plan("--duration", "600")
    assert [e["at"] for e in events] == sorted(e["at"] for e in events)
    assert {e["device"] for e in events if e["at"] < 10} == set(DEVICES)
    for device in DEVICES:
        assert {e["family"] for e in plan("--duration", "3600", "--device", device)} == {4, 6}
    camera = sum(sum(e["sizes"]) for e in events if e["device"] == "camera")
    assert 1.4e6 < camera * 8 / 600 < 1.6e6
    plug = [e["at"] for e in events if e["device"] == "plug"]
    assert all(55 < b - a < 65 for a, b in itertools.pairwise(plug))


def counters(lab: Lab, device: str) -> tuple[int, int]:
    """Bytes up and down, as the device's own interface counts them."""
    out = lab.run(device, ["ip", "-json", "-s", "link", "show", "eth0"], check=True).stdout
    stats: Mapping[str, Any] = json.loads(out)[0]["stats64"]
    return stats["tx"]["bytes"], stats["rx"]["bytes"]


def children(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.lab
def test_every_device_lives(lab: Lab) -> None:
    before = {device: counters(lab, device) for device in DEVICES}
    done = subprocess.run(
        lab.command("traffic", "--duration", "16", "--speed", "2", "--json"),
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    tallies = json.loads(done.stdout)
    for device in DEVICES:
        tally = tallies[device]
        assert tally["done"] > 0, device
        assert tally["failed"] == 0, tally
        up, down = (a - b for a, b in zip(counters(lab, device), before[device], strict=True))
        assert up > tally["upload_bytes"], device
        assert down > tally["download_bytes"], device
    assert tallies["camera"]["upload_bytes"] > 10 * tallies["camera"]["download_bytes"]
    assert tallies["tv"]["download_bytes"] > 10 * tallies["tv"]["upload_bytes"]


@pytest.mark.lab
def test_device_comes_back_after_it_was_cut_off(lab: Lab) -> None:
    with subprocess.Popen(
        lab.command("traffic", "--device", "camera", "--json"), stdout=subprocess.PIPE, text=True
    ) as traffic:
        time.sleep(6)
        lab.run("gateway", ["ip", "link", "set", "camera", "down"], check=True)
        time.sleep(1)
        cut, _ = counters(lab, "camera")
        time.sleep(10)
        still, _ = counters(lab, "camera")
        lab.run("gateway", ["ip", "link", "set", "camera", "up"], check=True)
        time.sleep(10)
        back, _ = counters(lab, "camera")
        traffic.send_signal(signal.SIGINT)
        tally = json.loads(traffic.communicate(timeout=10)[0])["camera"]
    assert still - cut < 50_000
    assert back - still > 500_000
    assert tally["failed"] > 0
    assert traffic.returncode == 0


@pytest.mark.lab
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_orphan_is_left(lab: Lab, number: signal.Signals) -> None:
    with subprocess.Popen(lab.command("traffic"), stdout=subprocess.PIPE, text=True) as traffic:
        assert traffic.stdout
        assert "live their habits" in traffic.stdout.readline()
        time.sleep(2)
        devices = children(traffic.pid)
        assert len(devices) == len(DEVICES)
        traffic.send_signal(number)
        traffic.communicate(timeout=10)
    assert not [pid for pid in devices if Path(f"/proc/{pid}/ns/net").exists()]


@pytest.mark.lab
def test_down_ends_running_traffic(spare: Lab) -> None:
    spare.up()
    with subprocess.Popen(spare.command("traffic"), stdout=subprocess.PIPE, text=True) as traffic:
        assert traffic.stdout
        assert "live their habits" in traffic.stdout.readline()
        time.sleep(2)
        spare.down()
        traffic.communicate(timeout=10)
    assert traffic.returncode is not None


@pytest.mark.lab
def test_traffic_without_lab_says_what_to_do(spare: Lab) -> None:
    done = subprocess.run(
        spare.command("traffic"), capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 1
    assert f"run scripts/lab up --name {spare.name}" in done.stderr
