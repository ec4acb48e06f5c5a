"""The rules in force: ordered, kept on disk, enforced and counted in the kernel, ended on time."""

import asyncio
import dataclasses
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from .. import files
from ..kernel.layouts import LIMITS, Counters
from ..kernel.tables import Tables
from ..modes import MAX_PEERS
from ..notation import boot_ns, epoch
from ..protocol import Block, DeviceRule, Role, SensorError
from ..requests import AddBlock, Confirm, RemoveBlock
from ..targets import Target, TargetKind, parse_target
from . import file as rules_file
from .enforcement import Enforcement, all_counters
from .joining import copies, missing, reconciled, repeated, subject_of
from .nesting import check_nesting
from .rule import DOMAIN_SLOTS, WHOLE, Rule, Service
from .terms import check

_LOGGER = logging.getLogger(__name__)

RULES_FILE: Final = "rules.json"
_NANOSECONDS: Final = 1_000_000_000
#: What rules take of the tables that they share. A rule that replaces another is there before that one
#: goes, and half of the table of peers is for addresses that are learnt.
_ROOM: Final[tuple[tuple[str, Callable[[Rule], int], int], ...]] = (
    ("services", lambda rule: rule.service != WHOLE, LIMITS["MAX_SERVICES"]),
    ("rate limits", lambda rule: rule.judged_as == "rate_limit", LIMITS["MAX_LIMITS"] - 1),
    ("peers", lambda rule: len(rule.peers), LIMITS["MAX_PEERS"] // 2 - MAX_PEERS),
)

#: Raises SensorError if this order may not be given for this target.
Guard = Callable[[Target, AddBlock], None]
#: Does what must be done together with a change of rules; raises SensorError.
Agreement = Callable[[], Awaitable[None]]


class Change(NamedTuple):
    """A rule to be set, or ended where it is None, with what it has counted so far."""

    target: Target
    service: Service
    rule: Rule | None
    counters: Counters = Counters()

    @classmethod
    def to(cls, rule: Rule, counters: Counters = Counters()) -> "Change":  # noqa: B008, it is immutable
        """Return the change that puts a rule in force."""
        return cls(rule.about, rule.service, rule, counters)


class Rules:
    """All rules of one sensor; the kernel's tables follow them."""

    def __init__(
        self,
        path: Path,
        tables: Tables,
        macs_of: Callable[[str], Iterable[str]] = lambda mac: (mac,),
    ) -> None:
        """Take the file that keeps the rules, the tables that enforce them, and what gives all MACs of a device."""
        self._path = path
        self._macs_of = macs_of
        self._tables = tables
        self._enforcement = Enforcement(tables)
        self._rules: dict[Target, dict[Service, Rule]] = {}
        #: By the rules' ids, as they were read last.
        self._counters: dict[int, Counters] = {}
        self._next_id = 1
        #: How many files of rules were found damaged and set aside.
        self.files_damaged = 0
        # One order after the other: each is in the kernel and on disk before the next is looked at.
        self._orders = asyncio.Lock()

    def __len__(self) -> int:
        """Return how many rules there are."""
        return sum(len(on_target) for on_target in self._rules.values())

    def __iter__(self) -> Iterator[Rule]:
        """Yield every rule."""
        for on_target in self._rules.values():
            yield from on_target.values()

    def restore(self, earlier: Mapping[int, Counters]) -> None:
        """Put the rules of the disk into the kernel, with what an earlier generation has counted, by rule.

        What the kernel holds beyond them was never answered with success, and goes.
        """
        kept = rules_file.read(self._path)
        self._next_id, self.files_damaged = kept.next_id, kept.damaged
        rules = reconciled(kept.rules, self._macs_of, kept.next_id)
        self._next_id = max((kept.next_id, *(each.id + 1 for each in rules)))
        for rule in rules:
            self._rules.setdefault(rule.about, {})[rule.service] = rule
        held = {**earlier, **all_counters(self._tables)}
        for rule in rules:
            self._counters[rule.id] = held.get(rule.id, Counters())
            self._enforcement.put(rule, self._rules[rule.about], self._counters[rule.id])
        self._set_sizes()
        self._enforcement.keep_only(rules)
        self.sweep()

    def interfaces_changed(self, interfaces: Mapping[str, int]) -> None:
        """Take over which interfaces there are, by name: what is redirected follows them."""
        before, self._enforcement.interfaces = self._enforcement.interfaces, dict(interfaces)
        for rule in list(self):
            name = rule.redirect_to
            if name is not None and before.get(name) != interfaces.get(name):
                self._enforce(rule, self._enforcement.counters(rule))

    # Orders

    async def add(self, order: AddBlock, guard: Guard, *, for_a_while: bool = False) -> Rule:
        """Put an order in force, first in the kernel, then on disk; raises SensorError and leaves all as it was.

        A rule on a device is a rule on each of its MACs; the one that was asked for is returned. What it
        replaces comes back at its end if it is only `for_a_while`.
        """
        ordered = boot_ns()
        target = parse_target(order.target)
        agreed = check(order, target)
        if order.redirect_to is not None and order.redirect_to not in self._enforcement.interfaces:
            raise SensorError(
                "unknown_interface",
                f"there is no interface {order.redirect_to[:40]!r} to redirect to",
            )
        async with self._orders:
            targets = self._same_device(target)
            for each in targets:
                guard(each, order)
            rule = Rule(
                id=self._next_id,
                target=target.value,
                kind=target.kind,
                mode=order.mode,
                allow=agreed.allow,
                reason=order.reason,
                created=round(time.time(), 3),
                ordered=ordered,
                subject=subject_of(self._rules, target, self._next_id),
                expires=_after(ordered, order.duration),
                confirm_by=_after(ordered, order.confirm_within),
                transport=order.transport,
                port=order.port,
                direction=order.direction,
                peers=agreed.peers,
                bytes_per_second=order.bytes_per_second,
                packets_per_second=order.packets_per_second,
                redirect_to=order.redirect_to,
                audits=agreed.audits,
                slot=self._slot(target),
            )
            rules = [
                rule,
                *(
                    repeated(rule, each, number, subject_of(self._rules, each, number), rule.id)
                    for number, each in enumerate(targets[1:], rule.id + 1)
                ),
            ]
            if for_a_while:
                rules = [self._instead(each) for each in rules]
            self._check_room(rules)
            self._next_id += len(rules)
            await self._change([Change.to(each) for each in rules])
        return rules[0]

    def _instead(self, rule: Rule) -> Rule:
        """Return a rule that lets the one whose place it takes come back."""
        before, now = self._rules.get(rule.about, {}).get(rule.service), boot_ns()
        if before is not None and before.ends is not None and before.ends <= now:
            before = before.back(now)
        return dataclasses.replace(rule, instead_of=before)

    def _same_device(self, target: Target) -> list[Target]:
        """Return the targets that an order on one of them is about, that one at the head."""
        if target.kind != "mac":
            return [target]
        others = (Target("mac", mac) for mac in self._macs_of(target.value))
        return [target, *(each for each in others if each != target)]

    def alike(self, rule: Rule) -> list[Rule]:
        """Return a rule and those that repeat it on the device's other MACs, that one at the head."""
        others = (self._rules.get(each, {}) for each in self._same_device(rule.about)[1:])
        return [rule, *(each[rule.service] for each in others if rule.service in each)]

    async def confirm(self, request: Confirm) -> Rule:
        """Keep a rule that waits to be confirmed."""
        async with self._orders:
            before = self._find(request)
            kept = [dataclasses.replace(each, confirm_by=None) for each in self.alike(before)]
            await self._change([Change.to(each, self._enforcement.counters(each)) for each in kept])
        return kept[0]

    async def remove(self, request: RemoveBlock) -> list[Block]:
        """End a rule and those that repeat it; return them as they were."""
        async with self._orders:
            rules = self.alike(self._find(request))
            blocks = [self._last(each) for each in rules]
            now = boot_ns()
            await self._change([Change(each.about, each.service, each.back(now)) for each in rules])
        return blocks

    def come_back(self, ended: Iterable[Block]) -> list[Rule]:
        """Return the rules that are in force where others have ended."""
        places = ((Target(e.kind, e.target), Service(e.transport, e.port)) for e in ended)
        found = (self._rules.get(target, {}).get(service) for target, service in places)
        return [each for each in found if each is not None]

    def _last(self, rule: Rule) -> Block:
        """Return a rule as the protocol tells it, with fresh counters."""
        self._counters[rule.id] = self._enforcement.counters(rule)
        return self.block(rule)

    async def join(self, into: str, mac: str, agree: Agreement) -> tuple[list[Block], list[Rule]]:
        """Make the rules of two devices the same: they are one when `agree` is done. Each is named by any MAC.

        Returns what ended and what was put in force.
        """
        async with self._orders:
            sides = [self._same_device(Target("mac", each)) for each in (into, mac)]
            made = missing(self._rules, sides, self._next_id)
            replaced = (self._rules.get(each.about, {}).get(each.service) for each in made)
            ended = [self._last(each) for each in replaced if each is not None]
            self._check_room(made)
            self._next_id += len(made)
            await self._change([Change.to(each) for each in made], agree)
        return ended, made

    async def part(self, mac: str, agree: Agreement) -> list[Block]:
        """Take back what a MAC and its device only repeat of each other: they are two when `agree` is done."""
        async with self._orders:
            target, *others = self._same_device(Target("mac", mac))
            ended = copies(self._rules, target, others)
            blocks = [self._last(each) for each in ended]
            await self._change([Change(each.about, each.service, None) for each in ended], agree)
        return blocks

    async def release(self, mac: str, agree: Agreement) -> None:
        """Let the rules on each MAC of a device be its own: they have nothing in common when `agree` is done."""
        async with self._orders:
            on_device = (
                self._rules.get(each, {}) for each in self._same_device(Target("mac", mac))
            )
            own = [
                Change.to(dataclasses.replace(rule, copy_of=None), self._enforcement.counters(rule))
                for on_mac in on_device
                for rule in on_mac.values()
                if rule.copy_of is not None
            ]
            await self._change(own, agree)

    def _find(self, request: Confirm | RemoveBlock) -> Rule:
        """Return the one rule that is meant; raises SensorError `not_found` or `several_rules`."""
        text, service = request.target.strip(), Service(request.transport, request.port)
        if text.isascii() and text.isdigit() and len(text) < 12:
            found = [rule for rule in self if rule.id == int(text)]
        else:
            found = list(self._rules.get(parse_target(text), {}).values())
        now = boot_ns()  # what has ended is not to be revived before it is swept up
        found = [rule for rule in found if rule.ends is None or rule.ends > now]
        if service != WHOLE:
            found = [rule for rule in found if rule.service == service]
        if not found:
            raise SensorError(
                "not_found", f"there is no rule {_named(text, service)}; `blocks` lists them"
            )
        if len(found) > 1:
            each = ", ".join(
                f"{rule.id} ({_named(rule.mode, rule.service)})" for rule in found[:20]
            )
            raise SensorError(
                "several_rules", f"{text[:80]} has {len(found)} rules: {each}; name one by its id"
            )
        return found[0]

    async def forget_ended(self) -> None:
        """Erase from the disk what has ended: it may name somebody who is to be forgotten; raises SensorError."""
        async with self._orders:
            await rules_file.write(self._path, list(self), self._next_id)
            files.previous(self._path).unlink(missing_ok=True)

    async def _change(self, changes: list[Change], agree: Agreement | None = None) -> None:
        """Set and end rules in the kernel and on disk, and agree on it, or, where anything fails, nothing."""
        before = [self._now(each.target, each.service) for each in changes]
        try:
            for each in changes:
                self._set(*each)
            if changes:
                await rules_file.write(self._path, list(self), self._next_id)
            if agree is not None:
                await agree()
        except SensorError:
            for each in reversed(before):
                self._set(*each)
            if agree is not None and changes:
                await rules_file.write(self._path, list(self), self._next_id)
            raise

    def _now(self, target: Target, service: Service) -> Change:
        """Return what brings back what a target has now."""
        rule = self._rules.get(target, {}).get(service)
        held = Counters() if rule is None else self._enforcement.counters(rule)
        return Change(target, service, rule, held)

    def _set(self, target: Target, service: Service, rule: Rule | None, counters: Counters) -> None:
        """Set or end a rule in memory and in the kernel."""
        before = self._rules.get(target, {}).get(service)
        if rule is not None:
            self._rules.setdefault(target, {})[service] = rule
            self._enforce(rule, counters)
            if before is not None and before.id != rule.id:
                self._enforcement.forget(before)
                self._counters.pop(before.id, None)
        elif before is not None:
            del self._rules[target][service]
            self._enforcement.take_out(before, self._rules[target])
            self._counters.pop(before.id, None)
            if not self._rules[target]:
                del self._rules[target]
        self._set_sizes()

    def _enforce(self, rule: Rule, counters: Counters) -> None:
        """Put a rule into the kernel."""
        self._enforcement.put(rule, self._rules[rule.about], counters)
        self._counters[rule.id] = counters

    # Room

    def _check_room(self, rules: list[Rule]) -> None:
        """Raise SensorError if rules find no place in the kernel's tables."""
        places = {(each.about, each.service) for each in rules}
        others = [each for each in self if (each.about, each.service) not in places]
        others += [e.instead_of for e in (*rules, *others) if e.instead_of is not None]
        new = {each.about for each in rules} - set(self._rules)
        sizes = self._sizes()
        sizes.update(target.kind for target in new)
        for target in new:
            # One place stays free: before Linux 6.13 a full table of prefixes lets none of them be replaced.
            if sizes[target.kind] >= LIMITS["MAX_RULES"]:
                raise SensorError("table_full")
            check_nesting(target, self._rules)
        for what, takes, most in _ROOM:
            if any(map(takes, rules)) and sum(takes(each) for each in (*rules, *others)) > most:
                raise SensorError("table_full", f"all rules together have room for {most:,} {what}")

    def _slot(self, target: Target) -> int | None:
        """Return the place of a domain's rule in the table of lists; raises SensorError `table_full`."""
        if target.kind != "domain":
            return None
        if target in self._rules:
            return self._rules[target][WHOLE].slot
        used = {rule.slot for rule in self}
        free = next((slot for slot in DOMAIN_SLOTS if slot not in used), None)
        if free is None:
            raise SensorError("table_full", f"there are rules on {len(DOMAIN_SLOTS)} domains")
        return free

    def _sizes(self) -> Counter[TargetKind]:
        """Return how many targets of each kind have rules."""
        return Counter(target.kind for target in self._rules)

    def _set_sizes(self) -> None:
        """Tell the programs which tables hold rules."""
        self._tables.set_sizes(self._sizes())

    # What time and packets do

    def sweep(self) -> list[Block]:
        """Forget the rules that have ended, which the kernel has stopped enforcing by itself; return them."""
        now = boot_ns()
        ended = [rule for rule in self if rule.ends is not None and rule.ends <= now]
        blocks = []
        for rule in ended:
            self._counters[rule.id] = self._enforcement.counters(rule)
            blocks.append(self.block(rule))
            _LOGGER.info("The rule on %s has ended", rule.target)
            self._set(rule.about, rule.service, rule.back(now), Counters())
        return blocks

    def count(self) -> list[Block]:
        """Read the kernel's counters; return the rules whose counters have changed."""
        if not self._rules:
            return []
        before = self._counters
        read = all_counters(self._tables, [rule.slot for rule in self if rule.slot is not None])
        self._counters = {rule.id: read.get(rule.id, Counters()) for rule in self}
        return [self.block(rule) for rule in self if self._counters[rule.id] != before.get(rule.id)]

    # What the rules are to others

    def blocks(self) -> list[Block]:
        """Return every rule as the protocol tells it, with fresh counters."""
        self.count()
        return [self.block(rule) for rule in sorted(self, key=lambda each: each.id)]

    def block(self, rule: Rule) -> Block:
        """Return a rule as the protocol tells it, with the counters that were read last."""
        counters = self._counters.get(rule.id, Counters())
        latency = counters.first_hit - rule.ordered
        return Block(
            id=rule.id,
            target=rule.target,
            kind=rule.kind,
            mode=rule.mode,
            allow=rule.allow,
            reason=rule.reason,
            created=rule.created,
            expires=epoch(rule.expires),
            confirm_by=epoch(rule.confirm_by),
            packets=counters.packets,
            bytes=counters.bytes,
            first_hit=epoch(counters.first_hit or None),
            last_hit=epoch(counters.last_hit or None),
            latency_ms=round(latency / 1e6, 3)
            if rule.ordered and counters.first_hit and latency >= 0
            else None,
            transport=rule.transport,
            port=rule.port,
            direction=rule.direction,
            peers=rule.peers,
            bytes_per_second=rule.bytes_per_second,
            packets_per_second=rule.packets_per_second,
            redirect_to=rule.redirect_to,
            audits=rule.audits,
        )

    def on_device(self, mac: str) -> DeviceRule | None:
        """Return the rule on all of a device's traffic, by its MAC."""
        rule = self._rules.get(Target("mac", mac), {}).get(WHOLE)
        return None if rule is None else DeviceRule(rule.id, rule.mode, epoch(rule.ends))

    def gate_needed(self, side: Role) -> bool:
        """Return whether a rule is there that XDP drops by on this side's ports."""
        directions = ("any", f"from_{side}")
        now = boot_ns()
        return any(
            rule.mode in ("isolate", "no_internet")
            and rule.kind != "domain"
            and rule.direction in directions
            and (side == "lan" or rule.kind != "mac")
            and (rule.ends is None or rule.ends > now)
            for rule in self
        )

    def domain_slots(self) -> dict[str, int]:
        """Return the domains that have a rule, each with its slot in the table of lists."""
        return {rule.target: rule.slot for rule in self if rule.slot is not None}

    def domain_peers(self) -> dict[str, set[int]]:
        """Return the names that targets may talk to, each with the ids of the rules that say so."""
        found: dict[str, set[int]] = {}
        for rule in self:
            for name in rule.peer_names:
                found.setdefault(name, set()).add(rule.id)
        return found


def _named(what: str, service: Service) -> str:
    """Return a target or a mode with the service that a rule is about."""
    return " ".join(str(each)[:80] for each in (what, *service) if each is not None)


def _after(start: int, seconds: float | None) -> int | None:
    """Return the time since boot that lies seconds after start."""
    return None if seconds is None else start + int(seconds * _NANOSECONDS)
