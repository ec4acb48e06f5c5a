"""Packets as a gateway captures them: headers whole, long payloads cut off, and what GRO joins in one record."""

import struct
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final, NamedTuple

#: A record stands for so many bytes of a long transfer at most, more than GRO joins: a film is few records that way.
#: The length field says 0, as that of BIG TCP does.
PIECE: Final = 1024 * 1024
#: So much of a payload is captured at most.
_SNAPPED: Final = 1400
#: Bytes per second of a transfer that nobody slows down.
FAST: Final = 6_000_000.0
#: An acknowledgement is captured for so many records of a long transfer.
_ACKNOWLEDGED: Final = 4

TCP: Final = 6
UDP: Final = 17
FIN, SYN, RST, ACK = 1, 2, 4, 16
BROADCAST: Final = b"\xff" * 6

_PCAP: Final = struct.Struct("<IHHiIII")
_RECORD: Final = struct.Struct("<IIII")
_TCP_HEAD: Final = struct.Struct(">HHIIBBHHH")
_UDP_HEAD: Final = struct.Struct(">HHHH")


class Record(NamedTuple):
    """One packet of a capture."""

    time: int
    """Microseconds since the epoch."""
    data: bytes
    length: int
    """On the wire."""


class Ends(NamedTuple):
    """The two ends of a conversation; addresses are four or sixteen bytes."""

    mac: bytes
    address: bytes
    port: int
    peer_mac: bytes
    peer: bytes
    peer_port: int

    def turned(self) -> "Ends":
        """Return them as the other end sees them."""
        return Ends(*self[3:], *self[:3])


class Turn(NamedTuple):
    """One side says something, a while after the last thing that was said."""

    pause: float
    is_up: bool
    size: int
    payload: bytes = b""
    """How it begins; the rest is not captured."""
    rate: float = FAST


def up(size: int, payload: bytes = b"", *, pause: float = 0.02, rate: float = FAST) -> Turn:
    """Return what the side that called says."""
    return Turn(pause, True, max(size, len(payload)), payload, rate)


def down(size: int, payload: bytes = b"", *, pause: float = 0.02, rate: float = FAST) -> Turn:
    """Return what the side that was called says."""
    return Turn(pause, False, max(size, len(payload)), payload, rate)


class Way:
    """Makes the frames from one end to the other."""

    def __init__(self, ends: Ends, protocol: int) -> None:
        """Take both ends, as the sender sees them, and what IP carries."""
        self._is_v4 = len(ends.address) == 4
        kind = b"\x08\0\x45\0" if self._is_v4 else b"\x86\xdd\x60\0\0\0"
        self._before = ends.peer_mac + ends.mac + kind
        both = ends.address + ends.peer
        if self._is_v4:
            self._after = both
            self._fixed = bytes((0, 0, 0x40, 0, 64, protocol))
            words = struct.unpack(">3H4H", self._fixed + both)
            self._sum = 0x4500 + sum(words)
        else:
            self._after = bytes((protocol, 64)) + both

    def frame(self, message: bytes, more: int = 0) -> tuple[bytes, int]:
        """Return a frame with a message of which `more` bytes are not captured, and its length on the wire."""
        size = len(message) + more
        if not self._is_v4:
            length = size if size < 65_536 else 0
            return b"".join((self._before, length.to_bytes(2, "big"), self._after, message)), (
                size + 54
            )
        total = size + 20 if size + 20 < 65_536 else 0
        found = self._sum + total
        found = (found & 0xFFFF) + (found >> 16)
        found = ~((found & 0xFFFF) + (found >> 16)) & 0xFFFF
        head = (self._before, total.to_bytes(2, "big"), self._fixed, found.to_bytes(2, "big"))
        return b"".join((*head, self._after, message)), size + 34


