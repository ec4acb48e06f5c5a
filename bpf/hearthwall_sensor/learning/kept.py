"""What was learnt of devices, and what the sensor remembers of its own past: its tables in the store."""

import json
import logging
import sqlite3
import time
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from .profile import Profile

_LOGGER = logging.getLogger(__name__)

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS profiles (mac TEXT PRIMARY KEY, profile TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


class Learning(NamedTuple):
    """What is to be written: profiles by device, packed, and what is to be remembered by name."""

    profiles: Mapping[str, str]
    remembered: Mapping[str, Any]


NOTHING_LEARNT: Final = Learning({}, {})


def packed(profile: Profile) -> str:
    """Return a profile as the disk has it: an eighth of what the same takes as objects, and many wait to be written."""
    return json.dumps(profile.to_wire(), separators=(",", ":"))


def profiles(connection: sqlite3.Connection) -> list[Profile]:
    """Read all profiles; one that can't be read is learnt anew."""
    found = []
    for mac, text in connection.execute("SELECT mac, profile FROM profiles ORDER BY mac"):
        try:
            found.append(Profile.from_wire(json.loads(text)))
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            _LOGGER.warning("What was learnt of %s can't be read: %s", mac, error)
    return found


def meta(connection: sqlite3.Connection) -> dict[str, Any]:
    """Read what the sensor remembers; what can't be read, or was at no time until now, is left out."""
    found = {}
    for name, text in connection.execute("SELECT name, value FROM meta").fetchall():
        try:
            value = _remembered(text)
        except (ValueError, TypeError, RecursionError) as error:
            _LOGGER.warning("What was remembered as %r can't be read: %s", name, error)
        else:
            found[str(name)] = value
    return found


def _remembered(text: Any) -> Any:
    """Return a value that is remembered; raises ValueError for a number that is no time until now."""
    value = json.loads(text)
    if isinstance(value, int | float) and not 0 <= value <= time.time():
        raise ValueError("it is no time until now")
    return value


def write(connection: sqlite3.Connection, learning: Learning) -> None:
    """Write what was learnt."""
    remembered = {name: json.dumps(value) for name, value in learning.remembered.items()}
    for table, rows in (("profiles", learning.profiles), ("meta", remembered)):
        connection.executemany(
            f"INSERT OR REPLACE INTO {table} VALUES (?, ?)",  # noqa: S608, a constant
            rows.items(),
        )
