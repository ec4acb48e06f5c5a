"""A webhook's messages, and what its sink makes of each answer, by a real HTTP(S) server on the loopback interface."""

import asyncio
import hashlib
import hmac
import json
import os
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
import pytest_socket
from aiohttp import web

from hearthwall_sensor.protocol import SensorError
from hearthwall_sensor.sinks.sink import RefusedError, SinkError
from hearthwall_sensor.sinks.webhook import (
    AGAIN,
    MAX_BODY_BYTES,
    MENDABLE,
    SHAPE,
    WebhookSink,
    message,
)
from tests.unit.receivers import CAMERA, SENSOR, certified, context, event, options, secret


@pytest.fixture(autouse=True)
def _sockets() -> None:
    pytest_socket._remove_restrictions()


@dataclass
class Server:
    """A receiver that answers as it is told."""

    port: int = 0
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    pause: float = 0.0
    came: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.came.append((request.path_qs, dict(request.headers), await request.read()))
        await asyncio.sleep(self.pause)
        return web.Response(
            status=self.status, headers=self.headers, body=b"" if self.status == 204 else b"x"
        )


type Serving = Callable[[ssl.SSLContext | None], Awaitable[Server]]


@pytest.fixture
async def serving() -> AsyncIterator[Serving]:
    """What starts a server."""
    runners = []

    async def start(tls: ssl.SSLContext | None = None) -> Server:
        server = Server()
        application = web.Application()
        application.router.add_route("*", "/{any:.*}", server.answer)
        runner = web.AppRunner(application)
        await runner.setup()
        runners.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        server.port = runner.addresses[0][1]
        return server

    yield start
    for each in runners:
        await each.cleanup()


async def posted(server: Server, *seqs: int, scheme: str = "http", **values: Any) -> None:
    """Post events as a sink does; raises SinkError or RefusedError."""
    url = (
        {}
        if "url_file" in values
        else {"url": f"{scheme}://127.0.0.1:{server.port}/hook/s3cret?token=t0ken"}
    )
    sink = WebhookSink(options("webhook", **url, **values), context())
    await sink.start()
    try:
        await sink.send([event(each) for each in seqs])
    finally:
        await sink.close()


async def test_each_event_is_posted_as_documented(serving: Serving, tmp_path: Path) -> None:
    server = await serving(None)
    token = secret(tmp_path, "t0psecret")
    await posted(server, 7, 8, token_file=token, fields={"topic": "home", "ttl": 3})
    (where, headers, body), (_, after, _) = server.came
    assert where == "/hook/s3cret?token=t0ken"
    assert headers["Authorization"] == "Bearer t0psecret"
    assert headers["Content-Type"] == "application/json"
    assert [each["X-Hearthwall-Delivery"] for each in (headers, after)] == [
        f"{SENSOR}-7",
        f"{SENSOR}-8",
    ]
    assert "X-Hearthwall-Signature" not in headers
    said = json.loads(body)
    assert set(said) == {*SHAPE, "topic", "ttl"}
    assert (said["topic"], said["ttl"]) == ("home", 3)
    assert (said["sensor"], said["priority"]) == (SENSOR, 4)
    assert said["title"] == "High: tries many ports of 192.168.20.1"
    assert f"Device: front door ({CAMERA})" in said["message"]
    assert "Quarantine the device unless somebody looks for open ports on purpose." in said["text"]
    assert said["event"] == event(7).to_wire()


