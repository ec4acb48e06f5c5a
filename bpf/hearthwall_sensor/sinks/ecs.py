"""An event as a document of the Elastic Common Schema: the names that SIEMs search by."""

import ipaddress
import json
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from .. import __version__
from ..kinds import KINDS, EventKind
from ..learning.programs import container_of
from ..network.home import is_home
from ..protocol import Event
from .ecs_fields import ECS_VERSION, FIELDS, fitted
from .mitre import TACTICS, TECHNIQUES
from .sink import SinkContext


class _Sort(NamedTuple):
    """What ECS calls one kind of event."""

    categories: tuple[str, ...]
    types: tuple[str, ...] = ("info",)
    kind: str = "alert"


_NETWORK: Final = _Sort(("network", "intrusion_detection"))
_CONNECTION: Final = _Sort(("network", "intrusion_detection"), ("connection", "info"))
_PROCESS: Final = _Sort(("process", "intrusion_detection"))

SORTS: Final[Mapping[EventKind, _Sort]] = {
    "new_device": _Sort(("host", "network"), ("info",), "event"),
    "threat_address": _CONNECTION,
    "threat_domain": _NETWORK,
    "forbidden_protocol": _Sort(("network", "intrusion_detection"), ("info", "protocol")),
    "unexpected_destination": _CONNECTION,
    "local_device_on_internet": _CONNECTION,
    "segment_crossing": _CONNECTION,
    "port_scan": _NETWORK,
    "address_scan": _NETWORK,
    "connection_burst": _CONNECTION,
    "flood": _NETWORK,
    "volume_anomaly": _NETWORK,
    "behaviour_anomaly": _NETWORK,
    "beacon": _CONNECTION,
    "dns_tunnel": _Sort(("network", "intrusion_detection"), ("info", "protocol")),
    "address_conflict": _NETWORK,
    "rogue_dhcp": _NETWORK,
    "unexpected_process": _PROCESS,
    "suspicious_syscall": _PROCESS,
    "exec_and_connect": _PROCESS,
    "blocked": _Sort(("configuration", "network"), ("creation", "denied"), "event"),
    "unblocked": _Sort(("configuration", "network"), ("deletion", "allowed"), "event"),
}
_UNKNOWN: Final = _Sort(("network",), ("info",), "event")

#: A severity as a number, and as the risk that Elastic's own rules give it.
SEVERITIES: Final[Mapping[str, tuple[int, float]]] = {
    "info": (1, 0.0),
    "low": (2, 21.0),
    "medium": (3, 47.0),
    "high": (4, 73.0),
    "critical": (5, 99.0),
}

#: IANA's keywords where they are others than ours.
_TRANSPORTS: Final = {"icmpv6": "ipv6-icmp"}
#: What fields of their own say is not said again as evidence.
_SAID: Final = (
    *("detector", "value", "threshold", "window", "why", "flows", "connections", "chain", "feed"),
    *("entry", "pattern", "pid"),
)
#: What is left out first where a limit leaves no room.
_DISPENSABLE: Final = (
    *("hearthwall.evidence", "hearthwall.flows", "related.ip", "related.hosts", "rule.description"),
    *("process.parent.command_line", "process.command_line", "event.reason", "hearthwall.subject"),
    *("hearthwall.value_text", "threat.indicator.name", "source.domain", "destination.domain"),
)
#: What is left where that is not enough; and letters of the message, before anything is left out and then.
_ESSENTIAL: Final = (
    *("@timestamp", "ecs.version", "event.action", "event.dataset", "event.id", "event.kind"),
    *("event.sequence", "event.severity", "host.name", "observer.serial_number"),
)
_SHORT: Final = 200
_SHORTEST: Final = 80
#: A document is no longer, and no limit may be lower.
MAX_BYTES: Final = 64 * 1024
LEAST_BYTES: Final = 2048
_FLOWS: Final = "hearthwall.flows"

Flat = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Origin:
    """Who tells it."""

    host: str
    sensor_id: str
    device_name: Callable[[str], str | None]
    device_maker: Callable[[str], str | None]

    @classmethod
    def of(cls, context: SinkContext) -> "Origin":
        """Return this host's."""
        host = socket.gethostname()
        return cls(host, context.sensor_id, context.device_name, context.device_maker)


def line(event: Event, origin: Origin, most: int = MAX_BYTES) -> bytes:
    """Return an event's document as JSON in one line of ASCII, within so many bytes (LEAST_BYTES at least)."""
    return written(flat(event, origin), most)


def written(fields: Flat, most: int = MAX_BYTES) -> bytes:
    """Return a document's line; `hearthwall.cut` names what there was no room for."""
    if len(text := _json(fields)) <= most:
        return text
    left, cut = dict(fields), list[str]()
    if len(fields["message"]) > _SHORT:
        left["message"] = fields["message"][:_SHORT]
        cut.append("message")
    for name in _DISPENSABLE:
        if left.pop(name, None) is not None:
            cut.append(name)
        if len(text := _json(left | {"hearthwall.cut": cut})) <= most:
            return text
    least = {name: value for name, value in fields.items() if name in _ESSENTIAL}
    message = fields["message"][:_SHORTEST]
    return _json(least | {"message": message, "hearthwall.cut": ["*"]})


