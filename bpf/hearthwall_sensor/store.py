"""The devices' totals on disk: a small SQLite database that a power cut does not spoil."""

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from . import database
from .devices import Account
from .kernel.tables import PortCounters
from .protocol import SensorError

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
        """Open or make the database; raises SensorError `storage_failed`."""
        self._connection = database.opened(path, _SCHEMA, durable=False, check=_accounts)

    def accounts(self) -> list[Account]:
        """Return every device that was kept."""
        return _accounts(self._connection)

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


def _accounts(connection: sqlite3.Connection) -> list[Account]:
    """Read every device; raises ValueError or TypeError for what can't be read."""
    rows = connection.execute("SELECT mac, first_seen, last_seen, scopes, seen FROM devices")
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


def _scopes(wire: list[list[int]]) -> tuple[tuple[int, int, int, int], ...]:
    """Return counters as they were before JSON made lists of them."""
    return tuple((up_b, up_p, down_b, down_p) for up_b, up_p, down_b, down_p in wire)
