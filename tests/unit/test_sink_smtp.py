"""Mails by a real mail server on the loopback interface, with TLS and a password, that takes them, or not."""

import email
import email.policy
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import pytest_socket
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from hearthwall_sensor.protocol import Event, SensorError
from hearthwall_sensor.sinks.sink import RefusedError, SinkError
from hearthwall_sensor.sinks.smtp import SmtpSink
from tests.unit.receivers import Certified, certified, context, event, options, secret

LOGIN = LoginPassword(b"gateway", b"t0psecret")


@pytest.fixture(autouse=True)
def _sockets() -> None:
    pytest_socket._remove_restrictions()


@dataclass
class Mailbox:
    """What a server does with mails."""

    mails: list[EmailMessage] = field(default_factory=list)
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
            self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.SMTP))
            self.to.append(list(envelope.rcpt_tos))
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
    await sent(values(post, tmp_path), event())
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
