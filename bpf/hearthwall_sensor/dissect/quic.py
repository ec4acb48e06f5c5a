"""QUIC's framing, as far as the client's Initial packets: their keys are made of what everybody sees."""

import hmac
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from .stream import Stream
from .tls import Hello

_MAX_CONNECTION_ID: Final = 20
#: Packets in one datagram; real ones have at most an Initial, 0-RTT, a Handshake and a short one.
_MAX_COALESCED: Final = 8
#: Keys that are made for one flow, and packets that are opened: a hello comes in two or three.
_MAX_KEYS: Final = 6
_MAX_OPENED: Final = 32
#: Pieces of the hello that wait for those before them.
_MAX_WAITING: Final = 10 * 1024
_INITIAL: Final = 0
_RETRY: Final = 3
_SAMPLE: Final = 16
_PLAIN: Final = re.compile(rb"[\0\x01]*")  # PADDING and PING
_ACK: Final = (2, 3)
_CRYPTO: Final = 6
_CLOSE: Final = 0x1C


class _Version(NamedTuple):
    """What differs between the versions of QUIC: RFC 9001, RFC 9369, and the draft before."""

    salt: bytes
    labels: bytes
    """What the labels of keys begin with."""
    first: int
    """The bits that say Initial; the kinds of packets follow one another."""


