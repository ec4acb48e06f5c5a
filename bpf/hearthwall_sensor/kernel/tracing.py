"""Programs on tracepoints: each is attached while somebody needs it.

The ids are read from tracefs before privileges are dropped; attaching takes CAP_PERFMON and CAP_BPF only.
"""

import ctypes
import errno
import fcntl
import os
import platform
import re
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from ..protocol import SensorError
from .libbpf import Handle, call
from .process_programs import TRACEFS

_PERF_TYPE_TRACEPOINT: Final = 2
_PERF_FLAG_FD_CLOEXEC: Final = 8
_PERF_EVENT_IOC_ENABLE: Final = 0x2400
_PERF_EVENT_IOC_SET_BPF: Final = 0x40042408
_BPF_PERF_EVENT: Final = 41
#: PERF_ATTR_SIZE_VER0: nothing later is used.
_ATTRIBUTES: Final = struct.Struct("<IIQQQQQIIQ")
#: Its number by what the machine calls itself; it has no function of its own in the C library.
_PERF_EVENT_OPEN: Final = {
    "x86_64": 298,
    "aarch64": 241,
    "riscv64": 241,
    "ppc64le": 319,
    "s390x": 331,
}
#: What a kernel before 5.15 says to a link on a perf event.
_NO_LINKS: Final = (errno.EINVAL, errno.EOPNOTSUPP, 524)
_FIELD: Final = re.compile(r"\bfield:.*?(\w+)(?:\[\w*\])?;\s*offset:(\d+);")
#: Where the programs on system calls find the first argument, or the result.
_FIRST: Final = 16


def mount() -> None:
    """Mount tracefs where it is not; a kernel without it has no tracepoints, which is no error here."""
    if any((each / "events").is_dir() for each in TRACEFS):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mount(b"tracefs", str(TRACEFS[0]).encode(), b"tracefs", 0, None)


class Attached(Handle):
    """A program on a tracepoint: `close` takes it off, unless it is pinned."""

    def __init__(self, fd: int, event: int | None = None) -> None:
        """Take a link; or, where the kernel has none, the perf event that holds the program alone."""
        super().__init__(fd)
        self._event = event

    @property
    def can_be_pinned(self) -> bool:
        """Whether it is a link, which bpffs keeps."""
        return self._event is None


class Tracepoints:
    """The kernel's tracepoints, by their ids."""

    def __init__(self, folder: Path | None = None) -> None:
        """Take tracefs; None for where it is."""
        found = (each for each in TRACEFS if (each / "events").is_dir())
        self._folder = folder or next(found, None)
        self._ids: dict[tuple[str, str], int] = {}

    def read(self, places: Iterable[tuple[str, str]]) -> None:
        """Read the ids of those that there are, while this process may: it can attach to them from then on."""
        for category, event in places:
            number = None if self._folder is None else self._read(self._folder, category, event)
            if number is not None:
                self._ids[category, event] = number

    def has(self, category: str, event: str) -> bool:
        """Return whether a program can be attached there."""
        return (category, event) in self._ids

    @staticmethod
    def _read(tracefs: Path, category: str, event: str) -> int | None:
        """Return a tracepoint's id, None for one that there is not, or that is not laid out as the programs expect."""
        folder = tracefs / "events" / category / event
        try:
            number = int((folder / "id").read_text())
            if category == "syscalls" and not _is_as_expected((folder / "format").read_text()):
                return None
        except (OSError, ValueError):
            return None
        return number

    def attach(self, program_fd: int, category: str, event: str) -> Attached:
        """Attach a program; it stays until what is returned is closed.

        Raises SensorError `missing_capability` where there is no such tracepoint, or OSError.
        """
        if (category, event) not in self._ids:
            self.read([(category, event)])
        number = self._ids.get((category, event))
        if number is None:
            raise SensorError(
                "missing_capability", f"the kernel has no tracepoint {category}:{event}"
            )
        opened = _open(number)
        try:
            return _attach(program_fd, opened)
        except OSError:
            os.close(opened)
            raise


def _is_as_expected(layout: str) -> bool:
    """Return whether a system call's first argument, or its result, is where it usually is."""
    own = [
        int(offset)
        for name, offset in _FIELD.findall(layout)
        if not name.startswith("common_") and name != "__syscall_nr"
    ]
    return not own or own[0] == _FIRST


def _open(number: int) -> int:
    """Open a tracepoint as a perf event; raises OSError, or SensorError on a machine that is not known."""
    system_call = _PERF_EVENT_OPEN.get(platform.machine())
    if system_call is None:
        raise SensorError(
            "missing_capability",
            f"programs on tracepoints can't be attached on {platform.machine()}",
        )
    attributes = _ATTRIBUTES.pack(
        _PERF_TYPE_TRACEPOINT, _ATTRIBUTES.size, number, 1, 0, 0, 0, 1, 0, 0
    )
    libc = ctypes.CDLL(None, use_errno=True)
    opened = int(libc.syscall(system_call, attributes, -1, 0, -1, _PERF_FLAG_FD_CLOEXEC))
    if opened < 0:
        failed = ctypes.get_errno()
        raise OSError(failed, f"perf_event_open: {os.strerror(failed)}")
    return opened


def _attach(program_fd: int, event: int) -> Attached:
    """Put a program on a perf event, which the link then holds; raises OSError."""
    try:
        link = call("bpf_link_create", program_fd, event, _BPF_PERF_EVENT, None)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        fcntl.ioctl(event, _PERF_EVENT_IOC_SET_BPF, program_fd)
        fcntl.ioctl(event, _PERF_EVENT_IOC_ENABLE, 0)
        return Attached(event, event)
    fcntl.ioctl(event, _PERF_EVENT_IOC_ENABLE, 0)
    os.close(event)
    return Attached(link)
