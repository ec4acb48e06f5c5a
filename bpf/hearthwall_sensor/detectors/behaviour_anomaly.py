"""Behaviour: what a device does in half an hour, taken together, is unlike what it was learnt to do."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ..kinds import Severity
from ..learning.model import EXTREME, Verdict
from ..learning.window import FEATURES, WINDOW
from ..notice import Notice
from ..observations import Asked, Began, Look, Moved, Observation
from ..per_device import PerDevice
from .detector import Detector, Handler, Home
from .evidence import Measured, about, evidence

#: So many windows in a row make an event: a single one is a hiccup.
_RUN: Final = 2
#: So many (an hour) make it worth looking at, …
_LONG_RUN: Final = 4
#: … as do so many features that are extreme at once.
_EXTREMES: Final = 3
#: Features that are shown.
_SHOWN: Final = 3


def severity(verdict: Verdict, factor: float = 1.0) -> Severity | None:
    """Return how much a window matters, None for one that is no event."""
    if verdict.run < _RUN or verdict.score <= verdict.threshold * max(1.0, factor):
        return None
    is_severe = verdict.extremes >= _EXTREMES or verdict.run >= _LONG_RUN
    return "medium" if is_severe else "low"


class _Device:
    """Until when a device's windows were looked at."""

    __slots__ = ("seen",)

    def __init__(self) -> None:
        """Begin with none."""
        self.seen = 0.0


class BehaviourAnomaly(Detector):
    """Two windows in a row far from all examples of the device's past."""

    kind = "behaviour_anomaly"

    def __init__(self, home: Home) -> None:
        """Begin with nobody."""
        super().__init__(home)
        self._devices = PerDevice(_Device)
        self._window = -1
        self._is_due = False

    def handlers(self) -> Mapping[type[Observation], Handler]:
        """Who is there, and looks; models count what devices do."""
        return {Began: self._note, Asked: self._note, Moved: self._note, Look: self._look}

    def forget(self, who: str) -> None:
        """Forget a device."""
        self._devices.forget(who)

    def _note(self, observation: Began | Asked | Moved) -> Iterable[Notice]:
        """Remember that there is a device."""
        self._devices.of(observation.who, observation.time)
        return ()

    def _look(self, look: Look) -> Iterator[Notice]:
        """Tell of the windows that are over: models end theirs with the look after which this is the next."""
        window = int(look.time // WINDOW)
        if window == self._window and not self._is_due:
            return
        self._is_due, self._window = window != self._window, window
        for who, device in tuple(self._devices):
            model = self.home.profile(who).model
            verdict = None if model is None else model.latest
            if verdict is None or verdict.end <= device.seen:
                continue
            device.seen = verdict.end
            # Of a device that is still learnt no window is flagged
            how = severity(verdict, self.home.policy(who).factor)
            if how is not None:
                yield self._tell(who, verdict, how, look.time)

    def _tell(self, who: str, verdict: Verdict, how: Severity, now: float) -> Notice:
        """Return the event."""
        name = self.home.name(who)
        shown = _features(verdict)[:_SHOWN]
        words = "; ".join(
            f"{each['meaning']}: {each['value']:g} (usually {each['usual'][0]:g} to {each['usual'][1]:g})"
            for each in shown
        )
        minutes = verdict.run * WINDOW / 60
        why = (
            f"For {minutes:.0f} minutes {name} was {verdict.score:.1f} usual differences from everything that it was"
            f" learnt to do, where {verdict.threshold:.1f} happen by chance once in years. {words}."
        )
        return Notice(
            self.kind,
            how,
            f"{name} behaves unlike itself for {minutes:.0f} minutes:"
            f" {', '.join(each['meaning'] for each in shown)}",
            evidence(
                Measured(
                    self.kind,
                    round(verdict.score, 1),
                    round(verdict.threshold, 1),
                    verdict.run * WINDOW,
                    why,
                ),
                features=shown,
                extremes=verdict.extremes,
                window_levels=list(verdict.window),
            ),
            **about(who),
            subject="behaviour",
            time=now,
        )

    def covers(self, accepted: Mapping[str, Any], notice: Notice) -> bool:
        """Return whether the same features stand out as in the event that was accepted, and in the same way."""
        return _shape(accepted) == _shape(notice.evidence)


def _shape(shown: Mapping[str, Any]) -> set[tuple[str, bool]]:
    """Return which features of an event's evidence are extreme, and which way."""
    return {
        (each["name"], each["differences"] > 0)
        for each in shown.get("features", ())
        if abs(each["differences"]) >= EXTREME
    }


def _features(verdict: Verdict) -> list[dict[str, Any]]:
    """Return the features, those first that are the furthest off."""
    rows = zip(FEATURES, verdict.window, verdict.parts, verdict.bands, strict=False)
    found = [
        {
            "name": feature.name,
            "meaning": feature.meaning,
            "value": feature.value(level),
            "usual": [feature.value(low), feature.value(high)],
            "differences": round(part, 1),
        }
        for feature, level, part, (low, high) in rows
    ]
    return sorted(found, key=lambda each: -abs(each["differences"]))
