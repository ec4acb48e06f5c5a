"""A home for the views: a sensor as far as a client can tell, with its own server and no kernel behind it."""

import asyncio
import dataclasses
import threading
from collections.abc import Iterable
from pathlib import Path
from time import time
from typing import Any

from hearthwall_sensor.protocol import (
    Block,
    Delta,
    Device,
    DeviceRule,
    Flow,
    Interface,
    SensorError,
    Snapshot,
    Status,
)
from hearthwall_sensor.requests import (
    AddBlock,
    GetDevices,
    GetFlows,
    GetStatus,
    RemoveBlock,
    Request,
)
from hearthwall_sensor.server import Server
from tests.devices import CAMERA, PHONE, TV, device_fields


def device(mac: str, **fields: Any) -> Device:
    """Return a device that was seen just now and has moved nothing."""
    return Device(**device_fields(mac, **fields))


def flow(mac: str | None, port: int, **fields: Any) -> Flow:
    """Return a TLS connection of a device from this port, which moved just now."""
    said: dict[str, Any] = {
        "community_id": f"1:{mac}{port}",
        "address": "192.168.20.21",
        "peer_address": "203.0.113.9",
        "peer_port": 443,
        "peer_name": None,
        "name_source": None,
        "transport": "tcp",
        "application": "tls",
        "upload_bytes": 0,
        "download_bytes": 0,
        "upload_packets": 1,
        "download_packets": 1,
        "first_seen": 1_700_000_000.0,
        "last_seen": time(),
        "opened_by": "device",
        "outcome": "open",
        "scope": "internet",
    }
    return Flow(mac=mac, port=port, **(said | fields))


def status(**fields: Any) -> Status:
    """Return a healthy sensor's status."""
    said: dict[str, Any] = {
        "pid": 1,
        "version": "0.1.0",
        "schema": 1,
        "interfaces": (Interface("lan", 3, "br-lan", "off", "tcx"),),
        "capabilities": (),
        "rules": 0,
        "devices": 1,
        "clients": 1,
        "uptime_s": 1.0,
        "resident_bytes": 30_000_000,
        "dropped": {},
        "lost": {"samples_lost": 0, "flows_evicted": 0},
        "protected": {},
    }
    return Status(**(said | fields))


class Household:
    """What the server serves: every device and flow moves on by its own rate, as time does."""

    def __init__(self) -> None:
        self.revision = 1
        self.began = time()
        self.devices = {
            CAMERA: device(CAMERA, hostname="camera"),
            TV: device(TV, name="电视 in the living room"),
            PHONE: device(PHONE, vendor="Acme"),
        }
        self.rates = {CAMERA: (250_000, 1_000), TV: (10_000, 2_500_000), PHONE: (0, 0)}
        self.flows = [
            flow(CAMERA, 40000, peer_name="storage.vendor.example"),
            flow(TV, 40001, peer_name="video.example", application="quic", transport="udp"),
            flow(PHONE, 40002, outcome="refused", peer_address="2001:db8::9", opened_by="peer"),
        ]
        self.flow_rates = {40000: (250_000, 1_000), 40001: (10_000, 2_500_000)}
        self.status = status(devices=3, flows=3)
        self.errors: dict[str, SensorError] = {}
        #: What is answered to requests of other types.
        self.answers: dict[str, Any] = {"blocks": []}
        self.received: list[Request] = []
        self._ids = 0

    def _moved(self, each: Any, rate: tuple[int, int]) -> Any:
        elapsed = time() - self.began
        up, down = (int(way * elapsed) for way in rate)
        return dataclasses.replace(
            each,
            upload_bytes=each.upload_bytes + up,
            download_bytes=each.download_bytes + down,
            last_seen=time() if up + down else each.last_seen,
        )

    def _devices(self) -> tuple[Device, ...]:
        return tuple(
            self._moved(each, self.rates.get(mac, (0, 0))) for mac, each in self.devices.items()
        )

    def _flows(self, request: GetFlows) -> Iterable[Flow]:
        for each in self.flows:
            if not request.devices or each.mac in request.devices:
                yield self._moved(each, self.flow_rates.get(each.port, (0, 0)))

    def snapshot(self) -> Snapshot:
        return Snapshot(0, self.status, self._devices(), ())

    def delta(self, since: int) -> Delta | None:
        return Delta(0, self.status, self._devices())

    def hasten(self) -> None:
        pass

    async def answer(self, request: Request) -> Any:
        self.received.append(request)
        if request.type in self.errors:
            raise self.errors[request.type]
        match request:
            case GetDevices():
                return [each.to_wire() for each in self._devices()]
            case GetFlows():
                return [each.to_wire() for each in self._flows(request)][: request.limit]
            case GetStatus():
                return self.status.to_wire()
            case AddBlock():
                return self._block(request)
            case RemoveBlock():
                return self._unblock(request)
        if request.type not in self.answers:
            raise SensorError("unknown_command")
        return self.answers[request.type]

    def _block(self, order: AddBlock) -> Any:
        self._ids += 1
        expires = None if order.duration is None else time() + order.duration
        rule = DeviceRule(self._ids, order.mode, expires)
        self.devices[order.target] = dataclasses.replace(self.devices[order.target], rule=rule)
        self.revision += 1
        return Block(
            id=self._ids,
            target=order.target,
            kind="mac",
            mode=order.mode,
            allow=("addressing",),
            reason=order.reason,
            created=time(),
            expires=expires,
            confirm_by=None,
            packets=0,
            bytes=0,
            first_hit=None,
            last_hit=None,
            latency_ms=None,
        ).to_wire()

    def _unblock(self, order: RemoveBlock) -> Any:
        for mac, each in self.devices.items():
            if each.rule is not None and order.target in {str(each.rule.id), mac}:
                self.devices[mac] = dataclasses.replace(each, rule=None)
                self.revision += 1
                block = AddBlock(target=mac, mode=each.rule.mode)
                wire = self._block(block)
                self.devices[mac] = dataclasses.replace(each, rule=None)
                return wire
        raise SensorError("not_found")


class Serving:
    """The sensor's own server for a household, in a thread, that can go away and come back."""

    def __init__(self, path: Path, household: Household, tick: float = 0.1) -> None:
        self.socket = str(path)
        self.household = household
        self._tick = tick
        self.server: Server
        self._stop: asyncio.Event
        self._loop: asyncio.AbstractEventLoop
        self._thread: threading.Thread | None = None

    def start(self) -> Serving:
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)), daemon=True)
        self._thread.start()
        assert ready.wait(10)
        return self

    def stop(self) -> None:
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(10)
            self._thread = None

    async def _serve(self, ready: threading.Event) -> None:
        self._stop, self._loop = asyncio.Event(), asyncio.get_running_loop()
        self.server = server = Server(self.socket, None, self.household)
        server.claim()
        await server.start()
        ready.set()
        try:
            while not self._stop.is_set():
                self.household.revision += 1
                server.push()
                await asyncio.sleep(self._tick)
        finally:
            await server.stop()
            server.release()
