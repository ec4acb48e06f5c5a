"""Text in the columns of a terminal: cleaned, measured, cut and aligned."""

import re
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

_MAC: Final = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
#: Between two columns of a table.
_GAP: Final = 2
#: A column narrower than this says nothing.
_LEAST_WIDTH: Final = 8
#: Hangul's vowels and final consonants join the letter before them.
_JOINING: Final = range(0x1160, 0x1200)
#: What chooses another look for the character before it makes its width a matter of taste.
_SELECTORS: Final = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))


def clean(text: str) -> str:
    """Return text without what a terminal acts upon: control characters, and those that turn or hide text."""
    if text.isascii() and text.isprintable():
        return text
    shown = (each if each.isprintable() else "?" for each in text)
    return "".join(each for each in shown if not any(ord(each) in some for some in _SELECTORS))


def width(text: str) -> int:
    """Return how many columns a terminal uses for cleaned text."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    """Return how many columns one character uses."""
    if unicodedata.category(character) in {"Mn", "Me"} or ord(character) in _JOINING:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def cut(text: str, columns: int) -> str:
    """Return cleaned text in so many columns at most; what is left out shows as `~` at the end."""
    if width(text) <= columns:
        return text
    room = columns - 1
    kept = []
    for each in text:
        room -= _columns(each)
        if room < 0:
            break
        kept.append(each)
    return "".join(kept) + "~" * (columns > 0)


def cut_mac(text: str, columns: int) -> str:
    """Return cleaned text cut as `cut` does, but a MAC from the left: its end tells devices apart."""
    if width(text) <= columns or not _MAC.fullmatch(text) or columns < 1:
        return cut(text, columns)
    return "~" + text[len(text) - columns + 1 :]


def fill(text: str, columns: int, *, right: bool = False) -> str:
    """Return cleaned text in exactly so many columns, cut or filled with spaces."""
    text = cut_mac(text, columns)
    space = " " * (columns - width(text))
    return space + text if right else text + space


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return aligned columns under heads, all that is in them cleaned, and cut to the terminal if one reads it."""
    lines = [tuple(heads), *(tuple(clean(cell) for cell in row) for row in rows)]
    widths = [max(width(line[i]) for line in lines) for i in range(len(heads))]
    if sys.stdout.isatty():
        widths = narrowed(widths, shutil.get_terminal_size()[0])
    return "\n".join(
        (" " * _GAP)
        .join(fill(cell, each) for cell, each in zip(line, widths, strict=True))
        .rstrip()
        for line in lines
    )


def wrapped(text: str, columns: int) -> list[str]:
    """Return cleaned text in lines of so many columns at most, broken between words where that can be."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if width(longer) <= columns:
            line = longer
            continue
        if line:
            lines.append(line)
        while width(word) > columns:
            fits = _fitting(word, columns)
            lines.append(word[:fits])
            word = word[fits:]  # noqa: PLW2901, what is left of it
        line = word
    return [*lines, line] if line else lines


def _fitting(text: str, columns: int) -> int:
    """Return how many of a text's characters fit into so many columns, at least one."""
    number = 1
    while number < len(text) and width(text[: number + 1]) <= columns:
        number += 1
    return number


def narrowed(widths: Sequence[int], columns: int) -> list[int]:
    """Return the widths of a table that fits into so many columns: the widest give way, down to what says something."""
    found = list(widths)
    excess = sum(found) + _GAP * (len(found) - 1) - columns
    while excess > 0 and max(found) > _LEAST_WIDTH:
        found[found.index(max(found))] -= 1
        excess -= 1
    return found


def without_empty(
    heads: Sequence[str], rows: Sequence[Sequence[str]]
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return heads and rows without the columns in which no row says anything."""
    used = [i for i in range(len(heads)) if any(row[i] for row in rows)]
    return tuple(heads[i] for i in used), [tuple(row[i] for i in used) for row in rows]
