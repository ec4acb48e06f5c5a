"""What loading the kernel programs takes: compiled first, compiled before, and Python's own start for comparison."""

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.figures import Figure
from bench.hearthwall import command
from bench.rounds import Compared, Rounds, alternate

_COMPILES = "compiled first"
_KEPT = "compiled before"
_NOTHING = "a command that loads nothing"


def measure(_: Path, rounds: Rounds) -> list[Figure]:
    """Return the figures: of the whole child, from its start to its end."""
    fill = command("load", "--json", "--pins", f"/sys/fs/bpf/hearthwall-bench-{os.getpid()}")
    _spent(fill)
    for each in Path(fill[-1]).iterdir():
        each.unlink()
    Path(fill[-1]).rmdir()
    contenders: Mapping[str, Callable[[], Mapping[str, float]]] = {
        _COMPILES: lambda: _spent(command("load", "--json", "--anew")),
        _KEPT: lambda: _spent(command("load", "--json")),
        _NOTHING: lambda: _spent(command("load", "--help")),
    }
    units = {"wall": "s", "CPU": "s", "memory at most": "MB"}
    found = alternate("starting", contenders, units, rounds)
    compared = [Compared(_COMPILES), Compared(_KEPT, _COMPILES, 0.5), Compared(_NOTHING)]
    return [each for name, samples in found.items() for each in samples.figures(name, compared)]


def _spent(line: list[str]) -> Mapping[str, float]:
    """Run a command to its end; return what it took."""
    started = time.monotonic()
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise OSError(f"{line} ended with {process.returncode}")
    return {
        "wall": time.monotonic() - started,
        "CPU": used.ru_utime + used.ru_stime,
        "memory at most": used.ru_maxrss / 1024,
    }
