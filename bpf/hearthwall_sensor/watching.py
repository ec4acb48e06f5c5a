"""Looks at flows and totals again and again, and tells detectors what began, settled, moved and appeared."""

import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

from .devices import NOTHING, Devices, Scopes
from .flows.flows import Flows
from .flows.observed import is_randomised
from .observations import LOOK, Appeared, Look, Moved, Observation
from .protocol import SCOPES

_INTERNET: Final = SCOPES.index("internet")


class Watch:
    """One sensor's looks."""

    def __init__(
        self,
        flows: Flows,
        devices: Devices,
        primary: Callable[[str], str],
        tell: Callable[[Observation], None],
        look_at_processes: Callable[[], Awaitable[object]],
    ) -> None:
        """Take whose flows and totals they are, what tells the MAC that stands for a device, and whom to tell."""
        self._look_at_processes = look_at_processes
        self._flows = flows
        self._devices = devices
        self._primary = primary
        self._tell = tell
        #: The totals at the look before, by MAC.
        self._before: dict[str, Scopes] = {}
        self._looked: float | None = None

    def begin(self) -> None:
        """Take the totals as they are: what devices moved before is not told of."""
        self._looked = time.monotonic()
        self._before = {mac: each.scopes for mac, each in self._devices.accounts.items()}

    async def look(self) -> None:
        """Tell of everything since the last look, and that it was looked."""
        now = time.time()
        for each in self._newcomers(now):
            self._tell(each)
        await self._flows.look()
        await self._look_at_processes()
        for each in self._movements(now):
            self._tell(each)
        self._tell(Look(now))

    def _newcomers(self, now: float) -> Iterator[Observation]:
        """Yield the devices that were never seen before and have sent something."""
        fresh, self._devices.newcomers = self._devices.newcomers, []
        for mac in fresh:
            account = self._devices.accounts.get(mac)
            if account is None:
                continue
            if any(scope[1] for scope in account.scopes):
                yield Appeared(now, self._primary(mac), is_randomised(mac))
            else:
                self._devices.newcomers.append(mac)

    def _movements(self, now: float) -> list[Moved]:
        """Return what each device has moved since the last look."""
        moment, accounts = time.monotonic(), self._devices.accounts
        seconds = LOOK if self._looked is None else moment - self._looked
        self._looked = moment
        sums: dict[str, list[int]] = {}
        for mac, account in accounts.items():
            before = self._before.get(mac, NOTHING)
            if account.scopes is not before:
                self._before[mac] = account.scopes
                _add(sums.setdefault(self._primary(mac), [0] * 6), before, account.scopes)
        if len(self._before) > len(accounts):
            self._before = {mac: each for mac, each in self._before.items() if mac in accounts}
        return [
            Moved(now, device, seconds, *numbers)
            for device, numbers in sums.items()
            if any(numbers)
        ]


def _add(sums: list[int], before: Scopes, now: Scopes) -> None:
    """Add what was counted between two looks, in the order of Moved's fields."""
    for index, (old, new) in enumerate(zip(before, now, strict=True)):
        up, up_packets, down, down_packets = (b - a for a, b in zip(old, new, strict=True))
        if index == _INTERNET:
            sums[0] += up
            sums[1] += down
        sums[2] += up_packets
        sums[3] += down_packets
        sums[4] += up
        sums[5] += down
