"""The command that tells what happened, and goes on telling."""

import argparse
import asyncio
import json
import shutil
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ..kinds import KINDS, SEVERITIES
from ..protocol import SensorError
from ..requests import GetEvents
from . import naming
from .cells import clean, cut, wrapped
from .command import Command, Options, converse

if TYPE_CHECKING:
    from ..client import Client

_INDENT: Final = "        "


def _arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `events` takes."""
    parser.add_argument(
        "--since",
        metavar="SEQ",
        type=int,
        help="those after the event with this number (default: the latest)",
    )
    parser.add_argument(
        "--limit", metavar="N", type=int, default=1000, help="at most so many (default 1000)"
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


async def _events(client: "Client", options: Options) -> Any:
    """Return the events, for people as text, or print them as they come."""
    devices = await client.devices() if options.device or not options.json else []
    macs = tuple(mac for each in options.device for mac in naming.resolved(each, devices))
    names = naming.device_names(devices)
    if options.follow:
        return await _follow(client, options, macs, names)
    request = _request(options, macs, options.since or 0, latest=options.since is None)
    events = await client.call(request)
    return events if options.json else show(events, names)


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
    """Print the events as they come."""
    bell = asyncio.Event()
    snapshot = await client.subscribe(lambda delta: bell.set() if delta.events else None)
    closed = asyncio.ensure_future(client.wait_closed())
    last = snapshot.last_event if options.since is None else options.since
    while True:
        bell.clear()
        # All of them, so that none is missed between two deltas
        while events := await client.call(_request(options, macs, last, latest=False)):
            for each in events:
                print(json.dumps(each) if options.json else shown(each, names), flush=True)
            last = events[-1]["seq"]
        rung = asyncio.ensure_future(bell.wait())
        await asyncio.wait({rung, closed}, return_when=asyncio.FIRST_COMPLETED)
        if closed.done():
            rung.cancel()
            closed.result()
            raise SensorError("not_running", "the sensor has ended")


# For people


def show(events: list[dict[str, Any]], names: Mapping[str, str]) -> str:
    """Return events as text, with these names of devices by MAC."""
    return "\n".join(shown(each, names) for each in events) or "Nothing has happened."


def shown(event: dict[str, Any], names: Mapping[str, str]) -> str:
    """Return an event in one line, or in several that fit the terminal where one reads it."""
    head, summary = "  ".join(map(clean, _cells(event, names))), clean(event["summary"])
    if not sys.stdout.isatty():
        return f"{head}  {summary}"
    columns = shutil.get_terminal_size()[0]
    below = wrapped(summary, max(columns - len(_INDENT), 1))
    return "\n".join((cut(head, columns), *(_INDENT + line for line in below)))


def _cells(event: dict[str, Any], names: Mapping[str, str]) -> list[str]:
    """Return what is said of an event beside its sentence."""
    said = [f"{event['seq']:>6}", _when(event["time"]), f"{event['severity']:<8}", event["kind"]]
    if (count := event.get("count", 1)) > 1:
        said.append(f"×{count}, last {_last(event)}")  # noqa: RUF001, it says times
    if device := names.get(event["mac"], event["mac"] or event["address"]):
        said.append(device)
    if peer := event["peer_name"] or event["peer_address"]:
        said.append(f"-> {peer}")
    return said


def _when(moment: float) -> str:
    """Return a point in time."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))


def _last(event: dict[str, Any]) -> str:
    """Return when an event happened last, without the day if that is the first one's."""
    first, last = _when(event["time"]), _when(event.get("last_time") or event["time"])
    return last.removeprefix(first[:11])


COMMANDS: Final = {"events": Command("list what happened", converse(_events), str, _arguments)}
