"""The fields of an ECS document that Hearthwall fills, with the type of each: what does not fit its type is left out.

One value of another type and Elasticsearch refuses the whole document, and most of it comes from the network.
"""

import ipaddress
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple

from ..patterns.words import printable

FieldType = Literal[
    "keyword", "wildcard", "match_only_text", "long", "float", "ip", "date", "flattened"
]


class Field(NamedTuple):
    """One field."""

    type: FieldType
    """Elasticsearch's."""
    meaning: str
    is_list: bool = False


ECS_VERSION: Final = "8.17.0"

#: By their names in ECS 8; what begins with `hearthwall.` is our own.
FIELDS: Final[Mapping[str, Field]] = {
    "@timestamp": Field("date", "when it happened"),
    "ecs.version": Field("keyword", "the version of these names"),
    "message": Field("match_only_text", "what happened, in a sentence"),
    "event.action": Field("keyword", "the kind of event, such as `port_scan`"),
    "event.category": Field("keyword", "ECS' sort of event", is_list=True),
    "event.dataset": Field("keyword", "`hearthwall.events`"),
    "event.end": Field("date", "when it happened last, if it happened again before it was sent"),
    "event.id": Field("keyword", "the same whenever the same event is sent again"),
    "event.kind": Field("keyword", "`alert` of detectors, `event` of rules and new devices"),
    "event.module": Field("keyword", "`hearthwall`"),
    "event.outcome": Field("keyword", "`success` of rules"),
    "event.provider": Field("keyword", "`hearthwall`"),
    "event.reason": Field("keyword", "why that is unusual for this device"),
    "event.risk_score": Field("float", "0 to 100: info 0, low 21, medium 47, high 73, critical 99"),
    "event.sequence": Field("long", "the event's number in the sensor's journal"),
    "event.severity": Field("long", "1 info to 5 critical"),
    "event.start": Field("date", "when it happened first"),
    "event.type": Field("keyword", "ECS' sort of happening", is_list=True),
    "rule.category": Field("keyword", "the kind of event"),
    "rule.description": Field("keyword", "what this kind of event means"),
    "rule.name": Field("keyword", "the detector"),
    "rule.ruleset": Field("keyword", "`hearthwall`"),
    "threat.feed.name": Field("keyword", "the feed that lists the peer"),
    "threat.framework": Field("keyword", "`MITRE ATT&CK`"),
    "threat.indicator.ip": Field("ip", "the listed address"),
    "threat.indicator.name": Field("keyword", "the feed's entry"),
    "threat.indicator.provider": Field("keyword", "the feed"),
    "threat.indicator.type": Field("keyword", "`ipv4-addr`, `ipv6-addr` or `domain-name`"),
    "threat.tactic.id": Field("keyword", "of MITRE ATT&CK", is_list=True),
    "threat.tactic.name": Field("keyword", "of MITRE ATT&CK", is_list=True),
    "threat.technique.id": Field("keyword", "of MITRE ATT&CK", is_list=True),
    "threat.technique.name": Field("keyword", "of MITRE ATT&CK", is_list=True),
    "threat.technique.subtechnique.id": Field("keyword", "of MITRE ATT&CK", is_list=True),
    "threat.technique.subtechnique.name": Field("keyword", "of MITRE ATT&CK", is_list=True),
    "source.address": Field("keyword", "who did it: the address, else the name or the MAC"),
    "source.domain": Field("keyword", "the name of a peer that did it"),
    "source.ip": Field("ip", "who did it"),
    "source.mac": Field(
        "keyword", "who did it, if it is a device of the home (`02-00-5E-10-00-01`)"
    ),
    "source.port": Field("long", "where all flows of the event agree on it"),
    "destination.address": Field("keyword", "to whom: the address, else the name or the MAC"),
    "destination.domain": Field("keyword", "the peer's name"),
    "destination.ip": Field("ip", "to whom"),
    "destination.mac": Field("keyword", "to whom, if it is a device of the home"),
    "destination.port": Field("long", "where all flows of the event agree on it"),
    "network.community_id": Field("keyword", "of the first flow behind the event"),
    "network.direction": Field("keyword", "`outbound`, `inbound` or `internal`, where it is sure"),
    "network.protocol": Field("keyword", "where all flows agree on it, such as `tls`"),
    "network.transport": Field("keyword", "where all flows agree on it, such as `tcp`"),
    "network.type": Field("keyword", "`ipv4` or `ipv6`"),
    "device.id": Field("keyword", "the device's MAC, as in `source.mac`"),
    "device.manufacturer": Field("keyword", "who made the device, by its MAC"),
    "host.hostname": Field("keyword", "the gateway"),
    "host.name": Field("keyword", "the gateway"),
    "observer.hostname": Field("keyword", "the gateway"),
    "observer.name": Field("keyword", "the gateway"),
    "observer.product": Field("keyword", "`Hearthwall`"),
    "observer.serial_number": Field("keyword", "the sensor's id"),
    "observer.type": Field("keyword", "`ids`"),
    "observer.vendor": Field("keyword", "`Hearthwall`"),
    "observer.version": Field("keyword", "the sensor's version"),
    "process.command_line": Field("wildcard", "of the gateway's own process; secrets are masked"),
    "process.executable": Field("keyword", "of the gateway's own process"),
    "process.name": Field("keyword", "the last part of the executable's path"),
    "process.parent.command_line": Field("wildcard", "of what it came from; secrets are masked"),
    "process.parent.executable": Field("keyword", "of what it came from"),
    "process.parent.pid": Field("long", "of what it came from"),
    "process.pid": Field("long", "of the gateway's own process"),
    "container.id": Field("keyword", "the process's container, as it is cut short in Hearthwall"),
    "related.hosts": Field("keyword", "all names of the document", is_list=True),
    "related.ip": Field("ip", "all addresses of the document", is_list=True),
    "hearthwall.count": Field("long", "how often it had happened when it was sent"),
    "hearthwall.culprit": Field("keyword", "whom a rule may cut off for it"),
    "hearthwall.cut": Field(
        "keyword", "fields that a limit on size left no room for", is_list=True
    ),
    "hearthwall.device.mac": Field("keyword", "the device, as Hearthwall writes it"),
    "hearthwall.device.name": Field(
        "keyword",
        "what people call the device, else what it calls itself; nothing where neither is known",
    ),
    "hearthwall.evidence": Field("flattened", "what else the detector shows"),
    "hearthwall.flows.address": Field("ip", "the device's side of a flow"),
    "hearthwall.flows.application": Field("keyword", "such as `tls`"),
    "hearthwall.flows.community_id": Field("keyword", "the flow's name in Zeek and Suricata"),
    "hearthwall.flows.download_bytes": Field("long", "to the device"),
    "hearthwall.flows.first_seen": Field("date", "its first packet"),
    "hearthwall.flows.last_seen": Field("date", "its last packet"),
    "hearthwall.flows.peer_address": Field("ip", "the other side"),
    "hearthwall.flows.peer_name": Field("keyword", "the other side's name"),
    "hearthwall.flows.peer_port": Field("long", "the other side"),
    "hearthwall.flows.port": Field("long", "the device's side"),
    "hearthwall.flows.transport": Field("keyword", "such as `tcp`"),
    "hearthwall.flows.upload_bytes": Field("long", "from the device"),
    "hearthwall.pattern": Field("keyword", "the pattern, of events about processes"),
    "hearthwall.severity": Field("keyword", "`info` to `critical`"),
    "hearthwall.subject": Field("keyword", "what it is about beside the device"),
    "hearthwall.threshold": Field("float", "what was measured is held against this"),
    "hearthwall.value": Field("float", "what was measured, if it is a number"),
    "hearthwall.value_text": Field("keyword", "what was found, if it is none"),
    "hearthwall.window": Field("float", "in which time it was measured, in seconds"),
}

