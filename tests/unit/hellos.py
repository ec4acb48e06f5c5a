"""Hellos as real clients make them: OpenSSL's over TLS, and the same inside QUIC's Initial packets."""

import contextlib
import ssl
from collections.abc import Sequence
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

NAME = "Camera.Vendor.example"
V1 = 1
V2 = 0x6B3343CF
DRAFT = 0xFF00001D
CONNECTION = bytes.fromhex("8394c8f03e515708")


def client_hello(name: str | None = NAME, protocols: Sequence[str] = ("h2", "http/1.1")) -> bytes:
    """Return the first record that OpenSSL sends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(list(protocols))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def in_records(hello: bytes, size: int) -> bytes:
    """Return a handshake message, which is in one record, in several."""
    message = hello[5:]
    return b"".join(
        b"\x16\3\1" + len(piece).to_bytes(2, "big") + piece
        for piece in (message[at : at + size] for at in range(0, len(message), size))
    )


def with_extension(hello: bytes, kind: int, value: bytes) -> bytes:
    """Return a hello with one more extension, in one record."""
    message = bytearray(hello[5:])
    at = 4 + 2 + 32
    at += 1 + message[at]
    at += 2 + int.from_bytes(message[at : at + 2], "big")
    at += 1 + message[at]
    message += kind.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value
    message[at : at + 2] = (len(message) - at - 2).to_bytes(2, "big")
    message[1:4] = (len(message) - 4).to_bytes(3, "big")
    return b"\x16\3\1" + len(message).to_bytes(2, "big") + bytes(message)


class _Version(NamedTuple):
    salt: str
    label: str
    initial: int


#: From RFC 9001, RFC 9369 and draft 29.
VERSIONS = {
    V1: _Version("38762cf7f55934b34d179ae6a4c80cadccbb7f0a", "quic", 0xC0),
    V2: _Version("0dede3def700a6db819381be6e269dcbf9bd2ed9", "quicv2", 0xD0),
    DRAFT: _Version("afbfec289993d24c9e9786f19c6111e04390a899", "quic", 0xC0),
}


class Keys(NamedTuple):
    """What protects Initial packets."""

    key: bytes
    vector: bytes
    header: bytes


def keys(version: int, connection: bytes, side: str = "client in") -> Keys:
    """Return the keys that follow from the connection's first identifier."""
    extract = HMAC(bytes.fromhex(VERSIONS[version].salt), SHA256())
    extract.update(connection)
    secret = _expand(extract.finalize(), side, 32)
    label = VERSIONS[version].label
    return Keys(
        _expand(secret, f"{label} key", 16),
        _expand(secret, f"{label} iv", 12),
        _expand(secret, f"{label} hp", 16),
    )


def _expand(secret: bytes, label: str, size: int) -> bytes:
    whole = b"tls13 " + label.encode()
    info = size.to_bytes(2, "big") + bytes((len(whole),)) + whole + b"\0"
    return HKDFExpand(SHA256(), size, info).derive(secret)


def number(value: int) -> bytes:
    """Return a number in one, two or four bytes of QUIC's encoding."""
    if value < 1 << 6:
        return bytes((value,))
    if value < 1 << 14:
        return (0x4000 | value).to_bytes(2, "big")
    return (0x80000000 | value).to_bytes(4, "big")


def crypto(message: bytes, start: int = 0, end: int | None = None) -> bytes:
    """Return a CRYPTO frame with a part of a handshake message."""
    piece = message[start:end]
    return b"\6" + number(start) + number(len(piece)) + piece


def initial(
    frames: bytes,
    *,
    version: int = V1,
    to: bytes = CONNECTION,
    sender: bytes = b"",
    keyed_by: bytes | None = None,
    token: bytes = b"",
    count: int = 0,
    size: int | None = 1200,
    side: str = "client in",
) -> bytes:
    """Return an Initial packet, padded to a size."""
    used = keys(version, to if keyed_by is None else keyed_by, side)
    head = bytes((VERSIONS[version].initial | 3,)) + version.to_bytes(4, "big")
    head += bytes((len(to),)) + to + bytes((len(sender),)) + sender
    head += number(len(token)) + token
    room = 0 if size is None else size - len(head) - 2 - 4 - 16
    frames = frames.ljust(max(room, 4), b"\0")
    head += (0x4000 | 4 + len(frames) + 16).to_bytes(2, "big")
    shown = count.to_bytes(4, "big")
    nonce = (int.from_bytes(used.vector, "big") ^ count).to_bytes(12, "big")
    sealed = AESGCM(used.key).encrypt(nonce, frames, head + shown)
    cipher = Cipher(algorithms.AES(used.header), modes.ECB()).encryptor()
    mask = cipher.update(sealed[:16])
    hidden = bytes(one ^ other for one, other in zip(shown, mask[1:5], strict=True))
    return bytes((head[0] ^ (mask[0] & 0x0F),)) + head[1:] + hidden + sealed


def long_packet(first: int, version: int, to: bytes, sender: bytes, rest: bytes) -> bytes:
    """Return any packet with a long header."""
    return (
        bytes((first,))
        + version.to_bytes(4, "big")
        + bytes((len(to),))
        + to
        + bytes((len(sender),))
        + sender
        + rest
    )
