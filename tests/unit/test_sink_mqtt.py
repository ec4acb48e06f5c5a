"""MQTT without a real broker: topics, options, and orders from whoever may publish."""

import asyncio
import functools
import json
import socket
from typing import Any, Final

import pytest
import pytest_socket
from hypothesis import given, strategies as st

from hearthwall_sensor.protocol import Block, SensorError
from hearthwall_sensor.requests import AddBlock, RemoveBlock, Request
from hearthwall_sensor.sinks import mqtt
from hearthwall_sensor.sinks.mqtt import MqttSink
from hearthwall_sensor.sinks.mqtt_orders import BURST, Bucket, carried_out, read, too_many
from hearthwall_sensor.sinks.sink import SinkError
from hearthwall_sensor.sinks.topics import Topics, level
from tests.unit.receivers import CAMERA, context, event, options


def order(**fields: Any) -> bytes:
    """Return an order's payload."""
    return json.dumps({"id": "1", "command": "block", "target": CAMERA} | fields).encode()


# Topics


@given(st.text())
def test_no_text_adds_a_level_or_a_wildcard(text: str) -> None:
    for made in (level(text), *(each.split("/")[-2] for each in [Topics.of("p", text).event])):
        assert made
        assert not set(made) & set("/+#$\0 ")
        assert made.isascii()
    topics = Topics.of("home/walls", text)
    assert topics.rate(text).count("/") == 5
    # Of a hundred letters each is at most four bytes, and each byte three characters
    assert len(topics.rate(text)) <= len("home/walls//device//rate") + 2 * 1_200


def test_the_longest_level_fits() -> None:
    assert len(level("\U0001f600" * 1_000)) == 1_200


def test_topics_are_easy_to_read() -> None:
    topics = Topics.of("home/hearthwall", "gateway-1")
    assert topics.event == "home/hearthwall/gateway-1/event"
    assert topics.rate(CAMERA) == f"home/hearthwall/gateway-1/device/{CAMERA}/rate"
    assert Topics.of("a", "b/#").status == "a/b%2F%23/status"


# Options

LOGIN: Final = {"username": "me", "password_file": "/password"}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "server is missing"),
        ({"server": "b.example", "prefix": "a/#"}, "prefix is the beginning of a topic"),
        ({"server": "b.example", "prefix": "a//b"}, "prefix is the beginning of a topic"),
        ({"server": "b.example", "prefix": "$SYS"}, "prefix is the beginning of a topic"),
        ({"server": "b.example", "rates": 0.5}, "1 or more, or 0 for none"),
        ({"server": "b.example", "username": "me"}, "username and password_file belong together"),
        ({"server": "b.example", "commands": True}, "needs a username and a password_file"),
        ({"server": "b.example", "ca_file": "/ca.pem"}, "need tls = true"),
        ({"server": "b.example", "commands": True} | LOGIN, "commands = true needs tls = true"),
        ({"server": "192.168.1.5", "commands": True} | LOGIN, "commands = true needs tls = true"),
        ({"server": "b.example", "keepalive": 1}, "keepalive is a number from 5"),
        ({"server": "b.example", "password": "x"}, "there is no option 'password'"),
        ({"server": "b.example", "commands": "yes"}, "commands is true or false"),
    ],
)
def test_mistakes_are_said(values: dict[str, Any], said: str) -> None:
    with pytest.raises(SensorError, match=said):
        options("mqtt", **values)


def test_nothing_is_ordered_over_mqtt_unless_somebody_wants_it() -> None:
    read = options("mqtt", server="b.example")
    assert (read.commands, read.rates, read.port, read.trust) == (False, 0, 1883, None)
    assert options("mqtt", server="b.example", tls=True).port == 8883
    for where in (
        {"server": "b.example", "tls": True},
        {"server": "127.0.0.1"},
        {"server": "[::1]"},
    ):
        assert options("mqtt", commands=True, **where, **LOGIN).commands


# Orders


@pytest.mark.parametrize(
    ("fields", "request_"),
    [
        ({}, AddBlock(CAMERA, reason="Ordered over MQTT")),
        (
            {"mode": "no_internet", "duration": "10m", "reason": "night"},
            AddBlock(CAMERA, "no_internet", duration=600.0, reason="night"),
        ),
        (
            {"target": "203.0.113.0/24", "duration": 5},
            AddBlock("203.0.113.0/24", duration=5.0, reason="Ordered over MQTT"),
        ),
        ({"command": "unblock"}, RemoveBlock(CAMERA)),
        ({"command": "unblock", "target": "17"}, RemoveBlock("17")),
        (
            {"command": "quarantine", "target": "00-00-5E-00-53-21"},
            AddBlock(CAMERA, reason="Ordered over MQTT"),
        ),
        ({"command": "release", "reason": None}, RemoveBlock(CAMERA)),
    ],
)
def test_an_order_is_what_it_says(fields: dict[str, Any], request_: Request) -> None:
    assert read(order(**fields)) == ("1", request_)


