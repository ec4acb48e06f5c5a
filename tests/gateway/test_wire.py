"""The socket under hostile hands: who is let in, and what comes of nonsense."""

import asyncio
import contextlib
import json
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hearthwall_sensor.client import Client, unix_session
from hearthwall_sensor.protocol import Delta, SensorError
from hearthwall_sensor.requests import AddBlock
from lab import Lab
from lab.home import DEVICES, WEB
from tests.gateway.sensor_process import SensorProcess

pytestmark = pytest.mark.lab

CAMERA = DEVICES["camera"]
HELLO = {"id": 1, "type": "initialize", "schema": 1, "client": "test"}


@pytest.fixture(scope="module")
def shared(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SensorProcess]:
    """One sensor for all: whatever is done to it, it must go on."""
    sensor = SensorProcess(lab, tmp_path_factory.mktemp("shared")).start()
    yield sensor
    assert "Traceback" not in sensor.log.read_text()
    sensor.clean()


@contextlib.asynccontextmanager
async def connected(path: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with unix_session(path) as session, session.ws_connect("http://sensor/ws") as ws:
        yield ws


async def say(ws: aiohttp.ClientWebSocketResponse, message: Any) -> dict[str, Any]:
    await ws.send_str(message if isinstance(message, str) else json.dumps(message))
    return await answer(ws)


async def answer(ws: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    wire: dict[str, Any] = await ws.receive_json(timeout=5)
    return wire


async def test_the_sensor_speaks_first_and_agrees_on_a_schema(shared: SensorProcess) -> None:
    async with connected(shared.socket) as ws:
        hello = await answer(ws)
        assert (hello["type"], hello["min_schema"], hello["max_schema"]) == ("hello", 1, 1)
        assert await say(ws, HELLO) == {"id": 1, "type": "result", "result": {}}


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("not json", "invalid_message"),
        ("[" * 5000, "invalid_message"),
        ([], "invalid_message"),
        ({}, "invalid_message"),
        ({"id": "1", "type": "status"}, "invalid_message"),
        ({"id": -1, "type": "status"}, "invalid_message"),
        ({"id": True, "type": "status"}, "invalid_message"),
        ({"id": 2, "type": "reboot"}, "unknown_command"),
        ({"id": 2, "type": None}, "unknown_command"),
        ({"id": 2, "type": ["status"]}, "unknown_command"),
        ({"id": 2, "type": "block"}, "invalid_message"),
        ({"id": 2, "type": "block", "target": 5}, "invalid_message"),
        ({"id": 2, "type": "block", "target": CAMERA.mac, "forever": True}, "invalid_message"),
        ({"id": 2, "type": "block", "target": CAMERA.mac, "mode": "kill"}, "invalid_message"),
        ({"id": 2, "type": "block", "target": CAMERA.mac, "duration": "soon"}, "invalid_message"),
        ({"id": 2, "type": "block", "target": CAMERA.mac, "duration": -1}, "invalid_duration"),
        ({"id": 2, "type": "block", "target": CAMERA.mac, "duration": 1e300}, "invalid_duration"),
        (
            '{"id": 2, "type": "block", "target": "' + CAMERA.mac + '", "duration": NaN}',
            "invalid_message",
        ),
        ({"id": 2, "type": "subscribe", "interval": 0}, "invalid_duration"),
        ({"id": 2, "type": "status", "padding": "x" * 70_000}, "message_too_large"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_nonsense_gets_an_error_and_changes_nothing(
    shared: SensorProcess, message: Any, code: str
) -> None:
    async with connected(shared.socket) as ws:
        await answer(ws)
        await say(ws, HELLO)
        said = await say(ws, message)
        assert (said["type"], said["code"]) == ("error", code)
        assert said["message"]
    assert shared.call("blocks") == []


async def test_a_message_far_too_large_ends_the_connection_only(shared: SensorProcess) -> None:
    async with connected(shared.socket) as ws:
        await answer(ws)
        with contextlib.suppress(
            ConnectionError, aiohttp.ClientError
        ):  # cut off while it still talks
            await ws.send_str("x" * 1_000_000)
        assert (await ws.receive(timeout=5)).type is not aiohttp.WSMsgType.TEXT
    assert shared.call("status")["pid"] == shared.pid


async def test_a_newer_schema_is_refused(shared: SensorProcess) -> None:
    async with connected(shared.socket) as ws:
        await answer(ws)
        said = await say(ws, HELLO | {"schema": 2})
        assert said["code"] == "unsupported_schema"
        assert "1 to 1, not 2" in said["message"]


async def test_nothing_is_told_before_initialize(shared: SensorProcess) -> None:
    async with connected(shared.socket) as ws:
        await answer(ws)
        assert (await say(ws, {"id": 1, "type": "devices"}))["code"] == "not_initialized"


@pytest.mark.parametrize("user", [65534])
def test_a_client_without_credentials_gets_nothing(shared: SensorProcess, user: int) -> None:
    """Once because of the file's permissions, and once more because the sensor looks who is there."""
    ask = (
        "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
        "s.sendall(b'GET /ws HTTP/1.1\\r\\nHost: s\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n"
        "Sec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n\\r\\n'); print(s.recv(4096))"
    )
    line = [
        "setpriv",
        f"--reuid={user}",
        f"--regid={user}",
        "--clear-groups",
        "/usr/bin/python3",
        "-c",
        ask,
        shared.socket,
    ]
    folders = [each for each in Path(shared.socket).parents if str(each).startswith("/tmp/")]
    modes = [(each, each.stat().st_mode) for each in folders]
    for each in folders:
        each.chmod(0o755)
    try:
        done = subprocess.run(line, capture_output=True, text=True, timeout=10, check=False)
        assert "PermissionError" in done.stderr
        Path(shared.socket).chmod(0o666)
        done = subprocess.run(line, capture_output=True, text=True, timeout=10, check=False)
        assert "403 Forbidden" in done.stdout
        assert "version" not in done.stdout
    finally:
        Path(shared.socket).chmod(0o600)
        for each, mode in modes:
            each.chmod(mode)


async def test_a_snapshot_then_deltas_in_sequence(lab: Lab, shared: SensorProcess) -> None:
    deltas: list[Delta] = []
    async with unix_session(shared.socket) as session:
        client = Client(session, name="test")
        await client.connect()
        snapshot = await client.subscribe(deltas.append, interval=0.05)
        assert snapshot.status.pid == shared.pid
        process = await asyncio.create_subprocess_exec(
            *lab.argv("camera", ["ping", "-c5", "-i0.1", WEB.ipv4]), stdout=-3
        )
        await process.wait()
        await asyncio.sleep(0.3)
        block = await client.block(AddBlock(CAMERA.mac))
        await client.unblock(str(block.id))
        await asyncio.sleep(0.3)
        await client.close()
    assert [each.seq for each in deltas] == list(
        range(snapshot.seq + 1, snapshot.seq + 1 + len(deltas))
    )
    totals = [
        each.upload_packets for delta in deltas for each in delta.devices if each.mac == CAMERA.mac
    ]
    assert totals == sorted(totals)
    assert len(set(totals)) >= 4
    assert block.id in {each.id for delta in deltas for each in delta.blocks}
    assert block.id in {each for delta in deltas for each in delta.removed_blocks}


async def test_a_client_that_does_not_read_is_let_go_and_harms_nobody(
    lab: Lab, shared: SensorProcess
) -> None:
    before = shared.call("status")["lost"]["clients_disconnected"]
    with socket.socket(socket.AF_UNIX) as slow:
        slow.connect(shared.socket)
        slow.sendall(
            b"GET /ws HTTP/1.1\r\nHost: s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        await asyncio.sleep(0.2)
        for number, request in enumerate([HELLO, *({"type": "status"} for _ in range(3000))], 1):
            payload = json.dumps(request | {"id": number}).encode()
            frame = b"\x81" + bytes([0x80 | len(payload)]) + bytes(4) + payload
            try:
                slow.settimeout(1)
                slow.sendall(frame)
            except TimeoutError, BrokenPipeError, ConnectionResetError:
                break
        for _ in range(40):
            await asyncio.sleep(0.5)
            status = shared.call("status")
            if status["lost"]["clients_disconnected"] > before:
                break
    assert status["lost"]["clients_disconnected"] > before
    assert status["resident_bytes"] < 80_000_000


async def test_many_connections_do_not_keep_others_out_for_long(shared: SensorProcess) -> None:
    idle = [socket.socket(socket.AF_UNIX) for _ in range(200)]
    try:
        for each in idle:
            each.setblocking(False)
            try:
                each.connect(shared.socket)
            except BlockingIOError:
                break
        assert shared.call("status")["pid"] == shared.pid
    finally:
        for each in idle:
            each.close()


async def test_the_client_names_what_went_wrong(tmp_path: Path) -> None:
    async with unix_session(str(tmp_path / "nobody")) as session:
        with pytest.raises(SensorError) as failed:
            await Client(session, name="test").connect()
    assert failed.value.code == "not_running"
