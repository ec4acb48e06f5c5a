r"""Paths of programs as text: what is not printable is written as `\xNN`, and read back as the byte that it is."""

import re
from typing import Final

_ESCAPE: Final = re.compile(rb"\\x([0-9a-fA-F]{2})")
#: What a program in a container is known by ends so.
_CONTAINER: Final = re.compile(rb"@[0-9a-f]{12}$")
_BACKSLASH: Final = rb"\x5c"


def path_text(path: bytes) -> str:
    """Return a path as it is shown; a backslash that would read as the beginning of an escape is one itself."""
    plain = _ESCAPE.sub(lambda match: _BACKSLASH + match[0][1:], path)
    text = plain.decode(errors="surrogateescape")
    return spaced("".join(each if each.isprintable() else _escaped(each) for each in text))


def spaced(text: str) -> str:
    """Return a path whose spaces at either end are escapes: whoever reads it as a person's would take them off."""
    inner = text.strip(" ")
    before = len(text) - len(text.lstrip(" "))
    after = len(text) - len(text.rstrip(" ")) if inner else 0
    return r"\x20" * before + inner + r"\x20" * after


def path_bytes(text: str) -> bytes:
    """Return the path that a text means; raises ValueError for control characters, which are written as escapes."""
    if any(each < " " or "\x7f" <= each < "\xa0" for each in text):
        raise ValueError("control characters")
    raw = text.encode(errors="surrogateescape")
    return _ESCAPE.sub(lambda match: bytes((int(match[1], 16),)), raw)


def outside_container(path: bytes) -> bytes:
    """Return a program's path without the container that it is in."""
    return _CONTAINER.sub(b"", path)


def _escaped(character: str) -> str:
    """Return the bytes of a character as escapes."""
    return "".join(f"\\x{each:02x}" for each in character.encode(errors="surrogateescape"))
