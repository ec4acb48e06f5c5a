"""The command that explains an event to a person: what happened, why that is unusual, and what can be done."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..kinds import KINDS, Kind
from ..processes.image import PROGRAM
from ..requests import GetAccepted, GetEvent
from . import behind, evidence as found
from .amounts import moment, size
from .cells import table, without_empty
from .command import Command, Options, converse
from .naming import device_names, typable
from .typed import typed
from .wrapping import aligned, wrapped

if TYPE_CHECKING:
    from ..client import Client

_ATTACK: Final = "https://attack.mitre.org/techniques/"


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
    kind: Kind | None = KINDS.get(event["kind"])
    technique = event.get("technique") or (kind.technique if kind else None)
    names = device_names(devices)
    wire = {
        "event": event,
        "device": names.get(event["mac"]) or event["mac"] or event["process"] or event["address"],
        "meaning": kind.meaning if kind else None,
        "advice": kind.advice if kind else None,
        "technique": technique,
        "technique_url": _ATTACK + technique.replace(".", "/") + "/" if technique else None,
        "accepted": accepted[0] if accepted else None,
    }
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


def show(
    wire: Mapping[str, Any], names: Mapping[str, str], commands: Sequence[tuple[str, str]]
) -> str:
    """Show an explanation, with these names of devices by MAC and these commands to go on with."""
    event = wire["event"]
    evidence = event["evidence"]
    parts = [
        wrapped(f"Event {event['seq']}, {event['severity']}: {event['kind']}"),
        wrapped(event["summary"], "  "),
        "",
        aligned((label, text) for label, text in _rows(wire, names) if text),
        *_flows(evidence.get("flows")),
        *behind.tables(evidence),
    ]
    parts += ["", wrapped(wire["advice"])] if wire["advice"] else []
    parts += ["", "To go on:"] if commands else []
    for command, purpose in commands:
        parts += [wrapped(f"{purpose}:", "  "), f"    {command}"]
    return "\n".join(parts)


def _rows(wire: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield label and text of all that is said in two columns."""
    event, accepted = wire["event"], wire["accepted"]
    evidence = event["evidence"]
    yield "when", _when(event)
    if event["process"] is None:
        yield "device", _whom(wire["device"], event["mac"] or event["address"])
    else:
        yield "program", event["process"]
    yield "peer", _whom(event["peer_name"], event["peer_address"])
    yield "why", str(evidence.get("why") or "")
    yield "means", wire["meaning"] or ""
    yield "measured", found.measured(event)
    yield from found.rows(evidence, names)
    if event.get("has_ended") and not event.get("culprit"):
        yield "ended", f"process {evidence.get('pid')} has ended: nothing of it is left to cut off"
    if evidence.get("audit"):
        yield "audit", "the policy has this detector note only: nothing was done"
    if accepted is not None:
        yield "accepted", f"on {moment(accepted['time'])}: the like of it is not told any more"
    if wire["technique"]:
        yield "technique", f"MITRE ATT&CK {wire['technique']} {wire['technique_url']}"


def _when(event: Mapping[str, Any]) -> str:
    """Return when an event happened, and how often."""
    said = moment(event["time"])
    count, last = event.get("count") or 1, event.get("last_time")
    if count > 1:
        said += f", {count} times" + (f" until {moment(last)}" if last else "")
    return said


def _whom(name: str | None, address: str | None) -> str:
    """Return what somebody is called, with the address beside it."""
    return f"{name} ({address})" if name and address and name != address else name or address or ""


def _flows(flows: Any) -> list[str]:
    """Return the flows behind an event."""
    if not isinstance(flows, list) or not flows:
        return []
    rows = [
        (
            f"{each.get('address') or ''}",
            _peer(each),
            str(each.get("application") or ""),
            str(each.get("transport") or ""),
            size(each.get("upload_bytes") or 0),
            size(each.get("download_bytes") or 0),
            str(each.get("community_id") or ""),
        )
        for each in flows
        if isinstance(each, Mapping)
    ]
    heads = ("device", "peer", "application", "transport", "up", "down", "community id")
    return ["", "flows behind it:", table(*without_empty(heads, rows))]


def _peer(flow: Mapping[str, Any]) -> str:
    """Return the far end of a flow."""
    peer = str(flow.get("peer_name") or flow.get("peer_address") or "")
    return f"{peer}:{flow['peer_port']}" if flow.get("peer_port") else peer


COMMANDS: Final = {
    "explain": Command(
        "explain an event: why it is unusual, and what can be done",
        converse(_explain),
        str,
        _arguments,
    )
}
