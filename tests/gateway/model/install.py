"""Puts a model's rules into the kernel's tables, and takes them out again."""

import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Final

from hearthwall_sensor.kernel.layouts import (
    ALLOWANCES,
    FLAG_AUDIT,
    FLAG_SERVICES,
    FLOOD_KINDS,
    HOOKS,
    MODE_NONE,
    MODES,
    SIDES,
    TRANSPORTS,
    Counters,
    Entry,
    Limit,
    Service,
)
from hearthwall_sensor.kernel.libbpf import Map
from hearthwall_sensor.kernel.tables import Tables
from hearthwall_sensor.targets import Target as Order, TargetKind

from .judge import text, version_of
from .rules import Peer, Prefix, Rule, RuleSet, Target

#: What one packet or byte uses up of a limit, in nanoseconds: longer than a test lasts, for time stands
#: still in the model. A limit is half a packet more than the model's, so that it never is a tie.
_UNIT: Final = 100 * 10**9
#: The interface of a test run, and one that is not there.
_LOOPBACK: Final = 1
_ELSEWHERE: Final = 2
_VLAN_ROLES: Final = {"lan": 1, "wan": 2}


class Installed:
    """A set of rules in force, and what the kernel counts of it."""

    def __init__(self, tables: Tables, rules: RuleSet, undo: ExitStack) -> None:
        self._tables, self._rules, self._undo = tables, rules, undo
        #: How to read each rule's entry.
        self._readers: list[tuple[Rule, Callable[[], Entry | None]]] = []
        orders = [*self._orders()]
        for subject, (order, target) in enumerate(orders, 1):
            self._put_target(subject, order, target)
        kinds = [order.kind for order, _ in orders]
        tables.set_sizes({kind: kinds.count(kind) for kind in set(kinds)})
        self._put_lists()
        self._put_surroundings()

    def counters(self) -> Iterator[tuple[Rule, Counters]]:
        """Yield what the kernel has counted."""
        for rule, read in self._readers:
            entry = read()
            assert entry is not None
            yield rule, entry.counters

    def _orders(self) -> Iterator[tuple[Order, Target]]:
        for mac, target in self._rules.macs.items():
            yield Order("mac", mac.hex(":")), target
        for (version, address), target in self._rules.addresses.items():
            kind: TargetKind = "ipv4" if version == 4 else "ipv6"
            yield Order(kind, text(address)), target
        for prefix, target in self._rules.prefixes.items():
            kind = "ipv4_network" if prefix.version == 4 else "ipv6_network"
            yield Order(kind, written(prefix)), target

    def _put_target(self, subject: int, order: Order, target: Target) -> None:
        tables = self._tables
        for (transport, port), rule in target.services.items():
            protocol = TRANSPORTS[transport] if transport else 0
            service = Service(subject, protocol, port or 0)
            tables.put_service(service, entry_of(rule))
            self._undo.callback(tables.delete_service, service)
            self._readers.append((rule, partial(tables.service, service)))
        flags = FLAG_SERVICES if target.services else 0
        tables.put_rule(order, entry_of(target.own, flags, subject))
        self._undo.callback(tables.delete_rule, order)
        self._readers.append((target.own, partial(tables.rule, order)))
        for rule in target.rules():
            self._put_details(rule)

    def _put_details(self, rule: Rule) -> None:
        """Put what belongs to a rule of one mode."""
        if rule.limit is not None:
            of, burst = rule.limit.of, rule.limit.burst
            costs = _UNIT * 1024 * ("bytes" in of), _UNIT * ("packets" in of)
            self._tables.put_limit(rule.id, Limit(*costs, burst * _UNIT + _UNIT // 2))
            self._undo.callback(self._tables.delete_limit, rule.id)
        for peer in rule.peers:
            self._put("peers", _peer_key(rule, peer), struct.pack("<Q", peer.expires))

    def _put_lists(self) -> None:
        tables, rules = self._tables, self._rules
        for slot, rule in rules.lists.items():
            tables.put_list_rule(slot, entry_of(rule))
            self._undo.callback(tables.put_list_rule, slot, None)
            self._readers.append((rule, partial(tables.list_rule, slot)))
        for address, (slot, expires) in rules.resolved.items():
            value = struct.pack("<QI4x", expires, slot)
            self._put("resolved", address.to_bytes(16), value)
        tables.watch_names(resolved=bool(rules.resolved), sample=False)
        self._put_feeds()
        tables.set_feeds(rules.feeds_in)

    def _put_feeds(self) -> None:
        feeds = self._rules.feeds
        for prefix in feeds:
            version, address, length = prefix
            mask = 0  # the trie finds the longest prefix only: it speaks for those around it
            for wide, wide_mask in feeds.items():
                if wide.length <= length and wide.holds(version, address):
                    mask |= wide_mask
            size = 4 if version == 4 else 16
            key = struct.pack("<I", length) + address.to_bytes(16)[-size:]
            pair = "b" if self._rules.feeds_in == 2 else "a"
            self._put(f"feed_ipv{version}_{pair}", key, struct.pack("<I", mask))
        for name, numbers in (
            ("feed_index", {n for p in feeds if p.version == 4 for n in _blocks(p)}),
            ("feed_index6", {n for p in feeds if p.version == 6 for n in _hashes(p)}),
        ):
            self._put_bits(name, numbers)

    def _put_bits(self, name: str, numbers: set[int]) -> None:
        table = self._tables.map(name)
        pages: dict[int, bytearray] = {}
        for number in numbers:
            page = pages.setdefault(number >> 8, bytearray(32))
            page[(number & 255) >> 3] |= 1 << (number & 7)
        for page_number, page in pages.items():
            key = struct.pack("<I", page_number)
            table.put(key, bytes(page))
            self._undo.callback(table.put, key, bytes(32))

    def _put_surroundings(self) -> None:
        tables, rules = self._tables, self._rules
        tables.set_protected(
            {mac.hex(":"): 1 for mac in rules.protected_macs},
            {text(address): role for address, role in rules.protected_addresses.items()},
        )
        tables.set_home_networks([written(each) for each in rules.home_networks])
        for number, side in rules.vlans.items():
            role = struct.pack("<I", _VLAN_ROLES[side])
            self._put("vlans", struct.pack("<II", _LOOPBACK, number), role)
            self._put("vlans", struct.pack("<II", _ELSEWHERE, number + 1), role)
        costs = {
            f"flood_{side}_{kind}": rules.floods.get((side, kind), 0)
            for side in SIDES
            for kind in FLOOD_KINDS
        }
        tables._configure(**costs)
        self._undo.callback(_clear, tables.map("floods"))

    def _put(self, name: str, key: bytes, value: bytes) -> None:
        table = self._tables.map(name)
        table.put(key, value)
        self._undo.callback(table.delete, key)


@contextmanager
def installed(tables: Tables, rules: RuleSet) -> Iterator[Installed]:
    """Have rules in force, with nothing counted yet."""
    with ExitStack() as undo:
        yield Installed(tables, rules, undo)


def entry_of(rule: Rule, flags: int = 0, subject: int = 0) -> Entry:
    """Return a rule as the kernel holds it."""
    return Entry(
        id=rule.id,
        mode=MODE_NONE if rule.mode is None else MODES[rule.mode],
        allow=sum(ALLOWANCES[each] for each in rule.allow),
        expires=rule.expires,
        counters=Counters(),
        flags=flags | (FLAG_AUDIT if rule.audit else 0),
        hooks=HOOKS[rule.direction],
        subject=subject,
        interface=rule.interface,
    )


def written(prefix: Prefix) -> str:
    """Return a prefix as people write it."""
    return f"{text(prefix.address)}/{prefix.length}"


def _peer_key(rule: Rule, peer: Peer) -> bytes:
    length = peer.prefix.length + (96 if version_of(peer.prefix.address) == 4 else 0)
    return struct.pack("<II", 32 + length, rule.id) + peer.prefix.address.to_bytes(16)


def _blocks(prefix: Prefix) -> range:
    """Return the numbers of the /24 that a prefix of IPv4 touches."""
    first = (prefix.address & 0xFFFFFFFF) >> 8
    return range(first, first + (1 << max(0, 24 - prefix.length)))


def _hashes(prefix: Prefix) -> set[int]:
    """Return the hashes of all first 32 bits that an address in a prefix of IPv6 can have."""
    first = prefix.address >> 96
    every = range(first, first + (1 << max(0, 32 - prefix.length)))
    return {(each * 0x9E3779B1 & 0xFFFFFFFF) >> 12 for each in every}


def _clear(table: Map) -> None:
    for key in list(table.keys()):
        table.delete(key)
