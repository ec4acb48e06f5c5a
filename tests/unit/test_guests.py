"""Connections on the unix socket that say nothing, take nothing, or are too many: they end, and others are served."""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_socket

from hearthwall_sensor import guests
from hearthwall_sensor.client import Client, unix_session
from hearthwall_sensor.front import MAX_BYTES
from hearthwall_sensor.metrics.serving import Text
from hearthwall_sensor.protocol import SensorError
from hearthwall_sensor.server import Server
from tests.unit.household import Household

ASKS = b"GET /metrics HTTP/1.1\r\nHost: s\r\n\r\n"
NOBODY = 65534


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    """A sensor's socket, on which nobody has long; its metrics fit into what is held for a reader."""
    pytest_socket._remove_restrictions()
    monkeypatch.setattr(guests, "PATIENCE", 0.2)
    there = Server(str(tmp_path / "s.sock"), None, Household())
    there.claim()
    await there.start()

    async def write(_: str) -> Text:
        return Text("text/plain", b"x" * 240_000, time.monotonic())

    there.metrics.write = write
    yield there
    await there.stop()
    there.release()


@pytest.fixture
def as_users(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Have who comes from now on be of a user."""
    real = guests.credentials
    who = [os.geteuid()]
    monkeypatch.setattr(guests, "credentials", lambda peer: (real(peer)[0], who[0], NOBODY))
    return lambda uid: who.__setitem__(0, uid)


async def come(server: Server, said: bytes = b"") -> socket.socket:
    """Connect, say something, and read nothing."""
    client = socket.socket(socket.AF_UNIX)
    client.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(client, server._path)
    await loop.sock_sendall(client, said)
    return client


async def ended(clients: list[socket.socket]) -> bool:
    """Return whether the sensor lets go of all of them within seconds."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(5):
            for each in clients:
                with contextlib.suppress(ConnectionError):
                    while await loop.sock_recv(each, 65536):
                        pass
    except TimeoutError:
        return False
    finally:
        for each in clients:
            each.close()
    return True


def held(server: Server) -> int:
    assert server._guests is not None
    return len(server._guests._there)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("said", [b"", b"GET /met", b"GET /nothing HTTP/1.1\r\nHost: s\r\n\r\n"])
async def test_who_asks_for_nothing_is_let_go(server: Server, said: bytes) -> None:
    assert await ended([await come(server, said) for _ in range(5)])
    assert held(server) == 0


async def test_who_does_not_take_its_answer_is_let_go(server: Server) -> None:
    clients = [await come(server, ASKS) for _ in range(5)]
    await until(lambda: held(server) == 5)
    await until(lambda: held(server) == 0)
    assert await ended(clients)


async def test_a_request_has_an_end(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guests, "PATIENCE", 60.0)
    asked: list[str] = []

    async def write(accept: str) -> Text:
        asked.append(accept)
        return Text("text/plain", b"", time.monotonic())

    server.metrics.write = write
    for size, answers in ((MAX_BYTES // 2, 1), (2 * MAX_BYTES, 0)):
        lines = b"".join(b"X-%d: %s\r\n" % (each, b"x" * 1000) for each in range(size // 1000))
        assert await ended([await come(server, ASKS[:-2] + lines + b"\r\n")])
        assert len(asked) == answers
        asked.clear()


async def test_a_conversation_takes_its_time(server: Server) -> None:
    async with unix_session(server._path) as session:
        client = Client(session, name="patient")
        await client.connect()
        await asyncio.sleep(3 * guests.PATIENCE)
        assert await client.status()
        await client.close()


async def test_who_waits_gives_way_to_others_of_its_user(
    server: Server, as_users: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guests, "PATIENCE", 60.0)
    as_users(NOBODY)
    before = [await come(server) for _ in range(guests.MAX_OF_USER)]
    await until(lambda: held(server) == guests.MAX_OF_USER)
    late = await come(server)
    assert await ended(before[:1])
    assert held(server) == guests.MAX_OF_USER
    for each in (late, *before[1:]):
        each.close()


@pytest.mark.parametrize("other", [0, 1000])
async def test_a_member_of_the_group_keeps_nobody_else_out(
    server: Server, as_users: Callable[[int], None], caplog: pytest.LogCaptureFixture, other: int
) -> None:
    as_users(NOBODY)
    async with unix_session(server._path) as session:
        clients = [Client(session, name="greedy") for _ in range(guests.MAX_OF_USER)]
        for each in clients:
            await each.connect()
        for _ in range(2):
            with pytest.raises(SensorError) as refused:
                await Client(session, name="greedy").connect()
            assert refused.value.code == "too_many_clients"
        as_users(other)
        another = Client(session, name="another")
        await another.connect()
        for each in (another, *clients):
            await each.close()
    assert caplog.text.count(f"User {NOBODY} has too many connections") == 1
