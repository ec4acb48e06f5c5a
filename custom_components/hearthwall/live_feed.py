"""One live connection to a gateway's sensor, whose rows all views of that gateway and pace share."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, Final, Protocol

from homeassistant.core import CALLBACK_TYPE, Event, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er

from .blocks import Blocks
from .bpf.hearthwall_sensor.client import Client
from .bpf.hearthwall_sensor.protocol import Delta, Device, SensorError, Snapshot
from .connection import connected
from .const import LOGGER
from .devices import gateway_identifier
from .hub import Hub
from .live_rows import Row, async_row
from .top_peers import TopPeers

RETRY: Final = 2.0
#: Seconds between two signs of life; who hears none for longer shows that the figures are old.
HEARTBEAT: Final = 2.0
#: A connection is kept for so many seconds after its last viewer: who comes and goes makes no new one each time.
LINGER: Final = 5.0
#: Changes of the registries come in flocks, all of which are shown at once.
SETTLES: Final = 0.1


class Viewer(Protocol):
    """Somebody who is told of rows."""

    is_admin: bool

    def send(self, event: dict[str, Any]) -> None:
        """Take an event."""


class LiveFeed:
    """Keeps the rows of a gateway's devices, and tells who looks what changes of them."""

    def __init__(self, hub: Hub, interval: float, peers: TopPeers, on_end: CALLBACK_TYPE) -> None:
        """Take the gateway, the seconds between two changes, the devices' top peers, and what to call at the end."""
        self._hub = hub
        self._interval = interval
        self._peers = peers
        self._on_end = on_end
        self._lingering: asyncio.TimerHandle | None = None
        #: What went wrong that nobody thought of, as it is in the log.
        self._failure = ""
        self._viewers: list[Viewer] = []
        self._devices: dict[str, Device] = {}
        self._blocks = Blocks()
        self._rows: dict[str, Row] = {}
        self._head: dict[str, Any] = {}
        #: Whether there is a connection; None until that is known.
        self._is_live: bool | None = None
        self._shown = self._shows()
        self._refreshing: asyncio.TimerHandle | None = None
        self._ends: list[Callable[[], object]] = []
        self._end_peers: CALLBACK_TYPE | None = None

    @callback
    def async_join(self, viewer: Viewer) -> None:
        """Tell a viewer all there is, and from then on what changes."""
        if self._lingering is not None:
            self._lingering.cancel()
            self._lingering = None
        if not self._ends:
            self._async_begin()
        self._viewers.append(viewer)
        self._async_follow_peers()
        if self._is_live:
            viewer.send(self._snapshot(viewer))
        elif self._is_live is False:
            viewer.send(lost(self._hub.entry.entry_id))

    @callback
    def async_leave(self, viewer: Viewer) -> None:
        """Tell a viewer no more; a while after the last one it ends, since people turn pages and come back."""
        self._viewers.remove(viewer)
        self._async_follow_peers()
        if self._ends and not self._viewers:
            self._lingering = self._hub.hass.loop.call_later(LINGER, self.async_end)

    @callback
    def async_end(self) -> None:
        """Disconnect and follow nothing, whoever looks; the gateway goes or nobody came back."""
        if not self._ends:
            return
        while self._ends:
            self._ends.pop()()
        for timer in (self._refreshing, self._lingering):
            if timer is not None:
                timer.cancel()
        self._refreshing = self._lingering = None
        self._on_end()

    @callback
    def _async_begin(self) -> None:
        """Connect, and follow what is not the sensor's to tell."""
        hass = self._hub.hass
        stream = self._hub.entry.async_create_background_task(
            hass, self._stream(), name="hearthwall live view"
        )
        self._ends = [
            stream.cancel,
            self._hub.async_subscribe(None, self._async_hub_changed),
            hass.bus.async_listen(dr.EVENT_DEVICE_REGISTRY_UPDATED, self._async_registry_changed),
            hass.bus.async_listen(er.EVENT_ENTITY_REGISTRY_UPDATED, self._async_registry_changed),
        ]

    @callback
    def _async_follow_peers(self) -> None:
        """Have the top peers asked for while there is anyone who may see them."""
        is_wanted = any(viewer.is_admin for viewer in self._viewers)
        if is_wanted and self._end_peers is None:
            self._end_peers = self._peers.async_look(self._tell)
        elif not is_wanted and self._end_peers is not None:
            self._end_peers()
            self._end_peers = None

    # What the sensor tells

    async def _stream(self) -> None:
        """Take what the sensor tells, over a connection of its own with its own interval."""
        while True:
            try:
                async with connected(self._hub.hass, self._hub.entry.data) as client:
                    self._take(await client.subscribe(self._on_delta, self._interval))
                    await self._tell_life(client)
            except SensorError:
                pass  # the hub tells the user; a card waits for the next snapshot
            except Exception as error:  # noqa: BLE001, else cards would go on showing what is no longer true
                self._log(error)
            self._lose()
            await asyncio.sleep(RETRY)

    def _log(self, error: Exception) -> None:
        """Log what nobody thought of, once for as long as it is the same."""
        if self._failure != repr(error):
            self._failure = repr(error)
            LOGGER.error("A live view failed and begins again", exc_info=error)

    async def _tell_life(self, client: Client) -> None:
        """Tell again and again that the sensor answers, until there is no connection; raises SensorError.

        What changes is told as it changes: without a sign of life, a sensor that hangs looks like a home at rest.
        """
        closed = asyncio.ensure_future(client.wait_closed())
        try:
            while not (await asyncio.wait({closed}, timeout=HEARTBEAT))[0]:
                await client.status()
                self._send({"type": "alive", "entry_id": self._hub.entry.entry_id})
            await closed
        finally:
            closed.cancel()

    def _take(self, snapshot: Snapshot) -> None:
        """Replace everything that was known."""
        self._devices = {device.mac: device for device in snapshot.devices}
        self._blocks.replace(snapshot.blocks)
        self._rows = {mac: self._row(device) for mac, device in self._devices.items()}
        self._shown = self._shows()
        self._is_live = True
        self._send_snapshot()

    def _on_delta(self, delta: Delta) -> None:
        """Take over what changed."""
        changed = {device.mac for device in delta.devices}
        changed |= {
            target for each in delta.removed_blocks if (target := self._blocks.remove(each))
        }
        for block in delta.blocks:
            self._blocks.put(block)
            changed.add(block.target)
        for mac in delta.removed_devices:
            self._devices.pop(mac, None)
        self._devices |= {device.mac: device for device in delta.devices}
        self._tell(changed | set(delta.removed_devices))

    def _lose(self) -> None:
        """Tell that what is shown may be true no more, once."""
        if self._is_live is not False:
            self._is_live = False
            self._send(lost(self._hub.entry.entry_id))

    # What Home Assistant knows

    @callback
    def _async_hub_changed(self) -> None:
        """Show who came or went, and that a day began; all else is told here as well."""
        (were_online, day), (online, today) = self._shown, self._shows()
        self._shown = (online, today)
        if today != day:
            self._tell(tuple(self._devices))
        elif online != were_online:
            self._tell(were_online ^ online)

    def _shows(self) -> tuple[frozenset[str], date]:
        """Return who is at home, and the day that the totals of the day are of."""
        return frozenset(self._hub.presence.online), self._hub.today.day

    @callback
    def _async_registry_changed(self, _: Event[Any]) -> None:
        """Show what changed of names and entities, soon."""
        if self._refreshing is None:
            self._refreshing = self._hub.hass.loop.call_later(SETTLES, self._refresh)

    def _refresh(self) -> None:
        """Look at every row again."""
        self._refreshing = None
        self._tell(tuple(self._devices))

    # Telling

    def _row(self, device: Device) -> Row:
        """Return a device's row as of now."""
        on_it = self._blocks.on(device.mac)
        return async_row(self._hub, device, on_it, self._peers.by_mac.get(device.mac))

    def _tell(self, macs: Iterable[str]) -> None:
        """Send what changed of these devices' rows."""
        if not self._is_live:
            return
        before, changed, removed = {}, [], []
        for mac in macs:
            device, known = self._devices.get(mac), self._rows.get(mac)
            if device is None:
                if known is not None:
                    del self._rows[mac]
                    removed.append(mac)
                continue
            row = self._row(device)
            if row != known:
                self._rows[mac] = row
                before[mac] = known
                changed.append(row)
        if self._head != self._gateway():
            self._send_snapshot()
            return
        for viewer in tuple(self._viewers):
            told = [
                row
                for row in changed
                if viewer.is_admin or _without_peer(row) != _without_peer(before[row["mac"]])
            ]
            if told or removed:
                viewer.send(
                    {
                        "type": "delta",
                        "entry_id": self._hub.entry.entry_id,
                        "devices": _for(viewer, told),
                        "removed": removed,
                    }
                )

    def _send(self, event: dict[str, Any]) -> None:
        """Send what is the same for everyone."""
        for viewer in tuple(self._viewers):
            viewer.send(event)

    def _send_snapshot(self) -> None:
        """Send everything to everyone."""
        for viewer in tuple(self._viewers):
            viewer.send(self._snapshot(viewer))

    def _snapshot(self, viewer: Viewer) -> dict[str, Any]:
        """Return everything."""
        self._head = self._gateway()
        return self._head | {"devices": _for(viewer, self._rows.values())}

    def _gateway(self) -> dict[str, Any]:
        """Return what a snapshot says of the gateway."""
        entry = self._hub.entry
        return {
            "type": "snapshot",
            "entry_id": entry.entry_id,
            "gateway": entry.title,
            "gateway_device_id": dr.async_get_device_id_by_identifier(
                self._hub.hass, gateway_identifier(entry), config_entry_id=entry.entry_id
            ),
            "role": "read" if self._hub.is_read_only else "operate",
        }


def lost(entry_id: str) -> dict[str, Any]:
    """Return what tells that a gateway's sensor is gone."""
    return {"type": "lost", "entry_id": entry_id}


def removed(entry_id: str) -> dict[str, Any]:
    """Return what tells that a gateway will not come again: its entry was removed."""
    return {"type": "removed", "entry_id": entry_id}


def _without_peer(row: Row | None) -> Row | None:
    """Return a row as everyone may see it: whom a device talks to is for administrators."""
    return None if row is None else {**row, "top_peer": None}


def _for(viewer: Viewer, rows: Iterable[Row]) -> list[Row | None]:
    """Return rows as a viewer may see them."""
    return list(rows) if viewer.is_admin else [_without_peer(row) for row in rows]
