"""Network namespaces: where they are, who is in them, how to enter and remove them."""

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from lab import tools
from lab.errors import LabError
from lab.process import Process

#: Where iproute2 binds the namespaces that it names.
FOLDER: Final = Path("/run/netns")
CLONE_NEWNET: Final = 0x40000000


def path(name: str) -> Path:
    """Return the file that stands for the namespace."""
    return FOLDER / name


def exists(name: str) -> bool:
    """Whether the name stands for a namespace; a crash can leave an empty file."""
    return os.path.ismount(path(name))


def leftovers(names: Iterable[str]) -> list[str]:
    """Those of the names that stand for anything at all, be it whole or half made."""
    return [name for name in names if path(name).exists()]


def enter(name: str) -> None:
    """Move the calling thread into the namespace; /sys and the bpf file system stay as they are."""
    libc = ctypes.CDLL(None, use_errno=True)
    with path(name).open("rb") as namespace:
        if libc.setns(namespace.fileno(), CLONE_NEWNET):
            error = ctypes.get_errno()
            raise LabError(f"cannot enter the network namespace {name}: {os.strerror(error)}")


def inside(names: Iterable[str]) -> list[Process]:
    """Find the processes that live in the namespaces, this one excepted."""
    inodes = {path(name).stat().st_ino for name in names if exists(name)}
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        try:
            if (entry / "ns/net").stat().st_ino not in inodes:
                continue
        except OSError:  # ended meanwhile
            continue
        if process := Process.of(int(entry.name)):
            found.append(process)
    return found


def remove(names: Iterable[str]) -> None:
    """Remove namespaces by name; the interfaces in them go as well."""
    if lines := "".join(f"netns del {name}\n" for name in leftovers(names)):
        tools.call("ip", "-batch", "-", stdin=lines)
