"""What a token's role lets its client do: declared with each request, refused at one place."""

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import aiohttp
import pytest
import pytest_socket
from aiohttp import web

from hearthwall_sensor import server as server_module
from hearthwall_sensor.client import Client, _as_sensor_error, unix_session
from hearthwall_sensor.commands import remote as remote_commands
from hearthwall_sensor.connection import Visitor
from hearthwall_sensor.metrics.serving import Text
from hearthwall_sensor.protocol import SensorError
from hearthwall_sensor.remote import tokens
from hearthwall_sensor.remote.tokens import Tokens
from hearthwall_sensor.requests import (
    REQUESTS,
    AddBlock,
    EndTrace,
    GetDevices,
    Initialize,
    Order,
    Pair,
    Question,
    SetHints,
    Subscribe,
    Trace,
    Unsubscribe,
    read_request,
)
from hearthwall_sensor.server import Server
from tests.devices import CAMERA
from tests.unit.household import Household, Serving


@pytest.fixture(autouse=True)
def _sockets() -> None:
    """Let the tests talk over unix sockets: the plugin for Home Assistant guards every connect."""
    pytest_socket._remove_restrictions()


#: What whoever may only read may ask, by name: one that is new is refused until it is thought of here.
READING = {
    "initialize",
    "subscribe",
    "unsubscribe",
    "status",
    "devices",
    "flows",
    "usage",
    "processes",
    "blocks",
    "feeds",
    "events",
    "event",
    "journal",
    "accepted",
    "profile",
    "mud",
    "policy",
    "end_trace",
}


def test_each_request_says_what_it_needs() -> None:
    assert {name for name, each in REQUESTS.items() if each.needs == "read"} == READING
    assert [name for name, each in REQUESTS.items() if each.needs == "root"] == ["pair"]
    for each in REQUESTS.values():
        assert issubclass(each, Question | Order)


async def _asked_as(visitor: Visitor, path: Path, *requests: Any) -> tuple[str, list[str | None]]:
    """Return the role that a visitor is told, and with which code each of its requests is refused."""
    household = Household()
    household.answers |= {"devices": [], "block": {}, "hints": {}}
    server = Server(str(path), None, household)

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return await server.converse(request, visitor)

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.UnixSite(runner, str(path)).start()
    codes: list[str | None] = []
    async with unix_session(str(path)) as session:
        client = Client(session, name="test")
        hello = await client.connect()
        for each in requests:
            try:
                await client.call(each)
            except SensorError as error:
                codes.append(error.code)
            else:
                codes.append(None)
        await client.close()
    await runner.cleanup()
    server._listener.close()
    refused = [each for each in household.received if type(each).needs != "read"]
    assert visitor.role == "operate" or not refused, "it came to the sensor"
    return hello.role, codes


async def test_a_role_is_told_and_held_to(tmp_path: Path) -> None:
    orders = (AddBlock(CAMERA), Trace("connect"), Pair(), GetDevices())
    reading = await _asked_as(Visitor("reader", "read"), tmp_path / "r", *orders)
    assert reading == ("read", ["read_only", "read_only", "not_permitted", None])
    operating = await _asked_as(Visitor("operator"), tmp_path / "o", *orders)
    assert operating == ("operate", [None, "internal", "not_permitted", None]), (
        "a household has no kernel"
    )
    _, codes = await _asked_as(Visitor("root", is_root=True), tmp_path / "a", Pair())
    assert codes == ["missing_capability"], "it does not listen for other hosts"


async def test_who_is_here_for_metrics_has_no_conversation(tmp_path: Path) -> None:
    server = Server(str(tmp_path / "s"), None, Household())
    server.metrics.write = AsyncMock(return_value=Text("text/plain", b"devices 1\n", 0.0))

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return await server.converse(request, Visitor("Prometheus", "metrics"))

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.UnixSite(runner, str(tmp_path / "m")).start()
    async with aiohttp.ClientSession(
        connector=aiohttp.UnixConnector(str(tmp_path / "m"))
    ) as session:
        async with session.get("http://sensor/metrics") as said:
            assert (said.status, await said.text()) == (200, "devices 1\n")
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect("http://sensor/ws")
    assert refused.value.status == 403
    told = _as_sensor_error(refused.value, is_remote=True)
    assert isinstance(told, SensorError)
    assert told.code == "unauthorised", "so Home Assistant asks for another token"
    await runner.cleanup()
    server._listener.close()


