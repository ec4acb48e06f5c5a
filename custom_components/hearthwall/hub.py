"""A gateway as Home Assistant sees it: one connection to its sensor and what it last said."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from time import time
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.event import async_track_time_interval

from .bpf.hearthwall_sensor.client import Client
from .bpf.hearthwall_sensor.protocol import (
    AddBlock,
    Block,
    Delta,
    Device,
    SensorError,
    Snapshot,
    Status,
)
from .connection import connected
from .const import (
    CONF_CONSIDER_HOME,
    CONF_INTERFACES,
    CONF_SOCKET,
    CONF_STATE_DIR,
    CONF_WRITE_INTERVAL,
    DEFAULT_CONSIDER_HOME,
    DEFAULT_WRITE_INTERVAL,
    LOGGER,
)
from .devices import async_register_device, async_register_gateway, macs_of
from .presence import Presence
from .process import SensorProcess

type HearthwallConfigEntry = ConfigEntry[Hub]

FIRST_RETRY: Final = 1.0
LAST_RETRY: Final = 60.0
#: A connection that held this long was a good one: the next loss starts with a short wait again.
RAN_WELL: Final = 60.0
#: What a MAC without an IP address must have sent before it has entities, and how many may have them.
STRANGER_PACKETS: Final = 16
MAX_DEVICES: Final = 512
#: Nobody tells when a device falls silent, so the clock is asked.
PRESENCE_INTERVAL: Final = timedelta(seconds=10)


class Hub:
    """Keeps the connection, the devices and the rules of one gateway, and tells who listens."""

    def __init__(self, hass: HomeAssistant, entry: HearthwallConfigEntry) -> None:
        """Take the entry that says where the sensor is, and whether it is ours to run."""
        self.hass = hass
        self.entry = entry
        self.process = _process_of(entry.data)
        self.status: Status | None = None
        self.devices: dict[str, Device] = {}
        self.presence = Presence()
        self._blocks: dict[str, Block] = {}
        self._client: Client | None = None
        self._known: set[str] = set()
        self._full = False
        self._listeners: defaultdict[str | None, set[CALLBACK_TYPE]] = defaultdict(set)
        self._newcomer_listeners: set[Callable[[Iterable[str]], None]] = set()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._warned_of: str | None = None
        self._unsubscribes: list[CALLBACK_TYPE] = []

    @property
    def available(self) -> bool:
        """Return whether the sensor is connected, so that what is known of it is true."""
        return self._client is not None

    @property
    def blocks(self) -> list[Block]:
        """Return every rule in force."""
        return list(self._blocks.values())

    @property
    def online(self) -> int:
        """Return how many devices are at home."""
        return len(self.presence.online)

    @property
    def write_interval(self) -> float:
        """Return the least time between two states of a busy entity."""
        return float(self.entry.options.get(CONF_WRITE_INTERVAL, DEFAULT_WRITE_INTERVAL))

    def rule_on(self, target: str) -> Block | None:
        """Return the rule in force on a target."""
        return self._blocks.get(target)

    # Orders

    async def block(self, order: AddBlock) -> Block:
        """Put a rule in force; when this returns, kernel and entities know it. Raises SensorError."""
        block = await self._connected_client().block(order)
        self._blocks[block.target] = block
        self._notify([block.target])
        return block

    async def unblock(self, target: str) -> Block:
        """End the rule on a target or with an id and return it as it was. Raises SensorError."""
        block = await self._connected_client().unblock(target)
        self._blocks.pop(block.target, None)
        self._notify([block.target])
        return block

    def _connected_client(self) -> Client:
        """Return the client; raises SensorError `not_running` without a connection."""
        if self._client is None:
            raise SensorError("not_running")
        return self._client

    # Listening

    @callback
    def async_subscribe(self, mac: str | None, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call listener at each change of a device or its rule, or of anything if mac is None."""
        self._listeners[mac].add(listener)

        @callback
        def unsubscribe() -> None:
            self._listeners[mac].discard(listener)

        return unsubscribe

    @callback
    def async_subscribe_newcomers(self, listener: Callable[[Iterable[str]], None]) -> CALLBACK_TYPE:
        """Call listener with the devices known now, and with each that comes later."""
        self._newcomer_listeners.add(listener)
        listener(self._known)

        @callback
        def unsubscribe() -> None:
            self._newcomer_listeners.discard(listener)

        return unsubscribe

    @callback
    def async_forget(self, mac: str) -> None:
        """Treat a device as new if it ever comes again."""
        self._known.discard(mac)

    def _notify(self, macs: Iterable[str]) -> None:
        """Tell who listens to these devices, and who listens to the gateway."""
        for key in (*macs, None):
            for listener in tuple(self._listeners.get(key, ())):
                listener()

    # The connection

    async def async_start(self) -> None:
        """Connect, starting the sensor if it is ours, and stay connected from then on.

        Raises the SensorError that stands in the way of the first connection.
        """
        first: asyncio.Future[None] = self.hass.loop.create_future()
        self._task = self.entry.async_create_background_task(
            self.hass, self._stay_connected(first), name="hearthwall connection"
        )
        try:
            await first
        except BaseException:
            await self.async_stop()
            raise
        self._unsubscribes = [
            async_track_time_interval(self.hass, self._async_judge_presence, PRESENCE_INTERVAL),
            self.hass.bus.async_listen(
                dr.EVENT_DEVICE_REGISTRY_UPDATED, self._async_device_registry_updated
            ),
        ]

    async def async_stop(self, _event: Event | None = None) -> None:
        """Disconnect and, if the sensor is ours, end it; the kernel goes on enforcing."""
        self._stopping = True
        while self._unsubscribes:
            self._unsubscribes.pop()()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
        if self.process is not None:
            await self.process.stop()

    async def _stay_connected(self, first: asyncio.Future[None]) -> None:
        """Connect again whenever the connection is lost, waiting longer each time it fails."""
        retry = FIRST_RETRY
        while True:
            began = self.hass.loop.time()
            try:
                await self._ensure_running()
                await self._converse(first)
            except Exception as error:
                if not first.done():
                    first.set_exception(error)
                    return
                if not isinstance(error, SensorError):
                    raise
                await self._failed(error)
            if self.hass.loop.time() - began > RAN_WELL:
                retry = FIRST_RETRY
            await asyncio.sleep(retry)
            retry = min(2 * retry, LAST_RETRY)

    async def _ensure_running(self) -> None:
        """Start the sensor if it is ours and not running; one that someone else started is as good."""
        if self.process is None or self.process.running:
            return
        try:
            await self.process.start()
        except SensorError as error:
            if error.code == "unloaded":
                self._warn(error)
            elif error.code != "already_running":
                raise

    async def _converse(self, first: asyncio.Future[None]) -> None:
        """Take the snapshot and the changes for as long as the connection holds."""
        async with connected(self.entry.data[CONF_SOCKET]) as client:
            snapshot = await client.subscribe(self._on_delta)
            self._client = client
            self._warned_of = None
            try:
                self._on_snapshot(snapshot)
                if first.done():
                    LOGGER.info("Connected to the sensor again")
                else:
                    first.set_result(None)
                await client.wait_closed()
            finally:
                self._client = None
                if not self._stopping:
                    LOGGER.info("Disconnected from the sensor")
                    self._notify(self.devices)

    async def _failed(self, error: SensorError) -> None:
        """Note that there is no connection; end a sensor of ours that no longer answers."""
        self._warn(error)
        if error.code == "timeout" and self.process is not None:
            await self.process.stop()

    def _warn(self, error: SensorError) -> None:
        """Log why there is no connection, each reason once; that nobody listens yet is none."""
        if error.code in {self._warned_of, "not_running"}:
            LOGGER.debug("No connection to the sensor: %s", error)
        else:
            self._warned_of = error.code
            LOGGER.warning("No connection to the sensor: %s", error)

    # What the sensor tells

    def _on_snapshot(self, snapshot: Snapshot) -> None:
        """Replace everything that was known."""
        gone = self.devices.keys() - {device.mac for device in snapshot.devices}
        self.devices.clear()
        self._blocks = {block.target: block for block in snapshot.blocks}
        self.status = snapshot.status
        async_register_gateway(self.hass, self.entry, snapshot.status)
        self._take_devices(snapshot.devices)
        self._notify({*gone, *self.devices})

    def _on_delta(self, delta: Delta) -> None:
        """Take over what changed."""
        changed = {device.mac for device in delta.devices} | set(delta.removed_devices)
        changed |= {block.target for block in delta.blocks}
        removed = set(delta.removed_blocks)
        for target in [each for each, block in self._blocks.items() if block.id in removed]:
            del self._blocks[target]
            changed.add(target)
        self._blocks.update({block.target: block for block in delta.blocks})
        self.status = delta.status or self.status
        for mac in delta.removed_devices:
            self.devices.pop(mac, None)
        self._notify(changed | self._take_devices(delta.devices))

    def _take_devices(self, devices: Iterable[Device]) -> set[str]:
        """Remember devices and present the new ones; return whose presence changed."""
        newcomers = []
        for device in devices:
            before = self.devices.get(device.mac)
            self.devices[device.mac] = device
            if device.mac in self._known and _registered_as(before) != _registered_as(device):
                async_register_device(self.hass, self.entry, device)
            if device.mac not in self._known and self._is_settled(device):
                self._known.add(device.mac)
                newcomers.append(device.mac)
        changed = self._judge_presence()
        for mac in newcomers:
            async_register_device(self.hass, self.entry, self.devices[mac])
        if newcomers:
            for listener in tuple(self._newcomer_listeners):
                listener(newcomers)
        return changed

    def _is_settled(self, device: Device) -> bool:
        """Return whether a device is worth entities: a hostile one can invent MACs by the thousand."""
        if not device.addresses and device.upload_packets < STRANGER_PACKETS:
            return False
        if len(self._known) < MAX_DEVICES:
            return True
        if not self._full:
            self._full = True
            LOGGER.warning("More than %s devices: no entities for the rest", MAX_DEVICES)
        return False

    # Presence and names

    def _judge_presence(self) -> set[str]:
        """Return who came or went."""
        consider_home = self.entry.options.get(CONF_CONSIDER_HOME, DEFAULT_CONSIDER_HOME)
        return self.presence.update(self.devices, now=time(), consider_home=consider_home)

    @callback
    def _async_judge_presence(self, _now: datetime) -> None:
        """Notice who has fallen silent."""
        if self.available and (changed := self._judge_presence()):
            self._notify(changed)

    @callback
    def _async_device_registry_updated(
        self, event: Event[dr.EventDeviceRegistryUpdatedData]
    ) -> None:
        """Take over a name that another integration or the user gave to a device of ours."""
        if event.data["action"] == "remove":
            return
        registered = dr.async_get(self.hass).async_get(event.data["device_id"])
        if (
            not isinstance(registered, dr.DeviceEntry)
            or registered.config_entry_id == self.entry.entry_id
        ):
            return
        for mac in macs_of(registered) & self.devices.keys() & self._known:
            async_register_device(self.hass, self.entry, self.devices[mac])


def _process_of(data: Mapping[str, Any]) -> SensorProcess | None:
    """Return the sensor that an entry's data says to run, or None if somebody else runs it."""
    if CONF_INTERFACES not in data:
        return None
    return SensorProcess(
        interfaces=data[CONF_INTERFACES],
        socket=data[CONF_SOCKET],
        state_dir=data[CONF_STATE_DIR],
    )


def _registered_as(device: Device | None) -> tuple[str | None, str | None, bool] | None:
    """Return what of a device the registry shows."""
    if device is None:
        return None
    return (device.hostname, device.vendor, device.randomised)
