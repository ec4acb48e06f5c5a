"""What is told of a home's weeks: events a day, and the bytes of their ECS lines, as they are and packed."""

import gzip
from collections.abc import Sequence
from pathlib import Path

from bench import weeks
from bench.figures import Figure
from bench.streams import made
from hearthwall_sensor.capture.circumstances import Circumstances
from hearthwall_sensor.capture.replay import Capture, parse_lan
from hearthwall_sensor.protocol import Event
from hearthwall_sensor.sinks import ecs
from lab.week.household import LAN
from lab.week.intrusions import INTRUSIONS
from lab.week.life import BEGIN, DAY

_ORIGIN = ecs.Origin(
    "gateway", "00000000-0000-4000-8000-000000000000", lambda _: None, lambda _: None
)


def measure(folder: Path, seeds: int, days: int) -> list[Figure]:
    """Return the figures: everyday life after the week that is learnt, and the same days with every intrusion."""
    figures = []
    for title, chosen in (("everyday life", ()), ("with every intrusion", INTRUSIONS)):
        judged, learnt = [], []
        for seed in range(1, seeds + 1):
            events = _told(weeks.write(folder, seed, days=days, chosen=chosen).file)
            border = BEGIN + weeks.LEARNING_DAYS * DAY
            judged += [each for each in events if each.time >= border]
            learnt += [each for each in events if each.time < border]
        figures += _figures(title, judged, seeds * (days - weeks.LEARNING_DAYS))
        if not chosen:
            figures += _figures("the first week", learnt, seeds * weeks.LEARNING_DAYS)
    return figures


def _told(path: Path) -> tuple[Event, ...]:
    """Return what the detectors tell of a capture."""
    capture = Capture(Circumstances(parse_lan(LAN)))
    with path.open("rb") as file:
        capture.read(made(iter(lambda: file.read(1 << 20), b"")))
    return capture.detection.events


def _figures(title: str, events: Sequence[Event], days: int) -> list[Figure]:
    """Return what so many days gave."""
    lines = [ecs.line(each, _ORIGIN) for each in events]
    whole = b"".join(lines)
    packed = len(gzip.compress(whole)) if lines else 0
    return [
        Figure(f"{title}: events a day and home", round(len(events) / days, 2), "events"),
        Figure(f"{title}: an event's ECS line", round(len(whole) / max(len(lines), 1)), "bytes"),
        Figure(f"{title}: the same packed by gzip", round(packed / max(len(lines), 1)), "bytes"),
    ]
