"""Mails by a real mail server on the loopback interface, with TLS and a password, that takes them, or not."""

import asyncio
import contextlib
import email
import email.policy
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest
import pytest_socket
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from hearthwall_sensor.protocol import Event, SensorError
from hearthwall_sensor.sinks import letters, smtp_session
from hearthwall_sensor.sinks.sink import RefusedError, SinkError
from hearthwall_sensor.sinks.smtp import SmtpSink
from tests.unit.receivers import Certified, certified, context, event, options, secret

#: All that a mail has.
HEADERS = """
    Auto-Submitted Content-Transfer-Encoding Content-Type Date From MIME-Version Message-ID Subject To
"""
LOGIN = LoginPassword(b"gateway", b"t0psecret")


@pytest.fixture(autouse=True)
def _sockets() -> None:
    pytest_socket._remove_restrictions()


@dataclass
class Mailbox:
    """What a server does with mails."""

    mails: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    pause: float = 0.0
    """Seconds until it says that it has a mail."""
    to: list[list[str]] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    """What is answered to a command, for as long as it is not `250 OK`."""
    data: list[str] = field(default_factory=list)
    """What the next mails are answered with."""

    async def handle_MAIL(  # noqa: N802, its name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, more: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(  # noqa: N802, its name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, more: list[str]
    ) -> str:
        answer = self.answers.get(address, self.answers.get("RCPT", "250 OK"))
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self.data.pop(0) if self.data else "250 OK"
        if answer.startswith("250"):
            assert session.ssl is not None
            assert isinstance(envelope.content, bytes)
            self.raw.append(envelope.content)
            self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.SMTP))
            self.to.append(list(envelope.rcpt_tos))
        await asyncio.sleep(self.pause)
        return answer

    def login(
        self, server: SMTP, session: Session, envelope: Envelope, way: str, data: Any
    ) -> AuthResult:
        self.logins.append(way)
        return AuthResult(success=data == LOGIN, handled=False)


@dataclass
class Post:
    """A server that is up."""

    box: Mailbox
    port: int
    made: Certified


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    """A server that wants STARTTLS and a password."""
    box, made = Mailbox(), certified(tmp_path)
    controller = Controller(
        box,
        hostname="127.0.0.1",
        port=0,
        tls_context=made.context,
        require_starttls=True,
        auth_required=True,
        authenticator=box.login,
    )
    controller.port = free_port()
    controller.start()
    yield Post(box, controller.port, made)
    controller.stop()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def values(post: Post, folder: Path, **more: Any) -> dict[str, Any]:
    """Return the options of a sink that may write there."""
    return {
        "server": f"127.0.0.1:{post.port}",
        "ca_file": str(post.made.path),
        "username": "gateway",
        "password_file": secret(folder, "t0psecret"),
        "from": "gateway@example.org",
        "to": ["me@example.org", "you@example.org"],
    } | more


async def sent(said: dict[str, Any], *events: Event) -> None:
    """Send events as a sink does; raises SinkError or RefusedError."""
    sink = SmtpSink(
        options("smtp", **{key: each for key, each in said.items() if each is not None}), context()
    )
    await sink.start()
    await sink.send(events)
    await sink.close()


async def test_one_mail_tells_of_all_events_in_words(post: Post, tmp_path: Path) -> None:
    gravest = event(8, severity="critical", summary="löscht \U0001f525 alles")
    await sent(values(post, tmp_path), event(7), gravest, event(9))
    (mail,) = post.box.mails
    assert post.box.to == [["me@example.org", "you@example.org"]]
    assert post.box.logins
    assert mail["Subject"] == "Hearthwall: Critical: löscht \U0001f525 alles (and 2 more)"
    assert mail["From"] == "Hearthwall <gateway@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert abs(mail["Date"].datetime.timestamp() - time.time()) < 60
    text = mail.get_content()
    assert mail.get_content_type() == "text/plain"
    for said in ("Event 7, high: port_scan", "löscht \U0001f525 alles", "front door", "Event 9"):
        assert said in text


async def test_the_same_mail_again_has_the_same_number(post: Post, tmp_path: Path) -> None:
    for events in ([event(7), event(8)], [event(7), event(8)], [event(8)]):
        await sent(values(post, tmp_path), *events)
    one, again, other = (each["Message-ID"] for each in post.box.mails)
    assert one == again != other
    assert one.endswith("@example.org>")


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


