"""Sums that never fall, of parts that come and go.

To Prometheus a counter that falls was begun anew, and all that it shows then is growth. So what a rule or a device had
counted stays in the sum when it goes.
"""

from collections.abc import Iterable, Mapping
from operator import sub
from typing import NamedTuple

from ..devices import Devices, Scopes
from ..modes import MODES, Mode


class Hit(NamedTuple):
    """What a rule has counted so far."""

    rule: int
    mode: Mode
    packets: int
    bytes: int


class Hits:
    """What all rules of a mode have counted since the sensor started."""

    def __init__(self, before: Iterable[Hit]) -> None:
        """Take what the rules had counted before."""
        self._seen = {each.rule: (each.packets, each.bytes) for each in before}
        self._sums: dict[Mode, tuple[int, int]] = dict.fromkeys(MODES, (0, 0))

    def follow(self, now: Iterable[Hit]) -> None:
        """Take what the rules have counted until now."""
        for each in now:
            packets, size = self._seen.get(each.rule, (0, 0))
            before = self._sums[each.mode]
            self._sums[each.mode] = (
                before[0] + max(0, each.packets - packets),
                before[1] + max(0, each.bytes - size),
            )
            self._seen[each.rule] = (each.packets, each.bytes)

    def end(self, last: Iterable[Hit]) -> None:
        """Take what rules had counted when they ended."""
        for each in last:
            self.follow((each,))
            del self._seen[each.rule]

    @property
    def sums(self) -> Mapping[Mode, tuple[int, int]]:
        """Packets and bytes by mode."""
        return self._sums


class Moved:
    """What all devices have moved since the sensor started."""

    def __init__(self, devices: Devices) -> None:
        """Take whose totals they are; what they hold already was moved before."""
        self._devices = devices
        self._before = devices.moved()

    def scopes(self) -> Scopes:
        """Return it by scope."""
        now = self._devices.moved()
        return tuple(_four(map(sub, new, old)) for new, old in zip(now, self._before, strict=True))


def _four(numbers: Iterable[int]) -> tuple[int, int, int, int]:
    """Return four counters."""
    first, second, third, fourth = numbers
    return first, second, third, fourth


class Rising:
    """Counts that are worked out of others, read a moment later, so that they may seem to fall."""

    def __init__(self) -> None:
        """Begin with none."""
        self._highest: dict[str, int] = {}

    def follow(self, now: Mapping[str, int]) -> Mapping[str, int]:
        """Return the counts, none lower than it was."""
        for name, count in now.items():
            self._highest[name] = max(count, self._highest.get(name, 0))
        return self._highest
