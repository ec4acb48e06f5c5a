"""The command that explains an event to a person: what happened, why that is unusual, and what can be done."""

import argparse
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..kinds import KINDS, Kind
from ..processes.image import PROGRAM
from ..requests import GetAccepted, GetEvent
from ..words.explaining import explained, show
from ..words.naming import device_names, typable
from .command import Command, Options, converse
from .typed import typed

if TYPE_CHECKING:
    from ..client import Client


class Step(NamedTuple):
    """A command that leads on from an event."""

    words: tuple[str, ...]
    purpose: str


def _arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `explain` takes."""
    parser.add_argument(
        "seq", metavar="SEQ", type=int, help="the event's number, as `events` has it"
    )


async def _explain(client: "Client", options: Options) -> Any:
    """Return an event with what its kind means, and what can be done."""
    event = await client.call(GetEvent(options.seq))
    devices = await client.devices()
    accepted = [each for each in await client.call(GetAccepted()) if each["seq"] == event["seq"]]
    names = device_names(devices)
    wire = explained(event, names.get(event["mac"]), accepted[0] if accepted else None)
    if options.json:
        steps = _steps(wire, event["mac"] if event["mac"] in names else None)
        return wire | {"next": [{"command": " ".join(w), "purpose": p} for w, p in steps]}
    steps = _steps(wire, typable(event["mac"], devices) if event["mac"] in names else None)
    return show(wire, names, [(typed(options.socket, w), p) for w, p in steps])


def _steps(wire: Mapping[str, Any], known: str | None) -> Iterator[Step]:
    """Yield the commands that lead on from an event; `known` is what its device can be asked for by.

    Whom an order may cut off for it the sensor says: never the one to whom it was done.
    """
    event, accepted = wire["event"], wire["accepted"]
    kind: Kind | None = KINDS.get(event["kind"])
    by_rules = kind is None or kind.by_rules
    if accepted is not None:
        yield Step(("accept", "--revoke", str(accepted["id"])), "have the like of it told again")
    elif not by_rules and (event["mac"] or event["process"] or event["address"]):
        yield Step(("accept", str(event["seq"])), "this is fine: don't tell the like of it again")
    if (culprit := event.get("culprit")) and not by_rules:
        whom = known if known is not None and culprit == event["mac"] else culprit
        more = ("--children",) if culprit.startswith("pid:") else ()
        yield Step(("block", whom, *more, "--duration", "1h"), _cut_off(wire, culprit))
    if (peer := event.get("blockable_peer")) and not by_rules:
        yield Step(
            ("block", peer, "--duration", "1d"), f"cut {peer} off for a day, for every device"
        )
    if (program := event["process"]) is not None and not by_rules:
        yield Step(("profile", PROGRAM + program), "what is usual for the program")
    if known is not None:
        yield Step(("flows", "--device", known), "what the device exchanges with whom")
    if known is not None and not by_rules:
        yield Step(("profile", known), "what is usual for the device")
    if by_rules:
        yield Step(("blocks",), "the rules in force")


def _cut_off(wire: Mapping[str, Any], culprit: str) -> str:
    """Return what an order on whoever did it comes to."""
    if culprit.startswith("pid:"):
        return f"cut the process {culprit.removeprefix('pid:')} and what it starts off for an hour"
    return f"cut {wire['device']} off for an hour"


COMMANDS: Final = {
    "explain": Command(
        "explain an event: why it is unusual, and what can be done",
        converse(_explain),
        str,
        _arguments,
    )
}
