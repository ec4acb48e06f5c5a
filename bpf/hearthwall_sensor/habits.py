"""What a sensor tells of devices' habits, and of the user's word on them; part of the protocol."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .wire import Message

#: Of each of a profile's lists, so many are told: those that were seen most.
MAX_HABITS = 50


@dataclass(frozen=True, slots=True)
class Habit(Message):
    """Something that a device does, such as a name that it talks to: how often it was seen, and when last."""

    name: str
    count: int
    last_seen: float


@dataclass(frozen=True, slots=True)
class Band(Message):
    """What a device usually moves in a span of time, in bytes, and beyond how much that is unusual.

    `seen` is how many such spans are behind these figures.
    """

    usual: float
    most: float
    seen: int


@dataclass(frozen=True, slots=True)
class Acceptance(Message):
    """An event of which the user said that it is fine: what is like it is not told any more.

    `time` is when that was said. `seq` is the event's number; the event itself may be gone. `process` is the
    program that it was about, as in an event.
    """

    id: int
    time: float
    seq: int
    kind: str
    mac: str | None
    address: str | None
    subject: str
    summary: str
    evidence: Mapping[str, Any]
    process: str | None = None


@dataclass(frozen=True, slots=True)
class ProfileReport(Message):
    """What was learnt of a device, with what it does most at the head of each list.

    Until `learning_until` it is too new to be judged by its habits. `sure` goes from 0 to 1. A frozen profile
    learns nothing more. `networks` are autonomous systems where files of places tell them. `ports` are
    those of the servers that it talks to, such as `tcp/443`. Bands are None while nothing is known. `model` sums up
    the model of the device's behaviour, `mud` the MUD file (RFC 8520) that it is held against.
    """

    mac: str
    since: float
    learning_until: float
    sure: float
    frozen: bool
    domains: tuple[Habit, ...] = ()
    countries: tuple[Habit, ...] = ()
    networks: tuple[Habit, ...] = ()
    ports: tuple[Habit, ...] = ()
    applications: tuple[Habit, ...] = ()
    upload_this_hour: Band | None = None
    download_this_hour: Band | None = None
    upload_a_day: Band | None = None
    download_a_day: Band | None = None
    model: Mapping[str, Any] | None = None
    mud: Mapping[str, Any] | None = None
    accepted: tuple[Acceptance, ...] = ()


@dataclass(frozen=True, slots=True)
class MudReport(Message):
    """What a device's maker says that it needs, and what it was seen to need.

    `announced` is where the device says that it is described. The rest is null without a file: `source` is `file` or
    the address that it was fetched from, `time` when. `expected` has a sentence for each permission, `left_out` the
    names of those that were not understood. `peers` is the file as the peers of a rule `allow_only`, and `learnt` a
    MUD file of what was learnt of the device, without what `kept_out` names, a sentence each: events of medium
    severity or above tell of it, and were not accepted. `events` is how many of less severity there are of the device
    that were not accepted: nothing is left out for those. `learning_until` is when the device will have been learnt.
    """

    mac: str
    announced: str | None
    learnt: Mapping[str, Any]
    source: str | None = None
    url: str | None = None
    system: str | None = None
    time: float | None = None
    expected: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()
    kept_out: tuple[str, ...] = ()
    events: int = 0
    since: float = 0.0
    learning_until: float = 0.0


@dataclass(frozen=True, slots=True)
class PolicyReport(Message):
    """The policy: its file, what stands in it, and why it was not read, if it was not.

    With a `problem` the last good policy holds, and `document` is that one. `labels` are those that devices have, and
    `places` is whether any file tells countries: without one nothing is judged by those.
    """

    path: str
    exists: bool
    document: Mapping[str, Any]
    problem: str | None
    labels: tuple[str, ...] = ()
    places: bool = True