async def test_what_can_not_be_written_is_told_without_details(
    post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> letters.Letter:
        return letters.Letter("\ud800", "\ud800")

    monkeypatch.setattr(letters, "whole", broken)
    await sent(values(post, tmp_path), event(7))
    (mail,) = post.box.mails
    assert "port_scan (event 7)" in mail.get_content()
    monkeypatch.setattr(letters, "bare", broken)
    with pytest.raises(RefusedError, match="can't be written"):
        await sent(values(post, tmp_path), event(7))


async def test_a_server_is_tried_before_there_is_an_event(post: Post, tmp_path: Path) -> None:
    reached: list[bool] = []
    known = replace(context(), reached=lambda: reached.append(True))
    await SmtpSink(options("smtp", **values(post, tmp_path)), known).start()
    assert (len(post.box.logins), post.box.mails, reached) == (1, [], [True])


async def test_a_server_that_takes_long_gets_a_mail_once(post: Post, tmp_path: Path) -> None:
    post.box.pause = 0.6
    sink = SmtpSink(options("smtp", **values(post, tmp_path)), context())
    await sink.start()
    for _ in range(2):  # as a delivery does that is out of patience
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await sink.send([event(7), event(8)])
    await sink.send([event(7), event(8)])
    assert len(post.box.mails) == 1
    post.box.pause = 0.0
    await sink.send([event(7), event(8)])
    await sink.send([event(9)])
    assert len(post.box.mails) == 3, "it was asked for again"
    await sink.close()


async def test_what_is_under_way_ends_with_the_sink(post: Post, tmp_path: Path) -> None:
    post.box.pause = 5.0
    sink = SmtpSink(options("smtp", **values(post, tmp_path)), context())
    await sink.start()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await sink.send([event(7)])
    began = time.monotonic()
    await sink.close()
    assert time.monotonic() - began < 2


async def test_a_server_that_does_not_say_goodbye_has_the_mail_all_the_same(
    post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(*_: object, **__: object) -> None:
        await asyncio.sleep(10)

    monkeypatch.setattr(smtp_session, "_GOODBYE", 0.2)
    monkeypatch.setattr(aiosmtplib.SMTP, "quit", silent)
    began = time.monotonic()
    await sent(values(post, tmp_path), event())
    assert time.monotonic() - began < 3
    assert len(post.box.mails) == 1


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
    ("answers", "said", "is_lasting"),
    [
        ({"MAIL": "451 later"}, "refuses the sender (451)", False),
        ({"MAIL": "550 no"}, "refuses the sender (550)", True),
        ({"RCPT": "450 greylisted"}, "refuses every recipient (450)", False),
        ({"RCPT": "550 no"}, "refuses every recipient (550)", True),
    ],
)
async def test_what_a_person_has_to_mend_waits_longer(
    post: Post, tmp_path: Path, answers: dict[str, str], said: str, is_lasting: bool
) -> None:
    post.box.answers = answers
    with pytest.raises(SinkError) as failed:
        await sent(values(post, tmp_path), event())
    assert said in str(failed.value)
    assert bool(failed.value.retry_after) is is_lasting
    assert "t0psecret" not in str(failed.value)
    post.box.answers = {}
    await sent(values(post, tmp_path), event())
    assert len(post.box.mails) == 1


async def test_a_wrong_password_is_said(post: Post, tmp_path: Path) -> None:
    wrong = values(post, tmp_path, password_file=secret(tmp_path, "wr0ng", "wrong"))
    with pytest.raises(SinkError, match=r"refuses the user name or the password \(535\)") as failed:
        await sent(wrong, event())
    assert failed.value.retry_after
    assert "wr0ng" not in str(failed.value)


async def test_a_mail_that_is_refused_is_tried_once_more_without_names(
    post: Post, tmp_path: Path
) -> None:
    post.box.data = ["554 this is spam"]
    await sent(values(post, tmp_path), event(7, summary="asks for bad.example"))
    (mail,) = post.box.mails
    assert "bad.example" not in mail["Subject"] + mail.get_content()
    assert "port_scan (event 7)" in mail.get_content()

    post.box.data = ["554 this is spam", "554 this, too"]
    with pytest.raises(RefusedError, match="refuses the mail"):
        await sent(values(post, tmp_path), event())

    post.box.data = ["452 full"]
    with pytest.raises(SinkError, match="answered 452"):
        await sent(values(post, tmp_path), event())


async def test_one_recipient_that_is_refused_takes_nothing_from_the_others(
    post: Post, tmp_path: Path
) -> None:
    post.box.answers = {"me@example.org": "550 gone"}
    said = r"the server refuses me@example.org \(550\); the others have the mail"
    with pytest.raises(SinkError, match=said) as failed:
        await sent(values(post, tmp_path), event(7), event(8))
    assert failed.value.delivered == 2
    assert post.box.to == [["you@example.org"]]


async def test_nobody_there_is_said(tmp_path: Path) -> None:
    post = Post(Mailbox(), free_port(), certified(tmp_path))
    with pytest.raises(SinkError, match=rf"^127.0.0.1, port {post.port}: Connection refused"):
        await sent(values(post, tmp_path), event())


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"from": "x\nBcc: a@b.example"}, "can't be printed"),
        ({"from": "nobody"}, "from: 'nobody' is no address"),
        ({"to": ["a@b.example\r\nDATA"]}, "to: .* is no address"),
        ({"to": []}, "to is a list of 1 to 10 addresses"),
        ({"to": ["a@b.example"] * 11}, "to is a list of 1 to 10 addresses"),
        ({"tls": "none"}, 'need tls = "starttls" or "tls"'),
        (
            {"tls": "none", "ca_file": None, "server": "mail.example"},
            "a password is sent over TLS only",
        ),
        ({"every": 5}, "every is a number from 60"),
        ({"password_file": None}, "username and password_file belong together"),
        ({"password": "x"}, "there is no option 'password'"),
    ],
)
def test_mistakes_are_said(tmp_path: Path, more: dict[str, Any], said: str) -> None:
    post = Post(Mailbox(), 25, certified(tmp_path))
    given = {key: each for key, each in values(post, tmp_path, **more).items() if each is not None}
    with pytest.raises(SensorError, match=said):
        options("smtp", **given)
