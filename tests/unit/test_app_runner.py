"""The app's first process: what is silent is ended and started again, and an end is one, whatever the sensor does."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.app import APP

#: Says that it is up, in the sensor's own words, and then does as it is told.
SENSOR = """
import os, signal, sys, time
sys.path.insert(0, sys.argv[1])
from hearthwall_sensor.sd_notify import Notices
notices = Notices()
assert notices.is_watched
print("STARTED", flush=True)
if sys.argv[2] == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if sys.argv[2] == "unloaded":
    sys.exit(3)
if sys.argv[2] == "killed":
    os.kill(os.getpid(), signal.SIGUSR1)
if sys.argv[2] == "fails":
    sys.exit(7)
if sys.argv[2] != "slow":
    notices.up("Guarding")
if sys.argv[2] == "stopped":
    os.kill(os.getpid(), signal.SIGSTOP)
while True:
    if sys.argv[2] != "silent":
        notices.alive("Guarding")
    time.sleep(0.1)
"""
#: The app's program with less patience.
RUNNER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import run, watch
watch._SILENCE, watch._STARTING = 1.0, 2.0
run._LOOK, run._GRACE, run.PAUSES = 0.1, 0.5, (0.1,)
run.NOTICES = Path(sys.argv[2])
restart = sys.argv[3] == "restart"
sys.exit(run.Runner(sys.argv[4:], restart=restart).run())
"""


class Running:
    """The app's first process with such a sensor."""

    def __init__(self, folder: Path, does: str, *, restart: bool = True) -> None:
        self.log = folder / "log"
        sensor = [sys.executable, "-c", SENSOR, str(APP.parent / "bpf"), does]
        how = [str(APP), str(folder / "notices"), "restart" if restart else "once"]
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-B", "-c", RUNNER, *how, *sensor],
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self.log.read_text()

    def until(self, condition: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + 30
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.05)
        return condition()

    def starts(self, times: int) -> bool:
        return self.until(lambda: self.said.count("STARTED") >= times)

    def status(self) -> int:
        """Wait for its end."""
        return self._process.wait(30)

    def stop(self) -> int:
        self._process.terminate()
        return self.status()

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def kill(self) -> None:
        if not self.has_ended:
            self._process.kill()
            self._process.wait(10)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    all_of_them: list[Running] = []

    def start(does: str, *, restart: bool = True) -> Running:
        all_of_them.append(Running(tmp_path, does, restart=restart))
        return all_of_them[-1]

    yield start
    for each in all_of_them:
        each.kill()


@pytest.mark.parametrize("does", ["silent", "slow"])
def test_one_that_is_silent_is_ended_and_started_again(
    running: Callable[..., Running], does: str
) -> None:
    app = running(does)
    assert app.starts(2), app.said
    assert "The sensor hangs: it is ended" in app.said
    assert f"ended with status {-signal.SIGABRT}" in app.said
    assert app.stop() == 0


def test_one_that_can_not_even_be_asked_is_killed(running: Callable[..., Running]) -> None:
    app = running("stopped")
    assert app.starts(2), app.said
    assert f"ended with status {-signal.SIGKILL}" in app.said
    assert app.stop() == 0, "and an end is one"


def test_one_that_is_alive_is_left_alone(running: Callable[..., Running]) -> None:
    app = running("well")
    assert app.starts(1)
    time.sleep(2.5)
    assert app.said == "STARTED\n"
    assert app.stop() == 0


def test_one_that_does_not_end_is_killed_at_the_end(running: Callable[..., Running]) -> None:
    app = running("deaf")
    assert app.starts(1)
    time.sleep(0.3)
    assert app.stop() == 0
    assert "The kernel goes on guarding what it guarded" in app.said


@pytest.mark.parametrize("does", ["unloaded", "killed"])
def test_after_unload_it_stays_and_guards_no_more(
    running: Callable[..., Running], does: str
) -> None:
    """An engine that starts again what ends (`--restart unless-stopped`) would undo it."""
    app = running(does, restart=False)
    assert app.until(lambda: "has taken the sensor out of the kernel" in app.said)
    time.sleep(0.5)
    assert not app.has_ended
    assert app.said.count("STARTED") == 1
    assert app.stop() == 0


def test_without_restarts_it_ends_as_the_sensor_does(running: Callable[..., Running]) -> None:
    assert running("fails", restart=False).status() == 7


def test_nobody_else_says_that_the_sensor_is_alive(
    running: Callable[..., Running], tmp_path: Path
) -> None:
    app = running("well")
    assert app.starts(1)
    assert (tmp_path / "notices").stat().st_mode & 0o777 == 0o600
    assert app.stop() == 0
