"""Precedence: one thing that several detectors see is told once, as the kind that says most."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from .bounded import make_room
from .kinds import SEVERITIES, EventKind, Severity
from .notice import Notice

#: So long after it was told, in seconds, an event speaks for what goes on: scans are told again every minute.
_TOGETHER: Final = 120.0
#: Devices of which it is remembered what was told, and events that wait.
_MAX_DEVICES: Final = 1024
_MAX_WAITING: Final = 256


class Yields(NamedTuple):
    """To which kinds another one gives way."""

    to: frozenset[EventKind]
    patience: float = 0.0
    """How long it waits for one of them, in seconds: they may need longer to be sure."""
    same: str | None = None
    """What both must have in common in their evidence."""


class _Seen(NamedTuple):
    """An event, and when there was something to tell."""

    time: float
    notice: Notice


class Due(NamedTuple):
    """An event that is to be told, and how severe it is by itself: responses go by that."""

    notice: Notice
    alone: Severity


class Precedence:
    """What was told of devices lately, and what waits for something that says more."""

    def __init__(self, yields: Mapping[EventKind, Yields]) -> None:
        """Take which kinds give way."""
        self._yields = yields
        self._minded = frozenset(kind for each in yields.values() for kind in each.to)
        #: By device: the latest of each kind that others give way to.
        self._told: dict[str, dict[EventKind, _Seen]] = {}
        self._waiting: dict[tuple[str, EventKind], _Seen] = {}

    def take(self, notice: Notice, now: float) -> Iterator[Due]:
        """Yield an event that is to be told, unless it has to wait."""
        seen, who = _Seen(now, notice), notice.who
        if notice.kind in self._minded and notice.evidence.get("blame") != "peer":
            self._remember(who, seen)
        yields = self._yields.get(notice.kind)
        if yields is None:
            yield Due(notice, notice.severity)
        elif (other := self._other(seen, yields)) is not None:
            yield Due(_beside(notice, other), notice.severity)
        elif not yields.patience or len(self._waiting) >= _MAX_WAITING:
            yield Due(notice, notice.severity)
        else:
            first = self._waiting.setdefault((who, notice.kind), seen)
            if _rank(notice) > _rank(first.notice):
                self._waiting[who, notice.kind] = first._replace(notice=notice)

    def look(self, now: float) -> Iterator[Due]:
        """Yield the events that have waited long enough, or for which another one speaks now."""
        for key, seen in tuple(self._waiting.items()):
            yields = self._yields[seen.notice.kind]
            other = self._other(seen, yields)
            if other is not None or now - seen.time >= yields.patience:
                del self._waiting[key]
                told = seen.notice if other is None else _beside(seen.notice, other)
                yield Due(told, seen.notice.severity)

    def forget(self, who: str) -> None:
        """Forget a device."""
        self._told.pop(who, None)
        for key in [key for key in self._waiting if key[0] == who]:
            del self._waiting[key]

    def _remember(self, who: str, seen: _Seen) -> None:
        """Note that a device was told of; what is worse speaks on."""
        told = self._told.pop(who, {})
        known = told.get(seen.notice.kind)
        is_milder = known is not None and _rank(seen.notice) < _rank(known.notice)
        if known is None or not (is_milder and _are_together(known, seen)):
            told[seen.notice.kind] = seen
        self._told[who] = told
        make_room(self._told, _MAX_DEVICES)

    def _other(self, seen: _Seen, yields: Yields) -> Notice | None:
        """Return an event that speaks for this one, too: told of the same device just now, and no milder."""
        told, same = self._told.get(seen.notice.who, {}), yields.same
        for kind, each in told.items():
            if (
                kind in yields.to
                and _rank(each.notice) >= _rank(seen.notice)
                and _are_together(each, seen)
                and (
                    same is None or each.notice.evidence.get(same) == seen.notice.evidence.get(same)
                )
            ):
                return each.notice
        return None


def _rank(notice: Notice) -> int:
    """Return how severe an event is."""
    return SEVERITIES.index(notice.severity)


def _are_together(one: _Seen, other: _Seen) -> bool:
    """Return whether two events are of the same time."""
    return abs(one.time - other.time) < _TOGETHER


def _beside(notice: Notice, other: Notice) -> Notice:
    """Return an event as something to know, since another one tells of the same."""
    why = f"{notice.evidence['why']} It is told as {other.kind}, too, and is part of that."
    evidence = {**notice.evidence, "why": why, "beside": other.kind}
    if other.kind == "flood" and "blame" in other.evidence:
        # Who refuses a flood of somebody else's sends as much: of that the flood knows more.
        evidence.setdefault("blame", other.evidence["blame"])
    return replace(notice, severity="info", evidence=evidence)
