"""What it costs to let traffic through: TCP and small packets forwarded by a gateway, with each tool on it."""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import partial
from typing import Final, NamedTuple

from bench import datagrams, frames
from bench.figures import Figure, load, show
from bench.generator import Generator
from bench.network import workplace
from bench.rounds import Compared, Rounds, Samples, alternate
from bench.router import Observer, Router
from bench.stream import flow
from hearthwall_sensor.kernel import attachment


class Effort(NamedTuple):
    """How thoroughly to measure."""

    rounds: Rounds
    seconds: float
    packets: int


_FULL: Final = Effort(rounds=Rounds(7, 480), seconds=1.0, packets=200_000)
_QUICK: Final = Effort(rounds=Rounds(2, 40), seconds=0.4, packets=50_000)
#: Packets a second at which tools are asked whether they see all, and with how many ports in turn.
_RATE: Final = 100_000
_FLOWS: Final = 500
#: Beginning to send takes a millisecond, which must not count: in so many packets it is lost.
_BURST: Final = 100_000
_BURSTS: Final = 3
_LEAST_FORWARDED: Final = 0.99
#: Tools that capture look at what came after a while; longer than any of them waits.
_SEEN_AFTER: Final = 1.5

NOTHING: Final = "nothing attached"
EMPTY: Final = "empty XDP program"
COUNTERS: Final = "tc counters alone"
OURS: Final = "Hearthwall, no rule in XDP"
OURS_XDP: Final = "Hearthwall, rules in XDP"
OTHERS: Final = ("conntrack accounting", "tcpdump", "softflowd", "pmacctd")

#: What is measured of each, and in what.
UNITS: Final = {
    "forwarded TCP, GSO on": "Gbit/s",
    "forwarded TCP per CPU, GSO on": "Gbit/CPU-s",
    "forwarded TCP, GSO off": "Gbit/s",
    "forwarded TCP per CPU, GSO off": "Gbit/CPU-s",
    "small packet, kernel": "ns",
    "small packet, added": "ns",
    "small packet, in its process": "ns",
    "packets seen": "%",
}
TCP: Final = (
    Compared(NOTHING),
    Compared(EMPTY, NOTHING),
    Compared(COUNTERS, NOTHING),
    *(Compared(name, NOTHING) for name in OTHERS),
    Compared(OURS, NOTHING, 0.95, "at least"),
    Compared(OURS, COUNTERS, 1.0, "at least"),
    Compared(OURS_XDP, EMPTY, 0.95, "at least"),
)
_MOST_ADDED: Final = {OURS: 130.0}


def _tools(router: Router) -> Mapping[str, Callable[[], AbstractContextManager[Observer]]]:
    """Return how each contender is put on the gateway."""
    return {
        NOTHING: lambda: nullcontext(Observer()),
        EMPTY: router.empty_xdp,
        COUNTERS: router.tc_counters,
        "conntrack accounting": router.conntrack,
        "tcpdump": router.tcpdump,
        "softflowd": router.softflowd,
        "pmacctd": router.pmacctd,
        OURS: partial(router.sensor, rules=False),
        OURS_XDP: partial(router.sensor, rules=True),
    }


def _cost(router: Router, generator: Generator) -> float:
    """Return the kernel's CPU time for a small packet of many flows, in ns; the median of some bursts."""
    arrived, sent = router.reference.arrived(), _BURST * _BURSTS
    costs = [generator.send(_BURST) for _ in range(_BURSTS)]
    arrived = router.reference.arrived() - arrived
    if arrived < sent * _LEAST_FORWARDED:
        raise AssertionError(f"{arrived} of {sent} packets were forwarded")
    return statistics.median(costs)


def _seen(
    router: Router, observer: Observer, seen: Callable[[], int], packets: int
) -> dict[str, float]:
    """Return which part of the packets a tool says it has seen, and what its own process took for each."""
    before, spent = seen(), observer.cpu()
    datagrams.send(router.device, (frames.FAR, frames.PORT), packets, _RATE, _FLOWS)
    time.sleep(_SEEN_AFTER if observer.processes else 0)
    spent = observer.cpu() - spent
    return {
        "packets seen": (seen() - before) / packets * 100,
        "small packet, in its process": spent / packets,
    }


def _measure(
    router: Router,
    generator: Generator,
    place: Callable[[], AbstractContextManager[Observer]],
    effort: Effort,
) -> dict[str, float]:
    """Measure all that is to be known of one contender."""
    sink, hook = router.reference.programs["sink"], attachment.ATTACH_TCX_INGRESS
    found: dict[str, float] = {}
    cost = partial(_cost, router, generator)
    with router.classifier(sink, hook, router.server, "in"):
        bare = [cost()]
    with place() as observer:
        with router.classifier(sink, hook, router.server, "in"):
            if observer.seen is not None:
                found |= _seen(router, observer, observer.seen, effort.packets)
            found["small packet, kernel"] = cost()
        for name, offload in (("off", False), ("on", True)):
            router.segment(offload=offload)
            tcp = flow(router.device, router.server, frames.FAR, effort.seconds)
            found[f"forwarded TCP, GSO {name}"] = tcp.speed
            found[f"forwarded TCP per CPU, GSO {name}"] = tcp.per_cpu
    with router.classifier(sink, hook, router.server, "in"):
        bare.append(cost())
    # Beside the gateway alone just before and after: what the machine's mood adds is more than most tools do
    found["small packet, added"] = found["small packet, kernel"] - statistics.mean(bare)
    return found


def _figures(samples: Mapping[str, Samples]) -> list[Figure]:
    """Return what is printed."""
    figures = []
    for measured in UNITS:
        if measured.startswith("forwarded TCP"):
            figures += samples[measured].figures(measured, TCP)
    kernel = samples["small packet, kernel"]
    figures += kernel.figures("forwarding a small packet", [Compared(NOTHING)])
    for name in (NOTHING, EMPTY, COUNTERS, *OTHERS, OURS, OURS_XDP):
        added = samples["small packet, added"].of(name)
        label = f"forwarding a small packet, added: {name}"
        figures.append(Figure.median(label, added, "ns", _MOST_ADDED.get(name)))
    for measured in ("small packet, in its process", "packets seen"):
        for name in (COUNTERS, *OTHERS, OURS, OURS_XDP):
            goal = 100.0 if measured == "packets seen" and name == OURS else None
            value = samples[measured].median(name)
            label = f"{measured}: {name}"
            figures.append(Figure(label, value, UNITS[measured], goal, bound="at least"))
    return figures


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench/forwarding", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print a JSON list")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    options = parser.parse_args()
    effort = _QUICK if options.quick else _FULL
    before = load("before")
    with workplace() as folder, ExitStack() as stack:
        router = Router(folder)
        generator = Generator(router.reference, router.device, "out")
        stack.callback(generator.close)
        generator.set(frames.udp(), _FLOWS)
        contenders = {
            name: partial(_measure, router, generator, place, effort)
            for name, place in _tools(router).items()
        }
        samples = alternate("forwarding", contenders, UNITS, effort.rounds)
    figures = [before, *_figures(samples), load("after")]
    print(show(figures, as_json=options.json))
    return 0


sys.exit(main())
