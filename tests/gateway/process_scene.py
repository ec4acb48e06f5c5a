"""A gateway whose programs do what intrusions do, under the eyes of a sensor that has learnt for a few seconds."""

import itertools
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from lab import Lab
from tests.gateway.cgroup import TestCgroup, compiled
from tests.gateway.sensor_process import SensorProcess, command, until

TALKER: Final = Path(__file__).parent / "talker" / "talker.c"
PYTHON: Final = Path("/usr/bin/python3").resolve()
#: Programs lie here that are none of a folder that anybody may write to.
PLACE: Final = Path("/opt")
#: Anybody may put files there.
WRITABLE: Final = tuple(map(Path, ("/tmp", "/var/tmp", "/dev/shm", "/run/lock")))
HOMES: Final = Path("/home")
_LEARNING: Final = 2


class ProcessScene:
    """One gateway, one sensor, and what was told."""

    def __init__(self, lab: Lab, cgroup: TestCgroup, folder: Path, place: Path) -> None:
        """Take the lab, whose processes are watched, where files go, and where innocent programs lie."""
        self.lab = lab
        self.cgroup = cgroup
        self.sensor = SensorProcess(lab, folder)
        self.place = place
        #: A folder for programs that lies where anybody may put files.
        self.writable = WRITABLE[0] / place.name
        #: A program that called the internet while that was learnt.
        self.learnt = place / "learnt"
        self.talker = compiled(TALKER, folder / "talker")
        self.told: list[tuple[dict[str, Any], float]] = []
        #: How long it took from what a program did to the event, by pattern.
        self.took: dict[str, float] = {}
        self._numbers = itertools.count()
        self._groups: dict[str, TestCgroup] = {}
        self._policy = folder / "policy.toml"
        self._follower: subprocess.Popen[str] | None = None
        self._running: list[subprocess.Popen[str]] = []

    def begin(self) -> None:
        """Start the sensor, and listen to it."""
        self._policy.write_text(f'[all]\nlearning = "{_LEARNING}s"\n')
        self.sensor.start("--cgroup", str(self.cgroup.path), "--policy", str(self._policy))
        line = command(
            "events", "--socket", self.sensor.socket, "--json", "--follow", "--since", "0"
        )
        self._follower = subprocess.Popen(
            self.lab.argv("gateway", line), stdout=subprocess.PIPE, text=True
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def end_learning(self) -> None:
        """Wait until what is new is told."""
        time.sleep(_LEARNING + 0.5)

    def end(self) -> None:
        """End whatever runs."""
        for each in (*self._running, *filter(None, (self._follower,))):
            each.kill()
            each.wait(10)
        self.sensor.clean()

    # Programs

    def program(self, source: Path, name: str, under: Path | None = None) -> Path:
        """Put a program into a folder of its own, so that it is one that nobody knows."""
        folder = (self.place if under is None else under) / str(next(self._numbers))
        folder.mkdir(parents=True)
        return Path(shutil.copy(source, folder / name))

    def group(self, name: str) -> TestCgroup:
        """Return a cgroup within the one that is watched."""
        if name not in self._groups:
            self._groups[name] = self.cgroup.child(name)
        return self._groups[name]

    def argv(self, *line: str | Path, group: TestCgroup | None = None) -> list[str]:
        """Return the command line of a program in the watched cgroup, or in one within it."""
        return (self.cgroup if group is None else group).argv([*map(str, line)])

    def run(self, *line: str | Path, group: TestCgroup | None = None) -> str:
        """Run a program to its end; return what it said."""
        return self.lab.run("gateway", self.argv(*line, group=group), timeout=60).stdout

    def start(
        self, *line: str | Path, host: str = "gateway", words: Sequence[str] = ()
    ) -> subprocess.Popen[str]:
        """Start a program that ends with the scene, and wait for its first line."""
        argv = self.argv(*line) if host == "gateway" else [*map(str, line)]
        process = self.lab.popen(host, [*argv, *words])
        self._running.append(process)
        assert process.stdout is not None
        assert process.stdout.readline()
        return process

    def call(self, program: Path, address: str, port: int = 80) -> str:
        """Let a program call somebody once; return how that went."""
        return self.run(program, "connect", address, str(port), "1").split(" ", 2)[2].strip()

    # Events

    def of(self, program: Path | str, pattern: str | None = None) -> list[dict[str, Any]]:
        """Return the events of a program, or those of a pattern that have it in their chain."""
        return [
            event
            for event, _ in list(self.told)
            if str(program) in (event["process"], *executables(event))
            and pattern in (None, event["evidence"].get("pattern"))
        ]

    def event(self, pattern: str, program: Path | str, began: float) -> dict[str, Any]:
        """Return a pattern's event of a program, when there is one."""
        return self.first((pattern,), program, began)

    def first(self, patterns: Sequence[str], program: Path | str, began: float) -> dict[str, Any]:
        """Return the first event of one of some patterns."""

        def found() -> list[dict[str, Any]]:
            return [each for pattern in patterns for each in self.of(program, pattern)]

        said = [(event["process"], event["summary"]) for event, _ in self.told]
        assert until(lambda: bool(found()), 25), said
        event = found()[0]
        at = next(at for other, at in self.told if other is event)
        self.took.setdefault(event["evidence"]["pattern"], at - began)
        return event

    def is_silent(self, program: Path | str) -> bool:
        """Return whether nothing is told of a program, once somebody else was told of who acted later."""
        last = self.program(self.talker, "last", self.writable)
        began = time.time()
        self.call(last, "203.0.113.10")
        self.event("from_writable_place", last, began)
        return self.of(program) == []

    def _listen(self) -> None:
        assert self._follower is not None
        assert self._follower.stdout is not None
        for line in self._follower.stdout:
            self.told.append((json.loads(line), time.time()))


def executables(event: dict[str, Any]) -> list[str]:
    """Return the executables of an event's chain, the youngest first."""
    return [each["executable"] for each in event["evidence"].get("chain", ())]


@contextmanager
def process_scene(lab: Lab, folder: Path) -> Iterator[ProcessScene]:
    """Give a gateway with a sensor that watches one cgroup."""
    cgroup = TestCgroup.make()
    place = PLACE / cgroup.path.name
    scene = ProcessScene(lab, cgroup, folder, place)
    try:
        scene.begin()
        yield scene
    finally:
        scene.end()
        cgroup.clean()
        for each in (PLACE, *WRITABLE, HOMES):
            shutil.rmtree(each / place.name, ignore_errors=True)
