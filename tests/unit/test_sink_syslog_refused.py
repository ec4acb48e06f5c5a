"""Syslog's servers that take a connection first, and then refuse us: what was sent meanwhile has not arrived."""

import asyncio
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from hearthwall_sensor.sinks import syslog_stream
from hearthwall_sensor.sinks.sink import SinkError
from tests.unit.certificates import Authority
from tests.unit.test_sink_syslog import (
    _sockets,  # noqa: F401, a fixture
    events,
    failure,
    serving,
    sink,
)


async def refuse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tls: ssl.SSLContext | None
) -> None:
    """Be a busy server: look only a while after the client thinks that all is well, and end the connection."""
    if tls is not None:
        came, goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        side = tls.wrap_bio(came, goes, server_side=True)
        came.write(await reader.read(65_536))
        with pytest.raises(ssl.SSLWantReadError):
            side.do_handshake()
        writer.write(goes.read())
        came.write(await reader.read(65_536))
    await asyncio.sleep(0.1)
    if tls is not None:
        with pytest.raises(ssl.SSLError):
            side.do_handshake()
        writer.write(goes.read())
    writer.close()


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_a_server_that_refuses_us_later_takes_nothing(
    transport: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In TLS 1.3 a client has finished before the server has looked at its certificate."""
    monkeypatch.setattr(syslog_stream, "_PROBATION", 5.0)
    authority = Authority(tmp_path)
    options = {"ca_file": str(authority.certificate)} if transport == "tls" else {}
    own = serving(authority.sign("busy", "IP:127.0.0.1"), authority.certificate)
    tls = own if transport == "tls" else None
    reached: list[bool] = []

    async def run() -> None:
        server = await asyncio.start_server(lambda *ends: refuse(*ends, tls), "127.0.0.1", 0)
        one = sink(server.sockets[0].getsockname()[1], transport=transport, **options)
        one._context = replace(one._context, reached=lambda: reached.append(True))  # type: ignore[attr-defined]
        with pytest.raises(SinkError, match="CERTIFICATE_REQUIRED" if tls else "closed"):
            await one.start()
        for first in (1, 2):
            error = await failure(one, events(first, 20))
            assert error.delivered == 0
        await one.close()
        server.close()

    asyncio.run(run())
    assert not reached
