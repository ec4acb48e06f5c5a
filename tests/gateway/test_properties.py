"""The kernel's verdicts and counters against a plain model of the rules, over random rules and frames."""

import ipaddress
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies as st
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrRouting
from scapy.layers.l2 import Ether

from hearthwall_sensor.notation import boot_ns, mapped
from tests.gateway.model.frame import dissect
from tests.gateway.model.install import installed
from tests.gateway.model.judge import LOOKS, Oracle
from tests.gateway.model.orders import rule_sets
from tests.gateway.model.rules import Rule, RuleSet, Target
from tests.gateway.model.traffic import Sent, Traffic
from tests.gateway.model.world import World
from tests.gateway.unattached import Programs

pytestmark = pytest.mark.lab

RULE_SETS: Final = 3000
FRAMES: Final = 50
CASES: Final = 100_000
#: The home's side is met more often: MACs are judged there only.
PICKED: Final = (*LOOKS, "gate", "meter_ingress", "meter_egress")
#: The least header by type of frame.
HEADER: Final = {b"\x08\x00": 20, b"\x86\xdd": 40}
#: Rules on floods look at the clock, which stands still in the model: a run that took longer is made again.
LONGEST_RUN: Final = 0.3
COUNTED: Final = (
    "dropped_gate",
    "dropped_ingress",
    "dropped_egress",
    "dropped_wan",
    "dropped_flood",
    "redirected",
)


class Met(NamedTuple):
    """A frame, and the program that meets it."""

    sent: Sent
    program: str


class Case(NamedTuple):
    """Rules, and frames that follow from seeds: rules shrink while the frames stay."""

    rules: RuleSet
    frames: list[Met]

    def __repr__(self) -> str:
        return "a case"


@st.composite
def cases(draw: Any) -> Case:
    world = World(draw(st.integers(0, 2**16)))
    rules = draw(rule_sets(world))
    seed = draw(st.integers(0, 2**32))
    traffic, pick = Traffic(world, seed), random.Random(seed)
    return Case(rules, [met(traffic.frame(), pick) for _ in range(FRAMES)])


def met(sent: Sent, pick: random.Random) -> Met:
    """Let some program meet a frame: test runs in tc refuse IP without a whole header."""
    program = pick.choice(PICKED)
    if len(sent.data) < 14 + HEADER.get(sent.data[12:14], 0) and not LOOKS[program].early:
        program = "gate"
    return Met(sent, program)


class Comparison:
    """Kernel and model side by side."""

    def __init__(self, programs: Programs) -> None:
        self._programs = programs
        #: What the kernel said, by verdict.
        self.verdicts: Counter[str] = Counter()

    def check(self, case: Case) -> None:
        """Compare a case; where the two differ, say on which frame."""
        found = self._differences(case.rules, case.frames)
        if not found:
            return
        for met in case.frames:
            alone = self._differences(case.rules, [met])
            if alone:
                raise AssertionError(_told(alone, case.rules, [met]))
        raise AssertionError(_told(found, case.rules, case.frames))

    def _differences(self, rules: RuleSet, frames: Sequence[Met]) -> list[str]:
        while True:
            begun = time.monotonic()
            found = list(self._compare(rules, frames))
            if time.monotonic() - begun < LONGEST_RUN:
                return found

    def _compare(self, rules: RuleSet, frames: Sequence[Met]) -> Iterator[str]:
        rules.reset()
        oracle, tables = Oracle(rules, boot_ns()), self._programs.tables
        before = tables.statistics()
        with installed(tables, rules) as kernel:
            for (data, size), program in frames:
                segment = 0 if LOOKS[program].early else size
                verdict = self._programs.benches[program].verdict(data, segment)
                expected = oracle.verdict(dissect(data), program, segment)
                self.verdicts[verdict] += 1
                if verdict != expected:
                    yield f"{program} says {verdict}, the model {expected}"
            for rule, held in kernel.counters():
                if (held.packets, held.bytes) != (rule.packets, rule.bytes):
                    yield f"rule {rule.id} counts {held}, the model {rule.packets}, {rule.bytes}"
                if rule.packets and not oracle.now < held.first_hit <= held.last_hit:
                    yield f"rule {rule.id} was hit at {held}, the test began at {oracle.now}"
        for name, after in tables.statistics().items():
            if name in COUNTED and after - before[name] != oracle.statistics[name]:
                yield f"{name} grows by {after - before[name]}, not {oracle.statistics[name]}"


