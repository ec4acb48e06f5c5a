"""The command that lists what the devices, and this host's processes, exchanged with whom."""

import argparse
import re
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from ..processes.image import PROGRAM
from ..protocol import Flow, SensorError
from ..requests import MAX_FLOWS, GetFlows
from ..targets import parse_duration
from ..words import naming
from ..words.amounts import ago, size
from ..words.cells import table, without_empty
from .command import Command, Options, converse, whole

if TYPE_CHECKING:
    from ..client import Client

_HEADS: Final = (
    "device",
    "process",
    "",
    "peer",
    "application",
    "transport",
    "country",
    "network",
    "up",
    "down",
    "outcome",
    "seen",
)

#: What a program is called begins so: a path, or the name of a process whose file was never seen.
_BEGINNINGS: Final = ("/", "[")


def parse_since(text: str) -> float:
    """Return the time (seconds since the epoch) that `10m`, `14:30`, a date with or without time or an epoch says.

    `10m ago` is `10m`.

    Raises SensorError `invalid_duration`.
    """
    stripped = text.strip()
    if stripped == "0":
        return 0.0
    try:
        return time.time() - parse_duration(stripped.removesuffix("ago"))
    except SensorError:
        pass  # a time, then
    if re.fullmatch(r"\d{10}(\.\d{1,6})?", stripped, re.ASCII):
        return float(stripped)
    try:
        return _moment(stripped).timestamp()
    except (ValueError, OverflowError):
        raise SensorError(
            "invalid_duration",
            f"{text[:80]!r} is no time: write how long ago (90s, 10m, 2h, 7d), a time of day (14:30), a date with or"
            " without one (2026-05-04, 2026-05-04T14:30), or seconds since the epoch",
        ) from None


def _moment(text: str) -> datetime:
    """Return a point in time; a time of day is the last one that was. Raises ValueError."""
    if re.match(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        return datetime.fromisoformat(text).astimezone()
    if not re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", text, re.ASCII):
        raise ValueError(text)
    now = datetime.now().astimezone()
    hour = text if text[1] != ":" else f"0{text}"
    moment = datetime.fromisoformat(f"{now:%Y-%m-%d}T{hour}").astimezone()
    return moment if moment <= now else moment - timedelta(days=1)


def _arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `flows` takes."""
    parser.add_argument(
        "--device",
        metavar="DEVICE",
        action="append",
        default=[],
        help="only this device's: a MAC, an address or a name; may be repeated",
    )
    parser.add_argument(
        "--peer",
        metavar="PEER",
        help="only with this address, prefix such as 203.0.113.0/24, name or *.name",
    )
    parser.add_argument(
        "--since",
        metavar="TIME",
        type=parse_since,
        help="only what moved since: how long ago (10m), 14:30, 2026-05-04T14:30 or seconds since the epoch",
    )
    parser.add_argument(
        "--process",
        metavar="PATH",
        help="only of processes of this host that run this executable, a whole path; `processes` lists them",
    )
    parser.add_argument(
        "--limit",
        metavar="N",
        type=whole(1, MAX_FLOWS),
        default=100,
        help=f"at most so many, up to {MAX_FLOWS:,} (default 100)",
    )


async def _flows(client: "Client", options: Options) -> Any:
    """Return the flows, for people as text with the devices' names."""
    if options.peer in {"*", "*."}:
        raise SensorError(
            "invalid_message", "--peer '*' names nobody: write *.name, or leave --peer out for all"
        )
    if options.process is not None and options.device:
        raise SensorError(
            "invalid_message", "say either --device or --process: processes are of this host"
        )
    if options.process is not None and not options.process.removeprefix(PROGRAM).startswith(
        _BEGINNINGS
    ):
        raise SensorError(
            "invalid_message",
            f"{options.process[:80]!r} is no whole path, such as /usr/bin/curl; `processes` lists them",
        )
    devices = await client.devices() if options.device or not options.json else []
    macs = tuple(mac for each in options.device for mac in naming.resolved(each, devices))
    request = GetFlows(
        macs,
        options.peer,
        options.since,
        options.limit,
        process=None if options.process is None else options.process.removeprefix(PROGRAM),
    )
    wires = await client.call(request)
    if options.json:
        return wires
    if not wires:
        return _none(options)
    return show(map(Flow.from_wire, wires), naming.device_names(devices))


def _none(options: Options) -> str:
    """Return why there is nothing to list."""
    chosen = (options.device or None, options.peer, options.since, options.process)
    if all(each is None for each in chosen):
        return "No flow has been seen yet."
    if options.peer is None or re.fullmatch(
        r"[0-9.]+(/\d+)?|[0-9a-fA-F:.]*:[0-9a-fA-F:./]*", options.peer
    ):
        return "No flow fits."
    return "No flow fits. Flows whose peer's name was never seen are listed by its address."


def show(flows: Iterable[Flow], names: Mapping[str, str]) -> str:
    """Return the flows as a table, with these names of devices by MAC."""
    rows = [_row(each, names) for each in flows]
    return table(*without_empty(_HEADS, rows)) if rows else "No flow has been seen yet."


def _row(flow: Flow, names: Mapping[str, str]) -> tuple[str, ...]:
    """Return a flow's columns."""
    return (
        flow.address if flow.mac is None else names.get(flow.mac, flow.mac),
        naming.program(flow),
        "->" if flow.opened_by == "device" else "<-",
        naming.peer(flow),
        naming.application(flow),
        flow.transport,
        flow.country or "",
        naming.network(flow),
        size(flow.upload_bytes),
        size(flow.download_bytes),
        naming.outcome(flow),
        ago(flow.last_seen),
    )


COMMANDS: Final = {
    "flows": Command(
        "list what devices, and programs of this host, exchange with whom",
        converse(_flows),
        str,
        _arguments,
    )
}
