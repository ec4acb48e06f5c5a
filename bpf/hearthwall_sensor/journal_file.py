"""The journal's file: events by number, in SQLite, bounded by age and by size."""

import contextlib
import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from . import database, journal_gaps
from .journal_rows import COLUMNS, Row, Told, event_of, told_of
from .kinds import SEVERITIES
from .notice import Notice
from .protocol import Event, SensorError
from .requests import GetEvents
from .retention import Retention

_LOGGER = logging.getLogger(__name__)

#: What is read often stands before the evidence, behind which SQLite has to look for it.
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
    technique TEXT,
    count INTEGER NOT NULL DEFAULT 1,
    last_time REAL,
    subject TEXT NOT NULL DEFAULT '',
    summary TEXT NOT NULL,
    evidence TEXT NOT NULL
)
"""
SCHEMA: Final = database.Schema(1, _SCHEMA + ";" + journal_gaps.SCHEMA)
#: Columns that a journal of an earlier version lacks.
_ADDED: Final[Mapping[str, str]] = {
    "technique": "TEXT",
    "count": "INTEGER NOT NULL DEFAULT 1",
    "last_time": "REAL",
    "subject": "TEXT NOT NULL DEFAULT ''",
}
#: No event has so high a number.
_MAX_SEQ: Final = 2**62
#: Damaged events that are remembered to have been told of.
_DAMAGED_SAID: Final = 1024

_DAY: Final = 86_400.0
#: How often it is looked for what is too old.
_AGE_INTERVAL: Final = 3600.0
#: Where there is no room, this part more goes than has to, so that it is not looked for each time.
_SLACK: Final = 50
#: About what a row takes beside its sentence and its evidence.
_ROW_BYTES: Final = 300
#: Which events are about a device or name it.
_OF_DEVICE: Final = "mac = ?1 OR instr(summary, ?1) OR instr(evidence, ?1) OR instr(subject, ?1)"
#: What says that a row is none that could ever be written, whatever room there is on the disk.
_UNFIT: Final = (
    ValueError,  # also UnicodeEncodeError
    TypeError,
    OverflowError,
    RecursionError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    sqlite3.IntegrityError,
    sqlite3.DataError,
)


@dataclass(slots=True)
class Pending:
    """An event that is not on disk yet, or that many more of one that is."""

    notice: Notice
    time: float
    count: int = 1
    last_time: float | None = None

    def again(self, when: float) -> None:
        """Count it once more."""
        self.count += 1
        self.last_time = max(when, self.last_time or self.time)


class Written(NamedTuple):
    """What was put on disk."""

    fresh: list[Event | None]
    """New events, in their order; None for one that can't be written."""
    revived: dict[int, Event]
    """Those that happened again after they had been forgotten, by their earlier numbers."""
    lost: int
    """How many can't be written."""


