"""One conversation with a mail server, by aiosmtplib, and what its failures mean for the events."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from .sink import RefusedError, SinkError
from .tls import Trust, reason

if TYPE_CHECKING:
    import ssl

    from aiosmtplib import SMTP

#: Seconds for one answer; for that to a whole mail, which many servers look into first; and for the goodbye.
_TIMEOUT: Final = 15.0
_MAIL_TIMEOUT: Final = 300.0
_GOODBYE: Final = 2.0
#: What a server says of the login, the sender or the recipients is mended by a person, not within seconds.
MENDED: Final = 300.0
_PERMANENT: Final = 500
#: All that a server may say (bytes), with its certificates: the library reads all of an answer again with each part
#: that comes. And seconds between looks.
MOST_SAID: Final = 256 * 1024
_LOOK: Final = 0.05
#: Where the kernel's count of received bytes is in TCP_INFO.
_RECEIVED: Final = struct.Struct("128xQ")


class Session:
    """A connection that is logged in."""

    def __init__(self, server: "SMTP", where: str) -> None:
        """Take what speaks; `session` makes one."""
        self._server = server
        self._where = where
        self._is_talkative = False
        self._looking: asyncio.TimerHandle | None = None

    async def send(self, sender: str, recipients: Sequence[str], mail: bytes) -> list[str]:
        """Send a mail; return whom the server refused, and with what. Raises what the library raises."""
        import aiosmtplib

        await self._server.mail(sender)
        refused = []
        for each in recipients:
            try:
                await self._server.rcpt(each)
            except aiosmtplib.SMTPRecipientRefused as error:
                refused.append(error)
        if len(refused) == len(recipients):
            raise aiosmtplib.SMTPRecipientsRefused(refused)
        await self._server.data(mail, timeout=_MAIL_TIMEOUT)
        return [f"{each.recipient} ({each.code})" for each in refused]

    async def protect(self) -> None:
        """Go on over TLS; raises what the library raises, and SinkError."""
        await self._server.starttls()
        # What came in clear behind the server's "220", the library would take for answers over TLS.
        if getattr(self._server.protocol, "_buffer", True):
            raise SinkError(f"{self._where}: somebody on the way speaks for the server")

    def look(self) -> None:
        """End a connection over which far too much comes, from now on."""
        transport = self._server.transport
        if isinstance(transport, asyncio.Transport) and _received(transport) > MOST_SAID:
            self._is_talkative = True
            transport.abort()
        else:
            self._looking = asyncio.get_running_loop().call_later(_LOOK, self.look)

    def close(self) -> None:
        """End the connection."""
        if self._looking is not None:
            self._looking.cancel()
        self._server.close()

    def judged(self, error: Exception) -> SinkError | RefusedError:
        """Return what a failure means."""
        if self._is_talkative:
            return SinkError(f"{self._where}: the server says more than any mail needs")
        return _judged(error, self._where)


@asynccontextmanager
async def session(
    place: tuple[str, int],
    own_name: str,
    tls: tuple[str, Trust],
    login: tuple[str, str] | None,
) -> AsyncIterator[Session]:
    """Yield a connection to a server, over TLS of a kind and logged in; raises SinkError or RefusedError."""
    import aiosmtplib

    host, port = place
    kind, trust = tls
    context: ssl.SSLContext | None = None if kind == "none" else trust.context()
    server = aiosmtplib.SMTP(
        hostname=host,
        port=port,
        local_hostname=own_name,
        timeout=_TIMEOUT,
        use_tls=kind == "tls",
        start_tls=False,
        tls_context=context,
    )
    made = Session(server, f"{host}, port {port}")
    made.look()
    try:
        await server.connect()
        if kind == "starttls":
            await made.protect()
        if login is not None:
            await server.login(*login)
        yield made
        with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
            async with asyncio.timeout(_GOODBYE):  # it has all that it should
                await server.quit()
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        raise made.judged(error) from error
    finally:
        made.close()


def _received(transport: asyncio.BaseTransport) -> int:
    """Return how many bytes have come over a connection."""
    connection = transport.get_extra_info("socket")
    if connection is None or connection.fileno() < 0:
        return 0
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _RECEIVED.size)
    return int(_RECEIVED.unpack(info)[0]) if len(info) == _RECEIVED.size else 0


def _judged(error: Exception, where: str) -> SinkError | RefusedError:
    """Return what a failure means for the events: they wait, a while longer where a person has to mend it, or go."""
    import aiosmtplib

    code = getattr(error, "code", 0)
    lasting = MENDED if code >= _PERMANENT else None
    match error:
        case aiosmtplib.SMTPAuthenticationError():
            said = f"the server refuses the user name or the password ({code})"
        case aiosmtplib.SMTPSenderRefused():
            said = f"the server refuses the sender ({code})"
        case aiosmtplib.SMTPRecipientsRefused():
            least = min(each.code for each in error.recipients)
            said = f"the server refuses every recipient ({least})"
            lasting = MENDED if least >= _PERMANENT else None
        case aiosmtplib.SMTPDataError() if code >= _PERMANENT:
            return RefusedError(f"{where}: the server refuses the mail ({code})")
        case aiosmtplib.SMTPResponseException():
            said = f"the server answered {code}"
        case aiosmtplib.SMTPNotSupported():
            said, lasting = "the server offers no login", MENDED
        case aiosmtplib.SMTPException() if not isinstance(error.__cause__, OSError):
            said = _plain(error)
        case _:
            said = reason(error.__cause__ if isinstance(error.__cause__, OSError) else error)
    return SinkError(f"{where}: {said}", retry_after=lasting)


def _plain(error: Exception) -> str:
    """Return what the library says of a connection, in one printable line."""
    return "".join(each if each.isprintable() else " " for each in str(error))[:150]
