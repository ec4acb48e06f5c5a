"""The sensor's certificate: made by itself, and known to its clients by its fingerprint.

Nobody signs for a box in a home. Who compares the fingerprint knows better than an authority whom it talks to.
"""

import hashlib
import re
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from .. import files
from ..protocol import SensorError

#: Key and certificate in one file, which only root may read.
CERTIFICATE_FILE: Final = "remote.pem"
#: The name in it, for clients that do not compare fingerprints but check a name, such as Prometheus: the same for all
#: sensors, wherever they are reached, since each client is given the one certificate that it may believe.
SERVER_NAME: Final = "hearthwall-sensor"
_CERTIFICATE: Final = re.compile(
    r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL
)
#: What RFC 5280 (4.1.2.5) has for no end: a client pins it, so nothing is won by an end that nobody renews.
_NO_END: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
#: What TLS 1.2 may use: fresh keys for each connection, and ciphers that authenticate. TLS 1.3 has no others.
_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
#: Long ago, for hosts whose clock begins anew.
_BEGIN: Final = datetime(2000, 1, 1, tzinfo=UTC)


def ensure(state: Path) -> Path:
    """Return the file, made if there is none; raises SensorError `missing_capability` or `storage_failed`."""
    path = state / CERTIFICATE_FILE
    if not path.exists():
        try:
            files.write(path, _made())
        except OSError as error:
            raise SensorError(
                "storage_failed", f"{path} can't be written: {error.strerror}"
            ) from error
    return path


def renew(state: Path) -> None:
    """Make a new one in place of the one that there may be; raises SensorError as `ensure` does."""
    path, made = state / CERTIFICATE_FILE, _made()
    try:
        files.write(path, made)
        files.previous(path).unlink(missing_ok=True)  # nobody is to use its key any more
    except OSError as error:
        raise SensorError("storage_failed", f"{path} can't be written: {error.strerror}") from error


def context(path: Path) -> ssl.SSLContext:
    """Return what the listener speaks with; raises SensorError `storage_failed` for a damaged file."""
    result = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    result.minimum_version = ssl.TLSVersion.TLSv1_2
    result.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    result.set_ciphers(_CIPHERS)
    try:
        result.load_cert_chain(path)
    except (OSError, ValueError) as error:
        raise _damaged(path) from error
    return result


def fingerprint(path: Path) -> str:
    """Return the certificate's SHA-256 in pairs of digits; raises SensorError `storage_failed`."""
    return hashlib.sha256(_encoded(path)).digest().hex(":").upper()


def public(path: Path) -> str:
    """Return the certificate without its key, as clients take it in a file; raises SensorError `storage_failed`."""
    return ssl.DER_cert_to_PEM_cert(_encoded(path))


def is_named(path: Path) -> bool:
    """Return whether the certificate has a name that a client can check: those of earlier versions have none."""
    return SERVER_NAME.encode() in _encoded(path)


def _encoded(path: Path) -> bytes:
    """Return the certificate itself; raises SensorError `storage_failed`."""
    try:
        found = _CERTIFICATE.search(path.read_text())
        if found is None:
            raise _damaged(path)
        return ssl.PEM_cert_to_DER_cert(found[0])
    except (OSError, ValueError) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> SensorError:
    """Return what is said of a file that is no certificate any more."""
    return SensorError(
        "storage_failed",
        f"{path} holds no key and certificate; remove it and a new one is made, whose fingerprint each"
        " Home Assistant must be told",
    )


def _made() -> bytes:
    """Return a new key and certificate; raises SensorError `missing_capability`."""
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import NameOID
    except ImportError as error:
        raise SensorError(
            "missing_capability",
            "to listen, the sensor makes itself a certificate: apt-get install python3-cryptography",
        ) from error
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Hearthwall sensor")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_BEGIN)
        .not_valid_after(_NO_END)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(SERVER_NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ) + certificate.public_bytes(serialization.Encoding.PEM)
