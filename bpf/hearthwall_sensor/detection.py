"""Detection: hands observations to the detectors, and lets through what the policy and the user's word allow."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from .detectors import YIELDS
from .detectors.detector import Detector, Handler, Home
from .detectors.ripening import Ripening
from .kinds import KINDS, SEVERITIES, EventKind, Severity
from .notice import Notice
from .observations import Look, Observation
from .policy.policy import Response
from .precedence import Due, Precedence
from .processes.image import PROGRAM

_LOGGER = logging.getLogger(__name__)

_Handlers = dict[type[Observation], list[tuple[Detector, Handler]]]

#: An observation so many seconds before the newest one tells that the clock was set back.
BACK: Final = 600.0


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
        """Make the detectors, who remember nothing."""
        self._precedence = Precedence(YIELDS)
        self._ripening = Ripening()
        self._detectors = [each(self._home) for each in self._kinds]
        self._handlers: _Handlers = {}
        self._of_programs: _Handlers = {}
        for detector in self._detectors:
            for observation, handler in detector.handlers().items():
                self._handlers.setdefault(observation, []).append((detector, handler))
                if KINDS[detector.kind].of_programs:
                    self._of_programs.setdefault(observation, []).append((detector, handler))

    def take(self, observation: Observation) -> None:
        """Let the detectors judge an observation, and then learn it."""
        self._follow_clock(observation.time)
        self._hand_round(observation)
        for met in self._ripening.take(observation):
            self._hand_round(met)
        if isinstance(observation, Look):
            self._note_all(self._precedence.look(observation.time))

    def _hand_round(self, observation: Observation) -> None:
        """Hand an observation to whoever wants it; those of programs to detectors that are for them, too."""
        handlers = self._of_programs if _is_of_program(observation) else self._handlers
        for detector, handler in handlers.get(type(observation), ()):
            try:
                for notice in handler(observation):
                    self._try_to_tell(detector, notice, observation.time)
            except Exception as error:  # noqa: BLE001, it is logged
                self._fail(detector.kind, error)
        self._then.learn(observation)

    def _follow_clock(self, time: float) -> None:
        """Begin anew when the clock was set back: what was told at times to come would mute what happens until then."""
        if time < self._newest - BACK:
            _LOGGER.warning("The clock was set back by %.0f s", self._newest - time)
            self.restarted += 1
            self._newest = time
            self._begin()
        self._newest = max(self._newest, time)

    def _try_to_tell(self, detector: Detector, notice: Notice, now: float) -> None:
        """Tell an event; one that can't be told keeps back none of the others."""
        try:
            allowed = self._allowed(detector, notice)
        except Exception as error:  # noqa: BLE001, it is logged
            self._fail(detector.kind, error)
            return
        if allowed is not None:
            self._note_all(self._precedence.take(allowed, now))

    def _fail(self, kind: EventKind, error: Exception) -> None:
        """Count a mistake, and log the first."""
        if not self.failed[kind]:
            _LOGGER.error("The detector %s failed", kind, exc_info=error)
        self.failed[kind] += 1

    def _allowed(self, detector: Detector, notice: Notice) -> Notice | None:
        """Return an event as the policy and the user's word let it be told, if they do."""
        mode = self._home.policy(notice.who).mode(notice.kind)
        if mode == "off" or any(
            detector.covers(each, notice) for each in self._then.accepted(notice)
        ):
            return None
        if mode == "audit":
            return replace(notice, severity="info", evidence={**notice.evidence, "audit": True})
        return notice

    def _note_all(self, due: Iterable[Due]) -> None:
        """Tell events, each for itself, and do what the policy wants done."""
        for notice, alone in due:
            try:
                self._then.note(notice)
                if "audit" not in notice.evidence:
                    self._respond(notice, alone)
            except Exception as error:  # noqa: BLE001, it is logged
                self._fail(notice.kind, error)

    def _respond(self, notice: Notice, alone: Severity) -> None:
        """Do what the policy says first of such an event, as severe as it is alone: also where another speaks."""
        for response in self._home.policy(notice.who).responses:
            is_meant = response.kind in (None, notice.kind) and response.fits(notice.process)
            if is_meant and SEVERITIES.index(alone) >= SEVERITIES.index(response.severity):
                self._then.respond(notice, response)
                break

    def finish(self) -> None:
        """Tell what waits for something that says more: nothing comes after it."""
        self._note_all(self._precedence.look(float("inf")))

    @property
    def dropped(self) -> int:
        """How much the detectors had to forget before its time."""
        return sum(each.dropped for each in self._detectors)

    def forget(self, who: str) -> None:
        """Forget a device."""
        for detector in self._detectors:
            detector.forget(who)
        self._ripening.forget(who)
        self._precedence.forget(who)


def _is_of_program(observation: Observation) -> bool:
    """Return whether an observation is about a program of this host."""
    who = getattr(observation, "who", None)
    return who is not None and who.startswith(PROGRAM)
