"""New devices, presented a few at a time: each has many entities, and what else Home Assistant does must not wait."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import batched
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from .bpf.hearthwall_sensor.protocol import Device
from .devices import async_register_device

#: As many devices are presented at a time.
SLICE: Final = 3


class Newcomers:
    """Registers the devices that have just got a place in Home Assistant, and tells who makes their entities."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        devices: Mapping[str, Device],
        known: Collection[str],
    ) -> None:
        """Take the gateway's entry, its devices, and the MACs of those that have a place."""
        self._hass = hass
        self._entry = entry
        self._devices = devices
        self._known = known
        self._listeners: set[Callable[[Iterable[str]], None]] = set()
        self._task: asyncio.Task[None] | None = None

    @callback
    def async_subscribe(self, listener: Callable[[Iterable[str]], None]) -> CALLBACK_TYPE:
        """Call listener with each device that is new from now on."""
        self._listeners.add(listener)

        @callback
        def unsubscribe() -> None:
            self._listeners.discard(listener)

        return unsubscribe

    @callback
    def async_take(self, macs: Collection[str]) -> None:
        """Present devices: a few at once, many in turn, after those that still wait for theirs."""
        waiting = None if self._task is None or self._task.done() else self._task
        if waiting is None and len(macs) <= SLICE:
            self._present(macs)
        elif macs:
            self._task = self._entry.async_create_task(
                self._hass, self._present_in_turn(macs, waiting), "hearthwall newcomers"
            )

    async def async_wait(self) -> None:
        """Wait until all are registered."""
        if self._task is not None:
            await self._task

    async def _present_in_turn(
        self, macs: Iterable[str], before: asyncio.Task[None] | None
    ) -> None:
        """Present many devices."""
        if before is not None:
            await before
        for few in batched(macs, SLICE, strict=False):
            self._present(few)
            await asyncio.sleep(0)

    def _present(self, macs: Iterable[str]) -> None:
        """Register devices and tell of them, unless they have gone while they waited."""
        here = [mac for mac in macs if mac in self._devices and mac in self._known]
        for mac in here:
            async_register_device(self._hass, self._entry, self._devices[mac])
        if here:
            for listener in tuple(self._listeners):
                listener(here)
