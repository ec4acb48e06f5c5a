"""Rations: how often something may happen in a minute or so, for each sort of it, in bounded memory."""

from collections import deque
from collections.abc import Hashable
from typing import Final

from .bounded import make_room

_MINUTE: Final = 60.0
#: Sorts that are remembered; the one that came longest ago gives way.
_MAX_SORTS: Final = 4096


class Rations:
    """So many of each sort in a minute."""

    def __init__(self, most: int, within: float = _MINUTE) -> None:
        """Take how many, and within how many seconds if not in a minute."""
        self._most, self._within = most, within
        self._recent: dict[Hashable, deque[float]] = {}

    def are_used_up(self, sort: Hashable, now: float) -> bool:
        """Return whether there were as many of a sort lately as there may be."""
        recent = self._recent.get(sort)
        return recent is not None and len(recent) == self._most and now - recent[0] < self._within

    def use(self, sort: Hashable, now: float) -> None:
        """Count one more of a sort."""
        recent = self._recent.pop(sort, None) or deque(maxlen=self._most)
        recent.append(now)
        self._recent[sort] = recent  # at the end
        make_room(self._recent, _MAX_SORTS)
