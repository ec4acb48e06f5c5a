"""How many clients a sensor serves on its socket, and what its TLS does for none of them."""

import asyncio
import contextlib
import ssl
from pathlib import Path

import pytest
import pytest_socket

from hearthwall_sensor.client import Client, unix_session
from hearthwall_sensor.protocol import SensorError
from hearthwall_sensor.remote import certificate
from tests.unit.household import Household, Serving


async def test_the_socket_serves_so_many_clients_and_then_others(tmp_path: Path) -> None:
    pytest_socket._remove_restrictions()
    serving = Serving(tmp_path / "s.sock", Household()).start()
    try:
        async with contextlib.AsyncExitStack() as stack:
            clients = []
            for _ in range(33):
                session = await stack.enter_async_context(unix_session(serving.socket))
                clients.append(Client(session, name="one of many"))
            for each in clients[:32]:
                await each.connect()
            with pytest.raises(SensorError):
                await clients[32].connect()
            assert serving.server.clients == 32
            await clients[0].close()
            async with asyncio.timeout(5):
                while serving.server.clients == 32:
                    await asyncio.sleep(0.01)
            await clients[32].connect()
            assert serving.server.clients == 32
            for each in clients[1:]:
                await each.close()
    finally:
        await asyncio.to_thread(serving.stop)


def test_nobody_begins_a_handshake_again_and_nothing_is_compressed(tmp_path: Path) -> None:
    options = certificate.context(certificate.ensure(tmp_path)).options
    assert ssl.OP_NO_RENEGOTIATION in options
    assert ssl.OP_NO_COMPRESSION in options
