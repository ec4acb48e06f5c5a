"""Network namespaces of one measurement: named after its process, wired, and gone afterwards."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final, NamedTuple, TypeVar

from hearthwall_sensor.kernel import pins
from lab import netns, tools

#: Sockets, state and logs of this process's sensors and observers.
FOLDERS: Final = Path("/run")
_PREFIX: Final = "hwbench"
_OWNED: Final = re.compile(rf"{_PREFIX}-(\d+)\b")

Result = TypeVar("Result")


@contextmanager
def workplace() -> Iterator[Path]:
    """Give a folder of this process; what it and killed predecessors made is gone afterwards, also after Ctrl-C."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    folder = FOLDERS / f"{_PREFIX}-{os.getpid()}"
    pins.mount()
    clear()
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        clear(own=True)


def _end(number: int, _frame: FrameType | None) -> None:
    """Turn a signal into an orderly end."""
    sys.exit(128 + number)


def clear(*, own: bool = False) -> None:
    """Remove what this process, or one that has ended, left on the machine."""
    netns.remove(each.name for each in _left(netns.FOLDER, own=own))
    for folder in _left(pins.root(), own=own):
        pins.Pins(str((folder / "socket").readlink())).remove()
    for folder in _left(FOLDERS, own=own):
        shutil.rmtree(folder)


def _left(where: Path, *, own: bool) -> list[Path]:
    """Return what is named after this process, or after one that has ended."""
    found = []
    for each in where.iterdir() if where.is_dir() else ():
        match = _OWNED.search(each.name)
        if match and (
            own if int(match[1]) == os.getpid() else not Path("/proc", match[1]).exists()
        ):
            found.append(each)
    return found


class Namespace:
    """One host of a measurement."""

    def __init__(self, name: str) -> None:
        self.name = f"{_PREFIX}-{os.getpid()}-{name}"
        tools.call("ip", "netns", "add", self.name)
        self.ip("link set lo up")

    def ip(self, *lines: str) -> None:
        """Run lines of `ip -batch`."""
        tools.call(
            "ip", "-n", self.name, "-batch", "-", stdin="".join(f"{each}\n" for each in lines)
        )

    def argv(self, command: Sequence[str]) -> list[str]:
        """Return the command line that runs a command here; /sys stays as it is."""
        return [tools.find("nsenter"), f"--net={netns.path(self.name)}", "--", *command]

    def run(self, *command: str, stdin: str = "") -> str:
        """Run a command here and return what it prints."""
        done = subprocess.run(
            self.argv(command), input=stdin, capture_output=True, text=True, check=False, timeout=60
        )
        if done.returncode:
            said = (done.stderr or done.stdout).strip()
            raise OSError(f"{' '.join(command)} ended with {done.returncode}: {said}")
        return done.stdout

    def inside(self, function: Callable[[], Result]) -> Result:
        """Call a function in a thread that lives here, and is then thrown away."""
        with self.thread() as thread:
            return thread.submit(function).result()

    def thread(self) -> ThreadPoolExecutor:
        """Return a thread that lives here."""
        return ThreadPoolExecutor(1, initializer=netns.enter, initargs=(self.name,))

    def index(self, interface: str) -> int:
        """Return an interface's index."""
        return self.inside(lambda: socket.if_nametoindex(interface))

    def offload(self, interface: str, **features: bool) -> None:
        """Set offloads, such as gro=True."""
        states = [word for name, on in features.items() for word in (name, "on" if on else "off")]
        self.run("ethtool", "-K", interface, *states)

    def received(self, interface: str) -> int:
        """Return how many packets an interface has received."""
        (link,) = json.loads(self.run("ip", "-j", "-s", "link", "show", "dev", interface))
        return int(link["stats64"]["rx"]["packets"])

    def delivered(self) -> int:
        """Return how many UDP datagrams reached this host's own sockets, or would have if there were any."""
        return self.inside(_delivered)


def _delivered() -> int:
    """Read the calling thread's namespace's counters."""
    lines = Path("/proc/thread-self/net/snmp").read_text().splitlines()
    names, values = (line.split() for line in lines if line.startswith("Udp:"))
    counters = dict(zip(names[1:], map(int, values[1:]), strict=True))
    six = dict(
        line.split() for line in Path("/proc/thread-self/net/snmp6").read_text().splitlines()
    )
    four = counters["NoPorts"] + counters["InDatagrams"]
    return four + int(six["Udp6NoPorts"]) + int(six["Udp6InDatagrams"])


class End(NamedTuple):
    """One end of a cable."""

    host: Namespace
    interface: str
    mac: str


def cable(left: End, right: End) -> None:
    """Lay a veth between two hosts."""
    left.host.ip(
        f"link add {left.interface} address {left.mac} type veth"
        f" peer name {right.interface} address {right.mac} netns {right.host.name}",
        f"link set {left.interface} addrgenmode none up",
    )
    right.host.ip(f"link set {right.interface} addrgenmode none up")
