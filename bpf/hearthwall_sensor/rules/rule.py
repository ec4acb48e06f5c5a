"""One rule, as the sensor remembers it and keeps it on disk."""

import dataclasses
import ipaddress
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from ..kernel.layouts import FEED_SLOTS, LIMITS
from ..modes import (
    ALLOWANCES,
    AUDITABLE,
    DIRECTIONS,
    MODES,
    TRANSPORTS,
    Allowance,
    Direction,
    Mode,
    Transport,
)
from ..targets import Target, TargetKind, parse_peer, parse_target

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: The slots of domains in the kernel's table of lists.
DOMAIN_SLOTS: Final = range(FEED_SLOTS, LIMITS["MAX_LISTS"])


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
    stays the same as long as the target has rules. `slot` is a domain's place in the table of lists.
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

    @property
    def about(self) -> Target:
        """Whom the rule is about."""
        return Target(self.kind, self.target)

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
        slot=_number_or_none(wire.get("slot"), DOMAIN_SLOTS.start, DOMAIN_SLOTS.stop - 1),
        copy_of=_number_or_none(wire.get("copy_of"), 1, 2**32 - 1),
        instead_of=None if wire.get("instead_of") is None else read_rule(wire["instead_of"]),
    )
    if (mode == "audit") is (rule.audits is None) or (rule.kind == "domain") is (rule.slot is None):
        raise ValueError(f"rule {rule.id}")
    return rule


def _number(value: Any, least: int, most: int) -> int:
    """Return a whole number within bounds; raises ValueError."""
    if not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{value!r} is not from {least} to {most}")
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
