"""What a client asks of a sensor, and how a sensor reads it."""

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

from .modes import Allowance, Direction, Mode, Transport
from .protocol import DEFAULT_INTERVAL, FeedAction, PairedRole, SensorError, Severity
from .usage import Dimension
from .wire import Message

#: As many flows as one answer holds.
MAX_FLOWS: Final = 2_000
#: And as many events.
MAX_EVENTS: Final = 1_000
#: How long a code for pairing may wait, in minutes.
MAX_MINUTES: Final = 60

#: What whoever asks must be allowed: to read, to give orders as well, or all that root may.
Access = Literal["read", "operate", "root"]


class Question(Message):
    """A request that changes nothing: whoever may talk to the sensor may ask it."""

    needs: ClassVar[Access] = "read"


class Order(Message):
    """A request that changes what the sensor does, knows or watches."""

    needs: ClassVar[Access] = "operate"


@dataclass(frozen=True, slots=True)
class Initialize(Question):
    """The client's first message: the schema it chose and a name for the log.

    A client on another host says in `address` whence it comes, to a sensor that says where it was reached.
    """

    type: ClassVar[str] = "initialize"
    schema: int
    client: str = "unnamed"
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Subscribe(Question):
    """Asks for a snapshot and then deltas, at most one per interval (seconds)."""

    type: ClassVar[str] = "subscribe"
    interval: float = DEFAULT_INTERVAL


@dataclass(frozen=True, slots=True)
class Unsubscribe(Question):
    """Ends the deltas."""

    type: ClassVar[str] = "unsubscribe"


@dataclass(frozen=True, slots=True)
class GetStatus(Question):
    """Asks for a Status."""

    type: ClassVar[str] = "status"


@dataclass(frozen=True, slots=True)
class GetDevices(Question):
    """Asks for the list of Device."""

    type: ClassVar[str] = "devices"


@dataclass(frozen=True, slots=True)
class GetFlows(Question):
    """Asks for the list of Flow, those that moved last at the head, at most `limit` (MAX_FLOWS) of them.

    `devices` are MACs, empty for all. `peer` is an address, a prefix, a name or `*.name`. `since` leaves
    out what has not moved after that time (seconds since the epoch). `process` is the path of an executable
    of this host; with `devices` empty, the flows of its processes are among all. `of` leaves out the
    others: `devices` or `processes`.
    """

    type: ClassVar[str] = "flows"
    devices: tuple[str, ...] = ()
    peer: str | None = None
    since: float | None = None
    limit: int = 100
    process: str | None = None
    of: Literal["all", "devices", "processes"] = "all"


@dataclass(frozen=True, slots=True)
class GetUsage(Question):
    """Asks for the UsageReport of the devices' flows, summed by these dimensions, at most `limit` (MAX_FLOWS) rows.

    `devices` are MACs, empty for all. `since` leaves out flows that have not moved after that time (seconds since the
    epoch); one that has counts whole. With `each` there are at most so many rows of each value of the first dimension.
    """

    type: ClassVar[str] = "usage"
    by: tuple[Dimension, ...] = ()
    devices: tuple[str, ...] = ()
    since: float | None = None
    limit: int = 100
    each: int | None = None


@dataclass(frozen=True, slots=True)
class GetProcesses(Question):
    """Asks for the list of Program of this host, those that moved most at the head, at most `limit` of them."""

    type: ClassVar[str] = "processes"
    limit: int = 100


@dataclass(frozen=True, slots=True)
class RenameDevice(Order):
    """Gives a device a name of the user's, or takes it back with null; the answer is the Device."""

    type: ClassVar[str] = "rename_device"
    mac: str
    name: str | None


@dataclass(frozen=True, slots=True)
class MergeDevices(Order):
    """Says that a MAC is the same device as another one; the answer is that one, with both in it.

    A rule on a device is a rule on all of its MACs.
    """

    type: ClassVar[str] = "merge_devices"
    mac: str
    into: str


@dataclass(frozen=True, slots=True)
class SplitDevice(Order):
    """Takes back a merging; the answer is the Device of the MAC that stands for itself again."""

    type: ClassVar[str] = "split_device"
    mac: str


@dataclass(frozen=True, slots=True)
class ForgetDevice(Order):
    """Erases all that is known of a device: totals, names, flows, events. One that speaks again is new.

    Its rules stay; the answer is the Device that was.
    """

    type: ClassVar[str] = "forget_device"
    mac: str


