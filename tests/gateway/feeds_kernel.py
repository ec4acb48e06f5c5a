"""What tests of feeds share: the programs, attached to nothing, feeds on them, and a list's server.

A plugin that tests import from too, so pytest is told: PYTEST_DONT_REWRITE
"""

import asyncio
import dataclasses
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from aiohttp import web
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from hearthwall_sensor.feeds import hygiene
from hearthwall_sensor.feeds.feeds import Feeds
from hearthwall_sensor.kernel import loader, pins
from hearthwall_sensor.kernel.libbpf import Program
from hearthwall_sensor.kernel.tables import Tables
from hearthwall_sensor.protocol import Feed
from hearthwall_sensor.requests import AddFeed
from tests.gateway.sensor_process import command

DEVICE, GATEWAY = "00:00:5e:00:53:13", "00:00:5e:00:53:01"
TV, TV6 = "192.168.10.13", "2001:db8:10::13"
BAD, BAD6, GOOD = "203.0.113.66", "2001:db8:ffff::66", "203.0.113.10"
DROP = 2


@dataclasses.dataclass
class Kernel:
    """The programs, loaded and attached to nothing."""

    directory: Path
    tables: Tables
    ingress: Program
    egress: Program

    def drops(self, peer: str, *, device: str = TV, program: str = "ingress") -> bool:
        up = program == "ingress"
        source, destination = (device, peer) if up else (peer, device)
        layer = IPv6 if ":" in peer else IP
        macs = (DEVICE, GATEWAY) if up else (GATEWAY, DEVICE)
        frame = (
            Ether(src=macs[0], dst=macs[1]) / layer(src=source, dst=destination) / UDP(dport=9999)
        )
        which = self.ingress if up else self.egress
        return which.run(bytes(frame / (b"x" * 40)))[0] == DROP


@pytest.fixture(scope="module")
def _loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    pins.mount()
    folder = tmp_path_factory.mktemp("feeds")
    own = pins.Pins(str(folder / "s.sock"))
    own.make(folder)
    directory = own.generation(loader.generation())
    subprocess.run(
        command("load", "--json", "--pins", str(directory)), check=True, capture_output=True
    )
    yield directory
    own.remove()


@pytest.fixture
def kernel(_loaded: Path) -> Iterator[Kernel]:
    tables = Tables(str(_loaded))
    programs = [Program.pinned(str(_loaded / f"meter_{way}")) for way in ("ingress", "egress")]
    yield Kernel(_loaded, tables, *programs)
    for each in programs:
        each.close()
    tables.close()


PROTECTED = hygiene.protected(
    ["2001:db8:10::/64"], {"198.51.100.1": "the default gateway"}, ["203.0.113.53"]
)

Start = Callable[[], Awaitable[Feeds]]


@pytest.fixture
async def start(kernel: Kernel, tmp_path: Path) -> AsyncIterator[Start]:
    """Start the feeds; a second time that is a restart of the sensor."""
    running: list[Feeds] = []

    async def begin() -> Feeds:
        while running:
            await running.pop().stop()
        feeds = Feeds(tmp_path / "feeds", kernel.tables, kernel.directory, lambda: PROTECTED)
        running.append(feeds)
        await feeds.start()
        return feeds

    yield begin
    feeds = await begin()
    await asyncio.gather(*(feeds.remove(each.name) for each in feeds.list()))
    deadline = time.monotonic() + 10
    while kernel.tables.feeds and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    await feeds.refresh()  # comes after whatever was still to do
    await feeds.stop()
    assert kernel.tables.feeds == 0
    for name in ("feed_ipv4_a", "feed_ipv4_b", "feed_ipv6_a", "feed_ipv6_b"):
        assert kernel.tables.map(name).items() == []
    assert not any(any(value) for _, value in kernel.tables.map("feed_index").items())


class Server:
    """A list on loopback that can change, go, and want a key."""

    def __init__(self) -> None:
        self.body = b""
        self.status = 200
        self.asked = 0
        self.url = ""
        self.hold: asyncio.Event | None = None

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.hold is not None:
            await self.hold.wait()
        tag = f'"{hash(self.body)}"'
        if self.status == 200 and request.headers.get("If-None-Match") == tag:
            return web.Response(status=304)
        return web.Response(status=self.status, body=self.body, headers={"ETag": tag})


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    app = web.Application()
    app.router.add_get("/list", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/list?key=secret"
    yield server
    await runner.cleanup()


def write(path: Path, *lines: str) -> str:
    path.write_text("\n".join(lines) + "\n")
    return str(path)


async def add(feeds: Feeds, source: str, name: str = "drop", **options: object) -> Feed:
    return await feeds.add(AddFeed(name, source, **{"action": "drop"} | options))  # type: ignore[arg-type]
