"""Syslog's servers: what is delivered, what is said when they are gone, and whom TLS believes."""

import asyncio
import contextlib
import ctypes
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_socket

from hearthwall_sensor.protocol import Event
from hearthwall_sensor.sinks import reading, syslog_stream
from hearthwall_sensor.sinks.sink import Sink, SinkError
from hearthwall_sensor.sinks.syslog_message import SD_ID
from tests.unit.certificates import Authority, fingerprint
from tests.unit.rfc5424 import parse
from tests.unit.sink_events import context, event


@pytest.fixture(autouse=True)
def _sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tests talk over loopback, which the plugin for Home Assistant guards, to servers that decide at once."""
    pytest_socket._remove_restrictions()
    monkeypatch.setattr(syslog_stream, "_PROBATION", 0.02)


@dataclass
class Server:
    """A server that takes messages with their lengths before them, or does not read."""

    reads: bool = True
    messages: list[bytes] = field(default_factory=list)
    connections: list[asyncio.StreamWriter] = field(default_factory=list)
    server: asyncio.Server | None = None
    port: int = 0

    async def listen(self, tls: ssl.SSLContext | None = None) -> None:
        """Begin, on the port that it had if it had one."""
        self.server = await asyncio.start_server(
            self._serve, "127.0.0.1", self.port, ssl=tls, limit=4096, reuse_address=True
        )
        self.port = self.server.sockets[0].getsockname()[1]

    async def end(self) -> None:
        """End, and every connection with it."""
        assert self.server is not None
        self.server.close()
        for each in self.connections:
            each.transport.abort()
        self.connections.clear()
        await asyncio.sleep(0.05)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connections.append(writer)
        while not self.reads and not writer.is_closing():
            await asyncio.sleep(0.02)
        with contextlib.suppress(asyncio.IncompleteReadError, OSError, ssl.SSLError):
            while True:
                length = int(await reader.readuntil(b" "))
                self.messages.append(await reader.readexactly(length))

    @property
    def numbers(self) -> list[int]:
        """The numbers of the events that came."""
        return [int(parse(each).data[SD_ID]["seq"]) for each in self.messages]


@contextlib.asynccontextmanager
async def listening(tls: ssl.SSLContext | None = None, **how: Any) -> AsyncIterator[Server]:
    """Run a server."""
    server = Server(**how)
    await server.listen(tls)
    try:
        yield server
    finally:
        await server.end()


def sink(port: int, **options: Any) -> Sink:
    """Return a sink that sends to a port of this host."""
    usual: dict[str, Any] = {"transport": "tcp", "server": f"127.0.0.1:{port}"}
    (named,) = reading.read([{"name": "siem", "type": "syslog"} | usual | options])
    return named.make(context())


def events(first: int, last: int) -> list[Event]:
    """Return some events."""
    return [event(seq) for seq in range(first, last + 1)]


async def failure(one: Sink, of: Sequence[Event]) -> SinkError:
    """Return how sending fails."""
    with pytest.raises(SinkError) as caught:
        async with asyncio.timeout(20):
            await one.send(of)
    return caught.value


def test_events_come_in_their_order_over_one_connection() -> None:
    async def run() -> None:
        async with listening() as server:
            one = sink(server.port)
            await one.start()
            await one.send(events(1, 50))
            assert server.numbers == list(range(1, 51))
            await one.send(events(51, 51))
            assert server.numbers[-1] == 51
            assert len(server.connections) == 1
            await one.close()

    asyncio.run(run())


def test_a_server_that_comes_back_gets_what_it_missed() -> None:
    async def run() -> None:
        async with listening() as server:
            one = sink(server.port)
            await one.send(events(1, 20))
            await server.end()
            error = await failure(one, events(21, 40))
            assert error.delivered == 0
            error = await failure(one, events(21, 40))
            assert f"127.0.0.1:{server.port}" in str(error)
            await server.listen()
            await one.send(events(21, 40))
            assert server.numbers == list(range(1, 41))
            await one.close()

    asyncio.run(run())


def test_what_a_server_never_read_is_not_delivered() -> None:
    """A write succeeds while the server's side is already closed: TCP says so only to the next one."""

    async def run() -> None:
        async with listening(reads=False) as server:
            one = sink(server.port)
            large = [event(seq, summary="x" * 4000) for seq in range(1, 3000)]
            sending = asyncio.ensure_future(one.send(large))
            await asyncio.sleep(0.3)
            assert not sending.done()  # its kernel takes some megabytes, and then no more
            await server.end()
            with pytest.raises(SinkError) as caught:
                await asyncio.wait_for(sending, 20)
            assert 0 <= caught.value.delivered < len(large)
            await one.close()

    asyncio.run(run())


