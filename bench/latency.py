"""From a packet to Home Assistant's state, and from an action to the first dropped packet: the part in Python."""

import argparse
import asyncio
import os
import random
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, BinaryIO, Final

from bench.figures import Figure, show
from demo import gateway, setup
from demo.api import Api
from demo.progress import Progress
from demo.relay import Relay
from demo.stage import Stage
from hearthwall_sensor.client import Client, unix_session
from lab.home import DEVICES, HOSTS, SINK_PORT, WEB

#: Longer than the least time between two states, which is 30 s by default.
QUIET_SECONDS: Final = 33
STATE_ROUNDS: Final = 3
LIVE_SAMPLES: Final = 40
DROP_SAMPLES: Final = 15
LIVE_INTERVAL: Final = 0.02
PORT: Final = 18123


def _socket_in(namespace: Path) -> socket.socket:
    """Return a UDP socket that lives in a namespace; runs in a thread that is thrown away."""
    with namespace.open() as file:
        os.setns(file.fileno(), os.CLONE_NEWNET)
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.connect((WEB.ipv4, SINK_PORT))
    return made


class Home:
    """A lab without any traffic but what is measured, and Home Assistant on its gateway."""

    def __init__(self, stage: Stage, api: Api, sensor: Client) -> None:
        self.stage = stage
        self.api = api
        self.sensor = sensor
        self._senders: dict[str, socket.socket] = {}

    async def prepare(self) -> None:
        """Give each device a socket, and let no neighbour discovery come between."""
        router = HOSTS["gateway"]
        for name, device in DEVICES.items():
            with ThreadPoolExecutor(1) as thread:
                made = thread.submit(_socket_in, self.stage.lab.netns(name)).result()
            self._senders[name] = made
            near = ["neigh", "replace", str(device.gateway[0]), "lladdr", router.mac]
            self.stage.lab.run(name, ["ip", *near, "dev", "eth0", "nud", "permanent"], check=True)
            far = ["neigh", "replace", device.ipv4, "lladdr", device.mac]
            self.stage.lab.run(
                "gateway", ["ip", *far, "dev", "br-lan", "nud", "permanent"], check=True
            )
            self.send(name)

    def send(self, device: str) -> float:
        """Send one datagram into the internet; return when (monotonic seconds)."""
        when = time.monotonic()
        self._senders[device].send(bytes(64))
        return when

    async def entities(self) -> dict[str, str]:
        """Return entity → device, once all six devices are there."""
        macs = {device.mac: name for name, device in DEVICES.items()}
        async with asyncio.timeout(30):
            while True:
                hosts = {
                    each["id"]: macs[mac]
                    for each in await self.api.command("config/device_registry/list")
                    for _, mac in each["connections"]
                    if mac in macs
                }
                if len(hosts) == len(macs):
                    break
                await asyncio.sleep(0.2)
        listed = await self.api.command("config/entity_registry/list")
        return {
            each["entity_id"]: hosts[each["device_id"]]
            for each in listed
            if each["device_id"] in hosts
        }


async def packet_to_state(home: Home, say: Callable[[str], None]) -> list[float]:
    """Return, in ms, how long a device's packet takes to change a state, at the default interval."""
    owners = await home.entities()
    samples: list[float] = []
    for turn in range(STATE_ROUNDS):
        say(
            f"packet to state: round {turn + 1} of {STATE_ROUNDS}, {QUIET_SECONDS} s of silence before it"
        )
        await asyncio.sleep(QUIET_SECONDS)
        for device in DEVICES:
            await asyncio.sleep(random.uniform(0, 1))  # noqa: S311, no phase in common with the sensor's ticks
            async with home.api.events("subscribe_events", event_type="state_changed") as events:
                sent = home.send(device)
                async with asyncio.timeout(20):
                    async for event in events:
                        if owners.get(event["data"]["entity_id"]) == device:
                            samples.append((time.monotonic() - sent) * 1000)
                            break
    return samples


async def packet_to_live(home: Home) -> list[float]:
    """Return, in ms, how long a packet takes to reach a live subscription in Home Assistant."""
    samples: list[float] = []
    kind = "hearthwall/subscribe_devices"
    async with home.api.events(kind, interval=LIVE_INTERVAL) as events:
        await anext(events)
        for _ in range(LIVE_SAMPLES):
            await asyncio.sleep(random.uniform(0.2, 0.5))  # noqa: S311, as above
            sent = home.send("camera")
            async with asyncio.timeout(5):
                await _until_told(events, sent)
            samples.append((time.monotonic() - sent) * 1000)
    return samples


