"""The layouts of calls.h in Python, and which program belongs on which system call."""

import struct
from collections.abc import Mapping
from typing import Final, NamedTuple

from .process_layouts import HEAD

TRACES: Final = 4
#: Beside the traces' bits: patterns want to know.
PATTERNS: Final = 1 << TRACES
TEXT_BYTES: Final = 256

TRACE: Final = struct.Struct("<IIHBBI16s")
TRACING: Final = struct.Struct(f"<{TRACE.size * TRACES}sQQ")
CALL: Final = struct.Struct("<QqQQ16sHHiB7x")
TRANSFER_KEY: Final = struct.Struct("<Ii16sHHBBH")
TRANSFER: Final = struct.Struct("<QQQQQQII16s")

#: What a trace checks, a bit each.
CHECKS: Final = {
    "pid": 1,
    "uid": 2,
    "comm": 4,
    "image": 8,
    "port": 16,
    "failed": 32,
    "each": 64,
}
STATISTICS: Final = ("lost", "unended")

#: name → (key size, value size, per CPU), as calls.h declares them; a ring buffer has neither.
TABLES: Final[Mapping[str, tuple[int, int, bool]]] = {
    "tracing": (4, TRACING.size, False),
    "trace_statistics": (4, 8, True),
    "pending_calls": (4, 64, False),
    "transfers": (TRANSFER_KEY.size, TRANSFER.size, False),
    "unwanted_images": (8, 4, False),
    "trace_records": (0, 0, False),
}
#: Tables that only the programs use.
PRIVATE: Final = (
    "pending_texts",
    "told_calls",
    "draft_texts",
    "draft_arguments",
)


class Place(NamedTuple):
    """A system call, the program for its beginning, and that for its end."""

    event: str
    begins: str
    ends: str = "call_ended"

    @property
    def points(self) -> tuple[tuple[str, str], ...]:
        """Its tracepoints with their programs."""
        return (
            # Its end first: what begins before is told by nobody
            (f"sys_exit_{self.event}", self.ends),
            (f"sys_enter_{self.event}", self.begins),
        )


class SystemCall(NamedTuple):
    """What is traced under one name: several system calls that do the same."""

    number: int
    places: tuple[Place, ...]


_SENT: Final = "call_transferred"

#: By the names that traces know them by.
CALLS: Final[Mapping[str, SystemCall]] = {
    "connect": SystemCall(1, (Place("connect", "call_connect"),)),
    "accept": SystemCall(2, (Place("accept", "call_accept"), Place("accept4", "call_accept"))),
    "exec": SystemCall(3, (Place("execve", "call_exec"), Place("execveat", "call_execat"))),
    "send": SystemCall(
        4,
        (
            Place("sendto", "call_sendto", _SENT),
            Place("sendmsg", "call_sendmsg", _SENT),
            Place("sendmmsg", "call_sendmmsg", _SENT),
        ),
    ),
    "recv": SystemCall(
        5,
        (
            Place("recvfrom", "call_recvfrom", _SENT),
            Place("recvmsg", "call_recvmsg", _SENT),
            Place("recvmmsg", "call_recvmmsg", _SENT),
        ),
    ),
    "bind": SystemCall(6, (Place("bind", "call_bind"),)),
    "listen": SystemCall(7, (Place("listen", "call_listen"),)),
    "open": SystemCall(
        8,
        (
            Place("open", "call_open"),
            Place("creat", "call_creat"),
            Place("openat", "call_openat"),
            Place("openat2", "call_openat2"),
            Place("rename", "call_rename"),
            Place("renameat", "call_renameat"),
            Place("renameat2", "call_renameat"),
        ),
    ),
    "socket": SystemCall(9, (Place("socket", "call_socket"),)),
    "memfd": SystemCall(10, (Place("memfd_create", "call_memfd"),)),
    "ptrace": SystemCall(11, (Place("ptrace", "call_ptrace"),)),
    "chmod": SystemCall(
        12,
        (
            Place("chmod", "call_chmod"),
            Place("fchmod", "call_fchmod"),
            Place("fchmodat", "call_fchmodat"),
            Place("fchmodat2", "call_fchmodat"),
        ),
    ),
}
NAMES: Final = {call.number: name for name, call in CALLS.items()}

#: What notes an exec's words, as long as lives are followed: system call → program.
STAGES: Final = {"sys_enter_execve": "stage_execve", "sys_enter_execveat": "stage_execveat"}

PROGRAMS: Final = tuple(
    sorted(
        {
            *STAGES.values(),
            *(
                program
                for call in CALLS.values()
                for place in call.places
                for _, program in place.points
            ),
        }
    )
)
#: Every tracepoint that a program may be attached to; not every kernel has them all.
TRACEPOINTS: Final = tuple(
    ("syscalls", event)
    for event in (
        *STAGES,
        *(event for call in CALLS.values() for place in call.places for event, _ in place.points),
    )
)


class Call(NamedTuple):
    """`struct call_record` behind its head, with the text behind it."""

    duration: int
    result: int
    first: int
    second: int
    peer: bytes
    port: int
    family: int
    fd: int
    wanted: int
    text: bytes | None


class Transfer(NamedTuple):
    """`struct transfer`: what was sent or received since it was there."""

    image: int
    calls: int
    failed: int
    size: int
    duration: int
    last: int
    uid: int
    error: int
    comm: bytes


def read_call(data: bytes) -> Call:
    """Read what is behind a record's head; raises struct.error for less than there must be."""
    text = data[CALL.size :].partition(b"\0")[0] if len(data) > CALL.size else None
    return Call._make((*CALL.unpack_from(data), text))


def body(record: bytes) -> bytes:
    """Return what is behind a record's head, as long as the head says."""
    length = int.from_bytes(record[2:4], "little")
    return record[HEAD.size : HEAD.size + length]
