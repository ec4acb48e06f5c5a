"""What sinks are tried with: events, what a sink knows of the sensor, and its options as a file has them."""

import dataclasses
import datetime as dt
import hashlib
import ipaddress
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hearthwall_sensor.protocol import Device, Event
from hearthwall_sensor.requests import Request
from hearthwall_sensor.sinks import reading
from hearthwall_sensor.sinks.sink import SinkContext
from tests.unit.household import device

CAMERA = "00:00:5e:00:53:21"
SENSOR = "5d8e1c60a4f34b6f9d0c"


def event(seq: int = 7, **fields: Any) -> Event:
    """Return an event of the camera's."""
    said: dict[str, Any] = {
        "time": 1_780_000_000.0 + seq,
        "kind": "port_scan",
        "severity": "high",
        "mac": CAMERA,
        "address": "192.168.20.21",
        "peer_address": "192.168.20.1",
        "peer_name": None,
        "process": None,
        "summary": "tries many ports of 192.168.20.1",
        "evidence": {"detector": "port_scan", "value": 40, "threshold": 15, "window": 60.0},
    }
    return Event(seq=seq, **(said | fields))


async def _nobody(request: Request) -> Any:
    raise AssertionError(f"nobody should ask for {request.type}")


def context(
    state: Path = Path("/nowhere"),
    *,
    call: Callable[[Request], Awaitable[Any]] = _nobody,
    devices: Callable[[], tuple[Device, ...]] = tuple,
    name: str | None = "front door",
    maker: str | None = None,
) -> SinkContext:
    """Return what a sink knows of the sensor, with the camera's name and maker."""
    return SinkContext(
        name="test",
        sensor_id=SENSOR,
        state_dir=state,
        call=call,  # type: ignore[arg-type]  # an argument's name
        devices=devices,
        device_name={CAMERA: name}.get,
        device_maker={CAMERA: maker}.get,
    )


def camera(**fields: Any) -> Device:
    """Return the camera."""
    return dataclasses.replace(device(CAMERA), **fields)


def options(kind: str, **values: Any) -> Any:
    """Return a sink's options, read as from the settings' file; raises SensorError."""
    (named,) = reading.read([{"name": "test", "type": kind, **values}])
    return named.options


def secret(folder: Path, text: str, name: str = "secret") -> str:
    """Return the path of a file with a secret."""
    path = folder / name
    path.touch(0o600)
    path.write_text(f"{text}\n")
    return str(path)


class Certified(NamedTuple):
    """A server's certificate, by which 127.0.0.1 may be trusted."""

    context: ssl.SSLContext
    path: Path
    fingerprint: str
    key: Path


def certified(folder: Path) -> Certified:
    """Return a certificate that was just made, in files of a folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test's server")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    path, key_path = folder / "server.pem", folder / "server.key"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key_path)
    digest = hashlib.sha256(made.public_bytes(serialization.Encoding.DER)).digest()
    return Certified(context, path, digest.hex(":").upper(), key_path)
