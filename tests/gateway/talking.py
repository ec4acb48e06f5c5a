"""The gateway's own programs for tests: one that talks, started in a cgroup of the test's own."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab import Lab
from lab.home import WEB
from tests.gateway.cgroup import TestCgroup
from tests.gateway.sensor_process import SensorProcess, until

SERVER = str(WEB.ipv4)
SERVER6 = str(WEB.ipv6)
REFUSED = "Operation not permitted"
#: The port of a server that sends back what it gets.
ECHO = "4444"
TALKER = Path(__file__).parent / "talker" / "talker.c"


class Gateway:
    """Runs programs on the gateway, in a cgroup."""

    def __init__(self, lab: Lab, cgroup: TestCgroup) -> None:
        self.lab = lab
        self.cgroup = cgroup

    def run(self, *line: str | Path, env: dict[str, str] | None = None) -> list[list[str]]:
        """Run a program to its end; return the words of what it said."""
        words = [f"{name}={value}" for name, value in (env or {}).items()]
        argv = self.cgroup.argv(["env", *words, *map(str, line)] if words else [*map(str, line)])
        done = self.lab.run("gateway", argv, timeout=120)
        return [each.split(" ", 2) for each in done.stdout.splitlines()]

    def start(self, *line: str | Path) -> subprocess.Popen[str]:
        """Start a program."""
        return self.lab.popen("gateway", self.cgroup.argv([*map(str, line)]))


@contextmanager
def watched(lab: Lab, folder: Path) -> Iterator[tuple[SensorProcess, Gateway]]:
    """Start a sensor that watches the processes of a cgroup; yield it, and the gateway as those see it."""
    cgroup = TestCgroup.make()
    sensor = SensorProcess(lab, folder)
    try:
        yield sensor.start("--cgroup", str(cgroup.path)), Gateway(lab, cgroup)
    finally:
        sensor.clean()
        cgroup.clean()


def flows_of(sensor: SensorProcess, program: Path | str, count: int = 1) -> list[dict[str, Any]]:
    """Return a program's flows, when there are so many."""
    found: list[dict[str, Any]] = []

    def look() -> bool:
        found[:] = sensor.call("flows", "--process", str(program), "--limit", "2000")
        return len(found) >= count

    until(look)
    return found


def programs(sensor: SensorProcess) -> dict[str, dict[str, Any]]:
    """Return the programs that are known, by their executables."""
    return {each["executable"]: each for each in sensor.call("processes", "--limit", "1000")}


def outcome(
    gateway: Gateway, program: Path | str, address: str = SERVER, way: str = "connect"
) -> str:
    """Return how a connection of a program goes."""
    ((_, _, said),) = gateway.run(program, way, address, "80", "1")
    return said


def answers(holding: subprocess.Popen[str], seconds: float) -> int:
    """Return how many answers an open connection gets in a time."""
    assert holding.stdout is not None
    os.set_blocking(holding.stdout.fileno(), False)
    found, ends = 0, time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            found += os.read(holding.stdout.fileno(), 4096).count(b"answer\n")
        except BlockingIOError:
            time.sleep(0.05)
    return found
