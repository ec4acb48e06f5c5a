"""The sink `file`: a document of ECS on each line, in a file that is rotated by size."""

import asyncio
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..protocol import Event
from .ecs import MAX_BYTES, Origin, event_id, line
from .log_file import LogFile
from .sink import SinkContext, SinkError
from .table import Table

_MB: Final = 1_000_000


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
            path=table.path("path", "/var/log/hearthwall/events.json"),
            max_mb=table.number("max_mb", 10, 0.01, 10_000),
            keep=table.whole("keep", 5, 1, 100),
            mode=int(table.choice("mode", ("0600", "0640"), "0600"), 8),
            sync=table.flag("sync", default=True),
        )


class FileSink:
    """Writes documents to a file, once each: also after a crash the last line says how far it had come."""

    def __init__(self, options: FileOptions, context: SinkContext) -> None:
        """Take the options, and who tells the events."""
        self._options = options
        self._origin = Origin.of(context)
        self._log = LogFile(
            options.path,
            mode=options.mode,
            most=round(options.max_mb * _MB),
            keep=options.keep,
            longest=MAX_BYTES,
        )
        # A thread that waits for a disk goes on when nobody waits for it any more.
        self._writing = threading.Lock()
        self._last: str | None = None

    async def start(self) -> None:
        """Open the file; raises SinkError."""
        await asyncio.to_thread(self._begin)

    async def send(self, events: Sequence[Event]) -> None:
        """Write events; raises SinkError."""
        lines = [
            (event_id(each, self._origin.sensor_id), line(each, self._origin)) for each in events
        ]
        await asyncio.to_thread(self._write, lines)

    async def close(self) -> None:
        """Close the file."""
        await asyncio.to_thread(self._end)

    def _begin(self) -> None:
        """Open the file, and find the last event that is in it."""
        with self._writing:
            self._open()

    def _open(self) -> None:
        """Open the file while nobody else writes it."""
        try:
            last = self._log.open()
        except OSError as error:
            raise SinkError(f"{self._options.path} can't be opened: {error.strerror}") from error
        self._last = _id(last) if last is not None else self._last

    def _write(self, lines: Sequence[tuple[str, bytes]]) -> None:
        """Write what is not in the file yet."""
        with self._writing:
            if self._log.is_elsewhere():
                self._open()
            ids = [identity for identity, _ in lines]
            there = ids.index(self._last) + 1 if self._last in ids else 0
            try:
                self._log.append([text for _, text in lines[there:]])
                if self._options.sync:
                    self._log.sync()
            except SinkError as error:
                done = there + error.delivered
                self._last = ids[done - 1] if done else self._last
                raise SinkError(str(error), delivered=done) from error
            except OSError as error:  # what is on disk is anybody's guess: it is written again
                self._last = None
                self._log.close()
                raise SinkError(
                    f"{self._options.path} can't be written: {error.strerror}"
                ) from error
            self._last = ids[-1] if ids else self._last

    def _end(self) -> None:
        """Close the file once nobody writes it."""
        with self._writing:
            self._log.close()


def _id(text: bytes) -> str | None:
    """Return which event a line is about."""
    try:
        found = json.loads(text)["event"]["id"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return found if isinstance(found, str) else None
