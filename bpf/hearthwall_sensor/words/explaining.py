"""An event as a whole, explained to a person: what happened, why that is unusual, and what can be done."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ..kinds import KINDS, Kind
from . import behind, evidence as found
from .amounts import moment, size
from .cells import table, without_empty
from .wrapping import aligned, wrapped

_ATTACK: Final = "https://attack.mitre.org/techniques/"


def explained(
    event: Mapping[str, Any], device: str | None, accepted: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return an event with what its kind means; `device` is what its device is called.

    Of a kind that only a newer sensor knows there is no meaning.
    """
    kind: Kind | None = KINDS.get(event["kind"])
    technique = event.get("technique") or (kind.technique if kind else None)
    return {
        "event": event,
        "device": device or event["mac"] or event["process"] or event["address"],
        "meaning": kind.meaning if kind else None,
        "advice": kind.advice if kind else None,
        "technique": technique,
        "technique_url": _ATTACK + technique.replace(".", "/") + "/" if technique else None,
        "accepted": accepted,
    }


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
