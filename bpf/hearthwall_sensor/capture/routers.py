"""Tells routers from devices in a capture: behind a router's MAC is the internet."""

from collections import Counter
from collections.abc import Mapping, Sequence
from operator import add, le
from typing import Final, NamedTuple

from .frame import Frame
from .link import NO_MAC

_MAX_SEEN: Final = 65_536
_MAPPED: Final = bytes(10) + b"\xff\xff"
#: Ethernet's kind of ARP for IPv4.
_ARP: Final = b"\0\1\x08\0\6\4"
_ADVERTISEMENT: Final = 134
_OF_NEIGHBOURS: Final = (135, 136)
_PREFIX: Final = 3
#: Global IPv6 prefixes that a device has.
_MAX_PREFIXES: Final = 2


class Routers:
    """Who sends from addresses that are none of the home's.

    A device may do so too with a global IPv6 address. What neighbour discovery speaks of is on the link, so a sender
    from such a prefix need be no router. And who sends from an address of the home to the internet by way of somebody
    else is none, whatever else it sends: it may be what makes up addresses.
    """

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._forwarders: set[bytes] = set()
        #: A MAC and the first eight bytes of an IPv6 address that it sent from.
        self._senders: dict[bytes, None] = {}
        self._on_link: set[bytes] = set()
        self._clients: set[bytes] = set()
        #: A MAC and an address that it says is its own.
        self._claims: dict[bytes, None] = {}
        self._found = _Found()

    def note_foreign(self, mac: bytes, source: bytes) -> None:
        """Learn that a MAC sends from an address that is not home."""
        if mac in self._forwarders or mac == NO_MAC:
            return
        if source.startswith(_MAPPED):
            self._forwarders.add(mac)
        elif len(self._senders) < _MAX_SEEN:
            self._senders[mac + source[:8]] = None

    def note_client(self, mac: bytes, receiver: bytes, source: bytes, *, is_home: bool) -> None:
        """Learn that a MAC sends to the internet by way of another one.

        Of IPv6 that says nothing by itself, since what is not known to be on the link may be, and a router speaks to
        it as well: there the other one must be known to forward, and this one not to.
        """
        if mac in self._clients or mac == NO_MAC or len(self._clients) >= _MAX_SEEN:
            return
        if source.startswith(_MAPPED):
            is_client = is_home
        else:
            is_client = receiver in self._forwarders and mac not in self._forwarders
        if is_client:
            self._clients.add(mac)

    def note_arp(self, mac: bytes, packet: bytes) -> None:
        """Learn which address a MAC says is its own."""
        if packet.startswith(_ARP) and packet[8:14] == mac:
            self._claim(mac, _MAPPED + packet[14:18])

    def note_discovery(self, mac: bytes, frame: Frame, data: bytes) -> None:
        """Learn from neighbour discovery which prefixes are on the link, and which addresses are whose."""
        at, kind = frame.payload, frame.source_port
        self._claim(mac, frame.source)
        if kind == _ADVERTISEMENT:
            self._take_prefixes(data[at + 16 : at + frame.payload_length])
        elif kind in _OF_NEIGHBOURS and len(data) >= at + 24 and len(self._on_link) < _MAX_SEEN:
            self._on_link |= {frame.source[:8], data[at + 8 : at + 16]}

    def _claim(self, mac: bytes, address: bytes) -> None:
        """Note that a MAC says that it has an address."""
        if len(self._claims) < _MAX_SEEN and mac != NO_MAC:
            self._claims[mac + address] = None

    def _take_prefixes(self, options: bytes) -> None:
        """Learn the prefixes of a router's advertisement."""
        at = 0
        while at + 2 <= len(options) and options[at + 1]:
            whole = options[at + 1] == 4 and at + 24 <= len(options)
            if options[at] == _PREFIX and whole and len(self._on_link) < _MAX_SEEN:
                self._on_link.add(options[at + 16 : at + 24])
            at += options[at + 1] * 8

    def found(self) -> frozenset[bytes]:
        """Return the MACs of routers."""
        return self._all().routers

    def addresses(self) -> frozenset[bytes]:
        """Return the addresses that routers say are their own."""
        return self._all().addresses

    def is_on_link(self, address: bytes) -> bool:
        """Return whether an IPv6 address is of a prefix that is on the link."""
        return address[:8] in self._on_link or address[:8] in self._all().prefixes

    def _all(self) -> "_Found":
        """Return what follows from what was seen, which only grows."""
        seen = (self._forwarders, self._senders, self._on_link, self._claims, self._clients)
        if sum(map(len, seen)) != self._found.seen:
            self._found = self._worked_out(sum(map(len, seen)))
        return self._found

    def _worked_out(self, seen: int) -> "_Found":
        """Work out who is a router, and which prefixes devices have."""
        by_prefix = (each[:6] for each in self._senders if each[6:] not in self._on_link)
        routers = frozenset((*self._forwarders, *by_prefix)) - self._clients
        numbers = Counter(each[:6] for each in self._senders)
        return _Found(
            seen,
            routers,
            frozenset(each[6:] for each in self._claims if each[:6] in routers),
            frozenset(
                each[6:]
                for each in self._senders
                if each[:6] in self._clients and numbers[each[:6]] <= _MAX_PREFIXES
            ),
        )


class _Found(NamedTuple):
    """What follows from what was seen."""

    seen: int = 0
    """How much that was."""
    routers: frozenset[bytes] = frozenset()
    addresses: frozenset[bytes] = frozenset()
    """The routers'."""
    prefixes: frozenset[bytes] = frozenset()
    """Of devices; one with more than a home has makes them up."""


#: What one_way is at the other end.
_MIRRORED: Final = {b"\0": b"\0", b"\1": b"\2", b"\2": b"\1"}


def doubles(
    flows: Mapping[bytes, Sequence[int]], routers: frozenset[bytes], places: Mapping[bytes, int]
) -> list[bytes]:
    """Return the keys of those flows of routers that are flows of devices as well, seen from the other end."""
    found = {
        key: _other_end(key)
        for key in flows
        if key[:6] in routers and places[key[12:28]] and places[key[28:44]]
    }
    totals: dict[bytes, tuple[int, ...]] = dict.fromkeys(found.values(), (0, 0, 0, 0))
    if not totals:
        return []
    for key, flow in flows.items():
        before = totals.get(key[6:])
        if before is not None and key[:6] not in routers:
            totals[key[6:]] = tuple(map(add, before, (*flow[8:10], *flow[2:4])))
    return [
        key
        for key, other in found.items()
        if all(map(le, (*flows[key][2:4], *flows[key][8:10]), totals[other]))
    ]


def _other_end(key: bytes) -> bytes:
    """Return a flow's key without the MAC as it is at the other end."""
    ports, protocol, one_way = key[8:10] + key[6:8], key[10:11], key[11:12]
    return ports + protocol + _MIRRORED[one_way] + key[28:44] + key[12:28]
