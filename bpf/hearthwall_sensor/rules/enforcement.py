"""Rules as entries of the kernel's tables: written so that what was dropped is dropped at every moment."""

import struct
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from ..kernel import layouts as kernel
from ..kernel.layouts import Counters, Entry, Limit
from ..kernel.process_rules import ProcessRule, ProcessRules
from ..kernel.tables import Tables
from ..notation import mapped
from ..targets import Target
from .rule import DOMAIN_SLOTS, WHOLE, Rule, Service, as_network

#: How much may pass at once after a pause: enough for a connection to find its pace, little of a second.
BURST_SECONDS: Final = 0.3
_NANOSECONDS: Final = 1_000_000_000
#: Length of the prefix, of which 32 bits are the rule's id; the id; the address.
_PEER: Final = struct.Struct("<II16s")
_NEVER: Final = bytes(8)
_ID: Final = struct.Struct("<I")


class Enforcement:
    """What one generation of kernel programs enforces and has counted."""

    def __init__(self, tables: Tables, processes: ProcessRules | None = None) -> None:
        """Take the tables, and what enforces rules on processes where the kernel has hooks for it."""
        self._tables = tables
        self.processes = processes
        self._limits = tables.map("limits")
        self._peers = tables.map("peers")
        #: Interface's name → its index, where packets are redirected to.
        self.interfaces: Mapping[str, int] = {}

    def put(self, rule: Rule, services: Collection[Service], counters: Counters) -> None:
        """Put a rule in force; services are those of all rules on its target. Raises SensorError `table_full`.

        What a rule leans on is there before the rule, and a target's entry leads to its services.
        """
        if rule.on_process:
            if self.processes is not None:
                self.processes.put(_process_rule(rule), counters)
            return
        if rule.judged_as == "rate_limit":
            self._put_limit(rule)
        for key in _peer_keys(rule):
            self._peers.put(key, _NEVER)
        entry = self._entry(rule, counters)
        if rule.slot is not None:
            self._tables.put_list_rule(rule.slot, entry)
        elif rule.service == WHOLE:
            flags = entry.flags | (kernel.FLAG_SERVICES if len(services) > 1 else 0)
            self._tables.put_rule(rule.about, entry._replace(flags=flags))
        else:
            self._tables.put_service(_key(rule), entry)
            self._lead_to_services(rule)

    def take_out(self, rule: Rule, services: Collection[Service]) -> None:
        """End a rule; services are those of the rules that stay on its target."""
        if rule.on_process:
            if self.processes is not None and rule.slot is not None:
                self.processes.take_out(rule.slot)
            return
        if rule.slot is not None:
            self._tables.put_list_rule(rule.slot, None)
        elif not services:
            self._tables.delete_rule(rule.about)
        elif rule.service == WHOLE:
            self._tables.put_rule(rule.about, _signpost(rule))
        elif set(services) == {WHOLE}:
            held = self._tables.rule(rule.about)
            if held is not None:
                flags = held.flags & ~kernel.FLAG_SERVICES
                self._tables.put_rule(rule.about, held._replace(flags=flags))
        if rule.slot is None and rule.service != WHOLE:
            self._tables.delete_service(_key(rule))
        self.forget(rule)

    def forget(self, rule: Rule) -> None:
        """Take out what a rule leaned on that is not in force any more."""
        if rule.on_process:  # what took its slot has seen to it
            return
        if rule.judged_as == "rate_limit":
            self._tables.delete_limit(rule.id)
        for key in _peer_keys(rule):
            self._peers.delete(key)

    def counters(self, rule: Rule) -> Counters:
        """Return what the kernel has counted for a rule."""
        if rule.on_process:
            if self.processes is None or rule.slot is None:
                return Counters()
            return self.processes.counters(rule.slot, rule.id)
        if rule.slot is not None:
            entry = self._tables.list_rule(rule.slot)
        elif rule.service == WHOLE:
            entry = self._tables.rule(rule.about)
        else:
            entry = self._tables.service(_key(rule))
        return entry.counters if entry is not None and entry.id == rule.id else Counters()

    def keep_only(self, rules: Collection[Rule]) -> None:
        """Take out whatever belongs to none of these rules."""
        if self.processes is not None:
            slots = (rule.slot for rule in rules if rule.on_process)
            self.processes.keep_only([slot for slot in slots if slot is not None])
        rules = [rule for rule in rules if not rule.on_process]
        services = {_key(rule) for rule in rules if rule.service != WHOLE}
        whole = {rule.about for rule in rules if rule.service == WHOLE}
        signposts = {rule.about: _signpost(rule) for rule in rules if rule.about not in whole}
        for target, entry in self._tables.rules().items():
            if target in signposts and entry.mode != kernel.MODE_NONE:
                self._tables.put_rule(target, signposts[target])
            elif target not in whole and target not in signposts:
                self._tables.delete_rule(target)
        for service in set(self._tables.services()) - services:
            self._tables.delete_service(service)
        for slot in set(DOMAIN_SLOTS) - {rule.slot for rule in rules}:
            if self._tables.list_rule(slot) is not None:
                self._tables.put_list_rule(slot, None)
        limits = {_ID.pack(rule.id) for rule in rules if rule.judged_as == "rate_limit"}
        for key in set(self._limits.keys()) - limits:
            self._limits.delete(key)
        self._keep_only_peers(rules)

    def _keep_only_peers(self, rules: Collection[Rule]) -> None:
        """Take out the peers of other rules; those that were learnt of a rule's names stay."""
        named = {key for rule in rules for key in _peer_keys(rule)}
        ids = {rule.id for rule in rules if rule.peers}
        for key, expires in self._peers.items():
            learnt = expires != _NEVER and _PEER.unpack(key)[1] in ids
            if key not in named and not learnt:
                self._peers.delete(key)

    def _put_limit(self, rule: Rule) -> None:
        """Set a rule's rate limit, unless it stands: its buckets are not to be filled by a restart."""
        if self._limits.get(_ID.pack(rule.id)) is None:
            self._tables.put_limit(rule.id, limit_of(rule))

    def _lead_to_services(self, rule: Rule) -> None:
        """Let packets of a rule's target look for rules on services."""
        held = self._tables.rule(rule.about)
        if held is None:
            self._tables.put_rule(rule.about, _signpost(rule))
        elif not held.flags & kernel.FLAG_SERVICES or held.subject != rule.subject:
            flags = held.flags | kernel.FLAG_SERVICES
            self._tables.put_rule(rule.about, held._replace(flags=flags, subject=rule.subject))

    def _entry(self, rule: Rule, counters: Counters) -> Entry:
        """Return a rule as the kernel holds it."""
        return Entry(
            id=rule.id,
            mode=kernel.MODES[rule.judged_as],
            allow=sum(kernel.ALLOWANCES[each] for each in rule.allow),
            # 0 is for ever; an end before this boot is any time in the past.
            expires=0 if rule.ends is None else max(rule.ends, 1),
            counters=counters,
            flags=kernel.FLAG_AUDIT if rule.mode == "audit" else 0,
            hooks=kernel.HOOKS[rule.direction],
            subject=rule.subject,
            # To an interface that has gone nothing is sent: what comes is dropped, not let pass.
            interface=self.interfaces.get(rule.redirect_to or "", 0),
        )