def test_a_server_that_does_not_read_blocks_nobody_else() -> None:
    async def run() -> None:
        async with listening(reads=False) as deaf, listening() as well:
            blocked, free = sink(deaf.port), sink(well.port)
            large = [event(seq, summary="x" * 4000) for seq in range(1, 3000)]
            sending = asyncio.ensure_future(blocked.send(large))
            await asyncio.sleep(0.2)
            async with asyncio.timeout(10):
                await free.send(events(1, 40))
            assert well.numbers == list(range(1, 41))
            assert not sending.done()
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sending
            for each in (blocked, free):
                await asyncio.wait_for(each.close(), 1)

    asyncio.run(run())


async def lose_patience(one: Sink, of: Sequence[Event]) -> None:
    """Give a server some time, and then no more."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await one.send(of)


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_a_server_that_reads_late_gets_each_event_once(
    transport: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its kernel has some of them by then: over another connection they would be lost, or come twice."""
    monkeypatch.setattr(syslog_stream, "_GIVE_UP_AFTER", 0.2)  # its host answers all the while
    tls = serving(authority.sign("late", "IP:127.0.0.1")) if transport == "tls" else None
    options = {"ca_file": str(authority.certificate)} if tls else {}

    async def run() -> None:
        async with listening(tls, reads=False) as server:
            one = sink(server.port, transport=transport, **options)
            large = [event(seq, summary="x" * 4000) for seq in range(1, 2000)]
            await lose_patience(one, large)
            await lose_patience(one, large)
            server.reads = True
            async with asyncio.timeout(20):
                await one.send(large)
            assert server.numbers == list(range(1, 2000))
            assert len(server.connections) == 1
            await one.close()

    asyncio.run(run())


#: In classic BPF: take nothing of any packet.
_NOTHING = struct.pack("HBBI", 6, 0, 0, 0)


def test_a_server_whose_host_is_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syslog_stream, "_GIVE_UP_AFTER", 0.5)

    async def run() -> None:
        async with listening() as server:
            one = sink(server.port)
            await one.send(events(1, 1))
            there = server.connections[0].get_extra_info("socket")
            program = ctypes.create_string_buffer(_NOTHING)
            there.setsockopt(
                socket.SOL_SOCKET, 26, struct.pack("HxxxxxxP", 1, ctypes.addressof(program))
            )
            error = await failure(one, events(2, 3))
            assert "does not answer any more" in str(error)
            await one.send(events(2, 3))
            assert server.numbers == [1, 2, 3]
            await one.close()

    asyncio.run(run())


def test_nobody_listens_for_datagrams_and_then_somebody_does() -> None:
    async def run() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.bind(("127.0.0.1", 0))
            port = server.getsockname()[1]
        one = sink(port, transport="udp")
        error = await failure(one, events(1, 3))
        assert error.delivered == 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.bind(("127.0.0.1", port))
            server.settimeout(5)
            await one.send(events(1, 20))
            got = [parse(server.recv(9000)).data[SD_ID]["seq"] for _ in range(20)]
            assert got == [str(seq) for seq in range(1, 21)]
            await one.send([event(21, summary="x" * 4000)])
            assert len(server.recv(9000)) > 4000
        await one.close()

    asyncio.run(run())


def test_a_datagram_has_a_bound() -> None:
    async def run() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.bind(("127.0.0.1", 0))
            server.settimeout(5)
            one = sink(server.getsockname()[1], transport="udp", max_bytes=700)
            await one.send([event(1, summary="x" * 4000)])
            got = server.recv(9000)
            assert len(got) == 700
            assert parse(got).data[SD_ID]["cut"] == "true"
            await one.close()

    asyncio.run(run())