@dataclass(frozen=True, slots=True)
class GetBlocks(Question):
    """Asks for the list of Block."""

    type: ClassVar[str] = "blocks"


@dataclass(frozen=True, slots=True)
class AddBlock(Order):
    """Orders a rule; the answer is the Block.

    A second order for the same target, transport and port replaces the first. `port` is the one that
    packets are sent to. `allow` is None for what the mode usually allows. `force` overrides the refusal
    of a protected target where that is not fatal. `children` is for rules on processes: what they start is held too.
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
    children: bool = False


@dataclass(frozen=True, slots=True)
class Confirm(Order):
    """Keeps a rule that was ordered with `confirm_within`; the answer is the Block."""

    type: ClassVar[str] = "confirm"
    target: str
    transport: Transport | None = None
    port: int | None = None


@dataclass(frozen=True, slots=True)
class RemoveBlock(Order):
    """Ends the rule on a target (and transport and port), or with an id; the answer is the Block that was."""

    type: ClassVar[str] = "unblock"
    target: str
    transport: Transport | None = None
    port: int | None = None


@dataclass(frozen=True, slots=True)
class GetFeeds(Question):
    """Asks for the list of Feed."""

    type: ClassVar[str] = "feeds"


@dataclass(frozen=True, slots=True)
class AddFeed(Order):
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
class RemoveFeed(Order):
    """Ends a feed and forgets its entries; the answer is the Feed that was."""

    type: ClassVar[str] = "remove_feed"
    name: str


@dataclass(frozen=True, slots=True)
class RefreshFeed(Order):
    """Reads a feed anew, now; the answer is the Feed."""

    type: ClassVar[str] = "refresh_feed"
    name: str


@dataclass(frozen=True, slots=True)
class GetEvents(Question):
    """Asks for the list of Event after a number, by number, at most `limit` (MAX_EVENTS) of them.

    That is the order in which they were noted: what was found late has an earlier time than those before it.

    `devices` are MACs, `kinds` kinds of events, empty for all. `severity` is the least that is told. `after`
    leaves out what did not happen after that time (seconds since the epoch). `latest` asks for the last of
    what fits in place of the first.
    """

    type: ClassVar[str] = "events"
    since: int = 0
    limit: int = 1000
    devices: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    severity: Severity = "info"
    after: float | None = None
    latest: bool = False


@dataclass(frozen=True, slots=True)
class GetJournal(Question):
    """Asks which journal the events are in: whose numbers are missing there was forgotten, or was erased.

    The answer is `{"id": …, "last": …, "erased": …}`: the id changes when the journal begins anew, `last` is the
    newest number, and `erased` says how many events after `since` up to the number `last` are gone because somebody
    wanted that.
    """

    type: ClassVar[str] = "journal"
    since: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class TestSink(Order):
    """Has a sink deliver a message that says that it is a test; the answer is `{"error": …}`, null if it arrived."""

    __test__: ClassVar[bool] = False

    type: ClassVar[str] = "test_sink"
    name: str


@dataclass(frozen=True, slots=True)
class GetEvent(Question):
    """Asks for the Event with a number, with whom an order may cut off for it, or null.

    Beside the Event's `culprit`, `blockable_peer` is the peer's address or name: never whom it was only done to.
    `has_ended` says that only a process could have been cut off, which has ended.
    """

    type: ClassVar[str] = "event"
    seq: int


@dataclass(frozen=True, slots=True)
class AcceptEvent(Order):
    """Says that what an event tells of is fine: the like is not told any more. The answer is the Event."""

    type: ClassVar[str] = "accept"
    seq: int


@dataclass(frozen=True, slots=True)
class GetAccepted(Question):
    """Asks for the list of Acceptance, the oldest first."""

    type: ClassVar[str] = "accepted"


@dataclass(frozen=True, slots=True)
class RevokeAccepted(Order):
    """Takes an Acceptance back, by its id; the answer is the Acceptance that was."""

    type: ClassVar[str] = "revoke"
    acceptance: int


@dataclass(frozen=True, slots=True)
class GetProfile(Question):
    """Asks for a device's ProfileReport."""

    type: ClassVar[str] = "profile"
    mac: str


@dataclass(frozen=True, slots=True)
class SetProfile(Order):
    """Freezes a device's profile, lets it learn again, or begins it anew; the answer is the ProfileReport."""

    type: ClassVar[str] = "set_profile"
    mac: str
    action: Literal["freeze", "unfreeze", "reset"]


