"""What programs say first: DNS, hellos of TLS and QUIC, HTTP, DHCP, NTP and announcements. No chance in any of it."""

import hmac
import struct
from collections.abc import Sequence
from functools import cache, lru_cache
from hashlib import sha256
from typing import Final

A, NULL, PTR, TXT, AAAA, SRV, HTTPS = 1, 10, 12, 16, 28, 33, 65
_SALT: Final = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")
_QUIC_VERSION: Final = b"\0\0\0\1"
_INITIAL: Final = 1200

NTP: Final = b"\x23\0\6\xec".ljust(48, b"\0")
NTP_ANSWER: Final = b"\x24\2\6\xec".ljust(48, b"\1")
STUN: Final = b"\0\1\0\0\x21\x12\xa4\x42" + b"hearthwall!!"
STUN_ANSWER: Final = b"\1\1\0\x0c\x21\x12\xa4\x42" + b"hearthwall!!" + b"\0\x20\0\x08" + bytes(8)
#: A server's hello, and the head of what follows encrypted.
TLS_ANSWER: Final = (
    b"\x16\3\3\0\x2e\2\0\0\x2a\3\3" + bytes(range(32)) + b"\0\x13\1\0\0\2\0\0\x17\3\3\x09\x60"
)


@lru_cache(8192)
def _name(text: str) -> bytes:
    """Return a name as DNS writes it."""
    labels = (bytes((len(each),)) + each.encode() for each in text.split(".") if each)
    return b"".join(labels) + b"\0"


def question(number: int, name: str, kind: int = A) -> bytes:
    """Return a DNS question."""
    return (
        struct.pack(">6H", number, 0x0100, 1, 0, 0, 0) + _name(name) + struct.pack(">HH", kind, 1)
    )


def answer(  # noqa: PLR0913, an answer has so many parts
    number: int, name: str, kind: int, data: Sequence[bytes], ttl: int = 60, *, exists: bool = True
) -> bytes:
    """Return the answer to a DNS question, with the data of its records."""
    head = struct.pack(">6H", number, 0x8180 if exists else 0x8183, 1, len(data), 0, 0)
    records = (struct.pack(">HHHIH", 0xC00C, kind, 1, ttl, len(each)) + each for each in data)
    return head + _name(name) + struct.pack(">HH", kind, 1) + b"".join(records)


def announcement(host: str, service: str, address: bytes) -> bytes:
    """Return what a device says of itself by mDNS: its address, and what it serves."""
    name, instance = _name(f"{host}.local"), _name(f"{host}.{service}.local")
    records = (
        name + struct.pack(">HHIH", A, 0x8001, 120, 4) + address,
        _name(f"{service}.local") + struct.pack(">HHIH", PTR, 1, 4500, len(instance)) + instance,
    )
    return struct.pack(">6H", 0, 0x8400, 0, len(records), 0, 0) + b"".join(records)


@lru_cache(8192)
def hello(name: str, protocols: tuple[bytes, ...] = (b"h2", b"http/1.1")) -> bytes:
    """Return the record of a ClientHello."""
    message = _hello(name, protocols, b"")
    return b"\x16\3\1" + len(message).to_bytes(2, "big") + message


def _hello(name: str, protocols: tuple[bytes, ...], more: bytes) -> bytes:
    """Return a ClientHello."""
    host = name.encode()
    listed = b"".join(bytes((len(each),)) + each for each in protocols)
    share = b"\0\x1d\0\x20" + sha256(host).digest()
    extensions = (
        _extension(0, _long(b"\0" + _long(host)))
        + (_extension(16, _long(listed)) if protocols else b"")
        + _extension(43, b"\2\3\4")
        + _extension(10, b"\0\2\0\x1d")
        + _extension(13, b"\0\4\4\3\x08\4")
        + _extension(51, _long(share))
        + more
    )
    body = b"\3\3" + sha256(b"random" + host).digest() + b"\0"
    body += b"\0\6\x13\1\x13\2\x13\3\1\0" + _long(extensions)
    return b"\1" + len(body).to_bytes(3, "big") + body


