"""Whom a sink trusts over TLS: the host's authorities, another one, or one certificate; and who it says it is."""

import contextlib
import os
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from .sink import SinkError
from .table import Table

#: Of a SHA-256.
_DIGITS: Final = re.compile(r"[0-9A-Fa-f]{64}")
#: Seconds for a handshake in a thread, which waits for nothing else meanwhile.
_HANDSHAKE_WITHIN: Final = 10.0


@dataclass(frozen=True, slots=True)
class Trust:
    """What a receiver's certificate is held against: all that is said has to be right; and our own certificate."""

    ca_file: Path | None = None
    """Who vouches for the receiver; None for those that this host trusts, where there is no fingerprint either."""
    fingerprint: bytes | None = None
    """SHA-256 of the receiver's certificate."""
    server_name: str | None = None
    """The name that the certificate has to have; None for the receiver's as it is set."""
    client_certificate: Path | None = None
    client_key: Path | None = None

    @classmethod
    def read(cls, table: Table) -> "Trust":
        """Take `ca_file` and `fingerprint`."""
        ca_file = table.optional_path("ca_file")
        text = table.optional("fingerprint", longest=200)
        return cls(ca_file, None if text is None else _fingerprint(table, text))

    @property
    def is_pinned(self) -> bool:
        """Whether the fingerprint alone says who the receiver is, and no name or authority."""
        return self.fingerprint is not None and self.ca_file is None

    def context(self) -> ssl.SSLContext:
        """Return what connections are made with; raises SinkError."""
        with _naming(self.ca_file):
            context = ssl.create_default_context(cafile=self.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.ca_file is not None:
            # A home's own CA seldom has all that RFC 5280 asks for
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        elif self.fingerprint is not None:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE  # the fingerprint says more than any name
        if self.client_certificate is not None:
            key = self.client_key or self.client_certificate
            with _naming(key):
                _check_private(key)
            with _naming(self.client_certificate):
                context.load_cert_chain(self.client_certificate, self.client_key, password="")
        _guard(context, self.fingerprint)
        return context


def _fingerprint(table: Table, text: str) -> bytes:
    """Return a certificate's SHA-256 as people write it, with colons or without."""
    digits = text.replace(":", "").strip()
    if not _DIGITS.fullmatch(digits):
        table.fail("fingerprint is a certificate's SHA-256, 64 hexadecimal digits")
    return bytes.fromhex(digits)


@contextlib.contextmanager
def _naming(path: Path | None) -> Iterator[None]:
    """Raise SinkError that names the file which can't be used."""
    try:
        yield
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, FileNotFoundError | PermissionError) else None
        raise SinkError(
            f"{path} can't be used: {why or 'there is no certificate, or no key, in it'}"
        ) from error


def _check_private(path: Path) -> None:
    """Raise SinkError for a key that others could read or change."""
    said = path.stat()
    if said.st_uid not in (0, os.geteuid()) or said.st_mode & 0o077:
        raise SinkError(f"others may read or change {path}: chown root, chmod 600")


def _guard(context: ssl.SSLContext, fingerprint: bytes | None) -> None:
    """Let no handshake keep a thread, and none succeed with another certificate: nothing is sent to whoever has it."""

    def check(certificate: bytes | None) -> None:
        got = sha256(certificate or b"").digest()
        if fingerprint is not None and got != fingerprint:
            raise ssl.SSLCertVerificationError(
                f"the certificate is another one: {got.hex(':').upper()}"
            )

    class Socket(ssl.SSLSocket):
        def do_handshake(self, block: bool = False) -> None:
            self.settimeout(_HANDSHAKE_WITHIN)
            super().do_handshake(block)
            check(self.getpeercert(binary_form=True))

    class Object(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            check(self.getpeercert(binary_form=True))

    context.sslsocket_class = Socket
    context.sslobject_class = Object


def reason(error: BaseException) -> str:
    """Return why a connection failed, in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        text: Any = (
            error.verify_message if getattr(error, "verify_message", None) else error.args[-1]
        )
        return f"its certificate is not trusted: {text}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or error}"
    if isinstance(error, TimeoutError) and not error.errno:
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return "there is no such host"
    if isinstance(error, OSError) and error.errno and error.errno > 0:
        return os.strerror(error.errno)  # what asyncio says holds the address once more
    return str(error) or type(error).__name__
