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
#: What is left to do of a flood of new flows is done after this: the sensor looks at its flows every five seconds.
_DIGESTED: Final = 6.0
#: Before a pace is measured it is held for so long.
_STEADY: Final = 0.5
#: In so many seconds the sensor does once what it does every five; the others do the same all the time.
_CYCLE: Final = 5.0
_GOAL: Final = 5.0


class _Phase(NamedTuple):
    """A pace of new flows, and what is said of it."""

    name: str
    rate: int
    goal: float | None = None

    @property
    def lost(self) -> str:
        """What is said of samples that were lost at this pace."""
        return f"samples lost, {self.name}"


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
        yield Observer(
            processes=(sensor.pid,), lost=lambda: sensor.ask("status")["lost"]["samples_lost"]
        )


def _at_pace(
    observer: Observer, replay: Replay, visits: list[Visit], phase: _Phase, seconds: float
) -> Mapping[str, float]:
    """Return the share of a core that a tool's processes take at a pace, and what of each flow it lost."""
    lost = observer.lost() if observer.lost else 0
    if phase.rate:
        replay.send(visits, phase.rate, round(phase.rate * _STEADY))
    begun, spent = time.monotonic_ns(), observer.cpu()
    if phase.rate:
        replay.send(visits, phase.rate, round(phase.rate * seconds))
    else:
        time.sleep(seconds)
    found = {phase.name: (observer.cpu() - spent) / (time.monotonic_ns() - begun) * 100}
    if observer.lost and phase.rate:
        flows = phase.rate * (seconds + _STEADY)
        found[phase.lost] = (observer.lost() - lost) / flows
    return found


def _measure(
    place: Callable[[], AbstractContextManager[Observer]],
    replay: Replay,
    visits: list[Visit],
    seconds: float,
) -> Mapping[str, float]:
    """Measure a tool at each pace."""
    with place() as observer:
        found: dict[str, float] = {}
        for phase in _FRESH:
            found |= _at_pace(observer, replay, visits, phase, seconds)
        replay.send(visits, _FILL_RATE, _FULL)
        time.sleep(_DIGESTED)
        for phase in _FILLED:
            found |= _at_pace(observer, replay, visits, phase, seconds)
        return found


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
        if phase.rate:
            figures += samples[phase.lost].figures(phase.lost, [Compared(OURS)])
    return figures


def measure(folder: Path, rounds: Rounds, seconds: float) -> list[Figure]:
    """Return the figures of CPU; so many seconds are for each of the others at each pace."""
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
            name: partial(_measure, place, replay, visits, _CYCLE if name == OURS else seconds)
            for name, place in places.items()
        }
        phases = (*_FRESH, *_FILLED)
        units = {phase.name: "% of a core" for phase in phases}
        units |= {phase.lost: "a flow" for phase in phases}
        return _figures(alternate("CPU of who watches", contenders, units, rounds))