async def test_a_signature_holds_the_body_and_the_time(serving: Serving, tmp_path: Path) -> None:
    server = await serving(None)
    await posted(server, 1, secret_file=secret(tmp_path, "key"))
    ((_, headers, body),) = server.came
    stamp = headers["X-Hearthwall-Timestamp"]
    assert abs(int(stamp) - time.time()) < 60
    expected = hmac.new(b"key", stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["X-Hearthwall-Signature"] == f"sha256={expected}"


@pytest.mark.parametrize("status", [400, 406, 409, 413, 415, 422, 451])
async def test_what_is_refused_for_good_is_told_with_what_was_taken(
    serving: Serving, status: int
) -> None:
    server = await serving(None)
    server.status = status
    with pytest.raises(RefusedError, match=f"answered {status}") as refused:
        await posted(server, 1, 2)
    assert refused.value.delivered == 0
    assert len(server.came) == 1


@pytest.mark.parametrize("status", [*MENDABLE, *AGAIN, 500, 502, 503, 301, 302, 307, 308])
async def test_what_may_be_mended_waits(serving: Serving, status: int) -> None:
    server = await serving(None)
    elsewhere = await serving(None)
    server.status = status
    server.headers = {
        "Location": f"http://127.0.0.1:{elsewhere.port}/",
        "Proxy-Authenticate": "Basic",
    }
    with pytest.raises(SinkError, match=f"answered {status}") as failed:
        await posted(server, 1)
    assert failed.value.retry_after is None
    assert elsewhere.came == []
    for part in ("s3cret", "t0ken", "hook"):
        assert part not in str(failed.value)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120),
        ("999999999999", 3600),
        (None, 60),
        ("soon", None),
        ("-5", None),
        ("\u0663", None),
    ],
)
async def test_the_receivers_pause_is_kept(
    serving: Serving, said: str | None, seconds: float | None
) -> None:
    server = await serving(None)
    server.status = 429
    server.headers = {"Retry-After": said or formatdate(time.time() + 60, usegmt=True)}
    with pytest.raises(SinkError) as failed:
        await posted(server, 1)
    assert failed.value.retry_after == (
        seconds if seconds is None else pytest.approx(seconds, abs=3)
    )


async def test_nobody_there_and_somebody_slow_are_said_without_the_address(
    serving: Serving,
) -> None:
    with pytest.raises(SinkError, match=r"^http://127\.0\.0\.1:1: Connection refused$"):
        await posted(Server(port=1), 1)
    server = await serving(None)
    server.pause = 1.3
    with pytest.raises(SinkError, match=r"^http://127\.0\.0\.1:\d+: no answer in time$"):
        await posted(server, 1, timeout=1)


async def test_a_receiver_is_tried_before_there_is_an_event_and_asked_nothing(
    serving: Serving,
) -> None:
    server = await serving(None)
    said: list[str] = []
    known = replace(
        context(), reached=lambda: said.append("reached"), took=lambda n: said.append(f"took {n}")
    )
    sink = WebhookSink(options("webhook", url=f"http://127.0.0.1:{server.port}/"), known)
    await sink.start()
    assert (server.came, said) == ([], ["reached"])
    await sink.send([event(1), event(2)])
    assert said[1:] == ["took 1", "took 2"]
    await sink.close()
    there = f"http://127.0.0.1:{server.port}"
    gone = WebhookSink(options("webhook", url=f"https://127.0.0.1:{server.port}/s3cret"), known)
    with pytest.raises(SinkError, match=f"^{there.replace('http', 'https')}: TLS failed") as failed:
        await gone.start()
    assert "s3cret" not in str(failed.value)
    assert len(said) == 3


async def test_only_a_trusted_certificate_gets_a_message(serving: Serving, tmp_path: Path) -> None:
    made = certified(tmp_path)
    server = await serving(made.context)
    refused = "its certificate is not trusted"
    with pytest.raises(SinkError, match=refused):
        await posted(server, 1, scheme="https")
    with pytest.raises(SinkError, match=refused):
        await posted(server, 1, scheme="https", fingerprint="00" * 32)
    (tmp_path / "other").mkdir()
    with pytest.raises(SinkError, match=refused):
        await posted(server, 1, scheme="https", ca_file=str(certified(tmp_path / "other").path))
    assert server.came == []
    await posted(server, 1, scheme="https", fingerprint=made.fingerprint)
    await posted(server, 1, scheme="https", fingerprint=made.fingerprint, ca_file=str(made.path))
    for wrong in (
        {"fingerprint": made.fingerprint, "ca_file": str(tmp_path / "other/server.pem")},
        {"fingerprint": "00" * 32, "ca_file": str(made.path)},
    ):
        with pytest.raises(SinkError, match=refused):
            await posted(server, 1, scheme="https", **wrong)
    await posted(server, 2, scheme="https", ca_file=str(made.path))
    assert len(server.came) == 3


