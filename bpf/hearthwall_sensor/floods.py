"""Floods: which thresholds hold on which side, and what is told of a source that exceeds one."""

import time
from collections.abc import Callable, Collection, Mapping
from typing import Final

from .kernel.layouts import FLOOD_KINDS, SIDES, Flood
from .kernel.tables import Tables
from .notation import mac_bytes
from .observations import Flooding, Observation
from .protocol import Role, SensorError

Thresholds = Mapping[tuple[Role, str], int]

#: Packets per second from one source that a home's own traffic stays below. On the home's side there is
#: none unless it is asked for: a camera's video is UDP, and devices sit behind the gateway, not against it.
#: The one for UDP is what a full gigabit line brings in packets of everyday size, or one VPN peer.
DEFAULT_THRESHOLDS: Final[dict[tuple[Role, str], int]] = {
    ("wan", "syn"): 200,
    ("wan", "udp"): 100_000,
    ("wan", "icmp"): 200,
}
MAX_THRESHOLD: Final = 10_000_000
#: A source that was quiet for so long and floods again is told of again, in seconds.
_QUIET: Final = 60.0


def parse_threshold(text: str) -> tuple[tuple[Role, str], int]:
    """Return side, kind and packets per second of `wan:syn=200`; raises SensorError `invalid_message`."""
    place, _, number = text.partition("=")
    side, _, kind = place.strip().partition(":")
    chosen = next((each for each in SIDES if each == side), None)
    if chosen is None or kind not in FLOOD_KINDS or not number.strip().isdecimal():
        raise SensorError(
            "invalid_message",
            f"{text[:40]!r} is no threshold such as wan:syn=200: {' or '.join(SIDES)},"
            f" {', '.join(FLOOD_KINDS)}, packets per second (0 for none)",
        )
    if int(number) > MAX_THRESHOLD:
        raise SensorError("invalid_message", f"a threshold is at most {MAX_THRESHOLD}")
    return (chosen, kind), int(number)


class Floods:
    """The thresholds in force and the sources that were told of."""

    def __init__(
        self,
        tables: Tables,
        thresholds: Thresholds,
        device: Callable[[bytes], str],
        tell: Callable[[Observation], None],
    ) -> None:
        """Set the thresholds in the kernel; take the device that a MAC stands for, and whom to tell."""
        self._tables = tables
        self._thresholds = thresholds
        self._device = device
        self._tell = tell
        self._dropped = 0
        #: Source → what it had dropped and when (monotonic) it last did.
        self._known: dict[tuple[Role, str, str], tuple[int, float]] = {}
        tables.set_flood_thresholds(thresholds)
        self._dropped = tables.statistics()["dropped_flood"]
        for flood in tables.floods():  # told of by an earlier run
            self._known[_source(flood)] = (flood.dropped, time.monotonic())

    def watched(self, side: Role) -> bool:
        """Whether a threshold holds on this side."""
        return any(limit for (each, _), limit in self._thresholds.items() if each == side)

    def look(self, dropped: int) -> None:
        """Tell of the sources that have begun to flood; dropped is the kernel's count of all."""
        if dropped == self._dropped:
            return
        self._dropped = dropped
        now = time.monotonic()
        fresh = []
        for flood in self._tables.floods():
            before, last = self._known.get(_source(flood), (0, -_QUIET))
            if flood.dropped == before:
                continue
            if now - last >= _QUIET:
                fresh.append(flood)
            self._known[_source(flood)] = (flood.dropped, now)
        self._known = {
            source: each for source, each in self._known.items() if now - each[1] < 10 * _QUIET
        }
        for each in sorted(fresh, key=lambda flood: flood.dropped, reverse=True):
            self._tell(self._flooding(each))

    def forget(self, macs: Collection[str]) -> None:
        """Forget what was told of these devices."""
        self._known = {key: each for key, each in self._known.items() if key[-1] not in macs}

    def _flooding(self, flood: Flood) -> Flooding:
        """Return what is told of one source."""
        limit = self._thresholds.get((flood.side, flood.kind), 0)
        seconds = max((flood.last_drop - flood.first_drop) / 1e9, 1.0)
        return Flooding(
            time=time.time(),
            who=None if flood.mac is None else self._device(mac_bytes(flood.mac)),
            address=flood.address,
            peer=flood.peer,
            flood=flood.kind,
            side=flood.side,
            rate=round(limit + flood.dropped / seconds),
            limit=limit,
            dropped=flood.dropped,
            dropped_bytes=flood.bytes,
        )


def _source(flood: Flood) -> tuple[Role, str, str]:
    """Return what tells one source from another."""
    return flood.side, flood.kind, flood.mac or flood.address
