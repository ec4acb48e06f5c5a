"""The sink `file`: a document of ECS on each line, in a file that is rotated by size."""

import errno
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from ..protocol import Event
from ..requests import GetEvents
from . import trial
from .ecs import MAX_BYTES, Origin, event_id, line
from .log_file import LogFile
from .sink import SinkContext, SinkError
from .table import Table
from .worker import Worker

_MB: Final = 1_000_000
#: Where the service may write logs.
_FOLDER: Final = "/var/log/hearthwall"


@dataclass(frozen=True, slots=True)
class FileOptions:
    """Where the lines go."""

    path: Path
    max_mb: float
    """A file that would get larger is renamed, and a new one begun."""
    keep: int
    """So many old files are kept beside the one that is written."""
    mode: int
    """Who may read: root alone (0600), or the folder's group as well (0640)."""
    sync: bool
    """Whether events count as delivered only when they are on the disk itself."""

    @classmethod
    def read(cls, table: Table) -> "FileOptions":
        """Return the options of a table; raises SensorError."""
        return cls(
            path=table.path("path", f"{_FOLDER}/events.json", folder=_FOLDER),
            max_mb=table.number("max_mb", 10, 0.01, 10_000),
            keep=table.whole("keep", 5, 1, 100),
            mode=int(table.choice("mode", ("0600", "0640"), "0600"), 8),
            sync=table.flag("sync", default=True),
        )


class _Line(NamedTuple):
    """One event's line, or as much of a line in the file as says which event's it is."""

    seq: int
    id: str
    text: bytes = b""


class FileSink:
    """Writes documents to a file, once each: also after a crash its last lines say how far it had come."""

    def __init__(self, options: FileOptions, context: SinkContext) -> None:
        """Take the options, and who tells the events."""
        self._options = options
        self._context = context
        self._origin = Origin.of(context)
        self._log = LogFile(
            options.path,
            mode=options.mode,
            most=round(options.max_mb * _MB),
            keep=options.keep,
            longest=MAX_BYTES,
        )
        self._worker = Worker(str(options.path))
        #: The newest event that was found, and the number up to which all are written.
        self._found: _Line | None = None
        self._written = 0

    async def start(self) -> None:
        """Open the file, and find how far it has come; raises SinkError."""
        await self._worker.do(self._open)
        self._context.reached()
        found = self._found
        if found is not None and await self._is_in_journal(found):
            self._written = max(self._written, found.seq)

    async def send(self, events: Sequence[Event]) -> None:
        """Write events; raises SinkError."""
        lines = [
            _Line(each.seq, event_id(each, self._origin.sensor_id), line(each, self._origin))
            for each in events
        ]
        await self._worker.do(lambda: self._write(lines))

    async def close(self) -> None:
        """Close the file; one whose disk hangs is closed with the process."""
        if not self._worker.is_busy:
            await self._worker.do(self._log.close)

    async def _is_in_journal(self, found: _Line) -> bool:
        """Return whether a line is of the journal that there is: in one that began anew its number is another's."""
        answer = await self._context.call(GetEvents(since=max(found.seq - 1, 0), limit=1))
        return any(
            event_id(Event.from_wire(each), self._origin.sensor_id) == found.id for each in answer
        )

    def _open(self) -> None:
        """Open the file, and see which event is the newest in it: behind that may be messages that were tests."""
        try:
            lines = self._log.open()
        except OSError as error:
            raise SinkError(self._said("opened", error)) from error
        self._found = next(filter(None, map(_read, lines)), None)

    def _write(self, lines: Sequence[_Line]) -> None:
        """Write what is not in the file yet."""
        if self._log.is_elsewhere():
            self._open()
        found = self._found
        if found is not None and any(each.id == found.id for each in lines):
            self._written = max(self._written, found.seq)
        fresh = [each for each in lines if each.seq > self._written or each.seq == trial.NUMBER]
        there = len(lines) - len(fresh)
        try:
            self._log.append([each.text for each in fresh])
            if self._options.sync:
                self._log.sync()
        except SinkError as error:
            self._wrote(fresh[: error.delivered])
            raise SinkError(str(error), delivered=there + error.delivered) from error
        except OSError as error:  # what is on disk is anybody's guess: it is written again
            self._log.close()
            raise SinkError(self._said("written", error)) from error
        self._wrote(fresh)

    def _wrote(self, lines: Sequence[_Line]) -> None:
        """Note what is in the file."""
        self._written = max((self._written, *(each.seq for each in lines)))

    def _said(self, what: str, error: OSError) -> str:
        """Return why the file can't be used, and what to do where the service may not write."""
        path = self._options.path
        said = f"{path} can't be {what}: {error.strerror}"
        if error.errno != errno.EROFS:
            return said
        return f"{said}. Of the service, ReadWritePaths={path.parent} allows it (systemctl edit)"


def _read(text: bytes) -> _Line | None:
    """Return which event a line is about; None if it is a test, or no document."""
    try:
        said = json.loads(text)["event"]
        found = _Line(said["sequence"], said["id"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return found if isinstance(found.seq, int) and 0 < found.seq < 2**62 else None
