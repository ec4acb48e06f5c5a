"""The messages between a sensor and its clients: the one place where they are defined.

Both halves import this file, so it needs the standard library only and runs on Python 3.11.
A conversation over the websocket goes like this:

    sensor:  {"type": "hello", "version": …, "min_schema": 1, "max_schema": 1}
    client:  {"id": 1, "type": "initialize", "schema": 1, "client": "…"}
    sensor:  {"id": 1, "type": "result", "result": {}}
    client:  {"id": 2, "type": "subscribe", "interval": 1.0}
    sensor:  {"id": 2, "type": "result", "result": {"seq": 40, "status": …, "devices": […], "blocks": […]}}
    sensor:  {"type": "delta", "seq": 41, "devices": [changed…], "blocks": [changed…], …}
    client:  {"id": 3, "type": "block", "target": "00:00:5e:00:53:21"}
    sensor:  {"id": 3, "type": "error", "code": "protected_target", "message": "…"}

Times are seconds since the epoch, durations are seconds, sizes are bytes and rates bytes per second.
Answers may gain fields without a new schema: readers skip the ones that they do not know.
Requests may not: a misspelt field must not silently turn an order into another one.
"""

import dataclasses
import ipaddress
import math
import re
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

from .errors import SensorError as SensorError  # noqa: PLC0414, part of the protocol
from .wire import Message

MIN_SCHEMA: Final = 1
MAX_SCHEMA: Final = 1

DEFAULT_SOCKET: Final = "/run/hearthwall/sensor.sock"
WEBSOCKET_PATH: Final = "/ws"

#: Longest message a sensor takes from a client; a block order is a few hundred bytes.
MAX_REQUEST_BYTES: Final = 64 * 1024
#: Longest message a client takes from a sensor: a snapshot of a full device table.
MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024

#: Bounds of a subscription's interval. The lower one is what a live view needs, the upper one a heartbeat.
MIN_INTERVAL: Final = 0.02
MAX_INTERVAL: Final = 60.0
DEFAULT_INTERVAL: Final = 1.0

#: Exit statuses of `run`.
EXIT_STOPPED: Final = 0
#: Somebody asked for everything to be taken out of the kernel: a supervisor must not start it again.
EXIT_UNLOADED: Final = 3

#: A rule that ends later than this may as well have no end.
MAX_DURATION: Final = 366 * 24 * 3600.0
MAX_REASON: Final = 200

Scope = Literal["internet", "lan", "gateway"]
SCOPES: Final[tuple[Scope, ...]] = typing.get_args(Scope)

TargetKind = Literal["mac", "ipv4", "ipv6"]

Mode = Literal["isolate", "no_internet"]
#: What each mode of a rule does, in a person's words.
MODES: Final[Mapping[Mode, str]] = {
    "isolate": "nothing passes but what the rule allows",
    "no_internet": "the home stays reachable, the internet does not",
}

Allowance = Literal["addressing", "dns", "home_assistant"]
#: What an isolating rule may let through, in a person's words.
ALLOWANCES: Final[Mapping[Allowance, str]] = {
    "addressing": "ARP, neighbour discovery and DHCP as a client",
    "dns": "DNS to a server in the home",
    "home_assistant": "Home Assistant",
}

# Targets and durations, as people write them


@dataclass(frozen=True, slots=True)
class Target:
    """What a rule is about; `value` is canonical: two ways to write one target compare equal."""

    kind: TargetKind
    value: str


_MAC = re.compile(r"[0-9a-f]{2}([:-]?)(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}", re.ASCII)


def parse_mac(text: str) -> str:
    """Return a unicast MAC as `aa:bb:cc:dd:ee:ff`; takes colons, dashes or nothing between the bytes.

    Raises SensorError `invalid_target` or, for group addresses and zero, `protected_target`.
    """
    lowered = text.strip().lower()
    if not _MAC.fullmatch(lowered):
        raise SensorError(
            "invalid_target", f"{text[:80]!r} is not a MAC address such as 00:00:5e:00:53:21"
        )
    digits = lowered.replace(":", "").replace("-", "")
    if int(digits[:2], 16) & 1 or int(digits, 16) == 0:
        raise SensorError(
            "protected_target", f"{text} is a broadcast, multicast or null MAC, not a device's"
        )
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def parse_target(text: str) -> Target:
    """Return the target that a person wrote: a MAC, an IPv4 or an IPv6 address.

    Raises SensorError `invalid_target`, or `protected_target` for addresses that belong to no single host.
    """
    stripped = text.strip()
    try:
        address = ipaddress.ip_address(stripped)
    except ValueError:
        if not _MAC.fullmatch(stripped.lower()):
            raise SensorError(
                "invalid_target", f"{text[:80]!r} is neither a MAC nor an IPv4 or IPv6 address"
            ) from None
        return Target("mac", parse_mac(stripped))
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            raise SensorError(
                "invalid_target", f"{text[:80]!r}: write the address without its zone"
            )
        if address.ipv4_mapped is not None:
            address = address.ipv4_mapped
    if (
        address.is_multicast
        or address.is_unspecified
        or address.is_loopback
        or str(address) == "255.255.255.255"
    ):
        raise SensorError(
            "protected_target", f"{address} is a broadcast, multicast, null or loopback address"
        )
    return Target("ipv4" if address.version == 4 else "ipv6", str(address))