@pytest.mark.parametrize(
    ("payload", "code", "said"),
    [
        (b"", "invalid_message", "a JSON object with an id"),
        (b"\xff\xfe", "invalid_message", "a JSON object"),
        (b"[" * 4000, "invalid_message", "a JSON object"),
        (b"1" * 4096, "invalid_message", "a JSON object"),
        (b"[1]", "invalid_message", "a JSON object"),
        (b" " * 5000, "message_too_large", "at most 4096 bytes"),
        (order(id=""), "invalid_message", "an id is a text of 1 to 64"),
        (order(id="x" * 65), "invalid_message", "an id is a text of 1 to 64"),
        (order(id=1), "invalid_message", "order.id is not"),
        (order(command="unload"), "invalid_message", "order.command is not"),
        (order(target=None), "invalid_message", "order.target is not"),
        (order(target=["a"]), "invalid_message", "order.target is not"),
        (order(target="x"), "invalid_target", "neither a MAC"),
        (order(target="ff:ff:ff:ff:ff:ff"), "protected_target", "broadcast"),
        (order(command="quarantine", target="203.0.113.1"), "invalid_target", "not a MAC"),
        (order(mode="redirect"), "invalid_message", "order.mode is not"),
        (order(duration=-1), "invalid_duration", "more than 0"),
        (order(duration=1e400), "invalid_message", "order.duration is not"),
        (order(duration="soon"), "invalid_duration", "not a duration"),
        (order(duration=True), "invalid_message", "order.duration is not"),
        (order(reason="x" * 201), "invalid_message", "at most 200 letters"),
        (order(force=True), "invalid_message", "an order has no 'force'"),
        (order(command="unblock", duration=5), "invalid_message", "unblock takes no duration"),
        (order(command="release", mode="isolate"), "invalid_message", "release takes no mode"),
    ],
)
def test_what_makes_no_sense_is_refused(payload: bytes, code: str, said: str) -> None:
    with pytest.raises(SensorError, match=said) as refused:
        read(payload)
    assert refused.value.code == code


async def _never(request: Request) -> Any:
    raise AssertionError(request)


@given(
    st.binary(max_size=300) | st.text(max_size=100).map(lambda text: order(target=text, id=text))
)
def test_nothing_that_comes_breaks_anything(payload: bytes) -> None:
    async def refuse(request: Request) -> Any:
        raise SensorError("protected_target")

    answer = asyncio.run(carried_out(payload, refuse))  # type: ignore[arg-type]
    assert answer["ok"] is False
    assert len(json.dumps(answer)) < 4_000


async def test_an_answer_has_the_orders_id_and_what_became_of_it() -> None:
    refused = await carried_out(order(id="a", target="x"), _never)  # type: ignore[arg-type]
    assert (refused["id"], refused["ok"], refused["error"]["code"]) == (
        "a",
        False,
        "invalid_target",
    )
    assert (await carried_out(b"{}", _never))["id"] is None  # type: ignore[arg-type]
    assert too_many(order(id="b"))["id"] == "b"

    async def block(request: Request) -> Any:
        assert isinstance(request, AddBlock)
        assert not request.force
        none = dict.fromkeys(("expires", "confirm_by", "first_hit", "last_hit", "latency_ms"))
        said = {"id": 3, "target": request.target, "kind": "mac", "mode": request.mode, "allow": []}
        return said | none | {"reason": request.reason, "created": 1.0, "packets": 0, "bytes": 0}

    done = await carried_out(order(id="c"), block)  # type: ignore[arg-type]
    assert (done["id"], done["ok"], done["rule"]["id"]) == ("c", True, 3)
    assert Block.from_wire(done["rule"]).target == CAMERA


def test_orders_have_a_pace_and_too_many_are_told_once() -> None:
    now = 0.0
    bucket = Bucket(lambda: now)
    assert [bucket.take() for _ in range(BURST + 3)] == [True] * BURST + [False] * 3
    assert [bucket.tells() for _ in range(3)] == [True, False, False]
    now = 1.0
    assert [bucket.take(), bucket.take()] == [True, False]
    assert bucket.tells()


# What is delivered


async def _acknowledging(
    number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Be a broker that takes a client, acknowledges so many messages, and hangs up on the next."""
    while head := await reader.read(1):
        length, shift = 0, 0
        while True:
            (byte,) = await reader.readexactly(1)
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        body = await reader.readexactly(length)
        if head[0] >> 4 == 1:
            writer.write(b"\x20\x02\0\0")
        elif head[0] >> 4 == 3 and number > 0:
            number -= 1
            topic = int.from_bytes(body[:2])
            writer.write(b"\x40\x02" + body[2 + topic : 4 + topic])
        elif head[0] >> 4 == 3:
            break
    writer.close()


async def test_what_the_broker_has_not_acknowledged_is_not_delivered() -> None:
    pytest_socket._remove_restrictions()
    # The status, and two events of three
    server = await asyncio.start_server(functools.partial(_acknowledging, 3), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    sink = MqttSink(options("mqtt", server=f"127.0.0.1:{port}"), context())
    try:
        await sink.start()
        with pytest.raises(SinkError, match="the broker ended the connection") as failed:
            await sink.send([event(1), event(2), event(3)])
        assert failed.value.delivered == 2
    finally:
        await sink.close()
        server.close()


async def test_who_asks_again_does_not_wait_for_the_end_of_a_pause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest_socket._remove_restrictions()
    monkeypatch.setattr(mqtt, "_FIRST_PAUSE", 60.0)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        sink = MqttSink(options("mqtt", server=f"127.0.0.1:{port}"), context())
        for _ in range(2):
            with pytest.raises(SinkError, match="Connection refused"):
                await sink.start()
    server = await asyncio.start_server(functools.partial(_acknowledging, 2), "127.0.0.1", port)
    try:
        async with asyncio.timeout(10):
            await sink.start()
            await sink.send([event(1)])
    finally:
        await sink.close()
        server.close()
