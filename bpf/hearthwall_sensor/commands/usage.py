"""The command that sums what the devices moved, by device, application, peer and so on."""

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ..requests import MAX_FLOWS, GetUsage
from ..usage import DIMENSIONS, UsageReport, UsageRow
from ..words import naming
from ..words.amounts import size
from ..words.cells import table
from .command import Command, Options, converse, whole
from .flows import parse_since

if TYPE_CHECKING:
    from ..client import Client

#: What a column is called, if not as what it shows.
_HEADS: Final[Mapping[str, str]] = {"mac": "device"}
#: What stands for what is not known.
_NOTHING: Final = "-"


def _arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `usage` takes."""
    parser.add_argument(
        "--by",
        metavar="WHAT",
        action="append",
        choices=DIMENSIONS,
        default=[],
        help=f"sum by this: {', '.join(DIMENSIONS)}; may be repeated (default mac)",
    )
    parser.add_argument(
        "--device",
        metavar="DEVICE",
        action="append",
        default=[],
        help="only this device's: a MAC, an address or a name; may be repeated",
    )
    parser.add_argument(
        "--since",
        metavar="TIME",
        type=parse_since,
        help="only flows that moved since: how long ago (10m), 14:30, 2026-05-04T14:30 or seconds since the epoch",
    )
    parser.add_argument(
        "--limit",
        metavar="N",
        type=whole(1, MAX_FLOWS),
        default=100,
        help=f"at most so many rows, up to {MAX_FLOWS:,} (default 100)",
    )


async def _usage(client: "Client", options: Options) -> Any:
    """Return the sums, for people as text with the devices' names."""
    by = tuple(dict.fromkeys(options.by)) or ("mac",)
    devices = await client.devices() if options.device or not options.json else []
    macs = tuple(mac for each in options.device for mac in naming.resolved(each, devices))
    wire = await client.call(GetUsage(by, macs, options.since, options.limit))
    report = UsageReport.from_wire(wire)
    if options.json:
        return wire | {"rows": [_told(each, by) for each in report.rows]}
    return _show(report, by, naming.device_names(devices))


def _told(row: UsageRow, by: tuple[str, ...]) -> dict[str, Any]:
    """Return what a row has of what was asked for."""
    wire = row.to_wire()
    asked = (*by, "upload_bytes", "download_bytes", "flows")
    return {name: wire[name] for name in asked}


def _show(report: UsageReport, by: tuple[str, ...], names: Mapping[str, str]) -> str:
    """Return the sums as a table, with these names of devices by MAC; all together is the last line."""
    if not report.flows:
        return "No flow fits."

    def shown(row: UsageRow, what: str) -> str:
        value = getattr(row, what)
        return names.get(value, value) if value is not None else _NOTHING

    rows = [
        (
            *(shown(row, each) for each in by),
            size(row.upload_bytes),
            size(row.download_bytes),
            str(row.flows),
        )
        for row in report.rows
    ]
    total = (size(report.upload_bytes), size(report.download_bytes), str(report.flows))
    heads = (*(_HEADS.get(each, each) for each in by), "up", "down", "flows")
    return table(heads, [*rows, ("all", *("" for _ in by[1:]), *total)])


COMMANDS: Final = {
    "usage": Command(
        "sum what the devices moved, by device, application, peer, country or network",
        converse(_usage),
        str,
        _arguments,
    )
}
