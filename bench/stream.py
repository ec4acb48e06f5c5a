"""One TCP connection between two hosts, as fast as it goes."""

import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

from bench import cpu
from bench.network import Namespace

_PIECE: Final = 1 << 18
#: Nothing gets through for so long: something is wrong with the way, not with its speed.
_STALLED: Final = 10.0


class Flow(NamedTuple):
    """What a connection carried."""

    speed: float  # Gbit/s
    per_cpu: float  # Gbit per second of CPU time, of both ends and all between


def flow(sender: Namespace, receiver: Namespace, address: str, seconds: float) -> Flow:
    """Send from one host to another at this address for so long."""
    listener = receiver.inside(lambda: socket.create_server((address, 0)))
    with listener:
        listener.settimeout(_STALLED)
        outgoing = sender.inside(lambda: socket.create_connection(listener.getsockname(), _STALLED))
        incoming, _ = listener.accept()
    incoming.settimeout(_STALLED)
    with ThreadPoolExecutor(1) as thread, incoming, outgoing:
        sending = thread.submit(_send, outgoing)
        try:
            begun, spent = time.monotonic(), cpu.of_thread_and_softirqs(os.sched_getaffinity(0))
            gigabits = _receive(incoming, seconds) * 8e-9
            elapsed = time.monotonic() - begun
            spent = cpu.of_thread_and_softirqs(os.sched_getaffinity(0)) - spent
        finally:
            incoming.close()  # which ends the sending
        return Flow(gigabits / elapsed, gigabits / (spent + sending.result()) * 1e9)


def _send(outgoing: socket.socket) -> int:
    """Send until the other end closes; return the CPU time that it took in ns."""
    piece, begun = bytes(_PIECE), time.thread_time_ns()
    try:
        while True:
            outgoing.sendall(piece)
    except OSError:
        return time.thread_time_ns() - begun


def _receive(incoming: socket.socket, seconds: float) -> int:
    """Receive for so long; return how many bytes came."""
    buffer = bytearray(_PIECE)
    deadline, got = time.monotonic() + seconds, 0
    while time.monotonic() < deadline:
        count = incoming.recv_into(buffer)
        if not count:
            raise ConnectionError("the sender has gone")
        got += count
    return got
