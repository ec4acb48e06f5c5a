"""Reads a pinned table of flows as bcc's users do: a line says how, a line of JSON says how long it took."""

import json
import os
import sys
import time

from hearthwall_sensor.kernel.libbpf import Handle
from hearthwall_sensor.kernel.units import NETWORK, SOURCES


def main(pinned: str) -> None:
    """Read whenever asked to."""
    os.environ["BCC_KERNEL_SOURCE"] = str(SOURCES)
    from bcc import BPF  # noqa: PLC0415, it takes memory that nobody else here needs

    unit = BPF(text=NETWORK.source(), cflags=NETWORK.defines())
    table = unit["flows"]
    table.map_fd = Handle.pinned(pinned).fd
    for line in sys.stdin:
        begun = time.thread_time_ns()
        found = sum(1 for _ in getattr(table, line.strip())())
        took = (time.thread_time_ns() - begun) / 1e6
        print(json.dumps({"flows": found, "milliseconds": took}), flush=True)


main(sys.argv[1])
