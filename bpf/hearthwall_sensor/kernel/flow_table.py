"""The kernel's table of flows: read as it is, rid of what is over, and what had to give way in it.

The kernel needs most of the time: it looks for 65,536 flows in as many places of its memory, about
20 ms, and Python takes 10 to unpack them, of their times alone 4. 10,000 flows take 4 ms.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import Final

from ..flows.flow import COUNTED
from .tables import Tables

#: Flows that are taken out of the kernel at once.
_BATCH: Final = 4096
_KEY: Final = struct.Struct("44s")
#: `struct flow`, without all behind its times.
_TIMES: Final = struct.Struct("<QQ56x")


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

    def read(self) -> Iterator[tuple[bytes, tuple[int, ...]]]:
        """Yield each flow's key and what was counted of it, as `flow.COUNTED` unpacks it.

        Memory stays small, however many there are. One that begins or ends meanwhile may or may not come.
        """
        return self._read(COUNTED)

    def find(self, key: bytes) -> tuple[int, ...] | None:
        """Return what was counted of one flow, None if there is none."""
        value = self._table.get(key)
        return None if value is None else COUNTED.unpack(value)

    def times(self) -> Iterator[tuple[bytes, tuple[int, ...]]]:
        """Yield each flow's key, and its first and last time: as `read`, for who wants no more, and faster."""
        return self._read(_TIMES)

    def _read(self, layout: struct.Struct) -> Iterator[tuple[bytes, tuple[int, ...]]]:
        """Yield each flow's key and what a layout takes of it."""
        # Asked before: what begins meanwhile is present and not yet created, and never taken for evicted
        created, present = self._created(), 0
        for keys, values in self._table.blocks(_BATCH):
            each = [key for (key,) in _KEY.iter_unpack(keys)]
            present += len(each)
            yield from zip(each, layout.iter_unpack(values), strict=True)
        self.present = present
        self.evicted = max(self.evicted, created - present - self._gone_before - self.deleted)

    def delete(self, keys: Sequence[bytes]) -> int:
        """Forget flows; return how many were there. What they count meanwhile is lost with them."""
        removed = self._table.delete_all(keys)
        self.deleted += removed
        return removed
