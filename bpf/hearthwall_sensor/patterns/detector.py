"""What the detectors of patterns share: each follows the patterns of its kind."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..detectors.detector import Detector, Handler, Home
from ..kinds import SEVERITIES
from ..notice import Notice
from ..observations import Bound, Called, Connected, Executed, Look, Observation
from .engine import Engine, Found
from .reading import shipped
from .telling import notice


class PatternDetector(Detector):
    """Follows what processes do."""

    def __init__(self, home: Home) -> None:
        """Begin with nothing."""
        super().__init__(home)
        mine = tuple(each for each in shipped() if each.kind == self.kind)
        self.engine = Engine(mine, home)

    def handlers(self) -> Mapping[type[Observation], Handler]:
        """Return what to call for which observation."""
        return {
            **dict.fromkeys((Executed, Connected, Bound, Called), self._seen),
            Look: self._look,
        }

    @property
    def dropped(self) -> int:
        """How many patterns that had begun found no room."""
        return self.engine.dropped

    def forget(self, who: str) -> None:
        """Forget a program."""
        self.engine.forget(who)

    def _seen(self, seen: Any) -> Iterator[Notice]:
        """Take what a process did."""
        return self._told(self.engine.take(seen))

    def _look(self, look: Look) -> Iterator[Notice]:
        """Look at what waits for a moment."""
        return self._told(self.engine.look(look.time))

    def _told(self, found: Iterator[Found]) -> Iterator[Notice]:
        """Yield what is to be told: of one program the worst, which says what the others say too."""
        worst: dict[str, Notice] = {}
        for pattern, seen, stdin in found:
            new = notice(pattern, seen, stdin, self.home.executable)
            if self.home.policy(new.who).patterns.get(pattern.name) == "off":
                continue
            known = worst.get(new.who)
            if known is None or _rank(new) > _rank(known):
                worst[new.who] = new
        yield from worst.values()


def _rank(told: Notice) -> int:
    """Return how severe a notice is."""
    return SEVERITIES.index(told.severity)
