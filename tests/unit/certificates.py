"""Certificates for tests: an authority, and what it signs."""

import hashlib
import ssl
import subprocess
from pathlib import Path


class Authority:
    """Signs for names, with keys that only their owner may read."""

    def __init__(self, folder: Path) -> None:
        """Make the authority's own certificate."""
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.certificate, self._key = folder / "ca.pem", folder / "ca.key"
        line = ["req", "-x509", "-subj", "/CN=Authority of a test", "-days", "2"]
        _openssl(*line, *_new(self._key), "-out", str(self.certificate))

    def sign(self, name: str, alternative: str) -> tuple[Path, Path]:
        """Return certificate and key of a host, such as with `DNS:localhost,IP:127.0.0.1`."""
        key, request = self._folder / f"{name}.key", self._folder / f"{name}.csr"
        certificate, more = self._folder / f"{name}.pem", self._folder / f"{name}.cnf"
        more.write_text(f"subjectAltName={alternative}\n")
        _openssl("req", "-new", "-subj", f"/CN={name}", *_new(key), "-out", str(request))
        _openssl(
            *("x509", "-req", "-in", str(request), "-out", str(certificate), "-days", "2"),
            *("-CA", str(self.certificate), "-CAkey", str(self._key), "-CAcreateserial"),
            *("-extfile", str(more)),
        )
        key.chmod(0o600)
        return certificate, key


def fingerprint(certificate: Path) -> str:
    """Return a certificate's SHA-256 as people write it."""
    encoded = ssl.PEM_cert_to_DER_cert(certificate.read_text())
    return hashlib.sha256(encoded).digest().hex(":").upper()


def _new(key: Path) -> tuple[str, ...]:
    """Return what makes a new key without a password."""
    return (
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-keyout",
        str(key),
    )


def _openssl(*arguments: str) -> None:
    """Run openssl."""
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
