"""A line of a trace: one system call, or what one socket sent or received in a second."""

from dataclasses import dataclass, fields
from typing import Any, Final

from ..wire import Message


@dataclass(frozen=True, slots=True)
class Traced(Message):
    """One line. `result` is what the call returned; below zero, `error` is its name, such as `ECONNREFUSED`.

    Text that came from a process is printable. `address` and `port` are the peer's (of bind and listen: the
    own), `local_address` and `local_port` this side's, where they are known; the port is
    0 of a socket that has none. Of send and recv `calls` are
    told together, `failed` of them in vain, and `duration_us` is of all of them.
    """

    time: float
    """When it began, seconds since the epoch."""
    call: str
    pid: int
    uid: int
    comm: str
    result: int = 0
    error: str | None = None
    duration_us: float = 0.0
    executable: str | None = None
    unit: str | None = None
    container: str | None = None
    address: str | None = None
    port: int | None = None
    local_address: str | None = None
    local_port: int | None = None
    path: str | None = None
    parent_executable: str | None = None
    """Of an exec that succeeded: what the process was before, or what made it."""
    parent_pid: int | None = None
    detail: str = ""
    """What else it says: flags, a mode, a family, the command line."""
    calls: int = 1
    failed: int = 0
    bytes: int | None = None

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object; thousands a second, so without copying what can't change."""
        return {name: getattr(self, name) for name in _FIELDS}


_FIELDS: Final = tuple(each.name for each in fields(Traced))
