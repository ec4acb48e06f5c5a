"""The command that says what a capture holds."""

import argparse
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any, Final

from ..protocol import Device, Flow, Replayed, ResolvedName, SensorError
from ..words import naming
from ..words.amounts import size
from ..words.cells import clean, table, without_empty
from ..words.wrapping import wrapped
from . import events
from .command import Command, Options
from .counted import number, sentence

#: Flows that people are shown, and names.
_SHOWN: Final = 30
_NOBODY: Final = "00:00:00:00:00:00"


def _arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `replay` takes."""
    parser.add_argument("file", metavar="FILE", help="a pcap or pcapng file; - for standard input")
    parser.add_argument(
        "--lan",
        action="append",
        metavar="CIDR",
        default=[],
        help="a prefix of the home, such as 192.168.1.0/24; may be repeated (default: whatever is"
        " no internet address)",
    )
    parser.add_argument(
        "--policy",
        metavar="FILE",
        help="a policy's file, as `policy` shows it: what is expected of the devices",
    )
    parser.add_argument(
        "--feed",
        action="append",
        metavar="FILE",
        default=[],
        help="a list of known-bad addresses or domains, in any format that feeds may have; may be repeated",
    )
    parser.add_argument(
        "--geo",
        action="append",
        metavar="FILE",
        default=[],
        help="a file in MaxMind's format that tells countries or networks; may be repeated",
    )
    parser.add_argument(
        "--limit",
        metavar="N",
        type=int,
        help=f"tell of the N largest flows (default: {_SHOWN}; with --json, all)",
    )


def _replay(options: Options) -> Any:
    """Read a capture; no sensor need run for that."""
    from ..capture.file import STDIN
    from ..capture.replay import replay

    if options.limit is not None and options.limit < 1:
        raise SensorError("invalid_message", "--limit is 1 or more")
    limit = options.limit or (None if options.json else _SHOWN)
    with _the_other_ends_first() if options.file == STDIN else nullcontext():
        replayed = replay(
            options.file,
            options.lan,
            policy=options.policy,
            feeds=options.feed,
            geo=options.geo,
            limit=limit,
            tell=_warn,
        )
    if replayed.counted.get("cooked"):
        _warn("captured on all interfaces: what passed through two of them counts twice")
    return replayed.to_wire() if options.json else show(replayed)


@contextmanager
def _the_other_ends_first() -> Iterator[None]:
    """Go on with what is in the pipe after Ctrl-C, which ends tcpdump too; a second one ends this."""

    def wait(*_: object) -> None:
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, wait)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _warn(text: str) -> None:
    """Say what could not be read, beside the result."""
    print(f"hearthwall-sensor: {clean(text)}", file=sys.stderr)


def show(replayed: Replayed) -> str:
    """Return what a capture holds, for people."""
    names = naming.device_names(each for each in replayed.devices if each.mac != _NOBODY)
    parts = [_summary(replayed)]
    if replayed.events:
        parts.append(events.show([each.to_wire() for each in replayed.events], names))
    if replayed.devices:
        parts.append(_devices(replayed.devices, names))
    if replayed.flows:
        parts.append(_flows(replayed.flows, names))
    if replayed.names:
        parts.append(_names(replayed.names, names))
    counts = sentence(replayed.counted)
    return "\n\n".join((*parts, *([wrapped(counts)] if counts else [])))


def _summary(replayed: Replayed) -> str:
    """Return what there is in a line or two."""
    counted, devices = replayed.counted, replayed.devices
    text = ", ".join(
        (
            number(counted["packets"], "packet", "packets"),
            size(counted["bytes"]),
            number(counted["flows"], "flow", "flows"),
            number(len(replayed.events), "event", "events"),
        )
    )
    if devices:
        first = min(each.first_seen for each in devices)
        last = max(each.last_seen for each in devices)
        text = f"{text}, from {_moment(first)} to {_moment(last)}"
    home = ", ".join(replayed.home)
    return f"{text}." + (f"\n{wrapped(f'Home: {home}.')}" if home else "")


def _moment(when: float) -> str:
    """Return a time as this host's clock shows it."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(when))
    except (ValueError, OverflowError, OSError):
        return f"second {when:.0f}"


def _devices(devices: tuple[Device, ...], names: Mapping[str, str]) -> str:
    """Return the devices as a table."""
    rows = [
        (
            "" if each.mac == _NOBODY else each.mac + (" (randomised)" if each.randomised else ""),
            names.get(each.mac, "") if names.get(each.mac) != each.mac else "",
            each.vendor or "",
            ", ".join(each.addresses),
            size(each.upload_bytes),
            size(each.download_bytes),
        )
        for each in devices
    ]
    heads = ("device", "name", "vendor", "addresses", "up", "down")
    return table(*without_empty(heads, rows))


def _flows(flows: tuple[Flow, ...], names: Mapping[str, str]) -> str:
    """Return the flows as a table, the largest at the head."""
    largest = sorted(flows, key=lambda each: -(each.upload_bytes + each.download_bytes))
    rows = [
        (
            each.address if each.mac is None else names.get(each.mac, each.address),
            "->" if each.opened_by == "device" else "<-",
            naming.peer(each),
            naming.application(each),
            each.transport,
            size(each.upload_bytes),
            size(each.download_bytes),
            naming.outcome(each),
        )
        for each in largest
    ]
    heads = ("device", "", "peer", "application", "transport", "up", "down", "outcome")
    return table(*without_empty(heads, rows))


def _names(resolved: tuple[ResolvedName, ...], names: Mapping[str, str]) -> str:
    """Return who was told of which name, as a table."""
    rows = [
        (names.get(each.mac or "", each.mac or ""), each.name, each.address or "", each.source)
        for each in resolved[:_SHOWN]
    ]
    text = table(*without_empty(("told", "name", "address", "by"), rows))
    more = len(resolved) - len(rows)
    if not more:
        return text
    return f"{text}\nand {number(more, 'more name', 'more names')} (--json tells all)"


COMMANDS: Final = {"replay": Command("say what a capture file holds", _replay, str, _arguments)}