class Air:
    """The packets that have been made, in no order."""

    def __init__(self) -> None:
        """Begin with none."""
        self.records: list[Record] = []

    def put(self, time: float, frame: bytes, length: int | None = None) -> None:
        """Add a frame; time is seconds since the epoch."""
        self.records.append(Record(int(time * 1e6), frame, length or len(frame)))

    def take_until(self, end: float) -> list[Record]:
        """Give up the packets before a time, in order."""
        limit = int(end * 1e6)
        self.records.sort(key=lambda each: each.time)
        low, high = 0, len(self.records)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self.records[middle].time < limit else (low, middle)
        found = self.records[:low]
        del self.records[:low]
        return found

    def datagram(
        self, time: float, ends: Ends, payload: bytes, size: int = 0, way: Way | None = None
    ) -> None:
        """Add a UDP datagram, or several that GRO joined, of `size` bytes."""
        size = max(size, len(payload))
        head = _UDP_HEAD.pack(ends.port, ends.peer_port, size + 8 if size + 8 < 65_536 else 0, 0)
        self.put(
            time, *(way or Way(ends, UDP)).frame(head + payload[:_SNAPPED], size - len(payload))
        )

    def datagrams(self, time: float, ends: Ends, turns: Iterable[Turn]) -> float:
        """Add a conversation of datagrams; return when it ended."""
        ways = {True: Way(ends, UDP), False: Way(ends.turned(), UDP)}
        for pause, is_up, size, payload, _ in turns:
            time += pause
            self.datagram(time, ends if is_up else ends.turned(), payload, size, ways[is_up])
        return time

    def attempt(self, time: float, ends: Ends, times: int = 1, *, refused: bool = False) -> float:
        """Add a connection that comes to nothing; return when it was given up."""
        way = Way(ends, TCP)
        sequence = _first_number(time, ends)
        for each in range(times):
            self._segment(time + (1 << each) - 1, way, ends, (SYN, sequence, 0))
        if refused:
            back = ends.turned()
            self._segment(time + 0.02, Way(back, TCP), back, (RST | ACK, 0, sequence + 1))
        return time + (1 << times) - 1

    def connection(
        self, time: float, ends: Ends, turns: Iterable[Turn], *, rtt: float = 0.02, end: int = FIN
    ) -> float:
        """Add a connection; return when it ended. `end` is FIN, RST, or 0 for one that stays open."""
        back = ends.turned()
        ways = {True: (Way(ends, TCP), ends), False: (Way(back, TCP), back)}
        said = {True: _first_number(time, ends), False: _first_number(time, back)}
        self._segment(time, *ways[True], (SYN, said[True], 0))
        said[True] += 1
        time += rtt
        self._segment(time, *ways[False], (SYN | ACK, said[False], said[True]))
        said[False] += 1
        for pause, is_up, size, payload, rate in turns:
            time += pause
            sent = 0
            number = 0
            while sent < size:
                piece = min(PIECE, size - sent)
                begin = payload[:_SNAPPED] if not sent else b""
                state = (ACK, said[is_up] + sent, said[not is_up])
                self._segment(time, *ways[is_up], state, begin, piece - len(begin))
                sent += piece
                number += 1
                if sent < size:
                    if number % _ACKNOWLEDGED == 0:
                        state = (ACK, said[not is_up], said[is_up] + sent)
                        self._segment(time + rtt / 2, *ways[not is_up], state)
                    time += piece / rate
            said[is_up] += sent
        if end == RST:
            self._segment(time + rtt, *ways[True], (RST | ACK, said[True], said[False]))
        elif end:
            time += rtt
            self._segment(time, *ways[True], (FIN | ACK, said[True], said[False]))
            self._segment(time + rtt, *ways[False], (FIN | ACK, said[False], said[True] + 1))
        return time + rtt

    def _segment(  # noqa: PLR0913, PLR0917, called for each record: no object in between
        self,
        time: float,
        way: Way,
        ends: Ends,
        state: tuple[int, int, int],
        payload: bytes = b"",
        more: int = 0,
    ) -> None:
        """Add a segment with these flags, sequence and acknowledgement."""
        flags, sequence, acknowledged = state
        head = _TCP_HEAD.pack(
            ends.port,
            ends.peer_port,
            sequence & 0xFFFFFFFF,
            acknowledged & 0xFFFFFFFF,
            0x50,
            flags,
            64240,
            0,
            0,
        )
        frame, length = way.frame(head + payload, more)
        self.records.append(Record(int(time * 1e6), frame, length))


def _first_number(time: float, ends: Ends) -> int:
    """Return a connection's first sequence number, the same in every run."""
    return int(time * 250_000) + ends.port * 65_537 + ends.peer[-1] & 0xFFFFFFFF


def ethernet(mac: bytes, peer_mac: bytes, ethertype: int, data: bytes) -> bytes:
    """Return a frame that carries whatever."""
    return peer_mac + mac + ethertype.to_bytes(2, "big") + data


def arp(mac: bytes, address: bytes, peer: bytes, *, to: bytes | None = None) -> bytes:
    """Return a question for a peer's MAC, or with `to` the answer to one."""
    kind = b"\0\1" if to is None else b"\0\2"
    body = b"\0\1\x08\0\6\4" + kind + mac + address + (to or bytes(6)) + peer
    return ethernet(mac, to or BROADCAST, 0x0806, body)


HEADER: Final = _PCAP.pack(0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)


def packed(records: Iterable[Record]) -> Iterator[bytes]:
    """Yield records as they stand in a file."""
    for time, data, length in records:
        yield _RECORD.pack(*divmod(time, 1_000_000), len(data), length) + data


def write(file: BinaryIO, records: Iterable[Record]) -> int:
    """Write a capture; return how many packets it has."""
    file.write(HEADER)
    count = 0
    for each in packed(records):
        file.write(each)
        count += 1
    return count
