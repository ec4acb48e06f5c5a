"""The devices' totals: read from the kernel with every tick, and kept on disk with what is known of the devices."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from .changes import Changes
from .devices import Account, Devices
from .identity.identities import Identities, Identity
from .kernel.tables import Tables
from .learning.kept import Learning, packed
from .learning.profiles import Profiles
from .network.surroundings import Surroundings
from .protocol import SensorError
from .store import Store

_LOGGER = logging.getLogger(__name__)

_SAVE_INTERVAL: Final = 30.0
_REMEMBER_INTERVAL: Final = 60.0
#: A newcomer is on disk so soon, in seconds.
_SAVE_SOON: Final = 1.0


class Roster(NamedTuple):
    """The devices: what they moved, who they are, and what is usual for them."""

    devices: Devices
    identities: Identities
    profiles: Profiles


class Totals:
    """What the devices have moved, in memory, in the kernel and on disk."""

    def __init__(
        self,
        roster: Roster,
        tables: Tables,
        store: Store,
        surroundings: Surroundings,
        changes: Changes,
    ) -> None:
        """Take whose totals they are, where they come from and where they are kept."""
        self._devices, self._identities, self._profiles = roster
        self._tables = tables
        self._store = store
        self._surroundings = surroundings
        self._changes = changes
        #: Held while devices are written, and while something is made of them that must not be overwritten.
        self.saving = asyncio.Lock()
        self._last_save = 0.0
        self._next_save = time.monotonic() + _SAVE_INTERVAL
        #: Devices that were evicted and are still on disk.
        self._evicted: set[str] = set()
        #: Profiles that are to be written, by device.
        self._learnt: dict[str, str] = {}
        #: Returns what the sensor remembers of its own past, which is written once in a while.
        self.remembered: Callable[[], Mapping[str, Any]] = dict
        self._next_remembered = 0.0

    def read(self) -> None:
        """Add the kernel's counters to the devices' totals."""
        if self.read_from(self._tables):
            self._next_save = min(self._next_save, self._last_save + _SAVE_SOON)

    def read_from(self, tables: Tables) -> bool:
        """Add what these tables have counted; return whether somebody new was among them."""
        own = self._surroundings.own_macs
        return self._devices.read(tables.devices(), own, self._changes.begin())

    def evict(self, keep: Iterable[str]) -> None:
        """Let go of devices that there are too many of, but of none of keep."""
        for account in self._devices.evict(keep):
            self._changes.removed(account.mac)
            self._evicted.add(account.mac)
            self._identities.forget(account.mac)
            self._let_go(account)

    def forget(self, macs: Iterable[str]) -> None:
        """Forget devices, here and in the kernel."""
        for mac in macs:
            account = self._devices.remove(mac)
            if account is not None:
                self._let_go(account)
            self._learnt.pop(mac, None)

    def _let_go(self, account: Account) -> None:
        """Take a device out of the kernel's table: else the next look would find it again."""
        for port in account.seen:
            self._tables.delete_device(account.mac, port)

    def is_due(self) -> bool:
        """Return whether it is time to save, once."""
        now = time.monotonic()
        if now < self._next_save:
            return False
        self._last_save, self._next_save = now, now + _SAVE_INTERVAL
        return True

    def mark_identified(self) -> None:
        """Tell of the devices of which something else is known than before."""
        changed = self._identities.drain()
        if not changed:
            return
        revision = self._changes.begin()
        for mac in changed & self._devices.accounts.keys():
            self._devices.accounts[mac].revision = revision

    async def save(self, *, at_end: bool = False) -> None:
        """Write the devices that changed to disk; what fails is tried again with the next save."""
        async with self.saving:
            await self._take_profiles()
            learning = Learning(self._learnt, self._what_is_remembered(at_end=at_end))
            held = self._devices.accounts
            accounts = [replace(each) for each in held.values() if not each.saved]
            # What is known of a MAC that has no account yet waits for it.
            known = [each for each in self._identities.unsaved() if each.mac in held]
            copies = [_copy(each) for each in known]
            for account in accounts:
                held[account.mac].saved = True
            for each in known:
                each.saved = True
            gone = (self._evicted - set(held)) | self._profiles.gone()
            try:
                await asyncio.to_thread(self._store.save, accounts, gone, copies, learning)
                self._evicted -= gone
                self._profiles.erased(gone)
                self._learnt = {}
            except SensorError as error:
                _LOGGER.warning("%s", error.message)
                for each in known:
                    each.saved = False
                for account in accounts:
                    if account.mac in held:
                        held[account.mac].saved = False

    async def _take_profiles(self) -> None:
        """Take what was learnt since the last save; of many devices that takes a while, and others get their turn."""
        for profile in self._profiles.changed():
            self._learnt[profile.who] = packed(profile)
            await asyncio.sleep(0)

    def _what_is_remembered(self, *, at_end: bool) -> Mapping[str, Any]:
        """Return what the sensor remembers of its own past if it is time to write that."""
        now = time.monotonic()
        if now < self._next_remembered and not at_end:
            return {}
        self._next_remembered = now + _REMEMBER_INTERVAL
        return self.remembered()


def _copy(identity: Identity) -> Identity:
    """Return an identity as it is now, for a thread to write while more is learnt."""
    addresses = {address: replace(each) for address, each in identity.addresses.items()}
    return replace(identity, addresses=addresses, hostnames=dict(identity.hostnames))
