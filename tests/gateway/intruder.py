"""Does what an intruder would who has taken the sensor over, before and after it has given up its rights."""

import contextlib
import ctypes
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, "/usr/local/lib/hearthwall/current")
from hearthwall_sensor import privileges  # noqa: E402

libc = ctypes.CDLL(None, use_errno=True)
data = ctypes.create_string_buffer(4)
piece = (ctypes.c_void_p * 2)(ctypes.addressof(data), 4)


def opens(path: str, flags: int) -> None:
    """Open a file."""
    os.close(os.open(path, flags))


def connects(path: str) -> None:
    """Connect to a socket."""
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(path)


def succeeds(result: int) -> None:
    """Raise OSError if a call failed."""
    if result < 0:
        raise OSError(ctypes.get_errno(), "")


def runs(*words: str) -> None:
    """Run a program; raises OSError or CalledProcessError."""
    subprocess.run(words, check=True, stderr=subprocess.DEVNULL)


ATTEMPTS: dict[str, Callable[[], None]] = {
    "a file behind the first process's root": lambda: opens(
        "/proc/1/root/etc/owned", os.O_CREAT | os.O_WRONLY
    ),
    "its memory": lambda: opens("/proc/1/mem", os.O_RDWR),
    "its memory by a call": lambda: succeeds(libc.process_vm_writev(1, piece, 1, piece, 1, 0)),
    "tracing it": lambda: succeeds(libc.ptrace(0x4206, 1, 0, 0)),
    "an order to it": lambda: runs("systemd-run", "--quiet", "--no-block", "/bin/true"),
    "its socket": lambda: connects("/run/systemd/private"),
    "its socket behind its root": lambda: connects("/proc/1/root/run/systemd/private"),
    "a container engine's socket": lambda: connects("/run/docker.sock"),
    "a child": lambda: runs("/bin/sh", "-c", "echo owned >/proc/1/root/etc/owned"),
    "a file of the host's": lambda: opens("/etc/owned", os.O_CREAT | os.O_WRONLY),
    "a file beside the settings": lambda: opens("/etc/hearthwall/owned", os.O_CREAT | os.O_WRONLY),
    "a file in /run": lambda: opens("/run/owned", os.O_CREAT | os.O_WRONLY),
}


def able() -> list[str]:
    """Return what can be done."""
    found = []
    for name, attempt in ATTEMPTS.items():
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            attempt()
            found.append(name)
    return found


before = able()
privileges.drop()
with Path("/run/hearthwall/able.json").open("w") as file:
    json.dump([before, able()], file)
