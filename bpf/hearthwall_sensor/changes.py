"""Which revision changed what, so that each client can be told just what it has missed."""

from collections import deque
from collections.abc import Collection
from typing import Final

from .protocol import Event, SensorError

#: A client that missed more removals than this starts anew.
_MEMORY: Final = 16384
#: A client that missed more events than this asks for them by their numbers.
_EVENTS: Final = 256


class Changes:
    """The revisions. A device carries its own; rules, removals and the status are noted here."""

    def __init__(self) -> None:
        """Begin with the first revision."""
        self.revision = 1
        self._blocks: dict[int, int] = {}
        self._status = 1
        self._feeds = 1
        self._events: deque[tuple[int, Event]] = deque(maxlen=_EVENTS)
        #: (revision, a device's MAC or a rule's id)
        self._removed: deque[tuple[int, str | int]] = deque(maxlen=_MEMORY)

    def begin(self) -> int:
        """Begin a new revision and return it."""
        self.revision += 1
        return self.revision

    def block(self, identity: int) -> None:
        """Note that a rule changed."""
        self._blocks[identity] = self.begin()

    def status(self) -> None:
        """Note that the status changed."""
        self._status = self.begin()

    def feeds(self) -> None:
        """Note that a feed changed."""
        self._feeds = self.begin()

    def event(self, event: Event) -> None:
        """Note that something happened."""
        self._events.append((self.begin(), event))

    def forget_events(self, macs: Collection[str]) -> None:
        """Forget the events of these devices."""
        kept = [each for each in self._events if each[1].mac not in macs]
        self._events.clear()
        self._events.extend(kept)

    def removed(self, what: str | int) -> None:
        """Note that a device (by MAC) or a rule (by id) has gone."""
        self._removed.append((self.begin(), what))
        if isinstance(what, int):
            self._blocks.pop(what, None)

    def blocks_since(self, revision: int) -> set[int]:
        """Return the ids of the rules that changed after a revision."""
        return {identity for identity, changed in self._blocks.items() if changed > revision}

    def status_since(self, revision: int) -> bool:
        """Return whether the status changed after a revision."""
        return self._status > revision

    def feeds_since(self, revision: int) -> bool:
        """Return whether a feed changed after a revision."""
        return self._feeds > revision

    def events_since(self, revision: int) -> tuple[Event, ...]:
        """Return the events after a revision, as far as they are remembered: their numbers tell of a gap."""
        return tuple(event for noted, event in self._events if noted > revision)

    def removed_since(self, revision: int) -> list[str | int]:
        """Return what has gone after a revision; raises SensorError when that is not remembered any more."""
        if len(self._removed) == _MEMORY and self._removed[0][0] > revision:
            raise SensorError("internal", "more has gone since then than is remembered")
        return [what for changed, what in self._removed if changed > revision]
