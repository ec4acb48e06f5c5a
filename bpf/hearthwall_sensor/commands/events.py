"""The command that tells what happened, and goes on telling."""

import argparse
import asyncio
import json
from typing import TYPE_CHECKING, Any, Final

from ..protocol import SensorError
from ..requests import GetEvents
from . import display
from .command import Command, Options, converse

if TYPE_CHECKING:
    from ..client import Client


def _arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `events` takes."""
    parser.add_argument(
        "--since", metavar="SEQ", type=int, help="those after the event with this number"
    )
    parser.add_argument(
        "--limit", metavar="N", type=int, default=1000, help="at most so many (default 1000)"
    )
    parser.add_argument(
        "--follow",
        action="store_true",
        help="tell what happens from now on, or since SEQ, until interrupted; with --json a line each",
    )


async def _events(client: "Client", options: Options) -> Any:
    """Return the events, or print them as they come."""
    if not options.follow:
        return await client.call(GetEvents(since=options.since or 0, limit=options.limit))
    bell = asyncio.Event()
    snapshot = await client.subscribe(lambda delta: bell.set() if delta.events else None)
    closed = asyncio.ensure_future(client.wait_closed())
    last = snapshot.last_event if options.since is None else options.since
    while True:
        bell.clear()
        last = await _print_since(client, last, options)
        rung = asyncio.ensure_future(bell.wait())
        await asyncio.wait({rung, closed}, return_when=asyncio.FIRST_COMPLETED)
        if closed.done():
            rung.cancel()
            closed.result()
            raise SensorError("not_running", "the sensor has ended")


async def _print_since(client: "Client", last: int, options: Options) -> int:
    """Print all events after a number; return the newest one's. None is missed between two deltas."""
    while events := await client.call(GetEvents(since=last, limit=options.limit)):
        for each in events:
            print(json.dumps(each) if options.json else display.event(each), flush=True)
        last = events[-1]["seq"]
    return last


COMMANDS: Final = {
    "events": Command("list what happened", converse(_events), display.events, _arguments)
}
