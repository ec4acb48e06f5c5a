"""Sensors come and go: what ran before is known, and a rule on a program holds until it ends."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import Lab
from tests.gateway.cgroup import TestCgroup
from tests.gateway.sensor_process import SensorProcess, until
from tests.gateway.talking import (
    ECHO,
    REFUSED,
    SERVER,
    Gateway,
    answers,
    flows_of,
    outcome,
    programs,
    watched,
)

pytestmark = pytest.mark.lab


@pytest.fixture
def talker(built: Path, tmp_path: Path) -> Path:
    """The program that talks, under a path of this test's own."""
    return Path(shutil.copy(built, tmp_path / "talker"))


@pytest.fixture
def echo(lab: Lab, built: Path) -> Iterator[None]:
    """A server on the internet that sends back what it gets, to one after the other."""
    server = lab.popen("internet", [str(built), "serve", ECHO, "100"])
    assert server.stdout is not None
    server.stdout.readline()
    yield
    server.kill()
    server.wait(10)


@pytest.fixture
def own(lab: Lab, tmp_path: Path) -> Iterator[tuple[SensorProcess, Gateway]]:
    """A sensor of the test's own, which it may kill, and its gateway."""
    with watched(lab, tmp_path) as scene:
        yield scene


def test_what_ran_before_the_sensor_did(idle: SensorProcess, lab: Lab, talker: Path) -> None:
    """Its open connections and its listeners are known as well."""
    cgroup = TestCgroup.make()
    gateway = Gateway(lab, cgroup)
    echoing = lab.popen("internet", [str(talker), "serve", "4444", "1"])
    assert echoing.stdout is not None
    echoing.stdout.readline()
    holding = gateway.start(talker, "hold", SERVER, "4444")
    serving = gateway.start(talker, "serve", "4322", "1")
    assert holding.stdout is not None
    assert serving.stdout is not None
    port = int(holding.stdout.readline().split()[1])
    serving.stdout.readline()
    idle.start("--cgroup", str(cgroup.path))
    (flow,) = flows_of(idle, talker)
    assert (flow["port"], flow["process_details"]["pid"]) == (port, holding.pid)
    assert until(lambda: "tcp/4322" in programs(idle)[str(talker)]["listens"])
    for each in (holding, serving, echoing):
        each.kill()
        each.wait(10)
    idle.stop()
    cgroup.clean()


@pytest.mark.usefixtures("echo")
def test_what_was_open_before_the_sensor_came_stalls(
    idle: SensorProcess, lab: Lab, talker: Path
) -> None:
    cgroup = TestCgroup.make()
    gateway = Gateway(lab, cgroup)
    holding = gateway.start(talker, "hold", SERVER, ECHO)
    assert answers(holding, 1.0) > 3
    idle.start("--cgroup", str(gateway.cgroup.path))
    idle.call("block", f"pid:{holding.pid}")
    answers(holding, 0.3)
    assert answers(holding, 1.0) == 0
    holding.kill()
    holding.wait(10)
    idle.stop()
    cgroup.clean()


def test_it_ends_by_itself_though_the_sensor_is_dead(
    own: tuple[SensorProcess, Gateway], talker: Path
) -> None:
    watching, gateway = own
    watching.call("block", f"exe:{talker}", "--duration", "3s")
    ends = time.monotonic() + 3
    assert outcome(gateway, talker) == REFUSED
    watching.kill()
    assert outcome(gateway, talker) == REFUSED
    time.sleep(max(0.0, ends - time.monotonic()) + 0.2)
    assert outcome(gateway, talker) == "ok"


def test_it_holds_while_the_sensor_is_dead_and_after_it_comes_back(
    own: tuple[SensorProcess, Gateway], talker: Path
) -> None:
    """The kernel knows what starts meanwhile."""
    watching, gateway = own
    watching.call("block", f"exe:{talker}")
    watching.kill()
    assert outcome(gateway, talker) == REFUSED
    watching.start("--cgroup", str(gateway.cgroup.path))
    assert outcome(gateway, talker) == REFUSED
    watching.call("unblock", f"exe:{talker}")
    assert outcome(gateway, talker) == "ok"


def test_unload_takes_it_out(own: tuple[SensorProcess, Gateway], talker: Path) -> None:
    watching, gateway = own
    watching.call("block", f"exe:{talker}")
    assert outcome(gateway, talker) == REFUSED
    watching.call("unload")
    assert outcome(gateway, talker) == "ok"


def test_it_holds_though_nobody_reads_what_the_kernel_tells(
    own: tuple[SensorProcess, Gateway], talker: Path
) -> None:
    """The ring is full long before the end: the rules do not hang on it."""
    watching, gateway = own
    watching.call("block", f"exe:{talker}")
    watching.kill()
    gateway.run("sh", "-c", "for i in $(seq 1600); do /bin/true; done")
    assert outcome(gateway, talker) == REFUSED
