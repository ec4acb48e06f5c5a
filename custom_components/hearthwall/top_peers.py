"""Whom each device of a gateway moved most with today; asked for only while somebody looks."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.util import dt as dt_util

from .bpf.hearthwall_sensor.protocol import SensorError
from .bpf.hearthwall_sensor.requests import MAX_FLOWS, GetUsage
from .bpf.hearthwall_sensor.usage import UsageReport
from .const import LOGGER
from .hub import Hub

#: Seconds between two questions: what is at the top changes slowly, and the sensor reads all of its flows for it.
INTERVAL: Final = 30.0


class TopPeers:
    """The top peers of one gateway's devices, by MAC."""

    def __init__(self, hub: Hub) -> None:
        """Take the gateway."""
        self.by_mac: dict[str, str] = {}
        self._hub = hub
        self._lookers: list[Callable[[Iterable[str]], None]] = []
        self._task: asyncio.Task[None] | None = None

    @callback
    def async_look(self, changed: Callable[[Iterable[str]], None]) -> CALLBACK_TYPE:
        """Call with the MACs whose top peer has changed; return what ends that."""
        self._lookers.append(changed)
        if self._task is None:
            self._task = self._hub.entry.async_create_background_task(
                self._hub.hass, self._follow(), name="hearthwall top peers"
            )

        @callback
        def end() -> None:
            self._lookers.remove(changed)
            if not self._lookers and self._task is not None:
                self._task.cancel()
                self._task = None
                self.by_mac.clear()  # who looks next must not see what was long ago

        return end

    async def _follow(self) -> None:
        """Ask again and again."""
        while True:
            try:
                self._take(await self._read())
            except SensorError as error:
                # Without a connection, and of an older sensor, there are none.
                LOGGER.debug("The top peers can't be read: %s", error)
            await asyncio.sleep(INTERVAL)

    async def _read(self) -> dict[str, str]:
        """Return each device's top peer."""
        wire: Any = await self._hub.call(
            GetUsage(
                by=("mac", "peer"),
                since=dt_util.start_of_local_day().timestamp(),
                limit=MAX_FLOWS,
                each=1,
            )
        )
        rows = UsageReport.from_wire(wire).rows
        return {row.mac: row.peer for row in rows if row.mac is not None and row.peer is not None}

    def _take(self, found: dict[str, str]) -> None:
        """Tell what has changed."""
        changed = {mac for mac, _ in found.items() ^ self.by_mac.items()}
        self.by_mac = found
        if changed:
            for each in tuple(self._lookers):
                each(changed)
