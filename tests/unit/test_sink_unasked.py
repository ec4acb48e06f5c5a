"""What sinks do without being asked: none listens for orders by itself, keeps an old address or outlives its sensor."""

import asyncio
import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_socket

from hearthwall_sensor.sinks import syslog_datagrams
from hearthwall_sensor.sinks.syslog import SyslogOptions, SyslogSink
from hearthwall_sensor.sinks.table import Table
from tests.unit.household import Household, Serving
from tests.unit.receivers import context, event
from tests.unit.test_sink_mqtt_hostile import CONNACK, delivers, packets, served

LAUNCHER: Final = Path(__file__).resolve().parents[2] / "bpf" / "hearthwall-sensor"


@pytest.fixture(autouse=True)
def _sockets() -> None:
    pytest_socket._remove_restrictions()


# Orders over MQTT


@pytest.mark.parametrize("commands", [False, True])
async def test_only_a_sink_that_takes_orders_listens_for_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, commands: bool
) -> None:
    subscribed: list[bytes] = []

    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for kind, body in packets(reader):
            if kind == 1:
                writer.write(CONNACK)
            elif kind == 3:
                topic = int.from_bytes(body[:2])
                writer.write(b"\x40\x02" + body[2 + topic : 4 + topic])
            elif kind == 8:
                subscribed.append(body)
                writer.write(b"\x90\x03" + body[:2] + b"\x01")
                await writer.drain()

    more: dict[str, Any] = {}
    if commands:
        password = tmp_path / "password"
        password.touch(0o600)
        password.write_text("x\n")
        more = {"commands": True, "username": "me", "password_file": str(password)}
    async with served(broker, **more) as sink:
        await sink.start()
        await delivers(sink)
        taken: list[bytes] = []
        monkeypatch.setattr(sink._orders, "put_nowait", taken.append)
        sink._take(sink.topics.command, b"{}", False)
    assert len(subscribed) == len(taken) == commands


# An old address


async def test_a_server_that_has_moved_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as before,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as after,
    ):
        before.bind(("127.0.0.1", 0))
        port = before.getsockname()[1]
        after.bind(("127.0.0.2", port))
        where = "127.0.0.1"

        def look_up(*_: Any, **__: Any) -> Any:
            return [(socket.AF_INET, socket.SOCK_DGRAM, 17, "", (where, port))]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        options = Table("siem", {"server": f"siem.example:{port}", "transport": "udp"})
        sink = SyslogSink(SyslogOptions.read(options), context())
        await sink.send([event(1)])
        where = "127.0.0.2"
        await sink.send([event(2)])
        link: Any = sink._link
        link._until -= syslog_datagrams._LONGEST
        await sink.send([event(3)])
        await sink.close()
        for server, count in ((before, 2), (after, 1)):
            server.setblocking(False)
            assert [len(server.recv(65536)) > 0 for _ in range(count)] == [True] * count
            with pytest.raises(BlockingIOError):
                server.recv(1)


# A sensor that was killed

_PARENT: Final = """
import subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdin=0)
print(child.pid, flush=True)
child.wait()
"""


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    """A sensor's server."""
    household = Household()
    household.answers |= {"events": [], "journal": {"id": "this one", "last": 0, "erased": 0}}
    serving = Serving(tmp_path / "s.sock", household).start()
    yield serving
    serving.stop()


def test_what_delivers_ends_with_a_killed_sensor(serving: Serving, tmp_path: Path) -> None:
    """Its input stays open, as it does where another process has inherited the other end."""
    forward = ["forward", "elsewhere", "--socket", serving.socket, "--state-dir", str(tmp_path)]
    line = [sys.executable, "-c", _PARENT, sys.executable, "-I", str(LAUNCHER), *forward]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        child = os.pidfd_open(int(parent.stdout.readline()))
        try:
            parent.stdin.write(b"[]\n")
            parent.stdin.flush()
            assert parent.stdout.readline() == b"[]\n", "it delivers"
            parent.kill()
            assert select.select([child], [], [], 10)[0]
        finally:
            parent.kill()
            os.close(child)
