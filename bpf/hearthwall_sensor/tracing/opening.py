"""Puts tracing together: the pinned tables and programs on system calls, and who knows the processes."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from ..kernel.call_layouts import TABLES
from ..kernel.libbpf import Handle, Map, Program
from ..kernel.process_layouts import Called as CalledRecord
from ..kernel.tracing import Tracepoints
from ..observations import Called, Observation
from ..processes.image import Image
from ..processes.processes import Processes
from .attaching import Attaching
from .calls import told
from .lines import Lines
from .tracing import Tracing


def opened(
    folder: Path, tracepoints: Tracepoints, processes: Processes, epoch: Callable[[int], float]
) -> Tracing:
    """Open what is pinned in a generation's folder; raises OSError."""

    def table(name: str) -> Map:
        key, value, per_cpu = TABLES[name]
        return Map(Handle.pinned(str(folder / name)).fd, key, value, per_cpu=per_cpu)

    @cache
    def program(name: str) -> int:
        return int(Program.pinned(str(folder / name)).fd)

    return Tracing(table, Attaching(tracepoints, program), Lines(processes.images.of, epoch))


def teller(
    tell: Callable[[Observation], None], epoch: Callable[[int], float]
) -> Callable[[CalledRecord, Image], None]:
    """Return what tells detectors of system calls."""

    def called(record: CalledRecord, image: Image) -> None:
        said = told(record)
        if said is not None:
            tell(Called(epoch(record.head.time), image.program, image, record.head.pid, *said))

    return called
