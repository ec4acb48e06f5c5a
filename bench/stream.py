"""One TCP connection between two hosts, as fast as it goes."""

import socket
import threading
import time
from typing import Final

from bench.network import Namespace

_PIECE: Final = 1 << 18
#: A connection begins slowly; this long is not measured.
_WARMUP: Final = 0.2
#: Nothing gets through for so long: something is wrong with the way, not with its speed.
_STALLED: Final = 10.0


def throughput(sender: Namespace, receiver: Namespace, address: str, seconds: float) -> float:
    """Return how much a receiver at this address got from the sender, in Gbit/s."""
    listener = receiver.inside(lambda: socket.create_server((address, 0)))
    with listener:
        listener.settimeout(_STALLED)
        outgoing = sender.inside(lambda: socket.create_connection(listener.getsockname(), _STALLED))
        incoming, _ = listener.accept()
    with incoming, outgoing:
        incoming.settimeout(_STALLED)
        writer = threading.Thread(target=_send, args=(outgoing,), daemon=True)
        writer.start()
        try:
            _receive(incoming, _WARMUP)
            begun = time.monotonic()
            got = _receive(incoming, seconds)
            return got * 8e-9 / (time.monotonic() - begun)
        finally:
            incoming.close()  # which ends the writer
            writer.join()


def _send(outgoing: socket.socket) -> None:
    """Send until the other end closes."""
    piece = bytes(_PIECE)
    try:
        while True:
            outgoing.sendall(piece)
    except OSError:
        return


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
