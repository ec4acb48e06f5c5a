"""Repeats: which notices tell again what an event has told already, for the journal and for captures."""

from typing import Final, NamedTuple

from .bounded import make_room
from .kinds import KINDS, SEVERITIES
from .notice import Notice

#: Events that are remembered; the one that was repeated the longest time ago gives way.
MAX_EVENTS: Final = 4096
#: What goes on and on is told anew after so many seconds.
LONGEST: Final = 7 * 86_400.0
#: What happened so many seconds later than now was told by a clock that was ahead: it mutes nothing.
AHEAD: Final = 60.0


class _Told(NamedTuple):
    """An event that was told."""

    seq: int
    severity: int
    first: float
    last: float


class Repeats:
    """The events that were told lately."""

    def __init__(self, limit: int = MAX_EVENTS) -> None:
        """Keep at most so many."""
        self._limit = limit
        self._told: dict[tuple[str, str, str], _Told] = {}

    def seen(self, notice: Notice, time: float) -> int | None:
        """Return the number of the event that a notice repeats, which now lasts until this time; None for a new one.

        It is a new one after a quiet window without it, and where it is more severe than what was told.
        """
        key = _key(notice)
        told = self._told.get(key)
        if told is not None and told.last > time + AHEAD:
            del self._told[key]
            return None
        if (
            told is None
            or time - told.last >= KINDS[notice.kind].quiet
            or time - told.first >= LONGEST
            or SEVERITIES.index(notice.severity) > told.severity
        ):
            return None
        del self._told[key]  # to the end
        self._told[key] = told._replace(last=max(time, told.last))
        return told.seq

    def told(self, notice: Notice, time: float, seq: int) -> None:
        """Remember that an event was told under a number."""
        key = _key(notice)
        self._told.pop(key, None)
        self._told[key] = _Told(seq, SEVERITIES.index(notice.severity), time, time)
        make_room(self._told, self._limit)

    def number(self, notice: Notice, provisional: int, seq: int) -> None:
        """Give an event that was told under a provisional number its own, if it is still the one that is repeated."""
        key = _key(notice)
        told = self._told.get(key)
        if told is not None and told.seq == provisional:
            self._told[key] = told._replace(seq=seq)

    def end(self, kind: str, who: str, subject: str) -> None:
        """Let an event be told anew when it happens again, however lately it was told."""
        self._told.pop((kind, who, subject), None)

    def forget(self, macs: frozenset[str]) -> None:
        """Forget the events of devices."""
        self._told = {key: told for key, told in self._told.items() if key[1] not in macs}


def _key(notice: Notice) -> tuple[str, str, str]:
    """Return what two notices of one event share."""
    return notice.kind, notice.who, notice.subject
