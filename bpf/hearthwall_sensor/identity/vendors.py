"""Who made a device: the IEEE's lists of MAC addresses, as Debian's package ieee-data has them."""

import logging
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import BinaryIO, Final

from ..dissect.written import text

_LOGGER = logging.getLogger(__name__)

FOLDER: Final = Path("/usr/share/ieee-data")
#: The lists, those of the longest assignments first, with an assignment's bits.
LISTS: Final = (("oui36.txt", 36), ("iab.txt", 36), ("mam.txt", 28), ("oui.txt", 24))
#: Stands between an assignment's number, or range of numbers, and its owner.
_MARK: Final = b"(base 16)"
#: Stands in the line before it, between the first three bytes and the owner.
_FIRST_MARK: Final = b"(hex)"
#: Bits of an entry that say where in its file an owner stands.
_PLACE_BITS: Final = 28
_LINE: Final = 512
_MAX_NAME: Final = 64
#: Owners that are no vendors: one does not say who it is, the other has handed on what it was given.
_NO_VENDORS: Final = frozenset(("private", "ieee registration authority"))
_REMEMBERED: Final = 4096


class _List:
    """One list: where each assignment's owner stands in the file. That is all that is kept in memory."""

    def __init__(self, file: BinaryIO, bits: int) -> None:
        """Read a list through once; raises OSError or ValueError."""
        self._file = file
        self._bits = bits
        #: Prefix and place in one number each, in order.
        self.entries = array("Q", sorted(_entries(file, bits)))

    def owner(self, mac: int) -> str | None:
        """Return whose a MAC is; raises OSError."""
        prefix = mac >> (48 - self._bits)
        at = bisect_left(self.entries, prefix << _PLACE_BITS)
        if at == len(self.entries) or self.entries[at] >> _PLACE_BITS != prefix:
            return None
        self._file.seek(self.entries[at] & (1 << _PLACE_BITS) - 1)
        return text(self._file.readline(_LINE), _MAX_NAME)


def _entries(file: BinaryIO, bits: int) -> Iterator[int]:
    """Yield a list's prefixes, each with the place of its owner in the file; raises ValueError."""
    with mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        at = content.find(_MARK)
        while at >= 0:
            line = content.rfind(b"\n", 0, at) + 1
            prefix = int(content[line : line + 6], 16)
            if bits > 24:
                # The line holds a range within the first three bytes, which stand in the line before.
                before = content.rfind(b"\n", 0, content.rfind(_FIRST_MARK, 0, line)) + 1
                first = int(content[before : before + 8].replace(b"-", b""), 16)
                prefix = first << (bits - 24) | prefix >> (48 - bits)
            place = at + len(_MARK)
            yield prefix << _PLACE_BITS | place
            at = content.find(_MARK, place)


class Vendors:
    """The vendors of MACs."""

    def __init__(self, folder: Path = FOLDER) -> None:
        """Read the lists of a folder, which may be missing: it takes a while, so do it when nobody waits."""
        self._lists = list(_open(folder))
        self._known: dict[str, str | None] = {}

    def find(self, mac: str) -> str | None:
        """Return who made a device, None where that is not known; a randomised MAC says nothing of it."""
        if mac in self._known:
            return self._known[mac]
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        vendor = self._known[mac] = self._find(mac)
        return vendor

    def _find(self, mac: str) -> str | None:
        """Look a MAC up in the lists: the longest assignment is the one that counts."""
        if int(mac[:2], 16) & 3:  # made up by the device itself, or a group's
            return None
        number = int(mac.replace(":", ""), 16)
        for each in self._lists:
            try:
                owner = each.owner(number)
            except OSError:
                continue
            if owner is not None:
                return None if owner.lower() in _NO_VENDORS else owner
        return None


def _open(folder: Path) -> Iterator[_List]:
    """Open the lists that are there."""
    for name, bits in LISTS:
        path = folder / name
        try:
            yield _List(path.open("rb"), bits)
        except (OSError, ValueError) as error:
            _LOGGER.info("Vendors of MACs: %s can't be read: %s", path, error)