_DURATION_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(text: str) -> float:
    """Return the seconds in `90s`, `10m`, `2h`, `7d` or a plain number of seconds.

    Raises SensorError `invalid_duration`.
    """
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?)([smhd]?)", text.strip(), re.ASCII)
    if match is None:
        raise SensorError(
            "invalid_duration", f"{text[:80]!r} is not a duration such as 90s, 10m, 2h or 7d"
        )
    return check_duration(float(match[1]) * _DURATION_UNITS[match[2] or "s"])


def check_duration(seconds: float) -> float:
    """Return seconds if they lie in (0, MAX_DURATION]; raises SensorError `invalid_duration`."""
    if not math.isfinite(seconds) or not 0 < seconds <= MAX_DURATION:
        raise SensorError(
            "invalid_duration",
            f"a duration is more than 0 and at most {MAX_DURATION / 86400:.0f} days",
        )
    return seconds


# What a sensor tells


@dataclass(frozen=True, slots=True)
class Hello(Message):
    """The sensor's first message."""

    version: str
    min_schema: int
    max_schema: int

    def schema(self) -> int:
        """Return the highest schema that both sides speak; raises SensorError `unsupported_schema`."""
        highest = min(self.max_schema, MAX_SCHEMA)
        if highest < max(self.min_schema, MIN_SCHEMA):
            newer = "sensor" if self.min_schema > MAX_SCHEMA else "client"
            raise SensorError(
                "unsupported_schema",
                f"the {newer} is too new: the sensor ({self.version}) speaks schemas"
                f" {self.min_schema} to {self.max_schema}, the client {MIN_SCHEMA} to {MAX_SCHEMA}",
            )
        return highest


@dataclass(frozen=True, slots=True)
class Traffic(Message):
    """Wire bytes (Ethernet header included, checksum not) and packets, seen from the device."""

    upload_bytes: int = 0
    download_bytes: int = 0
    upload_packets: int = 0
    download_packets: int = 0


@dataclass(frozen=True, slots=True)
class DeviceRule(Message):
    """The rule on a device's MAC, in short."""

    id: int
    mode: Mode
    expires: float | None


@dataclass(frozen=True, slots=True)
class Device(Message):
    """A device of the home. Totals never fall, also across restarts of the sensor and of the host."""

    mac: str
    addresses: tuple[str, ...]
    hostname: str | None
    vendor: str | None
    randomised: bool
    interface: str | None
    first_seen: float
    last_seen: float
    upload_bytes: int
    download_bytes: int
    upload_packets: int
    download_packets: int
    upload_rate: float
    download_rate: float
    by_scope: Mapping[Scope, Traffic]
    rule: DeviceRule | None


@dataclass(frozen=True, slots=True)
class Block(Message):
    """A rule in force, with what the kernel counted for it.

    `latency_ms` is the time from the order's arrival to the first packet that the rule dropped.
    `confirm_by` is set while the rule still waits to be confirmed; unconfirmed, it ends then.
    """

    id: int
    target: str
    kind: TargetKind
    mode: Mode
    allow: tuple[Allowance, ...]
    reason: str
    created: float
    expires: float | None
    confirm_by: float | None
    packets: int
    bytes: int
    first_hit: float | None
    last_hit: float | None
    latency_ms: float | None


@dataclass(frozen=True, slots=True)
class Interface(Message):
    """A guarded interface. `xdp` is `off` while no rule needs it, else `native` or `generic`."""

    name: str
    index: int
    bridge: str | None
    xdp: str
    tc: str