def _told(found: list[str], rules: RuleSet, frames: Sequence[Met]) -> str:
    """Return all that is needed to see a difference again."""
    lines = [f"{met.program} {met.sent.data.hex()} {dissect(met.sent.data)}" for met in frames]
    return "\n".join([*found, *rules.lines(), *lines])


@pytest.mark.timeout(400)
def test_kernel_agrees_with_the_model(programs: Programs) -> None:
    comparison = Comparison(programs)

    @settings(
        max_examples=RULE_SETS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.reuse, Phase.generate, Phase.shrink),
    )
    @given(case=cases())
    def agree(case: Case) -> None:
        comparison.check(case)

    agree()
    verdicts = comparison.verdicts
    assert verdicts.total() >= CASES
    assert 0.2 <= verdicts["drop"] / verdicts.total() <= 0.8, verdicts
    assert verdicts["redirect"] > 0


def test_every_type_of_icmpv6_is_a_flood_or_not(programs: Programs) -> None:
    """Each from a device of its own, twice, where the second is too many."""
    rules = RuleSet(floods={("lan", "icmp"): 4_000_000_000})
    header = b"\x86\xdd" + bytes.fromhex("6000000000083aff") + bytes(32)
    frames = [
        Sent(bytes(6) + bytes([2, 0, 0, 0, 0, kind]) + header + bytes([kind]) + bytes(7), 0)
        for kind in range(256)
    ]
    comparison = Comparison(programs)
    comparison.check(Case(rules, [Met(frame, "gate") for frame in frames for _ in range(2)]))
    assert comparison.verdicts["drop"] == 256 - len(range(129, 144))


@pytest.mark.parametrize("program", ["gate", "meter_ingress"])
def test_every_length_of_arp_is_addressing_or_not(programs: Programs, program: str) -> None:
    device = bytes.fromhex("00005e005321")
    rule = Rule(1, "isolate", allow=frozenset(["addressing"]))
    head = bytes(6) + device + b"\x08\x06"
    frames = [Sent(head.ljust(length, b"\0"), 0) for length in range(14, 100)]
    comparison = Comparison(programs)
    comparison.check(
        Case(RuleSet(macs={device: Target(rule)}), [Met(frame, program) for frame in frames])
    )
    assert comparison.verdicts == {"pass": 68 - 14 + 1, "drop": 99 - 68}


@pytest.mark.parametrize("seed", range(20))
def test_model_reads_frames_as_scapy_does(seed: int) -> None:
    traffic, compared = Traffic(World(seed), seed), 0
    for _ in range(60):
        data, _ = traffic.frame()
        frame, packet = dissect(data), Ether(data)
        ip = packet.getlayer(IP if frame.version == 4 else IPv6)
        if not frame.version or ip is None or IPv6ExtHdrRouting in packet:
            continue  # scapy takes a routing header to hold whole addresses
        assert (number(ip.src), number(ip.dst)) == (frame.source, frame.destination)
        ported = ip.getlayer(TCP) or ip.getlayer(UDP)
        if frame.source_port is None or ported is None:
            continue
        assert (ported.sport, ported.dport) == (frame.source_port, frame.destination_port)
        assert len(data) - len(ported.payload) == min(frame.header_bytes, len(data))
        compared += 1
    assert compared > 5


def number(address: str) -> int:
    """Return an address as the model writes it."""
    parsed = ipaddress.ip_address(address)
    return int.from_bytes(mapped(parsed))
