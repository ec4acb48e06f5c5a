"""The rules as the model holds them: what was ordered, and what each has counted."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Literal, NamedTuple

from hearthwall_sensor.modes import Allowance, Direction, Mode, Transport

from .frame import Frame


class Prefix(NamedTuple):
    """A prefix of one family; IPv4's address is mapped, its length is IPv4's."""

    version: int
    address: int
    length: int

    @classmethod
    def around(cls, version: int, address: int, length: int) -> Prefix:
        """Return the prefix of this length that an address lies in."""
        free = (32 if version == 4 else 128) - length
        return cls(version, address >> free << free, length)

    def holds(self, version: int, address: int) -> bool:
        """Return whether an address lies in it."""
        free = (32 if version == 4 else 128) - self.length
        return version == self.version and not (address ^ self.address) >> free


class Peer(NamedTuple):
    """Whom allow_only lets talk."""

    prefix: Prefix
    expires: int


@dataclass(slots=True)
class Limit:
    """How many bytes, packets or both may be owed each way before nothing passes any more."""

    of: tuple[Literal["packets", "bytes"], ...]
    burst: int
    owed: Counter[tuple[str, bool]] = field(default_factory=Counter)

    def grants(self, upload: bool, packets: int, size: int) -> bool:
        """Spend on a packet, packets before bytes; return whether it may pass."""
        for what in self.of:
            if self.owed[what, upload] > self.burst:
                return False
            self.owed[what, upload] += packets if what == "packets" else size
        return True


@dataclass(slots=True, eq=False, repr=False)
class Rule:
    """One order; `mode` None for a target that has rules on services only."""

    id: int
    mode: Mode | None
    audit: bool = False
    allow: frozenset[Allowance] = frozenset()
    direction: Direction = "any"
    expires: int = 0
    interface: int = 0
    limit: Limit | None = None
    peers: tuple[Peer, ...] = ()
    packets: int = 0
    bytes: int = 0

    def __repr__(self) -> str:
        told = ((each.name, getattr(self, each.name), each.default) for each in fields(self))
        return (
            f"Rule({', '.join(f'{name}={value}' for name, value, usual in told if value != usual)})"
        )


type Service = tuple[Transport | None, int | None]


@dataclass(slots=True)
class Target:
    """All rules on one target."""

    own: Rule
    services: dict[Service, Rule] = field(default_factory=dict)

    def rules(self) -> list[Rule]:
        """Return them all."""
        return [self.own, *self.services.values()]

    def asked(self, frame: Frame) -> Iterator[Rule]:
        """Yield those that a frame falls under, in the order in which they are asked."""
        yield self.own
        if not frame.version:
            return
        transport, port = frame.transport, frame.destination_port or None
        for service in dict.fromkeys(((transport, port), (transport, None), (None, port))):
            if service in self.services:
                yield self.services[service]


class Resolution(NamedTuple):
    """What is known of an address that a blocked name resolved to."""

    slot: int
    expires: int


@dataclass(slots=True)
class RuleSet:
    """Everything that a verdict depends on but the frame."""

    macs: dict[bytes, Target] = field(default_factory=dict)
    addresses: dict[tuple[int, int], Target] = field(default_factory=dict)
    prefixes: dict[Prefix, Target] = field(default_factory=dict)
    lists: dict[int, Rule] = field(default_factory=dict)
    feeds: dict[Prefix, int] = field(default_factory=dict)
    feeds_in: int = 0
    resolved: dict[int, Resolution] = field(default_factory=dict)
    protected_macs: set[bytes] = field(default_factory=set)
    protected_addresses: dict[int, int] = field(default_factory=dict)
    home_networks: list[Prefix] = field(default_factory=list)
    vlans: dict[int, str] = field(default_factory=dict)
    floods: dict[tuple[str, str], int] = field(default_factory=dict)

    def targets(self) -> list[Target]:
        """Return all targets."""
        return [*self.macs.values(), *self.addresses.values(), *self.prefixes.values()]

    def rules(self) -> list[Rule]:
        """Return all rules."""
        return [*(r for t in self.targets() for r in t.rules()), *self.lists.values()]

    def lines(self) -> Iterator[str]:
        """Yield what differs from no rules at all."""
        for each in fields(self):
            value = getattr(self, each.name)
            for key, held in value.items() if isinstance(value, dict) else ():
                yield f"{each.name}[{key}]: {held}"
            if value and not isinstance(value, dict):
                yield f"{each.name}: {value}"

    def reset(self) -> None:
        """Forget what was counted."""
        for rule in self.rules():
            rule.packets = rule.bytes = 0
            if rule.limit is not None:
                rule.limit.owed.clear()
