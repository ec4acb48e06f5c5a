"""In which country and network an address is, from MaxMind-format files that the user supplies."""

import logging
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

_LOGGER = logging.getLogger(__name__)

#: Addresses whose places are remembered.
_REMEMBERED: Final = 4096
#: How often a file is looked at for a newer one, in seconds.
_LOOK_AGAIN: Final = 30.0
_LONGEST_NAME: Final = 64
_LARGEST_AS: Final = 2**32 - 1


class Place(NamedTuple):
    """Where an address is; None for what no file tells."""

    country: str | None = None
    """ISO 3166, two capital letters."""
    as_number: int | None = None
    as_name: str | None = None


_NOWHERE: Final = Place()


class _File:
    """One file. It is opened when it is needed first, and anew when it was replaced."""

    def __init__(self, path: str, complain: Callable[[str], None]) -> None:
        """Take where it is, and whom to tell that it can't be read."""
        self._path = path
        self._tell = complain
        self._reader: Any = None
        self._ipv4_only = False
        self._version: tuple[int, ...] | None = None
        #: Whether it can't be read now, which was logged.
        self.complained = False

    def follow(self) -> bool:
        """Open the file if it is another one than before; return whether it was."""
        try:
            found = Path(self._path).stat()
        except OSError as error:
            self._complain(error)
            changed = self._reader is not None
            self._close()
            return changed
        version = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
        if version == self._version:
            return False
        self._close()
        self._version = version
        self._open()
        return True

    def _open(self) -> None:
        """Open what is there; a damaged file stays shut until another one is in its place."""
        try:
            import maxminddb
        except ImportError:
            self._complain("Debian's package python3-maxminddb is not there")
            return
        try:
            # Not mapped into memory: whoever writes a new file over this one would end the process.
            self._reader = maxminddb.open_database(self._path, maxminddb.MODE_FILE)
            self._ipv4_only = self._reader.metadata().ip_version == 4
        except Exception as error:  # noqa: BLE001, whatever a damaged file leads its reader into
            self._complain(error)
        else:
            self.complained = False

    def _close(self) -> None:
        """Let go of the file."""
        if self._reader is not None:
            self._reader.close()
        self._reader, self._version = None, None

    def record(self, address: str) -> Mapping[str, Any]:
        """Return what the file says of an address, nothing where it says nothing or can't be read."""
        if self._reader is None or (self._ipv4_only and ":" in address):
            return {}
        try:
            found = self._reader.get(address)
        except Exception as error:  # noqa: BLE001, whatever a damaged file leads its reader into
            self._complain(error)
            return {}
        return found if isinstance(found, Mapping) else {}

    def _complain(self, error: Exception | str) -> None:
        """Tell of a failure once until the file is fine again."""
        if not self.complained:
            self.complained = True
            why = (error.strerror if isinstance(error, OSError) else str(error)) or repr(error)
            self._tell(f"{self._path} tells no country or network: {why}")


class Places:
    """All files together; each says what those before it do not."""

    def __init__(
        self, files: Iterable[str], complain: Callable[[str], None] = _LOGGER.warning
    ) -> None:
        """Take the files' paths, and whom to tell of one that can't be read."""
        self._files = [_File(os.fspath(each), complain) for each in files]
        self._known: OrderedDict[str, Place] = OrderedDict()
        self._next_look = 0.0
        self._follow()  # so that a mistyped path is told of at once

    @property
    def has_files(self) -> bool:
        """Whether any file is to tell places."""
        return bool(self._files)

    @property
    def unreadable(self) -> int:
        """How many files can't be read now."""
        self._follow()
        return sum(each.complained for each in self._files)

    def find(self, address: str) -> Place:
        """Return where an address is; never raises."""
        if not self._files:
            return _NOWHERE
        self._follow()
        known = self._known.get(address)
        if known is not None:
            self._known.move_to_end(address)
            return known
        place = self._known[address] = self._ask(address)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return place

    def _follow(self) -> None:
        """Look for newer files once in a while."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + _LOOK_AGAIN
        changed = [each for each in self._files if each.follow()]
        if changed:
            self._known.clear()

    def _ask(self, address: str) -> Place:
        """Return what the files say."""
        found: dict[str, Any] = {}
        for each in self._files:
            record = each.record(address)
            for field, read in _FIELDS.items():
                if found.get(field) is None:
                    found[field] = read(record)
        return Place(**found)


def _country(record: Mapping[str, Any]) -> str | None:
    """Return the country: GeoLite2 and DB-IP nest it, IPinfo and others do not."""
    nested = record.get("country")
    codes = (
        nested.get("iso_code") if isinstance(nested, Mapping) else None,
        record.get("country_code"),
        nested,
    )
    return next(
        (
            each.upper()
            for each in codes
            if isinstance(each, str) and len(each) == 2 and each.isascii() and each.isalpha()
        ),
        None,
    )


def _as_number(record: Mapping[str, Any]) -> int | None:
    """Return the number of the autonomous system, written 15169 or AS15169."""
    for name in ("autonomous_system_number", "asn", "as_number"):
        value = record.get(name)
        if isinstance(value, str):
            digits = value.strip().upper().removeprefix("AS")
            plain = len(digits) <= 10 and digits.isascii() and digits.isdigit()
            value = int(digits) if plain else None
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LARGEST_AS:
            return value
    return None


def _as_name(record: Mapping[str, Any]) -> str | None:
    """Return who runs the autonomous system."""
    names = ("autonomous_system_organization", "as_name", "as_organization", "organization", "name")
    for name in names:
        value = record.get(name)
        if isinstance(value, str) and (text := _shown(value)):
            return text
    return None


def _shown(text: str) -> str:
    """Return as much of a text as is fit to be shown."""
    return "".join(each for each in text if each.isprintable())[:_LONGEST_NAME].strip()


_FIELDS: Final[Mapping[str, Callable[[Mapping[str, Any]], Any]]] = {
    "country": _country,
    "as_number": _as_number,
    "as_name": _as_name,
}
