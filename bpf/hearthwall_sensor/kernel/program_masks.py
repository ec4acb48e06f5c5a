"""Which rules hold for a path: those on it and on the folders around it, as the kernel's table of prefixes has them."""

from collections.abc import Mapping
from typing import Final

from ..targets import Target, path_of
from .process_layouts import PATH_BYTES, PROGRAM_PATH

#: What ends a path: a folder's slash, or the zero behind a whole path.
_END: Final = {"exe": b"\0", "dir": b"/"}
#: So much of its file's name the kernel calls a process by.
_COMM: Final = 15


def entry_of(target: Target) -> bytes:
    """Return the beginning that all paths have which a rule on an executable or a folder is about."""
    return path_of(target) + _END[target.kind]


def name_entry(path: bytes) -> bytes:
    """Return the entry that is about every file of a path's name, as long as its folder is not known."""
    return b"\0" + path.rpartition(b"/")[2][:_COMM] + _END["exe"]


def file_entry(path: bytes) -> bytes:
    """Return the entry that is about one file only."""
    return path + _END["exe"]


def masks(own: Mapping[bytes, int]) -> dict[bytes, int]:
    """Return, for each entry, its own rules and those of the folders around it: the kernel asks the longest only."""
    return {entry: _around(own, entry) for entry in own}


def mask_at(own: Mapping[bytes, int], path: bytes) -> int:
    """Return the rules that hold for a whole path."""
    return _around(own, file_entry(path))


def _around(own: Mapping[bytes, int], entry: bytes) -> int:
    """Return the rules of all entries that one begins with."""
    found = own.get(entry, 0)
    at = entry.find(b"/")
    while at >= 0:
        found |= own.get(entry[: at + 1], 0)
        at = entry.find(b"/", at + 1)
    return found


def program_key(entry: bytes) -> bytes:
    """Return an entry's key in the kernel's table."""
    return PROGRAM_PATH.pack(8 * len(entry), entry)


def entry_at(key: bytes) -> bytes:
    """Return the entry that a key of the kernel's table means."""
    bits, path = PROGRAM_PATH.unpack(key)
    return bytes(path[: min(bits // 8, PATH_BYTES)])
