"""Giving up what root can do but the sensor need not."""

import os
import re
from pathlib import Path
from typing import Final

from . import confinement
from .protocol import SensorError

#: Number → name, from linux/capability.h: maps and programs, attaching them, pointers in programs. Not sys_ptrace, by
#: which a process could change all others: `processes/looker.py` has it.
KEPT: Final = {12: "net_admin", 38: "perfmon", 39: "bpf"}

_SYS_PTRACE: Final = 19
_SYS_ADMIN: Final = 21


def require_root(command: str) -> None:
    """Raise SensorError `missing_capability` unless this process is root."""
    if os.geteuid() != 0:
        raise SensorError("missing_capability", f"{command} needs root: run it with sudo")


def kept() -> dict[int, str]:
    """Return the capabilities of KEPT that this process has."""
    own = _permitted()
    return {number: name for number, name in KEPT.items() if own >> number & 1}


def may_mount() -> bool:
    """Return whether this process may mount file systems."""
    return bool(_permitted() >> _SYS_ADMIN & 1)


def may_trace() -> bool:
    """Return whether this process may look into others."""
    return bool(_permitted() >> _SYS_PTRACE & 1)


def _permitted() -> int:
    """Return the capabilities that this process has, a bit for each."""
    found = re.search(r"^CapPrm:\s*(\w+)$", Path("/proc/self/status").read_text(), re.MULTILINE)
    return 0 if found is None else int(found[1], 16)


def drop() -> None:
    """Keep the capabilities of KEPT only, for this process and whatever it may start; raises OSError."""
    confinement.keep(kept(), for_children=KEPT)


def forgo() -> None:
    """Give up every capability, for a process that only talks to others; raises OSError."""
    confinement.forgo()
