"""All that can be seen of a system: its files, users and groups, processes, and what its kernel holds for it."""

import ctypes
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from tests.gateway.programs import attachments, qdiscs
from tests.rootfs.system import System

#: What the kernel shows, what is this machine's, and what the tests serve.
_NOT_FILES = {"/proc", "/sys", "/dev", "/srv"}
#: The copies that shadow's own tools keep of the files before their last change.
_SHADOWS_OWN = {"/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-"}
#: Beyond this a file is known by its size and time: the libraries.
_HASHED_BYTES = 1 << 20
#: More kinds of attachment than any kernel has.
_ATTACH_TYPES = 80


def footprint(system: System) -> dict[str, str]:
    """Return everything by name, so that two of them can be compared; users and groups are files."""
    return {
        **dict(_files(system)),
        **{str(each): "pinned" for each in _pins(system)},
        **{f"process {each}": "runs" for each in system.processes},
        **{f"attached {number}": each for number, each in enumerate(attachments(system.lab))},
        **{f"qdisc on {each}": "clsact" for each in qdiscs(system.lab)},
        "cgroup programs": str(cgroup_programs(system.cgroup.path)),
    }


def _pins(system: System) -> Iterator[Path]:
    return system.path("/sys/fs/bpf").rglob("*")


def _files(system: System) -> Iterator[tuple[str, str]]:
    """Yield each file's path, and what it is."""
    top = system.path("/")
    for folder, folders, files in os.walk(top):
        here = f"/{os.path.relpath(folder, top)}".replace("/.", "", 1)
        folders[:] = [each for each in folders if f"{here}/{each}" not in _NOT_FILES]
        for name in (*folders, *files):
            path = f"{here}/{name}"
            if path not in _SHADOWS_OWN:
                yield path, _file(Path(folder, name))


def _file(path: Path) -> str:
    said = path.lstat()
    words = [stat.filemode(said.st_mode), str(said.st_uid), str(said.st_gid)]
    if stat.S_ISLNK(said.st_mode):
        words.append(str(path.readlink()))
    elif stat.S_ISREG(said.st_mode) and said.st_size > _HASHED_BYTES:
        words.append(f"{said.st_size} {said.st_mtime_ns}")
    elif stat.S_ISREG(said.st_mode):
        words.append(hashlib.sha256(path.read_bytes()).hexdigest())
    return " ".join(words)


def cgroup_programs(cgroup: Path) -> list[int]:
    """Return the ids of the programs on a cgroup."""
    lib = ctypes.CDLL("libbpf.so.1")
    opened = os.open(cgroup, os.O_RDONLY | os.O_DIRECTORY)
    try:
        found: list[int] = []
        for kind in range(_ATTACH_TYPES):
            ids = (ctypes.c_uint32 * 64)()
            count = ctypes.c_uint32(len(ids))
            if lib.bpf_prog_query(opened, kind, 0, None, ids, ctypes.byref(count)) == 0:
                found += ids[: count.value]
    finally:
        os.close(opened)
    return found
