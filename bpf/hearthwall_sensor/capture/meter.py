"""Meters a capture as meter.c meters a network: the same flows, the same samples.

The kernel knows by the port who is a device and which way a packet goes. A capture does not say, so it is told by
addresses: one end at home is a device, and of two each has a flow of its own with the other.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from ..flows.flow import (
    DOWNLOAD,
    ICMPV6,
    KEY,
    SAMPLE_ARP,
    SAMPLE_BYTES,
    SAMPLE_ND,
    SAMPLE_PAYLOAD,
    TCP,
    UPLOAD,
    Sample,
)
from ..network.home import Network
from .frame import Frame, read
from .link import ARP, LINKS, NO_MAC, Link
from .neighbours import Neighbours
from .packet import Packet
from .places import HOME, INTERNET, Places
from .routers import Routers, doubles
from .sampling import (
    BYTES,
    FIELDS,
    FIRST,
    FLAGS,
    LAST,
    OPENER,
    PACKETS,
    WAYS,
    follow_connection,
    offset_of_interest,
)

#: About 600 bytes of memory each.
MAX_FLOWS: Final = 1_000_000
#: MACs that were seen to send something else than IP.
_MAX_OTHERS: Final = 65_536
_MAX_WIRE_LENGTH: Final = 0xFFFF

#: Bytes and packets up, bytes and packets down.
Amounts = tuple[int, int, int, int]

#: Where a packed key has the device's MAC, its address and the peer's.
MAC: Final = slice(0, 6)
ADDRESS: Final = slice(12, 28)
PEER: Final = slice(28, 44)


def amounts(flow: list[int]) -> Amounts:
    """Return what was counted of a flow."""
    return flow[2], flow[3], flow[8], flow[9]


class Meter:
    """The flows of a capture."""

    def __init__(
        self,
        on_sample: Callable[[Sample], None],
        lan: Iterable[Network] = (),
        *,
        on_flow: Callable[[bytes, int], None] = lambda *_: None,
        max_flows: int = MAX_FLOWS,
    ) -> None:
        """Take who learns from samples, the home's prefixes, and who is told of a new flow's key and time."""
        self._on_sample = on_sample
        self._on_flow = on_flow
        self._max_flows = max_flows
        self.places = Places(lan)
        self.routers = Routers()
        self._neighbours = Neighbours()
        #: By packed key, as flow.COUNTED has it.
        self.flows: dict[bytes, list[int]] = {}
        #: Frames that are no IP, by MAC: as a flow's counters.
        self.others: dict[bytes, list[int]] = {}
        #: Conversations with nobody at home: whose flow it is, by the flow's key without the MAC.
        self._strangers: dict[bytes, bytes] = {}
        #: By address: flows whose device's MAC is not known, where the link has MACs.
        self._nameless: dict[bytes, list[bytes]] = {}
        self._cooked = False
        #: Whether any packet's link has told a MAC.
        self.has_macs = False
        #: What had been counted of what has moved since the last look: by key, or by MAC where it is no IP.
        self.moving: dict[bytes, Amounts] = {}
        self.counted: Counter[str] = Counter()

    def take(self, packet: Packet) -> None:
        """Meter one packet."""
        _, length, link_type, data = packet
        reader = LINKS.get(link_type)
        if reader is None:
            self.counted[f"link_type_{link_type}"] += 1
            return
        link = reader(data)
        if link is None:
            self.counted["too_short"] += 1
            return
        frame = read(data, link.offset, link.ethertype, length)
        if frame is None:
            self._take_other(packet, link)
        else:
            self._take_ip(packet, link, frame)

    def _take_ip(self, packet: Packet, link: Link, frame: Frame) -> None:
        """Meter an IP packet from the view of each device that it concerns."""
        source, destination = self.places[frame.source], self.places[frame.destination]
        sender, receiver = link.sender, link.receiver
        self.has_macs = self.has_macs or sender != NO_MAC
        if receiver is None:
            self._cooked = True
            if source == HOME:
                sender = self._meet(frame.source, link)
            receiver = self._neighbours.mac(frame.destination) or NO_MAC
        if source == INTERNET:
            self.routers.note_foreign(sender, frame.source)
        else:
            self.view(packet, frame, UPLOAD, sender, link.sender)
        if destination == INTERNET and link.receiver not in (None, NO_MAC):
            self.routers.note_client(sender, receiver, frame.source, is_home=source == HOME)
        if destination == HOME and not link.is_group:
            self.view(packet, frame, DOWNLOAD, receiver, link.sender)
        elif source == INTERNET:
            self._view_of_stranger(packet, frame, sender)

    def _meet(self, address: bytes, link: Link) -> bytes:
        """Learn whose an address is from what it sends, and return that."""
        if self._neighbours.learn(address, link.sender, is_outgoing=link.is_outgoing):
            self._name(address, link.sender)
        return (self._neighbours.mac(address) if link.is_outgoing else None) or link.sender

    def _name(self, address: bytes, mac: bytes) -> None:
        """Give a device that was known without MAC its own."""
        if mac != NO_MAC:
            for key in self._nameless.pop(address, ()):
                self._join(mac + key[6:], self.flows.pop(key), self.moving.pop(key, None))
        for sample in self._neighbours.waiting(address):
            self._on_sample(sample._replace(key=mac + sample.key[6:]))

    def _join(self, key: bytes, flow: list[int], told: Amounts | None) -> None:
        """Add a flow under another key; told is what it had counted at the last look, None where that is all."""
        known = self.flows.get(key)
        of_known = (0, 0, 0, 0) if known is None else amounts(known)
        before = zip(self.moving.get(key, of_known), told or amounts(flow), strict=True)
        up, up_packets, down, down_packets = map(sum, before)
        self.moving[key] = up, up_packets, down, down_packets
        if known is None:
            self.flows[key] = flow
            self._on_flow(key, flow[FIRST])
            return
        known[FIRST], known[LAST] = min(known[FIRST], flow[FIRST]), max(known[LAST], flow[LAST])
        for way in WAYS.values():
            known[way + BYTES] += flow[way + BYTES]
            known[way + PACKETS] += flow[way + PACKETS]
            known[way + FLAGS] |= flow[way + FLAGS]

    def _view_of_stranger(self, packet: Packet, frame: Frame, sender: bytes) -> None:
        """Meter a packet between two ends that are not at home: whoever sent first is the device."""
        there = _key(NO_MAC, frame, DOWNLOAD)
        mac = self._strangers.get(there)
        if mac is not None:
            self.view(packet, frame, DOWNLOAD, mac, sender)
            return
        here = _key(NO_MAC, frame, UPLOAD)
        mac = self._strangers.get(here)
        if mac is None:
            mac = sender
            if len(self.flows) < self._max_flows:
                self._strangers[here] = mac
        self.view(packet, frame, UPLOAD, mac, sender)

    def view(self, packet: Packet, frame: Frame, direction: int, mac: bytes, sender: bytes) -> None:
        """Count and sample a packet as meter.c does that goes into a direction, seen from a device."""
        key = _key(mac, frame, direction)
        flow = self.flows.get(key)
        if flow is None:
            flow = self._begin(key, packet, direction)
            if flow is None:
                return
        if key not in self.moving:
            self.moving[key] = amounts(flow)
        way = WAYS[direction]
        flow[way + BYTES] += packet.length
        flow[way + PACKETS] += 1
        if packet.time > flow[LAST]:
            flow[LAST] = packet.time
        elif packet.time < flow[FIRST]:
            flow[FIRST] = packet.time
        if frame.flags:
            follow_connection(flow, frame, direction)
        if frame.payload_length and len(packet.data) > frame.payload:
            self._sample(packet, frame, direction, sender, key)

    def _begin(self, key: bytes, packet: Packet, direction: int) -> list[int] | None:
        """Return the counters of a new flow, None where there are too many already."""
        if len(self.flows) >= self._max_flows:
            self.counted["flows_too_many_packets"] += 1
            self.counted["flows_too_many_bytes"] += packet.length
            return None
        flow = self.flows[key] = [0] * FIELDS
        flow[FIRST] = flow[LAST] = packet.time
        flow[OPENER] = direction
        if self._cooked and key.startswith(NO_MAC):
            self._nameless.setdefault(key[ADDRESS], []).append(key)
        self._on_flow(key, packet.time)
        return flow

    # Samples

    def _sample(
        self, packet: Packet, frame: Frame, direction: int, sender: bytes, key: bytes
    ) -> None:
        """Hand over the payload if it is one of those that say something."""
        is_discovery = frame.protocol == ICMPV6
        if is_discovery:
            if direction == DOWNLOAD:
                return
            self.routers.note_discovery(sender, frame, packet.data)
        offset = offset_of_interest(self.flows[key], frame, packet.data, direction)
        if offset is None:
            return
        at, length = frame.payload, frame.payload_length
        sample = Sample(
            packet.time,
            key,
            0,
            offset if frame.protocol == TCP else 0,
            min(length, _MAX_WIRE_LENGTH),
            direction,
            SAMPLE_ND if is_discovery else SAMPLE_PAYLOAD,
            sender,
            packet.data[at : at + min(length, SAMPLE_BYTES)],
        )
        if self._cooked and key.startswith(NO_MAC) and self._neighbours.wait(key[ADDRESS], sample):
            return
        self._on_sample(sample)

    def _take_other(self, packet: Packet, link: Link) -> None:
        """Count a frame without addresses to route by, and hand over what a device says in ARP."""
        self.counted["not_ip"] += 1
        self._count_other(link.sender, UPLOAD, packet)
        if link.receiver is not None and not link.is_group and link.receiver in self.others:
            self._count_other(link.receiver, DOWNLOAD, packet)
        length = packet.length - link.offset
        data = packet.data[link.offset : link.offset + SAMPLE_BYTES]
        if link.ethertype == ARP and data and not link.sender[0] & 1:
            self.routers.note_arp(link.sender, data)
            key = link.sender + bytes(KEY.size - 6)
            length = min(length, _MAX_WIRE_LENGTH)
            self._on_sample(
                Sample(packet.time, key, 0, 0, length, UPLOAD, SAMPLE_ARP, link.sender, data)
            )

    def _count_other(self, mac: bytes, direction: int, packet: Packet) -> None:
        """Count a frame for a MAC."""
        counters = self.others.get(mac)
        if counters is None:
            if mac == NO_MAC or mac[0] & 1 or len(self.others) >= _MAX_OTHERS:
                return
            counters = self.others[mac] = [0] * FIELDS
            counters[FIRST] = packet.time
        if mac not in self.moving:
            self.moving[mac] = amounts(counters)
        counters[LAST] = max(counters[LAST], packet.time)
        counters[WAYS[direction] + BYTES] += packet.length
        counters[WAYS[direction] + PACKETS] += 1

    def finish(self) -> frozenset[bytes]:
        """End the capture: nothing is left waiting, and no conversation is a router's that is a device's.

        Returns the routers' MACs.
        """
        for sample in self._neighbours.all_waiting():
            self._on_sample(sample)
        routers = self.routers.found()
        for key in doubles(self.flows, routers, self.places):
            del self.flows[key]
        return routers


def _key(mac: bytes, frame: Frame, direction: int) -> bytes:
    """Return a flow's packed key."""
    source, destination, protocol, port, peer_port, one_way = frame[:6]
    if direction == UPLOAD:
        return KEY.pack(mac, port, peer_port, protocol, one_way, source, destination)
    return KEY.pack(mac, peer_port, port, protocol, 2 * one_way, destination, source)
