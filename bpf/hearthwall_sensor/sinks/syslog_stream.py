"""A connection to a syslog server over TCP or TLS, that knows what the server's kernel has acknowledged."""

import asyncio
import contextlib
import fcntl
import hashlib
import hmac
import os
import socket
import ssl
import struct
import termios
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .sink import SinkError

_CONNECT_WITHIN: Final = 20.0
#: A server whose host acknowledges nothing, and answers nothing, for so long (seconds) is gone.
_GIVE_UP_AFTER: Final = 30.0
#: Seconds between looks at what is unacknowledged: the first, and the longest.
_LOOK: Final = 0.002
_LONGEST_LOOK: Final = 0.2
_ESTABLISHED: Final = 1


@dataclass(frozen=True, slots=True)
class Trust:
    """How a server shows who it is, and how we do."""

    ca_file: Path | None = None
    """Who vouches for the server; None for those that this host trusts, where there is no fingerprint either."""
    fingerprint: bytes | None = None
    """SHA-256 of the server's certificate."""
    server_name: str | None = None
    """The name that the certificate has to have; None for the server's as it is set."""
    client_certificate: Path | None = None
    client_key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Return what TLS is spoken with; raises SinkError."""
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.ca_file is not None:
                # A home's own CA seldom has all that RFC 5280 asks for
                context.verify_flags &= ~ssl.VERIFY_X509_STRICT
            elif self.fingerprint is not None:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE  # the fingerprint says more than any name
            if self.client_certificate is not None:
                _check_private(self.client_key or self.client_certificate)
                context.load_cert_chain(self.client_certificate, self.client_key, password="")
        except (OSError, ValueError) as error:
            files = (self.ca_file, self.client_certificate, self.client_key)
            named = " or ".join(str(each) for each in files if each is not None)
            why = (
                error.strerror if isinstance(error, FileNotFoundError | PermissionError) else error
            )
            raise SinkError(f"TLS can't begin with {named}: {why}") from error
        return context


def _check_private(path: Path) -> None:
    """Raise SinkError for a key that others could read or change."""
    said = path.stat()
    if said.st_uid not in (0, os.geteuid()) or said.st_mode & 0o077:
        raise SinkError(f"others may read or change {path}: chown root, chmod 600")


class Stream:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a connection that stands; `connect` makes one."""
        self._writer = writer
        self._socket: socket.socket = writer.get_extra_info("socket")
        self._end = asyncio.ensure_future(_until_end(reader))

    @classmethod
    async def connect(cls, host: str, port: int, trust: Trust | None) -> "Stream":
        """Connect; with TLS nothing is sent before the server has shown who it is. Raises OSError and SinkError."""
        context = None if trust is None else await asyncio.to_thread(trust.context)
        name = None if trust is None else trust.server_name or host
        try:
            async with asyncio.timeout(_CONNECT_WITHIN):
                reader, writer = await asyncio.open_connection(
                    host, port, ssl=context, server_hostname=name
                )
        except TimeoutError:
            raise SinkError("the server does not answer") from None
        except ssl.SSLError as error:
            why = getattr(error, "verify_message", None) or error.reason or error
            raise SinkError(f"the server's TLS is not good: {why}") from error
        stream = cls(reader, writer)
        try:
            stream._prepare(None if trust is None else trust.fingerprint)
        except BaseException:
            stream.close()
            raise
        return stream

    def _prepare(self, fingerprint: bytes | None) -> None:
        """Look at the certificate, and have the kernel notice a server that is gone."""
        if fingerprint is not None:
            own = self._writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            found = hashlib.sha256(own or b"").digest()
            if not hmac.compare_digest(found, fingerprint):
                raise SinkError(f"the server has another certificate, {found.hex(':').upper()}")
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)

    def write(self, messages: Sequence[bytes]) -> None:
        """Begin to send messages, with their lengths before them; raises OSError and SinkError."""
        self._check()
        self._writer.write(b"".join(b"%d %b" % (len(each), each) for each in messages))

    async def acknowledged(self) -> None:
        """Return when the server's kernel has all that was written; raises OSError and SinkError.

        However long a server does not read: to end that connection would lose what its kernel holds for it.
        """
        loop = asyncio.get_running_loop()
        pause, before, since, quiet = _LOOK, -1, loop.time(), 0
        while quiet < 2:  # between two looks TLS may hand on more
            await asyncio.sleep(pause)
            self._check()
            left = self._unacknowledged()
            if left != before:
                before, since = left, loop.time()
            elif left and loop.time() - since > _GIVE_UP_AFTER and self._is_unanswered():
                raise SinkError("the server does not answer any more")
            quiet = quiet + 1 if left == 0 else 0
            pause = _LOOK if quiet else min(2 * pause, _LONGEST_LOOK)

    def _check(self) -> None:
        """Raise SinkError for a connection that has ended, also if only the server's side has."""
        if self._end.done() or self._writer.is_closing() or self._info()[0] != _ESTABLISHED:
            raise SinkError("the server closed the connection")

    def _is_unanswered(self) -> bool:
        """Return whether the server's host is silent, and not just full of what the server does not read."""
        _, _, retransmits, probes = self._info()
        return retransmits > 0 or probes > 1

    def _info(self) -> bytes:
        """Return the connection's state, and how often what was sent, or asked while it is full, was not answered."""
        return self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 4)

    def _unacknowledged(self) -> int:
        """Return how many bytes the server's kernel does not have yet."""
        waiting = self._writer.transport.get_write_buffer_size()
        answer = fcntl.ioctl(self._socket.fileno(), termios.TIOCOUTQ, bytes(4))
        return int(waiting + struct.unpack("i", answer)[0])

    def close(self) -> None:
        """End the connection; what is not acknowledged is sent again over another one."""
        self._end.cancel()
        self._writer.close()
        # One that does not read would keep us waiting for a goodbye.
        asyncio.get_running_loop().call_later(1.0, self._writer.transport.abort)


async def _until_end(reader: asyncio.StreamReader) -> None:
    """Return when the server has ended the connection; what it says is nothing that syslog knows."""
    with contextlib.suppress(OSError):
        while await reader.read(4096):
            pass