# TLS


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Another one, that nobody trusts."""
    return Authority(tmp_path_factory.mktemp("other"))


def serving(pair: tuple[Path, Path], clients: Path | None = None) -> ssl.SSLContext:
    """Return what a server speaks with, to clients of an authority only."""
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    found.load_cert_chain(*pair)
    if clients is not None:
        found.load_verify_locations(clients)
        found.verify_mode = ssl.CERT_REQUIRED
    return found


def over_tls(tls: ssl.SSLContext, options: Callable[[], dict[str, Any]]) -> tuple[Any, list[int]]:
    """Return how sending fails, if it does, and which events the server got."""

    async def run() -> tuple[Any, list[int]]:
        async with listening(tls) as server:
            one = sink(server.port, transport="tls", **options())
            try:
                async with asyncio.timeout(10):
                    await one.send(events(1, 30))
                    await one.send(events(31, 31))
            except SinkError as error:
                return error, server.numbers
            finally:
                await one.close()
            return None, server.numbers

    return asyncio.run(run())


def test_a_server_is_known_by_its_authority_and_name(
    authority: Authority, other: Authority
) -> None:
    here = authority.sign("localhost", "IP:127.0.0.1,DNS:log.example")
    ca = {"ca_file": str(authority.certificate)}
    assert over_tls(serving(here), lambda: ca) == (None, list(range(1, 32)))
    named = {**ca, "server_name": "log.example"}
    assert over_tls(serving(here), lambda: named) == (None, list(range(1, 32)))
    error, got = over_tls(serving(here), lambda: {**ca, "server_name": "other.example"})
    assert "mismatch" in str(error)
    assert not got
    for options in ({}, {"ca_file": str(other.certificate)}):
        error, got = over_tls(serving(here), lambda options=options: options)
        assert "its certificate is not trusted" in str(error)
        assert not got


def test_a_server_is_known_by_its_fingerprint(authority: Authority, other: Authority) -> None:
    here = authority.sign("here", "DNS:elsewhere.example")
    mine = fingerprint(here[0])
    for text in (mine, mine.replace(":", "").lower()):
        assert over_tls(serving(here), lambda text=text: {"fingerprint": text})[0] is None
    false = other.sign("false", "DNS:elsewhere.example")
    error, got = over_tls(serving(false), lambda: {"fingerprint": mine})
    assert "the certificate is another one" in str(error)
    assert not got
    # With both, both must be right
    both = {"fingerprint": mine, "ca_file": str(authority.certificate)}
    assert "mismatch" in str(over_tls(serving(here), lambda: both)[0])
    both["server_name"] = "elsewhere.example"
    assert over_tls(serving(here), lambda: both)[0] is None


def test_a_server_may_ask_who_we_are(authority: Authority, tmp_path: Path) -> None:
    here = authority.sign("asks", "IP:127.0.0.1")
    own, key = authority.sign("gateway", "DNS:gateway.example")
    tls = serving(here, authority.certificate)
    ca = {"ca_file": str(authority.certificate)}
    error, got = over_tls(tls, lambda: ca)
    assert error.delivered == 0
    assert not got
    client = {"client_certificate": str(own), "client_key": str(key)}
    assert over_tls(tls, lambda: ca | client) == (None, list(range(1, 32)))
    both = tmp_path / "both.pem"
    both.write_text(own.read_text() + key.read_text())
    both.chmod(0o644)
    error, _ = over_tls(tls, lambda: ca | {"client_certificate": str(both)})
    assert "others may read or change" in str(error)
    both.chmod(0o600)
    assert over_tls(tls, lambda: ca | {"client_certificate": str(both)})[0] is None


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1")
def test_old_tls_is_refused(authority: Authority) -> None:
    here = authority.sign("old", "IP:127.0.0.1")
    tls = serving(here)
    tls.set_ciphers("DEFAULT:@SECLEVEL=0")
    tls.minimum_version = tls.maximum_version = ssl.TLSVersion.TLSv1_1
    error, got = over_tls(tls, lambda: {"ca_file": str(authority.certificate)})
    assert error is not None
    assert not got


def test_a_file_that_is_missing_is_said(tmp_path: Path) -> None:
    error = asyncio.run(
        failure(sink(9, transport="tls", ca_file=str(tmp_path / "none.pem")), events(1, 1))
    )
    assert "none.pem can't be used: No such file" in str(error)
