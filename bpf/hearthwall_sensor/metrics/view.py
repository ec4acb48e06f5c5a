"""What a running sensor knows at the moment of a scrape; no table of flows, events or entries is read for it."""

import resource
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from ..modes import MODES, Mode
from ..parts import Parts
from ..protocol import Block
from ..reports import Reports
from .family import PerDevice, Scene
from .of_devices import MAX_DEVICES
from .of_home import ONLINE
from .tallies import Hit, Hits, Moved, Rising


class View:
    """One sensor, as its metrics see it."""

    def __init__(
        self, parts: Parts, reports: Reports, name: Callable[[str], str] | None = None
    ) -> None:
        """Take what there is to tell of, and what names a device by its MAC; None where none is named."""
        self._parts = parts
        self._reports = reports
        self._name = name
        self._moved = Moved(parts.devices)
        self._hits = Hits(())
        self._lost = Rising()
        #: Asked once: worked out anew, it would seem to change.
        self._started = time.time()

    def begin(self) -> None:
        """Count from here on: what rules counted before was told by an earlier sensor."""
        self._hits = Hits(self._counted())

    def rules_ended(self, ended: Iterable[Block]) -> None:
        """Keep what rules had counted."""
        self._hits.end(Hit(each.id, each.mode, each.packets, each.bytes) for each in ended)

    def scene(self) -> Scene:
        """Return what is told now."""
        parts, status = self._parts, self._reports.status()
        self._hits.follow(self._counted())
        devices = self._devices()
        named = devices[:MAX_DEVICES] if self._name is not None else []
        used = resource.getrusage(resource.RUSAGE_SELF)
        online_since = time.time() - ONLINE
        return Scene(
            status=status,
            feeds=parts.feeds.list(),
            moved=self._moved.scopes(),
            hits=self._hits.sums,
            lost=self._lost.follow(status.lost),
            rules=_by_mode(rule.mode for rule in parts.rules),
            restricted=_by_mode(each.mode for each in devices if each.mode is not None),
            events=parts.journal.told,
            online=sum(_last_seen(each) > online_since for each in devices),
            cpu_seconds=used.ru_utime + used.ru_stime,
            started=self._started,
            devices=named,
            left_out=len(devices) - len(named) if self._name is not None else 0,
        )

    def _counted(self) -> Iterator[Hit]:
        """Yield what the rules have counted, as it was read with the last tick."""
        for rule in self._parts.rules:
            counters = self._parts.rules.counters(rule)
            yield Hit(rule.id, rule.mode, counters.packets, counters.bytes)

    def _devices(self) -> list[PerDevice]:
        """Return the devices, those that are known for longest at the head: who invents some pushes none out."""
        parts, by_mac = self._parts, self._parts.devices.accounts
        merged: dict[str, list[str]] = {}
        for mac in by_mac:
            merged.setdefault(parts.chosen.primary(mac), []).append(mac)
        found = []
        for primary, macs in merged.items():
            accounts = tuple(by_mac[mac] for mac in macs)
            rule = parts.rules.on_device(macs[0])
            name = "" if self._name is None else self._name(primary)
            found.append(PerDevice(name, accounts, None if rule is None else rule.mode))
        found.sort(key=lambda each: min(account.first_seen for account in each.accounts))
        return found


def _by_mode(modes: Iterable[Mode]) -> dict[Mode, int]:
    """Return how many there are of each mode, also of those of which there is none."""
    counted = Counter(modes)
    return {mode: counted[mode] for mode in MODES}


def _last_seen(device: PerDevice) -> float:
    """Return when a device sent something last."""
    return max(each.last_seen for each in device.accounts)