def event_id(event: Event, sensor_id: str) -> str:
    """Return what tells an event from all others, also of a journal that began anew."""
    return f"{sensor_id}-{event.seq}-{round(event.time * 1000)}"


def flat(event: Event, origin: Origin) -> Flat:
    """Return an event's document by the names of its fields, each of its type."""
    flows = _flows(event)
    said = {
        **_what(event, origin.sensor_id),
        **_threat(event),
        **_network(event, flows),
        **_whose(event, origin),
        **_process(event),
        **_own(event),
    }
    fields: Flat = {}
    for name, value in said.items():
        if value is not None and (found := fitted(name, value)) is not None:
            fields[name] = found
    if flows:
        fields[_FLOWS] = flows
    return fields | _related(fields, flows)


def nested(fields: Flat) -> dict[str, Any]:
    """Return a document with an object for each part of its fields' names."""
    document: dict[str, Any] = {}
    for name, value in fields.items():
        *folders, last = name.split(".")
        place = document
        for each in folders:
            place = place.setdefault(each, {})
        place[last] = value
    return document


def _json(fields: Flat) -> bytes:
    """Return fields as JSON in which nothing ends a line and nothing is no ASCII."""
    return json.dumps(nested(fields), separators=(",", ":"), allow_nan=False).encode("ascii")


def _what(event: Event, sensor_id: str) -> Flat:
    """Return what happened, how bad it is, and who noticed."""
    kind = KINDS.get(event.kind)  # type: ignore[call-overload]
    sort = SORTS.get(event.kind, _UNKNOWN)  # type: ignore[call-overload]
    severity, risk = SEVERITIES[event.severity]
    return {
        "@timestamp": event.time,
        "ecs.version": ECS_VERSION,
        "message": event.summary or event.kind,
        "event.action": event.kind,
        "event.category": sort.categories,
        "event.dataset": "hearthwall.events",
        "event.end": event.last_time,
        "event.id": event_id(event, sensor_id),
        "event.kind": sort.kind,
        "event.module": "hearthwall",
        "event.outcome": "success" if kind is not None and kind.by_rules else None,
        "event.provider": "hearthwall",
        "event.reason": event.evidence.get("why"),
        "event.risk_score": risk,
        "event.sequence": event.seq,
        "event.severity": severity,
        "event.start": event.time,
        "event.type": (*sort.types, *_verdict(event)),
        "rule.category": event.kind,
        "rule.description": None if kind is None else kind.meaning,
        "rule.name": event.evidence.get("detector"),
        "rule.ruleset": "hearthwall",
    }


def _verdict(event: Event) -> Iterator[str]:
    """Return whether it passed, where the event says so."""
    blocked = event.evidence.get("blocked")
    if isinstance(blocked, bool):
        yield "denied" if blocked else "allowed"


def _threat(event: Event) -> Flat:
    """Return what it is in MITRE ATT&CK, and which feed lists the peer."""
    found: Flat = {}
    if event.technique is not None:
        technique = event.technique.partition(".")[0]
        known = TECHNIQUES.get(event.technique)
        whole = TECHNIQUES.get(technique)
        tactics = () if known is None else known.tactics
        found |= {
            "threat.framework": "MITRE ATT&CK",
            "threat.technique.id": [technique],
            "threat.technique.name": [] if whole is None else [whole.name],
            "threat.tactic.id": tactics,
            "threat.tactic.name": [TACTICS[each] for each in tactics],
        }
        if technique != event.technique:
            found["threat.technique.subtechnique.id"] = [event.technique]
            found["threat.technique.subtechnique.name"] = [] if known is None else [known.name]
    if (feed := event.evidence.get("feed")) is not None:
        is_name = event.kind == "threat_domain"
        family = _family(event.peer_address)
        found |= {
            "threat.feed.name": feed,
            "threat.indicator.provider": feed,
            "threat.indicator.name": event.evidence.get("entry"),
            "threat.indicator.type": "domain-name" if is_name else family and f"{family}-addr",
            "threat.indicator.ip": None if is_name else event.peer_address,
        }
    return found


def _family(address: str | None) -> str | None:
    """Return `ipv4` or `ipv6`."""
    try:
        return None if address is None else f"ipv{ipaddress.ip_address(address).version}"
    except ValueError:
        return None


def _flows(event: Event) -> list[Flat]:
    """Return the flows behind an event, each value of its type."""
    names = [each.removeprefix(f"{_FLOWS}.") for each in FIELDS if each.startswith(_FLOWS)]
    shown: list[Any] = [
        each
        for key in ("flows", "connections")
        if isinstance(listed := event.evidence.get(key), Sequence)
        for each in listed
    ]
    found = []
    for flow in shown[:16]:
        if isinstance(flow, Mapping):
            fits = {name: fitted(f"{_FLOWS}.{name}", flow.get(name)) for name in names}
            found.append({name: value for name, value in fits.items() if value is not None})
    return [each for each in found if each]


