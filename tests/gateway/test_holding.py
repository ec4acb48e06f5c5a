"""Who holds a sensor's lock and is killed for it, and whose programs are a running sensor's."""

import asyncio
import contextlib
import fcntl
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hearthwall_sensor import holding
from hearthwall_sensor.kernel.presence import Presence, is_running
from hearthwall_sensor.protocol import SensorError

pytestmark = pytest.mark.lab

#: Holds a lock as a sensor does that does nothing else any more.
HOLD = """
import fcntl, signal, sys, time
lock = open(sys.argv[1], "w")
fcntl.flock(lock, fcntl.LOCK_EX)
if "deaf" in sys.argv:
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
print("holds", flush=True)
time.sleep(300)
"""
#: No number of a program's: the kernel gives none so high.
PROGRAM = 2**32 - 7
#: Says it runs, but as somebody else.
CLAIM = f"""
import socket, sys, time
link = socket.socket(socket.AF_UNIX)
link.bind("\\0hearthwall/program/{PROGRAM}")
link.listen(0)
held = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) for _ in range(2)]
try:
    for each in held if "full" in sys.argv else []:
        each.connect(link.getsockname())
except BlockingIOError:
    pass
print("holds", flush=True)
time.sleep(300)
"""

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def run(*line: str) -> subprocess.Popen[str]:
        started.append(subprocess.Popen(line, stdout=subprocess.PIPE, text=True))
        output = started[-1].stdout
        assert output is not None
        assert output.readline() == "holds\n"
        return started[-1]

    yield run
    for each in started:
        each.kill()
        each.communicate()


@pytest.mark.parametrize(("how", "ended_by"), [("", signal.SIGUSR1), ("deaf", signal.SIGKILL)])
def test_a_sensor_that_is_stopped_is_killed(
    tmp_path: Path, start: Start, how: str, ended_by: signal.Signals
) -> None:
    socket = str(tmp_path / "s.sock")
    sensor = start(
        sys.executable, "-c", HOLD, f"{socket}.lock", "/usr/sbin/hearthwall-sensor", "run", how
    )
    sensor.send_signal(signal.SIGSTOP)
    assert holding.kill(socket) == sensor.pid
    assert sensor.wait(10) == -ended_by


def test_nobody_else_is_killed(tmp_path: Path, start: Start) -> None:
    socket = str(tmp_path / "s.sock")
    command = start(
        sys.executable, "-c", HOLD, f"{socket}.lock", "/usr/sbin/hearthwall-sensor", "unload"
    )
    with pytest.raises(SensorError, match="does not answer"):
        holding.kill(socket)
    assert command.poll() is None
    with pytest.raises(SensorError, match="does not answer"):
        holding.kill(str(tmp_path / "of-nobody"))


def test_a_strangers_file_of_the_same_number_protects_none(tmp_path: Path, start: Start) -> None:
    """Anybody may lock a file of their own, in a file system of their own, and be called what they like."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    line = (sys.executable, "-c", HOLD)
    with contextlib.ExitStack() as mounted:
        for folder in (theirs, ours):  # new file systems, whose first files have the same number
            folder.mkdir()
            subprocess.run(["mount", "-t", "tmpfs", "tried", folder], check=True)
            mounted.callback(subprocess.run, ["umount", "--lazy", folder], check=True)
        start(*line, str(theirs / "s.sock.lock"), "hearthwall-sensor", "run", "deaf")
        sensor = start(*line, str(ours / "s.sock.lock"), "/usr/sbin/hearthwall-sensor", "run")
        numbers = {(folder / "s.sock.lock").stat().st_ino for folder in (ours, theirs)}
        assert len(numbers) == 1
        assert holding._holders(str(ours / "s.sock.lock")) == [sensor.pid]
        assert holding.kill(str(ours / "s.sock")) == sensor.pid
        assert sensor.wait(10) == -signal.SIGUSR1


def test_a_lock_of_ours_is_no_sensor(tmp_path: Path) -> None:
    with (tmp_path / "s.sock.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(SensorError, match="does not answer"):
            holding.kill(str(tmp_path / "s.sock"))


async def test_a_program_is_a_running_sensors_as_long_as_it_says_so() -> None:
    assert not await asyncio.to_thread(is_running, PROGRAM)
    presence = Presence()
    presence.say([PROGRAM])
    for _ in range(100):  # whoever asks takes no place for long
        assert await asyncio.to_thread(is_running, PROGRAM)
    presence.end()
    assert not await asyncio.to_thread(is_running, PROGRAM)


_NOBODY = ("setpriv", "--reuid=65534", "--clear-groups")


@pytest.mark.parametrize("queue", ["", "full"])
def test_somebody_elses_word_does_not_count(start: Start, queue: str) -> None:
    start(*_NOBODY, "/usr/bin/python3", "-c", CLAIM, queue)
    assert not is_running(PROGRAM)


def test_a_sensor_that_has_no_time_to_answer_runs(start: Start) -> None:
    start("/usr/bin/python3", "-c", CLAIM, "full")
    assert is_running(PROGRAM)
