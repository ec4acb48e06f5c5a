"""Datagrams at a steady rate from many ports, as programs send them."""

import socket
import time
from contextlib import ExitStack
from typing import Final

from bench.network import Namespace

_SIZE: Final = 22
#: Sent between two looks at the clock.
_BURST: Final = 100


def send(sender: Namespace, address: tuple[str, int], packets: int, rate: int, ports: int) -> float:
    """Send so many, so many a second, from so many ports in turn; return how many a second it was in truth."""
    with sender.thread() as thread:
        return thread.submit(_send, address, packets, rate, ports).result()


def _send(address: tuple[str, int], packets: int, rate: int, ports: int) -> float:
    """Send in the calling thread's namespace."""
    data = bytes(_SIZE)
    with ExitStack() as stack:
        sockets = []
        for _ in range(ports):
            made = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            made.connect(address)
            sockets.append(made)
        begun = time.monotonic()
        for sent in range(0, packets, _BURST):
            time.sleep(max(0.0, begun + sent / rate - time.monotonic()))
            for number in range(sent, min(sent + _BURST, packets)):
                sockets[number % ports].send(data)
        return packets / (time.monotonic() - begun)
