"""Shares of what can be done in a while: each device has one, so that none takes all."""

from collections import Counter


class Shares:
    """So many turns for each, and so many for all together."""

    def __init__(self, of_each: int, of_all: int) -> None:
        """Take how many turns there are."""
        self._of_each = of_each
        self._left = of_all
        self._taken: Counter[bytes] = Counter()
        #: Turns that were asked for and not there.
        self.refused = 0

    def take(self, who: bytes) -> bool:
        """Take a turn; return whether there was one."""
        if self._left <= 0 or self._taken[who] >= self._of_each:
            self.refused += 1
            return False
        self._left -= 1
        self._taken[who] += 1
        return True
