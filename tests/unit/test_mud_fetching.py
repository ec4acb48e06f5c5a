"""Fetching descriptions from a real server over TLS."""

import asyncio
import http.server
import json
import os
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_socket

from hearthwall_sensor.client import ANSWER_TIMEOUT
from hearthwall_sensor.feeds import resolving, source
from hearthwall_sensor.mud import fetching, kept, reading, writing
from hearthwall_sensor.mud.descriptions import Descriptions, described
from hearthwall_sensor.policy.expectations import Expectation
from hearthwall_sensor.protocol import SensorError

DOCUMENT = writing.write(
    [Expectation("cloud.example", "tcp", (443, 443), "device")],
    system="a plug",
    url="https://localhost/plug.json",
    when=1.7e9,
)
PAGES = {"/plug.json": json.dumps(DOCUMENT).encode(), "/page": b"<html>", "/large": b"1" * 60_000}


@pytest.fixture(autouse=True)
def nothing_looked_up() -> Iterator[None]:
    """Wait for look-ups, which are not waited for elsewhere."""
    yield
    for each in threading.enumerate():
        if each.name.startswith("look up"):
            each.join()


@pytest.fixture(autouse=True)
def _sockets() -> None:
    """Let the tests talk to their server: the plugin for Home Assistant guards every connect."""
    pytest_socket._remove_restrictions()


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves the pages."""

    def do_GET(self) -> None:
        page = PAGES.get(self.path)
        self.send_response(404 if page is None else 200)
        self.end_headers()
        self.wfile.write(page or b"")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server with a certificate that is trusted."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    line = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost"
    subprocess.run(
        [
            "openssl",
            *line.split(),
            *("-addext", "subjectAltName=DNS:localhost"),
            "-keyout",
            str(key),
            "-out",
            str(certificate),
        ],
        check=True,
        capture_output=True,
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"https://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


#: aiohttp reads once in a process whom it trusts.
FETCH = """
import asyncio, json, sys
from hearthwall_sensor.mud import fetching
from hearthwall_sensor.protocol import SensorError
try:
    print(json.dumps(asyncio.run(fetching.fetched(sys.argv[1], inside=True))))
except SensorError as error:
    print(json.dumps(error.to_wire()))
