"""One lab: builds it, takes it down, tells its state and runs commands on its hosts."""

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from lab import certificate, health, netns, network, server, tools
from lab.errors import LabError
from lab.home import DEVICES, HOSTS, WAN, WEB
from lab.process import end
from lab.rundir import ROOT, RunDirectory

PREFIX: Final = "hw"
#: Leaves room for interfaces named after the lab (15 characters at most). A hyphen would blur
#: where the host's name begins.
NAME: Final = re.compile(r"[a-z][a-z0-9]{0,11}")

State = Literal["up", "down", "broken"]


@dataclass(frozen=True, slots=True)
class Status:
    """A lab at one point in time; `problems` says what makes it broken."""

    name: str
    state: State
    problems: tuple[str, ...]
    run_directory: Path
    server_pid: int | None
    namespaces: Mapping[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Return what goes into JSON."""
        hosts = [
            {
                "name": host.name,
                "namespace": self.namespaces[host.name],
                "interface": host.interface,
                "mac": host.mac,
                "addresses": list(host.addresses),
                "segment": DEVICES[host.name].segment if host.name in DEVICES else None,
            }
            for host in HOSTS.values()
        ]
        return {
            "name": self.name,
            "state": self.state,
            "problems": list(self.problems),
            "run_directory": str(self.run_directory),
            "server_pid": self.server_pid,
            "hosts": hosts,
        }


class Lab:
    """A home in network namespaces. Labs with different names do not touch each other."""

    def __init__(self, name: str = "home") -> None:
        if not NAME.fullmatch(name):
            raise LabError(
                f"{name!r} is no lab's name: use 1 to 12 lower-case letters and digits,"
                " a letter first"
            )
        self.name = name
        self.namespaces: Mapping[str, str] = {host: f"{PREFIX}-{name}-{host}" for host in HOSTS}
        self.run_directory = RunDirectory(name)

    def up(self) -> bool:
        """Build the lab; False if it stands already. A broken one is taken down and built anew."""
        tools.require_root("up")
        tools.require_all()
        with self.run_directory.lock() as lock:
            if not list(health.problems(self.namespaces, self.run_directory)):
                return False
            self._clear()
            try:
                self._build(lock)
                self._check()
            except BaseException:
                self._clear()
                self.run_directory.remove()
                raise
        return True

    def down(self) -> bool:
        """Take down whatever there is of the lab; False if there was nothing."""
        tools.require_root("down")
        existed = self._traces()
        with self.run_directory.lock():
            self._clear()
            self.run_directory.remove()
        return existed

    def status(self) -> Status:
        """Compare the lab with what it should be."""
        tools.require_root("status")
        process = self.run_directory.server()
        problems = (
            tuple(health.problems(self.namespaces, self.run_directory)) if self._traces() else ()
        )
        return Status(
            name=self.name,
            state="broken" if problems else "up" if self._traces() else "down",
            problems=problems,
            run_directory=self.run_directory.path,
            server_pid=process.pid if process and process.alive else None,
            namespaces=self.namespaces,
        )

    @property
    def stands(self) -> bool:
        """Whether `up` has finished and the internet still serves, whatever was done to a link."""
        process = self.run_directory.server()
        return process is not None and process.alive

    def netns(self, host: str) -> Path:
        """Return the file that stands for the host's network namespace."""
        if host not in HOSTS:
            raise LabError(f"{host!r} is no host of the lab: choose from {', '.join(HOSTS)}")
        return netns.path(self.namespaces[host])

    def argv(self, host: str, argv: Sequence[str]) -> list[str]:
        """Return the command line that runs `argv` on a host, with the machine's own /sys."""
        path = self.netns(host)
        if not netns.exists(self.namespaces[host]):
            raise LabError(f"the lab {self.name} is not up: run scripts/lab up --name {self.name}")
        return [tools.find("nsenter"), f"--net={path}", "--", *argv]

    def run(
        self, host: str, argv: Sequence[str], *, timeout: float = 30.0, check: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on a host to its end, with its output captured."""
        return subprocess.run(
            self.argv(host, argv),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=check,
        )

    def popen(self, host: str, argv: Sequence[str]) -> "subprocess.Popen[str]":
        """Start a command on a host, with pipes for what it prints."""
        return subprocess.Popen(
            self.argv(host, argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def command(self, command: str, *arguments: str) -> list[str]:
        """Return the command line of a `scripts/lab` command for this lab, such as `send`."""
        return tools.lab_command(command, "--name", self.name, *arguments)

    def sink(self, *, full: bool = False) -> dict[str, Any]:
        """Fetch the UDP sink's record; `full` adds every sequence number and arrival time."""
        url = f"http://{WEB.ipv4}/sink{'?full=1' if full else ''}"
        record: dict[str, Any] = json.loads(self._curl(url))
        return record

    def reset_sink(self) -> None:
        """Let the sink forget all that it has counted."""
        self._curl("--request", "POST", f"http://{WEB.ipv4}/sink/reset")

    def set_offload(self, host: str, on: bool) -> None:
        """Switch TSO, GSO and GRO on both ends of a host's cable.

        Without them every packet that a program sees is one that a wire would carry, so that its
        counters compare with the interface's.
        """
        ends = (
            [(host, HOSTS[host].interface), ("gateway", host)]
            if host in DEVICES
            else [("gateway", WAN), ("internet", "uplink")]
        )
        value = "on" if on else "off"
        for end_host, interface in ends:
            features = (word for feature in ("tso", "gso", "gro") for word in (feature, value))
            done = self.run(end_host, [tools.find("ethtool"), "-K", interface, *features])
            if done.returncode:
                raise LabError(
                    f"cannot switch the offloads of {end_host}'s {interface}: {done.stderr.strip()}"
                )

    def _curl(self, *arguments: str) -> str:
        done = self.run(
            "internet", [tools.find("curl"), "--silent", "--show-error", "--fail", *arguments]
        )
        if done.returncode:
            raise LabError(f"the lab's web server does not answer: {done.stderr.strip()}")
        return done.stdout

    def _traces(self) -> bool:
        return self.run_directory.path.exists() or bool(netns.leftovers(self.namespaces.values()))

    def _build(self, lock: int) -> None:
        """Build everything; the server takes longest to start, so the cables are laid meanwhile."""
        network.create_namespaces(self.namespaces, lock)
        certificate.create(self.run_directory, lock)
        with server.start(self.name, self.run_directory, lock) as ready:
            network.connect(self.namespaces, lock)
            self.run_directory.record(ready())

    def _check(self) -> None:
        """Raise LabError for what is not there: it would look like a fault of whatever is tried in the lab."""
        if found := list(health.problems(self.namespaces, self.run_directory)):
            raise LabError(f"the lab is not what it should be: {'; '.join(found)}")

    def _clear(self) -> None:
        """End every process in the lab until none is left, then remove its namespaces and files."""
        if process := self.run_directory.server():
            end([process])  # also if its namespace has lost its name
        while processes := netns.inside(self.namespaces.values()):
            end(processes)
        netns.remove(self.namespaces.values())
        self.run_directory.empty()


def names() -> list[str]:
    """Return the names of all labs of which anything is there."""
    namespaces = (
        re.fullmatch(rf"{PREFIX}-({NAME.pattern})-(\w+)", p.name)
        for p in netns.FOLDER.glob(f"{PREFIX}-*")
    )
    found = {match[1] for match in namespaces if match and match[2] in HOSTS}
    found |= {p.name for p in ROOT.glob("*") if p.is_dir() and NAME.fullmatch(p.name)}
    return sorted(found)
