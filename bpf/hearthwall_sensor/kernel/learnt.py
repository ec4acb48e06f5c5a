"""Tables of addresses that were learnt and have an end: bounded, and what ends soonest gives way."""

import struct
from collections.abc import Callable, Iterable
from typing import Final

from .libbpf import Map

#: The share of a full table that gives way at once, so that not every new entry has to look at all others.
_SHARE: Final = 64
_EXPIRES: Final = struct.Struct("<Q")


def expiry(value: bytes) -> int:
    """Return when an entry ends, in nanoseconds since boot; 0 for one that was not learnt and stays."""
    return int(_EXPIRES.unpack_from(value)[0])


class Learnt:
    """The entries of a table whose values begin with a time at which they end.

    The table itself is the memory: it outlives the sensor. Programs ignore an entry that has ended.
    """

    def __init__(self, table: Map, limit: int) -> None:
        """Take a table, and how many learnt entries it may hold."""
        self._table = table
        self._limit = limit
        self.size = len(self.entries())
        #: Grows with every change.
        self.changes = 0
        #: Entries that had to give way before their time, in this process's life.
        self.evicted = 0

    def entries(self) -> list[tuple[bytes, bytes]]:
        """Return the learnt entries, those that have ended too."""
        return [(key, value) for key, value in self._table.items() if expiry(value)]

    def fits(self, key: bytes, value: bytes) -> bool:
        """Return whether an entry is one of this table's, by its size."""
        return (len(key), len(value)) == (self._table.key_size, self._table.value_size)

    def get(self, key: bytes) -> bytes | None:
        """Return the value at key; a table of prefixes answers with the longest that fits."""
        return self._table.get(key)

    def put(self, key: bytes, value: bytes, now: int) -> None:
        """Set the value at key, which was looked up before; raises SensorError `table_full`."""
        known = self._table.get(key)
        if known is None and self.size >= self._limit:
            self._make_room(now)
        self._table.put(key, value)
        self.size += known is None
        self.changes += 1

    def remove_if(self, ended: Callable[[bytes, bytes], bool]) -> frozenset[bytes]:
        """Remove the entries of which this is true, and return their keys."""
        return self._remove(key for key, value in self.entries() if ended(key, value))

    def sweep(self, now: int) -> None:
        """Remove what has ended."""
        if self.size:
            self.remove_if(lambda _, value: expiry(value) <= now)

    def _make_room(self, now: int) -> None:
        """Remove what ends soonest, and count what had not ended yet."""
        soonest = sorted(self.entries(), key=lambda entry: expiry(entry[1]))
        soonest = soonest[: max(1, self._limit // _SHARE)]
        self.evicted += sum(expiry(value) > now for _, value in soonest)
        self._remove(key for key, _ in soonest)

    def _remove(self, keys: Iterable[bytes]) -> frozenset[bytes]:
        """Remove entries by their keys, and return these."""
        removed = frozenset(keys)
        for key in removed:
            self.size -= self._table.delete(key)
            self.changes += 1
        return removed
