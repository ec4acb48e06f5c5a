"""The journal: what happened, numbered, and on disk before anyone is told."""

import asyncio
import json
import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from . import database
from .notice import Notice
from .protocol import Event, EventKind, SensorError

_LOGGER = logging.getLogger(__name__)

#: Events that are kept; the oldest go first.
KEPT: Final = 10_000
#: Events that may wait for a slow or full disk.
_MAX_WAITING: Final = 1000
_MAX_ANSWER: Final = 1000
#: Events of a kind that a stranger can cause, in a minute: else he could push out all others.
_MOST_IN_A_MINUTE: Final[Mapping[EventKind, int]] = {
    "flood": 30,
    "threat_address": 30,
    "threat_domain": 30,
}
_MINUTE: Final = 60.0

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    time REAL NOT NULL,
    kind TEXT NOT NULL,
    severity TEXT NOT NULL,
    mac TEXT,
    address TEXT,
    peer_address TEXT,
    peer_name TEXT,
    process TEXT,
    summary TEXT NOT NULL,
    evidence TEXT NOT NULL
)
"""
_COLUMNS: Final = (
    "time, kind, severity, mac, address, peer_address, peer_name, process, summary, evidence"
)


class Journal:
    """One sensor's journal."""

    def __init__(self, path: Path) -> None:
        """Open or make the journal; raises SensorError `storage_failed`."""
        self._connection = database.opened(
            path, _SCHEMA, durable=True, check=lambda connection: list(_newest(connection))
        )
        self._lock = threading.Lock()
        # Held while the events that wait are written or forgotten.
        self._writing = asyncio.Lock()
        self._waiting: deque[tuple[float, Notice]] = deque()
        self._failed = False
        #: The newest event's number.
        self.last = _last(self._connection)
        #: Events that found no room while the disk did not take any.
        self.lost = 0
        #: Events that were too many of their kind in a minute.
        self.suppressed = 0
        self._recent: dict[EventKind, deque[float]] = {
            kind: deque(maxlen=most) for kind, most in _MOST_IN_A_MINUTE.items()
        }

    def note(self, notice: Notice) -> None:
        """Take an event; `write` puts it on disk."""
        if self._is_too_much(notice.kind):
            self.suppressed += 1
            return
        if len(self._waiting) >= _MAX_WAITING:
            self.lost += 1
            return
        self._waiting.append((round(time.time(), 3), notice))

    def _is_too_much(self, kind: EventKind) -> bool:
        """Return whether there were as many of a kind in the last minute as there may be; else count this one."""
        recent = self._recent.get(kind)
        if recent is None:
            return False
        now = time.monotonic()
        if len(recent) == recent.maxlen and now - recent[0] < _MINUTE:
            return True
        recent.append(now)
        return False

    @property
    def waits(self) -> bool:
        """Whether there is something to write."""
        return bool(self._waiting)

    async def write(self) -> list[Event]:
        """Put what waits on disk and return it, numbered; what fails goes on waiting."""
        async with self._writing:
            return await self._write_waiting()

    async def _write_waiting(self) -> list[Event]:
        """Put what waits on disk."""
        waiting = list(self._waiting)
        try:
            events = await asyncio.to_thread(self._write, waiting)
        except sqlite3.Error as error:
            if not self._failed:
                _LOGGER.warning("Events can't be written and wait: %s", error)
            self._failed = True
            return []
        self._failed = False
        for _ in waiting:
            self._waiting.popleft()
        self.last = events[-1].seq if events else self.last
        return events

    def _write(self, waiting: list[tuple[float, Notice]]) -> list[Event]:
        """Insert events in one transaction; forget the oldest."""
        events = []
        with self._lock, self._connection:
            for when, notice in waiting:
                row = (
                    when,
                    notice.kind,
                    notice.severity,
                    notice.mac,
                    notice.address,
                    notice.peer_address,
                    notice.peer_name,
                    None,
                    notice.summary,
                )
                done = self._connection.execute(
                    f"INSERT INTO events ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608, a constant
                    (*row, json.dumps(notice.evidence)),
                )
                events.append(Event(done.lastrowid or 0, *row, notice.evidence))
            newest = events[-1].seq if events else 0
            self._connection.execute("DELETE FROM events WHERE seq <= ?", (newest - KEPT,))
        return events

    async def forget(self, macs: Collection[str]) -> None:
        """Leave no event of these devices, on disk either; raises SensorError `storage_failed`."""
        async with self._writing:
            try:
                await asyncio.to_thread(self._erase, macs)
            except sqlite3.Error as error:
                raise SensorError("storage_failed", f"events can't be erased: {error}") from error
            kept = [each for each in self._waiting if not _names(each[1], macs)]
            self._waiting.clear()
            self._waiting.extend(kept)

    def _erase(self, macs: Iterable[str]) -> None:
        """Delete the events that are about these devices or name them, and leave nothing of them in the file."""
        with self._lock:
            with self._connection:
                self._connection.executemany(
                    "DELETE FROM events WHERE mac = ?1 OR instr(summary, ?1) OR instr(evidence, ?1)",
                    [(mac,) for mac in macs],
                )
            database.wipe(self._connection)

    def since(self, seq: int, limit: int) -> list[Event]:
        """Return the events after a number, the oldest first; raises SensorError `invalid_message`."""
        if not 0 <= seq < 2**63 or not 0 < limit <= _MAX_ANSWER:
            raise SensorError(
                "invalid_message", f"since is a number of an event, limit 1 to {_MAX_ANSWER}"
            )
        with self._lock:
            rows = self._connection.execute(
                f"SELECT seq, {_COLUMNS} FROM events WHERE seq > ? ORDER BY seq LIMIT ?",  # noqa: S608, a constant
                (seq, limit),
            ).fetchall()
        return [_event(row) for row in rows]

    def close(self) -> None:
        """Close the journal."""
        self._connection.close()


def _names(notice: Notice, macs: Iterable[str]) -> bool:
    """Return whether an event is about one of these devices or names it."""
    told = f"{notice.mac} {notice.summary} {json.dumps(notice.evidence)}"
    return any(mac in told for mac in macs)


def _last(connection: sqlite3.Connection) -> int:
    """Return the number that was given last, also if that event was forgotten."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    return 0 if row is None else int(row[0])


def _newest(connection: sqlite3.Connection) -> list[Event]:
    """Return the newest event, if there is one."""
    rows = connection.execute(
        f"SELECT seq, {_COLUMNS} FROM events ORDER BY seq DESC LIMIT 1"  # noqa: S608, a constant
    )
    return [_event(row) for row in rows]


def _event(row: tuple[Any, ...]) -> Event:
    """Return a row as the protocol tells it."""
    return Event(*(*row[:-1], json.loads(row[-1])))
