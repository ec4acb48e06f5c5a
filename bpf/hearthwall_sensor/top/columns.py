"""The columns of the panes, and which of them fit into a terminal's width."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from ..protocol import DeviceRule
from ..words import naming
from ..words.amounts import bits, size, span
from ..words.cells import clean, fill, width
from .rows import DeviceRow, FlowRow, ProgramRow

_GAP: Final = 2


class Column(NamedTuple):
    """One column: between `least` and `most` wide. Those of rank 0 stand first in line for a place.

    No column of `_OPTIONAL` rank takes from the first one what makes that `good` to read.
    """

    head: str
    text: Callable[[Any], str]
    least: int
    most: int
    rank: int
    right: bool = False
    good: int = 0


class Fitted(NamedTuple):
    """A column that has a place, and how wide that is."""

    column: Column
    width: int


def _rule_text(rule: DeviceRule | None) -> str:
    """Return a rule's mode and what is left of it."""
    if rule is None:
        return ""
    return rule.mode if rule.expires is None else f"{rule.mode} {span(rule.expires - time.time())}"


def _peer_text(row: FlowRow) -> str:
    """Return the peer, marked if it spoke first."""
    return f"{'' if row.flow.opened_by == 'device' else '<- '}{naming.peer(row.flow)}"


def _address_text(row: DeviceRow) -> str:
    """Return the device's first address."""
    return row.device.addresses[0] if row.device.addresses else ""


_RATES: Final = (
    Column("up/s", lambda row: bits(row.rate.upload), 9, 9, 1, right=True),
    Column("down/s", lambda row: bits(row.rate.download), 9, 9, 1, right=True),
)
#: The first one has a title for a head, and takes what the others leave.
DEVICES: Final = (
    Column("", lambda row: row.name, 8, 40, 0, good=20),
    *_RATES,
    Column("up", lambda row: size(row.device.upload_bytes), 8, 8, 4, right=True),
    Column("down", lambda row: size(row.device.download_bytes), 8, 8, 4, right=True),
    Column("rule", lambda row: _rule_text(row.device.rule), 8, 22, 2),
    Column("address", _address_text, 15, 39, 6),
    Column("MAC", lambda row: row.device.mac, 17, 17, 5),
    Column("vendor", lambda row: row.device.vendor or "", 10, 30, 7),
)
PROGRAMS: Final = (
    Column("", lambda row: row.name, 8, 60, 0, good=20),
    *_RATES,
    Column("up", lambda row: size(row.program.upload_bytes), 8, 8, 4, right=True),
    Column("down", lambda row: size(row.program.download_bytes), 8, 8, 4, right=True),
    Column("rule", lambda row: _rule_text(row.program.rule), 8, 22, 2),
    Column("unit", lambda row: row.program.unit or "", 10, 30, 5),
    Column("listens", lambda row: ", ".join(row.program.listens), 8, 30, 6),
    Column("pids", lambda row: ", ".join(map(str, row.program.pids)), 7, 20, 7),
)
FLOWS: Final = (
    Column("", _peer_text, 14, 60, 0, good=32),
    *_RATES,
    Column("device", lambda row: row.device_name, 8, 24, 3),
    Column("app", lambda row: naming.application(row.flow), 5, 12, 2),
    Column("outcome", lambda row: naming.outcome(row.flow), 7, 9, 3),
    Column("up", lambda row: size(row.flow.upload_bytes), 8, 8, 6, right=True),
    Column("down", lambda row: size(row.flow.download_bytes), 8, 8, 6, right=True),
    Column("country", lambda row: row.flow.country or "", 7, 7, 5),
    Column("over", lambda row: row.flow.transport, 6, 6, 7),
    Column("network", lambda row: naming.network(row.flow), 12, 30, 8),
)
_OPTIONAL: Final = 4
_OFTEN_EMPTY: Final = frozenset({"country", "network", "vendor", "unit", "listens"})


def saying(columns: Sequence[Column], rows: Sequence[Any]) -> list[Column]:
    """Return the columns without those that are often empty and in which no row says anything."""
    return [
        each
        for each in columns
        if each.head not in _OFTEN_EMPTY or any(each.text(row) for row in rows)
    ]


def fitted(columns: Sequence[Column], width: int) -> list[Fitted]:
    """Return the columns that have a place in so many terminal columns, and their widths."""
    taken: set[int] = set()
    used = -_GAP
    for i, column in sorted(enumerate(columns), key=lambda each: each[1].rank):
        reserve = columns[0].good - columns[0].least if column.rank >= _OPTIONAL else 0
        if taken and used + _GAP + column.least + reserve > width:
            break
        taken.add(i)
        used += _GAP + column.least
    chosen = [columns[i] for i in sorted(taken)]
    widths = [min(each.least, width) for each in chosen]
    spare = max(0, width - used)
    wishes = [(0, chosen[0].good), *((i, each.most) for i, each in enumerate(chosen) if i)]
    for i, most in (*wishes, (0, chosen[0].most)):
        more = min(spare, max(0, most - widths[i]))
        widths[i] += more
        spare -= more
    return [Fitted(*each) for each in zip(chosen, widths, strict=True)]


def head(places: Sequence[Fitted], title: str) -> str:
    """Return the line above a pane's rows."""
    texts = (title, *(each.column.head for each in places[1:]))
    return joined(places, texts)


def line(places: Sequence[Fitted], row: DeviceRow | ProgramRow | FlowRow) -> str:
    """Return a row's line, all that is in it cleaned."""
    return joined(places, [clean(each.column.text(row)) for each in places])


def _end(text: str, columns: int) -> str:
    """Return a cleaned path cut from the left: its end tells programs apart."""
    if width(text) <= columns or not text.startswith("/") or columns < 1:
        return text
    kept = text[1:]
    while width(kept) > columns - 1:
        kept = kept[1:]
    return "…" + kept


def joined(places: Sequence[Fitted], texts: Sequence[str]) -> str:
    """Return texts in their places."""
    cells = (
        fill(_end(text, width), width, right=column.right)
        for text, (column, width) in zip(texts, places, strict=True)
    )
    return (" " * _GAP).join(cells)
