"""The first words of a TLS client of any age, in bytes: what today's libraries would not say any more."""

import socket
import struct
from collections.abc import Sequence
from typing import Final, Literal

TLS_1_0: Final = 0x0301
TLS_1_1: Final = 0x0302
TLS_1_2: Final = 0x0303
SSL_3: Final = 0x0300

#: By the names of the registry of IANA: what a sensor's certificate would do for, and what no sensor may use.
GOOD: Final = {"ECDHE_ECDSA_AES_128_GCM_SHA256": 0xC02B}
WEAK: Final = {
    "RSA_NULL_SHA": 0x0002,
    "RSA_EXPORT_RC4_40_MD5": 0x0003,
    "RSA_RC4_128_SHA": 0x0005,
    "RSA_3DES_EDE_CBC_SHA": 0x000A,
    "DH_anon_AES_128_CBC_SHA": 0x0034,
    "RSA_AES_128_GCM_SHA256": 0x009C,
    "ECDHE_ECDSA_NULL_SHA": 0xC006,
    "ECDHE_ECDSA_RC4_128_SHA": 0xC007,
    "ECDHE_ECDSA_3DES_EDE_CBC_SHA": 0xC008,
    "ECDHE_ECDSA_AES_128_CBC_SHA": 0xC009,
    "ECDHE_ECDSA_AES_256_CBC_SHA384": 0xC024,
    "ECDH_anon_AES_128_CBC_SHA": 0xC018,
}
#: Groups (x25519, secp256r1, secp384r1) and signatures (with SHA-256, and SHA-1 for the old) that fit all of them.
_EXTENSIONS: Final = {
    10: struct.pack("!4H", 6, 29, 23, 24),
    11: b"\x01\x00",
    13: struct.pack("!4H", 6, 0x0403, 0x0804, 0x0203),
}

Answer = Literal["hello", "alert", "closed"]


def client_hello(version: int, ciphers: Sequence[int]) -> bytes:
    """Return the record with which a client of a version begins, that has these ciphers."""
    extensions = b"".join(
        struct.pack("!2H", kind, len(body)) + body for kind, body in _EXTENSIONS.items()
    )
    body = struct.pack("!H", version) + bytes(range(32)) + b"\0"
    body += struct.pack(f"!{len(ciphers) + 1}H", 2 * len(ciphers), *ciphers) + b"\1\0"
    body += struct.pack("!H", len(extensions)) + extensions
    message = b"\1" + len(body).to_bytes(3, "big") + body
    return b"\x16" + struct.pack("!2H", min(version, TLS_1_0), len(message)) + message


def answer(connection: socket.socket, version: int, ciphers: Sequence[int]) -> Answer:
    """Return what a server says to it: that it goes on, or not."""
    connection.sendall(client_hello(version, ciphers))
    try:
        record = connection.recv(6)
    except ConnectionError:
        return "closed"
    if record[:1] == b"\x16" and record[5:] == b"\2":
        return "hello"
    return "alert" if record[:1] == b"\x15" else "closed"
