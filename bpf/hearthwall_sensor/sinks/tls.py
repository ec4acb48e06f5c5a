"""Whom a sink trusts over TLS: the host's authorities, an own one, or a single certificate by its fingerprint."""

import os
import socket
import ssl
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from .sink import SinkError
from .table import Table

_DIGEST_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Trust:
    """What a receiver's certificate is held against."""

    ca_file: Path | None = None
    fingerprint: bytes | None = None

    @classmethod
    def read(cls, table: Table) -> "Trust":
        """Take `ca_file` and `fingerprint`, of which there may be one."""
        ca_file = table.optional_path("ca_file")
        text = table.optional("fingerprint", longest=200)
        if ca_file is not None and text is not None:
            table.fail("write ca_file or fingerprint: a fingerprint needs no authority")
        return cls(ca_file, None if text is None else _fingerprint(table, text))

    def context(self) -> ssl.SSLContext:
        """Return what connections are made with; raises SinkError."""
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:
            why = error.strerror if isinstance(error, FileNotFoundError | PermissionError) else None
            raise SinkError(f"{self.ca_file} can't be used: {why or 'no certificate'}") from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.fingerprint is not None:
            _pin(context, self.fingerprint)
        return context


def _fingerprint(table: Table, text: str) -> bytes:
    """Return a certificate's SHA-256 as people write it."""
    try:
        digest = bytes.fromhex(text.replace(":", ""))
    except ValueError:
        digest = b""
    if len(digest) != _DIGEST_BYTES:
        table.fail(
            "fingerprint is a certificate's SHA-256: 64 hexadecimal digits, with or without colons"
        )
    return digest


def _pin(context: ssl.SSLContext, fingerprint: bytes) -> None:
    """Let a handshake succeed with one certificate only: nothing is sent to whoever has another."""

    def check(certificate: bytes | None) -> None:
        got = sha256(certificate or b"").digest()
        if got != fingerprint:
            raise ssl.SSLCertVerificationError(
                f"the certificate is another one: {got.hex(':').upper()}"
            )

    class Socket(ssl.SSLSocket):
        def do_handshake(self, block: bool = False) -> None:
            super().do_handshake(block)
            check(self.getpeercert(binary_form=True))

    class Object(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            check(self.getpeercert(binary_form=True))

    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
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
