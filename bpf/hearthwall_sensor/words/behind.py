"""The processes, files and connections behind an event of a program, as tables for people."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

from .cells import clean, cut, table, width, without_empty
from .wrapping import columns

#: Of a command line, however narrow the terminal is.
_LEAST: Final = 12


class _Told(NamedTuple):
    """What is shown of one list of the evidence: a title, and a column for each key."""

    title: str
    columns: Mapping[str, str]


_TABLES: Final[Mapping[str, _Told]] = {
    "chain": _Told(
        "processes, each begun by the one below it:",
        {"pid": "pid", "executable": "program", "command_line": "command line"},
    ),
    "files": _Told("files behind it:", {"path": "file", "call": "call", "by": "by", "pid": "pid"}),
    "connections": _Told(
        "connections behind it:",
        {
            "address": "address",
            "port": "port",
            "peer_address": "peer",
            "peer_port": "peer's port",
            "transport": "transport",
            "community_id": "community id",
        },
    ),
}
#: Keys of the evidence that have a table here.
SHOWN: Final = frozenset(_TABLES)


def tables(evidence: Mapping[str, Any]) -> Iterator[str]:
    """Yield the tables that an event's evidence fills, a blank line before each."""
    for key, (title, heads) in _TABLES.items():
        found = evidence.get(key)
        told = (
            [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []
        )
        if key == "chain":
            told = list(_joined(told))
        rows = [[clean(_said(each.get(column))) for column in heads] for each in told]
        if key == "chain":
            _fit(tuple(heads.values()), rows)
        if rows:
            yield from ("", title, table(*without_empty(tuple(heads.values()), rows)))


def _joined(chain: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield processes, of each one row: what it is, and what it was before."""
    for _, group in groupby(chain, lambda each: each.get("pid")):
        last, *before = group
        names = [_said(each.get("executable")) for each in (last, *before)]
        different = [each for each, _ in groupby(names)]
        yield {**last, "executable": ", before it ".join(different)}


def _fit(heads: Sequence[str], rows: list[list[str]]) -> None:
    """Cut the last column to what the terminal has room for beside the others; `--json` prints all of it."""
    others = sum(max(width(row[i]) for row in (heads, *rows)) + 2 for i in range(2))
    for row in rows:
        row[-1] = cut(row[-1], max(_LEAST, columns() - others))


def _said(value: Any) -> str:
    """Return a cell."""
    return "" if value is None else str(value)
