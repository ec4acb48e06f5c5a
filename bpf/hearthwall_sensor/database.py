"""SQLite files of the sensor: opened the same way, set aside where they are damaged, and wiped."""

import logging
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final

from . import files
from .protocol import SensorError

_LOGGER = logging.getLogger(__name__)

#: What reading a damaged file leads to.
_DAMAGES: Final = (
    sqlite3.DatabaseError,
    ValueError,
    TypeError,
    AttributeError,
    OverflowError,
    RecursionError,
)


def opened(
    path: Path, schema: str, durable: bool, check: Callable[[sqlite3.Connection], object]
) -> sqlite3.Connection:
    """Open or make a database that `check` can read; a damaged one is set aside and begun anew.

    A durable one has each transaction on disk when it ends. Raises SensorError `storage_failed`.
    """
    try:
        connection = _open(path, schema, durable)
        check(connection)
    except _DAMAGES as error:
        if isinstance(error, sqlite3.OperationalError) or not path.exists():
            raise SensorError("storage_failed", f"{path} can't be opened: {error}") from error
        _LOGGER.warning("%s is damaged (%s); it was set aside and begun anew", path, error)
        files.set_aside(path)
        connection = _open(path, schema, durable)
    return connection


def _open(path: Path, schema: str, durable: bool) -> sqlite3.Connection:
    """Open a database; one thread at a time uses it, not always the same one."""
    # What devices do is nobody else's business; SQLite gives the files beside it the same permissions.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    path.chmod(0o600)
    connection = sqlite3.connect(path, check_same_thread=False)
    # Text that is damaged is read as such: SQLite would call it an error of operation, which is none of the file.
    connection.text_factory = lambda text: text.decode(errors="replace")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
    connection.execute("PRAGMA cache_size = -256")  # kB: rows are written, hardly ever read
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.executescript(schema)
    return connection


def wipe(connection: sqlite3.Connection) -> None:
    """Leave nothing of deleted rows in the file, nor in those beside it; raises sqlite3.Error.

    A damaged one that was set aside goes: nobody can tell what is in it of what is to be gone.
    """
    # What an earlier version deleted without overwriting it goes with that too.
    connection.execute("VACUUM")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    _, _, path = connection.execute("PRAGMA database_list").fetchone()
    try:
        files.damaged(Path(path)).unlink(missing_ok=True)
    except OSError as error:
        raise sqlite3.OperationalError(f"what was set aside stays: {error.strerror}") from error