class JournalFile:
    """The events on disk; a thread at a time uses it."""

    def __init__(self, path: Path, retention: Retention) -> None:
        """Open or make it; raises SensorError `storage_failed`."""
        self._retention = retention
        #: Whether a damaged file was set aside.
        self._connection, self.was_damaged = database.opened(
            path, SCHEMA, durable=True, check=_prepare
        )
        #: What tells it from one that began anew.
        self.identity = journal_gaps.identity(self._connection)
        self._lock = threading.Lock()
        self._next_look = 0.0
        #: The numbers of damaged events of which it was told.
        self._damaged: set[int] = set()
        #: How many rows there are and what they take; None after some have gone.
        self._size: tuple[int, int] | None = None

    @property
    def last(self) -> int:
        """The number that was given last, also if that event was forgotten."""
        with self._lock:
            return _last(self._connection)

    @property
    def is_due(self) -> bool:
        """Whether it is time to look for what is too old."""
        return time.monotonic() >= self._next_look

    def write(self, fresh: Iterable[Pending], again: Mapping[int, Pending]) -> Written:
        """Insert events and count those that happened again, in one transaction; forget the oldest."""
        with self._lock, self._measuring_anew(), self._connection:
            gone = [(seq, more) for seq, more in again.items() if not self._grow(seq, more)]
            told = [(seq, self._inserted(more)) for seq, more in gone]
            new = [self._inserted(each) for each in fresh]
            revived = {seq: event for seq, event in told if event is not None}
            written = Written(new, revived, new.count(None) + len(told) - len(revived))
            self._forget_old()
            self._make_room()
        return written

    @contextlib.contextmanager
    def _measuring_anew(self) -> Iterator[None]:
        """Know no longer how much there is if something fails half way."""
        try:
            yield
        except sqlite3.Error:
            self._size = None
            raise

    def _grow(self, seq: int, more: Pending) -> bool:
        """Count an event that happened again; return whether it is there."""
        done = self._connection.execute(
            "UPDATE events SET count = count + ?1, last_time = max(?2, coalesce(last_time, time)) WHERE seq = ?3",
            (more.count, more.last_time or more.time, seq),
        )
        return done.rowcount > 0

    def _inserted(self, pending: Pending) -> Event | None:
        """Insert an event; None for one that can't be written, which must not keep the others waiting."""
        try:
            return self._insert(pending)
        except _UNFIT as error:
            kind = pending.notice.kind
            _LOGGER.warning("An event %s can't be written and is lost: %r", kind, error)
            return None

    def _insert(self, pending: Pending) -> Event:
        """Insert an event."""
        notice = pending.notice
        row = (
            pending.time,
            notice.kind,
            notice.severity,
            notice.mac,
            notice.address,
            notice.peer_address,
            notice.peer_name,
            notice.process,
            notice.summary,
            json.dumps(notice.evidence),
            notice.fitting_technique,
            pending.count,
            pending.last_time,
            notice.subject,
        )
        done = self._connection.execute(
            f"INSERT INTO events ({COLUMNS}) VALUES ({', '.join('?' * len(row))})",  # noqa: S608, constants
            row,
        )
        if done.rowcount != 1:
            raise sqlite3.DataError("the file took no row")
        if self._size is not None:
            rows, size = self._size
            self._size = rows + 1, size + len(row[8]) + len(row[9]) + _ROW_BYTES
        return Event(done.lastrowid or 0, *row[:9], notice.evidence, *row[10:])

    # What goes

    def _forget_old(self) -> None:
        """Delete what is older than may be, once in a while."""
        if not self.is_due:
            return
        self._next_look = time.monotonic() + _AGE_INTERVAL
        oldest = time.time() - self._retention.days * _DAY
        self._delete("time < ?1 AND coalesce(last_time, time) < ?1", (oldest,))

    def _make_room(self) -> None:
        """Delete what is too much."""
        rows, size = self._measured()
        most = self._retention
        excess = max(rows - most.rows, round(rows * (1 - most.bytes / size)) if size else 0)
        if excess > 0:
            self._delete_most_frequent(min(rows, excess + rows // _SLACK))

    def _measured(self) -> tuple[int, int]:
        """Return how many rows there are, and about how many bytes they take."""
        if self._size is None:
            rows, size = self._connection.execute(
                "SELECT count(*), total(length(summary) + length(evidence) + ?) FROM events",
                (_ROW_BYTES,),
            ).fetchone()
            self._size = int(rows), int(size)
        return self._size

    def _delete_most_frequent(self, number: int) -> None:
        """Delete so many of the kind of which there are most: the oldest of the devices that have most of them.

        So whoever floods the journal with one kind of event pushes out none of another, and first his own.
        """
        self._delete(
            """seq IN (
                SELECT seq FROM events
                WHERE kind = (SELECT kind FROM events GROUP BY kind ORDER BY count(*) DESC LIMIT 1)
                ORDER BY row_number() OVER (
                    PARTITION BY coalesce(mac, process, address, '') ORDER BY seq DESC
                ) DESC, seq
                LIMIT ?
            )""",
            (number,),
        )

    def _delete(self, where: str, values: tuple[Any, ...]) -> None:
        """Delete some rows."""
        done = self._connection.execute(f"DELETE FROM events WHERE {where}", values)  # noqa: S608, constants
        if done.rowcount:
            self._size = None

    def erase(self, macs: Iterable[str]) -> None:
        """Delete the events that are about these devices or name them, and leave nothing of them in the file."""
        with self._lock:
            with self._connection:
                for mac in macs:
                    journal_gaps.note(self._connection, _OF_DEVICE, (mac,))
                    self._delete(_OF_DEVICE, (mac,))
            database.wipe(self._connection)

    # What is asked

    def select(self, asked: GetEvents, macs: Sequence[str]) -> list[Event]:
        """Return the events that fit, of devices with these MACs if there are any, by number."""
        fits: list[tuple[str, Collection[Any]]] = [("seq > ?", (asked.since,))]
        if asked.severity != SEVERITIES[0]:
            least = SEVERITIES[SEVERITIES.index(asked.severity) :]
            fits.append((f"severity IN ({_marks(least)})", least))
        if asked.kinds:
            fits.append((f"kind IN ({_marks(asked.kinds)})", asked.kinds))
        if macs:
            fits.append((f"mac IN ({_marks(macs)})", macs))
        if asked.after is not None:
            fits.append(("coalesce(last_time, time) > ?", (asked.after,)))
        where = " AND ".join(each for each, _ in fits)
        order = "DESC" if asked.latest else "ASC"
        values = [value for _, some in fits for value in some]
        found = self._read(f"{where} ORDER BY seq {order} LIMIT ?", (*values, asked.limit))
        return found[::-1] if asked.latest else found

    def event(self, seq: int) -> Event | None:
        """Return the event with a number, None where there is none."""
        return next(iter(self._read("seq = ?", (seq,))), None)

    def erased(self, since: int, last: int) -> int:
        """Return how many events were erased after one number, up to another one; raises SensorError."""
        try:
            with self._lock:
                return journal_gaps.erased(self._connection, since, last)
        except sqlite3.Error as error:
            raise SensorError("storage_failed", f"the events can't be read: {error}") from error

    def recent(self, first: float, last: float, limit: int) -> list[Told]:
        """Return the newest of the events that began after one time and happened after another, the oldest first."""
        with self._lock:
            rows = _recent(self._connection, first, last, limit)
        return [each for row in reversed(rows) if (each := self._sound(told_of, row)) is not None]

    def _read(self, where: str, values: tuple[Any, ...]) -> list[Event]:
        """Return the events of some rows."""
        try:
            with self._lock:
                rows = self._connection.execute(
                    f"SELECT seq, {COLUMNS} FROM events WHERE {where}",  # noqa: S608, values are apart
                    values,
                ).fetchall()
        except sqlite3.Error as error:
            raise SensorError("storage_failed", f"the events can't be read: {error}") from error
        return [each for row in rows if (each := self._sound(event_of, row)) is not None]

    def _sound(self, read: Callable[[tuple[Any, ...]], Row], row: tuple[Any, ...]) -> Row | None:
        """Return what a row that begins with its number says, None for a damaged one, which is said once."""
        try:
            return read(row)
        except (ValueError, TypeError, RecursionError) as error:
            if row[0] not in self._damaged and len(self._damaged) < _DAMAGED_SAID:
                self._damaged.add(row[0])
                _LOGGER.warning("Event %s is damaged and left out: %s", row[0], error)
            return None

    def close(self) -> None:
        """Close it."""
        with self._lock:
            self._connection.close()


def _marks(values: Collection[Any]) -> str:
    """Return a question mark for each value."""
    return ", ".join("?" * len(values))


def _prepare(connection: sqlite3.Connection) -> None:
    """Add the columns that an earlier version did not have; raises what damage leads to, of what a start needs."""
    present = {row[1] for row in connection.execute("PRAGMA table_info(events)")}
    for name, kind in _ADDED.items():
        if name not in present:
            connection.execute(f"ALTER TABLE events ADD COLUMN {name} {kind}")
    connection.execute(
        f"SELECT seq, {COLUMNS} FROM events ORDER BY seq DESC LIMIT 1"  # noqa: S608, a constant
    ).fetchall()
    # All of every row: a start reads their beginnings, the first writing measures the rest.
    connection.execute(
        f"SELECT {', '.join(f'max(length({each}))' for each in COLUMNS.split(', '))} FROM events"  # noqa: S608, constants
    ).fetchone()
    journal_gaps.identity(connection)
    journal_gaps.erased(connection, 0, _MAX_SEQ)
    if not 0 <= _last(connection) < _MAX_SEQ:
        raise ValueError("no event could have a number")
    _try_to_write(connection)


def _try_to_write(connection: sqlite3.Connection) -> None:
    """Raise ValueError or DatabaseError where the file takes no event; nothing is written."""
    try:
        done = connection.execute(
            "INSERT INTO events (time, kind, severity, summary, evidence) VALUES (0, '', '', '', '')"
        )
        if done.rowcount != 1:
            raise ValueError("it takes no event")
    finally:
        connection.rollback()


def _last(connection: sqlite3.Connection) -> int:
    """Return the number that was given last, 0 for none; raises ValueError for what is no number."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    return 0 if row is None else int(row[0])


def _recent(
    connection: sqlite3.Connection, first: float, last: float, limit: int
) -> list[tuple[Any, ...]]:
    """Return the newest rows that began after one time and happened after another, the newest first."""
    return connection.execute(
        """SELECT seq, coalesce(last_time, time), kind, severity, mac, address, subject, process FROM events
        WHERE time > ? AND coalesce(last_time, time) > ? ORDER BY seq DESC LIMIT ?""",
        (first, last, limit),
    ).fetchall()
