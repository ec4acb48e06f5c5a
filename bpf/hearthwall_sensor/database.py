"""SQLite files of the sensor: opened the same way, set aside where they are damaged, and wiped."""

import logging
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

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


#: What SQLite says, as primary codes, where it is not the file that is at fault: another one would do no better.
_OF_THE_DISK: Final = frozenset(
    {
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_AUTH,
    }
)


#: No version of a schema is so high: such a number is damage.
_MOST_VERSIONS: Final = 1000


class Opened(NamedTuple):
    """A database that can be read, and whether a damaged one stood in its place."""

    connection: sqlite3.Connection
    was_damaged: bool


class Schema(NamedTuple):
    """What a database has, and the version of that.

    The version is another one where a program that knows the one before could not use the file, or would spoil it: not
    for a column or a table more.
    """

    version: int
    text: str


class _NewerError(Exception):
    """The file is of a version that this program does not know."""


def newer(path: Path, schema: Schema) -> str | None:
    """Return the version of a database that a newer program made, in words; None where this one may use it."""
    if not path.exists():
        return None
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            _require_known(connection, schema)
        finally:
            connection.close()
    except _NewerError as error:
        return f"{path.name} ({error})"
    except (OSError, *_DAMAGES):
        return None  # whoever opens it says so
    return None


def opened(
    path: Path, schema: Schema, durable: bool, check: Callable[[sqlite3.Connection], object]
) -> Opened:
    """Open or make a database that `check` can read; a damaged one is set aside and begun anew.

    One of a newer program is left alone, and another one is used beside it. A durable one has each transaction on
    disk when it ends. Raises SensorError `storage_failed`.
    """
    try:
        return Opened(_checked(path, schema, durable, check), was_damaged=False)
    except _NewerError as error:
        own = path.with_name(f"{path.stem}.v{schema.version}{path.suffix}")
        _LOGGER.warning("%s is of a newer version (%s); %s is used beside it", path, error, own)
        return opened(own, schema, durable, check)
    except OSError as error:
        raise _shut(path, error.strerror) from error
    except _DAMAGES as error:
        if _is_of_the_disk(error) or not path.exists():
            raise _shut(path, error) from error
        _LOGGER.warning("%s is damaged (%s); it was set aside and begun anew", path, error)
    try:
        _set_aside(path)
        return Opened(_checked(path, schema, durable, check), was_damaged=True)
    except OSError as error:
        raise _shut(path, error.strerror) from error
    except _DAMAGES as error:
        raise _shut(path, error) from error


def _shut(path: Path, why: object) -> SensorError:
    """Return what says that a database can't be opened."""
    return SensorError("storage_failed", f"{path} can't be opened: {why}")


def _is_of_the_disk(error: Exception) -> bool:
    """Return whether the disk, its room or who may use it is at fault, not what the file holds."""
    # A code's last byte says the primary one. READONLY is the file's: it was opened for writing before.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _OF_THE_DISK


def _set_aside(path: Path) -> None:
    """Move a damaged database out of the way, with what was not in it yet; raises OSError."""
    files.set_aside(path)
    log, index = _beside(path)
    if log.exists():
        log.replace(_beside(files.damaged(path))[0])
    index.unlink(missing_ok=True)


def _beside(path: Path) -> tuple[Path, Path]:
    """Return the files that SQLite has beside a database while it is open, or after a crash."""
    return path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")


def _checked(
    path: Path, schema: Schema, durable: bool, check: Callable[[sqlite3.Connection], object]
) -> sqlite3.Connection:
    """Open a database and read what `check` does; one that fails is closed again."""
    # What devices do is nobody else's business; SQLite gives the files beside it the same permissions.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    path.chmod(0o600)
    connection = sqlite3.connect(path, check_same_thread=False)
    try:
        version = _require_known(connection, schema)
        _prepare(connection, schema.text, durable)
        if version < schema.version:
            connection.execute(f"PRAGMA user_version = {schema.version}")
        check(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _require_known(connection: sqlite3.Connection, schema: Schema) -> int:
    """Return a file's version, 0 for none; raises what says that it is newer, or damaged."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if not 0 <= version < _MOST_VERSIONS:
        raise ValueError(f"version {version}")
    if version > schema.version:
        raise _NewerError(f"version {version}, not {schema.version}")
    return version


def _prepare(connection: sqlite3.Connection, schema: str, durable: bool) -> None:
    """Say how a database is used; one thread at a time does, not always the same one."""
    # Text that is damaged is read as such: SQLite would call it an error of operation, which is none of the file.
    connection.text_factory = lambda text: text.decode(errors="replace")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
    connection.execute("PRAGMA cache_size = -256")  # kB: rows are written, hardly ever read
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.executescript(schema)


def wipe(connection: sqlite3.Connection) -> None:
    """Leave nothing of deleted rows in the file, nor in those beside it; raises sqlite3.Error.

    A damaged one that was set aside goes: nobody can tell what is in it of what is to be gone.
    """
    # What an earlier version deleted without overwriting it goes with that too.
    connection.execute("VACUUM")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    _, _, path = connection.execute("PRAGMA database_list").fetchone()
    try:
        aside = files.damaged(Path(path))
        for each in (aside, *_beside(aside)):
            each.unlink(missing_ok=True)
    except OSError as error:
        raise sqlite3.OperationalError(f"what was set aside stays: {error.strerror}") from error
