"""Giving up what root can do but the sensor need not."""

import ctypes
import os
import re
import struct
from pathlib import Path
from typing import Final

from .protocol import SensorError

#: Number → name, from linux/capability.h: maps and programs, attaching them, pointers in programs; and which file a
#: process of another user runs, which a container has no use for.
KEPT: Final = {12: "net_admin", 19: "sys_ptrace", 38: "perfmon", 39: "bpf"}

_PR_CAPBSET_DROP: Final = 24
_PR_SET_NO_NEW_PRIVS: Final = 38
_SYS_ADMIN: Final = 21
_VERSION_3: Final = 0x20080522


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


def _permitted() -> int:
    """Return the capabilities that this process has, a bit for each."""
    found = re.search(r"^CapPrm:\s*(\w+)$", Path("/proc/self/status").read_text(), re.MULTILINE)
    return 0 if found is None else int(found[1], 16)


def drop() -> None:
    """Keep the capabilities of KEPT only, for this process and whatever it may start; raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    for number in set(range(last + 1)) - set(KEPT):
        _check(libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0))
    _check(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    own = kept()
    low, high = (sum(1 << each % 32 for each in own if each // 32 == word) for word in (0, 1))
    header = struct.pack("<Ii", _VERSION_3, 0)
    _check(libc.capset(header, struct.pack("<6I", low, low, 0, high, high, 0)))


def forgo() -> None:
    """Give up every capability, for a process that only talks to others; raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    header = struct.pack("<Ii", _VERSION_3, 0)
    _check(libc.capset(header, bytes(24)))


def _check(result: int) -> None:
    """Raise OSError if a call failed."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
