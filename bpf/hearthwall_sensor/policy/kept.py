"""What the user said is fine, and what other programs hinted at: its tables in the store."""

import json
import logging
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from ..habits import Acceptance
from ..protocol import SensorError
from ..requests import Hint

_LOGGER = logging.getLogger(__name__)

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS accepted (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time REAL NOT NULL,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    mac TEXT,
    address TEXT,
    subject TEXT NOT NULL,
    summary TEXT NOT NULL,
    evidence TEXT NOT NULL,
    process TEXT
);
CREATE TABLE IF NOT EXISTS hints (mac TEXT PRIMARY KEY, hint TEXT NOT NULL) WITHOUT ROWID;
"""
_COLUMNS: Final = "time, seq, kind, mac, address, subject, summary, process, evidence"


def prepare(connection: sqlite3.Connection) -> None:
    """Add the column that an earlier version did not have."""
    if "process" not in {row[1] for row in connection.execute("PRAGMA table_info(accepted)")}:
        connection.execute("ALTER TABLE accepted ADD COLUMN process TEXT")


def acceptances(connection: sqlite3.Connection) -> list[Acceptance]:
    """Read what was accepted, the oldest first; what can't be read is left out: it is told again then."""
    rows = connection.execute(f"SELECT id, {_COLUMNS} FROM accepted ORDER BY id")  # noqa: S608, a constant
    found = []
    for row in rows:
        try:
            found.append(_acceptance(*row))
        except (ValueError, TypeError, RecursionError) as error:
            _LOGGER.warning("An accepted event can't be read: %s", error)
    return found


def _acceptance(*row: object) -> Acceptance:
    """Read one row; raises ValueError or TypeError."""
    *fields, evidence = row
    names = ("id", "time", "seq", "kind", "mac", "address", "subject", "summary", "process")
    wire = dict(zip(names, fields, strict=True), evidence=json.loads(str(evidence)))
    try:
        return Acceptance.from_wire(wire)
    except SensorError as error:
        raise ValueError(error.message) from error


def insert(connection: sqlite3.Connection, new: Acceptance) -> Acceptance:
    """Write what was accepted; return it with its id."""
    about = (new.mac, new.address, new.subject, new.summary, new.process)
    done = connection.execute(
        f"INSERT INTO accepted ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608, a constant
        (new.time, new.seq, new.kind, *about, json.dumps(new.evidence)),
    )
    return replace(new, id=done.lastrowid or 0)


def hints(connection: sqlite3.Connection) -> dict[str, Hint]:
    """Read the hints by MAC; what can't be read is left out: whoever gave it will give it again."""
    found = {}
    for mac, hint in connection.execute("SELECT mac, hint FROM hints"):
        try:
            found[str(mac)] = Hint.from_wire(json.loads(hint))
        except (ValueError, TypeError, RecursionError, SensorError) as error:
            _LOGGER.warning("The hint on %s can't be read: %s", mac, error)
    return found


def replace_hints(connection: sqlite3.Connection, new: Mapping[str, Hint]) -> None:
    """Write these hints in place of all that there are."""
    connection.execute("DELETE FROM hints")
    rows = [(mac, json.dumps(each.to_wire())) for mac, each in new.items()]
    connection.executemany("INSERT INTO hints VALUES (?, ?)", rows)
