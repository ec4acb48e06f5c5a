"""The user's word on devices: given a name, merged, split, forgotten; on disk when it is answered."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import Any

from .identity.chosen import checked_name
from .parts import Parts
from .protocol import Block, Device, SensorError
from .reports import Reports
from .requests import (
    MAX_EVENTS,
    ForgetDevice,
    GetEvents,
    MergeDevices,
    RenameDevice,
    Request,
    SplitDevice,
)
from .rules.rule import Rule
from .targets import parse_mac


def _no_split(macs: Sequence[str]) -> str:
    """Return why the MAC that stands for a device, the first of these, can't be split off, and what can."""
    mac, *others = macs
    if not others:
        return f"{mac} has no other MAC merged into it: there is nothing to split"
    commands = ", ".join(f"`split {each}`" for each in others)
    return f"{mac} stands for the device; the others are split off it: {commands}"


def names(sentence: str, words: Iterable[str]) -> bool:
    """Return whether a sentence has one of these as a whole: 192.0.2.1 is not in 192.0.2.10."""
    return any(
        re.search(rf"(?<![\w:-])(?<!\w\.){re.escape(each)}(?![\w:-]*\w)(?!\.\w)", sentence)
        for each in words
    )


class DeviceOrders:
    """Answers the requests that are about a device; any of its MACs names it."""

    def __init__(
        self,
        parts: Parts,
        reports: Reports,
        on_rules: Callable[[list[Block], Iterable[Rule]], None],
    ) -> None:
        """Take the parts, and what to call when rules ended and came into force."""
        self._parts = parts
        self._reports = reports
        self._on_rules = on_rules
        # One order after the other: each is on disk before the next is looked at.
        self._orders = asyncio.Lock()
        #: Erases the flows of these MACs, what they asked for, and what others exchanged with their addresses.
        self.forget_flows: Callable[[Iterable[str], Collection[bytes]], None] = lambda *_: None
        self.answers: dict[type[Request], Callable[[Any], Awaitable[Any]]] = {
            RenameDevice: self._rename,
            MergeDevices: self._merge,
            SplitDevice: self._split,
            ForgetDevice: self._forget,
        }

    async def _rename(self, order: RenameDevice) -> Any:
        """Give a device a name, or take it back."""
        name = None if order.name is None else checked_name(order.name)
        async with self._orders:
            mac = self._known(order.mac)
            macs = self._parts.chosen.macs(mac)
            await asyncio.to_thread(self._parts.store.rename, macs, name)
            self._parts.chosen.rename(mac, name)
            return self._told(mac)

    async def _merge(self, order: MergeDevices) -> Any:
        """Make two devices one: all MACs of the first go into the second."""
        chosen, accounts = self._parts.chosen, self._parts.devices.accounts
        async with self._orders, self._parts.totals.saving:
            mac = chosen.primary(self._known(order.mac))
            into = chosen.primary(self._known(order.into))
            if mac == into:
                raise SensorError(
                    "invalid_target", f"{order.mac} and {order.into} are one device already"
                )
            macs = chosen.macs(mac)

            async def agree() -> None:
                await asyncio.to_thread(self._parts.store.merge, macs, into)
                chosen.merge(macs, into)
                self._parts.policy.clear()

            ended, made = await self._parts.rules.join(into, mac, agree)
            self._parts.profiles.merge(mac, into)
            self._parts.detection.forget(mac)
            if mac in accounts:
                self._parts.changes.removed(mac)
            self._on_rules(ended, made)
            return self._told(into)

    async def _split(self, order: SplitDevice) -> Any:
        """Let a MAC be a device of its own again, with what it has moved itself."""
        chosen = self._parts.chosen
        async with self._orders:
            mac = self._known(order.mac)
            into = chosen.primary(mac)
            if mac == into:
                raise SensorError("invalid_target", _no_split(chosen.macs(mac)))

            async def agree() -> None:
                await asyncio.to_thread(self._parts.store.split, mac)
                chosen.split(mac)
                self._parts.policy.clear()

            ended = await self._parts.rules.part(mac, agree)
            self._on_rules(ended, ())
            self._told(into)
            return self._told(mac)

    async def _forget(self, order: ForgetDevice) -> Any:
        """Erase a device with all of its MACs, on disk first."""
        parts = self._parts
        async with self._orders, parts.totals.saving:
            parts.totals.read()  # so that nothing of it stays in the kernel
            mac = self._known(order.mac)
            device, macs = self._reports.device(mac), parts.chosen.macs(mac)
            told = await self._told_of_rules(device)

            async def agree() -> None:
                await parts.journal.forget((*macs, *told))
                await asyncio.to_thread(parts.store.erase, macs)
                parts.chosen.forget(macs)

            await parts.rules.forget_ended()
            await parts.rules.release(mac, agree)
            parts.totals.read()
            parts.totals.forget(macs)
            addresses = parts.identities.addresses(macs)
            for each in macs:
                parts.identities.forget(each)
                parts.tables.forget_host(each)
                parts.profiles.forget(each)
                parts.detection.forget(each)
            parts.accepted.forget(macs)
            parts.descriptions.forget(macs)
            parts.policy.forget(macs)
            parts.threats.forget(macs)
            parts.floods.forget(macs)
            self.forget_flows(macs, addresses)
            parts.changes.forget_events(macs)
            parts.changes.removed(device.mac)
            parts.changes.status()
            parts.server.push(at_once=True)
            return device.to_wire()

    async def _told_of_rules(self, device: Device) -> set[str]:
        """Return the sentences on rules that name a device: a rule's reason may hold what another event said."""
        called = (*device.addresses, device.hostname, device.name)
        words = [each for each in called if each]
        told: set[str] = set()
        since = 0
        while True:
            some = await self._parts.journal.select(
                GetEvents(since=since, limit=MAX_EVENTS, kinds=("blocked", "unblocked"))
            )
            told |= {each.summary for each in some if names(each.summary, words)}
            if len(some) < MAX_EVENTS:
                return told
            since = some[-1].seq

    def _known(self, text: str) -> str:
        """Return the MAC of a device that there is; raises SensorError."""
        mac = parse_mac(text)
        self._reports.device(mac)
        return mac

    def _told(self, mac: str) -> Any:
        """Return a device as the answer, and let everyone know of it."""
        parts = self._parts
        revision = parts.changes.begin()
        for each in parts.chosen.macs(mac):
            if each in parts.devices.accounts:
                parts.devices.accounts[each].revision = revision
        parts.server.push(at_once=True)
        return self._reports.device(mac).to_wire()
