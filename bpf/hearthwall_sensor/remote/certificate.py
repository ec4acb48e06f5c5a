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
_CERTIFICATE: Final = re.compile(
    r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL
)
#: What RFC 5280 (4.1.2.5) has for no end: a client pins it, so nothing is won by an end that nobody renews.
_NO_END: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
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


def context(path: Path) -> ssl.SSLContext:
    """Return what the listener speaks with; raises SensorError `storage_failed` for a damaged file."""
    result = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    result.minimum_version = ssl.TLSVersion.TLSv1_2
    result.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    try:
        result.load_cert_chain(path)
    except (OSError, ValueError) as error:
        raise _damaged(path) from error
    return result


def fingerprint(path: Path) -> str:
    """Return the certificate's SHA-256 in pairs of digits; raises SensorError `storage_failed`."""
    try:
        found = _CERTIFICATE.search(path.read_text())
        if found is None:
            raise _damaged(path)
        encoded = ssl.PEM_cert_to_DER_cert(found[0])
    except (OSError, ValueError) as error:
        raise _damaged(path) from error
    return hashlib.sha256(encoded).digest().hex(":").upper()


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
        .sign(key, hashes.SHA256())
    )
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ) + certificate.public_bytes(serialization.Encoding.PEM)
