"""Giving up what root can do but the sensor need not."""

import ctypes
import os
import struct
from pathlib import Path
from typing import Final

from .protocol import SensorError

#: Number → name, from linux/capability.h: maps and programs, attaching them, pointers in programs; and which file a
#: process of another user runs.
KEPT: Final = {12: "net_admin", 19: "sys_ptrace", 38: "perfmon", 39: "bpf"}

_PR_CAPBSET_DROP: Final = 24
_PR_SET_NO_NEW_PRIVS: Final = 38
_VERSION_3: Final = 0x20080522


def require_root(command: str) -> None:
    """Raise SensorError `missing_capability` unless this process is root."""
    if os.geteuid() != 0:
        raise SensorError("missing_capability", f"{command} needs root: run it with sudo")


def drop() -> None:
    """Keep the capabilities of KEPT only, for this process and whatever it may start; raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    for number in set(range(last + 1)) - set(KEPT):
        _check(libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0))
    _check(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    low, high = (sum(1 << each % 32 for each in KEPT if each // 32 == word) for word in (0, 1))
    header = struct.pack("<Ii", _VERSION_3, 0)
    _check(libc.capset(header, struct.pack("<6I", low, low, 0, high, high, 0)))


def _check(result: int) -> None:
    """Raise OSError if a call failed."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
