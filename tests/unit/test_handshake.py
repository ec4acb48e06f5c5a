"""What answers in a sensor's place can't send its client elsewhere."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
import pytest_socket
from aiohttp import web

from hearthwall_sensor import pairing_client
from hearthwall_sensor.client import Client, Endpoint, unix_session
from hearthwall_sensor.protocol import SensorError
from hearthwall_sensor.remote import certificate

pytestmark = pytest.mark.usefixtures("socket_enabled")
HOST = "127.0.0.1"
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@contextlib.asynccontextmanager
async def serving(answer: Handler, **how: object) -> AsyncIterator[web.ServerRunner]:
    """Answer on a socket or a port until the end."""
    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    path = how.pop("path", None)
    site = (
        web.UnixSite(runner, str(path)) if path is not None else web.TCPSite(runner, HOST, 0, **how)  # type: ignore[arg-type]
    )
    await site.start()
    yield runner
    await runner.cleanup()


class Elsewhere:
    """What only this host reaches, and who answers in the sensor's place and would have us ask it."""

    def __init__(self, status: int) -> None:
        self.asked: list[str] = []
        self.status = status
        self.port = 0

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append(request.path)
        return web.Response(text="secret")

    async def redirect(self, _request: web.BaseRequest) -> web.StreamResponse:
        place = f"http://{HOST}:{self.port}/api/private"
        return web.Response(status=self.status, headers={"Location": place})


@pytest.fixture(params=[301, 302, 303, 307, 308])
async def elsewhere(request: pytest.FixtureRequest) -> AsyncIterator[Elsewhere]:
    there = Elsewhere(request.param)
    async with serving(there.answer) as runner:
        there.port = runner.addresses[0][1]
        yield there


async def failing(way: Awaitable[object]) -> str:
    with pytest.raises(SensorError) as caught:
        await way
    return caught.value.code


async def test_neither_a_code_nor_a_token_follows_a_redirect(
    elsewhere: Elsewhere, tmp_path: Path
) -> None:
    path = certificate.ensure(tmp_path)
    digits = certificate.fingerprint(path).replace(":", "")
    async with (
        serving(elsewhere.redirect, ssl_context=certificate.context(path)) as runner,
        aiohttp.ClientSession() as session,
    ):
        port = runner.addresses[0][1]
        code = pairing_client.pair(session, HOST, port, "7KQ2M-X9RTB")
        assert await failing(code) == "invalid_message"
        there = Endpoint(HOST, port, "token", bytes.fromhex(digits))
        assert await failing(Client(session, name="x", endpoint=there).connect()) == (
            "invalid_message"
        )
        assert not session.closed, "it is its owner's"
    assert elsewhere.asked == []


async def test_a_socket_leads_to_the_sensor_only(elsewhere: Elsewhere, tmp_path: Path) -> None:
    pytest_socket._remove_restrictions()
    place = str(tmp_path / "s.sock")
    async with serving(elsewhere.redirect, path=place), unix_session(place) as session:
        assert await failing(Client(session, name="x").connect()) == "invalid_message"
    assert elsewhere.asked == []


async def test_a_session_that_was_closed_connects_to_nobody(tmp_path: Path) -> None:
    async with unix_session(str(tmp_path / "s.sock")) as session:
        pass
    assert await failing(Client(session, name="x").connect()) == "not_running"
