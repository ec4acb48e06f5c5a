"""Registered domains: what somebody owns of a name, by the public suffix list."""

import logging
from functools import lru_cache
from pathlib import Path
from typing import Final

_LOGGER = logging.getLogger(__name__)

#: Where Debian's `publicsuffix` has it.
LIST: Final = "/usr/share/publicsuffix/public_suffix_list.dat"
#: Rules have five labels at most.
_MOST_LABELS: Final = 6
#: Without the list: below a country's two letters these are taken for suffixes, too (`example.co.uk`).
_SECOND_LEVEL: Final = frozenset(
    ("ac", "co", "com", "edu", "go", "gob", "gov", "gv", "ltd", "ne", "net", "nom", "or", "org")
)


@lru_cache(maxsize=1)
def _suffixes() -> frozenset[str] | None:
    """Read the list's rules, once and when they are needed first (1 MB, 30 ms); None where there is none.

    python3-publicsuffix2 would do the same, and keep 13 MB for it.
    """
    try:
        lines = Path(LIST).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        _LOGGER.warning("Registered domains are guessed (no list in %s): %s", LIST, error)
        return None
    words = (line.split(None, 1)[0] for line in lines if line.strip() and line[:2] != "//")
    return frozenset(map(_ascii, words))


def _ascii(rule: str) -> str:
    """Return a rule as names have it on the wire; one that can't be written so matches nothing."""
    if rule.isascii():
        return rule.lower()
    try:
        return ".".join(label.encode("idna").decode() for label in rule.split("."))
    except UnicodeError:
        return rule


@lru_cache(maxsize=2048)
def registered_domain(name: str) -> str:
    """Return the registered domain of a name: `example.co.uk` of `www.example.co.uk`.

    A public suffix is its own, as is a name of one label; where no suffix is known (`nas.lan`, or no list)
    it is the last two labels, or three below the likes of `co.uk`. An address stays as it is.
    """
    name = name.lower().rstrip(".")
    labels = name.split(".")
    if len(labels) < 2 or ":" in name or labels[-1].isdigit():
        return name
    return ".".join(labels[-1 - _suffix_labels(labels) :])


def _suffix_labels(labels: list[str]) -> int:
    """Return of how many labels a name's public suffix is: the longest rule decides, an exception before others."""
    rules = _suffixes()
    if rules is None:
        return 2 if len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL else 1
    for count in range(min(len(labels), _MOST_LABELS), 0, -1):
        rule = ".".join(labels[-count:])
        if f"!{rule}" in rules:
            return count - 1
        if rule in rules or f"*.{rule.partition('.')[2]}" in rules:
            return count
    return 1
