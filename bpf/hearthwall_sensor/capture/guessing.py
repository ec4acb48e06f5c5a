"""Which network of a capture is the home, where nobody says and no private address is in it."""

import ipaddress
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import BinaryIO, Final

from ..network.home import Network
from .file import read_packets
from .frame import Frame, read
from .link import LINKS
from .packet import Damaged, Packet
from .places import INTERNET, Places

#: As many packets tell; a home of one device needs few.
_LOOKED_AT: Final = 20_000
#: So many of the packets between hosts must be of one network, so that it is the one that was captured.
_SHARE: Final = 0.95
_IPV4: Final = 24
_IPV6: Final = 64
_MAPPED: Final = bytes(10) + b"\xff\xff"


def guess(file: BinaryIO) -> tuple[Network, ...]:
    """Return the networks that can only be the home, none where private addresses tell, or nothing does.

    The file is read from where it is. Raises SensorError for what is no capture.
    """
    places = Places()
    seen: Counter[bytes] = Counter()
    total = 0
    for packet in islice(_readable(file), _LOOKED_AT):
        frame = _frame(packet)
        if frame is None:
            continue
        ends = (frame.source, frame.destination)
        if any(map(places.is_routed, ends)):
            return ()
        if all(places[each] == INTERNET for each in ends):
            # In the order in which they spoke: of two that only talk to each other the first is the device
            seen.update(list(dict.fromkeys(map(network_of, ends))))
            total += 1
    network, number = seen.most_common(1)[0] if seen else (b"", 0)
    return (as_network(network),) if number and number >= _SHARE * total else ()


def _readable(file: BinaryIO) -> Iterator[Packet]:
    """Yield packets as far as they can be read."""
    with suppress(Damaged, OSError):
        yield from read_packets(file, Counter())


def _frame(packet: Packet) -> Frame | None:
    """Return what a packet's headers say."""
    reader = LINKS.get(packet.link_type)
    link = None if reader is None else reader(packet.data)
    return None if link is None else read(packet.data, link.offset, link.ethertype, packet.length)


def network_of(address: bytes) -> bytes:
    """Return the network that an address of sixteen bytes is usually in: its first bytes."""
    return address[:15] if address.startswith(_MAPPED) else address[:8]


def as_network(first: bytes) -> Network:
    """Return the prefix that begins so: /24 of IPv4, /64 of IPv6."""
    if first.startswith(_MAPPED):
        return ipaddress.IPv4Network((first[12:15] + b"\0", _IPV4))
    return ipaddress.IPv6Network((first[:8] + bytes(8), _IPV6))
