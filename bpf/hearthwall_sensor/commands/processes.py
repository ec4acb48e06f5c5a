"""The command that lists the programs of this host that talk or listen."""

import argparse
from typing import Any, Final

from ..requests import MAX_FLOWS, GetProcesses
from ..words.amounts import ago, size
from ..words.cells import table, without_empty
from .command import Command, Options, ask, whole

_HEADS: Final = (
    "program",
    "container",
    "unit",
    "pids",
    "up",
    "down",
    "connections",
    "listens",
    "peers",
    "seen",
    "rule",
)
#: What one row shows of a list.
_SHOWN: Final = 3


def _arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `processes` takes."""
    parser.add_argument(
        "--limit",
        metavar="N",
        type=whole(1, MAX_FLOWS),
        default=100,
        help=f"at most so many, up to {MAX_FLOWS:,} (default 100)",
    )


def _request(options: Options) -> GetProcesses:
    """Return what is asked."""
    return GetProcesses(options.limit)


def show(wires: list[dict[str, Any]]) -> str:
    """Return the programs as a table."""
    rows = [_row(each) for each in wires]
    return table(*without_empty(_HEADS, rows)) if rows else "No program has talked yet."


def _row(wire: dict[str, Any]) -> tuple[str, ...]:
    """Return a program's columns."""
    return (
        wire["executable"],
        wire["container"] or "",
        wire["unit"] or "",
        _some(wire["pids"]),
        size(wire["upload_bytes"]),
        size(wire["download_bytes"]),
        str(wire["connections"]),
        _some(wire["listens"]),
        _some(wire["peers"]),
        ago(wire["last_seen"]),
        wire["rule"]["mode"] if wire["rule"] else "",
    )


def _some(values: list[Any]) -> str:
    """Return the first of several, and how many more there are."""
    more = len(values) - _SHOWN
    shown = ", ".join(map(str, values[:_SHOWN]))
    return f"{shown} and {more} more" if more > 0 else shown


COMMANDS: Final = {
    "processes": Command(
        "list the programs of this host that talk or listen", ask(_request), show, _arguments
    )
}
