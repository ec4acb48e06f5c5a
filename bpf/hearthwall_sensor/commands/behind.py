"""The processes, files and connections behind an event of a program, as tables for people."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from .cells import table, without_empty


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
    for key, (title, columns) in _TABLES.items():
        found = evidence.get(key)
        rows = [
            [_said(each.get(column)) for column in columns]
            for each in (found if isinstance(found, list) else ())
            if isinstance(each, Mapping)
        ]
        if rows:
            yield from ("", title, table(*without_empty(tuple(columns.values()), rows)))


def _said(value: Any) -> str:
    """Return a cell."""
    return "" if value is None else str(value)
