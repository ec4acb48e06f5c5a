"""Brokers that send what they should not, or nothing: the sink takes in little, says why, and comes again."""

import asyncio
import contextlib
import struct
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_socket

from hearthwall_sensor.sinks import broker as broker_module, mqtt, tls
from hearthwall_sensor.sinks.mqtt import MqttSink
from hearthwall_sensor.sinks.mqtt_intake import BURST, LONGEST_PACKET, PER_SECOND, Intake
from hearthwall_sensor.sinks.sink import SinkError
from tests.unit.receivers import context, event, options

CONNACK, SUBACK, PINGRESP = b"\x20\x02\0\0", b"\x90\x03\0\x01\x01", b"\xd0\0"

type Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture(autouse=True)
def _sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest_socket._remove_restrictions()
    monkeypatch.setattr(mqtt, "_FIRST_PAUSE", 0.1)


def length(number: int) -> bytes:
    """Return a packet's length as MQTT writes it."""
    parts = []
    while True:
        number, part = divmod(number, 128)
        parts.append(part | (0x80 if number else 0))
        if not number:
            return bytes(parts)


def publish(quality: int, payload: bytes, number: int = 1) -> bytes:
    """Return a PUBLISH on the topic `a`."""
    body = b"\0\x01a" + (struct.pack(">H", number) if quality else b"") + payload
    return bytes([0x30 | quality << 1]) + length(len(body)) + body


async def packets(reader: asyncio.StreamReader) -> AsyncIterator[tuple[int, bytes]]:
    """Yield a client's packets: type and body."""
    with contextlib.suppress(asyncio.IncompleteReadError):
        while True:
            (first,) = await reader.readexactly(1)
            size, shift = 0, 0
            while True:
                (byte,) = await reader.readexactly(1)
                size |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    break
            yield first >> 4, await reader.readexactly(size)


async def honest(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take a client and acknowledge all."""
    async for kind, body in packets(reader):
        if kind == 1:
            writer.write(CONNACK)
        elif kind == 3:
            topic = int.from_bytes(body[:2])
            writer.write(b"\x40\x02" + body[2 + topic : 4 + topic])


@contextlib.asynccontextmanager
async def served(
    *visits: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], **more: Any
) -> AsyncIterator[MqttSink]:
    """Yield a sink of a broker that treats each connection in its own way, and the last way from then on."""
    left = list(visits)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await (left.pop(0) if len(left) > 1 else left[0])(reader, writer)
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    sink = MqttSink(options("mqtt", server=f"127.0.0.1:{port}", **more), context())
    try:
        yield sink
    finally:
        await sink.close()
        server.close()


async def problem(sink: MqttSink) -> str:
    """Return why nothing is taken."""
    async with asyncio.timeout(10):
        while True:
            try:
                await sink.send([event()])
            except SinkError as error:
                return str(error)
            await asyncio.sleep(0.01)


async def delivers(sink: MqttSink) -> None:
    """Return when an event was delivered."""
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(SinkError):
                return await sink.send([event()])
            await asyncio.sleep(0.01)


def saying(packet: bytes) -> Callable[..., Awaitable[None]]:
    """Return a broker that says something as soon as it has told that events are told."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for kind, _ in packets(reader):
            writer.write(CONNACK if kind == 1 else packet)

    return serve


@pytest.mark.parametrize(
    ("packet", "said"),
    [
        (publish(2, b"kept until a PUBREL"), "what nobody asked for"),
        (b"\x62\x02\0\x01", "what nobody asked for"),
        (b"\xc0\0", "what nobody asked for"),
        (publish(1, b"y" * LONGEST_PACKET), "a packet that is too long"),
        (b"\x30\xff\xff\xff\x7f" + b"y" * 10_000, "a packet that is too long"),
        (b"\x30\xff\xff\xff\xff\x01", "speaks no MQTT"),
        (b"\x30\x04\xff\xffab", "the broker ended the connection"),
        (b"\x30\x04\0\x02\xff\xff", "the broker ended the connection"),
        (b"\x40\0", "the broker ended the connection"),
    ],
    ids=range(9),
)
async def test_what_a_broker_may_not_send_ends_the_connection_and_the_next_one_works(
    packet: bytes, said: str
) -> None:
    async with served(saying(packet), honest) as sink:
        with pytest.raises(SinkError, match=said):
            await sink.start()
        await delivers(sink)
    assert threading.active_count() < 20


async def test_what_it_sends_after_a_while_is_looked_at_as_well() -> None:
    async def turning(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        honestly = asyncio.ensure_future(honest(reader, writer))
        await asyncio.sleep(0.5)
        writer.write(publish(2, b"y" * 16_000) * 3)
        await honestly

    async with served(turning) as sink:
        await sink.start()
        await sink.send([event()])
        assert "what nobody asked for" in await problem(sink)


async def test_a_broker_that_acknowledges_nothing_is_left_for_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mqtt, "_PATIENCE", 0.5)
    async with served(saying(PINGRESP), honest) as sink:
        with pytest.raises(SinkError, match="does not answer"):
            await sink.start()
        await delivers(sink)


async def test_a_broker_that_begins_no_tls_keeps_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "_HANDSHAKE_WITHIN", 0.3)
    over = asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()

    async with served(mute, tls=True, keepalive=3600) as sink:
        before = threading.active_count()
        with pytest.raises(SinkError, match="no answer in time"):
            await sink.start()
        await asyncio.sleep(1)
        assert threading.active_count() <= before + 2
        over.set()


async def test_a_broker_that_does_not_read_can_keep_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_module, "_GOODBYE", 0.2)
    over = asyncio.Event()

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen = 0
        async for kind, body in packets(reader):
            if kind == 1:
                writer.write(CONNACK)
            elif (seen := seen + 1) == 1:
                topic = int.from_bytes(body[:2])
                writer.write(b"\x40\x02" + body[2 + topic : 4 + topic])
                break
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        await over.wait()

    async with served(deaf) as sink:
        await sink.start()
        large = [event(seq, summary="s" * 100_000) for seq in range(100)]
        sending = asyncio.ensure_future(sink.send(large))
        await asyncio.sleep(0.5)
        sending.cancel()
        began = time.monotonic()
        await sink.close()
        assert time.monotonic() - began < 5
        over.set()
        await asyncio.sleep(0)


def test_whoever_sends_much_is_read_slowly() -> None:
    now, slept = 0.0, 0

    def sleep(seconds: float) -> None:
        nonlocal now, slept
        now += seconds
        slept += 1

    intake = Intake(lambda: now, sleep)
    intake.look(PINGRESP * BURST)
    assert slept == 0
    intake.look((publish(0, b"zzzz") + SUBACK) * round(5 * PER_SECOND))
    assert 9.5 < now < 11
    began = now
    intake.look(publish(0, b"y" * 200_000) * 100)
    assert now - began > 4.5, "20 MB"


def test_packets_are_known_however_they_are_cut() -> None:
    stream = publish(1, b"y" * 300) + SUBACK + publish(0, b"y" * (LONGEST_PACKET - 3)) + CONNACK
    for cut in (1, 2, 7, len(stream)):
        intake = Intake()
        for at in range(0, len(stream), cut):
            intake.look(stream[at : at + cut])
        intake.look(b"\x20")
        with pytest.raises(ConnectionAbortedError):
            Intake().look(stream + publish(2, b""))
