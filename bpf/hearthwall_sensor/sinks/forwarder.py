"""The process that delivers: a client of the sensor without any capability, so that no receiver can hurt the sensor.

There is one for the sinks of this host, and one for those elsewhere, which writes to no file but its ledger.
The sensor says on its input which sinks there are, a line of JSON, and then which are to be tested. It says on its
output how they fare. It ends when the sensor does, or when the sensor no longer answers; the sensor starts it again.
"""

import asyncio
import contextlib
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from .. import privileges
from ..client import Client, unix_session
from ..kernel.loader import die_with_parent
from ..protocol import Delta, Device, Status
from ..requests import GetJournal, Request
from . import calls, limits
from .delivery import Delivery, Journal
from .kinds import Where
from .ledger import Ledger, write_regularly
from .presence import Presence
from .progress import Progress
from .reading import Named, read
from .sink import SinkContext

_LOGGER = logging.getLogger(__name__)

CLIENT_NAME: Final = "forwarder"
#: How often (seconds) devices' rates are told, how far each sink has come is put on disk, and told to the sensor.
_INTERVAL: Final = 5.0
_KEPT_EVERY: Final = 1.0
_TOLD_EVERY: Final = 1.0
#: The sensor hears something every so many times, so that it knows that we don't hang.
_TOLD_ANYWAY: Final = 3
#: Longest line (bytes) that the sensor says: the settings' tables.
LONGEST_LINE: Final = 1024 * 1024


class Forwarder:
    """All deliveries, and what they know of the sensor."""

    def __init__(
        self, sinks: Sequence[Named], client: Client, state: Path, ledger: Ledger | None = None
    ) -> None:
        """Take the sinks as they are set, a connected client, the state folder, and the ledger if it is open."""
        self._named = sinks
        self._client = client
        self._state = state
        self._ledger = ledger
        self._last = 0
        self._devices: dict[str, Device] = {}
        self._presence = Presence()
        self._deliveries: list[Delivery] = []
        self._told: Any = None
        self._untold = 0
        self._tests: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Deliver until the sensor ends the connection; raises SensorError."""
        snapshot = await self._client.subscribe(self._take, _INTERVAL)
        self._last = snapshot.last_event
        self._devices = {each.mac: each for each in snapshot.devices}
        ledger = self._ledger or Ledger.read(self._state)
        self._presence = ledger.presence
        self._look(snapshot.status)
        ledger.keep(each.name for each in self._named)
        ledger.follow((await self._client.call(GetJournal()))["id"])
        self._deliveries = [self._delivery(each, ledger) for each in self._named]
        await ledger.write()  # where a new sink begins, also if this process is killed at once
        tasks = [
            asyncio.ensure_future(limits.bounded(each))
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
            for each in (*tasks, *self._tests):
                each.cancel()
            await asyncio.gather(*tasks, *self._tests, return_exceptions=True)
            await ledger.write()

    def _delivery(self, named: Named, ledger: Ledger) -> Delivery:
        """Return what delivers to one sink."""
        hello = self._client.hello
        progress = Progress()
        context = SinkContext(
            name=named.name,
            sensor_id=(hello and hello.id) or "unknown",
            state_dir=self._state,
            call=self._call,
            devices=lambda: tuple(self._devices.values()),
            device_name=self._device_name,
            device_maker=self._device_maker,
            took=progress.took,
            reached=progress.reached,
        )
        is_deputy = named.when == "home_assistant_away"
        journal = Journal(self._call, lambda: self._last, self._presence if is_deputy else None)
        account = ledger.account(named.name, self._last)
        return Delivery(named, named.make(context), account, journal, progress)

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
        """Tell the sensor how each sink fares, when that has changed, and now and then that we don't hang."""
        while True:
            told = [each.state().to_wire() | {"cursor": each.cursor} for each in self._deliveries]
            self._untold += 1
            if told != self._told or self._untold >= _TOLD_ANYWAY:
                self._told, self._untold = told, 0
                _say(told)
            await asyncio.sleep(_TOLD_EVERY)

    async def obey(self, lines: asyncio.StreamReader) -> None:
        """Test the sinks that the sensor names, until it says no more."""
        while line := await lines.readline():
            asked = json.loads(line)
            test = asyncio.ensure_future(limits.bounded(self._test(asked["test"], asked["name"])))
            self._tests.add(test)
            test.add_done_callback(self._tests.discard)

    async def _test(self, number: int, name: str) -> None:
        """Test one sink and tell what became of it."""
        problem: str | None = f"there is no sink {name}"
        for each in self._deliveries:
            if each.name == name:
                problem = await each.test()
        _say({"test": number, "error": problem})


def _say(wire: Any) -> None:
    """Say something to the sensor."""
    print(json.dumps(wire), flush=True)


async def main(socket: str, state: Path, where: Where) -> None:
    """Deliver to the sinks here or elsewhere, for the sensor on a socket, until it ends; raises SensorError."""
    die_with_parent()
    loop = asyncio.get_running_loop()
    # What a receiver answers may be of any length; it ends this process, and never the sensor.
    limits.set_up(loop)
    privileges.forgo()
    lines = asyncio.StreamReader(LONGEST_LINE)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    sinks = read(json.loads(await lines.readline() or "[]"))
    async with unix_session(socket) as session:
        client = Client(session, name=CLIENT_NAME)
        await client.connect()
        ledger = Ledger.read(state, where)
        ledger.hold()
        # From here on no other process comes of this one, and it reaches no other that takes orders of root.
        calls.confine(where)
        forwarder = Forwarder(sinks, client, state, ledger)
        work = [asyncio.ensure_future(limits.bounded(forwarder.run()))]
        work.append(asyncio.ensure_future(limits.bounded(forwarder.obey(lines))))
        try:
            # Its input ends with the sensor.
            done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in work:
                each.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            await client.close()
        for each in done:
            with contextlib.suppress(asyncio.CancelledError):
                each.result()
