"""The command that explains an event to a person: what happened, why that is unusual, and what can be done."""

import argparse
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from ..kinds import KINDS, Kind
from ..requests import GetEvent
from .amounts import size, span
from .cells import clean, table, without_empty
from .command import Command, Options, converse
from .naming import device_name
from .wrapping import labelled, wrapped

if TYPE_CHECKING:
    from ..client import Client

#: Evidence that has its own place.
_TOLD: Final = frozenset(("detector", "value", "threshold", "window", "why", "flows", "audit"))
_ATTACK: Final = "https://attack.mitre.org/techniques/"


def _arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `explain` takes."""
    parser.add_argument(
        "seq", metavar="SEQ", type=int, help="the event's number, as `events` has it"
    )


async def _explain(client: "Client", options: Options) -> Any:
    """Return an event with what its kind means, and what can be done."""
    event = await client.call(GetEvent(options.seq))
    devices = await client.devices()
    kind: Kind | None = KINDS.get(event["kind"])
    whose = [each for each in devices if event["mac"] in (each.mac, *each.other_macs)]
    technique = event.get("technique") or (kind.technique if kind else None)
    return {
        "event": event,
        "device": device_name(whose[0]) if whose else event["mac"] or event["address"],
        "meaning": kind.meaning if kind else None,
        "advice": kind.advice if kind else None,
        "technique": technique,
        "technique_url": _ATTACK + technique.replace(".", "/") + "/" if technique else None,
        "next": _next(event, kind),
    }


def _next(event: Mapping[str, Any], kind: Kind | None) -> list[dict[str, str]]:
    """Return the commands that lead on from an event."""
    found: list[tuple[str, str]] = []
    mac, peer = event["mac"], event["peer_name"] or event["peer_address"]
    by_rules = kind is None or kind.by_rules
    if not by_rules and (mac or event["address"]):
        found.append((f"accept {event['seq']}", "this is fine: don't tell the like of it again"))
    if mac and not by_rules:
        found.append((f"block {mac} --duration 1h", "cut the device off for an hour"))
    if peer and not by_rules:
        found.append((f"block {peer}", "cut the peer off, for every device"))
    if mac:
        found.append((f"flows --device {mac}", "what the device exchanges with whom"))
    if mac and not by_rules:
        found.append((f"profile {mac}", "what is usual for the device"))
    if by_rules:
        found.append(("blocks", "the rules in force"))
    return [{"command": command, "purpose": purpose} for command, purpose in found]


def show(wire: Mapping[str, Any]) -> str:
    """Show an explanation."""
    event = wire["event"]
    evidence = event["evidence"]
    parts = [
        wrapped(f"Event {event['seq']}, {event['severity']}: {event['kind']}"),
        wrapped(event["summary"], "  "),
        "",
        labelled("when", _when(event)),
        labelled("device", _whom(wire["device"], event["mac"] or event["address"])),
    ]
    peer = _whom(event["peer_name"], event["peer_address"])
    parts += [labelled("peer", peer)] if peer else []
    parts += [labelled("why", str(evidence["why"]))] if evidence.get("why") else []
    parts += [labelled("means", wire["meaning"])] if wire["meaning"] else []
    parts += [labelled("measured", _measured(evidence))] if "value" in evidence else []
    parts += [
        labelled(key.replace("_", " ")[:10], _value(value))
        for key, value in evidence.items()
        if key not in _TOLD and _value(value)
    ]
    if evidence.get("audit"):
        parts.append(labelled("audit", "the policy has this detector note only: nothing was done"))
    if wire["technique"]:
        parts.append(
            labelled("technique", f"MITRE ATT&CK {wire['technique']} {wire['technique_url']}")
        )
    parts += _flows(evidence.get("flows"))
    parts += ["", wrapped(wire["advice"])] if wire["advice"] else []
    return "\n".join([*parts, *_commands(wire["next"])])


def _when(event: Mapping[str, Any]) -> str:
    """Return when an event happened, and how often."""
    said = _moment(event["time"])
    count, last = event.get("count") or 1, event.get("last_time")
    if count > 1:
        said += f", {count} times" + (f" until {_moment(last)}" if last else "")
    return said


def _moment(when: float) -> str:
    """Return a time as people read it."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(when))


def _whom(name: str | None, address: str | None) -> str:
    """Return what somebody is called, with the address beside it."""
    return f"{name} ({address})" if name and address and name != address else name or address or ""


def _measured(evidence: Mapping[str, Any]) -> str:
    """Return what was measured against what."""
    said = _value(evidence["value"])
    if evidence.get("threshold") is not None:
        said += f", against {_value(evidence['threshold'])}"
    window = evidence.get("window")
    if isinstance(window, int | float) and window > 0:
        said += f", within {span(window)}"
    detector = evidence.get("detector")
    return said + (f" (by {detector})" if detector else "")


def _value(value: Any) -> str:
    """Return a value of the evidence in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_value(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        are_numbers = len(value) == 2 and all(isinstance(each, int | float) for each in value)
        return (" to " if are_numbers else ", ").join(map(_value, value))
    return "" if value is None else str(value)


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


def _commands(commands: Iterable[Mapping[str, str]]) -> list[str]:
    """Return what can be typed next."""
    rows = [(clean(each["command"]), each["purpose"]) for each in commands]
    wide = max((len(command) for command, _ in rows), default=0)
    lines = [f"  {command:<{wide}}  {purpose}" for command, purpose in rows]
    return ["", "To go on:", *lines] if lines else []


COMMANDS: Final = {
    "explain": Command(
        "explain an event: why it is unusual, and what can be done",
        converse(_explain),
        show,
        _arguments,
    )
}
