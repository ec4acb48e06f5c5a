"""A sensor that listens for other hosts: who is let in, who never is, and what stays through a restart."""

import asyncio
import contextlib
import dataclasses
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from zeroconf import IPVersion, ServiceBrowser, Zeroconf

from hearthwall_sensor.client import Endpoint
from hearthwall_sensor.protocol import SensorError
from lab import Lab
from lab.home import DEVICES, SEGMENTS, WEB
from tests.gateway.inside import inside, talking, trusting
from tests.gateway.sensor_process import Refused, SensorProcess, until

pytestmark = pytest.mark.lab

HOST = "192.168.10.1"
PORT = 8447
LISTEN = ("--listen", f"{HOST}:{PORT}")
LAPTOP = DEVICES["laptop"]


def endpoint(made: dict[str, Any]) -> Endpoint:
    """Return what a client needs of what `token` printed."""
    fingerprint = bytes.fromhex(made["fingerprint"].replace(":", ""))
    return Endpoint(made["addresses"][0], made["port"], made["token"], fingerprint)


@pytest.fixture
def listening(idle: SensorProcess) -> Iterator[SensorProcess]:
    """A sensor that listens."""
    yield idle.start(*LISTEN)
    assert "Traceback" not in idle.log.read_text()


async def refusal(lab: Lab, there: Endpoint) -> str:
    """Return the code with which a client on the laptop is refused."""
    with pytest.raises(SensorError) as failed:
        async with talking(lab, "laptop", there):
            pass
    return failed.value.code


async def asked(lab: Lab, path: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    """Return what a request of a stranger's is answered with."""
    with inside(lab, "laptop"):
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"https://{HOST}:{PORT}{path}", headers=headers, ssl=trusting()) as answer,
        ):
            return answer.status, await answer.read(), dict(answer.headers)


async def test_a_client_on_another_host_gives_orders(lab: Lab, listening: SensorProcess) -> None:
    made = listening.call("token", "Home Assistant")
    assert (made["addresses"], made["port"]) == ([HOST], PORT)
    async with talking(lab, "laptop", endpoint(made)) as client:
        assert (await client.status()).pid == listening.pid
        assert client.hello is not None
        identity = client.hello.id
        assert identity
        assert identity == (await client.status()).id
        assert "Home Assistant" in (await client.status()).protected[str(LAPTOP.ipv4)]
    state = listening.state
    assert made["token"] not in "".join(each.read_text() for each in state.glob("*.json"))
    for name in ("remote.pem", "tokens.json", "sensor_id", "remote_clients.json"):
        assert (state / name).stat().st_mode & 0o077 == 0, name

    listening.kill()
    listening.start(*LISTEN)
    async with talking(lab, "laptop", endpoint(made)) as client:
        assert client.hello is not None
        assert client.hello.id == identity


async def test_nobody_else_is_let_in_or_told_anything(lab: Lab, listening: SensorProcess) -> None:
    there = endpoint(listening.call("token", "one"))
    for token in ("x" * 43, there.token[:-1], there.token.lower() + "A"):
        assert await refusal(lab, dataclasses.replace(there, token=token)) == "unauthorised"
    for path in ("/", "/ws", "/metrics", "/../etc/shadow"):
        status, body, headers = await asked(lab, path)
        assert (status, body) == (401, b"")
        assert "aiohttp" not in json.dumps(headers)
    assert (await asked(lab, "/ws", Authorization=f"Basic {there.token}"))[0] == 401
    assert (await asked(lab, f"/ws?token={there.token}"))[0] == 401
    assert (await asked(lab, "/", Authorization=f"Bearer {there.token}"))[0] == 404
    wrong = dataclasses.replace(there, fingerprint=bytes(32))
    assert await refusal(lab, wrong) == "wrong_certificate"
    # The status is made up once a second
    assert until(lambda: listening.call("status")["turned_away"] >= 8)


def test_what_is_no_tls_is_refused(lab: Lab, listening: SensorProcess) -> None:
    with inside(lab, "laptop"), socket.create_connection((HOST, PORT), 5) as plain:
        plain.sendall(b"GET /ws HTTP/1.1\r\nHost: s\r\n\r\n")
        said = b""
        with contextlib.suppress(ConnectionError):
            said = plain.recv(4096)
        assert b"HTTP" not in said


