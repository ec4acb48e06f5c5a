"""A lab's gateway with a real systemd on it, and a copy of the sensor's programs to install there."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab import Lab
from tests.gateway.sensor_process import REPOSITORY

_SCRIPT = Path(__file__).with_name("systemd_host.bash")
UNIT = "hearthwall-sensor.service"


class SystemdHost:
    """The gateway: what an installation changes there is not this machine's."""

    def __init__(self, lab: Lab, name: str) -> None:
        self._lab = lab
        self._name = name
        self._outer: subprocess.Popen[bytes] | None = None
        self._first = 0

    def boot(self) -> None:
        """Start it, and wait until systemd takes orders."""
        self._outer = subprocess.Popen(self._lab.argv("gateway", [str(_SCRIPT), self._name]))
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            children = Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children").read_text()
            if children.split():
                self._first = int(children.split()[-1])  # those before are what bash left unwaited
                if self.run("systemctl", "is-active", "tested.target").stdout == "active\n":
                    return
            time.sleep(0.1)
        raise TimeoutError("systemd did not come up")

    def run(self, *words: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command there."""
        inside = ["nsenter", f"--target={self._first}", "--all", "--", *words]
        return subprocess.run(inside, capture_output=True, text=True, timeout=timeout, check=False)

    def write(self, path: str, text: str) -> None:
        """Write a file there."""
        inside = [
            "nsenter",
            f"--target={self._first}",
            "--all",
            "--",
            "install",
            "-D",
            "/dev/stdin",
            path,
        ]
        subprocess.run(inside, input=text, text=True, timeout=10, check=True)

    def do(self, *words: str) -> str:
        """Run a command there that must not fail; return what it prints."""
        done = self.run(*words)
        assert done.returncode == 0, f"{words}: {done.stdout}\n{done.stderr}\n{self.log()}"
        return done.stdout

    def call(self, *words: str) -> Any:
        """Run a command of the installed sensor; return its document."""
        return json.loads(self.do("hearthwall-sensor", words[0], "--json", *words[1:]))

    def show(self, name: str) -> str:
        """Return a property of the unit."""
        return self.do("systemctl", "show", "--value", f"--property={name}", UNIT).strip()

    def log(self) -> str:
        """Return what the unit has said."""
        words = ("journalctl", "--unit", UNIT, "--output=cat", "--no-pager")
        return self.run(*words).stdout if self._first else ""

    def files(self, *folders: str) -> set[str]:
        """Return all files and folders below these."""
        return set(self.do("find", *folders).splitlines())

    def halt(self) -> None:
        """End it, with all that runs there, and remove its cgroups."""
        if self._outer is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._first or self._outer.pid, signal.SIGKILL)
            self._outer.kill()
            self._outer.wait(10)
        for place in Path("/sys/fs/cgroup").rglob(self._name):
            for folder, _, _ in os.walk(place, topdown=False):
                _removed(Path(folder))


def _removed(cgroup: Path) -> None:
    """Remove a cgroup, once its last process has gone."""
    for _ in range(50):
        with contextlib.suppress(OSError):
            cgroup.rmdir()
            return
        time.sleep(0.05)


def copied(target: Path, version: str, *, damage: Sequence[str] = ()) -> str:
    """Copy the programs as another version with its own unit, some files damaged; return the command."""
    shutil.copytree(REPOSITORY / "bpf", target, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    stated = target / "hearthwall_sensor" / "__init__.py"
    stated.write_text(
        "".join(
            f'__version__ = "{version}"\n' if line.startswith("__version__") else line
            for line in stated.read_text().splitlines(keepends=True)
        )
    )
    template = target / "hearthwall_sensor" / "installation" / f"{UNIT}.in"
    template.write_text(
        template.read_text().replace("Description=Hearthwall sensor", f"Description={version}")
    )
    for name in damage:
        path = target / "hearthwall_sensor" / name
        path.write_text(path.read_text().replace("async def main(", "async def _gone("))
    return str(target / "hearthwall-sensor")
