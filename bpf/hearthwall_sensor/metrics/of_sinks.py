"""How the sinks fare: where events are delivered to beside Home Assistant."""

from collections.abc import Callable, Iterable
from typing import Final

from ..protocol import MAX_SINKS, SinkState
from .family import Family, Sample, Scene

_LABELS: Final = ("sink", "type")


def _sinks(value: Callable[[SinkState], float]) -> Callable[[Scene], Iterable[Sample]]:
    """Return what reads one figure of each sink."""
    return lambda scene: (((each.name, each.type), value(each)) for each in scene.status.sinks)


FAMILIES: Final = (
    Family(
        "hearthwall_sink_delivered_events",
        "counter",
        "Events that a sink's receiver has taken.",
        _sinks(lambda each: each.delivered),
        MAX_SINKS,
        _LABELS,
        "events",
    ),
    Family(
        "hearthwall_sink_waiting_events",
        "gauge",
        "Events that are on disk and not delivered yet, also those that the sink does not want.",
        _sinks(lambda each: each.waiting),
        MAX_SINKS,
        _LABELS,
    ),
    Family(
        "hearthwall_sink_lost_events",
        "counter",
        "Events that were too old by the time that a sink's receiver took any.",
        _sinks(lambda each: each.lost),
        MAX_SINKS,
        _LABELS,
        "events",
    ),
    Family(
        "hearthwall_sink_refused_events",
        "counter",
        "Events that a sink's receiver will never take.",
        _sinks(lambda each: each.refused),
        MAX_SINKS,
        _LABELS,
        "events",
    ),
    Family(
        "hearthwall_sink_failing",
        "gauge",
        "1 while a sink's receiver takes nothing, or not for everyone who is to get it.",
        _sinks(lambda each: each.failing_since is not None),
        MAX_SINKS,
        _LABELS,
    ),
)
