"""What a sensor tells its clients: the one place where it is defined. requests.py has what they ask.

habits.py has what is told of devices' habits and of the user's word on them.

Both halves import these files, so they need the standard library only and run on Python 3.11.
A conversation over the websocket goes like this:

    sensor:  {"type": "hello", "version": …, "min_schema": 1, "max_schema": 1, "id": …}
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
from typing import Any, Final, Literal

from .errors import SensorError as SensorError  # noqa: PLC0414, part of the protocol
from .kinds import KINDS, EventKind as EventKind, Severity as Severity  # noqa: PLC0414, part of the protocol
from .modes import Allowance, Direction, Mode, Transport
from .targets import TargetKind
from .wire import Message

MIN_SCHEMA: Final = 1
MAX_SCHEMA: Final = 1

DEFAULT_SOCKET: Final = "/run/hearthwall/sensor.sock"
DEFAULT_STATE_DIR: Final = "/var/lib/hearthwall"
WEBSOCKET_PATH: Final = "/ws"
METRICS_PATH: Final = "/metrics"
#: What a Home Assistant calls itself in `initialize`.
HOME_ASSISTANT: Final = "Home Assistant"
#: Where a client that has no token yet gets one for a code.
PAIR_PATH: Final = "/pair"

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
#: The settings make no sense, or a newer version wrote the state: somebody has to mend that (EX_CONFIG of sysexits.h).
EXIT_SETTINGS: Final = 78

MAX_REASON: Final = 200
MAX_FEEDS: Final = 32
MAX_SINKS: Final = 16
MAX_SHOWN_ADDRESSES: Final = 32
MAX_PROGRAM_PEERS: Final = 5

Role = Literal["lan", "wan"]
#: What a client that was paired may: see everything, or give orders as well.
PairedRole = Literal["operate", "read"]
#: What a token lets a client on another host do; one that is for metrics has no conversation at all.
TokenRole = Literal["operate", "read", "metrics"]

Scope = Literal["internet", "lan", "gateway"]
SCOPES: Final[tuple[Scope, ...]] = typing.get_args(Scope)


class UnsupportedSchemaError(SensorError):
    """Sensor and client have no schema in common: one of them is too new for the other."""

    def __init__(self, hello: "Hello") -> None:
        """Take what the sensor said."""
        self.hello = hello
        self.is_sensor_newer = hello.min_schema > MAX_SCHEMA
        newer = "sensor" if self.is_sensor_newer else "client"
        super().__init__(
            "unsupported_schema",
            f"the {newer} is too new: the sensor ({hello.version}) speaks schemas"
            f" {hello.min_schema} to {hello.max_schema}, the client {MIN_SCHEMA} to {MAX_SCHEMA}",
        )


# What a sensor tells


@dataclass(frozen=True, slots=True)
class Hello(Message):
    """The sensor's first message. `id` tells sensors apart, wherever they are reached.

    A client on another host is told in `address` and `port` where the sensor was reached: whoever dialled
    something else was passed on by somebody between both. To one whose `role` is `read`, orders are refused.
    """

    version: str
    min_schema: int
    max_schema: int
    id: str | None = None
    address: str | None = None
    port: int | None = None
    role: TokenRole = "operate"

    def schema(self) -> int:
        """Return the highest schema that both sides speak; raises SensorError `unsupported_schema`."""
        highest = min(self.max_schema, MAX_SCHEMA)
        if highest < max(self.min_schema, MIN_SCHEMA):
            raise UnsupportedSchemaError(self)
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
class Fingerprint(Message):
    """How a device asks for an address: DHCP's options 55, in its order, and 60."""

    options: tuple[int, ...]
    vendor_class: str | None


@dataclass(frozen=True, slots=True)
class Device(Message):
    """A device of the home. Totals never fall, also across restarts of the sensor and of the host.

    `name` is the user's, `hostname` what the device or its DHCP server calls it. `other_macs` are those
    that the user has merged into this one: their addresses and totals are in it.
    """

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
    name: str | None = None
    other_macs: tuple[str, ...] = ()
    fingerprint: Fingerprint | None = None


#: Where a peer's name comes from, the weakest evidence first.
NameSource = Literal["dns", "http", "tls", "quic"]
Outcome = Literal["open", "closed", "reset", "refused", "no_answer"]


@dataclass(frozen=True, slots=True)
class Flow(Message):
    """What one device exchanged with one peer over one pair of ports; bytes as in Traffic.

    `mac` is null only in a capture whose link has none. Of ICMP the ports are Community ID's: the type and
    that of its answer. `opened_by` is who sent the first packet. `outcome` is TCP's, null for the others.
    `served_as` is what the peer called the device, where the device is the server: `peer_name` is null then.
    `encrypted_hello` says that the name is not the inner one: TLS's Encrypted ClientHello was offered.
    `country` (ISO 3166), `as_number` and `as_name` come from files that the user supplies.
    Of this host's own processes `mac` is null too, and `process` is the executable.
    """

    community_id: str
    mac: str | None
    address: str
    port: int
    peer_address: str
    peer_port: int
    peer_name: str | None
    name_source: NameSource | None
    transport: str
    application: str
    upload_bytes: int
    download_bytes: int
    upload_packets: int
    download_packets: int
    first_seen: float
    last_seen: float
    opened_by: Literal["device", "peer"]
    outcome: Outcome | None
    scope: Scope
    encrypted_hello: bool = False
    served_as: str | None = None
    country: str | None = None
    as_number: int | None = None
    as_name: str | None = None
    interface: str | None = None
    process: str | None = None
    process_details: "Process | None" = None


