"""Lines of a trace, made of what the kernel's programs tell."""

import dataclasses
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple

from ..kernel.call_layouts import NAMES, Call, Transfer
from ..kernel.process_layouts import Head
from ..notation import address_text
from ..processes.image import Image
from ..processes.masking import printable
from . import descriptors, wording
from .calls import whole_path
from .descriptors import Ends
from .traced import Traced

INET: Final = 2
INET6: Final = 10
UNIX: Final = 1
_MICROSECOND: Final = 1e3
#: Sockets that are looked up for one drawing of the ring.
_LOOK_UPS: Final = 256
_Adds = Callable[[Traced, Head, Call, Image, bool], Traced]


@lru_cache(maxsize=1024)
def _comm(data: bytes) -> str:
    """Return what a process calls itself."""
    return printable(data.partition(b"\0")[0])


class Peer(NamedTuple):
    """The key of a transfer that says with whom."""

    pid: int
    fd: int
    address: bytes
    port: int
    family: int
    call: int


class Lines:
    """Makes lines, and remembers which sockets were looked up."""

    def __init__(
        self,
        image_of: Callable[[int, int, Head | None], Image],
        epoch: Callable[[int], float],
        ends: Callable[[int, int], Ends | None] = descriptors.ends,
    ) -> None:
        """Take what tells what a process is, the clock's meaning, and what tells where a socket leads."""
        self._image_of = image_of
        self._epoch = epoch
        self._ends = ends
        self._left = _LOOK_UPS
        self._adds: dict[str, _Adds] = {
            "connect": self._of_connect,
            "bind": self._of_connect,
            "accept": self._of_accept,
            "listen": self._of_listen,
            "exec": self._of_exec,
            "send": self._of_transfer,
            "recv": self._of_transfer,
            "open": self._of_open,
            "socket": self._of_socket,
            "memfd": self._of_memfd,
            "ptrace": self._of_ptrace,
        }

    def begin(self) -> None:
        """Look sockets up again, so many at most."""
        self._left = _LOOK_UPS

    def image(self, number: int, pid: int, head: Head | None = None) -> Image:
        """Return what a process is, or was."""
        return self._image_of(number, pid, head)

    def call(self, head: Head, call: Call, image: Image, *, is_last: bool) -> Traced:
        """Return a call's line; `is_last` says whether its descriptor is of no later call."""
        name = NAMES.get(head.call, "?")
        has_peer = call.family in (INET, INET6)
        line = Traced(
            self._epoch(head.time),
            name,
            head.pid,
            head.uid,
            _comm(head.comm),
            result=call.result,
            error=wording.error(call.result),
            duration_us=round(call.duration / _MICROSECOND, 1),
            executable=image.executable or None,
            unit=image.unit,
            container=image.container,
            address=address_text(call.peer) if has_peer else None,
            port=call.port if has_peer else None,
        )
        adds = self._adds.get(name)
        return line if adds is None else adds(line, head, call, image, is_last)

    def transfer(self, peer: Peer, transfer: Transfer) -> Traced:
        """Return the line of what a socket sent or received."""
        image = self.image(transfer.image, peer.pid)
        line = Traced(
            self._epoch(transfer.last),
            NAMES.get(peer.call, "?"),
            peer.pid,
            transfer.uid,
            _comm(transfer.comm),
            result=0 if transfer.failed < transfer.calls else -transfer.error,
            error=wording.error(-transfer.error) if transfer.failed else None,
            duration_us=round(transfer.duration / _MICROSECOND, 1),
            executable=image.executable or None,
            unit=image.unit,
            container=image.container,
            calls=transfer.calls,
            failed=transfer.failed,
            bytes=transfer.size,
        )
        if peer.family:
            return dataclasses.replace(line, address=address_text(peer.address), port=peer.port)
        return self._with_ends(line, peer.pid, peer.fd)

    def look_up(self, pid: int, fd: int) -> Ends | None:
        """Return where a process's socket leads now, unless many were looked up already."""
        if self._left <= 0:
            return None
        self._left -= 1
        return self._ends(pid, fd)

    def _with_ends(self, line: Traced, pid: int, fd: int) -> Traced:
        """Return a line with what its socket is connected with now."""
        ends = self.look_up(pid, fd)
        if ends is None:
            return line
        return dataclasses.replace(
            line,
            local_address=ends.address,
            local_port=ends.port,
            address=ends.peer,
            port=ends.peer_port if ends.peer else None,
        )

    def _of_connect(
        self, line: Traced, _head: Head, call: Call, _image: Image, _is_last: bool
    ) -> Traced:
        """Add the name of a unix socket."""
        if call.family != UNIX:
            return line
        return dataclasses.replace(line, path=printable(call.text or b""))

    def _of_accept(
        self, line: Traced, head: Head, call: Call, _image: Image, is_last: bool
    ) -> Traced:
        """Add who listens, and the peer where the process did not ask for it."""
        listens = self.look_up(head.pid, call.fd)
        if listens is not None:
            line = dataclasses.replace(line, local_address=listens.address, local_port=listens.port)
        if line.address is not None or call.result < 0 or not is_last:
            return line
        ends = self.look_up(head.pid, call.result)
        if ends is None or ends.peer is None or (listens and ends.port != listens.port):
            return line  # it is somebody else's by now
        return dataclasses.replace(
            line, address=ends.peer, port=ends.peer_port, local_address=ends.address
        )

    def _of_listen(
        self, line: Traced, head: Head, call: Call, _image: Image, _is_last: bool
    ) -> Traced:
        """Add the port."""
        ends = self.look_up(head.pid, call.fd)
        line = dataclasses.replace(line, detail=f"backlog {call.second & 0xFFFFFFFF}")
        if ends is None:
            return line
        return dataclasses.replace(line, address=ends.address, port=ends.port)

    def _of_exec(
        self, line: Traced, head: Head, call: Call, image: Image, _is_last: bool
    ) -> Traced:
        """Add the file; where it became one, the command line as well, and who started it."""
        if call.result:
            return dataclasses.replace(line, path=printable(whole_path(head.pid, call)))
        parent = image.parent
        return dataclasses.replace(
            line,
            path=printable(call.text or b""),
            detail=image.command_line,
            parent_executable=None if parent is None else parent.executable or None,
            parent_pid=image.parent_pid or None if parent is None else parent.pid,
        )

    def _of_transfer(
        self, line: Traced, head: Head, call: Call, _image: Image, is_last: bool
    ) -> Traced:
        """Add how much, and with whom."""
        line = dataclasses.replace(line, bytes=call.first, failed=int(call.result < 0))
        if line.address is not None or not is_last:
            return line
        return self._with_ends(line, head.pid, call.fd)

    def _of_open(
        self, line: Traced, head: Head, call: Call, _image: Image, _is_last: bool
    ) -> Traced:
        """Add the file, and how it is opened."""
        path = printable(whole_path(head.pid, call))
        return dataclasses.replace(line, path=path, detail=wording.flags(call.second))

    def _of_socket(
        self, line: Traced, _head: Head, call: Call, _image: Image, _is_last: bool
    ) -> Traced:
        """Add what it is asked to be."""
        return dataclasses.replace(
            line, detail=wording.sort_of_socket(call.first, call.second, call.port)
        )

    def _of_memfd(
        self, line: Traced, _head: Head, call: Call, _image: Image, _is_last: bool
    ) -> Traced:
        """Add its name."""
        return dataclasses.replace(line, path=printable(call.text or b""))

    def _of_ptrace(
        self, line: Traced, _head: Head, call: Call, _image: Image, _is_last: bool
    ) -> Traced:
        """Add what is asked, and of which process."""
        about = f" {call.first & 0xFFFFFFFF}" if call.first else ""
        return dataclasses.replace(line, detail=wording.request(call.second) + about)
