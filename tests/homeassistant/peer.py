"""The other end of the protocol: a websocket server on a real unix socket that says what a test wants."""

import asyncio
import ipaddress
import json
from dataclasses import replace
from pathlib import Path
from time import time
from typing import Any

from aiohttp import WSMsgType, web

from custom_components.hearthwall.bpf.hearthwall_sensor import __version__
from custom_components.hearthwall.bpf.hearthwall_sensor.kinds import SEVERITIES
from custom_components.hearthwall.bpf.hearthwall_sensor.policy.blame import Blame
from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import (
    WEBSOCKET_PATH,
    Block,
    Device,
    Event,
    Feed,
    Flow,
    Interface,
    Program,
    SensorError,
    Status,
)
from custom_components.hearthwall.bpf.hearthwall_sensor.requests import (
    AcceptEvent,
    AddBlock,
    AddFeed,
    Confirm,
    ForgetDevice,
    GetBlocks,
    GetDevices,
    GetEvents,
    GetFeeds,
    GetFlows,
    GetProcesses,
    RefreshFeed,
    RemoveBlock,
    RemoveFeed,
    Request,
    read_request,
)
from custom_components.hearthwall.bpf.hearthwall_sensor.targets import parse_target
from tests.devices import CAMERA, TV, device_fields
from tests.homeassistant.older import refuse_processes


def device(mac: str, **fields: Any) -> Device:
    """Return a device that was seen just now and has moved nothing."""
    return Device(**device_fields(mac, **fields))


def feed(name: str, **fields: Any) -> Feed:
    """Return a feed that was read just now, as an order for it or a test says."""
    said: dict[str, Any] = {
        "source": "https://lists.example/drop.txt",
        "format": "addresses",
        "action": "audit",
        "interval": 86400.0,
        "addresses": 1000,
        "domains": 0,
        "invalid": 0,
        "subtracted": 0,
        "subtracted_examples": (),
        "updated": time(),
        "checked": time(),
        "last_error": None,
        "packets": 0,
        "bytes": 0,
        "first_hit": None,
        "last_hit": None,
    }
    return Feed(name=name, **(said | fields))


#: Tells as the sensor does who did what.
_BLAME = Blame(lambda _: False, lambda _: False)


def event(seq: int, kind: str = "threat_address", **fields: Any) -> Event:
    """Return the event with this number in a journal that has one a second."""
    said: dict[str, Any] = {
        "time": 1_700_000_000.0 + seq,
        "severity": "high",
        "mac": CAMERA,
        "address": "192.168.20.21",
        "peer_address": "203.0.113.66",
        "peer_name": None,
        "process": None,
        "summary": f"number {seq}",
        "evidence": {"feed": "drop", "packets": 3},
    }
    happened = Event(seq=seq, kind=kind, **(said | fields))
    return happened if "culprit" in fields else replace(happened, culprit=_BLAME.whom(happened))


def flow(mac: str | None, peer_address: str, peer_name: str | None = None, **fields: Any) -> Flow:
    """Return a flow over TLS that moved just now."""
    said: dict[str, Any] = {
        "community_id": "1:vTdrngJjlP5eZ9mw9JtnKyn99KM=",
        "address": "192.168.20.21",
        "port": 40000,
        "peer_port": 443,
        "name_source": None if peer_name is None else "tls",
        "transport": "tcp",
        "application": "tls",
        "upload_bytes": 2_000_000,
        "download_bytes": 5_000_000,
        "upload_packets": 2_000,
        "download_packets": 4_000,
        "first_seen": 1_700_000_000.0,
        "last_seen": time(),
        "opened_by": "device",
        "outcome": "closed",
        "scope": "internet",
    }
    return Flow(mac=mac, peer_address=peer_address, peer_name=peer_name, **(said | fields))


