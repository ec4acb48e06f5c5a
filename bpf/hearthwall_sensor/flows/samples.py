"""Reads the packets whose beginnings the kernel has copied: DNS answers, and everything else."""

import asyncio
from collections.abc import Iterable
from typing import Final

from ..kernel.ringbuf import RingBuffer
from ..kernel.tables import Tables
from .flow import read_sample
from .observer import Observer

#: Samples that are read before it is looked for DNS answers again.
_IN_A_ROW: Final = 16


class Samples:
    """The reading ends of the two rings of samples."""

    def __init__(self, tables: Tables, observer: Observer) -> None:
        """Open the rings, in a running event loop, and learn from what comes."""
        self._observer = observer
        self._answers = RingBuffer(tables.map("answers").fd)
        self._others = RingBuffer(tables.map("samples").fd)
        for ring in (self._answers, self._others):
            asyncio.get_running_loop().add_reader(ring.fileno(), self.read)

    def read(self) -> None:
        """Learn from what is there."""
        self._take(self._answers.read())
        for number, record in enumerate(self._others.read()):
            if number % _IN_A_ROW == 0:
                self._take(self._answers.read())
            self._take((record,))

    def _take(self, records: Iterable[bytes]) -> None:
        """Learn from samples."""
        for record in records:
            sample = read_sample(record)
            if sample is not None:
                self._observer.take(sample)

    def close(self) -> None:
        """Read no more."""
        for ring in (self._answers, self._others):
            asyncio.get_running_loop().remove_reader(ring.fileno())
            ring.close()
