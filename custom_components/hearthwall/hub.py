"""A gateway as Home Assistant sees it: what its sensor last said, and who listens to that."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from time import time
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, Event as HassEvent, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util.dt import utc_from_timestamp

from .blocks import Blocks
from .bpf.hearthwall_sensor.client import Client
from .bpf.hearthwall_sensor.protocol import (
    Block,
    Delta,
    Device,
    Event,
    Feed,
    SensorError,
    Snapshot,
    Status,
)
from .bpf.hearthwall_sensor.requests import (
    AddBlock,
    Confirm,
    ForgetDevice,
    GetEvents,
    RemoveBlock,
    Request,
)
from .const import (
    CONF_CONSIDER_HOME,
    CONF_WRITE_INTERVAL,
    DEFAULT_CONSIDER_HOME,
    DEFAULT_WRITE_INTERVAL,
    LOGGER,
)
from .devices import (
    async_register_device,
    async_register_gateway,
    macs_of,
    registered_features,
)
from .events import Events
from .hints import Hints
from .issues import FeedIssues
from .link import Link
from .newcomers import Newcomers
from .presence import Presence
from .stale import StaleDevices
from .today import Today

type HearthwallConfigEntry = ConfigEntry[Hub]

#: What a MAC without an IP address must have sent before it has entities, and how many may have them.
STRANGER_PACKETS: Final = 16
MAX_DEVICES: Final = 512
#: An answer takes its time, so two reckonings of when the sensor was started differ.
STARTED_TOLERANCE: Final = timedelta(seconds=10)
#: Nobody tells when a device falls silent, so the clock is asked.
PRESENCE_INTERVAL: Final = timedelta(seconds=10)


class Hub:
    """Knows the devices, the rules and the feeds of one gateway, and tells who listens."""

    def __init__(self, hass: HomeAssistant, entry: HearthwallConfigEntry) -> None:
        """Take the entry that says where the sensor is, and whether it is ours to run."""
        self.hass = hass
        self.entry = entry
        self._status: Status | None = None
        #: When the sensor was started, by this host's clock.
        self.started: datetime | None = None
        self.devices: dict[str, Device] = {}
        self.blocks = Blocks()
        self.feeds: dict[str, Feed] = {}
        self.events = Events(hass, entry, self.events_since)
        self.hints = Hints(hass, entry, self.devices, self.call, lambda: self.is_read_only)
        self.presence = Presence()
        self.today = Today(hass, entry, lambda: self.available, lambda: self._notify(self.devices))
        self._stale = StaleDevices(hass, entry, self.devices, self.blocks)
        self._link = Link(hass, entry, self._on_snapshot, self._on_delta, self._on_lost)
        self._issues = FeedIssues(hass, entry, lambda: self.is_read_only)
        self._known: set[str] = set()
        self._full = False
        self._listeners: defaultdict[str | None, set[CALLBACK_TYPE]] = defaultdict(set)
        #: Those of them who show something of a device's packets.
        self._packet_listeners: defaultdict[str | None, set[CALLBACK_TYPE]] = defaultdict(set)
        self.newcomers = Newcomers(hass, entry, self.devices, self._known)
        self._unsubscribes: list[CALLBACK_TYPE] = []

    @property
    def available(self) -> bool:
        """Return whether the sensor is connected, so that what is known of it is true."""
        return self._link.client is not None

    @property
    def is_read_only(self) -> bool:
        """Return whether the sensor takes no orders from us."""
        return self._link.role == "read"

    @property
    def supervised(self) -> bool:
        """Return whether the sensor is ours to start and to end."""
        return self._link.process is not None

    @property
    def failure(self) -> SensorError | None:
        """Return why there is no connection, if a try has told."""
        return self._link.failure

    @property
    def last_words(self) -> tuple[str, ...]:
        """Return what a sensor of ours last wrote to its log."""
        return () if self._link.process is None else self._link.process.last_words

    @property
    def status(self) -> Status | None:
        """Return how the sensor fared when it last said so."""
        return self._status

    @status.setter
    def status(self, status: Status) -> None:
        """Take what the sensor says of itself."""
        self._status = status
        started = utc_from_timestamp(int(time() - status.uptime_s))
        if self.started is None or abs(started - self.started) > STARTED_TOLERANCE:
            self.started = started

    @property
    def known(self) -> frozenset[str]:
        """Return the devices that have a place in Home Assistant."""
        return frozenset(self._known)

    @property
    def online(self) -> int:
        """Return how many devices are at home."""
        return len(self.presence.online)

    @property
    def write_interval(self) -> float:
        """Return the least time between two states of a busy entity."""
        return float(self.entry.options.get(CONF_WRITE_INTERVAL, DEFAULT_WRITE_INTERVAL))

    async def async_start(self) -> None:
        """Connect, starting the sensor if it is ours, and stay connected from then on.

        Raises the SensorError that stands in the way of the first connection.
        """
        await self.events.async_load()
        await self.today.async_load()
        await self._stale.async_load()
        await self._link.start()
        await self.newcomers.async_wait()
        self._unsubscribes = [
            async_track_time_interval(self.hass, self._async_judge_presence, PRESENCE_INTERVAL),
            self.hass.bus.async_listen(
                dr.EVENT_DEVICE_REGISTRY_UPDATED, self._async_device_registry_updated
            ),
            self.hints.async_follow(),
            self.today.async_follow(),
        ]

    async def async_stop(self, _event: HassEvent | None = None) -> None:
        """Disconnect and, if the sensor is ours, end it; the kernel goes on enforcing."""
        while self._unsubscribes:
            self._unsubscribes.pop()()
        await self._link.stop()
        await self.events.async_save()
        await self.today.async_save()
        await self._stale.async_save()

    # Orders: when one returns, kernel and entities know it; each raises SensorError

    async def call(self, request: Request) -> Any:
        """Return the sensor's answer to a request, as JSON."""
        return await self._client().call(request)

    async def block(self, order: AddBlock) -> Block:
        """Put a rule in force."""
        return self._take_block(Block.from_wire(await self.call(order)))

    async def confirm(self, request: Confirm) -> Block:
        """Keep a rule that waits to be confirmed."""
        return self._take_block(Block.from_wire(await self.call(request)))

    async def unblock(self, request: RemoveBlock) -> Block:
        """End a rule and return it as it was."""
        block = Block.from_wire(await self.call(request))
        self.blocks.remove(block.id)
        self._notify([block.target])
        return block

    async def release(self, target: str, which: Callable[[Block], bool]) -> list[Block]:
        """End the rules on a target that `which` chooses, and return them as they were."""
        ended = []
        for block in await self.read_blocks():
            if block.target == target and which(block):
                try:
                    ended.append(await self.unblock(RemoveBlock(str(block.id))))
                except SensorError as error:
                    if error.code != "not_found":  # it has ended by itself
                        raise
        return ended

    async def read_blocks(self) -> list[Block]:
        """Ask for every rule in force, with what the kernel has counted by now."""
        blocks = await self._client().blocks()
        self._notify(self.blocks.replace(blocks))
        return blocks

    async def events_since(self, seq: int, limit: int) -> list[Event]:
        """Ask for the events after a number, the oldest first."""
        return [Event.from_wire(each) for each in await self.call(GetEvents(seq, limit))]

    async def forget(self, mac: str) -> None:
        """Erase all that the sensor knows of a device, and treat it as new if it ever comes again."""
        try:
            await self.call(ForgetDevice(mac))
        except SensorError as error:
            if error.code != "not_found":  # it has forgotten by itself
                raise
        self._known.discard(mac)

    def _client(self) -> Client:
        """Return the client; raises SensorError `not_running` without a connection."""
        if self._link.client is None:
            raise SensorError("not_running")
        return self._link.client

    def _take_block(self, block: Block) -> Block:
        """Know of a rule, and tell."""
        self.blocks.put(block)
        self._notify([block.target])
        return block

    # Listening

    @callback
    def async_subscribe(
        self, mac: str | None, listener: CALLBACK_TYPE, *, of_packets: bool = True
    ) -> CALLBACK_TYPE:
        """Call listener at each change of a device or its rule, or of anything if mac is None.

        Nearly all changes are packets that a device sent or received: who shows nothing of them is spared those.
        """
        places = [self._listeners[mac], *([self._packet_listeners[mac]] if of_packets else [])]
        for place in places:
            place.add(listener)

        @callback
        def unsubscribe() -> None:
            for place in places:
                place.discard(listener)

        return unsubscribe

    def _notify(self, macs: Iterable[str], moved: Iterable[str] = ()) -> None:
        """Tell who listens to these devices, to the packets of those that moved, and to the gateway."""
        for listeners, keys in ((self._packet_listeners, moved), (self._listeners, (*macs, None))):
            for key in keys:
                for listener in tuple(listeners.get(key, ())):
                    listener()

    # What the sensor tells

    def _on_snapshot(self, snapshot: Snapshot) -> None:
        """Replace everything that was known."""
        gone = self.devices.keys() - {device.mac for device in snapshot.devices}
        self.devices.clear()
        self.blocks.replace(snapshot.blocks)
        self.status = snapshot.status
        self._take_feeds(snapshot.feeds)
        async_register_gateway(self.hass, self.entry, snapshot.status)
        self.today.async_take_all(snapshot.devices)
        # Who was seen last comes first: not all that ever came may have entities.
        self._take_devices(sorted(snapshot.devices, key=lambda each: -each.last_seen))
        self._notify({*gone, *self.devices})
        self.events.async_connected(snapshot.last_event)
        self.hints.async_connected()

    def _on_delta(self, delta: Delta) -> None:
        """Take over what changed."""
        told = {device.mac for device in delta.devices}
        changed = (told - self.devices.keys()) | set(delta.removed_devices)
        changed |= {target for each in delta.removed_blocks if (target := self.blocks.remove(each))}
        for block in delta.blocks:
            self.blocks.put(block)
            changed.add(block.target)
        if delta.status is not None:
            self.status = delta.status
        for mac in delta.removed_devices:
            self.devices.pop(mac, None)
        if delta.feeds is not None:
            self._take_feeds(delta.feeds)
        self.today.async_take(delta.devices, delta.removed_devices)
        changed |= self._take_devices(delta.devices)
        self._notify(changed, told - changed)
        self.events.async_take(delta.events)

    def _on_lost(self) -> None:
        """Tell everyone that what is known may be so no more."""
        self._notify(self.devices)

    def _take_feeds(self, feeds: Iterable[Feed]) -> None:
        """Remember the feeds, and say what is wrong with them."""
        self.feeds = {feed.name: feed for feed in feeds}
        self._issues.async_follow(self.feeds.values())

    def _take_devices(self, devices: Sequence[Device]) -> set[str]:
        """Remember devices and present the new ones; return whose presence changed."""
        newcomers = []
        self._stale.note_seen(devices)
        for device in devices:
            before = self.devices.get(device.mac)
            self.devices[device.mac] = device
            self._known.difference_update(device.other_macs)
            if device.mac in self._known and registered_features(before) != registered_features(
                device
            ):
                async_register_device(self.hass, self.entry, device)
            if device.mac not in self._known and self._is_settled(device):
                self._known.add(device.mac)
                newcomers.append(device.mac)
        changed = self._judge_presence()
        self.newcomers.async_take(newcomers)
        return changed

    def _is_settled(self, device: Device) -> bool:
        """Return whether a device is worth entities: a hostile one can invent MACs by the thousand."""
        if not device.addresses and device.upload_packets < STRANGER_PACKETS:
            return False
        if not self._stale.has_place(device):
            return False
        if len(self._known) < MAX_DEVICES:
            return True
        if not self._full:
            self._full = True
            LOGGER.warning("More than %s devices: no entities for the rest", MAX_DEVICES)
        return False

    # Presence and names

    def primary(self, mac: str) -> str:
        """Return the MAC that a device goes by, into which the user may have merged this one."""
        if mac in self.devices:
            return mac
        return next((each.mac for each in self.devices.values() if mac in each.other_macs), mac)

    def _judge_presence(self) -> set[str]:
        """Return who came or went."""
        consider_home = self.entry.options.get(CONF_CONSIDER_HOME, DEFAULT_CONSIDER_HOME)
        return self.presence.update(self.devices, now=time(), consider_home=consider_home)

    @callback
    def _async_judge_presence(self, _now: datetime) -> None:
        """Notice who has fallen silent, who has for good, and whether the user wants hints given."""
        self.hints.async_judge()
        if not self.available:
            return
        # The gateway's own entities are told anyway: how the sensor fares is asked for by others.
        self._notify(self._judge_presence())
        if gone := self._stale.async_judge(now=time()):
            self._known -= gone
            self._full = False

    @callback
    def _async_device_registry_updated(
        self, event: HassEvent[dr.EventDeviceRegistryUpdatedData]
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
        present = self.devices.keys() & self._known
        for mac in {self.primary(each) for each in macs_of(registered)} & present:
            async_register_device(self.hass, self.entry, self.devices[mac])
