"""The command that tells what happened, and goes on telling."""

import argparse
import asyncio
import json
import shutil
import sys
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from ..kinds import KINDS, SEVERITIES
from ..protocol import SensorError
from ..requests import MAX_EVENTS, GetAccepted, GetEvents
from ..words import naming
from ..words.amounts import moment
from ..words.cells import clean, cut, fill, width, without_empty, wrapped
from .command import Command, Options, converse, whole

if TYPE_CHECKING:
    from ..client import Client

_INDENT: Final = "        "
#: What is longer, such as a peer's name, stands out of its column.
_WIDEST: Final = 32


def _arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `events` takes."""
    parser.add_argument(
        "--since",
        metavar="SEQ",
        type=_number,
        help="those after the event with this number (default: the latest)",
    )
    parser.add_argument(
        "--limit",
        metavar="N",
        type=whole(1, MAX_EVENTS),
        default=MAX_EVENTS,
        help=f"at most so many, up to {MAX_EVENTS:,} (default {MAX_EVENTS:,})",
    )
    parser.add_argument(
        "--kind",
        metavar="KIND",
        action="append",
        default=[],
        choices=tuple(KINDS),
        help=f"only events of this kind; may be repeated: {', '.join(KINDS)}",
    )
    parser.add_argument(
        "--severity",
        choices=SEVERITIES,
        default=SEVERITIES[0],
        help="only events that are at least so severe",
    )
    parser.add_argument(
        "--device",
        metavar="DEVICE",
        action="append",
        default=[],
        help="only this device's: a MAC, an address or a name; may be repeated",
    )
    parser.add_argument(
        "--follow",
        action="store_true",
        help="tell what happens from now on, or since SEQ, until interrupted; with --json a line each",
    )


def _number(text: str) -> int:
    """Read an event's number."""
    try:
        return whole(0, 2**63 - 1)(text)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(
            f"{text[:40]!r} is no event's number, such as the list begins its lines with"
        ) from error


async def _events(client: "Client", options: Options) -> Any:
    """Return the events, for people as text, or print them as they come."""
    devices = await client.devices() if options.device or not options.json else []
    macs = tuple(mac for each in options.device for mac in naming.resolved(each, devices))
    names = naming.device_names(devices)
    if options.follow:
        return await _follow(client, options, macs, names)
    request = _request(options, macs, options.since or 0, latest=options.since is None)
    events = await client.call(request)
    return events if options.json else show(events, names, await _accepted(client))


async def _accepted(client: "Client") -> frozenset[int]:
    """Return the numbers of the events that were accepted."""
    return frozenset(each["seq"] for each in await client.call(GetAccepted()))


def _request(options: Options, macs: tuple[str, ...], since: int, *, latest: bool) -> GetEvents:
    """Return what is asked of the sensor."""
    return GetEvents(
        since=since,
        limit=options.limit,
        devices=macs,
        kinds=tuple(options.kind),
        severity=options.severity,
        latest=latest,
    )


async def _follow(
    client: "Client", options: Options, macs: tuple[str, ...], names: Mapping[str, str]
) -> Any:
    """Print the events as they come, until the sensor ends: raises SensorError then."""
    bell = asyncio.Event()
    snapshot = await client.subscribe(lambda delta: bell.set() if delta.events else None)
    closed = asyncio.ensure_future(client.wait_closed())
    last = snapshot.last_event if options.since is None else options.since
    try:
        while not closed.done():
            bell.clear()
            # All of them, so that none is missed between two deltas
            while events := await client.call(_request(options, macs, last, latest=False)):
                if not options.json and any(_is_nameless(each["mac"], names) for each in events):
                    names = naming.device_names(await client.devices())
                _print(events, options, names)
                last = events[-1]["seq"]
            rung = asyncio.ensure_future(bell.wait())
            await asyncio.wait({rung, closed}, return_when=asyncio.FIRST_COMPLETED)
            rung.cancel()
        closed.result()
    except SensorError as error:
        if error.code != "not_running":
            raise
    raise SensorError(
        "not_running", f"the sensor on {options.socket} has ended, so nothing more is told"
    )


def _is_nameless(mac: str | None, names: Mapping[str, str]) -> bool:
    """Return whether a device had no name when it was asked for last."""
    return mac is not None and names.get(mac, mac) == mac


def _print(events: list[dict[str, Any]], options: Options, names: Mapping[str, str]) -> None:
    """Print events at once."""
    text = "\n".join(map(json.dumps, events)) if options.json else show(events, names)
    print(text, flush=True)


# For people


def show(
    events: list[dict[str, Any]], names: Mapping[str, str], accepted: Collection[int] = ()
) -> str:
    """Return events as text: a line each, or several that fit the terminal where one reads it."""
    if not events:
        return "Nothing has happened."
    heads = _aligned([_cells(each, names, accepted) for each in events])
    summaries = [clean(each["summary"]) for each in events]
    if not sys.stdout.isatty():
        return "\n".join(map("  ".join, zip(heads, summaries, strict=True)))
    columns = shutil.get_terminal_size()[0]
    lines = []
    for head, summary in zip(heads, summaries, strict=True):
        lines.append(cut(head.rstrip(), columns))
        lines += [_INDENT + line for line in wrapped(summary, max(columns - len(_INDENT), 1))]
    return "\n".join(lines)


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows in columns, without those in which no row says anything."""
    _, rows = without_empty([""] * len(rows[0]), [[clean(cell) for cell in row] for row in rows])
    widths = [min(max(map(width, column)), _WIDEST) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            fill(cell, max(width(cell), each)) for cell, each in zip(row, widths, strict=True)
        )
        for row in rows
    ]


def _cells(
    event: dict[str, Any], names: Mapping[str, str], accepted: Collection[int]
) -> tuple[str, ...]:
    """Return what is said of an event beside its sentence."""
    count, peer = event.get("count", 1), event["peer_name"] or event["peer_address"]
    return (
        f"{event['seq']:>6}",
        moment(event["time"]),
        f"{event['severity']:<8}",
        event["kind"],
        f"×{count}, last {_last(event)}" if count > 1 else "",  # noqa: RUF001, it says times
        "accepted" if event["seq"] in accepted else "",
        names.get(event["mac"]) or event["mac"] or event["process"] or event["address"] or "",
        f"-> {peer}" if peer else "",
    )


def _last(event: dict[str, Any]) -> str:
    """Return when an event happened last, without the day if that is the first one's."""
    first, last = moment(event["time"]), moment(event.get("last_time") or event["time"])
    return last.removeprefix(first[:11])


COMMANDS: Final = {"events": Command("list what happened", converse(_events), str, _arguments)}
