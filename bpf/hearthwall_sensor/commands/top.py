"""The command that shows devices and flows live, to a person at a terminal."""

import argparse
import asyncio
import shutil
import socket
from typing import Any, Final

from ..protocol import MAX_INTERVAL, SensorError
from ..targets import parse_duration
from .command import Command, Options, explained

#: Faster than this (seconds) nobody reads.
_LEAST_INTERVAL: Final = 0.2
#: Without a terminal, lines of this width.
_WIDTH: Final = 132


def _parse_interval(text: str) -> float:
    """Return the seconds between two readings; raises SensorError `invalid_duration`."""
    seconds = parse_duration(text)
    if not _LEAST_INTERVAL <= seconds <= MAX_INTERVAL:
        raise SensorError(
            "invalid_duration", f"an interval is {_LEAST_INTERVAL} to {MAX_INTERVAL:.0f} seconds"
        )
    return seconds


def _arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `top` takes."""
    parser.add_argument(
        "--interval",
        metavar="TIME",
        type=_parse_interval,
        default=1.0,
        help="between two readings, whose difference is the rates (default 1 s)",
    )
    parser.add_argument(
        "--once",
        action="store_true",
        help="print one picture after one interval, as plain text or with --json, and end",
    )


def _run(options: Options) -> Any:
    """Show the view until it is left, or return one picture of it."""
    if options.once:
        return explained(_once(options), options)
    if options.json:
        raise SensorError(
            "invalid_message", "top is for people; `top --once --json` prints one JSON document"
        )
    from ..top.screen import require_terminal
    from ..top.session import watch

    require_terminal()
    options.exit_status = explained(watch(options.socket, options.interval), options)
    return None


async def _once(options: Options) -> Any:
    """Return the view after one interval: its text, or with `--json` what it says."""
    from ..client import unix_session
    from ..top.follower import Follower
    from ..top.layout import text
    from ..top.view import View

    view = View(socket.gethostname())
    async with unix_session(options.socket) as session:
        follower = Follower(session, view, options.interval)
        await follower.connect()
        try:
            await asyncio.sleep(options.interval)
            await follower.read_devices()
        finally:
            await follower.close()
    return view.to_wire() if options.json else text(view, shutil.get_terminal_size((_WIDTH, 0))[0])


COMMANDS: Final = {
    "top": Command("watch devices, flows and programs of this host live", _run, str, _arguments)
}
