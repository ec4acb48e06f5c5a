"""What a process gives up for good: capabilities, and system calls; the standard library only."""

import ctypes
import errno
import os
import struct
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

_PR_CAPBSET_DROP: Final = 24
_PR_SET_NO_NEW_PRIVS: Final = 38
_VERSION_3: Final = 0x20080522

#: An argument of a call: which one, the bits that are looked at, and their value.
Condition = tuple[int, int, int]

_SECCOMP: Final = "libseccomp.so.2"
_ALLOW: Final = 0x7FFF0000
_ERRNO: Final = 0x00050000
_MASKED_EQUAL: Final = 7
_UNKNOWN_CALL: Final = -1


class _Compared(ctypes.Structure):
    """`struct scmp_arg_cmp`."""

    _fields_ = (
        ("argument", ctypes.c_uint),
        ("comparison", ctypes.c_int),
        ("mask", ctypes.c_uint64),
        ("value", ctypes.c_uint64),
    )


def keep(capabilities: Collection[int], *, for_children: Collection[int] = ()) -> None:
    """Keep these capabilities only, and let what is executed from here on have no others than those for children.

    Raises OSError.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    for number in set(range(last + 1)) - set(for_children):
        _check(libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0))
    forgo(capabilities)


def forgo(but: Collection[int] = ()) -> None:
    """Give up every capability but these; raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    low, high = (sum(1 << each % 32 for each in but if each // 32 == word) for word in (0, 1))
    header = struct.pack("<Ii", _VERSION_3, 0)
    _check(libc.capset(header, struct.pack("<6I", low, low, 0, high, high, 0)))


def allow_calls(
    calls: Iterable[tuple[str, Collection[Condition]]], *, missing: Collection[str] = ()
) -> None:
    """Let this thread make these system calls only, where all conditions of one of them hold; raises OSError.

    So do the threads that it starts. All others fail with EPERM, and those that are to be missing as if the kernel had
    none. A call that this processor does not have needs no rule.
    """
    library = ctypes.CDLL(_SECCOMP)
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(_ERRNO | errno.EPERM))
    rules = [(name, conditions, _ALLOW) for name, conditions in calls]
    rules += [(name, (), _ERRNO | errno.ENOSYS) for name in missing]
    try:
        for name, conditions, action in rules:
            number = library.seccomp_syscall_resolve_name(name.encode())
            if number == _UNKNOWN_CALL:
                continue
            compared = (_Compared * max(1, len(conditions)))(
                *(_Compared(at, _MASKED_EQUAL, mask, value) for at, mask, value in conditions)
            )
            _succeed(
                library.seccomp_rule_add_array(context, action, number, len(conditions), compared)
            )
        _succeed(library.seccomp_load(context))
    finally:
        library.seccomp_release(context)


def _check(result: int) -> None:
    """Raise OSError if a call failed."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _succeed(result: int) -> None:
    """Raise OSError if a call of the library failed, which returns the error."""
    if result < 0:
        raise OSError(-result, os.strerror(-result))
