"""What is missing from the journal's file, and why: whose events are to be forgotten are no loss, all others are."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final
from uuid import uuid4

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS erased (seq INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS journal (id TEXT NOT NULL);
"""
#: Numbers of erased events that are remembered, the newest ones: whoever is so far behind counts them as lost.
MOST: Final = 100_000


def identity(connection: sqlite3.Connection) -> str:
    """Return what tells a journal from one that began anew, empty where the disk does not take it yet."""
    row = connection.execute("SELECT id FROM journal").fetchone()
    if row is not None:
        return str(row[0])
    made = uuid4().hex
    try:
        with connection:
            connection.execute("INSERT INTO journal VALUES (?)", (made,))
    except sqlite3.OperationalError:
        return ""
    return made


def note(connection: sqlite3.Connection, where: str, values: Sequence[Any]) -> None:
    """Note the numbers of the events that are about to be erased: nothing else is left of them."""
    connection.execute(
        f"INSERT OR IGNORE INTO erased SELECT seq FROM events WHERE {where}",  # noqa: S608, constants
        values,
    )
    connection.execute(
        "DELETE FROM erased WHERE seq IN (SELECT seq FROM erased ORDER BY seq DESC LIMIT -1 OFFSET ?)",
        (MOST,),
    )


def erased(connection: sqlite3.Connection, since: int, last: int) -> int:
    """Return how many events were erased after one number, up to another one."""
    row = connection.execute(
        "SELECT count(*) FROM erased WHERE seq > ? AND seq <= ?", (since, last)
    ).fetchone()
    return int(row[0])
