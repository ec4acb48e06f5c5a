"""The command that says that an event is fine, and takes that back."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from ..protocol import Device, SensorError
from ..requests import AcceptEvent, GetAccepted, RevokeAccepted
from ..words.amounts import moment
from ..words.cells import clean
from ..words.naming import device_names, typable
from ..words.wrapping import wrapped
from . import alike
from .command import Command, Options, converse
from .typed import typed

if TYPE_CHECKING:
    from ..client import Client

_INDENT: Final = "        "


def _arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `accept` takes."""
    parser.add_argument(
        "seq", metavar="SEQ", type=int, nargs="?", help="the event's number, as `events` has it"
    )
    parser.add_argument("--list", action="store_true", help="list what was accepted")
    parser.add_argument(
        "--revoke", metavar="ID", type=int, help="take an acceptance back, by its id in the list"
    )


async def _accept(client: "Client", options: Options) -> Any:
    """Accept an event, list what was accepted, or take it back."""
    said = (options.seq is not None, options.list, options.revoke is not None)
    if sum(said) != 1:
        raise SensorError("invalid_message", "say an event's number, or --list, or --revoke ID")
    if options.seq is not None:
        return await _accept_event(client, options)
    if options.list:
        answer = await client.call(GetAccepted())
    else:
        answer = await client.call(RevokeAccepted(options.revoke))
    if options.json:
        return answer
    devices = await client.devices()
    return _listed(answer, devices) if options.list else _revoked(answer, devices, options)


async def _accept_event(client: "Client", options: Options) -> Any:
    """Accept an event, and say how far that reaches."""
    before = await client.call(GetAccepted())
    event = await client.call(AcceptEvent(options.seq))
    if options.json:
        return event
    found = [each for each in await client.call(GetAccepted()) if each["seq"] == event["seq"]]
    if not found:
        return "Accepted, and somebody has taken it back since."
    is_new = found[0]["id"] not in {each["id"] for each in before}
    return _accepted(found[0], await client.devices(), options, is_new=is_new)


def _accepted(
    found: Mapping[str, Any], devices: Sequence[Device], options: Options, *, is_new: bool
) -> str:
    """Show that an event is fine, what is not told any more, and the way back."""
    what = alike.what(found, _who(found, devices))
    first = (
        f"Accepted. From now on you are not told {what}; no response follows on it either."
        if is_new
        else f"It was accepted already, on {moment(found['time'])}: you are not told {what}."
    )
    kin = "devices" if found.get("process") is None else "programs"
    others = f"Of other {kin}, and of anything else that this one does, you are told as before."
    parts = [wrapped(first), wrapped(others)]
    if alike.stays_learnt(found["kind"]):
        parts.append(wrapped("It is also part of what is usual for the device now."))
    back = typed(options.socket, ("accept", "--revoke", str(found["id"])))
    return "\n".join([*parts, "", "To take it back:", f"    {back}"])


def _revoked(wire: Mapping[str, Any], devices: Sequence[Device], options: Options) -> str:
    """Show what was taken back."""
    what = alike.what(wire, _who(wire, devices))
    said = [wrapped(f"Taken back: from now on you are told again {what}.")]
    if wire["mac"] is not None and alike.stays_learnt(wire["kind"]):
        who = typable(wire["mac"], devices)
        said += [
            wrapped(
                "It stays part of what is usual for the device, though, by which the like of it is not"
                " unusual. To forget that too, with all else that was learnt of the device:"
            ),
            f"    {typed(options.socket, ('profile', who, '--reset'))}",
        ]
    return "\n".join(said)


def _listed(wires: Sequence[Mapping[str, Any]], devices: Sequence[Device]) -> str:
    """Show what was accepted, a sentence each."""
    if not wires:
        return "Nothing was accepted; `accept SEQ` accepts an event."
    indent = _INDENT if sys.stdout.isatty() else ""
    lines = ["You are not told any more (`accept --revoke ID` takes one back):"]
    for each in wires:
        head = f"{each['id']:>6}  {moment(each['time'])[:16]}  event {each['seq']}"
        what = clean(alike.what(each, _who(each, devices)))
        lines += [head, wrapped(what, indent)] if indent else [f"{head}  {what}"]
    return "\n".join(lines)


def _who(wire: Mapping[str, Any], devices: Sequence[Device]) -> str:
    """Return what the device of an acceptance is called."""
    known = device_names(devices).get(wire["mac"] or "") or wire["mac"]
    return known or wire.get("process") or wire["address"] or "?"


COMMANDS: Final = {
    "accept": Command(
        "say that what an event tells of is fine from now on", converse(_accept), str, _arguments
    )
}
