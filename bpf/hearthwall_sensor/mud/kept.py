"""The descriptions of devices: their table in the store."""

import json
import logging
import math
import sqlite3
import time
from typing import Final

from ..protocol import SensorError
from . import reading
from .descriptions import Described, described

_LOGGER = logging.getLogger(__name__)

#: Stands before the source of what a device announced; what the user ordered has nothing there.
_ANNOUNCED: Final = "announced "

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS descriptions (
    mac TEXT PRIMARY KEY,
    document TEXT NOT NULL,
    source TEXT NOT NULL,
    time REAL NOT NULL
) WITHOUT ROWID;
"""


def descriptions(connection: sqlite3.Connection) -> list[tuple[str, Described]]:
    """Read all descriptions; one that can't be read is left out."""
    found = []
    for mac, text, source, when in connection.execute(
        "SELECT mac, document, source, time FROM descriptions ORDER BY mac"
    ):
        try:
            document = reading.load(text)
            new = described(
                document,
                source.removeprefix(_ANNOUNCED),
                _when(when),
                reading.read(document),
                ordered=not source.startswith(_ANNOUNCED),
            )
            found.append((mac, new))
        except (SensorError, TypeError, AttributeError) as error:
            _LOGGER.warning("The description of %s can't be read: %s", mac, error)
    return found


def _when(kept: object) -> float:
    """Return a time that was kept; what is none is long ago, and none is yet to come."""
    if not isinstance(kept, int | float) or not math.isfinite(kept):
        return 0.0
    return min(max(0.0, kept), time.time())


def write(connection: sqlite3.Connection, mac: str, new: Described) -> None:
    """Write a device's description."""
    source = new.source if new.ordered else _ANNOUNCED + new.source
    connection.execute(
        "INSERT OR REPLACE INTO descriptions VALUES (?, ?, ?, ?)",
        (mac, json.dumps(new.document), source, new.time),
    )
