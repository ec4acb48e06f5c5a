"""A sink that writes e-mail: one for all that happened since the last one, in words."""

import asyncio
import contextlib
import hashlib
import importlib.util
import ipaddress
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import localtime
from pathlib import Path
from typing import Final

from ..protocol import Event
from . import letters
from .secret import read_secret
from .sink import RefusedError, SinkContext, SinkError
from .table import Table
from .tls import Trust, reason

#: Least seconds between two mails; what happens meanwhile is gathered.
LEAST_EVERY: Final = 60.0
MOST_EVERY: Final = 86400.0
#: Events that are told in one mail.
AT_ONCE: Final = 50
MAX_RECIPIENTS: Final = 10
#: What a server says of the login, the sender or the recipients is mended by a person, not within seconds.
_MENDED: Final = 300.0
_TIMEOUT: Final = 15.0
_PERMANENT: Final = 500
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
    if options.tls == "none" and options.username is not None and not _is_here(options.host):
        table.fail('a password is sent over TLS only, or to this host: write tls = "starttls"')


def _is_here(host: str) -> bool:
    """Return whether a host is this one."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class SmtpSink:
    """Sends mails, each over a connection of its own."""

    def __init__(self, options: SmtpOptions, context: SinkContext) -> None:
        """Take the options, and what is known of the sensor."""
        self._options = options
        self._context = context
        self._password: str | None = None
        self._own_name = "localhost"

    async def start(self) -> None:
        """Read the password; a connection is made for each mail."""
        if importlib.util.find_spec("aiosmtplib") is None:
            raise SinkError("e-mail needs its library: apt-get install python3-aiosmtplib")
        path = self._options.password_file
        self._password = None if path is None else read_secret(path)
        self._own_name = await asyncio.to_thread(socket.getfqdn)

    async def send(self, events: Sequence[Event]) -> None:
        """Send one mail that tells of the events; one without details if the server refuses those."""
        try:
            await self._send(self._mail(events, letters.whole(events, self._context)))
        except RefusedError:
            # Names of bad hosts are what filters look for.
            await self._send(self._mail(events, letters.bare(events)))

    async def close(self) -> None:
        """Nothing is kept."""

    def _mail(self, events: Sequence[Event], letter: letters.Letter) -> EmailMessage:
        """Return a mail; the same events again give the same Message-ID."""
        options = self._options
        mail = EmailMessage()
        mail["From"] = Address("Hearthwall", addr_spec=options.sender)
        mail["To"] = tuple(Address(addr_spec=each) for each in options.recipients)
        mail["Subject"] = letter.subject
        mail["Date"] = localtime()
        told = f"{self._context.sensor_id} {self._context.name} {events[0].seq} {events[-1].seq}"
        digest = hashlib.sha256(told.encode()).hexdigest()[:32]
        mail["Message-ID"] = f"<{digest}@{options.sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(letter.text)
        return mail

    async def _send(self, mail: EmailMessage) -> None:
        """Send a mail; raises SinkError or RefusedError."""
        import aiosmtplib

        options = self._options
        server = aiosmtplib.SMTP(
            hostname=options.host,
            port=options.port,
            local_hostname=self._own_name,
            timeout=_TIMEOUT,
            use_tls=options.tls == "tls",
            start_tls=options.tls == "starttls",
            tls_context=None if options.tls == "none" else options.trust.context(),
        )
        try:
            await server.connect()
            if options.username is not None and self._password is not None:
                await server.login(options.username, self._password)
            await server.send_message(
                mail, sender=options.sender, recipients=list(options.recipients)
            )
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):  # it has the mail
                await server.quit()
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise _judged(error, f"{options.host}, port {options.port}") from error
        finally:
            server.close()


def _judged(error: Exception, where: str) -> SinkError | RefusedError:
    """Return what a failure means for the events: they wait, a while longer where a person has to mend it, or go."""
    import aiosmtplib

    code = getattr(error, "code", 0)
    lasting = _MENDED if code >= _PERMANENT else None
    match error:
        case aiosmtplib.SMTPAuthenticationError():
            said = f"the server refuses the user name or the password ({code})"
        case aiosmtplib.SMTPSenderRefused():
            said = f"the server refuses the sender ({code})"
        case aiosmtplib.SMTPRecipientsRefused():
            least = min(each.code for each in error.recipients)
            said = f"the server refuses every recipient ({least})"
            lasting = _MENDED if least >= _PERMANENT else None
        case aiosmtplib.SMTPDataError() if code >= _PERMANENT:
            return RefusedError(f"{where}: the server refuses the mail ({code})")
        case aiosmtplib.SMTPResponseException():
            said = f"the server answered {code}"
        case aiosmtplib.SMTPNotSupported():
            said, lasting = "the server offers no login", _MENDED
        case aiosmtplib.SMTPException() if not isinstance(error.__cause__, OSError):
            said = _plain(error)
        case _:
            said = reason(error.__cause__ if isinstance(error.__cause__, OSError) else error)
    return SinkError(f"{where}: {said}", retry_after=lasting)


def _plain(error: Exception) -> str:
    """Return what the library says of a connection, in one printable line."""
    return "".join(each if each.isprintable() else " " for each in str(error))[:150]
