"""Memory of a sensor whose table of flows is full, and who knows the names of what its 250 devices talk to."""

import re
import time
from pathlib import Path
from typing import Final

from bench import household
from bench.figures import Figure
from bench.replay import generator
from bench.router import LAN, Router
from bench.running import Running, running

_FLOWS: Final = 66_000
_PROMISED: Final = 65_536
_GOAL: Final = 60.0
_LISTED: Final = 2_000
#: The sensor looks at its flows every five seconds.
_LOOKED: Final = 6.0
#: Of the flows, those over which questions are put and the time is asked have no name: half of them.
_NAMED: Final = 50.0
_SIZE: Final = re.compile(r"^(Rss|Pss):\s+(\d+) kB$", re.MULTILINE)


def _memory(sensor: Running, when: str, goal: float | None = None) -> list[Figure]:
    """Return a sensor's resident and proportional memory."""
    text = Path(f"/proc/{sensor.pid}/smaps_rollup").read_text()
    sizes = {kind: round(int(kilobytes) / 1024, 1) for kind, kilobytes in _SIZE.findall(text)}
    return [
        Figure(f"resident memory, {when}", sizes["Rss"], "MB", goal),
        Figure(f"proportional memory, {when}", sizes["Pss"], "MB"),
    ]


def measure(folder: Path, rate: int) -> list[Figure]:
    """Return the figures of memory; so many flows a second fill the table."""
    router = Router(folder)
    household.move_in(router)
    visits = household.visits()
    with (
        generator(router) as replay,
        running(router.gateway, LAN, router.folder / "sensor") as sensor,
    ):
        figures = _memory(sensor, "just started")
        replay.send(visits, rate, _FLOWS)
        time.sleep(_LOOKED)
        figures += _memory(sensor, f"{_PROMISED} flows, {household.DEVICES} devices", _GOAL)
        listed = sensor.ask("flows", "--limit", str(_LISTED))
        named = sum(each["peer_name"] is not None for each in listed) / len(listed) * 100
        figures += _memory(sensor, f"after {len(listed)} of them were listed")
        status = sensor.ask("status")
    if status["flows"] < _PROMISED:
        raise AssertionError(f"the table holds {status['flows']} flows")
    return [
        *figures,
        Figure("flows in the table", status["flows"], "flows", _PROMISED, bound="at least"),
        Figure("flows with a peer's name", round(named, 1), "%", _NAMED, bound="at least"),
        Figure("samples lost meanwhile", status["lost"]["samples_lost"], "samples"),
    ]
