"""Lists in memory, for captures: which of them has an address or a name, and by which entry."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from ..bounded import make_room
from ..protocol import SensorError
from . import formats
from .entries import Entries, canonical_name, name_hash, prefix_text
from .fetch import fetch

_MAPPED: Final = bytes(10) + b"\xff\xff"
#: Addresses and names that are remembered to spare looking again.
_REMEMBERED: Final = 65_536


class Found(NamedTuple):
    """What a match is by."""

    feeds: tuple[str, ...]
    entry: str


class Lists:
    """Some lists of known-bad addresses and names."""

    def __init__(self, paths: Iterable[str] = ()) -> None:
        """Read the files, whatever their format; raises SensorError `feed_failed`."""
        #: What was left out of them, a sentence for each file.
        self.left_out: list[str] = []
        self._hash = name_hash(b"")
        #: By bits of the family and length: which lists have a prefix.
        self._prefixes: dict[int, dict[int, dict[int, tuple[str, ...]]]] = {32: {}, 128: {}}
        self._names: dict[int, tuple[str, ...]] = {}
        self._addresses_known: dict[bytes, Found | None] = {}
        self._names_known: dict[str, Found | None] = {}
        for path in paths:
            self._read(path)
        for bits, lengths in self._prefixes.items():  # the longest first
            self._prefixes[bits] = dict(sorted(lengths.items(), reverse=True))

    def _read(self, path: str) -> None:
        """Read a file."""
        form, entries = self._entries(path)
        useless = entries.invalid.count + entries.refused.count
        if useless:
            such = (entries.invalid.shown + entries.refused.shown)[0]
            what = f"read as {form}, {useless:,} of its lines can't be used, such as {such!r}"
            if not len(entries):
                raise SensorError("feed_failed", f"{path} is no list: {what}")
            self.left_out.append(f"{path}: {what}")
        feed = Path(path).name
        for bits, prefixes in ((32, entries.ipv4), (128, entries.ipv6)):
            for prefix in prefixes:
                held = self._prefixes[bits].setdefault(prefix & 255, {})
                held[prefix >> 8] = (*held.get(prefix >> 8, ()), feed)
        for digest in entries.names:
            self._names[digest] = (*self._names.get(digest, ()), feed)

    def _entries(self, path: str) -> tuple[str, Entries]:
        """Return a file's format and entries; raises SensorError `feed_failed`, which names the file."""
        try:
            fetched = fetch(str(Path(path).absolute()), None, {})
            found = None if fetched is None else formats.read(fetched.body, "auto", self._hash)
        except SensorError as error:
            named = path in error.message
            raise SensorError(
                "feed_failed", error.message if named else f"{path}: {error.message}"
            ) from error
        if found is None:
            raise SensorError("feed_failed", f"{path} can't be read")
        return found

    def __bool__(self) -> bool:
        """Return whether there is anything to look for."""
        return bool(self._names or any(self._prefixes.values()))

    def address(self, address: bytes) -> Found | None:
        """Return which lists have an address of sixteen bytes, and the narrowest entry that holds it."""
        if address not in self._addresses_known:
            self._addresses_known[address] = self._look_for(address)
            make_room(self._addresses_known, _REMEMBERED)
        return self._addresses_known[address]

    def _look_for(self, address: bytes) -> Found | None:
        """Look for the entries that hold an address."""
        is_ipv4 = address.startswith(_MAPPED)
        bits, number = (
            (32, int.from_bytes(address[12:])) if is_ipv4 else (128, int.from_bytes(address))
        )
        feeds: dict[str, None] = {}
        entry = ""
        for length, held in self._prefixes[bits].items():
            prefix = number >> bits - length << bits - length
            if prefix in held:
                entry = entry or prefix_text(prefix << 8 | length, bits)
                feeds.update(dict.fromkeys(held[prefix]))
        return Found(tuple(sorted(feeds)), entry) if feeds else None

    def name(self, text: str) -> Found | None:
        """Return which lists have a name, or one above it, and the narrowest of those."""
        if text not in self._names_known:
            self._names_known[text] = self._look_for_name(text)
            make_room(self._names_known, _REMEMBERED)
        return self._names_known[text]

    def _look_for_name(self, text: str) -> Found | None:
        """Look for the entries that hold a name."""
        name = canonical_name(text)
        if name is None or not self._names:
            return None
        feeds = dict.fromkeys(self._names.get(self._hash(f"={name}"), ()))
        entry = name if feeds else ""
        above = name
        while "." in above:
            held = self._names.get(self._hash(f".{above}"), ())
            if held:
                entry = entry or (name if above == name else f"*.{above}")
                feeds.update(dict.fromkeys(held))
            above = above.partition(".")[2]
        return Found(tuple(sorted(feeds)), entry) if feeds else None
