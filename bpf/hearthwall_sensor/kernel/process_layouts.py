"""The layouts of process.h in Python, and nothing of what they mean."""

import struct
from collections.abc import Mapping
from typing import Final, NamedTuple

from .libbpf import Map

LIMITS: Final = {
    "MAX_PROCESSES": 65536,
    "MAX_SOCKETS": 16384,
    "MAX_EXCHANGES": 8192,
    "MAX_PORTS": 4096,
    "MAX_CLOSED": 4096,
    "MAX_PENDING": 256,
    "MAX_PROGRAMS": 1024,
    "MAX_PROCESS_PEERS": 4096,
    "PROCESS_PAGES": 256,
}
#: Rules on processes; each has a slot.
PROCESS_SLOTS: Final = range(64)
#: The longest path that a rule takes, with its zero.
PATH_BYTES: Final = 252
#: An image's number ends in these bits where the sensor gave it.
GIVEN: Final = 0xFF
IMAGE_CPU_BITS: Final = 8

EXECUTED: Final = 1
BEGAN: Final = 2
ENDED: Final = 3
BOUND: Final = 4
REFUSED: Final = 5
CALLED: Final = 6

SETTINGS: Final = struct.Struct("<QQIIII")
PROCESS: Final = struct.Struct("<QII")
#: `struct socket`.
SOCKET: Final = struct.Struct("<QIIQQQQQQQ16s16sHHBBBx")
EXCHANGE: Final = struct.Struct("<Q16sH6x")
PORT_KEY: Final = struct.Struct("<Q16sHHI")
PORT_OWNER: Final = struct.Struct("<QQII")
PROCESS_RULE: Final = struct.Struct("<QQQQQIBBH")
PROCESS_PEER: Final = struct.Struct("<II16s")
PROGRAM_PATH: Final = struct.Struct(f"<I{PATH_BYTES}s")
PID_RULE: Final = struct.Struct("<QQ")
HEAD: Final = struct.Struct("<BBHIQQQII16s")
_EXEC: Final = struct.Struct(f"<QHHI{PATH_BYTES}s512s")
_BIND: Final = struct.Struct("<Q16sHB5x")
_COOKIE: Final = struct.Struct("<Q")

STATISTICS: Final = (
    "records_lost",
    "processes_lost",
    "unknown",
    "refused",
    "dropped",
    "sockets_lost",
    "unannounced",
)
#: name → (key size, value size, per CPU), as process.h declares them; a ring buffer has neither.
TABLES: Final[Mapping[str, tuple[int, int, bool]]] = {
    "process_settings": (4, SETTINGS.size, False),
    "process_statistics": (4, 8, True),
    "processes": (4, PROCESS.size, False),
    "sockets": (8, SOCKET.size, False),
    "exchanges": (EXCHANGE.size, SOCKET.size, False),
    "port_owners": (PORT_KEY.size, PORT_OWNER.size, False),
    "process_records": (0, 0, False),
    "process_rules": (4, PROCESS_RULE.size, False),
    "process_peers": (PROCESS_PEER.size, 8, False),
    "program_rules": (PROGRAM_PATH.size, 8, False),
    "image_rules": (8, 8, False),
    "pid_rules": (4, PID_RULE.size, False),
}


class Socket(NamedTuple):
    """`struct socket`: a connection, or what one socket exchanges with one peer. Times are since boot, ns."""

    image: int
    pid: int
    uid: int
    cgroup: int
    first: int
    last: int
    sent_bytes: int
    received_bytes: int
    sent_packets: int
    received_packets: int
    local: bytes
    peer: bytes
    port: int
    peer_port: int
    protocol: int
    accepted: int
    unconnected: int


class Head(NamedTuple):
    """`struct record`: who did something, and when."""

    kind: int
    call: int
    length: int
    pid: int
    time: int
    image: int
    cgroup: int
    parent: int
    uid: int
    comm: bytes


class Executed(NamedTuple):
    """A process became something else; `head.image` is what it is now."""

    head: Head
    previous: int
    path: bytes
    arguments: tuple[bytes, ...]
    has_more: bool


class Talked(NamedTuple):
    """A connection began, ended or was refused, by `head.kind`."""

    head: Head
    cookie: int
    socket: Socket


class Bound(NamedTuple):
    """A socket was bound to a port."""

    head: Head
    cookie: int
    address: bytes
    port: int
    protocol: int


class Called(NamedTuple):
    """A system call that is watched."""

    head: Head
    data: bytes


Record = Executed | Talked | Bound | Called


def read_record(data: bytes) -> Record | None:
    """Read one record of the ring; None for one of a kind that is not known."""
    head = Head._make(HEAD.unpack_from(data))
    at = HEAD.size
    if head.kind == EXECUTED:
        previous, length, more, _, path, text = _EXEC.unpack_from(data, at)
        words = tuple(text[:length].split(b"\0")[:-1]) if length else ()
        return Executed(head, previous, path.partition(b"\0")[0], words, bool(more))
    if head.kind in (BEGAN, ENDED, REFUSED):
        (cookie,) = _COOKIE.unpack_from(data, at)
        return Talked(head, cookie, Socket._make(SOCKET.unpack_from(data, at + 8)))
    if head.kind == BOUND:
        cookie, address, port, protocol = _BIND.unpack_from(data, at)
        return Bound(head, cookie, address, port, protocol)
    if head.kind == CALLED:
        return Called(head, data[at : at + head.length])
    return None


def read_sockets(table: Map) -> list[tuple[bytes, Socket]]:
    """Return the entries of a table of `struct socket`, by their keys."""
    return [(key, Socket._make(SOCKET.unpack(value))) for key, value in table.items()]
