"""A demo that stands while tests look at it: its address and log-in, its lab, its parts."""

import asyncio
import json
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.household import Member
from demo.reach import Reach, Witness, witness
from demo.stage import SENSOR, Stage
from lab import tools

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Standing:
    """What scripts/demo said, and what it made."""

    stage: Stage
    path: str
    username: str
    password: str

    def look(self, *members: Member) -> list[Reach]:
        """Return what of these devices gets through, in and out, of what they open now."""

        async def all_of_them(witnesses: list[Witness]) -> list[Reach]:
            return await asyncio.gather(*(each.look() for each in witnesses))

        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            there = [
                stack.enter_context(witness(self.stage.lab, each.host, folder)) for each in members
            ]
            # Playwright's loop runs in this thread
            with ThreadPoolExecutor(1) as thread:
                return thread.submit(asyncio.run, all_of_them(there)).result()

    def kill_sensor(self) -> int:
        """Kill the sensor as a crash would; return which process it was."""
        pid: int = self._sensor("status")["pid"]
        subprocess.run(["/bin/kill", "-KILL", str(pid)], check=True)
        return pid

    def _sensor(self, command: str) -> Any:
        socket = ("--socket", str(self.stage.socket), "--json")
        argv = [tools.PYTHON, "-I", str(SENSOR), command, *socket]
        done = subprocess.run(argv, capture_output=True, check=True)
        return json.loads(done.stdout)

    @contextmanager
    def running(self, command: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run one of the lab's commands beside what the tests do."""
        with subprocess.Popen(
            self.stage.lab.command(command, *arguments), stdout=subprocess.DEVNULL
        ) as process:
            try:
                yield process
            finally:
                process.terminate()

    def first_arrival(self, host: str) -> float:
        """Return when the internet got a device's first datagram, as `time.monotonic` tells it."""
        while True:
            for stream in self.stage.lab.sink()["streams"]:
                if stream["label"] == host:
                    return float(stream["first_arrival_ns"]) / 1e9
            time.sleep(0.1)


@contextmanager
def standing(name: str, port: int) -> Iterator[Standing]:
    """Start a demo, and end it as Ctrl-C does."""
    argv = [ROOT / "scripts" / "demo", "--name", name, "--port", str(port)]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as demo:
        assert demo.stdout is not None
        said = ""
        try:
            for line in demo.stdout:
                said += line
                if "Password:" in line:
                    break
            told = re.search(r"http://localhost:\d+(/\S+)\s+User: +(\S+)\s+Password: (\S+)", said)
            assert told, said
            yield Standing(Stage(name), *told.groups())
        finally:
            demo.send_signal(signal.SIGINT)
            demo.communicate()
