"""The sink `journald`: systemd's journal on this host, with a field for each fact."""

import array
import asyncio
import errno
import fcntl
import os
import socket
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..protocol import Event
from .ecs import Flat, Origin, flat, written
from .facts import PRIORITIES, facts
from .sink import SinkContext, SinkError
from .table import Table

#: What all events have in common, for `journalctl MESSAGE_ID=…` and the catalogue.
MESSAGE_ID: Final = "7cf4a55d7f0d4e4d9a1c2f3f0f5cf9b1"
#: Journald's queue is full for a moment when much happens: seconds between tries, and how often.
_PAUSE: Final = 0.05
_TRIES: Final = 200
_SEALS: Final = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
_KIND: Final = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK


@dataclass(frozen=True, slots=True)
class JournaldOptions:
    """Where the journal is."""

    socket: Path
    """Another one than the system's is that of a journal namespace."""

    @classmethod
    def read(cls, table: Table) -> "JournaldOptions":
        """Return the options of a table; raises SensorError."""
        return cls(socket=table.path("socket", "/run/systemd/journal/socket"))


class JournaldSink:
    """Sends each event as an entry of the journal."""

    def __init__(self, options: JournaldOptions, context: SinkContext) -> None:
        """Take the options, and who tells the events."""
        self._path = str(options.socket)
        self._context = context
        self._origin = Origin.of(context)
        self._socket: socket.socket | None = None

    async def start(self) -> None:
        """Make a socket, and see whether journald is there; raises SinkError."""
        self._open()
        with socket.socket(socket.AF_UNIX, _KIND) as probe:
            try:
                probe.connect(self._path)
            except OSError as error:
                raise SinkError(
                    f"journald is not at {self._path}: {error.strerror or error}"
                ) from error
        self._context.reached()

    async def send(self, events: Sequence[Event]) -> None:
        """Send entries; raises SinkError."""
        self._open()
        for done, event in enumerate(events):
            entry = serialised(_entry(flat(event, self._origin), event))
            try:
                await self._send(entry)
            except OSError as error:
                raise SinkError(
                    f"journald at {self._path} took nothing: {error.strerror}", delivered=done
                ) from error
            self._context.took(done + 1)

    async def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _open(self) -> None:
        """Make a socket, if there is none."""
        if self._socket is None:
            self._socket = socket.socket(socket.AF_UNIX, _KIND)

    async def _send(self, entry: bytes) -> None:
        """Send one entry, waiting while the queue is full; raises OSError."""
        for _ in range(_TRIES):
            try:
                self._send_now(entry)
            except BlockingIOError:
                await asyncio.sleep(_PAUSE)
            else:
                return
        raise BlockingIOError(errno.EAGAIN, "its queue is full")

    def _send_now(self, entry: bytes) -> None:
        """Send one entry: by itself, or as a sealed file where it is too large for a datagram."""
        assert self._socket is not None  # noqa: S101, for the type checker
        try:
            self._socket.sendto(entry, self._path)
        except OSError as error:
            if error.errno not in (errno.EMSGSIZE, errno.ENOBUFS):
                raise
            with open(_sealed(entry), "rb") as file:
                rights = array.array("i", [file.fileno()])
                self._socket.sendmsg(
                    [b""], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)], 0, self._path
                )


def _sealed(content: bytes) -> int:
    """Return a file in memory that nobody can change any more."""
    file = os.memfd_create("hearthwall", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(file, left) :]
        fcntl.fcntl(file, fcntl.F_ADD_SEALS, _SEALS)
    except OSError:
        os.close(file)
        raise
    return file


def serialised(entry: Mapping[str, str]) -> bytes:
    """Return an entry in journald's own format. Each value has its length before it, so none can end early."""
    parts = []
    for name, value in entry.items():
        content = value.encode("utf-8", "replace")
        parts.append(name.encode("ascii") + b"\n" + struct.pack("<Q", len(content)) + content)
    return b"\n".join(parts) + b"\n"


def _entry(fields: Flat, event: Event) -> dict[str, str]:
    """Return an event's entry."""
    return {
        "MESSAGE": fields["message"],
        "MESSAGE_ID": MESSAGE_ID,
        "PRIORITY": str(PRIORITIES[event.severity]),
        "SYSLOG_IDENTIFIER": "hearthwall",
        "HEARTHWALL_TIME": fields["@timestamp"],
        **{f"HEARTHWALL_{fact.journal}": value for fact, value in facts(fields)},
        "HEARTHWALL_ECS": written(fields).decode(),
    }
