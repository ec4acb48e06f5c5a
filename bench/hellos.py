"""How clients and servers of TLS, QUIC, DNS, HTTP and NTP begin: what a sensor reads names from."""

import hmac
import ipaddress
import random
import ssl
import struct
from functools import cache
from typing import Final

_RECORD_HEADER: Final = 5
#: RFC 9001, 5.2: what the keys of version 1's first packets are made from.
_SALT: Final = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")
_QUIC_VERSION: Final = b"\x00\x00\x00\x01"
_INITIAL_LENGTH: Final = 1200
#: So much of a handshake fits into one of them.
_PIECE: Final = 1100
_TAG: Final = 16
_NUMBER: Final = 4
_SAMPLE_AT: Final = 4


@cache
def _context() -> ssl.SSLContext:
    """Return what makes a client's hello; no certificate is ever looked at."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


@cache
def tls(name: str) -> bytes:
    """Return the record of a ClientHello that OpenSSL makes."""
    coming, going = ssl.MemoryBIO(), ssl.MemoryBIO()
    connection = _context().wrap_bio(coming, going, server_hostname=name)
    try:
        connection.do_handshake()
    except ssl.SSLWantReadError:
        return going.read()
    raise AssertionError("a handshake without a server")


def tls_answer(noise: random.Random) -> bytes:
    """Return as much as a server answers: its hello, and what follows encrypted."""
    hello = b"\x03\x03" + noise.randbytes(32) + b"\x00\x13\x01\x00\x00\x06\x00\x2b\x00\x02\x03\x04"
    handshake = b"\x02" + len(hello).to_bytes(3, "big") + hello
    hidden = noise.randbytes(2400)
    return (
        b"\x16\x03\x03"
        + len(handshake).to_bytes(2, "big")
        + handshake
        + b"\x17\x03\x03"
        + len(hidden).to_bytes(2, "big")
        + hidden
    )


def http(name: str) -> bytes:
    """Return a request."""
    return (
        f"GET /firmware/latest.json HTTP/1.1\r\nHost: {name}\r\nUser-Agent: bench/1.0\r\n"
        "Accept: */*\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
    ).encode()


HTTP_ANSWER: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1700\r\n\r\n"
).ljust(1800, b"x")
NTP: Final = b"\x23\x00\x06\xec".ljust(48, b"\0")
NTP_ANSWER: Final = b"\x24\x02\x06\xec".ljust(48, b"\1")


def _name(text: str) -> bytes:
    """Return a name as DNS writes it."""
    labels = (bytes((len(label),)) + label.encode() for label in text.split("."))
    return b"".join(labels) + b"\0"


def question(number: int, name: str) -> bytes:
    """Return a DNS query for an IPv4 address."""
    asked = _name(name) + struct.pack(">HH", 1, 1)
    option = b"\0" + struct.pack(">HHIH", 41, 1232, 0, 0)
    return struct.pack(">6H", number, 0x0100, 1, 0, 0, 1) + asked + option


def answer(number: int, name: str, address: str) -> bytes:
    """Return the answer to it: an alias, and the address that this one has."""
    asked = _name(name) + struct.pack(">HH", 1, 1)
    alias = _name(f"edge.{name}")
    address_at = struct.pack(">HHHIH", 0xC00C, 5, 1, 300, len(alias)) + alias
    last = alias + struct.pack(">HHIH", 1, 1, 60, 4) + ipaddress.IPv4Address(address).packed
    option = b"\0" + struct.pack(">HHIH", 41, 1232, 0, 0)
    return struct.pack(">6H", number, 0x8180, 1, 2, 0, 1) + asked + address_at + last + option


# QUIC


def quic(name: str, noise: random.Random) -> tuple[list[bytes], bytes]:
    """Return a client's first packets, as many as its ClientHello takes, and the server's first one."""
    chosen, own = noise.randbytes(8), noise.randbytes(8)
    hello = tls(name)[_RECORD_HEADER:]
    client = [
        _initial(chosen, b"client in", (chosen, own), number, _crypto(at, hello[at : at + _PIECE]))
        for number, at in enumerate(range(0, len(hello), _PIECE))
    ]
    acknowledged = b"\x02\x00\x00\x00\x00"
    said = acknowledged + _crypto(0, tls_answer(noise)[_RECORD_HEADER:][:90])
    return client, _initial(chosen, b"server in", (own, noise.randbytes(8)), 0, said)


def _crypto(offset: int, data: bytes) -> bytes:
    """Return a frame with a piece of the handshake."""
    return b"\x06" + _varint(offset) + _varint(len(data)) + data


def quic_handshake(noise: random.Random, length: int) -> bytes:
    """Return a packet of the handshake, which only the two ends can read."""
    connections = b"\x08" + noise.randbytes(8) + b"\x08" + noise.randbytes(8)
    rest = length - 5 - len(connections) - 2
    head = b"\xe3" + _QUIC_VERSION + connections + _varint(rest)
    return head + noise.randbytes(rest)


def quic_data(noise: random.Random, length: int) -> bytes:
    """Return a packet with a short header."""
    return b"\x43" + noise.randbytes(length - 1)


def _varint(value: int) -> bytes:
    """Return a length in two bytes."""
    return (0x4000 | value).to_bytes(2, "big")


def _initial(
    chosen: bytes, label: bytes, ends: tuple[bytes, bytes], number: int, frames: bytes
) -> bytes:
    """Return a protected first packet (RFC 9001, 5), filled up to the length that it must have."""
    from cryptography.hazmat.primitives.ciphers import (  # noqa: PLC0415, --help needs none
        Cipher,
        algorithms,
        modes,
    )
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    secret = _expand(_hmac(_SALT, chosen), label, 32)
    key, nonce, mask_key = (
        _expand(secret, each, size)
        for each, size in ((b"quic key", 16), (b"quic iv", 12), (b"quic hp", 16))
    )
    connections = b"".join(bytes((len(each),)) + each for each in ends)
    head = b"\xc3" + _QUIC_VERSION + connections + b"\0"
    rest = _INITIAL_LENGTH - len(head) - 2
    head += _varint(rest) + number.to_bytes(_NUMBER, "big")
    plain = frames.ljust(rest - _NUMBER - _TAG, b"\0")
    nonce = (int.from_bytes(nonce, "big") ^ number).to_bytes(len(nonce), "big")
    hidden = AESGCM(key).encrypt(nonce, plain, head)
    encryptor = Cipher(algorithms.AES(mask_key), modes.ECB()).encryptor()  # noqa: S305, RFC 9001, 5.4.3
    mask = encryptor.update(hidden[_SAMPLE_AT - _NUMBER :][:16])
    masked = bytes(each ^ other for each, other in zip(head[-_NUMBER:], mask[1:], strict=False))
    return bytes((head[0] ^ (mask[0] & 0x0F),)) + head[1:-_NUMBER] + masked + hidden


def _hmac(key: bytes, data: bytes) -> bytes:
    """Return HMAC-SHA256."""
    return hmac.digest(key, data, "sha256")


def _expand(secret: bytes, label: bytes, length: int) -> bytes:
    """Return HKDF-Expand-Label of TLS 1.3, of at most 32 bytes."""
    label = b"tls13 " + label
    info = length.to_bytes(2, "big") + bytes((len(label),)) + label + b"\0"
    return _hmac(secret, info + b"\1")[:length]
