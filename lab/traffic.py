"""Lives the devices' habits: one process per device, each in its own namespace."""

import asyncio
import json
import os
import signal
import socket
import ssl
import sys
import time
import traceback
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver

from lab import dns, lifeline, netns
from lab.habits import Event, plan, plan_until
from lab.lab import Lab

#: A device that is cut off notices within this time and tries again at its habit's next turn.
CONNECT_SECONDS: Final = 3.0
ANSWER_SECONDS: Final = 5.0
PIECE_SECONDS: Final = 0.1
STOP_SIGNALS: Final = frozenset((signal.SIGINT, signal.SIGTERM))
FAMILIES: Final = {4: socket.AF_INET, 6: socket.AF_INET6}


@dataclass(slots=True)
class Tally:
    """What a device has done. A go is skipped while the one before it is not over."""

    done: int = 0
    failed: int = 0
    skipped: int = 0
    upload_bytes: int = 0
    download_bytes: int = 0
    last_error: str = ""


class _LabResolver(AbstractResolver):
    """Every new connection asks the lab's DNS, over the device's own wire."""

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[Any]:
        address = await dns.resolve(host, socket.AddressFamily(family))
        return [
            {
                "hostname": host,
                "host": address,
                "port": port,
                "family": family,
                "proto": 0,
                "flags": socket.AI_NUMERICHOST,
            }
        ]

    async def close(self) -> None:
        """Nothing is held open."""


@dataclass(slots=True)
class _Resident:
    """One device, living its schedule `speed` times as fast as planned."""

    speed: float
    tls: ssl.SSLContext
    tally: Tally = field(default_factory=Tally)
    _sessions: dict[int, aiohttp.ClientSession] = field(default_factory=dict)
    _busy: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)

    async def live(self, schedule: Iterator[Event]) -> None:
        for version, family in FAMILIES.items():
            connector = aiohttp.TCPConnector(
                resolver=_LabResolver(), family=family, use_dns_cache=False, ssl=self.tls
            )
            self._sessions[version] = aiohttp.ClientSession(connector=connector)
        begin = time.monotonic()
        try:
            for event in schedule:
                await asyncio.sleep(begin + event.at / self.speed - time.monotonic())
                self._start(event)
            await asyncio.gather(*self._busy.values())
        finally:
            for task in self._busy.values():
                task.cancel()
            await asyncio.gather(*self._busy.values(), return_exceptions=True)
            for session in self._sessions.values():
                await session.close()

    def _start(self, event: Event) -> None:
        running = self._busy.get(event.habit)
        if running and not running.done():
            self.tally.skipped += 1
        else:
            self._busy[event.habit] = asyncio.create_task(self._go(event))

    async def _go(self, event: Event) -> None:
        total = aiohttp.ClientTimeout(
            total=event.duration / self.speed + ANSWER_SECONDS, sock_connect=CONNECT_SECONDS
        )
        session = self._sessions[event.family]
        exchange = {"upload": self._upload, "download": self._download}[event.direction]
        try:
            for size in event.sizes:
                await exchange(session, event, size, total)
            self.tally.done += 1
        except (aiohttp.ClientError, OSError) as error:
            self.tally.failed += 1
            self.tally.last_error = f"{event.habit}: {str(error) or type(error).__name__}"

    async def _upload(
        self,
        session: aiohttp.ClientSession,
        event: Event,
        size: int,
        limits: aiohttp.ClientTimeout,
    ) -> None:
        body = self._pieces(size, event.duration / self.speed)
        async with session.post(f"{event.site}/upload", data=body, timeout=limits) as response:
            response.raise_for_status()
            self.tally.download_bytes += len(await response.read())

    async def _pieces(self, size: int, duration: float) -> AsyncIterator[bytes]:
        """Yield the body of an upload, evenly spread over the duration."""
        count = max(1, round(duration / PIECE_SECONDS))
        begin = time.monotonic()
        for number in range(count):
            if number:
                await asyncio.sleep(begin + number * duration / count - time.monotonic())
            piece = bytes(size * (number + 1) // count - size * number // count)
            yield piece
            self.tally.upload_bytes += len(piece)

    async def _download(
        self,
        session: aiohttp.ClientSession,
        event: Event,
        size: int,
        limits: aiohttp.ClientTimeout,
    ) -> None:
        async with session.get(f"{event.site}/bytes/{size}", timeout=limits) as response:
            response.raise_for_status()
            async for chunk in response.content.iter_any():
                self.tally.download_bytes += len(chunk)


async def _reside(schedule: Iterator[Event], speed: float, certificate: Path) -> Tally:
    resident = _Resident(speed, ssl.create_default_context(cafile=certificate))
    life = asyncio.create_task(resident.live(schedule))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, life.cancel)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    with suppress(asyncio.CancelledError):
        await life
    return resident.tally


def _spawn(lab: Lab, device: str, schedule: Iterator[Event], speed: float) -> tuple[int, int]:
    """Fork a device's process; returns its pid and the pipe that its tally will come through."""
    parent = os.getpid()
    reader, writer = os.pipe()
    if pid := os.fork():
        os.close(writer)
        return pid, reader
    status = 1
    try:
        lifeline.die_with(parent)
        netns.enter(lab.namespaces[device])
        tally = asyncio.run(_reside(schedule, speed, lab.run_directory.certificate))
        os.write(writer, json.dumps(asdict(tally)).encode())
        status = 0
    except BaseException:  # noqa: BLE001 - a child must not return into its parent's code
        traceback.print_exc()
    finally:
        os._exit(status)


def live(
    lab: Lab, devices: Collection[str], *, seed: int, speed: float, duration: float | None
) -> dict[str, dict[str, Any] | None]:
    """Live the schedule to its end, or till SIGINT or SIGTERM; None is a device that crashed."""
    children: dict[str, tuple[int, int]] = {}
    tallies: dict[str, dict[str, Any] | None] = {}

    def stop(*_: object) -> None:
        for pid, _reader in children.values():
            os.kill(pid, signal.SIGTERM)

    # Children inherit the mask. They open it for SIGTERM once they can handle it, and leave Ctrl-C
    # to this process.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    sys.stdout.flush()
    for device in devices:
        chosen = plan(seed, [device]) if duration is None else plan_until(seed, [device], duration)
        children[device] = _spawn(lab, device, chosen, speed)
    for number in STOP_SIGNALS:
        signal.signal(number, stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    for device in devices:
        tallies[device] = _read(children[device][1])
        signal.pthread_sigmask(
            signal.SIG_BLOCK, STOP_SIGNALS
        )  # a pid must not be signalled once it is reaped
        os.waitpid(children.pop(device)[0], 0)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    return tallies


def _read(reader: int) -> dict[str, Any] | None:
    """Read a device's tally, which it writes when it ends."""
    with os.fdopen(reader, "rb") as pipe:
        word = pipe.read()
    tally: dict[str, Any] | None = json.loads(word) if word else None
    return tally
