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
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

from .errors import SensorError as SensorError  # noqa: PLC0414, part of the protocol
from .modes import (
    ALLOWANCES as ALLOWANCES,  # noqa: PLC0414
    AUDITABLE as AUDITABLE,  # noqa: PLC0414
    DIRECTIONS as DIRECTIONS,  # noqa: PLC0414
    MODES as MODES,  # noqa: PLC0414
    TRANSPORTS as TRANSPORTS,  # noqa: PLC0414
    Allowance as Allowance,  # noqa: PLC0414
    Direction as Direction,  # noqa: PLC0414
    Mode as Mode,  # noqa: PLC0414
    Transport as Transport,  # noqa: PLC0414
)
from .targets import TargetKind
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

MAX_REASON: Final = 200
MAX_FEEDS: Final = 32
MAX_SHOWN_ADDRESSES: Final = 32

Role = Literal["lan", "wan"]

Scope = Literal["internet", "lan", "gateway"]
SCOPES: Final[tuple[Scope, ...]] = typing.get_args(Scope)


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
    `addresses` are those that a domain is known to resolve to, at most MAX_SHOWN_ADDRESSES of them.
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
    transport: Transport | None = None
    port: int | None = None
    direction: Direction = "any"
    peers: tuple[str, ...] = ()
    bytes_per_second: int | None = None
    packets_per_second: int | None = None
    redirect_to: str | None = None
    audits: Mode | None = None
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Interface(Message):
    """A guarded interface.

    `xdp` is `off` while no rule needs it, `native` or `generic` while one does, `foreign` where another
    program holds the place and `unavailable` where the driver takes none: tc drops then.
    `foreign` names the programs of others that are on the interface.
    """

    name: str
    index: int
    bridge: str | None
    xdp: str
    tc: str
    role: Role = "lan"
    foreign: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Status(Message):
    """How the sensor fares. `lost` counts, by cause, what did not reach its table or its reader.

    `names` counts DNS answers and what was learnt from them.
    """

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
    names: Mapping[str, int] = dataclasses.field(default_factory=dict)


FeedAction = Literal["audit", "drop"]


@dataclass(frozen=True, slots=True)
class Feed(Message):
    """A list of known-bad addresses and domains, with what was read from it and what it hit.

    `updated` is when its entries were last read whole, `checked` when that was last tried.
    `subtracted` counts the prefixes and names that were taken out because the home needs them.
    """

    name: str
    source: str
    format: str
    action: FeedAction
    interval: float
    addresses: int
    domains: int
    invalid: int
    subtracted: int
    subtracted_examples: tuple[str, ...]
    updated: float | None
    checked: float | None
    last_error: str | None
    packets: int
    bytes: int
    first_hit: float | None
    last_hit: float | None


Severity = Literal["info", "low", "medium", "high", "critical"]

EventKind = Literal["threat_address", "threat_domain", "flood", "blocked", "unblocked"]
#: What can be told, in a person's words.
EVENT_KINDS: Final[Mapping[EventKind, str]] = {
    "threat_address": "a device exchanged packets with an address of a feed",
    "threat_domain": "a device asked for a name of a feed",
    "flood": "a source sent more than the threshold, and the rest was dropped",
    "blocked": "a rule was put in force",
    "unblocked": "a rule ended",
}


@dataclass(frozen=True, slots=True)
class Event(Message):
    """Something that happened; on disk before anyone is told. `seq` grows by one with each."""

    seq: int
    time: float
    kind: str
    severity: Severity
    mac: str | None
    address: str | None
    peer_address: str | None
    peer_name: str | None
    process: str | None
    summary: str
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot(Message):
    """Everything, as the answer to `subscribe`. `last_event` is the newest event's number, 0 for none."""

    seq: int
    status: Status
    devices: tuple[Device, ...]
    blocks: tuple[Block, ...]
    feeds: tuple[Feed, ...] = ()
    last_event: int = 0


@dataclass(frozen=True, slots=True)
class Delta(Message):
    """What changed since the snapshot or delta before; `seq` grows by one with each in a subscription."""

    seq: int
    status: Status | None = None
    devices: tuple[Device, ...] = ()
    removed_devices: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()
    removed_blocks: tuple[int, ...] = ()
    #: All of them, where one has changed; None where none has.
    feeds: tuple[Feed, ...] | None = None
    events: tuple[Event, ...] = ()


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
    """Orders a rule; the answer is the Block.

    A second order for the same target, transport and port replaces the first. `port` is the one that
    packets are sent to. `allow` is None for what the mode usually allows. `force` overrides the refusal
    of a protected target where that is not fatal.
    """

    type: ClassVar[str] = "block"
    target: str
    mode: Mode = "isolate"
    allow: tuple[Allowance, ...] | None = None
    duration: float | None = None
    reason: str = ""
    confirm_within: float | None = None
    transport: Transport | None = None
    port: int | None = None
    direction: Direction = "any"
    peers: tuple[str, ...] = ()
    bytes_per_second: int | None = None
    packets_per_second: int | None = None
    redirect_to: str | None = None
    audits: Mode | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class Confirm(Message):
    """Keeps a rule that was ordered with `confirm_within`; the answer is the Block."""

    type: ClassVar[str] = "confirm"
    target: str
    transport: Transport | None = None
    port: int | None = None


@dataclass(frozen=True, slots=True)
class RemoveBlock(Message):
    """Ends the rule on a target (and transport and port), or with an id; the answer is the Block that was."""

    type: ClassVar[str] = "unblock"
    target: str
    transport: Transport | None = None
    port: int | None = None


@dataclass(frozen=True, slots=True)
class GetFeeds(Message):
    """Asks for the list of Feed."""

    type: ClassVar[str] = "feeds"


@dataclass(frozen=True, slots=True)
class AddFeed(Message):
    """Subscribes to a list at a file or an http(s) address, or changes one; the answer is the Feed.

    `header_file` is a file of the gateway that only root can read, with a header such as an
    authorisation to send along: a secret never crosses this wire.
    """

    type: ClassVar[str] = "add_feed"
    name: str
    source: str
    format: str = "auto"
    action: FeedAction = "audit"
    interval: float = 86400.0
    header_file: str | None = None


@dataclass(frozen=True, slots=True)
class RemoveFeed(Message):
    """Ends a feed and forgets its entries; the answer is the Feed that was."""

    type: ClassVar[str] = "remove_feed"
    name: str


@dataclass(frozen=True, slots=True)
class RefreshFeed(Message):
    """Reads a feed anew, now; the answer is the Feed."""

    type: ClassVar[str] = "refresh_feed"
    name: str


@dataclass(frozen=True, slots=True)
class GetEvents(Message):
    """Asks for the list of Event after a number, the oldest first, at most `limit` of them."""

    type: ClassVar[str] = "events"
    since: int = 0
    limit: int = 1000


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
    | GetFeeds
    | AddFeed
    | RemoveFeed
    | RefreshFeed
    | GetEvents
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
