"""The command that says that an event is fine, and takes that back."""

import argparse
import time
from typing import TYPE_CHECKING, Any, Final

from ..protocol import SensorError
from ..requests import AcceptEvent, GetAccepted, RevokeAccepted
from .cells import table
from .command import Command, Options, converse
from .wrapping import wrapped

if TYPE_CHECKING:
    from ..client import Client


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
    if options.list:
        accepted = await client.call(GetAccepted())
        return accepted if options.json else _listed(accepted)
    if options.revoke is not None:
        revoked = await client.call(RevokeAccepted(options.revoke))
        return revoked if options.json else _revoked(revoked)
    event = await client.call(AcceptEvent(options.seq))
    if options.json:
        return event
    found = [each for each in await client.call(GetAccepted()) if each["seq"] == event["seq"]]
    return _accepted(event, found)


def _accepted(event: dict[str, Any], found: list[dict[str, Any]]) -> str:
    """Show that an event is fine."""
    back = f" To take it back: accept --revoke {found[0]['id']}" if found else ""
    return wrapped(
        f"Accepted: {event['summary']} The like of it is not told of this device any more.{back}"
    )


def _revoked(wire: dict[str, Any]) -> str:
    """Show what was taken back."""
    return wrapped(f"Taken back: {wire['summary']} The like of it is told again.")


def _listed(wires: list[dict[str, Any]]) -> str:
    """Show what was accepted."""
    heads = ("id", "accepted", "event", "kind", "device", "about", "what happened")
    rows = [
        (
            str(each["id"]),
            time.strftime("%Y-%m-%d %H:%M", time.localtime(each["time"])),
            str(each["seq"]),
            each["kind"],
            each["mac"] or each["address"] or "",
            each["subject"],
            each["summary"],
        )
        for each in wires
    ]
    return table(heads, rows) if rows else "Nothing was accepted; `accept SEQ` accepts an event."


COMMANDS: Final = {
    "accept": Command(
        "say that what an event tells of is fine from now on", converse(_accept), str, _arguments
    )
}
