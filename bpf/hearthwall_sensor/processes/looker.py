"""What the kernel tells of a process only to whoever may trace it, and the process that does nothing but tell it.

The right to trace is the right to change any process, and through /proc/PID/root any file. So the sensor, which
strangers' packets and clients' orders come to, does not have it: this process has, which takes a number and answers
with a name. It needs the standard library only, and it may neither write nor open a file, nor start anything.
"""

import errno
import mmap
import os
import re
import resource
import signal
import socket
import stat
import struct
import sys
from collections.abc import Callable, Mapping
from ctypes import CDLL
from pathlib import Path
from typing import Final

from .. import confinement

#: Which of LOOKS, the process, and the number of an open file.
ASKED: Final = struct.Struct("=iii")
#: The error's number, 0 for none; what was found follows.
ANSWERED: Final = struct.Struct("=i")
#: A socket's number.
INODE: Final = struct.Struct("=Q")
DELETED: Final = b" (deleted)"

#: Open files that are looked at.
_MOST_FILES: Final = 4096
MAX_ANSWER: Final = ANSWERED.size + INODE.size * _MOST_FILES

_SOCKET: Final = re.compile(r"socket:\[(\d+)\]", re.ASCII)
#: The same on every architecture.
_PIDFD_GETFD: Final = 438

_SYS_PTRACE: Final = 19
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_MEMORY: Final = 128 * 1024 * 1024
#: Open files that it has at most; a power of two, by whose bits a number other than 0 is told.
_FILES: Final = 32
_INPUT: Final = 0
_ALL_BITS: Final = 0xFFFFFFFF
_MAP_KIND: Final = 0xF
_OF_INPUT: Final = ((0, _ALL_BITS, _INPUT),)
#: A folder, and only to look into it.
_A_FOLDER: Final = ((2, os.O_ACCMODE | os.O_CREAT | os.O_DIRECTORY, os.O_DIRECTORY),)
#: Memory of its own: what maps a file that it has from another process reads and writes it.
_MEMORY_ONLY: Final = ((3, _MAP_KIND | mmap.MAP_ANONYMOUS, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS),)
#: All but standard input, in whose place a file of another process would get its number.
_ANOTHER_FILE: Final = tuple(((0, 1 << bit, 1 << bit),) for bit in range((_FILES - 1).bit_length()))
#: All that a process needs which only looks: nothing that reads a file, writes, traces, signals or starts another.
_CALLS: Final[tuple[tuple[str, tuple[confinement.Condition, ...]], ...]] = (
    *((name, _OF_INPUT) for name in ("recvfrom", "sendto")),
    *((name, _MEMORY_ONLY) for name in ("mmap", "mmap2")),
    *(("close", each) for each in _ANOTHER_FILE),
    ("openat", _A_FOLDER),
    *(
        (name, ())
        for name in (
            *("readlink", "readlinkat", "newfstatat", "fstatat64", "fstat", "fstat64", "statx"),
            *("getdents64", "pidfd_open", "pidfd_getfd"),
            *("getsockname", "getpeername", "getsockopt"),
            *("munmap", "mremap", "brk", "madvise", "futex", "sched_yield"),
            *("rt_sigreturn", "rt_sigaction", "rt_sigprocmask", "sigaltstack", "restart_syscall"),
            *("clock_gettime", "clock_gettime64", "exit", "exit_group"),
        )
    ),
)


# What can be looked for: each takes where /proc is, a process and a number; each raises OSError


def _link(name: str) -> Callable[[Path, int, int], bytes]:
    """Return what reads a link of a process."""

    def look(proc: Path, pid: int, number: int) -> bytes:
        return os.fsencode((proc / str(pid) / name.format(number)).readlink())

    return look


def _executable(proc: Path, pid: int, _: int) -> bytes:
    """Return whether a process's executable was deleted, a byte, and the executable as the kernel writes it."""
    folder = os.open(proc / str(pid), os.O_PATH | os.O_DIRECTORY)
    try:
        link = os.fsencode(os.readlink("exe", dir_fd=folder))
        return bytes((_is_deleted(folder, link),)) + link
    finally:
        os.close(folder)


def _is_deleted(folder: int, link: bytes) -> bool:
    """Return whether the kernel's ` (deleted)` is not the end of the file's own name."""
    if not link.endswith(DELETED):
        return False
    try:
        runs = os.stat("exe", dir_fd=folder)
        named = os.stat(b"root" + link, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return True
    return not (stat.S_ISREG(named.st_mode) and os.path.samestat(runs, named))


def _sockets(proc: Path, pid: int, _: int) -> bytes:
    """Return the numbers of a process's open sockets."""
    folder = proc / str(pid) / "fd"
    found = []
    for name in os.listdir(folder)[:_MOST_FILES]:  # noqa: PTH208, names are enough
        try:
            inode = _SOCKET.fullmatch(str((folder / name).readlink()))
        except FileNotFoundError:  # closed meanwhile
            continue
        if inode is not None:
            found.append(INODE.pack(int(inode[1])))
    return b"".join(found)


def _ends(_: Path, pid: int, number: int) -> bytes:
    """Return where a socket leads: its address, port, peer and the peer's port, `-` for an address that it has not."""
    process = os.pidfd_open(pid)
    try:
        held = int(CDLL(None, use_errno=True).syscall(_PIDFD_GETFD, process, number, 0))
    finally:
        os.close(process)
    if held < 0:
        raise OSError(errno.ESRCH, os.strerror(errno.ESRCH))
    try:
        own = socket.socket(fileno=held)
    except OSError:
        os.close(held)
        raise
    with own:
        if own.family not in (socket.AF_INET, socket.AF_INET6):
            return b"- 0 - 0"
        address, port, *_others = own.getsockname()
        try:
            peer, peer_port, *_others = own.getpeername()
        except OSError:
            peer, peer_port = "-", 0
        return f"{address} {port} {peer} {peer_port}".encode()


LOOKS: Final[Mapping[str, Callable[[Path, int, int], bytes]]] = {
    "executable": _executable,
    "folder": _link("cwd"),
    "file": _link("fd/{}"),
    "network": _link("ns/net"),
    "sockets": _sockets,
    "ends": _ends,
}
OPERATIONS: Final = tuple(LOOKS)


# The process


def run() -> None:
    """Answer what standard input, a socket, asks for, until it is closed."""
    _confine()
    proc, looks = Path("/proc"), tuple(LOOKS.values())
    channel = socket.socket(fileno=_INPUT)
    channel.send(ANSWERED.pack(0))  # it is confined, and nothing was asked yet
    while asked := channel.recv(ASKED.size):
        what, pid, number = ASKED.unpack(asked)
        try:
            answer = ANSWERED.pack(0) + looks[what](proc, pid, number)
        except OSError as error:
            answer = ANSWERED.pack(error.errno or errno.EIO)
        channel.send(answer)
    channel.detach()  # it may not be closed but by the end


def _confine() -> None:
    """Have one right, and none to do anything with it but to look; end with the sensor."""
    parent = os.getppid()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)  # it ends when the sensor has, which may still ask
    libc = CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    for limit, most in (
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_NOFILE, _FILES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        resource.setrlimit(limit, (most, most))
    confinement.keep({_SYS_PTRACE})
    try:
        confinement.allow_calls(_CALLS)
    except OSError as error:
        print(
            "What reads other processes' names has no filter of system calls (libseccomp2):",
            str(error)[:200],
            file=sys.stderr,
        )
