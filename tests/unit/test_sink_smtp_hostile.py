"""Mail servers, names and people on the way that mean harm: no secret, no foreign word and no mail goes astray."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_socket
from aiosmtpd.controller import Controller

from hearthwall_sensor.sinks.sink import SinkError
from tests.unit.mailbox import Mailbox, Post, free_port, opened, sent, values
from tests.unit.receivers import certified, event

#: All that a mail has.
HEADERS = """
    Auto-Submitted Content-Transfer-Encoding Content-Type Date From MIME-Version Message-ID Subject To
"""
#: To a hello, a sender, a recipient and a mail.
ANSWERS = b"250 ok\r\n" * 3 + b"354 go\r\n250 sent\r\n"


@pytest.fixture(autouse=True)
def _sockets() -> None:
    pytest_socket._remove_restrictions()


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    """A server that is up."""
    with opened(tmp_path) as one:
        yield one


async def test_nothing_in_an_event_becomes_a_header(post: Post, tmp_path: Path) -> None:
    evil = "x\r\nBcc: all@example.org\r\n\r\nbody\n.\nQUIT\x00"
    await sent(values(post, tmp_path), event(7, summary=evil, peer_name=evil, kind=evil))
    (mail,) = post.box.mails
    assert mail["Bcc"] is None
    assert "\n" not in mail["Subject"]
    assert post.box.to == [["me@example.org", "you@example.org"]]


@pytest.mark.parametrize(
    "name",
    [
        "=?utf-7?q?+2AA-?=",
        "=?utf-8?b?AAAA?=",
        "=?utf-8?q?=E2=80=AEcba?=",
        "=?unicode_escape?q?=5Cud800?=",
        "=?utf-8?q?a=0D=0ABcc:_all@example.org?=",
        "=?rot13?q?x?= =?utf-8?q?=?=\u00e9",
        "a=?",
    ],
)
async def test_what_looks_encoded_in_a_name_stays_as_it_is(
    post: Post, tmp_path: Path, name: str
) -> None:
    await sent(values(post, tmp_path), event(7, summary=f"{name} asks for {name}"), event(8))
    (raw,) = post.box.raw
    (mail,) = post.box.mails
    assert mail["Subject"] == f"Hearthwall: High: {name} asks for {name} (and 1 more)"
    assert name in mail.get_content()
    head = raw.partition(b"\r\n\r\n")[0]
    assert name.encode() not in head
    assert head.isascii()
    names = {line.partition(b":")[0] for line in head.split(b"\r\n") if line[:1] != b" "}
    assert names == set(HEADERS.encode().split())


async def test_a_password_goes_to_a_trusted_server_only(post: Post, tmp_path: Path) -> None:
    for more in ({"ca_file": None}, {"ca_file": None, "fingerprint": "00" * 32}):
        with pytest.raises(SinkError, match="its certificate is not trusted"):
            await sent(values(post, tmp_path, **more), event())
    assert post.box.logins == []
    await sent(values(post, tmp_path, ca_file=None, fingerprint=post.made.fingerprint), event())
    assert len(post.box.mails) == 1


async def test_a_server_without_starttls_gets_nothing(tmp_path: Path) -> None:
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        post = Post(box, controller.port, certified(tmp_path))
        with pytest.raises(SinkError, match="STARTTLS extension not supported"):
            await sent(values(post, tmp_path), event())
        assert (box.mails, box.logins) == ([], [])
    finally:
        controller.stop()


@pytest.mark.parametrize(
    ("behind", "injected"), [(b"STARTTLS", ANSWERS), (b"EHLO", b"220 go\r\n" + ANSWERS)]
)
async def test_nobody_on_the_way_answers_over_tls(
    tmp_path: Path, behind: bytes, injected: bytes
) -> None:
    made, asked = certified(tmp_path), []
    answers = {b"EHLO": b"250-x\r\n250 STARTTLS\r\n", b"STARTTLS": b"220 go\r\n"}
    answers[behind] += injected

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        with contextlib.suppress(OSError):
            while line := await reader.readline():
                asked.append(line.split()[0])
                writer.write(answers.get(asked[-1], b"550 no\r\n"))
                if asked[-1] == b"STARTTLS":
                    await writer.drain()
                    await writer.start_tls(made.context)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    post = Post(Mailbox(), server.sockets[0].getsockname()[1], made)
    with pytest.raises(SinkError, match="somebody on the way speaks for the server"):
        await sent(values(post, tmp_path, username=None, password_file=None), event())
    assert asked == [b"EHLO", b"STARTTLS"]
    server.close()


@pytest.mark.parametrize("line", [b"220-hello\r\n", b"x"])
async def test_a_server_that_never_stops_talking_is_left(tmp_path: Path, line: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(line * (65_536 // len(line)))
                await writer.drain()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    post = Post(Mailbox(), port, certified(tmp_path))
    began = time.monotonic()
    with pytest.raises(SinkError, match="says more than any mail needs"):
        await sent(values(post, tmp_path), event())
    assert time.monotonic() - began < 5
    server.close()
