"""The meter attached to nothing: frames of a device and towards it, and the flows and samples that come of them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from hearthwall_sensor.flows.flow import Counted, FlowKey, Sample, read_sample
from hearthwall_sensor.kernel.flow_table import FlowTable
from hearthwall_sensor.kernel.ringbuf import RingBuffer
from tests.gateway.unattached import Programs

MAC, GATEWAY_MAC = "00:00:5e:00:53:21", "00:00:5e:00:53:01"
DEVICE, PEER = "192.168.20.21", "203.0.113.9"
DEVICE6, PEER6 = "fd00::21", "2001:db8::9"

UP: Final = Ether(src=MAC, dst=GATEWAY_MAC)
DOWN: Final = Ether(src=GATEWAY_MAC, dst=MAC)
UP4: Final = UP / IP(src=DEVICE, dst=PEER)
DOWN4: Final = DOWN / IP(src=PEER, dst=DEVICE)
UP6: Final = UP / IPv6(src=DEVICE6, dst=PEER6)
DOWN6: Final = DOWN / IPv6(src=PEER6, dst=DEVICE6)


class Meter:
    """The meter's programs and what they tell."""

    def __init__(self, programs: Programs) -> None:
        self.programs = programs
        self.tables = programs.tables
        self.directory = programs.directory
        self.rings = [RingBuffer(self.tables.map(name).fd) for name in ("samples", "answers")]
        self.tables.watch_names(resolved=False, sample=True)
        self.samples()
        self.table = FlowTable(self.tables)
        self.table.delete([key for key, _ in self.table.read()])

    def close(self) -> None:
        for ring in self.rings:
            ring.close()

    def meet(self, program: str, frame: Packet | bytes, segment: int = 0) -> str:
        """Let a program meet a frame, which may stand for many of one segment each; return the verdict."""
        return self.programs.benches[program].verdict(bytes(frame), segment)

    def up(self, *frames: Packet | bytes, segment: int = 0) -> None:
        """Let frames come from a device."""
        for frame in frames:
            assert self.meet("meter_ingress", frame, segment) == "pass"

    def down(self, *frames: Packet | bytes, segment: int = 0) -> None:
        """Let frames go to a device."""
        for frame in frames:
            assert self.meet("meter_egress", frame, segment) == "pass"

    def flows(self) -> dict[FlowKey, Counted]:
        """Return all flows."""
        return {FlowKey.unpack(key): Counted._make(counted) for key, counted in self.table.read()}

    def flow(self) -> tuple[FlowKey, Counted]:
        """Return the only flow."""
        ((key, counted),) = self.flows().items()
        return key, counted

    def samples(self) -> list[Sample]:
        """Take all samples of both rings, in the order in which they were made."""
        taken = []
        for ring in self.rings:
            while records := ring.read():
                for record in records:
                    sample = read_sample(record)
                    assert sample is not None
                    taken.append(sample)
        return sorted(taken, key=lambda each: each.time)

    def statistic(self, name: str) -> int:
        """Return one of the programs' own counters."""
        return self.tables.statistics()[name]


@contextmanager
def on_cpu(number: int) -> Iterator[None]:
    """Stay on one CPU: budgets and free places are each CPU's own."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {number})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
