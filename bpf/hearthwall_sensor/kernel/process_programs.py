"""The programs on processes: in which hook of a cgroup, or on which tracepoint, each has its place."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

#: `enum bpf_prog_type`.
PROG_TYPE_TRACEPOINT: Final = 5
PROG_TYPE_CGROUP_SKB: Final = 8
PROG_TYPE_CGROUP_SOCK: Final = 9
PROG_TYPE_CGROUP_SOCK_ADDR: Final = 18

#: Where tracefs may be mounted, the better place first.
TRACEFS: Final = (Path("/sys/kernel/tracing"), Path("/sys/kernel/debug/tracing"))


class Hook(NamedTuple):
    """A program's place on a cgroup."""

    kind: int
    attach_type: int
    """`enum bpf_attach_type`."""
    for_rules: bool = False
    """Whether it is there only while there are rules on processes."""


CGROUP_HOOKS: Final[Mapping[str, Hook]] = {
    "process_connect4": Hook(PROG_TYPE_CGROUP_SOCK_ADDR, 10),
    "process_connect6": Hook(PROG_TYPE_CGROUP_SOCK_ADDR, 11),
    "process_sendmsg4": Hook(PROG_TYPE_CGROUP_SOCK_ADDR, 14),
    "process_sendmsg6": Hook(PROG_TYPE_CGROUP_SOCK_ADDR, 15),
    "process_recvmsg4": Hook(PROG_TYPE_CGROUP_SOCK_ADDR, 19),
    "process_recvmsg6": Hook(PROG_TYPE_CGROUP_SOCK_ADDR, 20),
    "process_getpeername4": Hook(PROG_TYPE_CGROUP_SOCK_ADDR, 29),
    "process_getpeername6": Hook(PROG_TYPE_CGROUP_SOCK_ADDR, 30),
    "process_bind4": Hook(PROG_TYPE_CGROUP_SOCK, 12),
    "process_bind6": Hook(PROG_TYPE_CGROUP_SOCK, 13),
    "process_release": Hook(PROG_TYPE_CGROUP_SOCK, 34),
    "process_create": Hook(PROG_TYPE_CGROUP_SOCK, 2, for_rules=True),
    "process_sends": Hook(PROG_TYPE_CGROUP_SKB, 1),
    "process_receives": Hook(PROG_TYPE_CGROUP_SKB, 0),
}


_FIELD: Final = re.compile(r"\bfield:(.*?)(\w+)(?:\[\w*\])?;\s*offset:(\d+);\s*size:(\d+);")


class Tracepoint(NamedTuple):
    """A program's place in the kernel's own course."""

    category: str
    event: str

    @property
    def flag(self) -> str:
        """What the program is compiled under, where the kernel has this tracepoint."""
        return f"HAVE_{self.event.upper()}"

    @property
    def folder(self) -> Path | None:
        """What tracefs says of it, None where the kernel has it not, or tracefs is not mounted."""
        found = (each / "events" / self.category / self.event for each in TRACEFS)
        return next((each for each in found if each.is_dir()), None)

    def layout(self, fields: tuple[str, ...]) -> tuple[str, ...]:
        """Return where this kernel has these fields, and how long they are; raises OSError."""
        if self.folder is None:
            return ()
        found = _FIELD.findall((self.folder / "format").read_text())
        return tuple(
            f"{self.event} {'__' in kind} {name} {offset} {size}"  # what begins with __ says where it is
            for kind, name, offset, size in found
            if name in fields
        )


#: Those that are always there: whose child a process is, and what it became.
LIFE_TRACEPOINTS: Final[Mapping[str, Tracepoint]] = {
    "life_begins": Tracepoint("task", "task_newtask"),
    "life_ends": Tracepoint("sched", "sched_process_exit"),
    "life_changes": Tracepoint("sched", "sched_process_exec"),
}
#: What these programs read of their tracepoints' arguments, which are not laid out alike in every kernel.
LIFE_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "life_begins": ("pid", "clone_flags"),
    "life_ends": (),
    "life_changes": ("filename", "old_pid"),
}
