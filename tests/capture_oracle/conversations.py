"""Conversations: who exchanged how much with whom, from the headers of every packet."""

import base64
import hashlib
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Final, NamedTuple

from tests.capture_oracle.tshark import BETWEEN, Tshark

ICMP: Final = 1
TCP: Final = 6
UDP: Final = 17
ICMPV6: Final = 58
AH: Final = 51
#: Protocols with ports, by the name that both tshark and replay call them.
PORTS: Final = {"tcp": TCP, "udp": UDP, "sctp": 132}
TRANSPORTS: Final = {**PORTS, "icmp": ICMP, "icmpv6": ICMPV6}
#: Which type answers which, so that question and answer are one conversation (Community ID v1).
ANSWERS: Final = {
    ICMP: {8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17, 10: 9, 9: 10},
    ICMPV6: {
        number: answer
        for pair in ((128, 129), (133, 134), (135, 136), (130, 131), (139, 140), (144, 145))
        for number, answer in (pair, pair[::-1])
    },
}
_FAMILY: Final = {ICMP: 4, ICMPV6: 6}
#: IPv6 extension headers and the field that says what follows.
_EXTENSIONS: Final = {
    0: "ipv6.hopopts.nxt",
    43: "ipv6.routing.nxt",
    44: "ipv6.fraghdr.nxt",
    60: "ipv6.dstopts.nxt",
    AH: "ah.next_header",
}
#: What tshark calls the links that a home is captured on.
_LINKS: Final = frozenset(("eth", "sll", "null", "loop", "raw"))
#: As many 802.1Q tags are looked behind.
_MAX_TAGS: Final = 2

_FIELDS: Final = (
    *("frame.number", "frame.len", "frame.protocols", "eth.dst"),
    *("ip.src", "ip.dst", "ip.proto", "ip.frag_offset"),
    *("ipv6.src", "ipv6.dst", "ipv6.nxt", "ipv6.fraghdr.offset", *_EXTENSIONS.values()),
    *(f"{name}.{end}port" for name in PORTS for end in ("src", "dst")),
    *("icmp.type", "icmp.code", "icmpv6.type", "icmpv6.code", "communityid"),
    *("tcp.seq_raw", "tcp.len", "tcp.flags.syn"),
)


class End(NamedTuple):
    """One end; of ICMP the port is a type or a code."""

    address: str
    port: int

    def __str__(self) -> str:
        return (
            f"[{self.address}]:{self.port}"
            if ":" in self.address
            else f"{self.address}:{self.port}"
        )


class Key(NamedTuple):
    """What a conversation is known by: the ends in their order; `sender` is set where nothing answers."""

    protocol: int
    low: End
    high: End
    sender: str | None = None

    def __str__(self) -> str:
        name = next((n for n, number in TRANSPORTS.items() if number == self.protocol), None)
        return f"{name or f'ip-{self.protocol}'} {self.low} - {self.high}"


def key_of(protocol: int, source: End, destination: End) -> Key:
    """Return the conversation of a packet that goes from here to there."""
    low, high = sorted((source, destination))
    family = 6 if ":" in source.address else 4
    answers = ANSWERS[protocol] if _FAMILY.get(protocol) == family else None
    if not source.port and not destination.port:
        answers = None  # a later fragment
    if answers is None or answers.get(source.port) == destination.port:
        return Key(protocol, low, high)
    return Key(protocol, low, high, source.address)


def community_id(key: Key, *, ports: bool) -> str:
    """Return Community ID v1 with seed 0, from its specification."""
    ends = [(ip_address(each.address).packed, each.port) for each in (key.low, key.high)]
    backwards = key.sender is not None and key.low.address != key.sender
    if backwards or (key.sender is None and ends[1] < ends[0]):
        ends.reverse()
    text = bytes(2) + ends[0][0] + ends[1][0] + bytes((key.protocol, 0))
    if ports:
        text += struct.pack("!HH", ends[0][1], ends[1][1])
    return "1:" + base64.b64encode(hashlib.sha1(text, usedforsecurity=False).digest()).decode()


@dataclass(slots=True)
class Amount:
    """Packets and wire bytes of one direction."""

    packets: int = 0
    size: int = 0

    def add(self, size: int, packets: int = 1) -> None:
        """Add packets, one unless said otherwise."""
        self.packets += packets
        self.size += size


@dataclass(slots=True)
class Conversation:
    """What was sent, by the end that sent it, and the Community IDs that its packets have.

    `to_group` is that part of it whose frames went to a group of MACs.
    """

    sent: dict[End, Amount] = field(default_factory=dict)
    to_group: dict[End, Amount] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)


class Packet(NamedTuple):
    """A packet's conversation, who sent it, to which MAC (where there is one), and TCP's sequence number."""

    key: Key
    source: End
    destination: End
    mac: str | None
    sequence: int | None


@dataclass(slots=True)
class Traffic:
    """All of a capture; `left_out` counts by reason what belongs to no conversation."""

    packets: int = 0
    conversations: dict[Key, Conversation] = field(default_factory=dict)
    by_number: dict[int, Packet] = field(default_factory=dict)
    starts: dict[tuple[Key, End], set[int]] = field(default_factory=dict)
    """TCP's sequence numbers with which what an end says begins: behind each SYN, else of the first payload."""
    left_out: Counter[str] = field(default_factory=Counter)
    own_ids: int = 0
    """Conversations whose Community ID the oracle had to work out itself."""


