"""The process that delivers: a client of the sensor without any capability, so that no receiver can hurt the sensor.

It ends when the sensor does, or when the sensor no longer answers; the sensor starts it again.
"""

import asyncio
import contextlib
import json
import logging
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from .. import privileges
from ..client import Client, unix_session
from ..kernel.loader import die_with_parent
from ..protocol import Delta, Device, Status
from ..requests import Request
from .delivery import Delivery, Journal
from .ledger import Ledger, write_regularly
from .presence import Presence
from .reading import Named
from .sink import SinkContext

_LOGGER = logging.getLogger(__name__)

CLIENT_NAME: Final = "forwarder"
#: How often (seconds) devices' rates are told, how far each sink has come is put on disk, and told to the sensor.
_INTERVAL: Final = 5.0
_KEPT_EVERY: Final = 1.0
_TOLD_EVERY: Final = 1.0
#: As much as it may take (bytes): with all libraries it needs a quarter of that.
_MEMORY: Final = 256 * 1024 * 1024


class Forwarder:
    """All deliveries, and what they know of the sensor."""

    def __init__(self, sinks: Sequence[Named], client: Client, state: Path) -> None:
        """Take the sinks as they are set, a connected client, and the state folder."""
        self._named = sinks
        self._client = client
        self._state = state
        self._last = 0
        self._devices: dict[str, Device] = {}
        self._presence = Presence()
        self._deliveries: list[Delivery] = []
        self._told: Any = None

    async def run(self) -> None:
        """Deliver until the sensor ends the connection; raises SensorError."""
        snapshot = await self._client.subscribe(self._take, _INTERVAL)
        self._last = snapshot.last_event
        self._devices = {each.mac: each for each in snapshot.devices}
        ledger = Ledger.read(self._state)
        self._presence = ledger.presence
        self._look(snapshot.status)
        ledger.keep(each.name for each in self._named)
        self._deliveries = [self._delivery(each, ledger) for each in self._named]
        tasks = [
            asyncio.ensure_future(each)
            for each in (
                *(each.run() for each in self._deliveries),
                write_regularly(ledger, _KEPT_EVERY),
                self._tell_regularly(),
                self._client.wait_closed(),
            )
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()
        finally:
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await ledger.write()

    def _delivery(self, named: Named, ledger: Ledger) -> Delivery:
        """Return what delivers to one sink."""
        hello = self._client.hello
        context = SinkContext(
            name=named.name,
            sensor_id=(hello and hello.id) or "unknown",
            state_dir=self._state,
            call=self._call,
            devices=lambda: tuple(self._devices.values()),
            device_name=self._device_name,
            device_maker=self._device_maker,
        )
        is_deputy = named.when == "home_assistant_away"
        was_alone = self._presence.was_alone if is_deputy else None
        journal = Journal(self._call, lambda: self._last, was_alone)
        return Delivery(named, named.make(context), ledger.account(named.name, self._last), journal)

    async def _call(self, request: Request) -> Any:
        """Ask the sensor."""
        return await self._client.call(request)

    def _device_name(self, mac: str) -> str | None:
        """Return what people call a device, or what it calls itself."""
        device = self._devices.get(mac)
        return None if device is None else device.name or device.hostname

    def _device_maker(self, mac: str) -> str | None:
        """Return who made a device."""
        device = self._devices.get(mac)
        return None if device is None else device.vendor

    def _look(self, status: Status) -> None:
        """Note whether a Home Assistant is there, if a sink wants to know."""
        if any(each.when == "home_assistant_away" for each in self._named):
            self._presence.note(status.home_assistants)

    def _take(self, delta: Delta) -> None:
        """Take over what changed."""
        if delta.status is not None:
            self._look(delta.status)
        self._devices |= {each.mac: each for each in delta.devices}
        for mac in delta.removed_devices:
            self._devices.pop(mac, None)
        if delta.events:
            self._last = max(self._last, delta.events[-1].seq)
            for each in self._deliveries:
                each.wake()

    async def _tell_regularly(self) -> None:
        """Tell the sensor how each sink fares, a line of JSON when that has changed."""
        while True:
            told = [each.state().to_wire() for each in self._deliveries]
            if told != self._told:
                self._told = told
                print(json.dumps(told), flush=True)
            await asyncio.sleep(_TOLD_EVERY)


async def main(sinks: Sequence[Named], socket: str, state: Path) -> None:
    """Deliver for the sensor on a socket until it ends; raises SensorError."""
    die_with_parent()
    # What a receiver answers may be of any length; it ends this process, and never the sensor.
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
    privileges.forgo()
    async with unix_session(socket) as session:
        client = Client(session, name=CLIENT_NAME)
        await client.connect()
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(Forwarder(sinks, client, state).run())
        loop.add_reader(
            sys.stdin.fileno(), task.cancel
        )  # it says nothing, but ends with the sensor
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        finally:
            loop.remove_reader(sys.stdin.fileno())
            await client.close()
