"""Follows one sensor for the view: devices as they change, flows once in an interval, rates from both."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import aiohttp

from ..client import Client
from ..protocol import Delta, Device, Flow, Program, SensorError
from ..requests import AddBlock, GetFlows, GetProcesses, RemoveBlock
from ..words import naming
from .rates import Rate, Rates, Total
from .rows import flow_key
from .view import View, duration_text

#: More flows than these, which moved last, are not asked for.
MAX_FLOWS: Final = 300
#: Part of the interval that a reading may come early by: deltas are a little early or late.
_SLACK: Final = 0.3
#: A sensor that has gone is looked for after so many seconds.
_RETRY: Final = 5


class Follower:
    """One sensor's devices and flows, told to a view."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        view: View,
        interval: float,
        changed: Callable[[], None] = lambda: None,
        flows: int = MAX_FLOWS,
    ) -> None:
        """Take a session that leads to the sensor, and what to call when the view has changed."""
        self._session = session
        self._view = view
        self._interval = interval
        self._changed = changed
        self._flows = flows
        self._client: Client | None = None
        self._devices: dict[str, Device] = {}
        self._device_meter = Rates()
        self._program_meter = Rates()
        self._flow_meter = Rates()
        self._device_rates: Mapping[Any, Rate] = {}
        self._bell = asyncio.Event()
        self._hurry = False

    async def connect(self) -> None:
        """Connect and take the first reading; raises SensorError."""
        client = Client(self._session, name="top")
        await client.connect()
        try:
            snapshot = await client.subscribe(self._take, self._interval)
            self._client = client
            self._view.status = snapshot.status
            self._devices = {each.mac: each for each in snapshot.devices}
            await self._rate_devices()
            await self._read()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """End the connection."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def follow(self) -> None:
        """Take a reading in each interval until the connection ends; raises SensorError."""
        if self._client is None:
            raise SensorError("not_running")
        closed = asyncio.ensure_future(self._client.wait_closed())
        last = time.monotonic()
        try:
            while not closed.done():
                rung = asyncio.ensure_future(self._bell.wait())
                # Where nothing changes no delta comes, and that is what has to be shown.
                await asyncio.wait(
                    {rung, closed},
                    timeout=self._interval * (1 + _SLACK),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                rung.cancel()
                self._bell.clear()
                early = time.monotonic() - last < self._interval * (1 - _SLACK)
                if closed.done() or (early and not self._hurry):
                    continue
                self._hurry = False
                if not early:
                    last = time.monotonic()
                    await self._rate_devices()
                await self._read()
            closed.result()
        finally:
            closed.cancel()
            await self.close()
        raise SensorError("not_running", "the sensor has ended")

    async def keep_following(self) -> None:
        """Follow, and look for the sensor again whenever it has gone; never returns."""
        while True:
            try:
                if self._client is None:
                    await self.connect()
                    self._view.trouble = None
                await self.follow()
            except SensorError as error:
                await self._count_down(error)

    async def _count_down(self, error: SensorError) -> None:
        """Say that the sensor has gone, and wait."""
        gone = error.code == "not_running"
        what = "The sensor does not run" if gone else f"Trouble with the sensor: {error.message}"
        for left in range(_RETRY, 0, -1):
            self._view.trouble = f"{what}; trying again in {left} s"
            self._changed()
            await asyncio.sleep(1)

    def hurry(self) -> None:
        """Take a reading now: another device was chosen, or a rule has changed."""
        self._hurry = True
        self._bell.set()

    async def read_devices(self) -> None:
        """Take a reading with the devices as the kernel counts them now; raises SensorError."""
        await self._rate_devices()
        await self._read()

    async def order(self, order: AddBlock | RemoveBlock) -> None:
        """Give an order, and tell the view what came of it."""
        try:
            if self._client is None:
                raise SensorError("not_running")  # noqa: TRY301, it is told as any other
            if isinstance(order, AddBlock):
                block = await self._client.block(order)
                self._view.say(
                    f"{self._name(order.target)} is cut off {duration_text(order.duration)}"
                    f" ({block.mode}); u releases it.",
                    "good",
                )
            else:
                block = await self._client.unblock(order.target)
                self._view.say(f"{self._name(block.target)} is released.", "good")
        except SensorError as error:
            self._view.say(f"Refused: {error.message}", "bad")
        self._changed()
        self.hurry()

    def _name(self, target: str) -> str:
        """Return what a device is called."""
        device = self._devices.get(target)
        return target if device is None else device.name or device.hostname or target

    def _take(self, delta: Delta) -> None:
        """Take what has changed."""
        if delta.status is not None:
            self._view.status = delta.status
        for device in delta.devices:
            self._devices[device.mac] = device
        for mac in delta.removed_devices:
            self._devices.pop(mac, None)
        self._view.take_rules({each.mac: each.rule for each in delta.devices})
        self._changed()
        self._bell.set()

    async def _rate_devices(self) -> None:
        """Compute the devices' rates, of what the kernel counts at this moment: a snapshot's totals are older."""
        if self._client is None:
            raise SensorError("not_running")
        self._devices = {each.mac: each for each in await self._client.devices()}
        now, wall = time.monotonic(), time.time()
        totals = [_device_total(each, wall) for each in self._devices.values()]
        self._device_rates = self._device_meter.read(now, totals)

    async def _read(self) -> None:
        """Ask for the flows, and give the view all with their rates."""
        if self._view.upper == "programs":
            await self._read_programs()
        flows = await self._ask()
        now, wall = time.monotonic(), time.time()
        flow_rates = self._flow_meter.read(now, [_flow_total(each, wall) for each in flows])
        self._view.take(tuple(self._devices.values()), flows, self._device_rates, flow_rates)
        self._changed()

    async def _read_programs(self) -> None:
        """Ask for the programs, and give them to the view with their rates."""
        if self._client is None:
            raise SensorError("not_running")
        wires = await self._client.call(GetProcesses(limit=self._flows))
        programs = [Program.from_wire(each) for each in wires]
        now, wall = time.monotonic(), time.time()
        totals = [_program_total(each, wall) for each in programs]
        self._view.take_programs(programs, self._program_meter.read(now, totals))

    async def _ask(self) -> list[Flow]:
        """Return the flows of the device, or the program, that is chosen; raises SensorError."""
        if self._client is None:
            raise SensorError("not_running")
        if self._view.upper == "programs":
            program = self._view.program
            return await self._client.flows(
                GetFlows(limit=self._flows, process=program, of="processes")
            )
        chosen = self._view.mac
        request = GetFlows(() if chosen is None else (chosen,), limit=self._flows)
        return await self._client.flows(request)


def _device_total(device: Device, wall: float) -> Total:
    """Return what a device has moved in all."""
    return Total(device.mac, device.upload_bytes, device.download_bytes, wall - device.first_seen)


def _program_total(program: Program, wall: float) -> Total:
    """Return what a program has moved in all."""
    return Total(
        naming.executable(program.executable, program.container),
        program.upload_bytes,
        program.download_bytes,
        wall - program.first_seen,
    )


def _flow_total(flow: Flow, wall: float) -> Total:
    """Return what a flow has moved in all."""
    return Total(flow_key(flow), flow.upload_bytes, flow.download_bytes, wall - flow.first_seen)
