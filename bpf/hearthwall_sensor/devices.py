"""The devices of the home: totals that never fall, rates, and what the kernel's counters added to them."""

import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from .flows.observed import is_randomised
from .identity.identities import Known
from .kernel.layouts import PortCounters
from .protocol import SCOPES, Device, DeviceRule, Traffic

#: Rates are means over this many seconds.
RATE_WINDOW: Final = 10.0
#: A newcomer's packets came within the second between two readings, of which its window sees only the end.
RATE_LEAST: Final = 1.0
#: More MACs than any home has; what a flood of invented ones pushes out is counted.
MAX_ACCOUNTS: Final = 1024
#: A MAC that was not there for longer than this (seconds) is the first to go, and before it one that has left since.
_SETTLED: Final = 300.0
#: Devices that nobody has seen for so long (seconds), and those with a MAC that was made up for a visit, give way to
#: newcomers: as many, and no sooner than Home Assistant lets them go where nobody chose otherwise.
_AWAY: Final = 90 * 86_400.0
_AWAY_RANDOMISED: Final = 7 * 86_400.0
#: Places that newcomers get so: no flood of invented MACs pushes out more of those that are away.
_ROOM: Final = 64

NOTHING: Final = ((0, 0, 0, 0),) * len(SCOPES)
Scopes = tuple[tuple[int, int, int, int], ...]


@dataclass(slots=True)
class Account:
    """One device's totals. `seen` holds, per port, the kernel's counters that are already in them."""

    mac: str
    first_seen: float
    last_seen: float
    scopes: Scopes = NOTHING
    seen: dict[int, PortCounters] = field(default_factory=dict)
    interface: int | None = None
    revision: int = 0
    saved: bool = False
    upload_rate: float = 0.0
    download_rate: float = 0.0
    samples: deque[tuple[float, int, int]] = field(default_factory=deque)

    @property
    def packets(self) -> int:
        """Packets of both ways."""
        return sum(scope[1] + scope[3] for scope in self.scopes)

    @property
    def bytes(self) -> tuple[int, int]:
        """Bytes up and down."""
        return sum(scope[0] for scope in self.scopes), sum(scope[2] for scope in self.scopes)

    @property
    def is_settled(self) -> bool:
        """Whether it has been there for a while."""
        return self.last_seen - self.first_seen > _SETTLED

    def is_away(self, now: float) -> bool:
        """Tell whether it was last seen so long ago that it may give way to others."""
        limit = _AWAY_RANDOMISED if is_randomised(self.mac) else _AWAY
        return now - self.last_seen > limit

    def add(self, interface: int, counters: PortCounters, now: float) -> bool:
        """Add what a port's counters have grown by; return whether they have."""
        before = self.seen.get(interface)
        if before is counters:
            return False
        # An entry that the kernel evicted and made anew starts at zero, as does one of a new generation.
        base = (
            before.scopes if before is not None and before.created == counters.created else NOTHING
        )
        if base == counters.scopes:
            return False
        growth = [
            tuple(map(_less, new, old)) for new, old in zip(counters.scopes, base, strict=True)
        ]
        self.scopes = tuple(
            _sum(total, more) for total, more in zip(self.scopes, growth, strict=True)
        )
        self.seen[interface] = counters
        if any(scope[1] for scope in growth):  # it spoke, here
            self.last_seen = now
            self.interface = interface
        self.saved = False
        return True

    def sample(self, now: float) -> bool:
        """Compute the rates as of now (monotonic seconds); return whether they have changed."""
        upload, download = self.bytes
        if (
            self.samples
            and self.samples[-1][1:] == (upload, download)
            and not (self.upload_rate or self.download_rate)
        ):
            self.samples[-1] = (
                now,
                upload,
                download,
            )  # idle: the window restarts with the next packet
            return False
        while len(self.samples) > 1 and now - self.samples[0][0] > RATE_WINDOW:
            self.samples.popleft()
        before = self.upload_rate, self.download_rate
        if self.samples:
            start, first_upload, first_download = self.samples[0]
            elapsed = max(now - start, RATE_LEAST)
            self.upload_rate = round((upload - first_upload) / elapsed, 1)
            self.download_rate = round((download - first_download) / elapsed, 1)
        self.samples.append((now, upload, download))
        return before != (self.upload_rate, self.download_rate)


def _less(new: int, old: int) -> int:
    """Return the growth of a counter; per-CPU values are read one after the other, so it may seem to shrink."""
    return max(0, new - old)


