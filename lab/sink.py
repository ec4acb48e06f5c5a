"""Counts UDP datagrams exactly: which numbers came from whom, and when the kernel got them.

A datagram begins with its sequence number (8 bytes, big-endian); the next 16 may hold the sender's
label, which tells devices apart that NAT gives the same address.
"""

import asyncio
import json
import signal
import socket
import struct
import time
from array import array
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

SEQUENCE: Final = struct.Struct("!Q")
LABEL_BYTES: Final = 16

#: Numbers as in Linux's asm-generic/socket.h; Python's socket module does not name them.
SO_RCVBUFFORCE: Final = 33
SO_TIMESTAMPNS: Final = 35
SO_RXQ_OVFL: Final = 40
_TIMESPEC: Final = struct.Struct("@ll")
_UINT32: Final = struct.Struct("@I")
_ANCILLARY_BYTES: Final = socket.CMSG_SPACE(_TIMESPEC.size) + socket.CMSG_SPACE(_UINT32.size)

#: Several seconds' worth at any rate that a test sends.
BUFFER_BYTES: Final = 8 << 20
DATAGRAM_BYTES: Final = 2048
#: Streams and numbers that are remembered one by one; everything beyond is still counted.
MAX_STREAMS: Final = 1000
MAX_REMEMBERED: Final = 1_000_000


@dataclass(slots=True)
class Stream:
    """What came from one sender. Times are CLOCK_MONOTONIC in ns."""

    address: str
    label: str
    count: int = 0
    bytes: int = 0
    first_sequence: int = 0
    last_sequence: int = 0
    first_arrival_ns: int = 0
    last_arrival_ns: int = 0
    sequences: "array[int]" = field(default_factory=lambda: array("Q"))
    arrivals_ns: "array[int]" = field(default_factory=lambda: array("q"))

    def add(self, sequence: int, size: int, arrival: int) -> None:
        """Count one datagram."""
        if not self.count:
            self.first_sequence, self.first_arrival_ns = sequence, arrival
        self.count += 1
        self.bytes += size
        self.last_sequence, self.last_arrival_ns = sequence, arrival
        if len(self.sequences) < MAX_REMEMBERED:
            self.sequences.append(sequence)
            self.arrivals_ns.append(arrival)

    def as_dict(self, *, full: bool) -> dict[str, Any]:
        """Return what goes into JSON."""
        short = {
            name: getattr(self, name)
            for name in self.__slots__
            if name not in ("sequences", "arrivals_ns")
        }
        return short | (
            {"sequences": list(self.sequences), "arrivals_ns": list(self.arrivals_ns)}
            if full
            else {}
        )


class Sink:
    """Any number of listening sockets with one record."""

    def __init__(self) -> None:
        self._sockets: dict[socket.socket, int] = {}
        self.reset()

    def reset(self) -> None:
        """Forget all that was counted."""
        self._streams: dict[tuple[str, bytes], Stream] = {}
        self._malformed = 0
        self._lost_before = sum(self._sockets.values())

    def listen(self, address: str, port: int) -> None:
        """Receive on the address from now on; needs a running event loop."""
        sock = socket.socket(
            socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM
        )
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        sock.setsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL, 1)
        sock.bind((address, port))
        self._sockets[sock] = 0
        asyncio.get_running_loop().add_reader(sock, self._receive, sock)

    def _receive(self, sock: socket.socket) -> None:
        """Take all that waits. The kernel stamps wall-clock time, hence the offset, ever fresh."""
        offset = time.monotonic_ns() - time.time_ns()
        while True:
            try:
                data, ancillary, _, sender = sock.recvmsg(DATAGRAM_BYTES, _ANCILLARY_BYTES)
            except BlockingIOError:
                return
            arrival = 0
            for _, kind, value in ancillary:
                if kind == SO_TIMESTAMPNS:
                    seconds, nanoseconds = _TIMESPEC.unpack(value)
                    arrival = seconds * 1_000_000_000 + nanoseconds + offset
                elif kind == SO_RXQ_OVFL:
                    (self._sockets[sock],) = _UINT32.unpack(value)
            if len(data) < SEQUENCE.size:
                self._malformed += 1
                continue
            self._add(sender[0], data, arrival)

    def _add(self, address: str, data: bytes, arrival: int) -> None:
        label = data[SEQUENCE.size : SEQUENCE.size + LABEL_BYTES].rstrip(b"\0")
        stream = self._streams.get((address, label))
        if stream is None:
            if len(self._streams) == MAX_STREAMS:
                self._malformed += 1
                return
            stream = self._streams[address, label] = Stream(
                address, label.decode("ascii", "replace")
            )
        stream.add(SEQUENCE.unpack_from(data)[0], len(data), arrival)

    def as_dict(self, *, full: bool = False) -> dict[str, Any]:
        """Return the record; it is exact if `lost_here`, its own buffer's overflow, is 0."""
        return {
            "streams": [stream.as_dict(full=full) for stream in self._streams.values()],
            "malformed": self._malformed,
            "lost_here": sum(self._sockets.values()) - self._lost_before,
        }


async def _collect(address: str, port: int, seconds: float) -> dict[str, Any]:
    sink = Sink()
    sink.listen(address, port)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    print("listening", flush=True)
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    return sink.as_dict(full=True)


def main(listen: tuple[str, int], seconds: float) -> None:
    """Listen for a while, or until SIGTERM, then print the full record as JSON."""
    print(json.dumps(asyncio.run(_collect(*listen, seconds))))
