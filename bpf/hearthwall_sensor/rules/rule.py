"""One rule, as the sensor remembers it and keeps it on disk."""

import dataclasses
import ipaddress
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from ..kernel.layouts import FEED_SLOTS, LIMITS
from ..kernel.process_layouts import PROCESS_SLOTS
from ..modes import (
    ALLOWANCES,
    AUDITABLE,
    DIRECTIONS,
    MODES,
    TERMS,
    TRANSPORTS,
    Allowance,
    Direction,
    Mode,
    Transport,
)
from ..targets import PROCESS_KINDS, TARGET_KINDS, Target, TargetKind, parse_peer, parse_target

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: The slots of domains in the kernel's table of lists.
DOMAIN_SLOTS: Final = range(FEED_SLOTS, LIMITS["MAX_LISTS"])
#: Kind of target → the slots of its table in the kernel, where rules have one.
SLOTS: Final[Mapping[TargetKind, range]] = {
    "domain": DOMAIN_SLOTS,
    **dict.fromkeys(PROCESS_KINDS, PROCESS_SLOTS),
}


class Service(NamedTuple):
    """What of a target's traffic a rule is about: None for all."""

    transport: Transport | None = None
    port: int | None = None


#: A rule on all of a target's traffic.
WHOLE: Final = Service()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. Its times but `created` are nanoseconds since boot: the clock that the kernel ends it by.

    `subject` is the number by which rules on a target's services find each other in the kernel; it
    stays the same as long as the target has rules. `slot` is a domain's place in the table of lists, or that
    of a rule on processes in theirs. `started` tells a process from one that has its number later, and `asked`
    is the link by which a program was named. `program` is what a process was executing when the rule was ordered.
    `copy_of` is the id of the rule that this one repeats on another MAC of the same device.
    `instead_of` is the user's rule whose place a response takes: it comes back at the response's end.
    """

    id: int
    target: str
    kind: TargetKind
    mode: Mode
    allow: tuple[Allowance, ...]
    reason: str
    created: float
    ordered: int
    subject: int
    expires: int | None = None
    confirm_by: int | None = None
    transport: Transport | None = None
    port: int | None = None
    direction: Direction = "any"
    peers: tuple[str, ...] = ()
    bytes_per_second: int | None = None
    packets_per_second: int | None = None
    redirect_to: str | None = None
    audits: Mode | None = None
    slot: int | None = None
    copy_of: int | None = None
    instead_of: "Rule | None" = None
    children: bool = False
    started: int | None = None
    asked: str | None = None
    program: str | None = None

    @property
    def about(self) -> Target:
        """Whom the rule is about."""
        return Target(self.kind, self.target)

    @property
    def on_process(self) -> bool:
        """Whether it is about processes of this host."""
        return self.kind in PROCESS_KINDS

    @property
    def service(self) -> Service:
        """What of its traffic the rule is about."""
        return Service(self.transport, self.port)

    @property
    def judged_as(self) -> Mode:
        """The mode by which packets are judged: for an audit the one that it counts for."""
        return self.mode if self.audits is None else self.audits

    @property
    def peer_names(self) -> tuple[str, ...]:
        """The domains among the peers, whose addresses are learnt."""
        return tuple(peer for peer in self.peers if as_network(peer) is None)

    @property
    def ends(self) -> int | None:
        """When the kernel stops enforcing the rule: it expires, or nobody has confirmed it."""
        return min(
            (each for each in (self.expires, self.confirm_by) if each is not None), default=None
        )

    def back(self, now: int) -> "Rule | None":
        """Return the rule that comes back when this one ends, if it has not ended itself."""
        rule = self.instead_of
        return None if rule is None or (rule.ends is not None and rule.ends <= now) else rule

    def moved(self, nanoseconds: int) -> "Rule":
        """Return the rule with its end elsewhere on the clock."""
        return dataclasses.replace(
            self,
            ordered=0,
            expires=None if self.expires is None else self.expires + nanoseconds,
            confirm_by=None if self.confirm_by is None else self.confirm_by + nanoseconds,
            instead_of=None if self.instead_of is None else self.instead_of.moved(nanoseconds),
        )


#: The modes, the strictest last; an audit stops nothing.
_STRICTER: Final[tuple[Mode, ...]] = (
    "audit",
    "rate_limit",
    "no_internet",
    "allow_only",
    "redirect",
    "isolate",
)


def strictness(rule: Rule) -> tuple[int, bool, float]:
    """Sort key: by mode, then by whether it is for both directions, then by how long it holds."""
    ends = float("inf") if rule.ends is None else rule.ends
    return _STRICTER.index(rule.mode), rule.direction == "any", ends


def as_network(peer: str) -> Network | None:
    """Return the prefix that an address or a prefix means, None for a domain."""
    try:
        return ipaddress.ip_network(peer)
    except ValueError:
        return None


#: What each of these fields may be, which a newer version may say more in.
_WORDS: Final[Mapping[str, Collection[str]]] = {
    "mode": tuple(MODES),
    "audits": tuple(AUDITABLE),
    "kind": TARGET_KINDS,
    "transport": tuple(TRANSPORTS),
    "direction": tuple(DIRECTIONS),
}
_WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)


def unknown_in(wire: Any) -> str | None:
    """Return what a rule says that only a newer version can have said, in words; None for nothing of that.

    Raises what reading something else than a rule ends in.
    """
    for name, known in _WORDS.items():
        value = wire.get(name)
        if isinstance(value, str) and value not in known and _WORD.fullmatch(value):
            return f"{name} {value}"
    for value in wire["allow"]:
        if value not in ALLOWANCES and isinstance(value, str) and _WORD.fullmatch(value):
            return f"allowance {value}"
    for name in wire.keys() - {each.name for each in dataclasses.fields(Rule)}:
        if wire[name] and _WORD.fullmatch(name):  # what says nothing may be left out
            return f"field {name}"
    before = wire.get("instead_of")
    return None if before is None else unknown_in(before)


def read_rule(wire: Any) -> Rule:
    """Read a rule from what a file says; raises what reading something else than a rule ends in."""
    target = parse_target(wire["target"])
    mode = _one_of(MODES, wire["mode"])
    rule = Rule(
        id=_number(wire["id"], 1, 2**32 - 1),
        target=target.value,
        kind=target.kind,
        mode=mode,
        allow=tuple(each for each in ALLOWANCES if each in wire["allow"]),
        reason=str(wire["reason"]),
        created=float(wire["created"]),
        ordered=_time(wire["ordered"]),
        subject=_number(wire.get("subject", wire["id"]), 1, 2**32 - 1),
        expires=None if wire["expires"] is None else _time(wire["expires"]),
        confirm_by=None if wire["confirm_by"] is None else _time(wire["confirm_by"]),
        transport=_or_none(TRANSPORTS, wire.get("transport")),
        port=_number_or_none(wire.get("port"), 1, 65535),
        direction=_one_of(DIRECTIONS, wire.get("direction", "any")),
        peers=tuple(parse_peer(each) for each in wire.get("peers", ())),
        bytes_per_second=_number_or_none(wire.get("bytes_per_second"), 1, 2**62),
        packets_per_second=_number_or_none(wire.get("packets_per_second"), 1, 2**62),
        redirect_to=None if wire.get("redirect_to") is None else str(wire["redirect_to"]),
        audits=_or_none(AUDITABLE, wire.get("audits")),
        slot=_slot(target.kind, wire.get("slot")),
        copy_of=_number_or_none(wire.get("copy_of"), 1, 2**32 - 1),
        instead_of=None if wire.get("instead_of") is None else read_rule(wire["instead_of"]),
        children=bool(wire.get("children", False)),
        started=_number_or_none(wire.get("started"), 0, 2**62),
        asked=None if wire.get("asked") is None else parse_target(wire["asked"]).value,
        program=None if wire.get("program") is None else _printable(wire["program"]),
    )
    if (mode == "audit") is (rule.audits is None) or not _is_of_its_kind(rule):
        raise ValueError(f"rule {rule.id}")
    return rule


def _is_of_its_kind(rule: Rule) -> bool:
    """Return whether a rule says what is said on its kind of target, and nothing else."""
    if not rule.on_process:
        return not rule.children and rule.started is None and rule.asked is None
    return (
        TERMS[rule.judged_as].processes
        and not rule.peer_names
        and rule.service == WHOLE
        and (rule.kind == "pid") is (rule.started is not None)
        and (rule.asked is None or rule.asked.startswith(f"{rule.kind}:"))
    )


def _slot(kind: TargetKind, value: Any) -> int | None:
    """Return the slot of a rule on a kind of target, None where rules on it have none; raises ValueError."""
    slots = SLOTS.get(kind)
    if slots is None:
        if value is not None:
            raise ValueError(f"a slot of {kind}")
        return None
    return _number(value, slots.start, slots.stop - 1)


def _number(value: Any, least: int, most: int) -> int:
    """Return a whole number within bounds; raises ValueError."""
    if not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{value!r} is not from {least} to {most}")
    return value


def _printable(value: Any) -> str:
    """Return a text without control characters; raises ValueError."""
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError(f"{value!r} is not printable")
    return value


def _number_or_none(value: Any, least: int, most: int) -> int | None:
    """Return a whole number within bounds, or None; raises ValueError."""
    return None if value is None else _number(value, least, most)


def _time(value: Any) -> int:
    """Return nanoseconds since boot, before it for what ended in another life; raises ValueError."""
    return _number(value, -(2**62), 2**62)


def _one_of(known: Any, value: Any) -> Any:
    """Return a word of those that are known; raises ValueError."""
    if value not in tuple(known):
        raise ValueError(f"{value!r} is none of {', '.join(known)}")
    return value


def _or_none(known: Any, value: Any) -> Any:
    """Return a word of those that are known, or None; raises ValueError."""
    return None if value is None else _one_of(known, value)
