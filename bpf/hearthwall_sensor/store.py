"""The devices' totals on disk: a small SQLite database that a power cut does not spoil."""

import json
import logging
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from . import files
from .devices import Account
from .kernel.tables import PortCounters
from .protocol import SensorError

_LOGGER = logging.getLogger(__name__)

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS devices (
    mac TEXT PRIMARY KEY,
    first_seen REAL NOT NULL,
    last_seen REAL NOT NULL,
    scopes TEXT NOT NULL,
    seen TEXT NOT NULL
) WITHOUT ROWID
"""


class Store:
    """One sensor's database."""

    def __init__(self, path: Path) -> None:
        """Open or make the database; a damaged one is set aside. Raises SensorError `storage_failed`."""
        try:
            self._connection = _open(path)
            self.accounts()
        except (sqlite3.DatabaseError, ValueError, TypeError) as error:
            if isinstance(error, sqlite3.OperationalError) or not path.exists():
                raise SensorError("storage_failed", f"{path} can't be opened: {error}") from error
            _LOGGER.warning(
                "%s is damaged (%s); it was set aside and the totals begin anew", path, error
            )
            files.set_aside(path)
            self._connection = _open(path)

    def accounts(self) -> list[Account]:
        """Return every device that was kept."""
        rows = self._connection.execute(
            "SELECT mac, first_seen, last_seen, scopes, seen FROM devices"
        )
        return [
            Account(
                mac=mac,
                first_seen=first_seen,
                last_seen=last_seen,
                scopes=_scopes(json.loads(scopes)),
                seen={
                    int(port): PortCounters(created, _scopes(counted))
                    for port, (created, counted) in json.loads(seen).items()
                },
                saved=True,
            )
            for mac, first_seen, last_seen, scopes, seen in rows
        ]

    def save(self, accounts: Iterable[Account], gone: Iterable[str]) -> None:
        """Write these devices and forget those; raises SensorError `storage_failed`."""
        rows = [
            (
                each.mac,
                each.first_seen,
                each.last_seen,
                json.dumps(each.scopes),
                json.dumps(
                    {
                        port: (counters.created, counters.scopes)
                        for port, counters in each.seen.items()
                    }
                ),
            )
            for each in accounts
        ]
        try:
            with self._connection:
                self._connection.executemany(
                    "INSERT OR REPLACE INTO devices VALUES (?, ?, ?, ?, ?)", rows
                )
                self._connection.executemany(
                    "DELETE FROM devices WHERE mac = ?", [(mac,) for mac in gone]
                )
        except sqlite3.Error as error:
            raise SensorError(
                "storage_failed", f"the devices' totals can't be written: {error}"
            ) from error

    def close(self) -> None:
        """Close the database."""
        self._connection.close()


def _open(path: Path) -> sqlite3.Connection:
    """Open the database; one thread at a time uses it, not always the same one."""
    connection = sqlite3.connect(path, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA cache_size = -256")  # kB: rows are written, hardly ever read
    connection.execute(_SCHEMA)
    return connection


def _scopes(wire: list[list[int]]) -> tuple[tuple[int, int, int, int], ...]:
    """Return counters as they were before JSON made lists of them."""
    return tuple((up_b, up_p, down_b, down_p) for up_b, up_p, down_b, down_p in wire)
