"""Registered domains: what somebody owns of a name, by the public suffix list."""

import logging
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

_LOGGER = logging.getLogger(__name__)

#: Where Debian's `publicsuffix` has it.
_LIST: Final = "/usr/share/publicsuffix/public_suffix_list.dat"
#: Without the list: below a country's two letters these are taken for suffixes, too (`example.co.uk`).
_SECOND_LEVEL: Final = frozenset(
    ("ac", "co", "com", "edu", "go", "gob", "gov", "gv", "ltd", "ne", "net", "nom", "or", "org")
)


@lru_cache(maxsize=1)
def _suffixes() -> Any:
    """Read the list, once and when it is needed first (4 MB and a tenth of a second); None where there is none."""
    try:
        from publicsuffix2 import PublicSuffixList

        with Path(_LIST).open(encoding="utf-8") as lines:
            return PublicSuffixList(lines, idna=True)
    except Exception as error:  # noqa: BLE001, whatever a damaged file leads its reader into
        _LOGGER.warning(
            "Registered domains are guessed (python3-publicsuffix2 would know them): %s", error
        )
        return None


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
    return ".".join(labels[-1 - _suffix_labels(name, labels) :])


def _suffix_labels(name: str, labels: list[str]) -> int:
    """Return of how many labels a name's public suffix is."""
    known = _suffixes()
    suffix = None if known is None else known.get_tld(name, strict=True)
    if suffix is not None:
        return int(suffix.count(".")) + 1
    if known is None and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL:
        return 2
    return 1
