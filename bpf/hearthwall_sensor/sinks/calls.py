"""The system calls of a process that delivers: it starts no other, and one that strangers talk to writes no file."""

import logging
import os
import socket
import termios
from collections.abc import Iterable
from typing import Final

from .. import confinement
from ..confinement import Condition
from .kinds import Where

_LOGGER = logging.getLogger(__name__)

Call = tuple[str, tuple[Condition, ...]]

_ALL_BITS: Final = 0xFFFFFFFF
_CLONE_THREAD: Final = 0x10000
_PR_SET_NAME: Final = 15
_SOCK_TYPE: Final = 0xF
_NETLINK_ROUTE: Final = 0
_SELF: Final = 0
#: With any of these bits a file is opened for writing, made or emptied.
_CHANGES: Final = os.O_ACCMODE | os.O_CREAT | os.O_TRUNC
#: Threads are made by `clone`: the flags of this one can't be looked at, so it has to be as if there were none.
_MISSING: Final = ("clone3",)


def _is(at: int, value: int, mask: int = _ALL_BITS) -> tuple[Condition, ...]:
    """Return the condition that an argument has a value."""
    return ((at, mask, value),)


def _plain(*names: str) -> tuple[Call, ...]:
    """Return calls with any arguments."""
    return tuple((name, ()) for name in names)


#: What runs Python, waits, reads files and talks over sockets that there are.
_COMMON: Final[tuple[Call, ...]] = (
    *_plain("brk", "mmap", "mmap2", "munmap", "mremap", "mprotect", "madvise", "membarrier"),
    *_plain("rt_sigreturn", "sigreturn", "rt_sigaction", "rt_sigprocmask", "sigaltstack"),
    *_plain("restart_syscall", "exit", "exit_group", "cacheflush", "riscv_flush_icache"),
    *_plain("futex", "futex_time64", "set_robust_list", "rseq", "sched_yield", "getcpu"),
    *_plain("sched_getaffinity", "clock_gettime", "clock_gettime64", "clock_getres", "time"),
    *_plain("clock_getres_time64", "clock_nanosleep", "clock_nanosleep_time64", "nanosleep"),
    *_plain("gettimeofday", "getrusage", "times", "getrlimit", "ugetrlimit", "getrandom", "uname"),
    *_plain("sysinfo", "getpid", "getppid", "gettid", "getuid", "geteuid", "getgid", "getegid"),
    *_plain("getuid32", "geteuid32", "getgid32", "getegid32", "getcwd", "umask"),
    *_plain(
        "read", "readv", "pread64", "preadv", "write", "writev", "pwrite64", "lseek", "_llseek"
    ),
    *_plain("close", "close_range", "dup", "dup2", "dup3", "pipe", "pipe2", "eventfd2"),
    *_plain("fcntl", "fcntl64", "fsync", "fdatasync", "ftruncate", "ftruncate64", "flock"),
    *_plain("stat", "lstat", "fstat", "stat64", "lstat64", "fstat64", "newfstatat", "fstatat64"),
    *_plain("statx", "access", "faccessat", "faccessat2", "readlink", "readlinkat", "getdents64"),
    *_plain("fadvise64", "fadvise64_64", "arm_fadvise64_64", "memfd_create"),
    *_plain("poll", "ppoll", "ppoll_time64", "select", "_newselect", "pselect6", "pselect6_time64"),
    *_plain("epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2"),
    *_plain("send", "sendto", "sendmsg", "sendmmsg", "recv", "recvfrom", "recvmsg", "recvmmsg"),
    *_plain("recvmmsg_time64", "shutdown", "getsockopt", "setsockopt", "getsockname"),
    *_plain("getpeername", "connect"),
    (
        "socketpair",
        _is(1, socket.SOCK_STREAM, _SOCK_TYPE),
    ),  # one of datagrams could send to any other
    *_plain("inotify_init1", "inotify_add_watch", "inotify_rm_watch"),  # glibc follows resolv.conf
    # A thread, and no process
    ("clone", _is(0, _CLONE_THREAD, _CLONE_THREAD)),
    ("prctl", _is(0, _PR_SET_NAME)),
    ("prlimit64", _is(0, _SELF)),
    *(
        ("ioctl", _is(1, each))
        for each in (termios.TIOCOUTQ, termios.FIONBIO, termios.FIONREAD, termios.FIOCLEX)
    ),
)
#: Only to be read: what is to be written was opened before.
_READ: Final[tuple[Call, ...]] = (
    ("open", _is(1, os.O_RDONLY, _CHANGES)),
    ("openat", _is(2, os.O_RDONLY, _CHANGES)),
)
#: The networks, and what the search for a name asks the kernel. MQTT's library talks to itself over a port of its own.
#: No unix sockets: by them root gives orders, to systemd, a container engine or an access point.
_NETWORK: Final[tuple[Call, ...]] = (
    *(
        ("socket", (*_is(0, family), *_is(1, kind, _SOCK_TYPE)))
        for family in (socket.AF_INET, socket.AF_INET6)
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)
    ),
    ("socket", (*_is(0, socket.AF_NETLINK), *_is(2, _NETLINK_ROUTE))),
    *_plain("bind", "listen", "accept", "accept4"),
)
#: Files of this host, and journald, which takes datagrams.
_WRITE: Final[tuple[Call, ...]] = (
    *_plain("open", "openat", "rename", "renameat", "renameat2", "unlink", "unlinkat"),
    *_plain("link", "linkat", "mkdir", "mkdirat", "fchmod"),
    ("socket", (*_is(0, socket.AF_UNIX), *_is(1, socket.SOCK_DGRAM, _SOCK_TYPE))),
)
_CALLS: Final[dict[Where, tuple[Call, ...]]] = {
    "here": (*_COMMON, *_WRITE),
    "elsewhere": (*_COMMON, *_READ, *_NETWORK),
}


def of(where: Where) -> Iterable[Call]:
    """Return what a process may call whose sinks are here, or elsewhere."""
    return _CALLS[where]


def confine(where: Where) -> None:
    """Let this process, which has one thread yet, call nothing else; where that is not possible it is said."""
    try:
        confinement.allow_calls(of(where), missing=_MISSING)
    except OSError as error:
        _LOGGER.warning(
            "What delivers to the sinks has no filter of system calls (libseccomp2): %s", error
        )
