"""Who was told which name for which address, so that a flow is called what its device asked for."""

import sys
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from ..bounded import make_room

#: Pairs of a device and an address that are remembered; the oldest gives way.
MAX_PAIRS: Final = 16_384
#: Names of one address that a device was told one after the other.
_MAX_NAMES: Final = 4
_ADDRESS: Final = 16


class Told(NamedTuple):
    """A name that somebody was told for an address; `who` is a MAC, or an address where there are no MACs."""

    who: bytes
    address: bytes
    time: int
    name: str


class Answered:
    """The answers that devices got. Times are the samples', in nanoseconds."""

    def __init__(self, limit: int = MAX_PAIRS) -> None:
        """Remember at most so many pairs of a device and an address."""
        self._limit = limit
        #: By who and address in one; times and names in turn. Anything finer takes half as much memory again.
        self._told: dict[bytes, tuple[Any, ...]] = {}
        #: Pairs that gave way.
        self.forgotten = 0

    def note(self, who: bytes, name: str, addresses: Iterable[bytes], time: int) -> None:
        """Remember that a device was told a name's addresses."""
        name = sys.intern(name)
        for address in addresses:
            key = who + address
            told = self._told.pop(key, ())  # to the end of the table
            if not told or told[-1] != name:
                told = (*told, time, name)[-2 * _MAX_NAMES :]
            self._told[key] = told
        self.forgotten += make_room(self._told, self._limit)

    def name(self, who: bytes, address: bytes, at: int) -> str | None:
        """Return what a device called an address at a time: what it was told last before, else first after."""
        told = self._told.get(who + address)
        if told is None:
            return None
        found: str = told[1]
        for time, name in _pairs(told):
            if time > at:
                break
            found = name
        return found

    def forget(self, who: bytes) -> None:
        """Forget what a device was told."""
        for key in [key for key in self._told if key[:-_ADDRESS] == who]:
            del self._told[key]

    def __iter__(self) -> Iterator[Told]:
        """Yield everything that is remembered."""
        for key, told in self._told.items():
            for time, name in _pairs(told):
                yield Told(key[:-_ADDRESS], key[-_ADDRESS:], time, name)

    def __len__(self) -> int:
        """Return how many pairs are remembered."""
        return len(self._told)


def _pairs(told: tuple[Any, ...]) -> Iterator[tuple[int, str]]:
    """Yield times with names."""
    return zip(told[::2], told[1::2], strict=True)
