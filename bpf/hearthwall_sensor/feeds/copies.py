"""The last good copy of a list on disk: its entries as they are merged, with what was learnt when they were read."""

import hashlib
import json
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .. import files
from .entries import Entries, Examples, name_hash

_FORMAT: Final = 1
_IPV6_BYTES: Final = 17
_MAX_HEADER: Final = 64 * 1024

#: What reading a file that something else wrote can end in.
_DAMAGE: Final = (KeyError, OverflowError, RecursionError, TypeError, ValueError)


@dataclass(slots=True)
class Copy:
    """A list as it was read: from where, as what, and when the source says that it was changed."""

    source: str
    ordered_format: str
    format: str
    entries: Entries
    validators: dict[str, str]
    updated: float


def write(path: Path, copy: Copy, key: bytes) -> None:
    """Write a copy; raises OSError."""
    entries = copy.entries
    body = (
        entries.ipv4.tobytes()
        + b"".join(each.to_bytes(_IPV6_BYTES, "big") for each in entries.ipv6)
        + entries.names.tobytes()
    )
    header = {
        "format": _FORMAT,
        "source": copy.source,
        "ordered_format": copy.ordered_format,
        "list_format": copy.format,
        "validators": copy.validators,
        "updated": copy.updated,
        "key": _key_digest(key),
        "ipv4": len(entries.ipv4),
        "ipv6": len(entries.ipv6),
        "names": len(entries.names),
        "invalid": [entries.invalid.count, entries.invalid.shown],
        "refused": [entries.refused.count, entries.refused.shown],
        "digest": hashlib.blake2b(body, digest_size=16).hexdigest(),
    }
    files.write(path, json.dumps(header).encode() + b"\n" + body)


def read(path: Path, key: bytes, on_damage: Callable[[str], None]) -> Copy | None:
    """Return the copy at path, or the one before it where that is damaged; None where there is none."""
    for each in (path, files.previous(path)):
        try:
            return _read(each, key)
        except FileNotFoundError:
            continue
        except (*_DAMAGE, OSError) as error:
            on_damage(f"{each.name} is damaged ({error!r}) and was set aside")
            files.set_aside(each)
    return None


def _read(path: Path, key: bytes) -> Copy:
    """Read one file; raises what `_DAMAGE` names."""
    with path.open("rb") as file:
        header: dict[str, Any] = json.loads(file.readline(_MAX_HEADER))
        body = file.read()
    if header["format"] != _FORMAT or header["key"] != _key_digest(key):
        raise ValueError("another format or key")
    if hashlib.blake2b(body, digest_size=16).hexdigest() != header["digest"]:
        raise ValueError("the digest differs")
    ipv4_end = header["ipv4"] * 8
    ipv6_end = ipv4_end + header["ipv6"] * _IPV6_BYTES
    entries = Entries(name_hash(key))
    entries.ipv4 = array("Q", body[:ipv4_end])
    entries.ipv6 = [
        int.from_bytes(body[at : at + _IPV6_BYTES], "big")
        for at in range(ipv4_end, ipv6_end, _IPV6_BYTES)
    ]
    entries.names = array("Q", body[ipv6_end:])
    entries.invalid = Examples(*header["invalid"])
    entries.refused = Examples(*header["refused"])
    return Copy(
        source=header["source"],
        ordered_format=header["ordered_format"],
        format=header["list_format"],
        entries=entries,
        validators=dict(header["validators"]),
        updated=float(header["updated"]),
    )


def _key_digest(key: bytes) -> str:
    """Return what tells by which key the names were hashed, and not the key."""
    return hashlib.blake2b(key, digest_size=8).hexdigest()