"""


def fetched(url: str) -> Any:
    folder = str(Path(fetching.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", FETCH, url],
        env={**os.environ, "PYTHONPATH": folder},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_a_description_is_fetched_over_tls(url: str) -> None:
    assert reading.read(fetched(f"{url}/plug.json")).system == "a plug"


@pytest.mark.parametrize(
    ("path", "why"),
    [("/page", "web page"), ("/large", "larger than"), ("/missing", "404")],
)
def test_what_is_no_description_is_refused(url: str, path: str, why: str) -> None:
    found = fetched(url + path)
    assert found["code"] == "invalid_mud"
    assert why in found["message"]


def test_no_device_sends_us_into_the_home_or_to_http(url: str) -> None:
    for each in (f"{url}/plug.json", url.replace("https", "http") + "/plug.json"):
        with pytest.raises(SensorError) as caught:
            asyncio.run(fetching.fetched(each, inside=False))
        assert caught.value.code == "invalid_mud"


@pytest.mark.parametrize(
    "host",
    [
        "127.1",
        "2130706433",
        "0x7f000001",
        "nas",
        "127.0.0.1",
        "[::ffff:192.168.1.1]",
        "[64:ff9b::a00:1]",
        "nas.lan.example",
        "mixed.example",
        "home6.example",
        "[2001:4860::7]",
        "239.1.1.1",
    ],
)
def test_no_address_of_the_home_is_ever_asked(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {
        "nas.lan.example": ["192.168.1.5"],
        "mixed.example": ["8.8.8.8", "10.0.0.1"],
        "home6.example": ["2001:4860::7"],
    }

    async def resolve(_: object, name: str, port: int = 0, family: int = 0) -> list[Any]:
        return [
            {"hostname": name, "host": each, "port": port, "family": 0, "proto": 0, "flags": 0}
            for each in names[name]
        ]

    asked: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: [])
    monkeypatch.setattr(resolving.ThreadedResolver, "resolve", resolve)
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: asked.append(address))
    with pytest.raises(SensorError, match="refused"):
        asyncio.run(fetching.fetched(f"https://{host}/", inside=False, home=["2001:4860::/64"]))
    assert not asked


def test_a_name_that_nobody_answers_for_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = threading.Event()
    monkeypatch.setattr(fetching, "_NAME_SECONDS", 0.05)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: answer.wait(20))
    try:
        with pytest.raises(
            SensorError, match=r"^nothing.invalid can't be looked up: no DNS"
        ) as told:
            asyncio.run(fetching.fetched("https://nothing.invalid/x.json", inside=True))
    finally:
        answer.set()
    assert told.value.code == "invalid_mud"


def test_a_name_that_there_is_not_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(SensorError, match="can't be looked up: there is no such name"):
        asyncio.run(fetching.fetched("https://nothing.invalid/x.json", inside=True))


def test_whoever_ordered_a_fetch_is_still_there() -> None:
    assert fetching._NAME_SECONDS + fetching._SECONDS < ANSWER_TIMEOUT


def test_hosts_of_the_internet_may_be_asked() -> None:
    assert all(map(source.is_outside, ("8.8.8.8", "2606:4700::1111", "64:ff9b::808:808")))
    for host in ("vendor.example", "8.8.8.8", "[2606:4700::1111]"):
        source.check_host(source.parse_url(f"https://{host}/"), source.is_outside)


def test_a_certificate_that_nobody_vouches_for_is_refused(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    assert "certificate" in fetched(f"{url}/plug.json")["message"]
    assert source.is_inside(source.parse_url(url))


PLUG, OTHER = "02:00:5e:00:53:01", "02:00:5e:00:53:02"


def test_a_device_has_us_fetch_once_a_day_whatever_it_announces() -> None:
    announced = {PLUG: "https://a.example/1", OTHER: "https://a.example/2"}
    descriptions = Descriptions((), announced.get, lambda mac: mac == PLUG)
    assert descriptions.due([OTHER, PLUG], 0.0) == (PLUG, "https://a.example/1")
    announced[PLUG] = "https://a.example/3"
    assert descriptions.due([OTHER, PLUG], 86_399.0) is None
    assert descriptions.due([OTHER, PLUG], 86_400.0) == (PLUG, "https://a.example/3")


def test_what_was_fetched_today_is_not_replaced_today() -> None:
    held = described(DOCUMENT, "https://b.example/", 1e9, reading.read(DOCUMENT), ordered=False)
    descriptions = Descriptions([(PLUG, held)], {PLUG: "https://a.example/1"}.get, lambda _: True)
    assert descriptions.due([PLUG], 1e9 + 86_399) is None
    assert descriptions.due([PLUG], 1e9 + 86_400) is not None


def test_all_devices_together_have_us_fetch_once_a_minute_and_are_kept_in_bounds() -> None:
    macs = [f"02:00:5e:00:{each >> 8:02x}:{each & 255:02x}" for each in range(1100)]
    descriptions = Descriptions((), lambda mac: f"https://{mac}.example/", lambda _: True)
    assert descriptions.due(macs, 0.0) is not None
    assert descriptions.due(macs, 59.0) is None
    for minute in range(1, 1100):
        assert descriptions.due(macs, minute * 60.0) is not None
    assert len(descriptions._tried) == 1024
    descriptions.due([PLUG], 1e6)
    assert set(descriptions._tried) == {PLUG}


@pytest.mark.parametrize(
    ("given", "ordered", "due"),
    [
        ("file", True, False),
        ("https://b.example/", True, False),
        ("https://a.example/1", False, False),
        ("https://b.example/", False, True),
    ],
)
def test_what_the_user_ordered_stays(given: str, ordered: bool, due: bool) -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript(kept.SCHEMA)
    new = described(DOCUMENT, given, 1.0, reading.read(DOCUMENT), ordered=ordered)
    kept.write(connection, PLUG, new)
    found = kept.descriptions(connection)
    assert [(mac, each.source, each.ordered) for mac, each in found] == [(PLUG, given, ordered)]
    descriptions = Descriptions(found, {PLUG: "https://a.example/1"}.get, lambda _: True)
    assert (descriptions.due([PLUG], 1e6) is not None) is due
    descriptions.forget([PLUG])
    assert descriptions.due([PLUG], 2e6) is not None
    assert descriptions.expectations(PLUG) is None


def test_a_damaged_time_spoils_no_description() -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript(kept.SCHEMA)
    for when in ("x", float("inf"), 1e12, -1.0):
        connection.execute(
            "INSERT OR REPLACE INTO descriptions VALUES (?, ?, 'file', ?)",
            (PLUG, json.dumps(DOCUMENT), when),
        )
        [(_, found)] = kept.descriptions(connection)
        assert 0 <= found.time <= time.time()