@dataclass(frozen=True, slots=True)
class GetMud(Question):
    """Asks for a device's MudReport."""

    type: ClassVar[str] = "mud"
    mac: str


@dataclass(frozen=True, slots=True)
class SetMud(Order):
    """Holds a device against a MUD file (RFC 8520) from now on; the answer is the MudReport.

    `document` is the file's JSON. Without it the file is fetched from `url`, which is https, or from where the
    device says that it is described.
    """

    type: ClassVar[str] = "set_mud"
    mac: str
    document: Mapping[str, Any] | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class RemoveMud(Order):
    """Holds a device against no MUD file any more; the answer is the MudReport."""

    type: ClassVar[str] = "remove_mud"
    mac: str


@dataclass(frozen=True, slots=True)
class GetPolicy(Question):
    """Asks for the PolicyReport."""

    type: ClassVar[str] = "policy"


@dataclass(frozen=True, slots=True)
class SetPolicy(Order):
    """Changes values of a section of the policy's file; the answer is the PolicyReport.

    `section` is `all`, `label NAME`, `device MAC` or `segment NAME`; a value of null takes its key out.
    """

    type: ClassVar[str] = "set_policy"
    section: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Hint(Message):
    """What another program knows of a device: whether it is one that stays in the home, and its labels."""

    local: bool | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SetHints(Order):
    """Replaces all hints on devices, by MAC; the answer says what was `refused`, and why, by MAC.

    The policy's file says more than a hint.
    """

    type: ClassVar[str] = "set_hints"
    hints: Mapping[str, Hint]


#: What can be traced.
TracedCall = Literal[
    "connect",
    "accept",
    "exec",
    "send",
    "recv",
    "bind",
    "listen",
    "open",
    "socket",
    "memfd",
    "ptrace",
]


@dataclass(frozen=True, slots=True)
class Trace(Order):
    """Asks to be told of system calls of this host's processes from now on, in messages of the type `trace`.

    Each has `lines`, a list of Traced, and `lost`: how many there were that are not told. None leaves a
    thing open; `failed` tells only calls that failed. `send` and `recv` are told together, by socket and peer, once a
    second, unless `each`. One connection has one trace: another Trace takes its place.
    """

    type: ClassVar[str] = "trace"
    call: TracedCall
    pid: int | None = None
    uid: int | None = None
    comm: str | None = None
    executable: str | None = None
    port: int | None = None
    failed: bool = False
    each: bool = False


@dataclass(frozen=True, slots=True)
class EndTrace(Question):
    """Ends the connection's trace; so does closing the connection."""

    type: ClassVar[str] = "end_trace"


@dataclass(frozen=True, slots=True)
class DiscardDamaged(Order):
    """Removes the damaged state files that were set aside; the answer is `{"files": […]}`, the names they had."""

    type: ClassVar[str] = "discard_damaged"


@dataclass(frozen=True, slots=True)
class Unload(Order):
    """Takes everything out of the kernel and ends the sensor; the rules stay on disk unless `forget`."""

    type: ClassVar[str] = "unload"
    forget: bool = False


@dataclass(frozen=True, slots=True)
class Pair(Order):
    """Makes a code by which one client on another host gets a token; the answer is an OfferedCode.

    What becomes of it follows in messages of the type `pairing`, each a PairingNews. The code ends with the
    connection. Only root may ask: a token stays when whoever asked for it may talk to the sensor no more.
    """

    type: ClassVar[str] = "pair"
    needs: ClassVar[Access] = "root"
    role: PairedRole = "operate"
    name: str | None = None
    minutes: float = 5.0


Request = (
    Initialize
    | Subscribe
    | Unsubscribe
    | GetStatus
    | GetDevices
    | GetFlows
    | GetUsage
    | GetProcesses
    | RenameDevice
    | MergeDevices
    | SplitDevice
    | ForgetDevice
    | GetBlocks
    | AddBlock
    | Confirm
    | RemoveBlock
    | GetFeeds
    | AddFeed
    | RemoveFeed
    | RefreshFeed
    | GetEvents
    | GetJournal
    | TestSink
    | GetEvent
    | AcceptEvent
    | GetAccepted
    | RevokeAccepted
    | GetProfile
    | SetProfile
    | GetMud
    | SetMud
    | RemoveMud
    | GetPolicy
    | SetPolicy
    | SetHints
    | Trace
    | EndTrace
    | DiscardDamaged
    | Unload
    | Pair
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
