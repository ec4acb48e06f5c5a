"""The rules in force: ordered, kept on disk, enforced and counted in the kernel, ended on time."""

import asyncio
import dataclasses
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from ..kernel.tables import LIMITS, Counters, Tables, boot_ns, epoch
from ..modes import MAX_PEERS
from ..protocol import Block, DeviceRule, Role, SensorError
from ..requests import AddBlock, Confirm, RemoveBlock
from ..targets import Target, TargetKind, parse_target
from . import file as rules_file
from .enforcement import Enforcement, all_counters
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


class Rules:
    """All rules of one sensor; the kernel's tables follow them."""

    def __init__(self, path: Path, tables: Tables) -> None:
        """Take the file that keeps the rules and the tables that enforce them."""
        self._path = path
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
        for rule in kept.rules:
            self._rules.setdefault(rule.about, {})[rule.service] = rule
        held = {**earlier, **all_counters(self._tables)}
        for rule in kept.rules:
            self._counters[rule.id] = held.get(rule.id, Counters())
            self._enforcement.put(rule, self._rules[rule.about], self._counters[rule.id])
        self._set_sizes()
        self._enforcement.keep_only(kept.rules)
        self.sweep()

    def interfaces_changed(self, interfaces: Mapping[str, int]) -> None:
        """Take over which interfaces there are, by name: what is redirected follows them."""
        before, self._enforcement.interfaces = self._enforcement.interfaces, dict(interfaces)
        for rule in list(self):
            name = rule.redirect_to
            if name is not None and before.get(name) != interfaces.get(name):
                self._enforce(rule, self._enforcement.counters(rule))

    # Orders

    async def add(self, order: AddBlock, guard: Guard) -> Rule:
        """Put an order in force, first in the kernel, then on disk; raises SensorError and leaves all as it was."""
        ordered = boot_ns()
        target = parse_target(order.target)
        agreed = check(order, target)
        guard(target, order)
        if order.redirect_to is not None and order.redirect_to not in self._enforcement.interfaces:
            raise SensorError(
                "unknown_interface",
                f"there is no interface {order.redirect_to[:40]!r} to redirect to",
            )
        async with self._orders:
            on_target = self._rules.get(target, {})
            rule = Rule(
                id=self._next_id,
                target=target.value,
                kind=target.kind,
                mode=order.mode,
                allow=agreed.allow,
                reason=order.reason,
                created=round(time.time(), 3),
                ordered=ordered,
                subject=next((each.subject for each in on_target.values()), self._next_id),
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
            self._check_room(rule)
            self._next_id += 1
            await self._change(rule.about, rule.service, rule, Counters())
        return rule

    async def confirm(self, request: Confirm) -> Rule:
        """Keep a rule that waits to be confirmed."""
        async with self._orders:
            before = self._find(request)
            rule = dataclasses.replace(before, confirm_by=None)
            counters = self._enforcement.counters(before)
            await self._change(rule.about, rule.service, rule, counters)
        return rule

    async def remove(self, request: RemoveBlock) -> Block:
        """End a rule and return it as it was."""
        async with self._orders:
            rule = self._find(request)
            self._counters[rule.id] = self._enforcement.counters(rule)
            block = self.block(rule)
            await self._change(rule.about, rule.service, None, Counters())
        return block

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

    async def _change(
        self, target: Target, service: Service, rule: Rule | None, counters: Counters
    ) -> None:
        """Set or end a rule in the kernel and on disk, or, where either fails, neither."""
        before = self._rules.get(target, {}).get(service)
        held = Counters() if before is None else self._enforcement.counters(before)
        try:
            self._set(target, service, rule, counters)
            await rules_file.write(self._path, list(self), self._next_id)
        except SensorError:
            self._set(target, service, before, held)
            raise

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

    def _check_room(self, rule: Rule) -> None:
        """Raise SensorError `table_full` if a rule finds no place in the kernel's tables."""
        on_target = self._rules.get(rule.about, {})
        others = [each for each in self if (each.about, each.service) != (rule.about, rule.service)]
        # One place stays free: before Linux 6.13 a full table of prefixes lets none of them be replaced.
        if not on_target and self._sizes()[rule.kind] >= LIMITS["MAX_RULES"] - 1:
            raise SensorError("table_full")
        if not on_target:
            check_nesting(rule.about, self._rules)
        for what, takes, most in _ROOM:
            if takes(rule) and sum(takes(each) for each in (rule, *others)) > most:
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
            self._set(rule.about, rule.service, None, Counters())
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
