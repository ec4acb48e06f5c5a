"""The command about MUD files: what makers say that their devices need, and what devices were seen to need."""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..modes import Mode
from ..protocol import Device, SensorError
from ..requests import AddBlock, GetMud, RemoveMud, Request, SetMud
from ..targets import parse_duration
from ..words import naming
from ..words.amounts import ago, span
from ..words.cells import clean
from ..words.wrapping import labelled, wrapped
from . import display
from .command import Command, Options, converse
from .output import put
from .typed import typed

if TYPE_CHECKING:
    from ..client import Client

_ACTIONS: Final = ("show", "export", "import", "remove", "enforce")


def _arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `mud` takes."""
    parser.add_argument(
        "action",
        choices=_ACTIONS,
        help="show what is said of a device; export what was learnt of it as a MUD file; import one to hold the"
        " device against; remove that; enforce it with a rule that allows nothing else",
    )
    parser.add_argument(
        "device", metavar="MAC", help="the device: any of its MACs, an address or a name"
    )
    parser.add_argument(
        "source",
        metavar="FILE",
        nargs="?",
        help="for export: where to, else standard output; for import: a file, an https:// address, or nothing for"
        " the address that the device announces",
    )
    parser.add_argument(
        "--duration", metavar="TIME", type=parse_duration, help="for enforce: how long, such as 2h"
    )
    parser.add_argument(
        "--audit",
        action="store_true",
        help="for enforce: let everything pass, and count what would be dropped",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="for enforce: in place of a rule on the device that cuts off something else",
    )


async def _mud(client: "Client", options: Options) -> Any:
    """Do what was asked for, and return what there is to show."""
    devices = await client.devices()
    mac = naming.resolved_one(options.device, devices)
    if options.action == "export":
        return _exported(await client.call(GetMud(mac)), options)
    if options.action == "enforce":
        device = next(each for each in devices if mac in (each.mac, *each.other_macs))
        return await _enforce(client, device, options)
    wire = await client.call(_request(mac, options))
    if options.json:
        return wire
    called = naming.typable(mac, devices)
    hints = [
        typed(options.socket, ("mud", "import", called, *([] if wire["announced"] else ["FILE"]))),
        typed(options.socket, ("policy", "set", called, "mud_from_device=true")),
    ]
    return show(wire, naming.device_names(devices).get(mac), hints)


def _request(mac: str, options: Options) -> Request:
    """Return what is asked of the sensor."""
    if options.action == "remove":
        return RemoveMud(mac)
    if options.action == "show":
        return GetMud(mac)
    if options.source is None or "://" in options.source:
        return SetMud(mac, url=options.source)
    try:
        document = json.loads(Path(options.source).read_bytes())
    except OSError as error:
        raise SensorError(
            "invalid_mud", f"{options.source} can't be read: {error.strerror}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise SensorError("invalid_mud", f"{options.source} is no JSON") from error
    if not isinstance(document, dict):
        raise SensorError("invalid_mud", f"{options.source} is no MUD file")
    return SetMud(mac, document=document)


def _exported(wire: Mapping[str, Any], options: Options) -> Any:
    """Write what was learnt, and return what there is to say of it."""
    document, notes = wire["learnt"], list(_notes(wire))
    if options.source is None:
        print(*notes, sep="\n", end="\n" if notes else "", file=sys.stderr)
        return document if options.json else json.dumps(document, indent=2)
    put(Path(options.source), (json.dumps(document, indent=2) + "\n").encode())
    return document if options.json else "\n".join((f"Written to {clean(options.source)}.", *notes))


def _notes(wire: Mapping[str, Any]) -> Iterator[str]:
    """Yield what to know before such a file is relied on."""
    now = time.time()
    if now < wire["learning_until"]:
        known, whole = (span(each - wire["since"]) for each in (now, wire["learning_until"]))
        yield wrapped(
            f"The device is known for {known} of the {whole} that it is learnt: what it does more seldom is missing."
        )
    if wire["kept_out"]:
        yield wrapped("Left out, as events tell of it that were not accepted:")
        yield from (wrapped(each, "  ") for each in wire["kept_out"])
        yield wrapped("`explain SEQ` says why; what is fine gets in by `accept SEQ`.")
    if count := wire["events"]:
        there_are = "An event" if count == 1 else f"{count} events"
        yield wrapped(
            f"{there_are} of less severity of this device {'is' if count == 1 else 'are'} in the journal, for which"
            f" nothing is left out: look at `events --device {wire['mac']}`, and through the file,"
            " before you enforce it."
        )


def _check_replaced(device: Device, mode: Mode, options: Options) -> None:
    """Raise SensorError where an order would end a rule that does something else."""
    rule = device.rule
    if rule is None or options.force or rule.mode in (mode, "audit"):
        return
    becomes = "would only count" if mode == "audit" else "would take the place of that"
    raise SensorError(
        "invalid_mode",
        f"{device.mac} has a rule in force, {rule.mode} (id {rule.id}), and this one {becomes}: end it with"
        f" `unblock {rule.id}` first, or say --force",
    )


async def _enforce(client: "Client", device: Device, options: Options) -> Any:
    """Order a rule that allows a device what its file says."""
    wire = await client.call(GetMud(device.mac))
    if not wire["peers"]:
        raise SensorError(
            "not_found", f"{device.mac} is held against no MUD file: `mud import` one first"
        )
    mode: Mode = "audit" if options.audit else "allow_only"
    _check_replaced(device, mode, options)
    order = AddBlock(
        device.mac,
        mode=mode,
        audits="allow_only" if options.audit else None,
        duration=options.duration,
        reason="what its MUD file allows",
        peers=tuple(wire["peers"]),
    )
    block = await client.call(order) | {"also_on": list(device.other_macs)}
    return block if options.json else display.block(block)


def show(wire: Mapping[str, Any], name: str | None, hints: Sequence[str]) -> str:
    """Show what is said of a device, and what to type to have it held against a file, once or always."""
    title = f"{name} ({wire['mac']})" if name and name != wire["mac"] else wire["mac"]
    parts = [clean(title)]
    if wire["announced"]:
        parts.append(labelled("announces", wire["announced"]))
    if wire["source"] is None:
        parts += [wrapped("It is held against no MUD file. This gives it one:"), f"  {hints[0]}"]
        if wire["announced"]:
            what = "And with this, what this device announces is fetched by itself from now on:"
            parts += [wrapped(what), f"  {hints[1]}"]
    else:
        parts += [
            labelled("says", wire["system"] or "nothing of what it is"),
            labelled("from", f"{wire['source']}, {ago(wire['time'])}"),
            labelled("allows", wire["expected"][0]),
            *(labelled("", each) for each in wire["expected"][1:]),
        ]
    if wire["left_out"]:
        parts.append(labelled("not understood", ", ".join(wire["left_out"])))
    return "\n".join(parts)


COMMANDS: Final = {
    "mud": Command("what a device's maker says that it needs", converse(_mud), str, _arguments)
}