@dataclass(frozen=True, slots=True)
class Status(Message):
    """How the sensor fares. `lost` counts, by cause, what did not reach its table or its reader."""

    pid: int
    version: str
    schema: int
    interfaces: tuple[Interface, ...]
    capabilities: tuple[str, ...]
    rules: int
    devices: int
    clients: int
    uptime_s: float
    resident_bytes: int
    dropped: Mapping[str, int]
    lost: Mapping[str, int]
    protected: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Snapshot(Message):
    """Everything, as the answer to `subscribe`."""

    seq: int
    status: Status
    devices: tuple[Device, ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Delta(Message):
    """What changed since the snapshot or delta before; `seq` grows by one with each in a subscription."""

    seq: int
    status: Status | None = None
    devices: tuple[Device, ...] = ()
    removed_devices: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()
    removed_blocks: tuple[int, ...] = ()


# What a client asks


@dataclass(frozen=True, slots=True)
class Initialize(Message):
    """The client's first message: the schema it chose and a name for the log."""

    type: ClassVar[str] = "initialize"
    schema: int
    client: str = "unnamed"


@dataclass(frozen=True, slots=True)
class Subscribe(Message):
    """Asks for a snapshot and then deltas, at most one per interval (seconds)."""

    type: ClassVar[str] = "subscribe"
    interval: float = DEFAULT_INTERVAL


@dataclass(frozen=True, slots=True)
class Unsubscribe(Message):
    """Ends the deltas."""

    type: ClassVar[str] = "unsubscribe"


@dataclass(frozen=True, slots=True)
class GetStatus(Message):
    """Asks for a Status."""

    type: ClassVar[str] = "status"


@dataclass(frozen=True, slots=True)
class GetDevices(Message):
    """Asks for the list of Device."""

    type: ClassVar[str] = "devices"


@dataclass(frozen=True, slots=True)
class GetBlocks(Message):
    """Asks for the list of Block."""

    type: ClassVar[str] = "blocks"


@dataclass(frozen=True, slots=True)
class AddBlock(Message):
    """Orders a rule; the answer is the Block. A second order for a target replaces the first."""

    type: ClassVar[str] = "block"
    target: str
    mode: Mode = "isolate"
    allow: tuple[Allowance, ...] = ("addressing",)
    duration: float | None = None
    reason: str = ""
    confirm_within: float | None = None


@dataclass(frozen=True, slots=True)
class Confirm(Message):
    """Keeps a rule that was ordered with `confirm_within`; the answer is the Block."""

    type: ClassVar[str] = "confirm"
    target: str


@dataclass(frozen=True, slots=True)
class RemoveBlock(Message):
    """Ends the rule on a target, or with an id; the answer is the Block that was."""

    type: ClassVar[str] = "unblock"
    target: str


@dataclass(frozen=True, slots=True)
class Unload(Message):
    """Takes everything out of the kernel and ends the sensor; the rules stay on disk unless `forget`."""

    type: ClassVar[str] = "unload"
    forget: bool = False


Request = (
    Initialize
    | Subscribe
    | Unsubscribe
    | GetStatus
    | GetDevices
    | GetBlocks
    | AddBlock
    | Confirm
    | RemoveBlock
    | Unload
)
REQUESTS: Final[Mapping[str, type[Request]]] = {cls.type: cls for cls in typing.get_args(Request)}


def read_request(wire: Any) -> tuple[int, Request]:
    """Return id and request of a client's message; raises SensorError.

    The caller finds the id for its error answer with `request_id`.
    """
    if not isinstance(wire, Mapping):
        raise SensorError("invalid_message", "a message is a JSON object")
    identity = request_id(wire)
    if identity is None:
        raise SensorError("invalid_message", "a message has an id, an integer from 0 to 2^53")
    kind = wire.get("type")
    cls = REQUESTS.get(kind) if isinstance(kind, str) else None
    if cls is None:
        raise SensorError("unknown_command", f"no command is called {str(kind)[:40]!r}")
    unknown = set(wire) - {"id", "type"} - {each.name for each in dataclasses.fields(cls)}
    if unknown:
        raise SensorError("invalid_message", f"{cls.type} has no field {min(unknown)[:40]!r}")
    return identity, cls.from_wire(wire)


def request_id(wire: Any) -> int | None:
    """Return a message's id if it has a usable one."""
    identity = wire.get("id") if isinstance(wire, Mapping) else None
    if isinstance(identity, int) and not isinstance(identity, bool) and 0 <= identity <= 2**53:
        return identity
    return None