def _long(data: bytes) -> bytes:
    """Return data behind its length in two bytes."""
    return len(data).to_bytes(2, "big") + data


def _extension(kind: int, data: bytes) -> bytes:
    """Return one extension of a hello."""
    return kind.to_bytes(2, "big") + _long(data)


@lru_cache(2048)
def quic(name: str) -> bytes:
    """Return a client's first packet of QUIC, sealed with the keys that follow from its own number (RFC 9001, 5)."""
    from cryptography.hazmat.primitives.ciphers import (  # noqa: PLC0415, only where there is QUIC
        Cipher,
        algorithms,
        modes,
    )
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    chosen = sha256(name.encode()).digest()[:8]
    key, nonce, mask_key = _keys(chosen)
    message = _hello(name, (b"h3",), _extension(57, b"\4\4\x80\x10\0\0"))
    head = b"\xc3" + _QUIC_VERSION + b"\x08" + chosen + b"\0\0"
    rest = _INITIAL - len(head) - 2
    head += (0x4000 | rest).to_bytes(2, "big") + bytes(4)
    frames = b"\6\0" + (0x4000 | len(message)).to_bytes(2, "big") + message
    hidden = AESGCM(key).encrypt(nonce, frames.ljust(rest - 20, b"\0"), head)
    encryptor = Cipher(algorithms.AES(mask_key), modes.ECB()).encryptor()  # noqa: S305, RFC 9001, 5.4.3
    mask = encryptor.update(hidden[:16])
    return bytes((head[0] ^ (mask[0] & 0x0F),)) + head[1:-4] + mask[1:5] + hidden


@cache
def _keys(chosen: bytes) -> tuple[bytes, bytes, bytes]:
    """Return key, nonce and the key of the header's mask."""
    secret = _expand(hmac.digest(_SALT, chosen, "sha256"), b"client in", 32)
    key, nonce, mask = (
        _expand(secret, each, size)
        for each, size in ((b"quic key", 16), (b"quic iv", 12), (b"quic hp", 16))
    )
    return key, nonce, mask


def _expand(secret: bytes, label: bytes, length: int) -> bytes:
    """Return HKDF-Expand-Label of TLS 1.3, of at most 32 bytes."""
    label = b"tls13 " + label
    info = length.to_bytes(2, "big") + bytes((len(label),)) + label + b"\0\1"
    return hmac.digest(secret, info, "sha256")[:length]


#: A server's first packet, which only the two ends can read.
QUIC_ANSWER: Final = (
    b"\xe3" + _QUIC_VERSION + b"\x08hearthwa\x08llserver" + b"\x44\x00" + bytes(1000)
)


def http(name: str, path: str = "/") -> bytes:
    """Return a request."""
    return f"GET {path} HTTP/1.1\r\nHost: {name}\r\nUser-Agent: home/1.0\r\nAccept: */*\r\n\r\n".encode()


HTTP_ANSWER: Final = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"


def dhcp(kind: int, mac: bytes, options: bytes, *, given: bytes = bytes(4)) -> bytes:
    """Return a DHCP message: 1 discover, 2 offer, 3 request, 5 acknowledgement; `given` is the client's address."""
    is_reply = kind in (2, 5)
    number = sha256(mac).digest()[:4]
    head = bytes((2 if is_reply else 1, 1, 6, 0)) + number + bytes(8)
    head += (
        (given + bytes(4) if is_reply else bytes(8)) + bytes(4) + mac.ljust(16, b"\0") + bytes(192)
    )
    return head + b"\x63\x82\x53\x63" + b"\x35\1" + bytes((kind,)) + options + b"\xff"


def option(code: int, data: bytes) -> bytes:
    """Return one of DHCP's options."""
    return bytes((code, len(data))) + data
