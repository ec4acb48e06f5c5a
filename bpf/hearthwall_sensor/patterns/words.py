"""What a pattern says of processes, fit to be read: nothing in it acts on a terminal, and nothing is long."""

import dataclasses
import string
from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

from ..learning.programs import name_of
from ..notation import address_text
from ..observations import Bound, Called, Connected, Executed
from ..processes.image import Image

#: Of what a process made up, a sentence has so many characters: the beginning, and the end that tells files apart.
_SHOWN: Final = 80
_KEPT: Final = 28
#: Of a command line in the evidence.
_LINE: Final = 200

#: What a call did with its file.
_MADE: Final = {"write": "written", "chmod": "made executable", "memfd": "made in memory"}

Seen = tuple[Executed | Connected | Bound | Called, ...]

#: What a sentence may name, with the observation that a pattern needs for it; any has the first ones.
PLACEHOLDERS: Final[Mapping[str, str | None]] = {
    "program": None,
    "parent": None,
    "unit": None,
    "input": None,
    "whoever": None,
    "file": "called",
    "by": "called",
    "made": "called",
    "caller": "called",
    "other": "called",
    "peer": "connected",
    "service": "bound",
}


def printable(text: str) -> str:
    r"""Return a text in which what is not printable is written as `\xNN`, as images have it already."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text)


def shown(text: str) -> str:
    """Return as much of a path as a sentence has room for."""
    said = printable(text)
    return said if len(said) <= _SHOWN else f"{said[:_KEPT]}…{said[_KEPT - _SHOWN + 1 :]}"


def program_of(image: Image) -> str:
    """Return what a program is called."""
    where = "" if image.container is None else f" in container {image.container}"
    return shown(image.executable) + where


def words(seen: Seen) -> dict[str, str]:
    """Return what each placeholder stands for; the last observation of a kind counts, of calls the first."""
    last = seen[-1].image
    found = {
        "program": program_of(last),
        "parent": "nobody known" if last.parent is None else program_of(last.parent),
        "unit": shown(last.unit or "no unit"),
        "input": "a connection",
        "whoever": "somebody far away",
    }
    for each in seen:
        if isinstance(each, Connected):
            found["peer"] = address_text(each.peer)
        elif isinstance(each, Bound):
            found["service"] = each.service
    called = next((each for each in seen if isinstance(each, Called)), None)
    if called is not None:
        file = _written(called, seen)
        found["file"] = shown(file)
        found["made"] = _MADE.get(called.call, "opened")
        found["caller"] = "it" if last.executable == file else f"its {found['program']}"
        found["by"] = program_of(called.image)
        found["other"] = str(called.number)
    return found


def _written(called: Called, seen: Seen) -> str:
    """Return the file of a call by its whole path, where that is known since it was executed."""
    for each in seen:
        path = each.image.executable
        if isinstance(each, Executed) and name_of(path) == name_of(called.path):
            return path
    return called.path


def named_in(text: str) -> list[str]:
    """Return the placeholders that a text names; raises ValueError for one that is no template."""
    parts = list(string.Formatter().parse(text))
    if any(spec or conversion for _, _, spec, conversion in parts):
        raise ValueError("names its parts as {program}, without more")
    return [name for _, name, _, _ in parts if name is not None]


def chain(image: Image, pid: int) -> list[dict[str, Any]]:
    """Return the process and those that it comes from, the youngest first.

    One that executed nothing since its parent made it has its parent's image, and its own number.
    """
    own = [image] if pid == image.pid else [dataclasses.replace(image, pid=pid), image]
    return [
        {
            "executable": printable(each.executable)[:_LINE],
            "pid": each.pid,
            "command_line": printable(each.command_line)[:_LINE],
        }
        for each in (*own, *islice(image.lineage(), 1, None))
    ]
