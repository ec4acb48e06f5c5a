"""The commands of the sinks: how they fare, and the process that delivers to them."""

import argparse
import asyncio
import logging
import time
from pathlib import Path
from typing import Any, Final

from ..protocol import DEFAULT_STATE_DIR, SensorError
from ..requests import GetStatus, TestSink
from ..words.amounts import span
from ..words.cells import clean, table
from .command import Command, Options, ask

#: What is said of a test where the receiver never says that it has taken anything.
_UNANSWERED: Final = {
    "syslog": "the test message was sent; no syslog server says that it has one, so look for it there"
}


def _list(options: Options) -> Any:
    """Return how the sinks of the running sensor fare, once the one that is to be tested was; raises SensorError."""
    if options.test is not None:
        problem = ask(lambda _: TestSink(options.test))(options)["error"]
        if problem is not None:
            raise SensorError("unreachable", f"sink {options.test}: {problem}")
    sinks = ask(lambda _: GetStatus())(options)["sinks"]
    if options.json:
        return sinks
    tested = [_arrived(each) for each in sinks if each["name"] == options.test]
    return "\n".join([*tested, show(sinks)])


def _arrived(sink: dict[str, Any]) -> str:
    """Return what became of a test that did not fail."""
    what = _UNANSWERED.get(sink["type"], "the receiver has taken the test message")
    return f"{clean(sink['name'])}: {what}.\n"


def show(sinks: list[dict[str, Any]]) -> str:
    """Show each sink in a line, and below it what is wrong."""
    if not sinks:
        return "There is no sink: [[sink]] in the settings' file names one."
    columns = ("name", "type", "delivered", "waiting", "lost", "refused", "state")
    return table(columns, [_row(each) for each in sinks])


def _row(sink: dict[str, Any]) -> tuple[str, ...]:
    """Return one sink's cells."""
    counts = (f"{sink[each]:,}" for each in ("delivered", "waiting", "lost", "refused"))
    return (clean(sink["name"]), sink["type"], *counts, _state(sink))


def _state(sink: dict[str, Any]) -> str:
    """Return whether a sink's receiver takes events, and else since when not, why, and when it is tried again."""
    since, following = sink["failing_since"], sink.get("next_try")
    if since is None:
        return "not tried yet" if sink.get("reached") is None else "ok"
    now = time.time()
    said = f"failing for {span(now - since)}: {clean(sink['last_error'] or '')}"
    return said if following is None else f"{said}; next try in {span(following - now)}"


def _forward(options: Options) -> Any:
    """Deliver events to the sinks until the sensor ends."""
    from .. import logs
    from ..sinks.forwarder import main

    logs.begin(verbose=False)
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    asyncio.run(main(options.socket, Path(options.state_dir), options.where))


def _arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `sinks` takes."""
    parser.add_argument(
        "--test",
        metavar="NAME",
        help="first have this sink deliver a message that says that it is a test",
    )


def _forward_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `forward` takes."""
    parser.add_argument(
        "where",
        choices=("here", "elsewhere"),
        help="deliver to the sinks of this host, or to the others",
    )
    parser.add_argument(
        "--state-dir",
        metavar="DIR",
        default=DEFAULT_STATE_DIR,
        help=f"the sensor's state folder (default {DEFAULT_STATE_DIR})",
    )


COMMANDS = {
    "sinks": Command(
        "show how the sinks fare that events are delivered to", _list, str, _arguments
    ),
    "forward": Command(
        "deliver events to the sinks (run does this)", _forward, str, _forward_arguments
    ),
}
