"""The one connection that a gateway's hub has to its sensor, made again whenever it is lost."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant

from .bpf.hearthwall_sensor.client import Client
from .bpf.hearthwall_sensor.protocol import Delta, SensorError, Snapshot, TokenRole
from .connection import connected
from .const import CONF_INTERFACES, CONF_SOCKET, CONF_STATE_DIR, CONF_WAN, DOMAIN, LOGGER
from .process import SensorProcess

FIRST_RETRY: Final = 1.0
LAST_RETRY: Final = 60.0
#: A connection that held this long was a good one: the next loss starts with a short wait again.
RAN_WELL: Final = 60.0


class Link:
    """Keeps the connection, and the sensor running if it is ours to run."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        on_snapshot: Callable[[Snapshot], None],
        on_delta: Callable[[Delta], None],
        on_lost: CALLBACK_TYPE,
    ) -> None:
        """Take the entry that says where the sensor is, and who wants to know what it tells."""
        self.process = _process_of(entry.data)
        self.client: Client | None = None
        #: What the sensor lets us do, as it last said.
        self.role: TokenRole = "operate"
        #: Why there is no connection, if a try has told.
        self.failure: SensorError | None = None
        self._hass = hass
        self._entry = entry
        self._on_snapshot = on_snapshot
        self._on_delta = on_delta
        self._on_lost = on_lost
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._warned_of: str | None = None

    async def start(self) -> None:
        """Connect, and stay connected from then on; raises what stands in the way of the first time."""
        first: asyncio.Future[None] = self._hass.loop.create_future()
        self._task = self._entry.async_create_background_task(
            self._hass, self._stay_connected(first), name="hearthwall connection"
        )
        try:
            await first
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Disconnect and, if the sensor is ours, end it; the kernel goes on enforcing."""
        self._stopping = True
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
            began = self._hass.loop.time()
            try:
                await self._ensure_running()
                await self._converse(first)
            except Exception as error:
                self.failure = error if isinstance(error, SensorError) else None
                if not first.done():
                    first.set_exception(error)
                    return
                if not isinstance(error, SensorError):
                    raise
                await self._failed(error)
                if error.code == "unauthorised":
                    # Asking again and again with it would help nobody: a new token begins a new link.
                    self._entry.async_start_reauth(self._hass)
                    return
            if self._hass.loop.time() - began > RAN_WELL:
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
        async with connected(self._hass, self._entry.data) as client:
            self._know(client)
            snapshot = await client.subscribe(self._on_delta)
            self.client = client
            self.failure = self._warned_of = None
            try:
                self._on_snapshot(snapshot)
                if first.done():
                    LOGGER.info("Connected to the sensor again")
                else:
                    first.set_result(None)
                await client.wait_closed()
            finally:
                self.client = None
                if not self._stopping:
                    LOGGER.info("Disconnected from the sensor")
                    self._on_lost()

    def _know(self, client: Client) -> None:
        """Know the gateway by its sensor's identity, however that was reached, and what it lets us do."""
        if client.hello is not None:
            self.role = client.hello.role
        identity = client.hello.id if client.hello is not None else None
        entries = self._hass.config_entries
        if (
            identity is not None
            and identity != self._entry.unique_id
            and entries.async_entry_for_domain_unique_id(DOMAIN, identity) is None
        ):
            entries.async_update_entry(self._entry, unique_id=identity)

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


def _process_of(data: Mapping[str, Any]) -> SensorProcess | None:
    """Return the sensor that an entry's data says to run, or None if somebody else runs it."""
    if CONF_INTERFACES not in data:
        return None
    return SensorProcess(
        interfaces=data[CONF_INTERFACES],
        wan=data.get(CONF_WAN, ()),
        socket=data[CONF_SOCKET],
        state_dir=data[CONF_STATE_DIR],
    )