async def test_a_revoked_token_ends_what_it_began(lab: Lab, listening: SensorProcess) -> None:
    there, other = (endpoint(listening.call("token", name)) for name in ("one", "other"))
    with pytest.raises(Refused, match="there is a token 'one' already"):
        listening.call("token", "one")
    assert [each["name"] for each in listening.call("token", "--list")["tokens"]] == [
        "one",
        "other",
    ]
    async with talking(lab, "laptop", there) as client, talking(lab, "phone", other) as beside:
        assert listening.call("token", "one", "--revoke")["revoked"]["name"] == "one"
        began = time.monotonic()
        await client.wait_closed()
        assert time.monotonic() - began < 3
        assert (await beside.status()).pid == listening.pid
    assert await refusal(lab, there) == "unauthorised"
    assert str(LAPTOP.ipv4) not in listening.call("status")["protected"]
    with pytest.raises(Refused) as refused:
        listening.call("token", "one", "--revoke")
    assert refused.value.code == "not_found"
    for wrong in ("", "x" * 41, "a/b"):
        with pytest.raises(Refused):
            listening.call("token", wrong)


def pass_on(source: socket.socket, sink: socket.socket) -> None:
    """Send what comes on one connection over another, until it ends."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for each in (source, sink):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def relay(lab: Lab, host: str, address: str) -> Iterator[int]:
    """Let a host pass connections on to the sensor, as whoever has no token can; yield its port."""
    with inside(lab, host):
        server = socket.create_server((address, 0))

    def run() -> None:
        with inside(lab, host), contextlib.suppress(OSError):
            while True:
                came, _ = server.accept()
                there = socket.create_connection((HOST, PORT), 5)
                for pair in ((came, there), (there, came)):
                    threading.Thread(target=pass_on, args=pair, daemon=True).start()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(5)


async def test_who_passes_a_client_on_takes_nobodys_protection(
    lab: Lab, listening: SensorProcess
) -> None:
    there = endpoint(listening.call("token", "one"))
    camera = DEVICES["camera"]
    async with talking(lab, "laptop", there) as client:
        assert client.hello is not None
        assert (client.hello.address, client.hello.port) == (HOST, PORT)
    address = str(camera.ipv4)
    with relay(lab, "camera", address) as port:
        via = dataclasses.replace(there, host=address, port=port)
        async with talking(lab, "laptop", via) as client:
            assert client.hello is not None
            assert (client.hello.address, client.hello.port) == (HOST, PORT), "not what was dialled"
            protected = (await client.status()).protected
            assert "Home Assistant" in protected[str(LAPTOP.ipv4)]
            assert address not in protected
    for target in (str(LAPTOP.ipv4), LAPTOP.mac):
        with pytest.raises(Refused, match="Home Assistant"):
            listening.call("block", target)
    assert listening.call("block", camera.mac)["mode"] == "isolate"
    assert address not in (listening.state / "remote_clients.json").read_text()
    assert "somebody passes it on" in listening.log.read_text()


async def test_one_token_leaves_room_for_another(lab: Lab, listening: SensorProcess) -> None:
    there, other = (endpoint(listening.call("token", name)) for name in ("one", "other"))
    async with contextlib.AsyncExitStack() as held:
        for _ in range(8):
            await held.enter_async_context(talking(lab, "laptop", there))
        assert await refusal(lab, there) == "too_many_clients"
        async with talking(lab, "phone", other) as beside:
            assert (await beside.status()).pid == listening.pid
    async with talking(lab, "laptop", there) as client:
        assert (await client.status()).pid == listening.pid


async def test_no_rule_cuts_its_client_off(lab: Lab, listening: SensorProcess) -> None:
    there = endpoint(listening.call("token", "one"))
    async with talking(lab, "laptop", there) as client:
        await client.status()
    for target in (str(LAPTOP.ipv4), LAPTOP.mac):
        with pytest.raises(Refused, match="Home Assistant"):
            listening.call("block", target)
    listening.call("block", "192.168.10.0/28", "--force")
    listening.kill()
    listening.start(*LISTEN)  # the rule is there before the client is
    async with talking(lab, "laptop", there) as client:
        assert len(await client.blocks()) == 1


def test_nothing_listens_unless_it_is_asked_for(lab: Lab, sensor: SensorProcess) -> None:
    ports = lab.run("gateway", ["ss", "--no-header", "-tlnp"]).stdout
    assert f"pid={sensor.pid}," not in ports
    assert sensor.call("status")["listening"] is None
    assert not (sensor.state / "remote.pem").exists()
    with pytest.raises(Refused, match="run --listen"):
        sensor.call("pair")
    said = sensor.say("token", "early")
    assert "run --listen" in said, "a token may be made before"
    sensor.stop()
    sensor.start(*LISTEN)
    assert f"pid={sensor.pid}," in lab.run("gateway", ["ss", "--no-header", "-tlnp"]).stdout
    assert [each["name"] for each in sensor.call("token", "--list")["tokens"]] == ["early"]


async def test_both_families_are_listened_on(lab: Lab, idle: SensorProcess) -> None:
    """A client of IPv4 is protected by the address that it has, not by IPv6's way of writing it."""
    idle.start("--listen", f"[::]:{PORT}")
    there = endpoint(idle.call("token", "one"))
    assert there.host == HOST
    for host, protected in (
        (HOST, LAPTOP.ipv4),
        (str(SEGMENTS["main"].addresses(1)[1]), LAPTOP.ipv6),
    ):
        async with talking(lab, "laptop", dataclasses.replace(there, host=host)) as client:
            assert str(protected) in (await client.status()).protected, host


