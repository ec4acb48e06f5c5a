"""Sends numbered UDP datagrams at a steady rate, the counterpart of the sink."""

import json
import select
import signal
import socket
import time
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lab.sink import LABEL_BYTES, SEQUENCE

MAX_RATE: Final = 20_000.0
MAX_SECONDS: Final = 3600.0
MIN_BYTES: Final = SEQUENCE.size + LABEL_BYTES
MAX_BYTES: Final = 1400
#: How long to wait for echoes after the last datagram.
ECHO_SECONDS: Final = 0.5
#: How soon a slow sender notices that it shall stop.
STOP_SECONDS: Final = 0.1


@dataclass(slots=True)
class Record:
    """What was sent and what came back, in CLOCK_MONOTONIC ns; sent_ns[n] belongs to number n."""

    errors: int = 0
    sent_ns: "array[int]" = field(default_factory=lambda: array("q"))
    echoes: list[tuple[int, int]] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """Return what goes into JSON."""
        sent = len(self.sent_ns) - self.errors
        return {
            "sent": sent,
            "errors": self.errors,
            "first_sequence": 0 if self.sent_ns else None,
            "last_sequence": len(self.sent_ns) - 1 if self.sent_ns else None,
            "first_sent_ns": self.sent_ns[0] if self.sent_ns else None,
            "last_sent_ns": self.sent_ns[-1] if self.sent_ns else None,
            "echoed": len(self.echoes),
            "last_echo": self.echoes[-1][0] if self.echoes else None,
            "last_echo_ns": self.echoes[-1][1] if self.echoes else None,
        }


def _take_echoes(sock: socket.socket, record: Record) -> None:
    while True:
        try:
            data = sock.recv(MAX_BYTES)
        except BlockingIOError:
            return
        except OSError:  # an ICMP error for an earlier datagram
            continue
        record.echoes.append((SEQUENCE.unpack_from(data)[0], time.monotonic_ns()))


def send(to: tuple[str, int], *, rate: float, seconds: float, size: int, label: str) -> Record:
    """Send until the time is over or SIGTERM or SIGINT comes.

    Each datagram has its own due time, so a sender that was held up catches up and the number sent
    is exact. A datagram that the kernel refuses is counted as an error and keeps its number.
    """
    stopped = False

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    tail = label.encode("ascii")[:LABEL_BYTES].ljust(size - SEQUENCE.size, b"\0")
    record = Record()
    interval = 1 / rate
    with socket.socket(
        socket.AF_INET6 if ":" in to[0] else socket.AF_INET, socket.SOCK_DGRAM
    ) as sock:
        sock.setblocking(False)
        sock.connect(to)
        begin = time.monotonic()
        for sequence in range(round(rate * seconds)):
            while not stopped and (delay := begin + sequence * interval - time.monotonic()) > 0:
                time.sleep(min(delay, STOP_SECONDS))
            if stopped:
                break
            record.sent_ns.append(time.monotonic_ns())
            try:
                sock.send(SEQUENCE.pack(sequence) + tail)
            except OSError:
                record.errors += 1
            _take_echoes(sock, record)
        deadline = time.monotonic() + ECHO_SECONDS
        while record.echoes and (left := deadline - time.monotonic()) > 0:
            if select.select([sock], [], [], left)[0]:
                _take_echoes(sock, record)
    return record


def report(record: Record, log: Path | None) -> None:
    """Print the summary as JSON, and write every single time to the log if one is wanted."""
    if log:
        log.write_text(json.dumps({"sent_ns": list(record.sent_ns), "echoes": record.echoes}))
    print(json.dumps(record.summary()))
