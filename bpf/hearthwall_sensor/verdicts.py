"""Whom an order may cut off for an event: who did it, unless that has to stay reachable."""

from dataclasses import replace

from .parts import Parts
from .protocol import Event, SensorError
from .targets import parse_target


def judged(parts: Parts, event: Event) -> Event:
    """Return an event with whom an order may cut off for it as things stand now."""
    return replace(event, culprit=blockable(parts, parts.responder.blame.whom(event)))


def blockable(parts: Parts, target: str | None) -> str | None:
    """Return a target, None where an order on it would be refused."""
    try:
        if target is not None:
            parts.surroundings.protection.check(parse_target(target))
    except SensorError:
        return None
    return target