def test_a_port_that_is_taken_costs_remote_access_only(lab: Lab, idle: SensorProcess) -> None:
    idle.start()
    idle.call("block", LAPTOP.mac)
    idle.stop()
    with inside(lab, "gateway"), socket.create_server((HOST, PORT)):
        idle.start(*LISTEN)
        assert idle.call("status")["listening"] is None
        said = idle.call("status")["missing"]["remote access"]
        assert f"can't listen on {HOST}, port {PORT}: Address already in use" in said
        assert "It guards all the same" in idle.log.read_text()
        assert lab.run("laptop", ["ping", "-c1", "-W1", WEB.ipv4]).returncode != 0
    assert until(lambda: "remote access" not in idle.call("status")["missing"])
    assert idle.call("status")["listening"] == f"{HOST}:{PORT}"
    idle.call("unblock", LAPTOP.mac)
    there = endpoint(idle.call("token", "one"))
    assert asyncio.run(_answers(lab, there))


@pytest.mark.parametrize("address", ["192.168.99.1", "fd00:99::1"])
def test_an_address_that_comes_later_is_listened_on_then(
    lab: Lab, idle: SensorProcess, address: str
) -> None:
    """As the network comes up after the sensor: it guards before anything, and nobody restarts it."""
    shown = f"[{address}]" if ":" in address else address
    idle.start("--listen", f"{shown}:{PORT}", "--wait")
    said = idle.call("status")["missing"]["remote access"]
    assert f"no interface of this host has the address {address} now" in said
    assert "no other host reaches the sensor" in idle.say("status").replace("\n", " ")
    assert idle.call("status")["listening"] is None
    with pytest.raises(Refused, match="no other host reaches the sensor"):
        idle.call("pair")
    assert len(idle.call("status")["interfaces"]) > 1, "it guards"
    line = [
        "ip",
        "address",
        "add",
        f"{address}/24" if shown == address else f"{address}/64",
        "dev",
        "br-lan",
    ]
    lab.run("gateway", line)
    try:
        assert until(lambda: "remote access" not in idle.call("status")["missing"])
        made = idle.call("token", "one")
        there = dataclasses.replace(endpoint(made), host=address)
        assert until(lambda: asyncio.run(_answers(lab, there, host="gateway")))
    finally:
        lab.run("gateway", [*line[:2], "del", *line[3:]])
    assert until(lambda: "remote access" in idle.call("status")["missing"])


async def _answers(lab: Lab, there: Endpoint, host: str = "laptop") -> bool:
    """Return whether the sensor answers there."""
    try:
        async with talking(lab, host, there) as client:
            return (await client.status()).pid > 0
    except SensorError:
        return False


def announced(lab: Lab, seconds: float = 5.0) -> dict[str, Any] | None:
    """Return what the sensor announces, as the laptop hears it."""
    heard: list[str] = []
    with inside(lab, "laptop"):
        browser = Zeroconf(interfaces=[str(LAPTOP.ipv4)], ip_version=IPVersion.V4Only)
        try:
            kind = "_hearthwall._tcp.local."
            found = ServiceBrowser(
                browser,
                kind,
                handlers=[lambda zeroconf, service_type, name, state_change: heard.append(name)],
            )
            until(lambda: bool(heard), seconds)
            found.cancel()
            info = browser.get_service_info(kind, heard[0]) if heard else None
        finally:
            browser.close()
    if info is None:
        return None
    return {"addresses": info.parsed_addresses(), "port": info.port} | info.decoded_properties


def test_it_says_where_it_is_until_it_ends(lab: Lab, idle: SensorProcess) -> None:
    idle.start("--listen", f"0.0.0.0:{PORT}")
    made = idle.call("token", "one")
    assert HOST in made["addresses"]
    said = announced(lab)
    assert said is not None
    assert (sorted(said["addresses"]), said["port"]) == (made["addresses"], PORT)
    assert set(said) == {"addresses", "port", "id", "version"}
    assert said["id"] == (idle.state / "sensor_id").read_text().strip()
    children = lab.run("gateway", ["pgrep", "--parent", str(idle.pid), "-u", "nobody", "-c"])
    assert children.stdout == "1\n", "what listens to others' announcements is nobody"
    lab.run("gateway", ["ip", "address", "add", "192.168.10.201/24", "dev", "br-lan"])
    try:
        assert until(
            lambda: "192.168.10.201" in (announced(lab) or {"addresses": ""})["addresses"], 20
        )
    finally:
        lab.run("gateway", ["ip", "address", "del", "192.168.10.201/24", "dev", "br-lan"])
    idle.stop()
    assert announced(lab, 2.0) is None
