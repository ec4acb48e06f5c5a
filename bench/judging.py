"""Compares what was told with what really happened."""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bench.labelled import SLACK, Truth
from hearthwall_sensor.kinds import SEVERITIES
from hearthwall_sensor.protocol import Event

_MEDIUM: Final = SEVERITIES.index("medium")
#: Told of as news, and no alarm: as good as any other severity.
_NEWS: Final = frozenset(("new_device",))
#: What rules and orders tell is nobody's detection.
_BY_RULES: Final = frozenset(("blocked", "unblocked"))


@dataclass(slots=True)
class Score:
    """How one kind fared."""

    labelled: int = 0
    found: int = 0
    """Of these, those that were told under their kind, however mildly."""
    alarmed: int = 0
    """Of these, those that were told as medium or more."""
    otherwise: int = 0
    """Of those that were not found, those whose device was told of under another kind, as medium or more."""
    true: int = 0
    """Events of the kind that tell of something labelled."""
    beside: int = 0
    """Events of medium or more, of a device while something else that is labelled happened to it."""
    false: int = 0
    """Events of medium or more of which nobody knows anything."""
    mild: int = 0
    """The same of info and low: to know, and no alarm."""
    delays: list[float] = field(default_factory=list)

    @property
    def recall(self) -> float | None:
        """The share of what is labelled that was found."""
        return self.found / self.labelled if self.labelled else None

    @property
    def precision(self) -> float | None:
        """The share of alarms that are right."""
        told = self.true + self.false
        return self.true / told if told else None

    @property
    def delay(self) -> float | None:
        """Seconds until it was told, the median."""
        return statistics.median(self.delays) if self.delays else None


def is_alarm(event: Event) -> bool:
    """Return whether an event is of medium severity or more."""
    return SEVERITIES.index(event.severity) >= _MEDIUM


class Judge:
    """Counts over many captures."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.scores: dict[str, Score] = {}
        #: In words: what was not found, and what was told for nothing.
        self.missed: list[str] = []
        self.wrong: list[str] = []

    def score(self, kind: str) -> Score:
        """Return one kind's score."""
        return self.scores.setdefault(kind, Score())

    def take(
        self,
        source: str,
        truths: Sequence[Truth],
        events: Iterable[Event],
        same: Callable[[str], Iterable[str]] = lambda who: (who,),
    ) -> None:
        """Judge one capture's events; `same` returns all names of a device, its MAC and addresses."""
        told = [each for each in events if each.kind not in _BY_RULES]
        names = {each.seq: _names(each, same) for each in told}
        for truth in truths:
            self._find(source, truth, [each for each in told if _fits(each, names, truth)])
        for event in told:
            fitting = [each for each in truths if _fits(event, names, each)]
            score = self.score(event.kind)
            if any(event.kind in each.kinds for each in fitting):
                score.true += 1
            elif not is_alarm(event):
                score.mild += 1
            elif fitting:
                score.beside += 1
            else:
                score.false += 1
                self.wrong.append(f"{source}: {event.kind} ({event.severity}), {event.summary}")

    def _find(self, source: str, truth: Truth, told: Sequence[Event]) -> None:
        """Judge one label by the events that fit its device and time."""
        score = self.score(truth.kinds[0])
        score.labelled += 1
        own = [each for each in told if each.kind in truth.kinds]
        if not own:
            kinds = sorted({each.kind for each in told if is_alarm(each)})
            score.otherwise += bool(kinds)
            what = " ".join(filter(None, (truth.kinds[0], truth.variant and f"({truth.variant})")))
            more = f"; told of as {', '.join(kinds)}" if kinds else ""
            self.missed.append(f"{source}: {what} of {', '.join(truth.who) or 'anybody'}{more}")
            return
        score.found += 1
        score.alarmed += any(map(is_alarm, own)) or truth.kinds[0] in _NEWS
        # One that began before and was counted again does not say when it was counted
        begun = [each.time for each in own if each.time >= truth.start - SLACK]
        if begun:
            score.delays.append(max(0.0, min(begun) - truth.start))

    def total(self) -> Mapping[str, int]:
        """Return the sums over all kinds."""
        fields = ("labelled", "found", "alarmed", "otherwise", "true", "beside", "false", "mild")
        return {name: sum(getattr(each, name) for each in self.scores.values()) for name in fields}


def _names(event: Event, same: Callable[[str], Iterable[str]]) -> frozenset[str]:
    """Return all names of the device that an event is about."""
    own = [each.lower() for each in (event.mac, event.address) if each]
    return frozenset((*own, *(name.lower() for each in own for name in same(each))))


def _fits(event: Event, names: Mapping[int, frozenset[str]], truth: Truth) -> bool:
    """Return whether an event is about a label's device, at its time."""
    last = max(event.time, event.last_time or event.time)
    end = truth.end if truth.end is not None else float("inf")
    is_then = event.time <= end + truth.grace and last >= truth.start - SLACK
    return is_then and (not truth.who or not names[event.seq].isdisjoint(truth.who))
