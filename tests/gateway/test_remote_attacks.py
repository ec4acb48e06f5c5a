"""The listener on TCP under hostile hands: the sensor goes on, stays small, and its client stays connected."""

import asyncio
import contextlib
import itertools
import json
import re
import select
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from hearthwall_sensor.client import Endpoint
from hearthwall_sensor.protocol import SensorError
from hearthwall_sensor.remote import pairing
from lab import Lab
from lab.home import DEVICES, WEB
from tests.gateway import clienthello
from tests.gateway.inside import inside, talking, trusting
from tests.gateway.pairing import pair, shown
from tests.gateway.sensor_process import SensorProcess, until
from tests.gateway.test_remote import HOST, LISTEN, PORT, endpoint

pytestmark = pytest.mark.lab

ATTACKER = "camera"
#: What an attack may cost, beside what a busy sensor needs anyway.
MORE_BYTES = 24_000_000
_OCTETS = itertools.count(100)
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
PAIR = UPGRADE.replace(b"/ws", b"/pair") + b"\r\n"
FLOODER = Path(__file__).with_name("flooder.py")
CONNECTIONS = 10_000


@pytest.fixture(scope="module")
def sensor(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SensorProcess]:
    """One sensor for all: whatever is done to it, it must go on."""
    sensor = SensorProcess(lab, tmp_path_factory.mktemp("attacked")).start(*LISTEN)
    yield sensor
    assert "Traceback" not in sensor.log.read_text()
    sensor.clean()


@pytest.fixture(scope="module")
def there(sensor: SensorProcess) -> Endpoint:
    """What the client that must not suffer has."""
    return endpoint(sensor.call("token", "Home Assistant"))


@pytest.fixture(autouse=True)
def _begins_anew(lab: Lab, sensor: SensorProcess) -> None:
    """Let the attacker's earlier sins be forgotten: by a new address, as it would itself."""
    lab.run(ATTACKER, ["ip", "address", "flush", "dev", "eth0", "scope", "global"])
    address = f"192.168.10.{next(_OCTETS)}/24"
    lab.run(ATTACKER, ["ip", "address", "add", address, "dev", "eth0"])


def memory(sensor: SensorProcess) -> int:
    status = sensor.call("status")
    assert status["pid"] == sensor.pid
    resident: int = status["resident_bytes"]
    return resident


def counted(sensor: SensorProcess, host: str) -> int:
    known = sensor.device(DEVICES[host].mac)
    return 0 if known is None else int(known["upload_packets"])


def peak_of_child(lab: Lab, sensor: SensorProcess) -> int:
    """Return the most memory that the announcing child had, 0 if it has ended of it."""
    line = ["pgrep", "--parent", str(sensor.pid), "-u", "nobody"]
    child = lab.run("gateway", line).stdout.strip()
    if not child:
        return 0
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{child}/status").read_text())
    return int(peak) * 1024


def descriptors(sensor: SensorProcess) -> int:
    return sum(1 for _ in Path(f"/proc/{sensor.pid}/fd").iterdir())


