"""Detection: hands observations to the detectors, and lets through what the policy and the user's word allow."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .detectors.detector import Detector, Handler, Home
from .detectors.observations import Observation
from .kinds import SEVERITIES, EventKind
from .notice import Notice
from .policy.policy import Response

_LOGGER = logging.getLogger(__name__)


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
        self._detectors = [each(home) for each in detectors]
        self._handlers: dict[type[Observation], list[tuple[Detector, Handler]]] = {}
        for detector in self._detectors:
            for observation, handler in detector.handlers().items():
                self._handlers.setdefault(observation, []).append((detector, handler))
        #: Observations that a detector could not digest, by its kind: a mistake of ours must not end the sensor.
        self.failed: Counter[EventKind] = Counter()

    def take(self, observation: Observation) -> None:
        """Let the detectors judge an observation, and then learn it."""
        for detector, handler in self._handlers.get(type(observation), ()):
            try:
                for notice in handler(observation):
                    self._tell(detector, notice)
            except Exception:
                if not self.failed[detector.kind]:
                    _LOGGER.exception("The detector %s failed", detector.kind)
                self.failed[detector.kind] += 1
        self._then.learn(observation)

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