def _sum(total: tuple[int, int, int, int], more: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Add four counters to four counters."""
    return total[0] + more[0], total[1] + more[1], total[2] + more[2], total[3] + more[3]


def _total(parts: Iterable[tuple[int, int, int, int]]) -> tuple[int, int, int, int]:
    """Return the sum of many four counters."""
    up_bytes, up_packets, down_bytes, down_packets = map(sum, zip(*parts, strict=True))
    return up_bytes, up_packets, down_bytes, down_packets


class Devices:
    """All devices that this gateway has seen."""

    def __init__(self, accounts: Iterable[Account] = ()) -> None:
        """Take the accounts that were kept on disk."""
        self.accounts: dict[str, Account] = {each.mac: each for each in accounts}
        self.evicted = 0
        #: What devices that were forgotten have moved: the sum of all must not fall with them.
        self.gone: Scopes = NOTHING
        #: MACs that got an account and were not told of yet.
        self.newcomers: list[str] = []
        #: How many entries the kernel's table had at the last look.
        self.in_kernel = 0

    def read(
        self,
        counters: Mapping[tuple[str, int], PortCounters],
        own_macs: Iterable[str],
        revision: int,
    ) -> bool:
        """Add the kernel's counters; mark the devices that changed with this revision; return if any is new."""
        now = time.time()
        own = set(own_macs)
        newcomers = len(self.newcomers)
        self.in_kernel = len(counters)
        for (mac, interface), each in counters.items():
            if mac in own or mac == "00:00:00:00:00:00":
                continue
            account = self.accounts.get(mac)
            if account is None:
                self.newcomers.append(mac)
                account = self.accounts[mac] = Account(mac, now, now)
                # Before it there was nothing: its first rate counts from here.
                account.samples.append((time.monotonic(), 0, 0))
            if account.add(interface, each, now):
                account.revision = revision
        return len(self.newcomers) > newcomers

    def sample(self, revision: int) -> None:
        """Compute all rates; call it about once a second."""
        now = time.monotonic()
        for account in self.accounts.values():
            if account.sample(now):
                account.revision = revision

    def evict(self, keep: Iterable[str]) -> list[Account]:
        """Forget what is too much, invented MACs before devices, but none of keep; return what went.

        A few of those that are long away go first, or a home that was full once would never learn of anybody new.
        """
        excess = len(self.accounts) - MAX_ACCOUNTS
        if excess <= 0:
            return []
        # By who was seen last: else all were away when the sensor was. But a clock that was ahead makes nobody old.
        seen = min(max(each.last_seen for each in self.accounts.values()), time.time())
        kept = set(keep)
        candidates = [each for each in self.accounts.values() if each.mac not in kept]
        strangers = sum(not each.is_settled for each in candidates)
        free = MAX_ACCOUNTS - (len(self.accounts) - strangers)
        away = sorted(
            (each for each in candidates if each.is_settled and each.is_away(seen)),
            key=lambda each: each.last_seen,
        )[: max(0, min(_ROOM - free, excess))]
        first = {each.mac for each in away}
        others = sorted(
            (each for each in candidates if each.mac not in first),
            key=lambda each: _worth(each, seen),
        )
        gone = away + others[: excess - len(away)]
        for each in gone:
            self.remove(each.mac)
        self.evicted += len(gone)
        return gone

    def remove(self, mac: str) -> Account | None:
        """Forget a device; return what its account was."""
        account = self.accounts.pop(mac, None)
        if account is not None:
            self.gone = tuple(map(_sum, self.gone, account.scopes))
        return account

    def moved(self) -> Scopes:
        """Return what all devices have moved, also those that were forgotten since the sensor started."""
        columns = zip(self.gone, *(each.scopes for each in self.accounts.values()), strict=True)
        return tuple(_total(scope) for scope in columns)


def _worth(account: Account, now: float) -> tuple[bool, bool, float]:
    """Sort key: strangers that have left, those that are there by how little they sent, devices that came last."""
    if account.is_settled:
        return True, True, -account.first_seen
    return False, now - account.last_seen <= _SETTLED, account.packets


def describe(
    accounts: Sequence[Account], known: Known, interface: str | None, rule: DeviceRule | None
) -> Device:
    """Return a device as the protocol tells it; the first account is that of the MAC that stands for it."""
    mac = accounts[0].mac
    scopes = accounts[0].scopes
    for each in accounts[1:]:
        scopes = tuple(map(_sum, scopes, each.scopes))
    by_scope = {
        scope: Traffic(
            upload_bytes=up_b, upload_packets=up_p, download_bytes=down_b, download_packets=down_p
        )
        for scope, (up_b, up_p, down_b, down_p) in zip(SCOPES, scopes, strict=True)
    }
    return Device(
        mac=mac,
        addresses=known.addresses,
        hostname=known.hostname,
        vendor=known.vendor,
        randomised=is_randomised(mac),
        interface=interface,
        first_seen=round(min(each.first_seen for each in accounts), 3),
        last_seen=round(max(each.last_seen for each in accounts), 3),
        upload_bytes=sum(each.upload_bytes for each in by_scope.values()),
        download_bytes=sum(each.download_bytes for each in by_scope.values()),
        upload_packets=sum(each.upload_packets for each in by_scope.values()),
        download_packets=sum(each.download_packets for each in by_scope.values()),
        upload_rate=round(sum(each.upload_rate for each in accounts), 1),
        download_rate=round(sum(each.download_rate for each in accounts), 1),
        by_scope=by_scope,
        rule=rule,
        name=known.name,
        other_macs=tuple(each.mac for each in accounts[1:]),
        fingerprint=known.fingerprint,
    )
