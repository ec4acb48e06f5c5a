"""Random sets of rules over the hosts of a world, such as the sensor would put in force, for hypothesis."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from hypothesis import strategies as st

from hearthwall_sensor.kernel.layouts import (
    FEED_SLOTS,
    FLOOD_KINDS,
    MAX_NESTED,
    ROLE_GATEWAY,
    ROLE_HOME_ASSISTANT,
    ROLE_OPERATOR,
    ROLE_SELF,
    SIDES,
)
from hearthwall_sensor.modes import Transport
from hearthwall_sensor.notation import boot_ns

from .rules import Limit, Peer, Prefix, Resolution, Rule, RuleSet, Service, Target
from .traffic import PORTS, VLANS
from .world import World

#: How many orders a set has, and how many throws of the dice each may use.
_ORDERS: Final = 36
_THROWS: Final = 48

_MODES: Final = (
    *("isolate",) * 6,
    *("no_internet",) * 2,
    *("allow_only",) * 2,
    *("rate_limit", "redirect"),
)
_AUDITABLE: Final = ("isolate", "no_internet", "allow_only")
_DIRECTIONS: Final = ("any", "any", "any", "any", "from_lan", "to_lan", "from_wan")
_ALLOWANCES: Final = ("addressing", "dns", "home_assistant")
_TRANSPORTS: Final[tuple[Transport | None, ...]] = ("tcp", "udp", "icmp", None)
#: Never, not while a test runs, and long ago.
_EXPIRIES: Final = (0, 0, 0, 3600 * 10**9, -1)
_LENGTHS: Final = {4: (8, 13, 16, 20, 24, 25, 30, 31, 32), 6: (24, 32, 33, 48, 64, 96, 120, 128)}
_FEEDS: Final = (0, 1, 31)
_LISTS: Final = (*_FEEDS, FEED_SLOTS, FEED_SLOTS + 1, 1055)
_ROLES: Final = (ROLE_SELF, ROLE_GATEWAY, ROLE_HOME_ASSISTANT, ROLE_OPERATOR)
_LIMITED: Final = (("packets",), ("bytes",), ("packets", "bytes"))
_BURSTS: Final = (0, 1, 3, 100, 2000)
#: Nanoseconds that a packet uses up of a flood's second: one packet passes, two, all.
_FLOOD_COSTS: Final = (4_000_000_000, 700_000_000, 1)


class Dice:
    """Choices out of bytes: hypothesis makes a failing case simpler by setting them to 0, the first choice."""

    def __init__(self, throws: bytes) -> None:
        self._throws = iter(throws)

    def of[T](self, choices: Sequence[T]) -> T:
        """Choose one."""
        return choices[next(self._throws, 0) % len(choices)]

    def some[T](self, choices: Sequence[T]) -> list[T]:
        """Choose any number of a few."""
        bits = next(self._throws, 0)
        return [each for number, each in enumerate(choices) if bits >> number & 1]

    def once_in(self, times: int) -> bool:
        """Be lucky now and then."""
        return next(self._throws, 0) % times == times - 1


class Author:
    """Writes orders down, one after the other; a second one for the same target replaces the first."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.rules = RuleSet()

    def order(self, throws: bytes) -> None:
        """Make one order, or set something of what is around."""
        dice = Dice(throws)
        dice.of(self._KINDS)(self, dice)

    def finished(self) -> RuleSet:
        """Return the rules, numbered."""
        for number, rule in enumerate(self.rules.rules(), 1):
            rule.id = number
        return self.rules

    def _nothing(self, dice: Dice) -> None:
        pass

    def _mac(self, dice: Dice) -> None:
        self.rules.macs[dice.of(self._world.macs)] = self._target(dice)

    def _address(self, dice: Dice) -> None:
        self.rules.addresses[self._host(dice)] = self._target(dice)

    def _prefix(self, dice: Dice) -> None:
        prefix = self._network(dice)
        if self.rules.prefixes and dice.once_in(2):  # around or within another
            version, address, _ = dice.of(list(self.rules.prefixes))
            prefix = Prefix.around(version, address, dice.of(_LENGTHS[version]))
        if _depth([*self.rules.prefixes, prefix]) <= MAX_NESTED:
            self.rules.prefixes[prefix] = self._target(dice)

    def _list(self, dice: Dice) -> None:
        self.rules.lists[dice.of(_LISTS)] = self._rule(dice, ("isolate",))

    def _feed(self, dice: Dice) -> None:
        self.rules.feeds_in = dice.of((1, 1, 2, 2, 0))
        mask = sum(1 << slot for slot in dice.some(_FEEDS))
        self.rules.feeds[self._network(dice)] = mask

    def _resolved(self, dice: Dice) -> None:
        slot, offset = dice.of(_LISTS), dice.of(_EXPIRIES[-2:])
        self.rules.resolved[self._host(dice)[1]] = Resolution(slot, _expiry(offset))

    def _protected_mac(self, dice: Dice) -> None:
        self.rules.protected_macs.add(dice.of(self._world.macs))

    def _protected_address(self, dice: Dice) -> None:
        self.rules.protected_addresses[self._host(dice)[1]] = dice.of(_ROLES)

    def _home_networks(self, dice: Dice) -> None:
        self.rules.home_networks = dice.some(self._world.networks)

    def _vlans(self, dice: Dice) -> None:
        self.rules.vlans = {number: dice.of(SIDES) for number in dice.some(VLANS[1:])}

    def _flood(self, dice: Dice) -> None:
        key = dice.of(SIDES), dice.of(FLOOD_KINDS)
        self.rules.floods[key] = dice.of(_FLOOD_COSTS)

    #: What an order is about, as often as it stands here.
    _KINDS: Final[tuple[Callable[..., None], ...]] = (
        _nothing,
        *(_mac,) * 3,
        *(_address,) * 5,
        *(_prefix,) * 6,
        *(_list,) * 4,
        *(_feed,) * 3,
        *(_resolved,) * 2,
        _protected_mac,
        _protected_address,
        _home_networks,
        *(_vlans,) * 2,
        *(_flood,) * 3,
    )

    def _host(self, dice: Dice) -> tuple[int, int]:
        version = dice.of((4, 6))
        return version, dice.of(self._world.addresses[version])

    def _network(self, dice: Dice) -> Prefix:
        version, address = self._host(dice)
        return Prefix.around(version, address, dice.of(_LENGTHS[version]))

    def _target(self, dice: Dice) -> Target:
        """Return rules on one target: its own, or ones on its services, or both."""
        own = Rule(0, None) if dice.once_in(5) else self._rule(dice)
        target = Target(own)
        while (dice.once_in(3) or own.mode is None) and len(target.services) < 3:
            target.services[self._service(dice)] = self._rule(dice)
            own = target.own if target.own.mode else Rule(0, "isolate")
        return target

    def _service(self, dice: Dice) -> Service:
        transport = dice.of(_TRANSPORTS)
        if transport == "icmp" or (transport and dice.once_in(2)):
            return transport, None
        return transport, dice.of([port for port in PORTS if port])

    def _rule(self, dice: Dice, modes: Sequence[Any] = _MODES) -> Rule:
        """Return one order, not numbered yet."""
        rule = Rule(0, dice.of(modes))
        rule.direction = dice.of(_DIRECTIONS)
        rule.expires = _expiry(dice.of(_EXPIRIES))
        rule.allow = frozenset(dice.some(_ALLOWANCES))
        if rule.mode in _AUDITABLE:
            rule.audit = dice.once_in(5)
        if rule.mode == "allow_only":
            rule.peers = self._peers(dice)
        if rule.mode == "rate_limit" and not dice.once_in(5):
            rule.limit = Limit(dice.of(_LIMITED), dice.of(_BURSTS))
        if rule.mode == "redirect":
            rule.interface = 1
        return rule

    def _peers(self, dice: Dice) -> tuple[Peer, ...]:
        """Return prefixes, for good, and addresses as names resolve to, for a time and in none of those."""
        named = [Peer(self._network(dice), 0) for _ in range(dice.of((0, 1, 2)))]
        version, address = self._host(dice)
        if not dice.once_in(2) or any(each.prefix.holds(version, address) for each in named):
            return tuple(named)
        host = Prefix.around(version, address, 32 if version == 4 else 128)
        return (*named, Peer(host, _expiry(dice.of(_EXPIRIES))))


@st.composite
def rule_sets(draw: Callable[..., Any], world: World) -> RuleSet:
    """Rules of every kind."""
    author = Author(world)
    one = st.binary(min_size=_THROWS, max_size=_THROWS)
    for throws in draw(st.lists(one, min_size=_ORDERS, max_size=_ORDERS)):
        author.order(throws)
    return author.finished()


def _expiry(offset: int) -> int:
    return boot_ns() + offset if offset else 0


def _depth(prefixes: list[Prefix]) -> int:
    """Return how many prefixes lie in one another at most."""
    return max(
        sum(
            wide.length <= narrow.length and wide.holds(narrow.version, narrow.address)
            for wide in prefixes
        )
        for narrow in prefixes
    )
