"""CPU of the process that watches: the sensor and other tools on the same new flows, as shares of one core."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from bench import household
from bench.figures import Figure
from bench.household import Visit
from bench.replay import Replay, generator
from bench.rounds import Compared, Rounds, Samples, alternate
from bench.router import LAN, Observer, Router
from bench.running import running

OURS: Final = "Hearthwall"
OTHERS: Final = ("softflowd", "pmacctd", "tcpdump")

#: Flows that the sensor's table holds; the others get to see them too.
_FULL: Final = 66_000
_FILL_RATE: Final = 20_000
#: What is left to do of a flood of new flows is done after this.
_DIGESTED: Final = 2.0
#: Before a pace is measured it is held for so long.
_STEADY: Final = 0.5
_GOAL: Final = 5.0


class _Phase(NamedTuple):
    """A pace of new flows, and what is said of it."""

    name: str
    rate: int
    goal: float | None = None


_FRESH: Final = (
    _Phase("no traffic", 0),
    _Phase("200 new flows/s", 200, _GOAL),
    _Phase("2,000 new flows/s", 2000),
)
_FILLED: Final = (
    _Phase("200 new flows/s after 66,000 others", 200, _GOAL),
    _Phase("2,000 new flows/s after 66,000 others", 2000),
)


@contextmanager
def _sensor(router: Router) -> Iterator[Observer]:
    """Run a sensor as it is after installing it."""
    with running(router.gateway, LAN, router.folder / "sensor") as sensor:
        yield Observer(processes=(sensor.pid,))


def _share(
    observer: Observer, replay: Replay, visits: list[Visit], phase: _Phase, seconds: float
) -> float:
    """Return the share of a core that a tool's processes take at a pace, in percent."""
    if phase.rate:
        replay.send(visits, phase.rate, round(phase.rate * _STEADY))
    begun, spent = time.monotonic_ns(), observer.cpu()
    if phase.rate:
        replay.send(visits, phase.rate, round(phase.rate * seconds))
    else:
        time.sleep(seconds)
    return (observer.cpu() - spent) / (time.monotonic_ns() - begun) * 100


def _measure(
    place: Callable[[], AbstractContextManager[Observer]],
    replay: Replay,
    visits: list[Visit],
    seconds: float,
) -> Mapping[str, float]:
    """Measure a tool at each pace."""
    with place() as observer:
        share = partial(_share, observer, replay, visits, seconds=seconds)
        found = {phase.name: share(phase=phase) for phase in _FRESH}
        replay.send(visits, _FILL_RATE, _FULL)
        time.sleep(_DIGESTED)
        return found | {phase.name: share(phase=phase) for phase in _FILLED}


def _figures(samples: Mapping[str, Samples]) -> list[Figure]:
    """Return what is printed."""
    figures = []
    for phase in (*_FRESH, *_FILLED):
        shares = samples[phase.name]
        title = f"CPU, {phase.name}"
        figures.append(
            Figure.median(f"{title}: {OURS}", shares.of(OURS), "% of a core", phase.goal)
        )
        against = [Compared(OURS, each) for each in OTHERS] if phase.rate else []
        figures += shares.figures(title, [*map(Compared, OTHERS), *against])
    return figures


def measure(folder: Path, rounds: Rounds, seconds: float) -> list[Figure]:
    """Return the figures of CPU."""
    router = Router(folder)
    household.move_in(router)
    visits = household.visits()
    with generator(router) as replay:
        places: dict[str, Callable[[], AbstractContextManager[Observer]]] = {
            OURS: partial(_sensor, router),
            "softflowd": router.softflowd,
            "pmacctd": router.pmacctd,
            "tcpdump": router.tcpdump,
        }
        contenders = {
            name: partial(_measure, place, replay, visits, seconds)
            for name, place in places.items()
        }
        units = {phase.name: "% of a core" for phase in (*_FRESH, *_FILLED)}
        return _figures(alternate("CPU of who watches", contenders, units, rounds))
