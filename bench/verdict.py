"""How long a verdict takes: each filter's program on one frame over and over, through BPF_PROG_TEST_RUN."""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from bench import frames, xdp_filter
from bench.figures import Figure
from bench.hearthwall import SERVED, TARGETS, Programs, loaded
from bench.network import Namespace
from bench.reference import Reference
from bench.rounds import Compared, Rounds, alternate_one
from bench.xdp_filter import RULES, XdpFilter
from hearthwall_sensor.kernel.libbpf import Program

PASS: Final = 2
DROP: Final = 1
MOST_RULES: Final = 16384
_MISS: Final = frames.udp()
_MISS6: Final = frames.udp(frames.INNOCENT6, frames.FAR6)

#: What is said of each group of cases; the cases are those of `_misses`, `_hits` and `_cold`.
MISSES: Final = (
    Compared("empty XDP program"),
    Compared("bcc, one hash"),
    Compared("chain of 4 look-ups"),
    Compared("xdp-filter -f ethernet"),
    Compared("xdp-filter -f ipv4"),
    Compared("xdp-filter -f all"),
    Compared("xdp-filter -f all, IPv6"),
    Compared("Hearthwall, no rules", "empty XDP program"),
    Compared("Hearthwall, MAC rules only", "xdp-filter -f ethernet", 0.8),
    Compared("Hearthwall, all tables", "xdp-filter -f all", 1.0),
    Compared("Hearthwall, all tables, IPv6", "xdp-filter -f all, IPv6"),
    Compared(f"Hearthwall, {MOST_RULES} rules each"),
)
HITS: Final = (
    *(Compared(f"xdp-filter -f all, {kind}") for kind in ("mac", "ipv4", "ipv6")),
    *(
        Compared(f"Hearthwall, {kind}", f"xdp-filter -f all, {kind}")
        for kind in ("mac", "ipv4", "ipv6")
    ),
    *(Compared(f"Hearthwall, {kind}") for kind in ("ipv4_network", "ipv6_network", "service")),
)
COLD: Final = (
    Compared("empty XDP program"),
    Compared("bcc, one hash"),
    Compared("chain of 4 look-ups"),
    Compared("Hearthwall, all tables", "chain of 4 look-ups"),
    Compared(f"Hearthwall, {MOST_RULES} rules each"),
)


class Runnable(Protocol):
    """A program, or what stands for one."""

    def run(self, frame: bytes, repeat: int = 1) -> tuple[int, int]:
        """Return verdict and mean duration (ns)."""


class Case(NamedTuple):
    """A program, a frame, and what the one must do with the other."""

    program: Runnable
    frame: bytes
    verdict: int = PASS


class Rotated(NamedTuple):
    """A program that meets another sender each time it runs."""

    program: Program
    reference: Reference

    def run(self, frame: bytes, repeat: int = 1) -> tuple[int, int]:
        """Return verdict and mean duration (ns)."""
        return self.reference.rotate_before(self.program).run(frame, repeat)


class Filters:
    """Everybody's programs, loaded and filled."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.reference = Reference()
        self.reference.fill_rules(RULES)
        self.hearthwall: Mapping[str, Programs] = {
            name: stack.enter_context(each)
            for name, each in {
                "all": loaded(folder, "all", RULES, services=RULES),
                "mac": loaded(folder, "mac", RULES, ("mac",)),
                "none": loaded(folder, "none", 0),
                "most": loaded(folder, "most", MOST_RULES),
            }.items()
        }
        host = Namespace("filter")
        self.xdp_filter: dict[str, Program] = {}
        for letter, features in zip("abc", ("ethernet", "ipv4", "all"), strict=True):
            name = xdp_filter.interface(letter)
            host.ip(f"link add {name} type veth peer name peer-{letter}", f"link set {name} up")
            tool = XdpFilter(host).on(name, features)
            self.xdp_filter[features] = stack.enter_context(tool)

    def plain(self) -> dict[str, Program]:
        """Return the programs that stand for themselves."""
        programs = self.reference.programs
        return {
            "empty XDP program": programs["empty"],
            "bcc, one hash": programs["single_hash"],
            "chain of 4 look-ups": programs["naive_chain"],
            **{f"xdp-filter -f {name}": each for name, each in self.xdp_filter.items()},
            "Hearthwall, no rules": self.hearthwall["none"].gate,
            "Hearthwall, MAC rules only": self.hearthwall["mac"].gate,
            "Hearthwall, all tables": self.hearthwall["all"].gate,
            f"Hearthwall, {MOST_RULES} rules each": self.hearthwall["most"].gate,
        }


def _misses(filters: Filters) -> dict[str, Case]:
    """Return the cases where no rule is met."""
    cases = {name: Case(program, _MISS) for name, program in filters.plain().items()}
    six = {f"{name}, IPv6": Case(cases[name].program, _MISS6) for name in cases}
    return cases | six


def _hits(filters: Filters) -> dict[str, Case]:
    """Return the cases where a rule of one table drops the frame."""
    programs = {
        "xdp-filter -f all": filters.xdp_filter["all"],
        "Hearthwall": filters.hearthwall["all"].gate,
    }
    targets: dict[str, str] = {kind: target(RULES // 2) for kind, target in TARGETS.items()}
    targets["service"] = frames.mac(SERVED + RULES // 2)
    return {
        f"{name}, {kind}": Case(program, frames.hit(target), DROP)
        for name, program in programs.items()
        for kind, target in targets.items()
    }


def _cold(filters: Filters) -> dict[str, Case]:
    """Return the cases where each frame has another source of 65,536."""
    programs = filters.plain()
    return {name: Case(Rotated(programs[name], filters.reference), _MISS) for name, *_ in COLD}


def _nanoseconds(case: Case, repeat: int) -> float:
    """Return the CPU time of one run: the kernel's own figure has whole nanoseconds and others' turns in it."""
    verdict, _ = case.program.run(case.frame)
    if verdict != case.verdict:
        raise AssertionError(f"the verdict is {verdict} instead of {case.verdict}")
    begun = time.thread_time_ns()
    case.program.run(case.frame, repeat)
    return (time.thread_time_ns() - begun) / repeat


def measure(folder: Path, rounds: Rounds, repeat: int) -> list[Figure]:
    """Return the figures of verdicts."""
    xdp_filter.clear()
    figures = []
    with ExitStack() as stack:
        filters = Filters(folder, stack)
        for title, compared, cases in (
            ("verdict, a miss", MISSES, _misses(filters)),
            ("verdict, a hit", HITS, _hits(filters)),
            ("verdict, a miss, 65,536 senders in turn", COLD, _cold(filters)),
        ):
            contenders = {name: partial(_nanoseconds, cases[name], repeat) for name, *_ in compared}
            figures += alternate_one(title, contenders, "ns", rounds).figures(title, compared)
    return figures
