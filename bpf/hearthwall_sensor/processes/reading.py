"""One process as /proc tells of it, which may end, or become something else, while it is read."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from . import looks, units
from .looker import DELETED
from .looks import PROC
from .masking import READ_BYTES
from .units import Membership, membership

_TICK: Final = 10**9 // os.sysconf("SC_CLK_TCK")
_MEMFD: Final = b"/memfd:"
#: The kernel's own threads, by their flags.
_KERNEL_THREAD: Final = 0x00200000
_EFFECTIVE: Final = re.compile(rb"^Uid:\t\d+\t(\d+)\t", re.MULTILINE)
#: Of tables of sockets so much is looked at, in bytes.
_TABLE_BYTES: Final = 4 * 1024 * 1024
_LISTENS: Final = b"0A"
#: The tables of a network namespace → protocol, and the states that listen.
_TABLES: Final = {
    "net/tcp": (6, (_LISTENS,)),
    "net/tcp6": (6, (_LISTENS,)),
    "net/udp": (17, (b"07",)),
    "net/udp6": (17, (b"07",)),
}


class Glance(NamedTuple):
    """What tells one process from another, and what it is from what it was."""

    started: int
    """When it was made, nanoseconds since boot, as exact as the kernel's ticks."""
    link: bytes
    """The executable as the kernel writes it, empty where it may not be known."""


class Reading(NamedTuple):
    """A process at one moment. Bytes are as it, or whoever started it, chose them."""

    pid: int
    parent_pid: int
    uid: int
    """The effective one."""
    comm: bytes
    started: int
    """When it was made, nanoseconds since boot, as exact as the kernel's ticks."""
    link: bytes
    """The executable as the kernel writes it, empty where it may not be known."""
    executable: bytes
    """Its path without the kernel's ` (deleted)`; of a memfd its name behind `/memfd:`. Empty where it is not known."""
    is_deleted: bool
    is_memfd: bool
    is_kernel: bool
    """Whether it is a thread of the kernel's, which has no executable."""
    words: tuple[bytes, ...]
    """Its command line, as far as it was read."""
    has_more: bool
    membership: Membership


class _Stat(NamedTuple):
    """What /proc/PID/stat says."""

    comm: bytes
    parent_pid: int
    flags: int
    started: int


def glance(pid: int, root: Path = PROC) -> Glance | None:
    """Return what a process is known by; None where it has gone."""
    try:
        with _opened(root, pid) as folder:
            link, _ = _executable(root, pid)
            return Glance(_stat(folder).started, link)  # it has the number still
    except (OSError, ValueError):
        return None


def read(pid: int, root: Path = PROC) -> Reading | None:
    """Read a process; None where it has gone."""
    try:
        with _opened(root, pid) as folder:
            known = _stat(folder)
            effective = _EFFECTIVE.search(_contents(folder, "status", READ_BYTES))
            link, is_deleted = _executable(root, pid)
            words, has_more = _words(_contents(folder, "cmdline", READ_BYTES))
            where = membership(_contents(folder, "cgroup", units.READ_BYTES))
            if _stat(folder).started != known.started:
                return None
    except (OSError, ValueError):
        return None
    return Reading(
        pid=pid,
        parent_pid=known.parent_pid,
        uid=int(effective[1]) if effective is not None else 0,
        comm=known.comm,
        started=known.started,
        link=link,
        executable=link.removesuffix(DELETED) if is_deleted else link,
        is_deleted=is_deleted,
        is_memfd=is_deleted and link.startswith(_MEMFD),
        is_kernel=bool(known.flags & _KERNEL_THREAD),
        words=words,
        has_more=has_more,
        membership=where,
    )


def listening(pid: int, root: Path = PROC) -> frozenset[tuple[int, int]] | None:
    """Return the protocols and ports that are listened on where a process is; None where it has gone."""
    try:
        with _opened(root, pid) as folder:
            return frozenset(
                (protocol, port)
                for name, (protocol, states) in _TABLES.items()
                for port in _ports(_contents_or_nothing(folder, name), states)
            )
    except OSError:
        return None


def network(pid: int, root: Path = PROC) -> str | None:
    """Return what a process's network namespace is known by; None where that may not be known."""
    try:
        return looks.link("network", pid, proc=root)
    except OSError:
        return None


@contextmanager
def _opened(root: Path, pid: int) -> Iterator[int]:
    """Open a process's folder: what is read through it is never of another one with the same number."""
    folder = os.open(root / str(pid), os.O_PATH | os.O_DIRECTORY)
    try:
        yield folder
    finally:
        os.close(folder)


def _contents(folder: int, name: str, limit: int) -> bytes:
    """Return the beginning of a file."""
    file = os.open(name, os.O_RDONLY, dir_fd=folder)
    try:
        parts: list[bytes] = []
        while limit > 0 and (part := os.read(file, limit)):
            parts.append(part)
            limit -= len(part)
        return b"".join(parts)
    finally:
        os.close(file)


def _contents_or_nothing(folder: int, name: str) -> bytes:
    """Return a table of sockets, which a kernel without IPv6 has not."""
    try:
        return _contents(folder, name, _TABLE_BYTES)
    except FileNotFoundError:
        return b""


def _stat(folder: int) -> _Stat:
    """Read /proc/PID/stat, whose second field may hold anything. Raises ValueError where it is malformed."""
    text = _contents(folder, "stat", READ_BYTES)
    before, _, rest = text.partition(b"(")
    comm, closed, after = rest.rpartition(b")")
    fields = after.split()
    if not before or not closed or len(fields) < 20:
        raise ValueError("malformed")
    return _Stat(comm, int(fields[1]), int(fields[6]), int(fields[19]) * _TICK)


def _executable(root: Path, pid: int) -> tuple[bytes, bool]:
    """Return the executable and whether it was deleted; empty for a kernel's thread, or where it may not be known."""
    try:
        return looks.executable(pid, root)
    except (FileNotFoundError, PermissionError):
        return b"", False


def _words(text: bytes) -> tuple[tuple[bytes, ...], bool]:
    """Return the words of a command line, and whether there may be more of it."""
    has_more = len(text) >= READ_BYTES
    words = text.split(b"\0")
    if not words[-1]:
        words.pop()
    return tuple(words), has_more


def _ports(table: bytes, states: tuple[bytes, ...]) -> Iterator[int]:
    """Yield the local ports in a table of sockets whose state is one of these."""
    for line in table.splitlines()[1:]:
        fields = line.split(maxsplit=4)
        if len(fields) > 3 and fields[3] in states:
            try:
                yield int(fields[1].rpartition(b":")[2], 16)
            except ValueError:
                continue
