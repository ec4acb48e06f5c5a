"""What devices meet that is on feeds: collected until the look is over, so that many at once are one event."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from ..bounded import make_room
from ..kinds import KINDS, SEVERITIES, EventKind, Severity
from ..observations import Listed
from ..per_device import PerDevice

#: More than these at once are told of in one event for each device and feed.
MANY: Final = 5
#: What waits for the end of a look; a device that meets more has met enough.
_MAX_WAITING: Final = 256
_MAX_OF_ONE: Final = 32
#: Entries that were told of a device.
_MAX_ENTRIES: Final = 256


class _Device:
    """What was told of a device."""

    __slots__ = ("recent", "told")

    def __init__(self) -> None:
        """Begin with nothing."""
        #: By entry: when it was told of and how bad that was.
        self.told: dict[str, tuple[float, int]] = {}
        #: By entry: when it was met.
        self.recent: dict[str, float] = {}


class Meetings:
    """The meetings of all devices with what is listed."""

    def __init__(self, kind: EventKind) -> None:
        """Take which kind of event they are told as."""
        self._quiet = KINDS[kind].quiet
        self._waiting: list[Listed] = []
        self._counts: Counter[str | None] = Counter()
        self._devices = PerDevice(_Device)

    def add(self, listed: Listed) -> None:
        """Take a meeting."""
        if len(self._waiting) < _MAX_WAITING and self._counts[listed.who] < _MAX_OF_ONE:
            self._counts[listed.who] += 1
            self._waiting.append(listed)

    def forget(self, who: str) -> None:
        """Forget a device."""
        self._devices.forget(who)
        self._waiting = [each for each in self._waiting if each.who != who]

    def take(self) -> Iterator[list[Listed]]:
        """Yield what waits: by device and feeds, each entry once, as it was met last."""
        found: dict[tuple[str | None, tuple[str, ...]], dict[str, Listed]] = {}
        for each in self._waiting:
            found.setdefault((each.who, each.feeds), {})[key(each)] = each
        self._waiting = []
        self._counts.clear()
        for these in found.values():
            yield list(these.values())

    def met(self, listed: Listed) -> int:
        """Note that a device met something; return how many different things it met within the quiet window."""
        recent = self._devices.of(listed.who or "", listed.time).recent
        recent.pop(key(listed), None)
        recent[key(listed)] = listed.time
        make_room(recent, _MAX_ENTRIES)
        return sum(listed.time - at < self._quiet for at in recent.values())

    def is_due(self, listed: Listed, severity: Severity) -> bool:
        """Return whether an entry is to be told of: once in a quiet window, or again where it is worse."""
        told = self._devices.of(listed.who or "", listed.time).told
        rank = SEVERITIES.index(severity)
        last = told.get(key(listed))
        return last is None or listed.time - last[0] >= self._quiet or rank > last[1]

    def told(self, meetings: Iterable[Listed], severity: Severity) -> None:
        """Note that meetings were told of."""
        for each in meetings:
            told = self._devices.of(each.who or "", each.time).told
            told.pop(key(each), None)
            told[key(each)] = (each.time, SEVERITIES.index(severity))
            make_room(told, _MAX_ENTRIES)


def key(listed: Listed) -> str:
    """Return what was met: each address of a listed prefix is one, since each is another host."""
    return listed.name or listed.peer or listed.entry


def age(listed: Listed) -> float | None:
    """Return for how many days an entry has been on the list, None where that is not known."""
    since = listed.listed_since
    return None if since is None else round(max(listed.time - since, 0.0) / 86_400, 2)
