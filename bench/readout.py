"""How long it takes to read a full table of flows into Python: as the sensor does, one by one, and as bcc does."""

import json
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from bench import crowd
from bench.figures import Figure
from bench.hearthwall import loaded
from bench.rounds import Compared, Rounds, alternate_one
from hearthwall_sensor.kernel.flow_table import FlowTable
from hearthwall_sensor.kernel.libbpf import Map

_GOAL: Final = 25.0
_OURS: Final = "Hearthwall, in batches and unpacked"
_SINGLE: Final = "one by one, not unpacked"
_BCC: Final = "bcc, items()"
_BCC_BATCH: Final = "bcc, items_lookup_batch()"
_LOOK: Final = "Hearthwall, what moved since the last look"
#: No flow moved after that, in nanoseconds since boot.
_LATER: Final = 1 << 62
_MODULE: Final = "bench.bcc_reader"


def _milliseconds(read: Callable[[], int]) -> float:
    """Return the CPU time of reading the whole table."""
    begun = time.thread_time_ns()
    found = read()
    took = time.thread_time_ns() - begun
    if found != crowd.FLOWS:
        raise AssertionError(f"{found} flows were read")
    return took / 1e6


def _in_batches(table: FlowTable) -> int:
    """Read and unpack all of it."""
    deque(table.read(), maxlen=0)
    return table.present


def _at_a_look(table: FlowTable) -> int:
    """Read as the sensor does every five seconds, of a table in which nothing has moved since."""
    deque(table.moved(_LATER, 0), maxlen=0)
    return table.present


def _singly(table: Map) -> int:
    """Read each flow by itself."""
    return sum(table.get(key) is not None for key in iter(table.keys()))


@contextmanager
def _bcc(pinned: Path) -> Iterator[Callable[[str], float]]:
    """Give what has bcc read the table, in a process of its own, and returns its CPU time in ms."""
    line = (sys.executable, "-P", "-m", _MODULE, str(pinned))
    child = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def read(how: str) -> float:
        if child.stdin is None or child.stdout is None:
            raise OSError("no way to the child")
        child.stdin.write(f"{how}\n")
        child.stdin.flush()
        said = json.loads(child.stdout.readline())
        if said["flows"] != crowd.FLOWS:
            raise AssertionError(f"bcc has read {said['flows']} flows")
        return float(said["milliseconds"])

    try:
        yield read
    finally:
        child.terminate()
        child.communicate()


def measure(folder: Path, rounds: Rounds) -> list[Figure]:
    """Return the figures of reading."""
    with loaded(folder, "readout", 0) as programs:
        flows = programs.tables.map("flows")
        crowd.fill(flows)
        table = FlowTable(programs.tables)
        with _bcc(programs.directory / "flows") as bcc:
            contenders: dict[str, Callable[[], float]] = {
                _OURS: lambda: _milliseconds(partial(_in_batches, table)),
                _LOOK: lambda: _milliseconds(partial(_at_a_look, table)),
                _SINGLE: lambda: _milliseconds(partial(_singly, flows)),
                _BCC: partial(bcc, "items"),
                _BCC_BATCH: partial(bcc, "items_lookup_batch"),
            }
            title = f"CPU to read {crowd.FLOWS} flows"
            samples = alternate_one(title, contenders, "ms", rounds)
    return [
        Figure.median(f"{title}: {_OURS}", samples.of(_OURS), "ms", _GOAL),
        *samples.figures(
            title,
            [
                *map(Compared, (_LOOK, _SINGLE, _BCC, _BCC_BATCH)),
                *(Compared(_OURS, each) for each in (_SINGLE, _BCC, _BCC_BATCH)),
            ],
        ),
    ]
