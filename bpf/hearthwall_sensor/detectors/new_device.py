"""New devices: told once they had a moment to say who they are; a flood of invented ones is one event."""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Final

from ..notice import Notice
from ..observations import Appeared, Look, Observation
from .detector import Detector, Handler, Home
from .evidence import Measured, about, evidence

#: A device asks for its address, and says its name, within so many seconds.
_PATIENCE: Final = 10.0
#: More than these in a minute are no visitors.
_MANY: Final = 5
_MINUTE: Final = 60.0
_MAX_SHOWN: Final = 20


class NewDevice(Detector):
    """Tells of devices that were never seen before, except while all are new."""

    kind = "new_device"

    def __init__(self, home: Home) -> None:
        """Begin with nothing."""
        super().__init__(home)
        #: Those that have appeared and were not told of.
        self._waiting: deque[Appeared] = deque(maxlen=64)
        #: When the last ones appeared, told or not.
        self._recent: deque[float] = deque(maxlen=_MANY + 1)
        self._flood: list[Appeared] = []
        self._flooded = 0
        self._told = float("-inf")

    def handlers(self) -> Mapping[type[Observation], Handler]:
        """Return what to call for which observation."""
        return {Appeared: self._appeared, Look: self._look}

    def forget(self, who: str) -> None:
        """Forget a device."""
        for each in [each for each in self._waiting if each.who == who]:
            self._waiting.remove(each)

    def _appeared(self, appeared: Appeared) -> Iterator[Notice]:
        """Take a device."""
        if self.home.is_settling(appeared.time) or appeared.who in self.home.own():
            return
        self._recent.append(appeared.time)
        is_full = len(self._recent) > _MANY
        if is_full and appeared.time - self._recent[0] < _MINUTE:
            while self._waiting:
                self._note_flood(self._waiting.popleft())
            self._note_flood(appeared)
        else:
            self._waiting.append(appeared)
        yield from ()

    def _note_flood(self, appeared: Appeared) -> None:
        """Count a device of many."""
        self._flooded += 1
        if len(self._flood) < _MAX_SHOWN:
            self._flood.append(appeared)

    def _look(self, look: Look) -> Iterator[Notice]:
        """Tell of those that had their moment, and of a flood once a minute."""
        if self._flood and look.time - self._told >= _MINUTE:
            self._told = look.time
            yield self._many(look.time)
            self._flood, self._flooded = [], 0
        while self._waiting and look.time - self._waiting[0].time >= _PATIENCE:
            yield self._one(self._waiting.popleft())

    def _one(self, appeared: Appeared) -> Notice:
        """Return the event of one device."""
        name = self.home.name(appeared.who)
        what = "with a randomised MAC, as phones have" if appeared.is_randomised else ""
        why = (
            f"{appeared.who} was never seen in this home, which has {self.home.devices()} devices."
            + (
                " Its MAC is made up: it may be a device that you know, under another address."
                if appeared.is_randomised
                else ""
            )
        )
        return Notice(
            "new_device",
            "info" if appeared.is_randomised else "low",
            f"{name} is on the network for the first time{what and ', ' + what}",
            evidence(
                Measured("new_device", 1, 1, _PATIENCE, why), randomised=appeared.is_randomised
            ),
            **about(appeared.who),
            time=appeared.time,
        )

    def _many(self, now: float) -> Notice:
        """Return the event of a flood."""
        made_up = sum(each.is_randomised for each in self._flood)
        why = (
            f"{self._flooded} devices that were never seen before came within a minute or so; a home gets its devices"
            f" one by one, and more than {_MANY} in a minute are MACs that somebody invents, or another network that"
            " was connected to this one."
        )
        return Notice(
            "new_device",
            "medium",
            f"{self._flooded} new devices came all at once, such as {self.home.name(self._flood[0].who)}",
            evidence(
                Measured("new_device", self._flooded, _MANY, _MINUTE, why),
                devices=[each.who for each in self._flood],
                randomised=made_up == len(self._flood),
            ),
            subject="many",
            time=now,
        )