async def test_a_receiver_is_given_no_cookie_back(serving: Serving, tmp_path: Path) -> None:
    server = await serving(None)
    server.headers = {"Set-Cookie": "who=home; Path=/"}
    url = f"http://localhost:{server.port}/"  # aiohttp keeps none of an address
    await posted(server, 1, 2, url_file=secret(tmp_path, url, "url"))
    assert len(server.came) == 2
    assert not any("Cookie" in headers for _, headers, _ in server.came)


async def test_an_address_may_be_a_secret_of_its_own(serving: Serving, tmp_path: Path) -> None:
    server = await serving(None)
    path = secret(tmp_path, f"http://127.0.0.1:{server.port}/s3cret", "url")
    await posted(server, 1, url_file=path)
    assert server.came[0][0] == "/s3cret"
    os.chmod(path, 0o644)  # noqa: PTH101, in a coroutine
    with pytest.raises(SinkError, match="chmod 600"):
        await posted(server, 1, url_file=path)
    with pytest.raises(SinkError, match="url is an http:// or https:// address") as failed:
        await posted(server, 1, url_file=secret(tmp_path, "ftp://s3cret", "other"))
    assert "s3cret" not in str(failed.value)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "write url, or url_file"),
        ({"url": "http://a.example/", "url_file": "/etc/url"}, "write url, or url_file"),
        ({"url": "ftp://a.example/s3cret"}, "url is an http:// or https:// address"),
        ({"url": "http://a.example:x/s3cret"}, "url is an http:// or https:// address"),
        ({"url": "http://me:s3cret@a.example/"}, "url has no password in it: use token_file"),
        ({"url": "http://a.example/s3cret", "token_file": "/t"}, "goes to https:// addresses only"),
        ({"url": "https://a.example/", "token_file": "t"}, "token_file is a whole path"),
        ({"url": "https://a.example/", "fields": {"event": 1}}, "fields can't have 'event'"),
        ({"url": "https://a.example/", "fields": {"a": [1]}}, "at most 16 texts and numbers"),
        (
            {"url": "https://a.example/", "fields": {str(n): n for n in range(17)}},
            "at most 16 texts",
        ),
        ({"url": "https://a.example/", "fingerprint": "12"}, "64 hexadecimal digits"),
        ({"url": "https://a.example/", "tokenfile": "/t"}, "there is no option 'tokenfile'"),
        ({"url": "https://a.example/", "timeout": 0}, "timeout is a number from 1 to 30"),
    ],
)
def test_mistakes_are_said_without_the_address(values: dict[str, Any], said: str) -> None:
    with pytest.raises(SensorError, match=said) as failed:
        options("webhook", **values)
    assert "s3cret" not in failed.value.message
    assert failed.value.message.startswith("sink test: ")


def test_options_are_told_without_what_is_secret() -> None:
    read = options("webhook", url="https://a.example/s3cret", fields={"chat_id": "s3cret"})
    assert "s3cret" not in repr(read)


@pytest.mark.parametrize("long", ["evidence", "summary"])
def test_a_message_is_bounded_and_its_text_harmless(long: str) -> None:
    evil = "a\r\nX-Evil: 1\x1b[31m\u202e<b>" + "x" * 100_000
    fields = {"evidence": {"flows": [{"peer": evil}]}} if long == "evidence" else {"summary": evil}
    body = message(event(**fields), context(), {})
    assert len(body) <= MAX_BODY_BYTES
    said = json.loads(body)
    assert said["event"]["seq"] == 7
    for part in ("title", "message", "text"):
        assert not set(said[part]) & set("\r\x1b\u202e")
        assert len(said[part]) < 6_000
    assert "\n" not in said["title"]
