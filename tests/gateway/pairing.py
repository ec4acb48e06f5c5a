"""A code that `pair` shows on the lab's gateway, and somebody in the middle with a certificate of its own."""

import asyncio
import contextlib
import json
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from hearthwall_sensor import pairing_client
from hearthwall_sensor.client import Endpoint
from hearthwall_sensor.pairing_client import Introduced
from hearthwall_sensor.remote import certificate
from lab import Lab
from tests.gateway.inside import inside
from tests.gateway.sensor_process import SensorProcess, command

#: Changes what passes, or answers None to end it: takes the side that says it.
Twist = Callable[[str, dict[str, Any]], dict[str, Any] | None]


class Shown:
    """The command that shows a code, and what it tells."""

    def __init__(self, sensor: SensorProcess, *options: str, as_json: bool = True) -> None:
        line = command(
            "pair", "--socket", sensor.socket, *(["--json"] if as_json else []), *options
        )
        self._process = subprocess.Popen(
            sensor.lab.argv("gateway", line),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def next(self) -> Any:
        """Return the next thing that is told."""
        return json.loads(self.line())

    def line(self) -> str:
        """Return the next line."""
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def interrupt(self) -> int:
        """Press Ctrl-C, and return the exit status."""
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(10)

    def end(self) -> tuple[int, str]:
        """Return the exit status, and what was said at the end."""
        status = self._process.wait(30)
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        return status, self._process.stdout.read() + self._process.stderr.read()

    def close(self) -> None:
        """End it, if it has not ended."""
        if self._process.poll() is None:
            self._process.kill()
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()
        self._process.wait(10)


@contextlib.contextmanager
def shown(sensor: SensorProcess, *options: str, as_json: bool = True) -> Iterator[Shown]:
    """Yield the command while it shows a code."""
    there = Shown(sensor, *options, as_json=as_json)
    try:
        yield there
    finally:
        there.close()


async def pair(lab: Lab, host: str, address: tuple[str, int], code: str) -> Introduced:
    """Pair a host; raises SensorError."""
    with inside(lab, host):
        async with aiohttp.ClientSession() as session:
            return await pairing_client.pair(session, *address, code)


def endpoint_of(address: tuple[str, int], given: Introduced) -> Endpoint:
    """Return what a paired client knows."""
    return Endpoint(*address, given.token, bytes.fromhex(given.fingerprint))


class Middle:
    """A host that answers in the sensor's place, and passes on to it what it hears, or something else."""

    def __init__(self, lab: Lab, host: str, state: Path, sensor: tuple[str, int]) -> None:
        self._lab = lab
        self._host = host
        self._sensor = sensor
        self._context = certificate.context(certificate.ensure(state))
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.twist: Twist = lambda _side, said: said

    @contextlib.contextmanager
    def standing(self, address: str) -> Iterator[tuple[str, int]]:
        """Yield where it listens."""
        ready = threading.Event()
        loop = asyncio.new_event_loop()
        place: list[int] = []

        async def serve() -> None:
            runner = web.ServerRunner(web.Server(self._answer))
            await runner.setup()
            site = web.TCPSite(runner, address, 0, ssl_context=self._context)
            await site.start()
            assert site._server is not None
            place.append(site._server.sockets[0].getsockname()[1])  # type: ignore[attr-defined]
            ready.set()
            await stopping.wait()
            await runner.cleanup()

        stopping = asyncio.Event()

        def run() -> None:
            with inside(self._lab, self._host):
                loop.run_until_complete(serve())

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        assert ready.wait(10)
        try:
            yield address, place[0]
        finally:
            loop.call_soon_threadsafe(stopping.set)
            thread.join(10)
            loop.close()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Stand between one client and the sensor."""
        client = web.WebSocketResponse()
        await client.prepare(request)
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(
                f"https://{self._sensor[0]}:{self._sensor[1]}{request.path}", ssl=False
            ) as sensor,
        ):
            await asyncio.wait(
                [
                    asyncio.ensure_future(self._pass_on("sensor", sensor, client)),
                    asyncio.ensure_future(self._pass_on("client", client, sensor)),
                ],
                return_when=asyncio.FIRST_COMPLETED,
            )
        await client.close()
        return client

    async def _pass_on(self, side: str, source: Any, sink: Any) -> None:
        """Pass on what one side says."""
        async for message in source:
            said = message.json()
            self.heard.append((side, said))
            twisted = self.twist(side, said)
            if twisted is None:
                return
            await sink.send_json(twisted)
