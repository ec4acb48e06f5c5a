"""The events of a capture: numbered from 1, with the packets' times, and repeats counted as the journal does."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from ..notice import Notice
from ..protocol import Event
from ..repeats import Repeats

#: More are only counted.
MAX_EVENTS: Final = 10_000


class Events:
    """What was noticed."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._repeats = Repeats()
        self._events: list[Event] = []
        #: Those that were too many.
        self.left_out = 0

    def note(self, notice: Notice, now: float) -> None:
        """Take an event, or count it with the one that it repeats."""
        time = round(now if notice.time is None else notice.time, 3)
        seq = self._repeats.seen(notice, time)
        if seq is not None:
            event = self._events[seq - 1]
            self._events[seq - 1] = replace(event, count=event.count + 1, last_time=time)
        elif len(self._events) >= MAX_EVENTS:
            self.left_out += 1
        else:
            event = _event(len(self._events) + 1, time, notice)
            self._events.append(event)
            self._repeats.told(notice, time, event.seq)

    def all(self) -> Sequence[Event]:
        """Return all events, in the order in which they were noticed."""
        return self._events


def _event(seq: int, time: float, notice: Notice) -> Event:
    """Return an event as the protocol tells it."""
    return Event(
        seq=seq,
        time=time,
        kind=notice.kind,
        severity=notice.severity,
        mac=notice.mac,
        address=notice.address,
        peer_address=notice.peer_address,
        peer_name=notice.peer_name,
        process=notice.process,
        summary=notice.summary,
        evidence=notice.evidence,
        technique=notice.fitting_technique,
        subject=notice.subject,
    )