def _agreed(flows: Iterable[Flat], name: str) -> Any:
    """Return what all flows have, None where they differ."""
    values = {each.get(name) for each in flows}
    return values.pop() if len(values) == 1 else None


def _network(event: Event, flows: list[Flat]) -> Flat:
    """Return who did it to whom. Who did it is the source, whichever side of the gateway it is on."""
    between = [each for each in flows if event.peer_address in (None, each.get("peer_address"))]
    transport = _agreed(between, "transport")
    device = {
        "address": event.address or event.mac,
        "ip": event.address,
        "mac": None if event.mac is None else _mac(event.mac),
        "port": _agreed(between, "port"),
    }
    peer = {
        "address": event.peer_address or event.peer_name,
        "ip": event.peer_address,
        "domain": event.peer_name,
        "port": _agreed(between, "peer_port"),
    }
    evidence = event.evidence
    is_inward = evidence.get("blame") == "peer" or evidence.get("incoming") is True
    source, destination = (peer, device) if is_inward else (device, peer)
    return {
        **{f"source.{name}": value for name, value in source.items()},
        **{f"destination.{name}": value for name, value in destination.items()},
        "network.community_id": between[0].get("community_id") if between else None,
        "network.direction": _direction(event.address, event.peer_address, is_inward=is_inward),
        "network.protocol": _agreed(between, "application"),
        "network.transport": _TRANSPORTS.get(transport, transport),
        "network.type": _family(event.peer_address or event.address),
    }


def _direction(address: str | None, peer: str | None, *, is_inward: bool) -> str | None:
    """Return which way it crossed the home's edge; of IPv6 neighbours within a /48 nobody here knows."""
    if peer is None or _family(peer) is None:
        return None
    if is_home(peer, ()):
        return "internal"
    if address is not None and _family(address) == _family(peer) == "ipv6":
        differing = int(ipaddress.ip_address(address)) ^ int(ipaddress.ip_address(peer))
        if not differing >> 64:
            return "internal"
        if not differing >> 80:
            return None
    return "inbound" if is_inward else "outbound"


def _mac(mac: str) -> str:
    """Return a MAC as ECS writes it."""
    return mac.replace(":", "-").upper()


def _whose(event: Event, origin: Origin) -> Flat:
    """Return which device it is about, and which gateway tells it."""
    mac = event.mac
    return {
        "device.id": None if mac is None else _mac(mac),
        "device.manufacturer": None if mac is None else origin.device_maker(mac),
        "hearthwall.device.mac": mac,
        "hearthwall.device.name": None if mac is None else origin.device_name(mac),
        "host.hostname": origin.host,
        "host.name": origin.host,
        "observer.hostname": origin.host,
        "observer.name": origin.host,
        "observer.product": "Hearthwall",
        "observer.serial_number": origin.sensor_id,
        "observer.type": "ids",
        "observer.vendor": "Hearthwall",
        "observer.version": __version__,
    }


def _process(event: Event) -> Flat:
    """Return which of the gateway's own processes it was, and what that came from."""
    if event.process is None:
        return {}
    executable, container = container_of(event.process)
    chain = event.evidence.get("chain")
    links = [each for each in chain if isinstance(each, Mapping)] if isinstance(chain, list) else []
    own = links[0] if links else {}
    parent = links[1] if len(links) > 1 else {}
    path = own.get("executable") or executable
    return {
        "process.executable": path,
        "process.name": path.rpartition("/")[2] if isinstance(path, str) else None,
        "process.pid": own.get("pid", event.evidence.get("pid")),
        "process.command_line": own.get("command_line"),
        "process.parent.executable": parent.get("executable"),
        "process.parent.pid": parent.get("pid"),
        "process.parent.command_line": parent.get("command_line"),
        "container.id": container,
    }


def _own(event: Event) -> Flat:
    """Return what ECS has no name for."""
    evidence = event.evidence
    value = evidence.get("value")
    return {
        "hearthwall.count": event.count,
        "hearthwall.culprit": event.culprit,
        "hearthwall.evidence": {key: each for key, each in evidence.items() if key not in _SAID},
        "hearthwall.pattern": evidence.get("pattern"),
        "hearthwall.severity": event.severity,
        "hearthwall.subject": event.subject,
        "hearthwall.threshold": evidence.get("threshold"),
        "hearthwall.value": value,
        "hearthwall.value_text": value if isinstance(value, str) else None,
        "hearthwall.window": evidence.get("window"),
    }


def _related(fields: Flat, flows: list[Flat]) -> Flat:
    """Return all addresses and names of a document, to be searched at once."""
    addresses = [fields.get("source.ip"), fields.get("destination.ip")]
    names = [fields.get(f"{end}.domain") for end in ("source", "destination")]
    names += [fields.get("host.name"), fields.get("hearthwall.device.name")]
    for each in flows:
        addresses += [each.get("address"), each.get("peer_address")]
        names.append(each.get("peer_name"))
    found = {
        "related.ip": fitted("related.ip", addresses),
        "related.hosts": fitted("related.hosts", names),
    }
    return {name: value for name, value in found.items() if value is not None}
