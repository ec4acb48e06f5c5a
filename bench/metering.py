"""What the meter takes for a small packet, through BPF_PROG_TEST_RUN: flows, and samples, beside counting alone."""

import os
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from bench import crowd, frames, hellos
from bench.figures import Figure
from bench.hearthwall import Programs, loaded
from bench.reference import Reference
from bench.rounds import Compared, Rounds, alternate_one
from bench.segments import DOWN, UP, Ends, datagrams
from hearthwall_sensor.kernel.libbpf import Program
from hearthwall_sensor.kernel.ringbuf import RingBuffer

#: What lets other programs see the packet too: it passes.
_NEXT: Final = 0xFFFFFFFF
_DIRECTIONS: Final[Mapping[str, int]] = {"ingress": UP, "egress": DOWN}
_PORT: Final = 4000
_PAYLOAD: Final = frames.FRAME - 14 - 20 - 8
#: A device may have so many samples at once; the ring has room for them.
_SAMPLES: Final = 2_000
#: The step of the meter that counts and samples.
_OBSERVE: Final = struct.pack("<I", 1)

COUNTERS: Final = "tc counters alone"
VERDICT: Final = "Hearthwall, verdict alone"
OURS: Final = "Hearthwall"
OURS_DNS: Final = "Hearthwall, DNS, not sampled"
OURS_SAMPLED: Final = "Hearthwall, DNS, sampled"
ONE: Final = "one flow"
MANY: Final = f"{crowd.FLOWS:,} flows in turn"


class _Bench(NamedTuple):
    """The programs and the frames that they meet."""

    reference: Reference
    hearthwall: Programs
    small: Mapping[int, bytes]
    telling: Mapping[int, bytes]
    rings: tuple[RingBuffer, ...]
    repeat: int

    # What runs

    def counters(self, hook: str, *, many: bool) -> float:
        """Count bytes and packets of each device."""
        return self._one_or_many(self.reference.programs[f"count_{hook}"], hook, many=many)

    def meter(self, hook: str, *, many: bool) -> float:
        """Meet the meter as it is, with flows that it knows."""
        begun = self.hearthwall.tables.statistics()["flows_created"]
        program = self.hearthwall.program(f"meter_{hook}")
        took = self._one_or_many(program, hook, many=many)
        program.close()
        begun = self.hearthwall.tables.statistics()["flows_created"] - begun
        if begun:
            raise AssertionError(f"{begun} flows are new")
        return took

    def verdict(self, hook: str) -> float:
        """Meet the meter without what is counted and sampled of a packet that passes."""
        steps = self.hearthwall.tables.map("meter_steps")
        steps.delete(_OBSERVE)
        try:
            return self.meter(hook, many=False)
        finally:
            observe = self.hearthwall.program("meter_observe")
            steps.put(_OBSERVE, struct.pack("<i", observe.fd))
            observe.close()

    def telling_packet(self, hook: str, *, sample: bool) -> float:
        """Meet the meter with a packet of which everyone is sampled, if that is wished for."""
        tables = self.hearthwall.tables
        tables.watch_names(resolved=False, sample=sample)
        try:
            with self._fresh_budget():
                meter = self.hearthwall.program(f"meter_{hook}")
                took = _nanoseconds(meter, self.telling[_DIRECTIONS[hook]], _SAMPLES)
                meter.close()
                return took
        finally:
            tables.watch_names(resolved=False, sample=True)
            taken = 0
            for ring in self.rings:
                while records := ring.read():
                    taken += len(records)
            if taken < (_SAMPLES if sample else 0):
                raise AssertionError(f"{taken} of {_SAMPLES} packets were sampled")

    # How

    def _one_or_many(self, program: Program, hook: str, *, many: bool) -> float:
        """Run over a small packet of one flow, or of 65,536 in turn."""
        direction = _DIRECTIONS[hook]
        if many:
            program = self.reference.rotate_flows_before(program, upload=direction == UP)
        return _nanoseconds(program, self.small[direction], self.repeat)

    @contextmanager
    def _fresh_budget(self) -> Iterator[None]:
        """Have the device begin anew."""
        table = self.hearthwall.tables.map("devices")
        for key in list(table.keys()):
            table.delete(key)
        self.hearthwall.program("meter_ingress").run(self.small[UP])
        yield


def _nanoseconds(program: Program, frame: bytes, repeat: int) -> float:
    """Return the CPU time of one run."""
    verdict, _ = program.run(frame)
    if verdict != _NEXT:
        raise AssertionError(f"the verdict is {verdict}")
    begun = time.thread_time_ns()
    program.run(frame, repeat)
    return (time.thread_time_ns() - begun) / repeat


def _frames(port: int, data: Mapping[int, bytes]) -> dict[int, bytes]:
    """Return a datagram of each direction, as the gateway's LAN side meets it."""
    device, gateway = (
        bytes.fromhex(each.replace(":", "")) for each in (frames.SENDER, frames.RECEIVER)
    )
    ends = Ends(device, frames.INNOCENT, gateway, frames.FAR, gateway, device)
    found = {}
    for direction, each in data.items():
        (segment,) = datagrams(ends, port, [(0, direction, each)])
        frame = bytearray(segment.frame)
        struct.pack_into(">H", frame, segment.port_at, _PORT)
        found[direction] = bytes(frame)
    return found


@contextmanager
def _bench(folder: Path, repeat: int) -> Iterator[_Bench]:
    """Load all programs, and put 65,536 flows into the table; all happens on one CPU, whose budget is its own."""
    cpus = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cpus)})
    try:
        with loaded(folder, "metering", 0) as programs:
            programs.tables.watch_names(resolved=False, sample=True)
            crowd.fill(programs.tables.map("flows"))
            small = _frames(frames.PORT, {UP: bytes(_PAYLOAD), DOWN: bytes(_PAYLOAD)})
            name, address = "api.vendor.example", frames.FAR
            telling = {UP: hellos.question(1, name), DOWN: hellos.answer(1, name, address)}
            rings = tuple(
                RingBuffer(programs.tables.map(each).fd) for each in ("samples", "answers")
            )
            try:
                yield _Bench(Reference(), programs, small, _frames(53, telling), rings, repeat)
            finally:
                for ring in rings:
                    ring.close()
    finally:
        os.sched_setaffinity(0, cpus)


def _contenders(bench: _Bench, hook: str) -> dict[str, Callable[[], float]]:
    """Return all that is measured at one of the hooks."""
    return {
        f"{COUNTERS}, {ONE}": partial(bench.counters, hook, many=False),
        f"{COUNTERS}, {MANY}": partial(bench.counters, hook, many=True),
        VERDICT: partial(bench.verdict, hook),
        f"{OURS}, {ONE}": partial(bench.meter, hook, many=False),
        f"{OURS}, {MANY}": partial(bench.meter, hook, many=True),
        OURS_DNS: partial(bench.telling_packet, hook, sample=False),
        OURS_SAMPLED: partial(bench.telling_packet, hook, sample=True),
    }


def measure(folder: Path, rounds: Rounds, repeat: int) -> list[Figure]:
    """Return the figures of the kernel's part."""
    figures = []
    with _bench(folder, repeat) as bench:
        for hook in _DIRECTIONS:
            title = f"small packet, {hook}"
            contenders = _contenders(bench, hook)
            figures += alternate_one(title, contenders, "ns", rounds).figures(
                title,
                [
                    *map(Compared, contenders),
                    Compared(f"{OURS}, {ONE}", f"{COUNTERS}, {ONE}"),
                    Compared(f"{OURS}, {MANY}", f"{COUNTERS}, {MANY}"),
                ],
            )
    return figures
