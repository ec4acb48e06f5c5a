"""Frames of conversations between a device of the home and a host of the internet, as both ends send them."""

import ipaddress
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

UP: Final = 0
DOWN: Final = 1

TCP: Final = 6
UDP: Final = 17

SYN: Final = 0x02
ACK: Final = 0x10
PUSH_ACK: Final = 0x18
FIN_ACK: Final = 0x11

_ETHERNET: Final = 14
_IPV4: Final = 20
#: Where a port of the source, and of the destination, stands in a frame.
_PORT_AT: Final = {UP: _ETHERNET + _IPV4, DOWN: _ETHERNET + _IPV4 + 2}
_MSS: Final = bytes((2, 4, 5, 180, 4, 2, 1, 3, 3, 7, 1, 1))
_MAX_SEGMENT: Final = 1400


class Ends(NamedTuple):
    """Who talks: MACs and IPv4 addresses of a device and of its peer behind the gateway."""

    mac: bytes
    address: str
    gateway_mac: bytes
    peer: str
    peer_router_mac: bytes
    wan_mac: bytes


class Segment(NamedTuple):
    """One frame of a conversation; the device's port, which makes it a new flow, is written into it each time."""

    step: int
    direction: int
    frame: bytes

    @property
    def port_at(self) -> int:
        """Where the device's port stands in the frame."""
        return _PORT_AT[self.direction]


def checksum(header: bytes) -> bytes:
    """Return an IPv4 header's checksum."""
    total: int = sum(word for (word,) in struct.iter_unpack(">H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (total ^ 0xFFFF).to_bytes(2, "big")


def _frame(ends: Ends, direction: int, protocol: int, datagram: bytes) -> bytes:
    """Return a frame; nobody on its way looks at TCP's and UDP's checksums, and it has none."""
    near, far = (ipaddress.IPv4Address(each).packed for each in (ends.address, ends.peer))
    if direction == UP:
        macs, addresses = ends.gateway_mac + ends.mac, near + far
    else:
        macs, addresses = ends.wan_mac + ends.peer_router_mac, far + near
    header = struct.pack(">BBHHHBBH", 0x45, 0, _IPV4 + len(datagram), 0, 0x4000, 64, protocol, 0)
    header += addresses
    header = header[:10] + checksum(header) + header[12:]
    return macs + b"\x08\x00" + header + datagram


def datagrams(ends: Ends, port: int, messages: list[tuple[int, int, bytes]]) -> list[Segment]:
    """Return the frames of a conversation over UDP: each message with its step and direction."""
    found = []
    for step, direction, data in messages:
        ports = (0, port) if direction == UP else (port, 0)
        datagram = struct.pack(">HHHH", *ports, 8 + len(data), 0) + data
        found.append(Segment(step, direction, _frame(ends, direction, UDP, datagram)))
    return found


def connection(ends: Ends, port: int, request: bytes, answer: bytes, more: bytes) -> list[Segment]:
    """Return the frames of a TCP connection: a request, its answer, then more both ways, and the end."""
    return list(_connection(ends, port, request, answer, more))


def _connection(
    ends: Ends, port: int, request: bytes, answer: bytes, more: bytes
) -> Iterator[Segment]:
    """Yield a connection's frames, keeping count of what each end has sent."""
    sent = [0x10000000, 0x20000000]

    def say(step: int, direction: int, flags: int, data: bytes = b"") -> Segment:
        options = _MSS if flags & SYN else b""
        ports = (0, port) if direction == UP else (port, 0)
        header = struct.pack(
            ">HHIIBBHHH",
            *ports,
            sent[direction],
            sent[1 - direction] if flags & ACK else 0,
            (20 + len(options)) << 2,
            flags,
            64240,
            0,
            0,
        )
        sent[direction] += len(data) + (1 if flags & 0x03 else 0)
        return Segment(step, direction, _frame(ends, direction, TCP, header + options + data))

    yield say(0, UP, SYN)
    yield say(1, DOWN, SYN | ACK)
    yield say(2, UP, ACK)
    for piece in pieces(request):
        yield say(2, UP, PUSH_ACK, piece)
    for piece in pieces(answer):
        yield say(3, DOWN, PUSH_ACK, piece)
    yield say(4, UP, ACK)
    if more:
        yield say(4, UP, PUSH_ACK, more[: len(more) // 8])
        for piece in pieces(more):
            yield say(5, DOWN, PUSH_ACK, piece)
    yield say(6, UP, FIN_ACK)
    yield say(7, DOWN, FIN_ACK)
    yield say(8, UP, ACK)


def pieces(data: bytes) -> list[bytes]:
    """Return data as TCP sends it, in segments."""
    return [data[at : at + _MAX_SEGMENT] for at in range(0, len(data), _MAX_SEGMENT)]
