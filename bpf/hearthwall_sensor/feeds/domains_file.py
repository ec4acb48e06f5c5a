"""The domains of all lists in one sorted file, searched where it lies: nothing of it is copied into the process."""

import hashlib
import mmap
import struct
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from .. import files
from ..protocol import SensorError
from .entries import NameHash, canonical_name, name_hash

KEY_BYTES: Final = 16
#: Of all lists together.
MAX_ALL_NAMES: Final = 4_000_000
_MAGIC: Final = b"hearthwall names"
#: Magic, key of the hash, digest of what follows, number of names. Then their hashes, sorted, and their masks.
_HEADER: Final = struct.Struct("=16s16s16sQ")


class DamagedError(ValueError):
    """A file that is not what was written."""


def write(path: Path, key: bytes, feeds: Iterable[tuple[int, "array[int]"]]) -> int:
    """Write (slot, hashes of names) of all lists; return how many names they have together.

    Raises OSError, or SensorError `table_full`.
    """
    masks: dict[int, int] = {}
    for slot, names in feeds:
        bit = 1 << slot
        for each in names:
            masks[each] = masks.get(each, 0) | bit
        if len(masks) > MAX_ALL_NAMES:
            raise SensorError(
                "table_full", f"the feeds have more than {MAX_ALL_NAMES:,} domains together"
            )
    hashes = sorted(masks)
    body = array("Q", hashes).tobytes() + array("I", (masks[each] for each in hashes)).tobytes()
    files.write(path, _HEADER.pack(_MAGIC, key, _digest(body), len(hashes)) + body)
    return len(hashes)


def _digest(body: bytes | memoryview) -> bytes:
    """Return what tells a damaged file."""
    return hashlib.blake2b(body, digest_size=16).digest()


class DomainsFile:
    """An open file of names."""

    def __init__(self, path: Path) -> None:
        """Open a file; raises OSError or DamagedError."""
        with path.open("rb") as file:
            try:
                self._memory = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
            except ValueError as error:
                raise DamagedError(f"{path.name} is empty") from error
        view = memoryview(self._memory)
        body = view[_HEADER.size :]
        magic, key, digest, count = (
            _HEADER.unpack_from(view) if len(view) >= _HEADER.size else (b"", b"", b"", 0)
        )
        if magic != _MAGIC or len(body) != count * 12 or _digest(body) != digest:
            view.release()
            body.release()
            self._memory.close()
            raise DamagedError(f"{path.name} is damaged")
        self._hashes = body[: count * 8].cast("Q")
        self._masks = body[count * 8 :].cast("I")
        self._hash: NameHash = name_hash(key)
        # What the check read is the page cache's; this process need not go on mapping it
        self._memory.madvise(mmap.MADV_DONTNEED)

    def __len__(self) -> int:
        """Return how many names there are."""
        return len(self._hashes)

    def match(self, text: str) -> int:
        """Return the slots of the lists that name this domain, or one above it with all below: one bit each."""
        name = canonical_name(text)
        if name is None or not self._hashes:
            return 0
        found = self._mask(f"={name}")
        while "." in name:
            found |= self._mask(f".{name}")
            name = name.partition(".")[2]
        return found

    def entry(self, text: str) -> str:
        """Return the narrowest entry that names a domain, as a list would have it: itself where there is none."""
        name = above = canonical_name(text) or text
        if self._mask(f"={name}") or self._mask(f".{name}"):
            return name
        while "." in above:
            above = above.partition(".")[2]
            if self._mask(f".{above}"):
                return f"*.{above}"
        return name

    def _mask(self, entry: str) -> int:
        """Return the slots that have exactly this entry."""
        digest = self._hash(entry)
        at = bisect_left(self._hashes, digest)
        return self._masks[at] if at < len(self._hashes) and self._hashes[at] == digest else 0

    def close(self) -> None:
        """Let go of the file."""
        self._hashes.release()
        self._masks.release()
        self._memory.close()
