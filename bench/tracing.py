"""Who watches a host's connections: nobody, Hearthwall with and without a trace, and the tools that people know."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from bench import cpu
from bench.hearthwall import command
from bench.network import Namespace
from bench.running import Running, running
from hearthwall_sensor.kernel import cgroups

_SOURCE: Final = Path(__file__).with_name("connections.c")
NOTHING: Final = "nothing"
ATTRIBUTION: Final = "Hearthwall, attribution"
TRACED: Final = "Hearthwall, attribution and trace connect"
EXCLUDED: Final = "Hearthwall, attribution and trace connect --pid of another"
BPFTRACE_CALL: Final = "bpftrace, sys_enter_connect"
BPFTRACE_STATE: Final = "bpftrace, inet_sock_set_state"
TCPLIFE: Final = "tcplife-bpfcc"

_CALL: Final = (
    "tracepoint:syscalls:sys_enter_connect"
    ' { printf("%d %s %s\\n", pid, comm, ntop(*(uint32*)uptr(args->uservaddr + 4))); }'
)
_STATE: Final = (
    "tracepoint:sock:inet_sock_set_state"
    ' { printf("%d %s %s %d\\n", pid, comm, ntop(args->daddr), args->dport); }'
)
#: Tools that don't come with Hearthwall, by their command lines.
OTHERS: Final[Mapping[str, tuple[str, ...]]] = {
    BPFTRACE_CALL: ("bpftrace", "-e", _CALL),
    BPFTRACE_STATE: ("bpftrace", "-e", _STATE),
    TCPLIFE: ("tcplife-bpfcc",),
}
#: As long as a tool may take until it sees the first connection, in seconds.
_COMES_UP: Final = 20.0


class Watcher(NamedTuple):
    """What is there while connections are made: the processes that belong to it."""

    processes: tuple[int, ...] = ()

    def cpu(self) -> int:
        """Return the CPU time of its processes, in ns."""
        return sum(map(cpu.of_process, self.processes))


class Bench:
    """A cgroup of the measurement's own, in which the connections are made."""

    def __init__(self, folder: Path) -> None:
        """Compile what makes the connections; raises OSError."""
        self._folder = folder
        self._program = folder / "connections"
        subprocess.run(["cc", "-O2", "-o", str(self._program), str(_SOURCE)], check=True)
        top = cgroups.root()
        if top is None:
            raise OSError("cgroups of the second version are not mounted")
        self._cgroup = top / f"hwbench-{os.getpid()}"
        self._cgroup.mkdir()
        self._host = Namespace("host")
        self._host.ip("link add lan type veth peer name far", "link set lan up", "link set far up")

    def close(self) -> None:
        """Remove the cgroup; the namespace goes with the workplace."""
        self._cgroup.rmdir()

    def connect(self, number: int) -> float:
        """Make so many connections; return the CPU time of each, in ns."""
        enter = 'echo $$ > "$0/cgroup.procs"; exec "$@"'
        line = ["/bin/sh", "-c", enter, str(self._cgroup), str(self._program), str(number)]
        done = subprocess.run(
            self._host.argv(line), check=True, capture_output=True, text=True, timeout=60
        )
        return float(done.stdout)

    @contextmanager
    def attribution(self) -> Iterator[Watcher]:
        """Run a sensor that watches the cgroup."""
        with self._sensor() as sensor:
            yield Watcher((sensor.pid,))

    @contextmanager
    def trace(self, *, excluded: bool = False) -> Iterator[Watcher]:
        """Trace connections as well: those of the cgroup, or of a process that makes none."""
        only = ("--pid", str(os.getpid())) if excluded else ()
        with self._sensor() as sensor:
            line = command(
                "trace", "connect", *only, "--socket", str(self._folder / "s" / "s.sock")
            )
            with _started(self._host.argv(line), self._folder / "said") as process:
                if excluded:
                    _wait(lambda: (self._folder / "said").read_text() != "")
                else:
                    self._until_seen()
                yield Watcher((sensor.pid, process.pid))

    @contextmanager
    def other(self, name: str) -> Iterator[Watcher]:
        """Run another tool."""
        with _started(self._host.argv(OTHERS[name]), self._folder / "said") as process:
            self._until_seen()
            yield Watcher((process.pid,))

    @contextmanager
    def _sensor(self) -> Iterator[Running]:
        """Run a sensor."""
        with running(
            self._host, "lan", self._folder / "s", "--cgroup", str(self._cgroup)
        ) as sensor:
            yield sensor

    def _until_seen(self) -> None:
        """Wait until a tool has told of a connection; raises OSError if it never does."""

        def sees() -> bool:
            self.connect(1)
            time.sleep(0.3)
            return "connections" in (self._folder / "said").read_text(errors="replace")

        _wait(sees)


def _wait(condition: Callable[[], bool]) -> None:
    """Wait until something is so; raises OSError if it never is."""
    deadline = time.monotonic() + _COMES_UP
    while not condition():
        if time.monotonic() > deadline:
            raise OSError("what watches connections sees none")
        time.sleep(0.05)


@contextmanager
def _started(line: Sequence[str], said: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a tool that writes what it sees into a file, which people would read or throw away."""
    said.unlink(missing_ok=True)
    with said.open("wb") as out, subprocess.Popen(line, stdout=out, stderr=out) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(20)


def missing(bench: Bench, names: Iterable[str]) -> dict[str, str]:
    """Return why a tool can't be measured here, by its name."""
    found = {}
    for name in names:
        if shutil.which(OTHERS[name][0]) is None:
            found[name] = f"{OTHERS[name][0]} is not installed"
            continue
        try:
            with ExitStack() as stack:
                stack.enter_context(bench.other(name))
        except OSError as error:
            found[name] = str(error)
    return found