@dataclass(frozen=True, slots=True)
class Process(Message):
    """A process of this host. Text that it chose is printable; secrets in its command line are masked.

    `ancestors` are the executables of what it was, or came from, the nearest first. `started` is when it
    was executed.
    """

    pid: int
    parent_pid: int
    uid: int
    executable: str
    command_line: str
    unit: str | None
    container: str | None
    started: float | None
    ancestors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Program(Message):
    """What the processes of one executable (in one container or unit) have exchanged since the sensor saw them.

    Bytes are IP's, seen from this host; what stays on the loopback interface is not among them. `listens` are
    services such as `tcp/22`. `peers` are those with the most bytes, at most MAX_PROGRAM_PEERS of them.
    """

    executable: str
    container: str | None
    unit: str | None
    pids: tuple[int, ...]
    uids: tuple[int, ...]
    upload_bytes: int
    download_bytes: int
    upload_packets: int
    download_packets: int
    connections: int
    first_seen: float
    last_seen: float
    listens: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()
    rule: DeviceRule | None = None


@dataclass(frozen=True, slots=True)
class ResolvedName(Message):
    """A name that a device was told of or announced, with one of its addresses; null for one that has none."""

    mac: str | None
    name: str
    address: str | None
    source: Literal["dns", "mdns"]


@dataclass(frozen=True, slots=True)
class Block(Message):
    """A rule in force, with what the kernel counted for it.

    `latency_ms` is the time from the order's arrival to the first packet that the rule dropped.
    `confirm_by` is set while the rule still waits to be confirmed; unconfirmed, it ends then.
    `addresses` are those that a domain is known to resolve to, at most MAX_SHOWN_ADDRESSES of them.
    `children` is for rules on processes: what they start is held too. `enforced` is false while the kernel has no
    hooks to enforce the rule, which is kept for when it has. `asked` is how a program was named, where that is a
    symbolic link to the target: what is executed by that name is held too. `program` is what a process on which
    the rule is was executing when it was ordered.
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
    children: bool = False
    enforced: bool = True
    asked: str | None = None
    program: str | None = None


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


#: The part of which a status says under `missing` that other hosts can't reach the sensor where it is to listen.
REMOTE_ACCESS: Final = "remote access"


@dataclass(frozen=True, slots=True)
class Status(Message):
    """How the sensor fares. `lost` counts, by cause, what did not reach its table or its reader.

    `names` counts DNS answers and what was learnt from them, `malformed` packets that were not what they
    said, by kind. `policy_problem` says why the policy's file can't be read: what it said before holds.
    `missing` says by part what the kernel does not have, why, and what is lost by it. `damaged` names state files
    that were found damaged and still lie aside: what they kept is lost, or as it was one version before.
    `time` is the gateway's clock. `listening` is where other hosts reach the sensor, null for nowhere, and
    `turned_away` counts connections there that showed no good token or were too many. `sinks` are where events
    are delivered to beside clients. `home_assistants` is how many of them follow what is told; `clients` is without
    what the sensor itself has started. `id` is what Hello says.
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
    flows: int = 0
    malformed: Mapping[str, int] = dataclasses.field(default_factory=dict)
    policy_problem: str | None = None
    missing: Mapping[str, str] = dataclasses.field(default_factory=dict)
    damaged: tuple[str, ...] = ()
    time: float | None = None
    listening: str | None = None
    turned_away: int = 0
    sinks: "tuple[SinkState, ...]" = ()
    home_assistants: int = 0
    id: str | None = None


@dataclass(frozen=True, slots=True)
class SinkState(Message):
    """How a sink fares: somewhere else that events are delivered to.

    `waiting` events are on disk and not delivered yet. `lost` were too old by the time that the receiver took
    any; `refused` it will never take. `failing_since` is null while it takes them for all who are to get them; else
    `next_try` is when it is tried again if it takes none. `reached` is when its receiver last answered since the sensor
    started, null if nobody has tried yet.
    """

    name: str
    type: str
    delivered: int
    waiting: int
    lost: int
    refused: int
    failing_since: float | None
    last_error: str | None
    next_try: float | None = None
    reached: float | None = None


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


#: What can be told, in a person's words.
EVENT_KINDS: Final[Mapping[EventKind, str]] = {name: kind.meaning for name, kind in KINDS.items()}


@dataclass(frozen=True, slots=True)
class Event(Message):
    """Something that happened; on disk before anyone is told. `seq` grows by one with each.

    What happens again within the kind's quiet window is the same event: `count` says how often it happened,
    `last_time` when last, null while that is `time`. `technique` is MITRE ATT&CK's, where one fits. `subject`
    is what the event is about beside the device, such as `tcp/23`: who accepts the event accepts that. `culprit`
    is whom an order may cut off for it, as a rule names it, when this was told: the device that did it or the
    program, null for whom it was only done to, or who has to stay reachable, and where that is not known.
    """

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
    technique: str | None = None
    count: int = 1
    last_time: float | None = None
    subject: str = ""
    culprit: str | None = None


@dataclass(frozen=True, slots=True)
class Replayed(Message):
    """What a capture holds. `counted` counts packets, what was left out and why, and malformed ones by kind.

    `home` names the networks that were taken for the home.
    """

    devices: tuple[Device, ...]
    flows: tuple[Flow, ...]
    events: tuple[Event, ...]
    names: tuple[ResolvedName, ...]
    counted: Mapping[str, int]
    home: tuple[str, ...] = ()


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
