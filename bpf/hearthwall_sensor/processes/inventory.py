"""What ran before the sensor did: processes, their open connections, and the ports that they have bound."""

import importlib
import ipaddress
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from ..kernel.cgroups import Cgroup
from ..kernel.process_layouts import (
    BOUND,
    GIVEN,
    IMAGE_CPU_BITS,
    PORT_KEY,
    PORT_OWNER,
    SOCKET,
    Bound,
    Head,
)
from ..kernel.process_tables import Process, ProcessTables
from ..notation import boot_ns, mapped
from . import looks, reading
from .image import Image
from .looks import PROC

#: TCP_LISTEN and TCP_CLOSE, as inet_diag has them: the second is a UDP socket that is not connected.
_LISTENS: Final = 10
_UNCONNECTED: Final = 7
_PROTOCOLS: Final = (socket.IPPROTO_TCP, socket.IPPROTO_UDP)


def take(
    tables: ProcessTables,
    cgroup: Cgroup,
    known: Callable[[int, int], Image],
    bound: Callable[[Image, Bound], None],
) -> None:
    """Tell the kernel of the processes that it does not know; `known` gives what one is, by its image's number and pid.

    `bound` is told what has bound a port, as the programs would have recorded it.
    What starts meanwhile the kernel sees by itself: a process that is there already stays as it is.
    """
    owners: dict[int, _Owner] = {}
    first = boot_ns()
    for number, pid in enumerate(_pids()):
        name = _cgroup_name(pid)
        found = reading.read(pid) if name is not None and cgroup.holds(name) else None
        if name is None or found is None or found.is_kernel:
            continue
        held = tables.process(pid)
        if held is None or not held.image:
            image = (first + number) << IMAGE_CPU_BITS | GIVEN
            held = Process(image, found.parent_pid, _threads(pid))
            tables.put_process(pid, held)
        owner = _Owner(pid, known(held.image, pid), found.uid, _cgroup_number(name, cgroup))
        for inode in looks.sockets(pid):
            owners.setdefault(inode, owner)
    _take_sockets(tables, owners, bound)


class _Owner(NamedTuple):
    """Whose a socket is."""

    pid: int
    image: Image
    uid: int
    cgroup: int


def _pids() -> Iterator[int]:
    """Yield the processes that there are."""
    return (int(each.name) for each in PROC.iterdir() if each.name.isdecimal())


def _cgroup_name(pid: int) -> str | None:
    """Return a process's cgroup of the second version, None for a process that has ended."""
    try:
        text = (PROC / str(pid) / "cgroup").read_text(errors="surrogateescape")
    except OSError:
        return None
    return next((line[3:] for line in text.splitlines() if line.startswith("0::")), "/")


def _cgroup_number(name: str, cgroup: Cgroup) -> int:
    """Return the kernel's number of a cgroup, 0 for one that has gone."""
    try:
        return (cgroup.top / name.lstrip("/")).stat().st_ino
    except OSError:
        return 0


def _threads(pid: int) -> int:
    """Return how many threads a process has."""
    try:
        return sum(1 for _ in (PROC / str(pid) / "task").iterdir())
    except OSError:
        return 0


def _take_sockets(
    tables: ProcessTables,
    owners: Mapping[int, _Owner],
    bound: Callable[[Image, Bound], None],
) -> None:
    """Tell the kernel whose the sockets of this network namespace are."""
    for protocol in _PROTOCOLS:
        found = list(_diag(protocol))
        listening = {each["idiag_sport"] for each in found if each["idiag_state"] == _LISTENS}
        for each in found:
            owner = owners.get(each["idiag_inode"])
            if owner is None:
                continue
            if _is_bound(each, protocol):
                bound(owner.image, _record(each, protocol, owner))
            _put_socket(tables, each, protocol, owner, listening)


def _record(found: Any, protocol: int, owner: _Owner) -> Bound:
    """Return a socket that waits as the record of its binding."""
    head = Head(BOUND, 0, 0, owner.pid, 0, owner.image.number, owner.cgroup, 0, owner.uid, b"")
    address = _packed(found["idiag_src"])
    return Bound(head, found["idiag_cookie"], address, found["idiag_sport"], protocol)


def _diag(protocol: int) -> Iterator[Any]:
    """Yield this namespace's sockets of one protocol, as inet_diag has them."""
    from ..network import netlink  # noqa: F401, it lets pyroute2's parts be imported alone

    DiagSocket = importlib.import_module("pyroute2.netlink.diag").DiagSocket  # noqa: N806
    for family in (socket.AF_INET, socket.AF_INET6):
        with DiagSocket() as diag:
            diag.bind()
            yield from diag.get_sock_stats(family=family, protocol=protocol)


def _put_socket(
    tables: ProcessTables, found: Any, protocol: int, owner: _Owner, listening: set[int]
) -> None:
    """Tell of one socket: of a connection, or of a port that is bound."""
    pid, image, uid, group = owner
    cookie, port, state = found["idiag_cookie"], found["idiag_sport"], found["idiag_state"]
    is_bound = _is_bound(found, protocol)
    if is_bound:
        tables.map("port_owners").put(
            PORT_KEY.pack(group, _packed(found["idiag_src"]), port, protocol, 0),
            PORT_OWNER.pack(cookie, image.number, pid, uid),
        )
    if state == _LISTENS:
        return
    value = SOCKET.pack(
        *(image.number, pid, uid, group, boot_ns(), 0, 0, 0, 0, 0),
        _packed(found["idiag_src"]),
        bytes(16) if is_bound else _packed(found["idiag_dst"]),
        *(port, 0 if is_bound else found["idiag_dport"], protocol),
        *(protocol == socket.IPPROTO_TCP and port in listening, is_bound),
    )
    key, sockets = cookie.to_bytes(8, "little"), tables.map("sockets")
    if sockets.get(key) is None:
        sockets.put(key, value)


def _is_bound(found: Any, protocol: int) -> bool:
    """Return whether a socket waits for whoever comes."""
    state = found["idiag_state"]
    return state == _LISTENS or (protocol == socket.IPPROTO_UDP and state == _UNCONNECTED)


def _packed(address: str) -> bytes:
    """Return an address's sixteen bytes."""
    return mapped(ipaddress.ip_address(address))
