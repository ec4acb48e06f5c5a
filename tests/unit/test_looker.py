"""The process that looks into others, in a process of its own: it ends with the sensor, and nobody looks into it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

BPF: Final = Path(__file__).resolve().parents[2] / "bpf"
#: Without what takes root: its capabilities and its system calls have tests in the lab.
_PROGRAM: Final = """
import ctypes, json, resource, sys
sys.path.insert(0, sys.argv[1])
from hearthwall_sensor.processes import looker
looker.confinement.keep = looker.confinement.allow_calls = lambda *_: None
looker._confine()
libc, ends_by = ctypes.CDLL(None), ctypes.c_int()
libc.prctl(2, ctypes.byref(ends_by), 0, 0, 0)
limits = [resource.getrlimit(each) for each in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC)]
print(json.dumps([ends_by.value, libc.prctl(3, 0, 0, 0, 0), limits]))
"""
_SIGKILL: Final = 9


def test_it_ends_with_its_parent_and_can_not_be_looked_into() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(BPF)], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == [_SIGKILL, 0, [[0, 0]] * 3]
