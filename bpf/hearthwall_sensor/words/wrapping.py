"""Sentences in lines that fit the terminal, behind labels where they have one."""

import shutil
from collections.abc import Iterable
from typing import Final

from . import cells
from .cells import clean, width

#: Where no terminal says how wide it is; longer lines are no pleasure to read.
_USUAL: Final = 100
_NARROWEST: Final = 30
_LABEL: Final = 12


def columns() -> int:
    """Return how wide text may be."""
    return max(_NARROWEST, min(_USUAL, shutil.get_terminal_size((_USUAL, 0))[0]))


def wrapped(text: str, indent: str = "", first: str | None = None) -> str:
    """Return a text in lines that begin with an indent, the first one with another of the same width."""
    lines = cells.wrapped(clean(text), columns() - width(indent)) or [""]
    lead = indent if first is None else first
    return "\n".join(
        (lead if number == 0 else indent) + line for number, line in enumerate(lines)
    ).rstrip()


def labelled(label: str, text: str, room: int = _LABEL) -> str:
    """Return a text behind a label in a column of its own, or below a label that has no room there."""
    head, indent = clean(label) + ":" if label else "", " " * room
    if width(head) < room:
        return wrapped(text, indent, head + " " * (room - width(head)))
    return f"{wrapped(head)}\n{wrapped(text, indent)}"


def aligned(rows: Iterable[tuple[str, str]]) -> str:
    """Return texts behind their labels, in a column that begins behind the longest of these."""
    said = list(rows)
    longest = max((width(clean(label)) for label, _ in said), default=0)
    room = max(_LABEL, min(longest + 2, columns() // 2))
    return "\n".join(labelled(label, text, room) for label, text in said)
