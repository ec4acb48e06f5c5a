"""Hands what happens in a living network to the detectors, and to what knows the feeds."""

from collections.abc import Callable

from .detection import BACK, Consequences, Detection
from .detectors import DETECTORS
from .living import LivingHome
from .observations import Observation


class Judge:
    """The detectors of a running sensor."""

    def __init__(self, home: LivingHome, consequences: Consequences) -> None:
        """Take the home and what follows from events."""
        self._home = home
        self.detection = Detection(DETECTORS, home.home(), consequences)
        #: Told of each observation after the detectors: it may have observations of its own to tell of.
        self.then: Callable[[Observation], None] = lambda _: None

    def take(self, observation: Observation) -> None:
        """Let the detectors judge an observation."""
        is_set_back = observation.time < self._home.now - BACK
        self._home.now = observation.time if is_set_back else max(self._home.now, observation.time)
        self.detection.take(observation)
        self.then(observation)
