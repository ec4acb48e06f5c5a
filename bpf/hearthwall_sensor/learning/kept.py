"""What was learnt of devices, and what the sensor remembers of its own past: its tables in the store."""

import json
import logging
import sqlite3
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from .profile import Profile

_LOGGER = logging.getLogger(__name__)

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS profiles (mac TEXT PRIMARY KEY, profile TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


class Learning(NamedTuple):
    """What is to be written: profiles by device, and what is to be remembered by name."""

    profiles: Mapping[str, Any]
    remembered: Mapping[str, Any]


NOTHING_LEARNT: Final = Learning({}, {})


def profiles(connection: sqlite3.Connection) -> list[Profile]:
    """Read all profiles; one that can't be read is learnt anew."""
    found = []
    for mac, text in connection.execute("SELECT mac, profile FROM profiles ORDER BY mac"):
        try:
            found.append(Profile.from_wire(json.loads(text)))
        except (ValueError, RecursionError) as error:
            _LOGGER.warning("What was learnt of %s can't be read: %s", mac, error)
    return found


def meta(connection: sqlite3.Connection) -> dict[str, Any]:
    """Read what the sensor remembers; raises ValueError for what can't be read."""
    rows = connection.execute("SELECT name, value FROM meta").fetchall()
    return {str(name): json.loads(value) for name, value in rows}


def write(connection: sqlite3.Connection, learning: Learning) -> None:
    """Write what was learnt."""
    for table, rows in (("profiles", learning.profiles), ("meta", learning.remembered)):
        connection.executemany(
            f"INSERT OR REPLACE INTO {table} VALUES (?, ?)",  # noqa: S608, a constant
            [(name, json.dumps(value)) for name, value in rows.items()],
        )
