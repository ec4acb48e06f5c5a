"""Flows as the protocol tells them: chosen by what was asked for, and described."""

import heapq
import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from ..dissect.applications import UNKNOWN, guess
from ..names.patterns import Patterns
from ..network.places import Place
from ..notation import address_text, mac_bytes
from ..protocol import Flow, Scope, SensorError
from ..requests import MAX_FLOWS, GetFlows
from ..targets import parse_mac
from .community_id import community_id
from .flow import ICMP, ICMPV6, SCTP, TCP, UDP, UPLOAD, Counted, FlowKey
from .labels import Label
from .outcome import outcome

_TRANSPORTS: Final = {TCP: "tcp", UDP: "udp", ICMP: "icmp", ICMPV6: "icmpv6", SCTP: "sctp"}
_NO_MAC: Final = bytes(6)


@dataclass(frozen=True, slots=True)
class Context:
    """What a description needs to know of the world."""

    now: int
    """On the flows' clock."""
    epoch: Callable[[int], float]
    """Turns a time on the flows' clock into seconds since the epoch."""
    label: Callable[[bytes, FlowKey, int], Label]
    """Of a flow by its packed key, its key and when it began."""
    scope: Callable[[bytes], Scope]
    place: Callable[[str], Place]
    interfaces: Callable[[int], str | None]


def describe(packed: bytes, counted: Counted, context: Context) -> Flow:
    """Return one flow as the protocol tells it."""
    key = FlowKey.unpack(packed)
    label = context.label(packed, key, counted.first)
    ended = outcome(counted, context.now) if key.protocol == TCP else None
    place = context.place(address_text(key.peer))
    return Flow(
        community_id=community_id(key),
        mac=key.mac.hex(":") if key.mac != _NO_MAC else None,
        address=address_text(key.address),
        port=key.port,
        peer_address=address_text(key.peer),
        peer_port=key.peer_port,
        peer_name=label.peer_name,
        name_source=label.source,
        transport=_TRANSPORTS.get(key.protocol) or f"ip-{key.protocol}",
        application=application_of(key, counted, label, context.now),
        upload_bytes=counted.upload_bytes,
        download_bytes=counted.download_bytes,
        upload_packets=counted.upload_packets,
        download_packets=counted.download_packets,
        first_seen=round(context.epoch(counted.first), 6),
        last_seen=round(context.epoch(counted.last), 6),
        opened_by="device" if counted.opener == UPLOAD else "peer",
        outcome=ended,
        scope=context.scope(key.peer),
        encrypted_hello=label.encrypted_hello,
        served_as=label.served_as,
        country=place.country,
        as_number=place.as_number,
        as_name=place.as_name,
        interface=context.interfaces(counted.interface),
    )


def application_of(key: FlowKey, counted: Counted, label: Label, now: int) -> str:
    """Return what a flow is: as its bytes said, else by its ports, unless nothing was said at all."""
    if label.application is not None:
        return label.application
    if key.protocol == TCP:
        both = counted.upload_packets and counted.download_packets
        if not both or outcome(counted, now) in ("refused", "no_answer"):
            return UNKNOWN
    return guess(key.protocol, key.port, key.peer_port, label.name)


Entry = tuple[bytes, Counted]


def latest(entries: Iterable[Entry], limit: int) -> list[Entry]:
    """Return the entries that moved last, at most so many, those that moved last at the head."""
    return heapq.nlargest(limit, entries, key=_order)


def _order(entry: Entry) -> tuple[int, bytes]:
    """Sort key: when a flow moved last; the key decides between equals, so that a capture gives one order."""
    return entry[1][1], entry[0]


class Choice:
    """Which flows a request asks for."""

    def __init__(self, request: GetFlows, macs_of: Callable[[str], Iterable[str]]) -> None:
        """Read a request; macs_of gives all MACs of a device. Raises SensorError `invalid_message`."""
        if not 0 < request.limit <= MAX_FLOWS:
            raise SensorError("invalid_message", f"limit is 1 to {MAX_FLOWS}")
        self.macs = frozenset(
            mac_bytes(each) for mac in request.devices for each in macs_of(parse_mac(mac))
        )
        self.since = request.since
        self._peer = None if request.peer is None else _peer(request.peer)

    def takes_device(self, packed: bytes) -> bool:
        """Return whether a flow's device is asked for."""
        return not self.macs or packed[:6] in self.macs

    @property
    def by_peer(self) -> bool:
        """Whether the peer matters."""
        return self._peer is not None

    def takes_peer(self, key: FlowKey, name: str | None) -> bool:
        """Return whether a flow's peer is asked for."""
        return self._peer is None or self._peer(key, name)


def _peer(text: str) -> Callable[[FlowKey, str | None], bool]:
    """Return what tells whether a peer is meant; raises SensorError `invalid_message`."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        wanted = text.lower().rstrip(".")
        if not wanted or len(wanted) > 255 or any(each.isspace() for each in wanted):
            raise SensorError(
                "invalid_message", "peer is an address, a prefix, a name or *.name"
            ) from None
        names = Patterns({wanted: True})
        return lambda _, name: name is not None and any(names.find(name))
    return lambda key, _: ipaddress.ip_address(address_text(key.peer)) in network