async def _until_told(events: AsyncIterator[Any], sent: float) -> None:
    """Read on to the first delta after a packet that tells of its device."""
    async for event in events:
        macs = {each["mac"] for each in event["devices"]}
        # A rate that falls is told, too; nothing that was told within a millisecond can be this packet.
        if DEVICES["camera"].mac in macs and time.monotonic() - sent > 0.001:
            return


async def action_to_drop(home: Home) -> list[float]:
    """Return, in ms, how long an action's call takes to the first packet that is dropped, at 1,000 packets/s."""
    await home.api.renew()
    owners = await home.entities()
    switch = next(
        each for each, device in owners.items() if device == "camera" and each.startswith("switch.")
    )
    seconds = DROP_SAMPLES * 2
    send = home.stage.lab.command(
        "send", "--from", "camera", "--rate", "1000", "--seconds", str(seconds)
    )
    sender = await asyncio.create_subprocess_exec(*send, stdout=asyncio.subprocess.DEVNULL)
    samples: list[float] = []
    try:
        await asyncio.sleep(0.5)
        for _ in range(DROP_SAMPLES):
            await asyncio.sleep(random.uniform(0.3, 0.5))  # noqa: S311, as above
            called = time.time()
            await _call(home.api, "quarantine", switch)
            await asyncio.sleep(0.2)
            (block,) = await home.sensor.blocks()
            if block.first_hit is not None:
                samples.append((block.first_hit - called) * 1000)
            await _call(home.api, "release", switch)
    finally:
        sender.terminate()
        await sender.wait()
    return samples


async def _call(api: Api, action: str, entity: str) -> None:
    """Call one of Hearthwall's actions."""
    target = {"entity_id": entity}
    await api.command("call_service", domain="hearthwall", service=action, target=target)


async def measure(stage: Stage, progress: Progress, log: BinaryIO) -> list[Figure]:
    """Build, measure, and leave the taking down to the stage."""
    progress.step("A home in network namespaces, and Home Assistant on its gateway")
    stage.build()
    async with AsyncExitStack() as stack:
        gateway.install(stage.config)
        relay = stack.enter_context(Relay(PORT, stage.lab.netns("gateway")))
        api = await stack.enter_async_context(Api(f"http://localhost:{relay.port}"))
        hass = await gateway.start(
            stage.lab.argv("gateway", gateway.command(stage.config)), stage.folder, log
        )
        stack.push_async_callback(gateway.stop, hass)
        await gateway.wait_until_it_answers(api, hass)
        await setup.onboard(api)
        await setup.add_hearthwall(api, stage.socket, stage.state)
        session = await stack.enter_async_context(unix_session(str(stage.socket)))
        sensor = Client(session, name="bench")
        await sensor.connect()
        stack.push_async_callback(sensor.close)
        home = Home(stage, api, sensor)
        await home.prepare()
        progress.step("Measuring")
        return await _figures(home, progress.say)


async def _figures(home: Home, say: Callable[[str], None]) -> list[Figure]:
    """Measure one thing after the other."""
    takes: list[tuple[str, Awaitable[list[float]], float]] = [
        ("packet to state, default interval", packet_to_state(home, say), 1500),
        ("packet to live subscription", packet_to_live(home), 50),
        ("action to first dropped packet", action_to_drop(home), 10),
    ]
    figures = [Figure.median(name, await samples, "ms", goal) for name, samples, goal in takes]
    resident = (await home.sensor.status()).resident_bytes / 1e6
    return [*figures, Figure("sensor, resident", round(resident, 1), "MB", 45)]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench/home_assistant", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print a JSON list")
    parser.add_argument("--name", default="bench", help="of the lab (default: bench)")
    parser.add_argument("--log", type=Path, required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.umask(0o022)
    stage = Stage(options.name)
    stage.claim()
    with options.log.open("wb", buffering=0) as log:
        if stage.is_left():
            stage.clear(log)
        try:
            sys.stdout, real = sys.stderr, sys.stdout  # progress is no part of the document
            figures = asyncio.run(measure(stage, Progress(0, 2, time.time()), log))
        finally:
            sys.stdout = real
            stage.clear(log)
    print(show(figures, as_json=options.json))
    return 0


sys.exit(main())