def tls(context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
    """Return a connection from where we are that has spoken TLS and nothing else."""
    plain = socket.create_connection((HOST, PORT), 5)
    return (context or trusting()).wrap_socket(plain)


def is_told(process: subprocess.Popen[str]) -> bool:
    """Tell whether a process has said something."""
    return bool(select.select([process.stdout], [], [], 0.02)[0])


def is_ended(connection: socket.socket, seconds: float) -> bool:
    """Return whether the other side ends a connection in time, whatever it says before."""
    connection.settimeout(seconds)
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while connection.recv(65536):
            pass
        return True
    return True


@contextlib.contextmanager
def flooding(lab: Lab, count: int, seconds: float) -> Iterator[subprocess.Popen[str]]:
    """Have the attacker open connections, and hold those that it gets; yield it at once."""
    line = ["/usr/bin/python3", "-I", str(FLOODER), HOST, str(PORT), str(count), str(seconds)]
    process = subprocess.Popen(
        lab.argv(ATTACKER, line), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


async def test_ten_thousand_connections_harm_nobody(
    lab: Lab, sensor: SensorProcess, there: Endpoint
) -> None:
    """While they come, clients are answered and let in, packets are counted, and nothing grows."""
    before, open_before = memory(sensor), descriptors(sensor)
    turned_away = sensor.call("status")["turned_away"]
    packets = counted(sensor, "plug")
    most, slowest, came = 0, 0.0, 0
    async with talking(lab, "laptop", there) as client:
        with flooding(lab, CONNECTIONS, 60) as flood:
            assert flood.stdout is not None
            lab.run("plug", ["ping", "-c3", "-i0.2", WEB.ipv4])
            while not is_told(flood):
                began = time.monotonic()
                async with talking(lab, "phone", there) as beside:
                    assert (await beside.status()).pid == sensor.pid
                await client.status()
                came += 1
                slowest = max(slowest, time.monotonic() - began)
                most = max(most, descriptors(sensor))
            told = json.loads(flood.stdout.readline())
        assert (await client.status()).pid == sensor.pid, "it was never cut off"
    assert told["begun"] == CONNECTIONS
    assert came >= 1
    assert slowest < 8, "a client that is lost among them tries again"
    assert most <= open_before + 64 + 2 * 16, "strangers, and clients beside them"
    # The status is made up once a second. What the kernel's queue has no room for never comes to the sensor.
    assert until(lambda: sensor.call("status")["turned_away"] >= turned_away + CONNECTIONS // 2)
    assert until(lambda: counted(sensor, "plug") >= packets + 3), "packets are counted"
    assert memory(sensor) < before + MORE_BYTES
    assert sensor.log.read_text().count("turned away") <= 3


async def test_codes_are_guessed_from_many_addresses_in_vain(
    lab: Lab, sensor: SensorProcess, there: Endpoint
) -> None:
    """However many addresses somebody has, five wrong codes are all, and what they cost is given back."""
    before = memory(sensor)
    addresses = [f"192.168.10.{number}" for number in range(130, 170)]
    for each in addresses:
        lab.run(ATTACKER, ["ip", "address", "add", f"{each}/24", "dev", "eth0"])
    packets = counted(sensor, "plug")

    async def guess(address: str) -> str:
        """Say a proof that none is, in time: an attacker's own work is no part of this."""
        connector = aiohttp.TCPConnector(local_addr=(address, 0))
        async with aiohttp.ClientSession(connector=connector) as session:
            try:
                async with session.ws_connect(f"https://{HOST}:{PORT}/pair", ssl=False) as socket:
                    said = await socket.receive_json()
                    if said["type"] == "opening":
                        await socket.send_json(
                            pairing.said(pairing.Proof("0" * 64, *2 * ["0" * 64]))
                        )
                        said = await socket.receive_json()
                    return str(said["code"])
            except aiohttp.ClientError, TypeError, OSError:
                return "gone"

    with shown(sensor) as showing:
        code = showing.next()["code"]
        async with talking(lab, "laptop", there) as client:
            with inside(lab, ATTACKER):
                codes = await asyncio.gather(*(guess(each) for each in addresses))
            assert (await client.status()).pid == sensor.pid
        status, said = showing.end()
        assert status == 1
        assert "Wrong codes were tried too often" in said
    assert codes.count("interfered") <= 5, (
        "with another fingerprint, as one whom somebody stands before"
    )
    assert set(codes) <= {"interfered", "code_burnt", "gone"}
    assert sensor.log.read_text().count("tried a wrong code") <= 5
    with pytest.raises(SensorError) as failed:
        await pair(lab, "phone", (HOST, PORT), code)
    assert failed.value.code == "code_burnt"
    lab.run("plug", ["ping", "-c3", "-i0.2", WEB.ipv4])
    assert until(lambda: counted(sensor, "plug") >= packets + 3), "packets are counted"
    assert memory(sensor) < before + 8_000_000, "half of what one try needs"


@pytest.mark.parametrize(
    ("version", "ciphers"),
    [
        (clienthello.SSL_3, {**clienthello.WEAK, **clienthello.GOOD}),
        (clienthello.TLS_1_0, {**clienthello.WEAK, **clienthello.GOOD}),
        (clienthello.TLS_1_1, {**clienthello.WEAK, **clienthello.GOOD}),
        (clienthello.TLS_1_2, clienthello.WEAK),
    ],
    ids=["SSL 3", "TLS 1.0", "TLS 1.1", "weak ciphers"],
)
def test_nobody_is_talked_into_weaker_tls(
    lab: Lab, sensor: SensorProcess, version: int, ciphers: dict[str, int]
) -> None:
    with inside(lab, ATTACKER):
        with socket.create_connection((HOST, PORT), 5) as connection:
            assert clienthello.answer(connection, version, list(ciphers.values())) != "hello"
        with socket.create_connection((HOST, PORT), 5) as connection:
            good = list(clienthello.GOOD.values())
            assert clienthello.answer(connection, clienthello.TLS_1_2, good) == "hello"


def test_today_s_tls_is_spoken(lab: Lab, sensor: SensorProcess) -> None:
    with inside(lab, "laptop"):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with tls(trusting(minimum_version=version, maximum_version=version)) as spoken:
                name, *_ = spoken.cipher() or ("",)
                assert "GCM" in name or "CHACHA20" in name


async def test_who_guesses_is_soon_not_listened_to_and_others_are(
    lab: Lab, sensor: SensorProcess, there: Endpoint
) -> None:
    answered = 0
    with inside(lab, ATTACKER):
        for number in range(60):
            try:
                with tls() as connection:
                    connection.sendall(
                        UPGRADE + f"Authorization: Bearer {number:043}\r\n\r\n".encode()
                    )
                    answered += b"401" in connection.recv(4096)
            except OSError:
                pass
    assert 10 <= answered <= 25
    async with talking(lab, "laptop", there) as client:
        assert (await client.status()).pid == sensor.pid


@pytest.mark.parametrize("stage", ["silent", "handshake", "request", "dripping", "pairing"])
def test_who_is_slow_is_let_go(lab: Lab, sensor: SensorProcess, stage: str) -> None:
    with inside(lab, ATTACKER):
        if stage in ("silent", "handshake"):
            connection: socket.socket = socket.create_connection((HOST, PORT), 5)
            if stage == "handshake":
                connection.sendall(b"\x16\x03\x01\x02\x00\x01")
        else:
            connection = tls()
            # A pairing begins, and has an answer, whether a code waits or not
            connection.sendall(PAIR if stage == "pairing" else UPGRADE)
        began = time.monotonic()
        with connection:
            while stage == "dripping" and time.monotonic() - began < 20:
                try:
                    connection.sendall(b"X: y\r\n")
                except OSError:
                    break
                time.sleep(0.2)
            assert is_ended(connection, 20)
        assert time.monotonic() - began < 13


def test_a_huge_request_is_cut_off(lab: Lab, sensor: SensorProcess) -> None:
    before = memory(sensor)
    sent = 0
    with inside(lab, ATTACKER), tls() as connection:
        connection.settimeout(5)
        connection.sendall(UPGRADE)
        try:
            for number in range(100_000):
                sent += connection.send(f"X-{number}: {'y' * 1000}\r\n".encode())
        except OSError:
            pass
    assert sent < 8_000_000, "what the kernels had on their way"
    assert memory(sensor) < before + MORE_BYTES


def test_a_huge_frame_of_a_stranger_is_cut_off(lab: Lab, sensor: SensorProcess) -> None:
    """Its length is said before it: nothing waits for what was only promised."""
    before = memory(sensor)
    with shown(sensor) as showing:
        showing.next()
        for promised in (70_000, 2**40):
            with inside(lab, ATTACKER), tls() as connection:
                connection.settimeout(5)
                connection.sendall(PAIR)
                assert b"101" in connection.recv(4096)
                connection.sendall(b"\x81\xff" + promised.to_bytes(8, "big") + bytes(4))
                began = time.monotonic()
                try:
                    for _ in range(1000):
                        connection.sendall(bytes(65536))
                except OSError:
                    pass
                assert is_ended(connection, 5)
                assert time.monotonic() - began < 5
    assert memory(sensor) < before + MORE_BYTES


def test_a_body_without_end_is_not_read(lab: Lab, sensor: SensorProcess) -> None:
    before = memory(sensor)
    with inside(lab, ATTACKER), tls() as connection:
        connection.settimeout(5)
        connection.sendall(b"POST /ws HTTP/1.1\r\nHost: s\r\nContent-Length: 9999999999\r\n\r\n")
        try:
            for _ in range(2000):
                connection.sendall(b"x" * 65536)
        except OSError:
            pass
        assert is_ended(connection, 12)
    assert memory(sensor) < before + MORE_BYTES


async def test_frames_of_a_client_are_bounded_as_on_the_socket(
    lab: Lab, sensor: SensorProcess, there: Endpoint
) -> None:
    before = memory(sensor)
    async with talking(lab, "laptop", there) as client:
        assert client._socket is not None
        with contextlib.suppress(OSError):
            await client._socket.send_str("x" * 1_000_000)
        with contextlib.suppress(SensorError):
            await asyncio.wait_for(client.wait_closed(), 5)
        with pytest.raises(SensorError):
            await client.status()
    async with talking(lab, "laptop", there) as client:
        assert (await client.status()).pid == sensor.pid
    assert memory(sensor) < before + MORE_BYTES


async def test_what_is_announced_by_others_costs_the_sensor_nothing(
    lab: Lab, sensor: SensorProcess, there: Endpoint
) -> None:
    """Whatever comes to the port of mDNS is read by a process that is nobody and has little memory."""
    before = memory(sensor)
    with inside(lab, ATTACKER), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind((lab.run(ATTACKER, ["hostname", "-I"]).stdout.split()[0], 5353))
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
        for number in range(20_000):
            name = f"{number:08}".encode()
            answer = b"\0\0\x84\0\0\0\0\1\0\0\0\0" + bytes([8]) + name + b"\x05local\0"
            sender.sendto(
                answer + b"\0\x10\x80\1\0\0\x11\x94\0\x06\x05other", ("224.0.0.251", 5353)
            )
    async with talking(lab, "laptop", there) as client:
        assert (await client.status()).pid == sensor.pid
    assert memory(sensor) < before + MORE_BYTES
    assert peak_of_child(lab, sensor) < 128_000_000
