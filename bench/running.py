"""A sensor that runs as its users run it, on the gateway of a measurement."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.hearthwall import command
from bench.network import Namespace
from hearthwall_sensor.kernel import loader, pins
from hearthwall_sensor.kernel.tables import Tables


class Running:
    """One sensor."""

    def __init__(self, host: Namespace, folder: Path, pid: int) -> None:
        self._host = host
        self._socket = str(folder / "s.sock")
        self.pid = pid

    def ask(self, name: str, *arguments: str) -> Any:
        """Run one of its commands and return its document; raises OSError."""
        at = ("--socket", self._socket, "--json")
        return json.loads(self._host.run(*command(name, *at, *arguments)))

    @contextmanager
    def tables(self) -> Iterator[Tables]:
        """Give the kernel's tables, to look at beside the sensor."""
        tables = Tables(str(pins.Pins(self._socket).generation(loader.generation())))
        try:
            yield tables
        finally:
            tables.close()


@contextmanager
def running(host: Namespace, interface: str, folder: Path, *options: str) -> Iterator[Running]:
    """Run a sensor, and leave nothing of it in the kernel; its state is kept in folder and may be used again."""
    folder.mkdir(exist_ok=True)
    at = ("--socket", str(folder / "s.sock"), "--state-dir", str(folder / "state"))
    line = host.argv(
        command("run", "--interface", interface, *at, "--json", "--supervised", *options)
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        )
    sensor = Running(host, folder, process.pid)
    try:
        if process.stdout is None or process.stdout.readline() != "READY\n":
            raise OSError(f"the sensor does not start: {(folder / 'log').read_text()[-400:]}")
        yield sensor
    finally:
        process.terminate()
        process.wait(10)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        sensor.ask("unload", "--forget")
