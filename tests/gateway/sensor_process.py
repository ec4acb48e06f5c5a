"""A real sensor on a lab's gateway, driven as its users drive it: by its command line."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab import Lab

REPOSITORY = Path(__file__).resolve().parents[2]
LAUNCHER = REPOSITORY / "bpf" / "hearthwall-sensor"


def command(*arguments: str, launcher: Path = LAUNCHER) -> list[str]:
    """Return the command line of a sensor command."""
    return ["/usr/bin/python3", "-I", str(launcher), *arguments]


class Refused(Exception):  # noqa: N818, reads as the tests say it
    """A command that answered with an error."""

    def __init__(self, error: dict[str, str]) -> None:
        super().__init__(error["message"])
        self.code = error["code"]
        self.message = error["message"]


class SensorProcess:
    """One sensor: its socket and state stay when it is killed and started again."""

    def __init__(self, lab: Lab, folder: Path, host: str = "gateway") -> None:
        self.lab = lab
        self.host = host
        self.socket = str(folder / "s.sock")
        self.state = folder / "state"
        self.launcher = LAUNCHER
        self.process: subprocess.Popen[str] | None = None
        self.log = folder / "sensor.log"

    def start(self, *options: str, interface: str = "br-lan") -> SensorProcess:
        """Start the sensor and return when it is ready; raises Refused."""
        arguments = [
            "--socket",
            self.socket,
            "--state-dir",
            str(self.state),
            "--supervised",
            "--json",
        ]
        if "--cgroup" not in options:
            arguments += ["--cgroup", "none"]  # all tests' processes are on this machine
        line = command(
            "run", "--interface", interface, *arguments, *options, launcher=self.launcher
        )
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                self.lab.argv(self.host, line),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        if said != "READY\n":
            self.process.wait(10)
            raise Refused(json.loads(said + self.process.stdout.read())["error"])
        return self

    @property
    def pid(self) -> int:
        """The running sensor's process."""
        assert self.process is not None
        return self.process.pid

    def kill(self) -> None:
        """End the sensor as a crash would."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> int:
        """End the sensor gracefully and return its exit status."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(10)

    def _run(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        line = command(name, "--socket", self.socket, *arguments, launcher=self.launcher)
        return subprocess.run(
            self.lab.argv(self.host, line), capture_output=True, text=True, timeout=30, check=False
        )

    def say(self, name: str, *arguments: str) -> str:
        """Run a command and return what it prints for people."""
        return self._run(name, *arguments).stdout

    def call(self, name: str, *arguments: str) -> Any:
        """Run a command with --json and return its document; raises Refused."""
        done = self._run(name, "--json", *arguments)
        document = json.loads(done.stdout)
        if isinstance(document, dict) and "error" in document:
            assert done.returncode == 1
            raise Refused(document["error"])
        return document

    def device(self, mac: str) -> dict[str, Any] | None:
        """Return a device, if the sensor knows it."""
        return next((each for each in self.call("devices") if each["mac"] == mac), None)

    def clean(self) -> None:
        """End the sensor and leave nothing in the kernel."""
        if self.process is not None and self.process.poll() is None:
            self.kill()
        for stream in (self.process.stdin, self.process.stdout) if self.process else ():
            if stream is not None:
                stream.close()
        self.launcher = LAUNCHER
        self.call("unload", "--forget")


def until(condition: Callable[[], bool], seconds: float = 15.0) -> bool:
    """Return whether the condition came true in time: meetings and flows are told of every 5 s, on disk 1 s later."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