VERSIONS: Final = {
    1: _Version(bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a"), b"quic ", 0),
    0x6B3343CF: _Version(bytes.fromhex("0dede3def700a6db819381be6e269dcbf9bd2ed9"), b"quicv2 ", 1),
    0xFF00001D: _Version(bytes.fromhex("afbfec289993d24c9e9786f19c6111e04390a899"), b"quic ", 0),
}


class _Keys(NamedTuple):
    """What protects the client's Initial packets."""

    key: bytes
    vector: int
    header: bytes


class _Packet(NamedTuple):
    """A long header that was read; the packet number stands at `number`, and the packet ends at `end`."""

    version: int
    kind: int
    destination: bytes
    start: int
    number: int
    end: int


class _BadPacketError(Exception):
    """A packet that is not as it must be."""


class Initials:
    """The Initial packets of one UDP flow: the client's hello is in those of one direction.

    Keys come from the first packet's destination, and keep protecting those that go to the server's own
    choice later; only a Retry makes the client begin with new ones.
    """

    __slots__ = ("_client", "_keys", "_made", "_opened", "_stream", "hello", "is_quic")

    def __init__(self) -> None:
        """Begin with no packet."""
        self.hello = Hello()
        self.is_quic = False
        """Whether a packet of a known version was seen."""
        self._client: int | None = None
        self._keys: _Keys | None = None
        self._made = 0
        self._opened = 0
        self._stream = Stream(_MAX_WAITING)

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to be learnt."""
        return self.hello.ended or self._opened >= _MAX_OPENED

    def feed(self, direction: int, datagram: bytes) -> bool:
        """Take a datagram; return whether all of it that can be read is well formed."""
        try:
            for packet in _packets(datagram):
                self.is_quic = True
                if packet.kind == _RETRY:
                    return True
                if packet.kind == _INITIAL and self._client in (None, direction):
                    self._take(direction, packet, datagram)
        except (_BadPacketError, IndexError):
            return False
        return not self.hello.malformed

    def _take(self, direction: int, packet: _Packet, datagram: bytes) -> None:
        """Open an Initial packet, and read what it says of the hello."""
        if self.ended:
            return
        self._opened += 1
        opened = self._open(packet, datagram)
        if opened is None:
            return
        self._client = direction
        for offset, data in _crypto(opened):
            self.hello.feed(self._stream.feed(offset, data))
        if self.hello.ended:
            self._stream.close()

    def _open(self, packet: _Packet, datagram: bytes) -> bytes | None:
        """Return an Initial packet's frames, None if it is not the client's, or its keys were made unseen."""
        if self._keys is not None:
            opened = _decrypt(self._keys, packet, datagram)
            if opened is not None:
                return opened
        if self._made >= _MAX_KEYS:
            return None
        self._made += 1
        keys = _client_keys(packet.version, packet.destination)
        opened = _decrypt(keys, packet, datagram)
        if opened is not None:
            self._keys = keys
        return opened


def begins(data: bytes) -> bool:
    """Return whether this is a packet with a long header of a known version."""
    return (
        len(data) >= 7
        and data[0] & 0xC0 == 0xC0
        and int.from_bytes(data[1:5], "big") in VERSIONS
        and data[5] <= _MAX_CONNECTION_ID
    )


def _packets(datagram: bytes) -> Iterator[_Packet]:
    """Yield the packets with long headers in a datagram; raises _BadPacketError, IndexError."""
    at = 0
    for _ in range(_MAX_COALESCED):
        if not begins(datagram[at : at + 7]):
            return
        packet = _read_header(datagram, at)
        yield packet
        at = packet.end


def _read_header(data: bytes, start: int) -> _Packet:
    """Read a long header; raises _BadPacketError, IndexError."""
    version = int.from_bytes(data[start + 1 : start + 5], "big")
    kind = ((data[start] >> 4 & 3) - VERSIONS[version].first) % 4
    at = start + 6
    destination = data[at : at + data[at - 1]]
    at += len(destination)
    if data[at] > _MAX_CONNECTION_ID:
        raise _BadPacketError
    at += 1 + data[at]
    if kind == _RETRY:
        return _Packet(version, kind, destination, start, at, len(data))
    if kind == _INITIAL:
        size, at = _number(data, at)
        at += size
    size, at = _number(data, at)
    if size < 4 + _SAMPLE or at + size > len(data):
        raise _BadPacketError
    return _Packet(version, kind, destination, start, at, at + size)


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of QUIC's varying length, and where it ends; raises IndexError, _BadPacketError."""
    first = data[at]
    end = at + (1 << (first >> 6))
    if end > len(data):
        raise _BadPacketError
    if end == at + 1:
        return first, end
    value = int.from_bytes(data[at:end], "big")
    return value & ((1 << 8 * (end - at) - 2) - 1), end


def _crypto(frames: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the pieces of the handshake in an Initial packet's frames; raises _BadPacketError, IndexError."""
    at = 0
    while True:
        at = _plain_end(frames, at)
        if at >= len(frames):
            return
        kind, at = frames[at], at + 1
        if kind == _CRYPTO:
            offset, at = _number(frames, at)
            size, at = _number(frames, at)
            at += size
            if at > len(frames):
                raise _BadPacketError
            yield offset, frames[at - size : at]
        elif kind in _ACK:
            at = _after_ack(frames, at, kind)
        elif kind == _CLOSE:
            return  # and whatever its reason is, there is no hello behind it
        else:
            raise _BadPacketError


def _plain_end(frames: bytes, at: int) -> int:
    """Return where the frames that say nothing end."""
    found = _PLAIN.match(frames, at)
    return found.end() if found else at


def _after_ack(frames: bytes, at: int, kind: int) -> int:
    """Return where an acknowledgement ends; raises _BadPacketError, IndexError."""
    _, at = _number(frames, at)
    _, at = _number(frames, at)
    ranges, at = _number(frames, at)
    for _ in range(1 + 2 * ranges + (3 if kind == _ACK[1] else 0)):
        _, at = _number(frames, at)
    return at


def _client_keys(version: int, destination: bytes) -> _Keys:
    """Return the keys of a client that began with this destination (RFC 9001, section 5.2)."""
    known = VERSIONS[version]
    secret = _expand(hmac.digest(known.salt, destination, "sha256"), b"client in", 32)
    return _Keys(
        _expand(secret, known.labels + b"key", 16),
        int.from_bytes(_expand(secret, known.labels + b"iv", 12), "big"),
        _expand(secret, known.labels + b"hp", 16),
    )


def _expand(secret: bytes, label: bytes, size: int) -> bytes:
    """Return a secret made of another one (RFC 8446's HKDF-Expand-Label), at most 32 bytes."""
    return hmac.digest(secret, _labelled(label, size), "sha256")[:size]


@lru_cache
def _labelled(label: bytes, size: int) -> bytes:
    """Return what a secret is expanded with."""
    whole = b"tls13 " + label
    return bytes((size >> 8, size & 0xFF, len(whole))) + whole + b"\0\1"


def _decrypt(keys: _Keys, packet: _Packet, datagram: bytes) -> bytes | None:
    """Return a packet's frames, None where the keys are not its own, or where there is no cryptography."""
    try:
        # Some megabytes, that only those hosts need whose devices speak QUIC
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:  # `check` says what is missing
        return None
    number = packet.number
    sample = datagram[number + 4 : number + 4 + _SAMPLE]
    mask = Cipher(algorithms.AES(keys.header), modes.ECB()).encryptor().update(sample)  # noqa: S305
    first = datagram[packet.start] ^ (mask[0] & 0x0F)
    size = 1 + (first & 3)
    shown = bytes(datagram[number + i] ^ mask[1 + i] for i in range(size))
    nonce = (keys.vector ^ int.from_bytes(shown, "big")).to_bytes(12, "big")
    authenticated = bytes((first,)) + datagram[packet.start + 1 : number] + shown
    try:
        return AESGCM(keys.key).decrypt(nonce, datagram[number + size : packet.end], authenticated)
    except InvalidTag:
        return None
