"""Detection: hands observations to the detectors, and lets through what the policy and the user's word allow."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from .detectors.detector import Detector, Handler, Home
from .detectors.observations import Observation
from .kinds import SEVERITIES, EventKind
from .notice import Notice
from .policy.policy import Response

_LOGGER = logging.getLogger(__name__)

#: An observation so many seconds before the newest one tells that the clock was set back.
_BACK: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Consequences:
    """What follows from observations and events."""

    note: Callable[[Notice], None]
    """Told of every event that is to be told."""
    accepted: Callable[[Notice], Iterable[Mapping[str, Any]]] = lambda _: ()
    """Yields the evidence of the events that the user said are fine, of a notice's device, kind and subject."""
    respond: Callable[[Notice, Response], None] = lambda *_: None
    """Told what the policy wants done."""
    learn: Callable[[Observation], None] = lambda _: None
    """Told every observation after the detectors, which judge by what was learnt before it."""


class Detection:
    """All detectors, for a living network or a capture."""

    def __init__(
        self, detectors: Iterable[type[Detector]], home: Home, consequences: Consequences
    ) -> None:
        """Take the detectors, whom they may ask, and what follows."""
        self._home = home
        self._then = consequences
        self._kinds = tuple(detectors)
        self._newest = float("-inf")
        self._begin()
        #: Observations that a detector could not digest, by its kind: a mistake of ours must not end the sensor.
        self.failed: Counter[EventKind] = Counter()
        #: How often all detectors began anew, as the clock was set back.
        self.restarted = 0

    def _begin(self) -> None:
        """Make the detectors."""
        self._detectors = [each(self._home) for each in self._kinds]
        self._handlers: dict[type[Observation], list[tuple[Detector, Handler]]] = {}
        for detector in self._detectors:
            for observation, handler in detector.handlers().items():
                self._handlers.setdefault(observation, []).append((detector, handler))

    def take(self, observation: Observation) -> None:
        """Let the detectors judge an observation, and then learn it."""
        self._follow_clock(observation.time)
        for detector, handler in self._handlers.get(type(observation), ()):
            try:
                for notice in handler(observation):
                    self._try_to_tell(detector, notice)
            except Exception as error:  # noqa: BLE001, it is logged
                self._fail(detector, error)
        self._then.learn(observation)

    def _follow_clock(self, time: float) -> None:
        """Begin anew when the clock was set back: what was told at times to come would mute what happens until then."""
        if time < self._newest - _BACK:
            _LOGGER.warning("The clock was set back by %.0f s", self._newest - time)
            self.restarted += 1
            self._newest = time
            self._begin()
        self._newest = max(self._newest, time)

    def _try_to_tell(self, detector: Detector, notice: Notice) -> None:
        """Tell an event; one that can't be told keeps back none of the others."""
        try:
            self._tell(detector, notice)
        except Exception as error:  # noqa: BLE001, it is logged
            self._fail(detector, error)

    def _fail(self, detector: Detector, error: Exception) -> None:
        """Count a mistake, and log the first."""
        if not self.failed[detector.kind]:
            _LOGGER.error("The detector %s failed", detector.kind, exc_info=error)
        self.failed[detector.kind] += 1

    def _tell(self, detector: Detector, notice: Notice) -> None:
        """Tell an event, unless the policy or the user's word is against it."""
        policy = self._home.policy(notice.mac or notice.address or "")
        mode = policy.mode(notice.kind)
        if mode == "off" or any(
            detector.covers(each, notice) for each in self._then.accepted(notice)
        ):
            return
        if mode == "audit":
            self._then.note(
                replace(notice, severity="info", evidence={**notice.evidence, "audit": True})
            )
            return
        self._then.note(notice)
        for response in policy.responses:
            is_meant = response.kind in (None, notice.kind)
            if is_meant and SEVERITIES.index(notice.severity) >= SEVERITIES.index(
                response.severity
            ):
                self._then.respond(notice, response)
                break

    def forget(self, who: str) -> None:
        """Forget a device."""
        for detector in self._detectors:
            detector.forget(who)
