"""What is known of devices on disk: a small SQLite database that a power cut does not spoil."""

import ipaddress
import json
import logging
import re
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from . import database
from .devices import Account
from .habits import Acceptance
from .identity.chosen import Chosen
from .identity.identities import SOURCES, Identity, Sighting
from .kernel.layouts import PortCounters
from .learning import kept as learnt
from .learning.kept import NOTHING_LEARNT, Learning
from .learning.profile import Profile
from .mud import kept as said
from .mud.descriptions import Described
from .policy import kept
from .protocol import SCOPES, SensorError
from .requests import Hint

_LOGGER = logging.getLogger(__name__)

Row = TypeVar("Row")

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS devices (
    mac TEXT PRIMARY KEY,
    first_seen REAL NOT NULL,
    last_seen REAL NOT NULL,
    scopes TEXT NOT NULL,
    seen TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS identities (
    mac TEXT PRIMARY KEY,
    first_seen REAL NOT NULL,
    last_seen REAL NOT NULL,
    addresses TEXT NOT NULL,
    hostnames TEXT NOT NULL,
    options TEXT NOT NULL,
    vendor_class TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS names (mac TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS merges (mac TEXT PRIMARY KEY, into_mac TEXT NOT NULL) WITHOUT ROWID;
"""
SCHEMA: Final = database.Schema(1, _SCHEMA + kept.SCHEMA + learnt.SCHEMA + said.SCHEMA)
_MAC: Final = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
#: No device was seen so late (seconds since the epoch: the year 9999).
_NEVER: Final = 253_402_300_800.0
#: The tables whose rows are a MAC's.
_TABLES: Final = (
    "devices",
    "identities",
    "names",
    "merges",
    "accepted",
    "hints",
    "profiles",
    "descriptions",
)
#: Those that go when there are too many devices; what the user said stays.
_LEARNT: Final = ("devices", "identities", "profiles")


class Store:
    """One sensor's database. Several threads may use it, one at a time."""

    def __init__(self, path: Path) -> None:
        """Open or make the database; raises SensorError `storage_failed`."""
        #: Whether a damaged file was set aside.
        self._connection, self.was_damaged = database.opened(
            path,
            SCHEMA,
            durable=False,
            check=_read_all,
        )
        self._lock = threading.Lock()

    def accounts(self) -> list[Account]:
        """Return every device that was kept."""
        return _accounts(self._connection)

    def identities(self) -> list[Identity]:
        """Return what was known of devices."""
        return _identities(self._connection)

    def chosen(self) -> Chosen:
        """Return what the user has said of devices."""
        return _chosen(self._connection)

    def accepted(self) -> list[Acceptance]:
        """Return what the user said is fine."""
        return kept.acceptances(self._connection)

    def hints(self) -> dict[str, Hint]:
        """Return what another program knows of devices, by MAC."""
        return kept.hints(self._connection)

    def profiles(self) -> list[Profile]:
        """Return what was learnt of devices."""
        return learnt.profiles(self._connection)

    def meta(self) -> dict[str, Any]:
        """Return what the sensor remembers of its own past, by name."""
        return learnt.meta(self._connection)

    def save(
        self,
        accounts: Iterable[Account],
        gone: Iterable[str],
        identities: Iterable[Identity] = (),
        learning: Learning = NOTHING_LEARNT,
    ) -> None:
        """Write these devices and what is known of them, forget those; raises SensorError `storage_failed`."""
        devices = [_device_row(each) for each in accounts]
        known = [_identity_row(each) for each in identities]
        with self._transaction("the devices' totals") as connection:
            connection.executemany("INSERT OR REPLACE INTO devices VALUES (?, ?, ?, ?, ?)", devices)
            connection.executemany(
                "INSERT OR REPLACE INTO identities VALUES (?, ?, ?, ?, ?, ?, ?)", known
            )
            _delete(connection, _LEARNT, gone)
            learnt.write(connection, learning)

    # The user's word is on disk when it is answered

    def rename(self, macs: Sequence[str], name: str | None) -> None:
        """Give the first of a device's MACs a name, or all of them none; raises SensorError `storage_failed`."""
        with self._durable_transaction("the name") as connection:
            if name is None:
                _delete(connection, ("names",), macs)
            else:
                connection.execute("INSERT OR REPLACE INTO names VALUES (?, ?)", (macs[0], name))

    def merge(self, macs: Iterable[str], into: str) -> None:
        """Let a MAC stand for others, whose profiles become part of its own; raises SensorError `storage_failed`."""
        merged = tuple(macs)
        with self._durable_transaction("the merging") as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO merges VALUES (?, ?)", [(mac, into) for mac in merged]
            )
            _delete(connection, ("profiles",), merged)

    def split(self, mac: str) -> None:
        """Let a MAC stand for itself; raises SensorError `storage_failed`."""
        with self._durable_transaction("the splitting") as connection:
            _delete(connection, ("merges",), (mac,))

    def accept(self, new: Acceptance) -> Acceptance:
        """Keep what the user said is fine, and return it with its id; raises SensorError `storage_failed`."""
        with self._durable_transaction("the acceptance") as connection:
            return kept.insert(connection, new)

    def revoke(self, number: int) -> None:
        """Erase what the user said is fine, by its id; raises SensorError `storage_failed`."""
        with self._durable_transaction("the taking back") as connection:
            connection.execute("DELETE FROM accepted WHERE id = ?", (number,))

    def keep_profile(self, who: str, profile: str) -> None:
        """Keep what was learnt of a device, packed, as the user wants it; raises SensorError `storage_failed`."""
        with self._durable_transaction("the profile") as connection:
            learnt.write(connection, Learning({who: profile}, {}))

    def set_hints(self, hints: Mapping[str, Hint]) -> None:
        """Keep these hints in place of all others; raises SensorError `storage_failed`."""
        with self._durable_transaction("the hints") as connection:
            kept.replace_hints(connection, hints)

    def descriptions(self) -> list[tuple[str, Described]]:
        """Return what makers say of devices, by MAC."""
        return said.descriptions(self._connection)

    def describe(self, mac: str, new: Described | None) -> None:
        """Write a device's description, or take it away; raises SensorError `storage_failed`."""
        with self._durable_transaction("the description") as connection:
            if new is None:
                _delete(connection, ("descriptions",), (mac,))
            else:
                said.write(connection, mac, new)

    def erase(self, macs: Sequence[str]) -> None:
        """Leave nothing of these MACs in the file; raises SensorError `storage_failed`."""
        with self._durable_transaction("the forgetting", after=database.wipe) as connection:
            _delete(connection, _TABLES, macs)
            connection.executemany(
                "DELETE FROM accepted WHERE instr(summary, ?1) OR instr(evidence, ?1)",
                [(mac,) for mac in macs],
            )

    @contextmanager
    def _transaction(self, what: str) -> Iterator[sqlite3.Connection]:
        """Write all or nothing; raises SensorError `storage_failed`."""
        try:
            with self._lock, self._connection:
                yield self._connection
        except sqlite3.Error as error:
            raise SensorError("storage_failed", f"{what} can't be written: {error}") from error

    @contextmanager
    def _durable_transaction(
        self, what: str, after: Callable[[sqlite3.Connection], None] = lambda _: None
    ) -> Iterator[sqlite3.Connection]:
        """Write all or nothing, and end when it is on disk; raises SensorError `storage_failed`."""
        try:
            with self._lock:
                self._connection.execute("PRAGMA synchronous = FULL")
                try:
                    with self._connection:
                        yield self._connection
                    after(self._connection)
                finally:
                    self._connection.execute("PRAGMA synchronous = NORMAL")
        except sqlite3.Error as error:
            raise SensorError("storage_failed", f"{what} can't be written: {error}") from error

    def close(self) -> None:
        """Close the database."""
        self._connection.close()


def _delete(connection: sqlite3.Connection, tables: Iterable[str], macs: Iterable[str]) -> None:
    """Delete these MACs' rows."""
    rows = [(mac,) for mac in macs]
    for table in tables:
        connection.executemany(f"DELETE FROM {table} WHERE mac = ?", rows)  # noqa: S608, a constant


def _read_all(connection: sqlite3.Connection) -> None:
    """Read everything; raises what damage leads to that is not one row's."""
    kept.prepare(connection)
    _accounts(connection)
    _identities(connection)
    _chosen(connection)
    kept.acceptances(connection)
    kept.hints(connection)
    learnt.meta(connection)
    # Reading these is work that a start does later; here it is enough that their pages can be read.
    connection.execute("SELECT max(length(mac)), max(length(profile)) FROM profiles").fetchall()
    connection.execute(
        "SELECT max(length(mac)), max(length(document)), max(length(source)), max(length(time))"
        " FROM descriptions"
    ).fetchall()


def _device_row(account: Account) -> tuple[Any, ...]:
    """Return a row of `devices`."""
    seen = {port: (each.created, each.scopes) for port, each in account.seen.items()}
    return (
        account.mac,
        account.first_seen,
        account.last_seen,
        json.dumps(account.scopes),
        json.dumps(seen),
    )


def _accounts(connection: sqlite3.Connection) -> list[Account]:
    """Read every device but what is damaged."""
    rows = connection.execute("SELECT mac, first_seen, last_seen, scopes, seen FROM devices")
    return list(_sound(_account, rows))


def _sound(
    read: Callable[[tuple[Any, ...]], Row], rows: Iterable[tuple[Any, ...]]
) -> Iterator[Row]:
    """Yield what rows that begin with their MAC say; damaged ones are left out."""
    for row in rows:
        try:
            _check(*row[:3])
            yield read(row)
        except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            _LOGGER.warning("What was kept of %r is damaged and left out: %s", row[0], error)


def _check(mac: Any, first_seen: Any, last_seen: Any) -> None:
    """Raise ValueError for what is no MAC, and what are no times."""
    if not isinstance(mac, str) or not _MAC.fullmatch(mac):
        raise ValueError("it is no MAC")
    for each in (first_seen, last_seen):
        if not isinstance(each, int | float) or not 0 <= each < _NEVER:
            raise ValueError(f"{str(each)[:40]!r} is no time")


def _account(row: tuple[Any, ...]) -> Account:
    """Read a row of `devices`; raises ValueError, TypeError or AttributeError for a damaged one."""
    mac, first_seen, last_seen, scopes, seen = row
    return Account(
        mac=mac,
        first_seen=first_seen,
        last_seen=last_seen,
        scopes=_scopes(json.loads(scopes)),
        seen={
            int(port): PortCounters(int(created), _scopes(counted))
            for port, (created, counted) in json.loads(seen).items()
        },
        saved=True,
    )


def _scopes(wire: list[list[int]]) -> tuple[tuple[int, int, int, int], ...]:
    """Return counters as they were before JSON made lists of them; raises ValueError or TypeError."""
    found = tuple((up_b, up_p, down_b, down_p) for up_b, up_p, down_b, down_p in wire)
    if len(found) != len(SCOPES):
        raise ValueError("its counters are not all there")
    if any(not isinstance(each, int) or each < 0 for scope in found for each in scope):
        raise ValueError("its counters are none")
    return found


def _identity_row(identity: Identity) -> tuple[Any, ...]:
    """Return a row of `identities`."""
    addresses = {
        str(ipaddress.IPv6Address(address)): (each.last_seen, each.claimed)
        for address, each in identity.addresses.items()
    }
    return (
        identity.mac,
        identity.first_seen,
        identity.last_seen,
        json.dumps(addresses),
        json.dumps(identity.hostnames),
        json.dumps(identity.options),
        identity.vendor_class,
    )


def _identities(connection: sqlite3.Connection) -> list[Identity]:
    """Read what is known of devices, but what is damaged."""
    rows = connection.execute(
        "SELECT mac, first_seen, last_seen, addresses, hostnames, options, vendor_class"
        " FROM identities"
    )
    return list(_sound(_identity, rows))


def _identity(row: tuple[Any, ...]) -> Identity:
    """Read a row of `identities`; raises ValueError, TypeError or AttributeError for a damaged one."""
    mac, first_seen, last_seen, addresses, hostnames, options, vendor_class = row
    names = json.loads(hostnames)
    return Identity(
        mac=mac,
        first_seen=first_seen,
        last_seen=last_seen,
        addresses={
            ipaddress.IPv6Address(address).packed: Sighting(float(seen), bool(claimed))
            for address, (seen, claimed) in json.loads(addresses).items()
        },
        hostnames={
            source: str(name) for source in SOURCES if (name := names.get(source)) is not None
        },
        options=tuple(int(each) for each in json.loads(options)),
        vendor_class=None if vendor_class is None else str(vendor_class),
        saved=True,
    )


def _chosen(connection: sqlite3.Connection) -> Chosen:
    """Read what the user has said of devices; what can't have been said so is left out."""
    names = connection.execute("SELECT mac, name FROM names").fetchall()
    merged = dict(connection.execute("SELECT mac, into_mac FROM merges").fetchall())
    return Chosen(
        {mac: name for mac, name in names if isinstance(mac, str) and isinstance(name, str)},
        {
            mac: into
            for mac, into in merged.items()
            if isinstance(mac, str) and isinstance(into, str) and into not in merged
        },
    )