#: Bounds: characters of a text, of what an event says in sentences, entries of a list, and levels of evidence.
_KEYWORD: Final = 1024
_TEXT: Final = 4096
_ENTRIES: Final = 64
_DEPTH: Final = 5


def fitted(name: str, value: Any) -> Any:
    """Return a value as its field has it, None for what does not fit."""
    field = FIELDS[name]
    if not field.is_list:
        return _FITS[field.type](value)
    found = (_FITS[field.type](each) for each in value)
    return list(dict.fromkeys(each for each in found if each is not None))[:_ENTRIES] or None


def _keyword(value: Any) -> str | None:
    """Return a text that acts on no terminal and no parser."""
    return printable(value)[:_KEYWORD] if isinstance(value, str) and value else None


def _text(value: Any) -> str | None:
    """Return a sentence."""
    return printable(value)[:_TEXT] if isinstance(value, str) and value else None


def _long(value: Any) -> int | None:
    """Return a whole number of 64 bits."""
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value if is_whole and -(2**63) <= value < 2**63 else None


def _float(value: Any) -> float | None:
    """Return a number that JSON has."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and abs(value) < 1e15 and math.isfinite(value) else None


def _ip(value: Any) -> str | None:
    """Return an address, without an interface."""
    try:
        address = ipaddress.ip_address(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return None if address is None or getattr(address, "scope_id", None) else str(address)


def _date(value: Any) -> str | None:
    """Return seconds since the epoch as ISO 8601 in UTC, to the millisecond."""
    if _float(value) is None:
        return None
    try:
        when = datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _flattened(value: Any) -> dict[str, Any] | None:
    """Return an object of any keys, with bounds on all of it."""
    found = _bounded(value, _DEPTH) if isinstance(value, Mapping) else None
    return found or None


def _bounded(value: Any, depth: int) -> Any:
    """Return a part of evidence with bounds on all of it, None for what has no place."""
    if isinstance(value, Mapping) and depth:
        parts = {
            _keyword(str(key)): _bounded(each, depth - 1)
            for key, each in list(value.items())[:_ENTRIES]
        }
        return {key: each for key, each in parts.items() if key and each is not None}
    if isinstance(value, list | tuple) and depth:
        found = (_bounded(each, depth - 1) for each in value[:_ENTRIES])
        return [each for each in found if each is not None]
    if isinstance(value, bool):
        return value
    return _keyword(value) if isinstance(value, str) else _float(value)


_FITS: Final[Mapping[FieldType, Callable[[Any], Any]]] = {
    "keyword": _keyword,
    "wildcard": _keyword,
    "match_only_text": _text,
    "long": _long,
    "float": _float,
    "ip": _ip,
    "date": _date,
    "flattened": _flattened,
}
