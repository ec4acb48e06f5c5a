"""Reads a `[[sink]]` of the settings' file: each option is taken by what it has to be, and none is left over."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

from ..nearest import did_you_mean
from ..protocol import SensorError

#: A name or an address, of IPv6 in brackets, and a port that may be left out.
_SERVER: Final = re.compile(
    r"(\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^\s:/@\[\]]+))(:(?P<port>[0-9]{1,5}))?"
)
#: Letters of a value in a table of plain values.
_LONGEST_PLAIN: Final = 1024


class Table:
    """One sink's options."""

    def __init__(self, name: str, values: Mapping[str, Any]) -> None:
        """Take the sink's name, for what is said of mistakes, and its options."""
        self._name = name
        self._values = dict(values)
        self._known: list[str] = []

    def fail(self, sentence: str) -> NoReturn:
        """Raise SensorError `invalid_message`."""
        raise SensorError("invalid_message", f"sink {self._name}: {sentence}")

    def text(self, key: str, default: str | None = None, *, longest: int = 1024) -> str:
        """Take a text; without a default it must be there."""
        value = self._take(key, default)
        if not isinstance(value, str) or not value or len(value) > longest:
            self.fail(f"{key} is a text of 1 to {longest} letters")
        if not value.isprintable():
            self.fail(f"{key} has characters that can't be printed")
        return value

    def optional(self, key: str, *, longest: int = 1024) -> str | None:
        """Take a text that need not be there."""
        self._known.append(key)
        return self.text(key, longest=longest) if key in self._values else None

    def choice(self, key: str, choices: tuple[str, ...], default: str | None = None) -> str:
        """Take one of some words."""
        value = self._take(key, default)
        if value not in choices:
            self.fail(f"{key} is {', '.join(choices[:-1])} or {choices[-1]}")
        return str(value)

    def number(self, key: str, default: float | None, least: float, most: float) -> float:
        """Take a number between two others."""
        value = self._take(key, default)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not least <= value <= most:
            self.fail(f"{key} is a number from {least:g} to {most:g}")
        return value  # type: ignore[no-any-return]  # it was looked at

    def whole(self, key: str, default: int | None, least: int, most: int) -> int:
        """Take a whole number between two others."""
        value = self.number(key, default, least, most)
        if not isinstance(value, int):
            self.fail(f"{key} is a whole number")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """Take true or false."""
        value = self._take(key, default)
        if not isinstance(value, bool):
            self.fail(f"{key} is true or false")
        return value

    def words(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Take a list of texts."""
        value = self._take(key, list(default))
        if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
            self.fail(f'{key} is a list of texts, such as ["one"]')
        return tuple(value)

    def plain(self, key: str, most: int) -> dict[str, str | int | float | bool]:
        """Take a table of texts, numbers and truths, at most so many."""
        value = self._take(key, {})
        is_plain = isinstance(value, dict) and all(
            isinstance(each, str | int | float | bool) and len(str(each)) <= _LONGEST_PLAIN
            for each in (*value, *value.values())
        )
        if not is_plain or len(value) > most:
            self.fail(f"{key} is a table of at most {most} texts and numbers")
        return dict(value)

    def path(
        self, key: str, default: str | None = None, *, folder: str = "/etc/hearthwall"
    ) -> Path:
        """Take the whole path of a file; `folder` is where the service may have it, for what is said of mistakes."""
        path = Path(self.text(key, default, longest=4096))
        if not path.is_absolute():
            self.fail(f"{key} is a whole path, such as {folder}/{path.name}")
        return path

    def optional_path(self, key: str) -> Path | None:
        """Take the whole path of a file that need not be named."""
        self._known.append(key)
        return self.path(key) if key in self._values else None

    def server(self, key: str, port: int | None = None) -> tuple[str, int]:
        """Take `host:port`, `192.168.1.5:514` or `[fd00::1]:514`; without a default the port must be there."""
        match = _SERVER.fullmatch(self.text(key, longest=300))
        number = port if match is None or match["port"] is None else int(match["port"])
        if match is None or number is None:
            self.fail(f"{key} is a host and a port, such as 192.168.1.5:{port or 6514}")
        if not 0 < number < 65536:
            self.fail(f"{key}: a port is a number from 1 to 65535")
        return match["six"] or match["host"], number

    def done(self, above: Collection[str] = ()) -> None:
        """Raise SensorError for an option that nothing has taken, such as a setting that belongs above the sinks."""
        left = set(self._values) - set(self._known)
        if left:
            word = min(left)
            if word in above:
                self.fail(f"{word} is a setting of the sensor: write it above the first [[sink]]")
            meant = did_you_mean(word, tuple(self._known)) or (
                f"; there are {', '.join(sorted(self._known))}"
            )
            self.fail(f"there is no option {word[:40]!r}{meant}")

    def _take(self, key: str, default: Any) -> Any:
        """Take what is said, or the default."""
        self._known.append(key)
        value = self._values.get(key, default)
        if value is None:
            self.fail(f"{key} is missing")
        return value
