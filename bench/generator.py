"""Frames made in the kernel (BPF_F_TEST_XDP_LIVE_FRAMES), and the CPU time that they cost until they are gone."""

import os
import struct
import sys
import time
from typing import Final

from bench import cpu
from bench.network import Namespace
from bench.reference import Reference

_LIVE_FRAMES: Final = 1 << 1
_TEMPLATE: Final = struct.Struct("<QQ64s")
#: A veth's ring takes 256 frames; what does not fit is lost before it is measured.
_BATCH: Final = 64
#: What waits in queues when the last frame has been sent is gone after this.
_SETTLED: Final = 0.02


class Generator:
    """Sends frames through an interface, and everything that happens to them is on one CPU."""

    def __init__(self, reference: Reference, host: Namespace, interface: str) -> None:
        self._reference = reference
        way_out = host.index(interface).to_bytes(4, sys.byteorder)
        self._thread = host.thread()
        self._cpu = max(os.sched_getaffinity(0))
        self._thread.submit(os.sched_setaffinity, 0, {self._cpu}).result()
        self._thread.submit(reference.table("way_out").put, bytes(4), way_out).result()

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()

    def set(self, frame: bytes, flows: int = 1) -> None:
        """Say what is sent: one frame, or with so many source ports in turn."""
        value = _TEMPLATE.pack(0, flows, frame)
        self._reference.table("template").put(bytes(4), value)

    def send(self, packets: int) -> float:
        """Send as fast as can be; return the CPU time in ns per packet."""
        return self._thread.submit(self._send, packets).result()

    def _send(self, packets: int) -> float:
        """Send in the thread that lives beside the interface."""
        before = cpu.of_thread_and_softirqs([self._cpu])
        self._reference.programs["generate"].run(bytes(64), packets, _LIVE_FRAMES, _BATCH)
        time.sleep(_SETTLED)
        return (cpu.of_thread_and_softirqs([self._cpu]) - before) / packets
