"""The commands of the sinks: how they fare, and the process that delivers to them."""

import argparse
import asyncio
import logging
from pathlib import Path
from typing import Any

from ..protocol import DEFAULT_STATE_DIR
from ..requests import GetStatus
from .amounts import ago
from .cells import clean, table
from .command import Command, Options, ask


def _list(options: Options) -> Any:
    """Return how the sinks of the running sensor fare."""
    return ask(lambda _: GetStatus())(options)["sinks"]


def show(sinks: list[dict[str, Any]]) -> str:
    """Show each sink in a line, and below it what is wrong."""
    if not sinks:
        return "There is no sink: [[sink]] in the settings' file names one."
    columns = ("name", "type", "delivered", "waiting", "lost", "refused", "state")
    return table(columns, [_row(each) for each in sinks])


def _row(sink: dict[str, Any]) -> tuple[str, ...]:
    """Return one sink's cells."""
    since, error = sink["failing_since"], clean(sink["last_error"] or "")
    state = "ok" if since is None else f"failing since {ago(since)}: {error}"
    counts = (f"{sink[each]:,}" for each in ("delivered", "waiting", "lost", "refused"))
    return (clean(sink["name"]), sink["type"], *counts, state)


def _forward(options: Options) -> Any:
    """Deliver events to the sinks until the sensor ends."""
    from .. import logs
    from ..sinks.forwarder import main

    logs.begin(verbose=False)
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    asyncio.run(main(options.socket, Path(options.state_dir)))


def _forward_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `forward` takes."""
    parser.add_argument(
        "--state-dir",
        metavar="DIR",
        default=DEFAULT_STATE_DIR,
        help=f"the sensor's state folder (default {DEFAULT_STATE_DIR})",
    )


COMMANDS = {
    "sinks": Command("show how the sinks fare that events are delivered to", _list, show),
    "forward": Command(
        "deliver events to the sinks (run does this)", _forward, str, _forward_arguments
    ),
}
