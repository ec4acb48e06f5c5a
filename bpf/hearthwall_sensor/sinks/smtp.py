"""A sink that writes e-mail: one for all that happened since the last one, in words."""

import asyncio
import contextlib
import hashlib
import importlib.util
import re
import socket
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from email import policy
from email.errors import MessageError
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import localtime
from pathlib import Path
from typing import Final

from ..notation import is_here
from ..protocol import Event
from . import letters, trial
from .secret import read_secret
from .sink import RefusedError, SinkContext, SinkError
from .smtp_session import MENDED, Session, session
from .table import Table
from .tls import Trust

#: Least seconds between two mails; what happens meanwhile is gathered.
LEAST_EVERY: Final = 60.0
MOST_EVERY: Final = 86400.0
#: Events that are told in one mail.
AT_ONCE: Final = 50
MAX_RECIPIENTS: Final = 10
_NEWLINE: Final = "\r\n"
_PORTS: Final = {"starttls": 587, "tls": 465, "none": 25}
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")


@dataclass(frozen=True, slots=True)
class SmtpOptions:
    """One mail server, and who writes to whom."""

    host: str
    port: int
    tls: str
    trust: Trust
    username: str | None
    password_file: Path | None
    sender: str
    recipients: tuple[str, ...]
    every: float

    @classmethod
    def read(cls, table: Table) -> "SmtpOptions":
        """Take the options; raises SensorError."""
        tls = table.choice("tls", tuple(_PORTS), "starttls")
        host, port = table.server("server", _PORTS[tls])
        options = cls(
            host=host,
            port=port,
            tls=tls,
            trust=Trust.read(table),
            username=table.optional("username", longest=256),
            password_file=table.optional_path("password_file"),
            sender=table.text("from", longest=320),
            recipients=table.words("to"),
            every=table.number("every", LEAST_EVERY, LEAST_EVERY, MOST_EVERY),
        )
        _check(table, options)
        return options


def _check(table: Table, options: SmtpOptions) -> None:
    """Raise SensorError for options that make no sense, or don't fit each other."""
    for key, address in (("from", options.sender), *(("to", each) for each in options.recipients)):
        if not _ADDRESS.fullmatch(address):
            table.fail(f"{key}: {address[:80]!r} is no address such as me@example.org")
    if not 0 < len(options.recipients) <= MAX_RECIPIENTS:
        table.fail(f'to is a list of 1 to {MAX_RECIPIENTS} addresses, such as ["me@example.org"]')
    if (options.username is None) != (options.password_file is None):
        table.fail("username and password_file belong together")
    if options.tls == "none" and options.trust != Trust():
        table.fail('ca_file and fingerprint need tls = "starttls" or "tls"')
    if options.tls == "none" and options.username is not None and not is_here(options.host):
        table.fail('a password is sent over TLS only, or to this host: write tls = "starttls"')


class SmtpSink:
    """Sends mails, each over a connection of its own."""

    def __init__(self, options: SmtpOptions, context: SinkContext) -> None:
        """Take the options, and what is known of the sensor."""
        self._options = options
        self._context = context
        self._login: tuple[str, str] | None = None
        self._own_name = "localhost"
        #: The mail that is on its way, and the numbers of the events that it tells of.
        self._under_way: asyncio.Task[list[str]] | None = None
        self._told: frozenset[int] = frozenset()

    async def start(self) -> None:
        """Read the password, and see whether the server takes it."""
        if importlib.util.find_spec("aiosmtplib") is None:
            raise SinkError("e-mail needs its library: apt-get install python3-aiosmtplib")
        name, path = self._options.username, self._options.password_file
        self._login = None if name is None or path is None else (name, read_secret(path))
        self._own_name = await asyncio.to_thread(socket.getfqdn)
        async with self._session():
            self._context.reached()

    async def send(self, events: Sequence[Event]) -> str | None:
        """Send one mail that tells of the events; return whom of its recipients the server refused."""
        is_trial = events[0].seq == trial.NUMBER
        refused = await (self._bring(events) if is_trial else self._brought(events))
        self._context.took(len(events))
        if not refused:
            return None
        return f"{self._where}: the server refuses {', '.join(refused)}; the others have the mail"

    async def close(self) -> None:
        """Let go of the mail that is on its way."""
        task, self._under_way = self._under_way, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @property
    def _where(self) -> str:
        """The server, as it is told."""
        return f"{self._options.host}, port {self._options.port}"

    def _session(self) -> AbstractAsyncContextManager[Session]:
        """Return a connection to the server."""
        options = self._options
        place, tls = (options.host, options.port), (options.tls, options.trust)
        return session(place, self._own_name, tls, self._login)

    async def _brought(self, events: Sequence[Event]) -> list[str]:
        """Bring a mail to the server, or wait for the one that is on its way.

        Who loses patience with a server that takes long comes again with the same events, or those of them that were
        not forgotten meanwhile: their mail is not sent twice.
        """
        told = frozenset(each.seq for each in events)
        if self._under_way is None or not told <= self._told:
            await self.close()
            self._told, self._under_way = told, asyncio.ensure_future(self._bring(events))
        task = self._under_way
        await asyncio.wait((task,))
        self._under_way = None
        return task.result()

    async def _bring(self, events: Sequence[Event]) -> list[str]:
        """Bring a mail to the server, one without details if that can't be written, or is refused.

        Return which recipients the server refused; raises SinkError or RefusedError.
        """
        context, first = self._context, events[0]
        told = f"{context.sensor_id} {context.name} {first.time} {first.seq} {events[-1].seq}"
        digest = hashlib.sha256(told.encode()).hexdigest()[:32]
        with contextlib.suppress(RefusedError):
            return await self._hand_over(self._mail(events, digest, is_whole=True))
        # Names of bad hosts are what filters look for.
        bare = self._mail(events, digest, is_whole=False)
        try:
            return await self._hand_over(bare)
        except RefusedError as error:  # not for what it tells: a full mailbox, a limit, a policy
            raise SinkError(f"{error}, whatever it tells", retry_after=MENDED) from error

    async def _hand_over(self, mail: bytes) -> list[str]:
        """Hand a mail to the server; raises SinkError, or RefusedError if it does not want this one."""
        options = self._options
        async with self._session() as server:
            return await server.send(options.sender, options.recipients, mail)

    def _mail(self, events: Sequence[Event], digest: str, *, is_whole: bool) -> bytes:
        """Return a mail; the same events again give the same Message-ID. Raises RefusedError."""
        options = self._options
        try:
            letter = letters.whole(events, self._context) if is_whole else letters.bare(events)
            mail = EmailMessage()
            mail["From"] = Address("Hearthwall", addr_spec=options.sender)
            mail["To"] = tuple(Address(addr_spec=each) for each in options.recipients)
            mail["Date"] = localtime()
            mail["Message-ID"] = f"<{digest}@{options.sender.rpartition('@')[2]}>"
            mail["Auto-Submitted"] = "auto-generated"
            mail.set_content(letter.text)
            return _subject(letter.subject) + mail.as_bytes(policy=policy.SMTP)
        except (ValueError, LookupError, MessageError) as error:
            raise RefusedError("what was noticed can't be written as a mail") from error


def _subject(text: str) -> bytes:
    """Return the line of a subject that whoever reads it sees letter by letter.

    An EmailMessage would decode what looks encoded in it, and the network wrote part of it.
    """
    is_plain = text.isascii() and "=?" not in text
    said = Header(text, "us-ascii" if is_plain else "utf-8", header_name="Subject")
    return f"Subject: {said.encode(linesep=_NEWLINE)}{_NEWLINE}".encode("ascii")
