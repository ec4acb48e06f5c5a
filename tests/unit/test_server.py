"""The sensor's server under clients that come and go: what they can't do to the log."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
import pytest_socket

from hearthwall_sensor.client import Client, unix_session
from hearthwall_sensor.protocol import HOME_ASSISTANT, SensorError
from hearthwall_sensor.requests import Pair, Unload
from tests.unit.household import Household, Serving

#: Says nonsense, half of something, and what it does not wait for, again and again.
RESTLESS = r"""
import contextlib, socket, sys
upgrade = (
    b"GET /ws HTTP/1.1\r\nHost: s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
said = (b"\0\xff" * 100 + b"\r\n\r\n", upgrade[:40], upgrade, upgrade + b"\x81", upgrade * 2)
for number in range(500):
    with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(ConnectionError):
        client.connect(sys.argv[1])
        client.sendall(said[number % len(said)])
        if number % 2:
            client.shutdown(socket.SHUT_RDWR)
"""


def test_who_comes_and_goes_does_not_fill_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    serving = Serving(tmp_path / "s.sock", Household()).start()
    try:
        subprocess.run([sys.executable, "-c", RESTLESS, serving.socket], check=True, timeout=60)
    finally:
        serving.stop()
    # A client that goes silent is told of only to whoever debugs
    told = [each for each in caplog.records if each.name.startswith(("aiohttp", "hearthwall"))]
    assert [each.getMessage() for each in told if each.levelname != "DEBUG"] == []


async def test_what_the_sensor_started_itself_has_not_roots_rights(tmp_path: Path) -> None:
    pytest_socket._remove_restrictions()
    serving = Serving(tmp_path / "s.sock", Household()).start()
    serving.server.role_of = lambda pid: "read" if pid == os.getpid() else None
    try:
        async with unix_session(serving.socket) as session:
            client = Client(session, name="forwarder")
            hello = await client.connect()
            assert hello.role == "read"
            await client.status()
            for order, code in ((Unload(), "read_only"), (Pair(), "not_permitted")):
                with pytest.raises(SensorError) as caught:
                    await client.call(order)
                assert caught.value.code == code
            await client.close()
    finally:
        await asyncio.to_thread(serving.stop)


async def test_who_may_only_read_is_no_home_assistant(tmp_path: Path) -> None:
    """Else anybody with a token for metrics could keep sinks silent that tell only while there is none."""
    pytest_socket._remove_restrictions()
    serving = Serving(tmp_path / "s.sock", Household()).start()
    counts = []
    try:
        for role in ("read", "operate"):
            serving.server.role_of = lambda _, role=role: role
            async with unix_session(serving.socket) as session:
                client = Client(session, name=HOME_ASSISTANT)
                await client.connect()
                await client.subscribe(lambda _: None)
                counts.append(serving.server.home_assistants)
                await client.close()
    finally:
        await asyncio.to_thread(serving.stop)
    assert counts == [0, 1]


async def test_what_the_sensor_started_itself_is_no_client(tmp_path: Path) -> None:
    pytest_socket._remove_restrictions()
    serving = Serving(tmp_path / "s.sock", Household()).start()
    try:
        async with unix_session(serving.socket) as session:
            client = Client(session, name="forwarder")
            await client.connect()
            server = serving.server
            counts = []
            for own in (None, 1, os.getpid()):
                server.role_of = lambda pid, own=own: "read" if pid == own else None
                counts.append(server.clients)
            assert counts == [1, 1, 0]
            await client.close()
    finally:
        await asyncio.to_thread(serving.stop)
