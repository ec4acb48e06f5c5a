"""A real mail server on the loopback interface, with TLS and a password, that takes mails, or not."""

import asyncio
import email
import email.policy
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest_socket
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from hearthwall_sensor.protocol import Event
from hearthwall_sensor.sinks.smtp import SmtpSink
from tests.unit.receivers import Certified, certified, context, options, secret

LOGIN = LoginPassword(b"gateway", b"t0psecret")


@dataclass
class Mailbox:
    """What a server does with mails."""

    mails: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    is_busy: bool = False
    """Whether it says only later that it takes a mail."""
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
            while self.is_busy:
                await asyncio.sleep(0.01)
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


@contextmanager
def opened(folder: Path) -> Iterator[Post]:
    """Run a server that wants STARTTLS and a password; its certificate is in a folder."""
    pytest_socket._remove_restrictions()
    box, made = Mailbox(), certified(folder)
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
    try:
        yield Post(box, controller.port, made)
    finally:
        controller.stop()


def free_port() -> int:
    """Return a port that nobody has."""
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


async def sent(said: dict[str, Any], *events: Event) -> str | None:
    """Send events as a sink does, and return what it says; raises SinkError or RefusedError."""
    sink = SmtpSink(
        options("smtp", **{key: each for key, each in said.items() if each is not None}), context()
    )
    await sink.start()
    remark = await sink.send(events)
    await sink.close()
    return remark
