"""Shares of what can be done in a while: each device has one, so that none takes all, nor does who invents devices."""

from collections import Counter
from collections.abc import Callable


class Shares:
    """So many turns for each, and so many for all together: once for settled devices, and once for strangers."""

    def __init__(self, of_each: int, of_all: int, is_settled: Callable[[bytes], bool]) -> None:
        """Take how many turns there are, and who is settled."""
        self._of_each = of_each
        self._left = {True: of_all, False: of_all}
        self._is_settled = is_settled
        self._settled: dict[bytes, bool] = {}
        self._taken: Counter[bytes] = Counter()
        #: Turns that were asked for and not there.
        self.refused = 0

    def take(self, who: bytes) -> bool:
        """Take a turn; return whether there was one."""
        settled = self._settled.get(who)
        if settled is None:
            settled = self._settled[who] = self._is_settled(who)
        if self._left[settled] <= 0 or self._taken[who] >= self._of_each:
            self.refused += 1
            return False
        self._left[settled] -= 1
        self._taken[who] += 1
        return True