def program(executable: str, **fields: Any) -> Program:
    """Return a program of the gateway that has talked a little, to one peer."""
    said: dict[str, Any] = {
        "container": None,
        "unit": None,
        "pids": (4711,),
        "uids": (0,),
        "upload_bytes": 1_000,
        "download_bytes": 2_000,
        "upload_packets": 10,
        "download_packets": 20,
        "connections": 1,
        "first_seen": 1_700_000_000.0,
        "last_seen": time(),
        "peers": ("203.0.113.66",),
    }
    return Program(executable=executable, **(said | fields))


def status(**fields: Any) -> Status:
    """Return a healthy sensor's status, as a test says."""
    said: dict[str, Any] = {
        "pid": 1,
        "version": __version__,
        "schema": 1,
        "interfaces": (Interface("camera", 3, "br-lan", "off", "tcx"),),
        "capabilities": (),
        "rules": 0,
        "devices": 1,
        "clients": 1,
        "uptime_s": 1.0,
        "resident_bytes": 30_000_000,
        "dropped": {},
        "lost": {},
        "protected": {"192.168.10.1": "this host"},
    }
    return Status(**(said | fields))


class Peer:
    """A sensor as far as the protocol goes: it keeps rules, but there is no kernel behind it."""

    def __init__(self, socket: Path) -> None:
        self.socket = str(socket)
        self.hello: Any = {"type": "hello", "version": "0.1.0", "min_schema": 1, "max_schema": 1}
        self.devices = [device(CAMERA, hostname="camera"), device(TV, vendor="Acme")]
        self.blocks: dict[tuple[str, str | None, int | None], Block] = {}
        self.feeds: dict[str, Feed] = {}
        self.events: list[Event] = []
        self.flows: list[Flow] = []
        self.programs: list[Program] = []
        #: Whether it is from before there were processes.
        self.is_older = False
        self.errors: dict[str, SensorError] = {}
        #: What its status says.
        self.status: dict[str, Any] = {}
        #: What is answered to requests of other types.
        self.answers: dict[str, Any] = {}
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

    async def fare(self, **fields: Any) -> None:
        """Let the status be another, and tell every subscriber."""
        self.status = fields
        for socket in self._sockets:
            await self._send_delta(socket, {"status": status(**fields).to_wire()})
        await asyncio.sleep(0.05)

    async def happen(self, *events: Event) -> None:
        """Put events into the journal and tell every subscriber."""
        self.events += events
        await self.tell(events=events)

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
                said = json.loads(message.data)
                identity, order = read_request(said)
                self.received.append(order)
                if order.type in self.silent:
                    continue
                role = self.hello.get("role") if isinstance(self.hello, dict) else None
                if role == "read" and order.needs != "read":
                    wire = {"type": "error"} | SensorError("read_only").to_wire()
                elif order.type in self.errors:
                    wire = {"type": "error"} | self.errors[order.type].to_wire()
                else:
                    try:
                        if self.is_older:
                            refuse_processes(said)
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
                return self.blocks.pop(self._find(order)).to_wire()
            case Confirm():
                key = self._find(order)
                self.blocks[key] = replace(self.blocks[key], confirm_by=None)
                return self.blocks[key].to_wire()
            case GetBlocks():
                return [each.to_wire() for each in self.blocks.values()]
        return self._answer_of_events(order)

    def _answer_of_events(self, order: Request) -> Any:
        match order:
            case GetEvents():
                found = [each.to_wire() for each in self.events if _fits(each, order)]
                return found[-order.limit :] if order.latest else found[: order.limit]
            case AcceptEvent():
                return next(each for each in self.events if each.seq == order.seq).to_wire()
        return self._answer_of_devices(order)

    def _answer_of_devices(self, order: Request) -> Any:
        match order:
            case GetDevices():
                return [each.to_wire() for each in self.devices]
            case ForgetDevice():
                gone = [each for each in self.devices if each.mac == order.mac]
                if not gone:
                    raise SensorError("not_found", f"there is no device {order.mac}")
                self.devices.remove(gone[0])
                return gone[0].to_wire()
            case GetFlows():
                return [each.to_wire() for each in self._list(order)]
            case GetProcesses():
                return [each.to_wire() for each in self.programs[: order.limit]]
        return self._answer_of_feeds(order)

    def _list(self, order: GetFlows) -> list[Flow]:
        merged = {each.mac: each.other_macs for each in self.devices}
        macs = {each for mac in order.devices for each in (mac, *merged.get(mac, ()))}
        found = [
            each
            for each in self.flows
            if (not macs or each.mac in macs)
            and order.of in {"all", "devices" if each.process is None else "processes"}
            and order.process in {None, each.process}
            and (order.since is None or each.last_seen >= order.since)
            and (order.peer is None or _is_peer(each, order.peer))
        ]
        return sorted(found, key=lambda each: -each.last_seen)[: order.limit]

    def _answer_of_feeds(self, order: Request) -> Any:
        match order:
            case GetFeeds():
                return [each.to_wire() for each in self.feeds.values()]
            case AddFeed():
                said = order.to_wire()
                del said["name"], said["header_file"]
                self.feeds[order.name] = feed(order.name, **said)
                return self.feeds[order.name].to_wire()
            case RemoveFeed() | RefreshFeed() if order.name not in self.feeds:
                raise SensorError("not_found", f"there is no feed {order.name}")
            case RemoveFeed():
                return self.feeds.pop(order.name).to_wire()
            case RefreshFeed():
                return self.feeds[order.name].to_wire()
        return self._answer_of_state(order)

    def _answer_of_state(self, order: Request) -> Any:
        if order.type == "subscribe":
            self.intervals.append(order.interval)
            return {
                "seq": 0,
                "status": status(**self.status).to_wire(),
                "devices": [each.to_wire() for each in self.devices],
                "blocks": [each.to_wire() for each in self.blocks.values()],
                "feeds": [each.to_wire() for each in self.feeds.values()],
                "last_event": self.events[-1].seq if self.events else 0,
            }
        return ({"status": status(**self.status).to_wire()} | self.answers).get(order.type, {})

    def _block(self, order: AddBlock) -> Block:
        target = parse_target(order.target)
        self._ids += 1
        now = time()
        key = (target.value, order.transport, order.port)
        self.blocks[key] = Block(
            id=self._ids,
            target=target.value,
            kind=target.kind,
            mode=order.mode,
            allow=order.allow or (),
            reason=order.reason,
            created=now,
            expires=None if order.duration is None else now + order.duration,
            confirm_by=None if order.confirm_within is None else now + order.confirm_within,
            packets=0,
            bytes=0,
            first_hit=None,
            last_hit=None,
            latency_ms=None,
            transport=order.transport,
            port=order.port,
            direction=order.direction,
            peers=order.peers,
            bytes_per_second=order.bytes_per_second,
            packets_per_second=order.packets_per_second,
            redirect_to=order.redirect_to,
            audits=order.audits,
        )
        return self.blocks[key]

    def _find(self, order: RemoveBlock | Confirm) -> tuple[str, str | None, int | None]:
        for key, block in self.blocks.items():
            if order.target == str(block.id) or (
                key == (order.target, order.transport, order.port)
            ):
                return key
        raise SensorError("not_found")


def _fits(event: Event, order: GetEvents) -> bool:
    """Tell whether an event is asked for."""
    return (
        event.seq > order.since
        and (not order.devices or event.mac in order.devices)
        and (not order.kinds or event.kind in order.kinds)
        and SEVERITIES.index(event.severity) >= SEVERITIES.index(order.severity)
        and (order.after is None or event.time > order.after)
    )


def _is_peer(flow: Flow, peer: str) -> bool:
    """Tell whether a flow's peer has this name, or an address in this network."""
    try:
        return ipaddress.ip_address(flow.peer_address) in ipaddress.ip_network(peer)
    except ValueError:
        name = flow.peer_name or ""
        return name.endswith(peer[1:]) if peer.startswith("*.") else name == peer
