"""A quarter of an hour of a device in a dozen numbers, each a level from 0 to 255: what models of behaviour see."""

import math
import zlib
from typing import Any, Final, NamedTuple

from ..names.registered import registered_domain
from ..observations import Asked, Began, Moved, Settled
from .destinations import BASICS

#: How long a window is, in seconds.
WINDOW: Final = 900.0
#: Different ones are told apart by a bit each, which counts to about a thousand.
_BITS: Final = 256
_MASK: Final = (1 << _BITS) - 1
#: Addresses differ in a byte or two, which a checksum alone does not spread.
_SPREAD: Final = 0x9E37_79B1
#: A kilobyte is the first amount that makes a difference.
_KB: Final = 1000.0
_COUNT_SCALE: Final = 20.0
_BYTE_SCALE: Final = 16.0
_SHARE_SCALE: Final = 100.0
#: Shares of a few flows say little: so many more are taken to be ordinary.
_FEW: Final = 4.0
_EVEN_BYTES: Final = 20_000.0


class Feature(NamedTuple):
    """One of the numbers."""

    name: str
    meaning: str
    scale: float
    unit: str
    """`count`, `bytes` or `share`."""

    def level(self, value: float) -> int:
        """Return a value's level."""
        if self.unit == "count":
            level = self.scale * math.log1p(value)
        elif self.unit == "bytes":
            level = self.scale * math.log1p(value / _KB)
        else:
            level = self.scale * value
        return max(0, min(255, round(level)))

    def value(self, level: float) -> float:
        """Return about what value has a level."""
        if self.unit == "count":
            return round(math.expm1(level / self.scale), 1)
        if self.unit == "bytes":
            return round(math.expm1(level / self.scale) * _KB)
        return round(level / self.scale, 2)


FEATURES: Final = (
    Feature("flows", "connections that it opened", _COUNT_SCALE, "count"),
    Feature("peers", "peers on the internet", _COUNT_SCALE, "count"),
    Feature("services", "services that it called", _COUNT_SCALE, "count"),
    Feature("lan_peers", "peers in the home that it called", _COUNT_SCALE, "count"),
    Feature("domains", "domains that it asked for", _COUNT_SCALE, "count"),
    Feature("questions", "DNS questions", _COUNT_SCALE, "count"),
    Feature("failed", "share of connections that failed", _SHARE_SCALE, "share"),
    Feature("nameless", "share of connections to peers without a name", _SHARE_SCALE, "share"),
    Feature("upload", "bytes to the internet", _BYTE_SCALE, "bytes"),
    Feature("download", "bytes from the internet", _BYTE_SCALE, "bytes"),
    Feature("upload_share", "share of upload in what it moved", _SHARE_SCALE, "share"),
    Feature("lan_upload", "bytes to the home", _BYTE_SCALE, "bytes"),
    Feature("flow_upload", "bytes to the internet for each connection", _BYTE_SCALE, "bytes"),
)


class Counts(NamedTuple):
    """What was counted in a window."""

    flows: float = 0
    peers: float = 0
    services: float = 0
    lan_peers: float = 0
    domains: float = 0
    questions: float = 0
    settled: float = 0
    failed: float = 0
    outside: float = 0
    """Connections to the internet, but for names and the time."""
    nameless: float = 0
    upload: float = 0
    download: float = 0
    lan_upload: float = 0

    def levels(self) -> bytes:
        """Return the level of each feature."""
        values = (
            *(self.flows, self.peers, self.services, self.lan_peers, self.domains, self.questions),
            self.failed / (self.settled + _FEW),
            self.nameless / (self.outside + _FEW),
            *(self.upload, self.download),
            self.upload / (self.upload + self.download + _EVEN_BYTES),
            self.lan_upload,
            self.upload / max(self.outside, 1.0),
        )
        return bytes(each.level(value) for each, value in zip(FEATURES, values, strict=True))


class Tally:
    """Counts what a device does in a window, in some 300 bytes however much it is."""

    __slots__ = (
        *("_domains", "_lan_peers", "_peers", "_services", "download", "failed", "flows"),
        *("lan_upload", "nameless", "outside", "questions", "settled", "upload"),
    )

    def __init__(self) -> None:
        """Begin with nothing."""
        self._peers = self._services = self._lan_peers = self._domains = 0
        self.flows = self.questions = self.settled = self.failed = 0
        self.outside = self.nameless = 0
        self.upload = self.download = self.lan_upload = 0

    def begin(self, began: Began) -> None:
        """Count a connection that the device opened."""
        flow = began.flow
        if not flow.is_outgoing:
            return
        service = flow.service
        self._services |= _bit(service.encode())
        self.flows += 1
        if flow.scope != "internet":
            self._lan_peers |= _bit(flow.key.peer)
        elif service not in BASICS:
            self._peers |= _bit(flow.key.peer)
            self.outside += 1
            self.nameless += flow.label.name is None

    def settle(self, settled: Settled) -> None:
        """Count what became of it."""
        if settled.flow.is_outgoing:
            self.settled += 1
            self.failed += settled.flow.has_failed

    def ask(self, asked: Asked) -> None:
        """Count a question."""
        self.questions += 1
        self._domains |= _bit(registered_domain(asked.name).encode())

    def move(self, moved: Moved) -> None:
        """Count bytes."""
        self.upload += moved.upload
        self.download += moved.download
        self.lan_upload += max(0, moved.all_upload - moved.upload)

    def counts(self) -> Counts:
        """Return what was counted."""
        counted: dict[str, Any] = {
            each: getattr(self, each) for each in Counts._fields if hasattr(type(self), each)
        }
        return Counts(
            **counted,
            peers=_different(self._peers),
            services=_different(self._services),
            lan_peers=_different(self._lan_peers),
            domains=_different(self._domains),
        )


def _bit(value: bytes) -> int:
    """Return a value's bit."""
    return 1 << (zlib.crc32(value) * _SPREAD >> 16) % _BITS


def _different(bits: int) -> float:
    """Return about how many different values set these bits."""
    return _BITS * math.log(_BITS / max(1, _BITS - (bits & _MASK).bit_count()))
