"""Names, addresses and texts of packets, written as the rest of the sensor knows them."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

#: As long as RFC 1035 lets a name be.
MAX_NAME: Final = 255

_MAPPED: Final = bytes(10) + b"\xff\xff"
#: What of a label stands in a name as it is: printable, and no dot.
_PLAIN: Final = frozenset(range(33, 127)) - frozenset(b".\\")


def name(labels: Iterable[bytes]) -> str:
    """Return a name in lower case; what no host's name has is escaped, so that no two names look alike."""
    return _name(tuple(labels))


@lru_cache(maxsize=1024)
def _name(labels: tuple[bytes, ...]) -> str:
    """Return it: a home asks for a few names again and again, and each message has them several times."""
    return ".".join(
        part.decode("ascii").lower()
        if _PLAIN.issuperset(part)
        else "".join(chr(each) if each in _PLAIN else f"\\{each:03}" for each in part).lower()
        for part in labels
    )


def host(raw: bytes) -> str | None:
    """Return the name of a host that somebody asked for, None for an address and for what is too long."""
    labels = raw.removesuffix(b".").split(b".")
    if len(raw) > MAX_NAME or not all(labels) or _is_address(raw):
        return None
    return name(labels)


def address(raw: bytes) -> bytes:
    """Return sixteen bytes for both families, IPv4 as ::ffff:a.b.c.d."""
    return raw if len(raw) == 16 else _MAPPED + raw


def text(raw: bytes, limit: int) -> str | None:
    """Return what can be printed of a text in UTF-8, at most so many characters; None where nothing is left."""
    decoded = raw.decode("utf-8", "replace")
    kept = "".join(each for each in decoded if each.isprintable() and each != "\ufffd")
    return kept.strip()[:limit].strip() or None


def _is_address(raw: bytes) -> bool:
    """Return whether these bytes are an address and no name."""
    if raw[:1] not in b"0123456789[" and b":" not in raw:
        return False
    try:
        ip_address(raw.decode("ascii").strip("[]"))
    except ValueError:
        return False
    return True
