"""Lets devices of a lab attack, with the servers that the attacks need."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Final

from lab import tools
from lab.attacks.table import (
    ASK,
    ATTACKS,
    DNS2TCPD_CONF,
    HOME_SERVER,
    SERVER_ADDRESSES,
    Attack,
    Server,
)
from lab.errors import LabError
from lab.lab import Lab

#: How long a server may take until it answers, a victim waits, and a tool goes on after its time.
_SERVER_SECONDS: Final = 20.0
_AFTER: Final = 1.0
_GRACE: Final = 15.0


@dataclass(slots=True)
class Running:
    """An attack that goes on, or is over."""

    attack: Attack
    tool: "subprocess.Popen[bytes]"
    started: float = field(default_factory=time.time)
    """Seconds since the epoch."""
    ended: float | None = None

    def stop(self) -> None:
        """End the tool, and what it started, if it still runs."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.tool.pid, signal.SIGTERM)
        self.wait()

    def wait(self) -> int:
        """Return the tool's exit status when it has ended, or is ended because its time is over."""
        try:
            return self.tool.wait(self.attack.seconds + _GRACE)
        except subprocess.TimeoutExpired:
            self.tool.kill()
            return self.tool.wait()
        finally:
            self.ended = self.ended or time.time()


class Stage:
    """One lab's attacks. Servers are started when the first attack needs them and stay until `clean`."""

    def __init__(self, lab: Lab) -> None:
        """Give the lab's internet the addresses that the servers listen on."""
        self._lab = lab
        self._servers: dict[Server, subprocess.Popen[bytes]] = {}
        self._running: list[Running] = []
        self._others: list[subprocess.Popen[bytes]] = []
        run = lab.run_directory
        self._names = {
            "{certificate}": str(run.certificate),
            "{key}": str(run.key),
            "{folder}": str(run.path),
        }
        (run.path / "dns2tcpd.conf").write_text(DNS2TCPD_CONF)
        for address in SERVER_ADDRESSES:
            line = ["/usr/sbin/ip", "address", "replace", f"{address}/32", "dev", "lo"]
            lab.run("internet", line, check=True)

    def start(self, *names: str) -> dict[str, Running]:
        """Start attacks side by side, once all their servers are there."""
        chosen = {name: ATTACKS[name] for name in names}
        for server in {each.server for each in chosen.values() if each.server is not None}:
            self._serve(server)
        running = {
            name: Running(each, self._popen(each.device, each.argv, name))
            for name, each in chosen.items()
        }
        self._running += running.values()
        for name, each in chosen.items():
            if each.victim is not None:
                time.sleep(_AFTER)
                self._others.append(self._popen(*each.victim, f"{name}-victim"))
        return running

    def serve_home(self) -> None:
        """Let the gateway hand out addresses, and a device ask for one."""
        self._others.append(self._popen("gateway", HOME_SERVER, "home-server"))
        time.sleep(_AFTER)
        self._others.append(self._popen("vacuum", ASK, "home-client"))

    def clean(self) -> None:
        """End whatever still runs."""
        tools = [each.tool for each in self._running]
        for each in (*tools, *self._others, *self._servers.values()):
            if each.poll() is None:
                each.terminate()
                each.wait(_GRACE)

    def _serve(self, server: Server) -> None:
        """Start a server unless it runs, and wait until it is there."""
        if server in self._servers:
            return
        name = f"{Path(server.argv[0]).name}-server"
        self._servers[server] = self._popen("internet", server.argv, name)
        log = self._lab.run_directory.path / f"{name}.log"
        deadline = time.monotonic() + _SERVER_SECONDS
        while server.ready not in log.read_text(errors="replace"):
            if time.monotonic() > deadline:
                raise LabError(
                    f"{server.argv[0]} was not ready within {_SERVER_SECONDS:.0f} s: see {log}"
                )
            time.sleep(0.1)

    def _popen(self, host: str, argv: Sequence[str], log: str) -> "subprocess.Popen[bytes]":
        """Start a command on a host; what it says goes into the lab's folder."""
        words = [
            reduce(lambda word, pair: word.replace(*pair), self._names.items(), each)
            for each in argv
        ]
        with (self._lab.run_directory.path / f"{log}.log").open("wb") as output:
            return subprocess.Popen(
                self._lab.argv(host, words),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ | {"PATH": ":".join(tools.FOLDERS)},
                start_new_session=True,
            )