def test_no_code_is_for_metrics() -> None:
    """Who pairs is a Home Assistant, which could not do anything with that."""
    with pytest.raises(SensorError) as refused:
        read_request({"id": 1, "type": "pair", "role": "metrics"})
    assert refused.value.code == "invalid_message"


async def test_nothing_is_asked_before_the_beginning(tmp_path: Path) -> None:
    """That an order is refused says nothing of whether one may talk."""
    serving = Serving(tmp_path / "s.sock", Household()).start()
    try:
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(serving.socket)) as session,
            session.ws_connect("http://sensor/ws") as socket,
        ):
            await socket.receive_json()
            await socket.send_json({"id": 1, "type": "devices"})
            assert (await socket.receive_json())["code"] == "not_initialized"
    finally:
        serving.stop()


def test_only_root_is_root_on_the_socket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    server = Server(str(tmp_path / "s"), None, Household())
    server._group = 4711

    def visitor(uid: int, gid: int) -> tuple[bool, Visitor]:
        said = {server_module._SO_PEERGROUPS: b"", 17: (123).to_bytes(4, "little")}
        said[17] += uid.to_bytes(4, "little") + gid.to_bytes(4, "little")
        peer = SimpleNamespace(getsockopt=lambda _level, option, _size: said[option])
        transport: Any = SimpleNamespace(get_extra_info=lambda _: peer)
        return server._visitor(transport)

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert visitor(0, 0) == (True, Visitor("pid 123, uid 0", is_root=True, pid=123))
    assert visitor(1000, 4711) == (True, Visitor("pid 123, uid 1000", pid=123))
    assert not visitor(1000, 1000)[0]
    assert "root" not in Visitor("of the group").may
    server._listener.close()


def test_tokens_have_a_role_and_old_ones_give_orders(tmp_path: Path) -> None:
    made = {role: tokens.create(tmp_path, role, role) for role in ("read", "metrics", "operate")}  # type: ignore[arg-type]
    path = tmp_path / tokens.TOKENS_FILE
    for role, token in made.items():
        found = Tokens(tmp_path).find(token)
        assert found is not None
        assert found.role == role
    kept = json.loads(path.read_text())
    for each in kept["tokens"]:
        if each["name"] == "operate":
            del each["role"]  # as it was kept before there were roles
        elif each["name"] == "read":
            each["role"] = "of a newer sensor"
    path.write_text(json.dumps(kept))
    assert {each.name: each.role for each in tokens.listed(tmp_path)} == {
        "operate": "operate",
        "read": "metrics",
        "metrics": "metrics",
    }
    shown = remote_commands._show(
        {"tokens": [remote_commands._shown(each) for each in tokens.listed(tmp_path)]}
    )
    assert [line.split()[:2] for line in shown.splitlines()[1:]] == [
        ["read", "metrics"],
        ["metrics", "metrics"],
        ["operate", "operate"],
    ]


def test_a_name_is_found_for_each(tmp_path: Path) -> None:
    for number in range(1, 4):
        name = tokens.unused_name(tmp_path, "Home Assistant")
        assert name == ("Home Assistant" if number == 1 else f"Home Assistant {number}")
        tokens.create(tmp_path, name)


async def test_what_a_conversation_needs_is_open_to_all(tmp_path: Path) -> None:
    asked = (Subscribe(), Unsubscribe(), EndTrace(), SetHints({}))
    _, codes = await _asked_as(Visitor("reader", "read"), tmp_path / "r", *asked)
    assert codes == [None, None, None, "read_only"]
    assert Initialize.needs == "read"
