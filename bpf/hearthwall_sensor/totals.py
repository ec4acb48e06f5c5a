"""The devices' totals: read from the kernel with every tick, and kept on disk."""

import asyncio
import dataclasses
import logging
import time
from collections.abc import Mapping
from typing import Final

from .changes import Changes
from .devices import Devices
from .kernel.tables import Tables
from .network.surroundings import Surroundings
from .protocol import SensorError
from .store import Store

_LOGGER = logging.getLogger(__name__)

_SAVE_INTERVAL: Final = 30.0
#: A newcomer is on disk so soon, in seconds.
_SAVE_SOON: Final = 1.0


class Totals:
    """What the devices have moved, in memory, in the kernel and on disk."""

    def __init__(
        self,
        devices: Devices,
        tables: Tables,
        store: Store,
        surroundings: Surroundings,
        changes: Changes,
    ) -> None:
        """Take where totals come from and where they are kept."""
        self._devices = devices
        self._tables = tables
        self._store = store
        self._surroundings = surroundings
        self._changes = changes
        self._last_save = 0.0
        self._next_save = time.monotonic() + _SAVE_INTERVAL
        #: Devices that were evicted and are still on disk.
        self._evicted: set[str] = set()

    def read(self) -> None:
        """Add the kernel's counters to the devices' totals."""
        if self.read_from(self._tables):
            self._next_save = min(self._next_save, self._last_save + _SAVE_SOON)

    def read_from(self, tables: Tables) -> bool:
        """Add what these tables have counted; return whether somebody new was among them."""
        own = self._surroundings.own_macs
        return self._devices.read(tables.devices(), own, self._changes.begin())

    def evict(self, addresses: Mapping[str, list[str]]) -> None:
        """Let go of devices that there are too many of; those with addresses last."""
        for account in self._devices.evict(addresses):
            self._changes.removed(account.mac)
            self._evicted.add(account.mac)
            for port in account.seen:  # else the next look would find it again
                self._tables.delete_device(account.mac, port)

    def is_due(self) -> bool:
        """Return whether it is time to save, once."""
        now = time.monotonic()
        if now < self._next_save:
            return False
        self._last_save, self._next_save = now, now + _SAVE_INTERVAL
        return True

    async def save(self) -> None:
        """Write the devices that changed to disk; what fails is tried again with the next save."""
        held = self._devices.accounts
        accounts = [dataclasses.replace(each) for each in held.values() if not each.saved]
        for each in accounts:
            held[each.mac].saved = True
        gone = self._evicted - set(held)
        try:
            await asyncio.to_thread(self._store.save, accounts, gone)
            self._evicted -= gone
        except SensorError as error:
            _LOGGER.warning("%s", error.message)
            for each in accounts:
                if each.mac in held:
                    held[each.mac].saved = False