def _process_rule(rule: Rule) -> ProcessRule:
    """Return a rule on processes as the kernel is told it."""
    if rule.slot is None:
        raise ValueError(f"rule {rule.id} has no slot")
    return ProcessRule(
        slot=rule.slot,
        id=rule.id,
        target=rule.about,
        expires=0 if rule.ends is None else max(rule.ends, 1),
        audit=rule.mode == "audit",
        peers=tuple(_prefixes(rule)) if rule.judged_as == "allow_only" else None,
        children=rule.children,
        asked=None if rule.asked is None else Target(rule.kind, rule.asked),
        started=rule.started,
    )


def all_counters(tables: Tables, slots: Iterable[int] = DOMAIN_SLOTS) -> dict[int, Counters]:
    """Return what a generation of programs has counted, by the rules' ids; slots are those in use."""
    held = [*tables.rules().values(), *tables.services().values()]
    held += [entry for slot in slots if (entry := tables.list_rule(slot)) is not None]
    return {entry.id: entry.counters for entry in held if entry.id}


def limit_of(rule: Rule) -> Limit:
    """Return the token buckets of a rate limit."""
    return Limit(
        byte_cost=1024 * _NANOSECONDS // rule.bytes_per_second if rule.bytes_per_second else 0,
        packet_cost=_NANOSECONDS // rule.packets_per_second if rule.packets_per_second else 0,
        tolerance=int(BURST_SECONDS * _NANOSECONDS),
    )


def _signpost(rule: Rule) -> Entry:
    """Return the entry of a target that has rules on services only."""
    return Entry(
        id=0,
        mode=kernel.MODE_NONE,
        allow=0,
        expires=0,
        counters=Counters(),
        flags=kernel.FLAG_SERVICES,
        subject=rule.subject,
    )


def _key(rule: Rule) -> kernel.Service:
    """Return the place of a rule on a service."""
    transport = 0 if rule.transport is None else kernel.TRANSPORTS[rule.transport]
    return kernel.Service(rule.subject, transport, rule.port or 0)


def _peer_keys(rule: Rule) -> Iterable[bytes]:
    """Yield the places of the addresses and prefixes that a rule's target may talk to."""
    for bits, address in _prefixes(rule):
        yield _PEER.pack(32 + bits, rule.id, address)


def _prefixes(rule: Rule) -> Iterable[tuple[int, bytes]]:
    """Yield the addresses and prefixes that a rule's target may talk to: how long, and sixteen bytes."""
    for peer in rule.peers:
        network = as_network(peer)
        if network is not None:
            bits = network.prefixlen + (96 if network.version == 4 else 0)
            yield bits, mapped(network.network_address)
