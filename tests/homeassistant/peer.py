"""The other end of the protocol: a websocket server on a real unix socket that says what a test wants."""

import asyncio
import json
from pathlib import Path
from time import time
from typing import Any

from aiohttp import WSMsgType, web

from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import (
    WEBSOCKET_PATH,
    AddBlock,
    Block,
    Device,
    Interface,
    RemoveBlock,
    Request,
    SensorError,
    Status,
    Unload,
    read_request,
)
from custom_components.hearthwall.bpf.hearthwall_sensor.targets import parse_target

CAMERA = "00:00:5e:00:53:21"
TV = "00:00:5e:00:53:13"
PHONE = "02:00:5e:00:53:12"


def device(mac: str, **fields: Any) -> Device:
    """Return a device that was seen just now and has moved nothing."""
    said: dict[str, Any] = {
        "addresses": ("192.168.20.21",),
        "hostname": None,
        "vendor": None,
        "randomised": False,
        "interface": "camera",
        "first_seen": 1_700_000_000.0,
        "last_seen": time(),
        "upload_bytes": 0,
        "download_bytes": 0,
        "upload_packets": 0,
        "download_packets": 0,
        "upload_rate": 0.0,
        "download_rate": 0.0,
        "by_scope": {},
        "rule": None,
    }
    return Device(mac=mac, **(said | fields))


def status() -> Status:
    """Return a healthy sensor's status."""
    return Status(
        pid=1,
        version="0.1.0",
        schema=1,
        interfaces=(Interface("camera", 3, "br-lan", "off", "tcx"),),
        capabilities=(),
        rules=0,
        devices=1,
        clients=1,
        uptime_s=1.0,
        resident_bytes=30_000_000,
        dropped={},
        lost={},
        protected={"192.168.10.1": "this host"},
    )


class Peer:
    """A sensor as far as the protocol goes: it keeps rules, but there is no kernel behind it."""

    def __init__(self, socket: Path) -> None:
        self.socket = str(socket)
        self.hello: Any = {"type": "hello", "version": "0.1.0", "min_schema": 1, "max_schema": 1}
        self.devices = [device(CAMERA, hostname="camera"), device(TV, vendor="Acme")]
        self.blocks: dict[str, Block] = {}
        self.errors: dict[str, SensorError] = {}
        self.silent: set[str] = set()
        self.received: list[Request] = []
        self.intervals: list[float] = []
        self._sockets: dict[web.WebSocketResponse, int] = {}
        self._runner: web.AppRunner | None = None
        self._ids = 0

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get(WEBSOCKET_PATH, self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.UnixSite(self._runner, self.socket).start()

    async def stop(self) -> None:
        for socket in list(self._sockets):
            await socket.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def clients(self) -> int:
        return len(self._sockets)

    async def tell(self, **fields: Any) -> None:
        """Send a delta to every subscriber, and wait until it has arrived."""
        wire = {
            key: [each.to_wire() if hasattr(each, "to_wire") else each for each in value]
            for key, value in fields.items()
        }
        for socket in self._sockets:
            await self._send_delta(socket, wire)
        await asyncio.sleep(0.05)

    async def say(self, text: str) -> None:
        """Send every client a text that may be nonsense."""
        for socket in self._sockets:
            await socket.send_str(text)

    def orders(self, kind: type[Request]) -> list[Any]:
        return [each for each in self.received if isinstance(each, kind)]

    async def _send_delta(self, socket: web.WebSocketResponse, wire: dict[str, Any]) -> None:
        self._sockets[socket] += 1
        await socket.send_json(wire | {"type": "delta", "seq": self._sockets[socket]})

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets[socket] = 0
        try:
            await socket.send_str(
                self.hello if isinstance(self.hello, str) else json.dumps(self.hello)
            )
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                identity, order = read_request(json.loads(message.data))
                self.received.append(order)
                if order.type in self.silent:
                    continue
                if order.type in self.errors:
                    wire = {"type": "error"} | self.errors[order.type].to_wire()
                else:
                    try:
                        wire = {"type": "result", "result": self._answer(order)}
                    except SensorError as error:
                        wire = {"type": "error"} | error.to_wire()
                await socket.send_json({"id": identity} | wire)
        finally:
            del self._sockets[socket]
        return socket

    def _answer(self, order: Request) -> Any:
        match order:
            case AddBlock():
                return self._block(order).to_wire()
            case RemoveBlock():
                for block in self.blocks.values():
                    if order.target in (block.target, str(block.id)):
                        return self.blocks.pop(block.target).to_wire()
                raise SensorError("not_found")
            case Unload():
                return {}
        if order.type == "subscribe":
            self.intervals.append(order.interval)
            return {
                "seq": 0,
                "status": status().to_wire(),
                "devices": [each.to_wire() for each in self.devices],
                "blocks": [each.to_wire() for each in self.blocks.values()],
            }
        return {"status": status().to_wire()}.get(order.type, {})

    def _block(self, order: AddBlock) -> Block:
        target = parse_target(order.target)
        self._ids += 1
        now = time()
        self.blocks[target.value] = Block(
            id=self._ids,
            target=target.value,
            kind=target.kind,
            mode=order.mode,
            allow=order.allow,
            reason=order.reason,
            created=now,
            expires=None if order.duration is None else now + order.duration,
            confirm_by=None if order.confirm_within is None else now + order.confirm_within,
            packets=0,
            bytes=0,
            first_hit=None,
            last_hit=None,
            latency_ms=None,
        )
        return self.blocks[target.value]