class _Fields:
    """One packet's fields; those of the outermost header come first."""

    def __init__(self, values: list[str]) -> None:
        self._values = dict(zip(_FIELDS, values, strict=True))

    def all(self, name: str) -> list[str]:
        text = self._values[name]
        return text.split(BETWEEN) if text else []

    def first(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)

    def number(self, name: str) -> int:
        return int(self.first(name) or "0", 0)


def read(tshark: Tshark, capture: Path) -> Traffic:
    """Read all packets of a capture."""
    traffic = Traffic()
    for values in tshark.headers(capture, _FIELDS):
        traffic.packets += 1
        fields = _Fields(values)
        carrier = _carrier(fields.first("frame.protocols") or "")
        if carrier is None:
            traffic.left_out[
                "no IP behind a header of Ethernet, Linux cooked, loopback or none"
            ] += 1
            continue
        try:
            protocol, source, destination, whole = _ends(fields, carrier)
        except ValueError:
            traffic.left_out["IP with a header that is cut off or makes no sense"] += 1
            continue
        key = key_of(protocol, source, destination)
        number = fields.number("frame.number")
        sequence = _sequence(traffic, fields, key, source) if protocol == TCP and whole else None
        mac = fields.first("eth.dst")
        traffic.by_number[number] = Packet(key, source, destination, mac, sequence)
        conversation = traffic.conversations.setdefault(key, Conversation())
        length = fields.number("frame.len")
        conversation.sent.setdefault(source, Amount()).add(length)
        if mac is not None and int(mac[:2], 16) & 1:
            conversation.to_group.setdefault(source, Amount()).add(length)
        conversation.ids.add(_id(traffic, fields, key, whole=whole))
    return traffic


def _sequence(traffic: Traffic, fields: _Fields, key: Key, source: End) -> int:
    """Return where a segment stands in what its sender says, and note where that begins."""
    sequence = fields.number("tcp.seq_raw")
    starts = traffic.starts.setdefault((key, source), set())
    if fields.first("tcp.flags.syn") in ("1", "True"):
        starts.add((sequence + 1) & 0xFFFFFFFF)
    elif not starts and fields.number("tcp.len"):
        starts.add(sequence)
    return sequence


def _carrier(protocols: str) -> str | None:
    """Return `ip` or `ipv6` if that is what the link carries, behind as many tags as count."""
    names = [name for name in protocols.split(":") if name != "ethertype"]
    if names[0] in _LINKS:
        names = names[1:]
    tags = next((i for i, name in enumerate(names) if name != "vlan"), len(names))
    carrier = names[tags] if tags < len(names) else None
    return carrier if tags <= _MAX_TAGS and carrier in ("ip", "ipv6") else None


def _ends(fields: _Fields, carrier: str) -> tuple[int, End, End, bool]:
    """Return protocol and ends of a packet, and whether its transport header is in it; ValueError if cut off."""
    source, destination = fields.first(f"{carrier}.src"), fields.first(f"{carrier}.dst")
    if source is None or destination is None:
        raise ValueError
    protocol, piece = _within(fields) if carrier == "ipv6" else _ipv4(fields)
    name = next((name for name, number in PORTS.items() if number == protocol), None)
    ports = (0, 0)
    whole = not piece
    if piece:
        pass
    elif name is not None:
        whole = fields.first(f"{name}.srcport") is not None
        ports = fields.number(f"{name}.srcport"), fields.number(f"{name}.dstport")
    elif _FAMILY.get(protocol) == (6 if carrier == "ipv6" else 4):
        icmp = "icmpv6" if protocol == ICMPV6 else "icmp"
        whole = fields.first(f"{icmp}.type") is not None
        kind, code = fields.number(f"{icmp}.type"), fields.number(f"{icmp}.code")
        ports = kind, ANSWERS[protocol].get(kind, code)
    return protocol, End(source, ports[0]), End(destination, ports[1]), whole


def _ipv4(fields: _Fields) -> tuple[int, bool]:
    protocol = fields.first("ip.proto")
    if protocol is None:
        raise ValueError
    return int(protocol), fields.number("ip.frag_offset") > 0


def _within(fields: _Fields) -> tuple[int, bool]:
    """Return what stands behind IPv6's extension headers, and whether it is a fragment but the first."""
    protocol = fields.number("ipv6.nxt")
    headers: dict[int, Iterator[str]] = {
        number: iter(fields.all(name)) for number, name in _EXTENSIONS.items()
    }
    while protocol in headers:
        following = next(headers[protocol], None)
        if following is None:
            break
        fragment = protocol == 44
        protocol = int(following)
        if fragment and fields.number("ipv6.fraghdr.offset") > 0:
            return protocol, True
    return protocol, False


def _id(traffic: Traffic, fields: _Fields, key: Key, *, whole: bool) -> str:
    """Return the packet's Community ID as tshark has it, where tshark speaks of this very conversation."""
    has_ports = whole and key.protocol in TRANSPORTS.values()
    own = community_id(key, ports=has_ports)
    said = fields.first("communityid")
    names = (fields.first("frame.protocols") or "").split(":")
    within = names.count("ip") + names.count("ipv6") > 1 or "ah" in names
    overlooked = has_ports and said == community_id(key, ports=False)  # of a super-packet
    if said is None or overlooked or (within and key.protocol not in TRANSPORTS.values()):
        traffic.own_ids += 1
        return own
    return said
