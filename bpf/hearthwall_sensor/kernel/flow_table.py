"""The kernel's table of flows: read as it is, rid of what is over, and what had to give way in it.

The kernel needs most of the time: it looks for 65,536 flows in as many places of its memory, about
20 ms, and Python takes 10 to unpack them, of their times alone 4, to find those that moved 2. 10,000
flows take 4 ms.
"""

import struct
from array import array
from collections.abc import Iterator, Sequence
from typing import Final

from ..flows.flow import COUNTED
from .tables import Tables

#: Flows that are taken out of the kernel at once.
_BATCH: Final = 4096
_KEY: Final = struct.Struct("44s")
#: `struct flow`, without all behind its times.
_TIMES: Final = struct.Struct("<QQ56x")
#: Where among its words of eight bytes it has the last time.
_LAST: Final = 1

#: A flow's key, and what was counted of it.
Entry = tuple[bytes, tuple[int, ...]]


class FlowTable:
    """The flows of one generation of kernel programs. The least recently used gives way when it is full."""

    def __init__(self, tables: Tables) -> None:
        """Take the open tables, and count what is there."""
        self._tables = tables
        self._table = tables.map("flows")
        self.present = sum(len(keys) // _KEY.size for keys, _ in self._table.blocks(_BATCH))
        """Flows that were there when they were last read to the end."""
        self.deleted = 0
        """Flows that were deleted, in this process's life."""
        self.evicted = 0
        """Flows that gave way to others in this process's life, as of the last reading."""
        self._gone_before = self._created() - self.present

    def _created(self) -> int:
        """Return how many flows have begun since the programs were loaded."""
        return self._tables.statistics()["flows_created"]

    def read(self) -> Iterator[Entry]:
        """Yield each flow's key and what was counted of it, as `flow.COUNTED` unpacks it.

        Memory stays small, however many there are. One that begins or ends meanwhile may or may not come.
        """
        return self._read(COUNTED)

    def moved(self, since: int, until: int) -> Iterator[tuple[list[Entry], list[bytes]]]:
        """Yield, thousands of flows at a time, those that moved after `since`, and the keys of those not after `until`.

        Of a full table few have moved between two looks, and all others cost next to nothing.
        """
        size = COUNTED.size
        for keys, values in self._blocks():
            words = array("Q")
            words.frombytes(values)
            lasts = words[_LAST :: size // words.itemsize]
            yield (
                [
                    (_key(keys, at), COUNTED.unpack_from(values, at * size))
                    for at, last in enumerate(lasts)
                    if last > since
                ],
                [_key(keys, at) for at, last in enumerate(lasts) if last <= until],
            )

    def find(self, key: bytes) -> tuple[int, ...] | None:
        """Return what was counted of one flow, None if there is none."""
        value = self._table.get(key)
        return None if value is None else COUNTED.unpack(value)

    def times(self) -> Iterator[Entry]:
        """Yield each flow's key, and its first and last time: as `read`, for who wants no more, and faster."""
        return self._read(_TIMES)

    def _read(self, layout: struct.Struct) -> Iterator[Entry]:
        """Yield each flow's key and what a layout takes of it."""
        for keys, values in self._blocks():
            each = [key for (key,) in _KEY.iter_unpack(keys)]
            yield from zip(each, layout.iter_unpack(values), strict=True)

    def _blocks(self) -> Iterator[tuple[memoryview, memoryview]]:
        """Yield keys and values in a row, and count them."""
        # Asked before: what begins meanwhile is present and not yet created, and never taken for evicted
        created, present = self._created(), 0
        for keys, values in self._table.blocks(_BATCH):
            present += len(keys) // _KEY.size
            yield keys, values
        self.present = present
        self.evicted = max(self.evicted, created - present - self._gone_before - self.deleted)

    def delete(self, keys: Sequence[bytes]) -> int:
        """Forget flows; return how many were there. What they count meanwhile is lost with them."""
        removed = self._table.delete_all(keys)
        self.deleted += removed
        return removed


def _key(keys: memoryview, at: int) -> bytes:
    """Return one of the keys in a row."""
    return bytes(keys[at * _KEY.size : (at + 1) * _KEY.size])
