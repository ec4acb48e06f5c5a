"""Orders on rules: given, confirmed, taken back, one after the other; and what the rules are to others."""

import asyncio
import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from ..errors import NOT_WATCHED
from ..kernel.layouts import Counters
from ..kernel.process_rules import ProcessRules
from ..kernel.program_masks import entry_of, file_entry
from ..kernel.tables import Tables
from ..notation import boot_ns, epoch
from ..program_paths import outside_container, path_bytes
from ..protocol import Block, DeviceRule, Role, SensorError
from ..requests import AddBlock, Confirm, RemoveBlock
from ..targets import PROCESS_KINDS, Target, parse_target
from .host import on_host
from .in_force import Agreement, Change, InForce
from .joining import copies, missing, repeated, subject_of
from .room import check_room, slot_for
from .rule import SLOTS, WHOLE, Rule, Service
from .telling import told
from .terms import check

RULES_FILE: Final = "rules.json"
_NANOSECONDS: Final = 1_000_000_000

#: Raises SensorError if this order may not be given for this target.
Guard = Callable[[Target, AddBlock], None]


class Rules:
    """All rules of one sensor."""

    def __init__(
        self,
        path: Path,
        tables: Tables,
        macs_of: Callable[[str], Iterable[str]] = lambda mac: (mac,),
        processes: ProcessRules | None = None,
    ) -> None:
        """Take the file that keeps the rules, what enforces them, and what gives all MACs of a device."""
        self._macs_of = macs_of
        self._in_force = InForce(path, tables, processes)
        # One order after the other: each is in the kernel and on disk before the next is looked at.
        self._orders = asyncio.Lock()

    def __len__(self) -> int:
        """Return how many rules there are."""
        return len(self._in_force)

    def __iter__(self) -> Iterator[Rule]:
        """Yield every rule."""
        return iter(self._in_force)

    @property
    def are_on_processes(self) -> bool:
        """Whether some rules are on processes."""
        return any(rule.on_process for rule in self)

    @property
    def files_damaged(self) -> int:
        """How many files of rules were found damaged and set aside."""
        return self._in_force.files_damaged

    @property
    def newer(self) -> str | None:
        """What only a newer version understands of the file of rules, in words; None for nothing."""
        return self._in_force.newer

    def restore(self, earlier: Mapping[int, Counters]) -> None:
        """Put the rules of the disk into the kernel, with what an earlier generation has counted, by rule."""
        self._in_force.restore(earlier, self._macs_of)
        self.sweep()

    def interfaces_changed(self, interfaces: Mapping[str, int]) -> None:
        """Take over which interfaces there are, by name: what is redirected follows them."""
        self._in_force.interfaces = interfaces

    # Orders

    async def add(self, order: AddBlock, guard: Guard, *, for_a_while: bool = False) -> Rule:
        """Put an order in force, first in the kernel, then on disk; raises SensorError and leaves all as it was.

        A rule on a device is a rule on each of its MACs; the one that was asked for is returned. What it
        replaces comes back at its end if it is only `for_a_while`.
        """
        ordered = boot_ns()
        named = parse_target(order.target)
        agreed = check(order, named)
        self._check_hooks(named)
        target, asked, started, program = await asyncio.to_thread(on_host, named)
        if order.redirect_to is not None and order.redirect_to not in self._in_force.interfaces:
            raise SensorError(
                "unknown_interface",
                f"there is no interface {order.redirect_to[:40]!r} to redirect to",
            )
        async with self._orders:
            targets = self._same_device(target)
            for each in targets:
                guard(each, order)
            rule = Rule(
                id=self._in_force.next_id,
                target=target.value,
                kind=target.kind,
                mode=order.mode,
                allow=agreed.allow,
                reason=order.reason,
                created=round(time.time(), 3),
                ordered=ordered,
                subject=subject_of(self._in_force.by_target, target, self._in_force.next_id),
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
                slot=slot_for(target, self._in_force.by_target),
                children=order.children,
                started=started,
                asked=None if asked is None else asked.value,
                program=program,
            )
            rules = [
                rule,
                *(
                    repeated(
                        rule,
                        each,
                        number,
                        subject_of(self._in_force.by_target, each, number),
                        rule.id,
                    )
                    for number, each in enumerate(targets[1:], rule.id + 1)
                ),
            ]
            if for_a_while:
                rules = [self._instead(each) for each in rules]
            check_room(rules, self._in_force.by_target)
            self._in_force.next_id += len(rules)
            await self._in_force.change([Change.to(each) for each in rules])
        return rules[0]

    def _check_hooks(self, target: Target) -> None:
        """Raise SensorError `missing_capability` for a rule on processes that nothing would enforce."""
        if target.kind in PROCESS_KINDS and not self._in_force.has_processes:
            raise SensorError("missing_capability", NOT_WATCHED)

    def _instead(self, rule: Rule) -> Rule:
        """Return a rule that lets the one whose place it takes come back."""
        before, now = self._in_force.on(rule.about).get(rule.service), boot_ns()
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
        others = (self._in_force.on(each) for each in self._same_device(rule.about)[1:])
        return [rule, *(each[rule.service] for each in others if rule.service in each)]

    async def confirm(self, request: Confirm) -> Rule:
        """Keep a rule that waits to be confirmed."""
        real = await asyncio.to_thread(_real, request.target)
        async with self._orders:
            before = self._find(request, real)
            kept = [dataclasses.replace(each, confirm_by=None) for each in self.alike(before)]
            await self._in_force.change(
                [Change.to(each, self._in_force.counted(each)) for each in kept]
            )
        return kept[0]

    async def remove(self, request: RemoveBlock) -> list[Block]:
        """End a rule and those that repeat it; return them as they were."""
        real = await asyncio.to_thread(_real, request.target)
        async with self._orders:
            rules = self.alike(self._find(request, real))
            blocks = [self._last(each) for each in rules]
            now = boot_ns()
            await self._in_force.change(
                [Change(each.about, each.service, each.back(now)) for each in rules]
            )
        return blocks

    def come_back(self, ended: Iterable[Block]) -> list[Rule]:
        """Return the rules that are in force where others have ended."""
        places = ((Target(e.kind, e.target), Service(e.transport, e.port)) for e in ended)
        found = (self._in_force.on(target).get(service) for target, service in places)
        return [each for each in found if each is not None]

    def _last(self, rule: Rule) -> Block:
        """Return a rule as the protocol tells it, with fresh counters."""
        return self._told(rule, self._in_force.counted(rule))

    async def join(self, into: str, mac: str, agree: Agreement) -> tuple[list[Block], list[Rule]]:
        """Make the rules of two devices the same: they are one when `agree` is done. Each is named by any MAC.

        Returns what ended and what was put in force.
        """
        async with self._orders:
            sides = [self._same_device(Target("mac", each)) for each in (into, mac)]
            made = missing(self._in_force.by_target, sides, self._in_force.next_id)
            replaced = (self._in_force.on(each.about).get(each.service) for each in made)
            ended = [self._last(each) for each in replaced if each is not None]
            check_room(made, self._in_force.by_target)
            self._in_force.next_id += len(made)
            await self._in_force.change([Change.to(each) for each in made], agree)
        return ended, made

    async def part(self, mac: str, agree: Agreement) -> list[Block]:
        """Take back what a MAC and its device only repeat of each other: they are two when `agree` is done."""
        async with self._orders:
            target, *others = self._same_device(Target("mac", mac))
            ended = copies(self._in_force.by_target, target, others)
            blocks = [self._last(each) for each in ended]
            await self._in_force.change(
                [Change(each.about, each.service, None) for each in ended], agree
            )
        return blocks

    async def release(self, mac: str, agree: Agreement) -> None:
        """Let the rules on each MAC of a device be its own: they have nothing in common when `agree` is done."""
        async with self._orders:
            on_device = (self._in_force.on(each) for each in self._same_device(Target("mac", mac)))
            own = [
                Change.to(dataclasses.replace(rule, copy_of=None), self._in_force.counted(rule))
                for on_mac in on_device
                for rule in on_mac.values()
                if rule.copy_of is not None
            ]
            await self._in_force.change(own, agree)

    def _find(self, request: Confirm | RemoveBlock, real: Target | None) -> Rule:
        """Return the one rule that is meant, by its target or what that leads to.

        Raises SensorError `not_found` or `several_rules`.
        """
        text, service = request.target.strip(), Service(request.transport, request.port)
        if text.isascii() and text.isdigit() and len(text) < 12:
            found = [rule for rule in self if rule.id == int(text)]
        else:
            target = parse_target(text)
            found = list(self._in_force.on(target).values())
            found = found or [
                rule for rule in self if rule.asked == target.value or rule.about == real
            ]
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
            await self._in_force.forget_ended()

    # What time and packets do

    def sweep(self) -> list[Block]:
        """Forget the rules that have ended, which the kernel has stopped enforcing by itself; return them."""
        return [self._told(rule, counters) for rule, counters in self._in_force.end()]

    def count(self) -> list[Block]:
        """Read the kernel's counters; return the rules whose counters have changed since this was last called."""
        self._in_force.read()
        return [self.block(rule) for rule in self._in_force.take_changed()]

    # What the rules are to others

    def blocks(self) -> list[Block]:
        """Return every rule as the protocol tells it, with fresh counters."""
        self._in_force.read()
        return [self.block(rule) for rule in sorted(self, key=lambda each: each.id)]

    def counters(self, rule: Rule) -> Counters:
        """Return what was read last of what the kernel has counted for a rule."""
        return self._in_force.counters(rule)

    def block(self, rule: Rule) -> Block:
        """Return a rule as the protocol tells it, with the counters that were read last."""
        return self._told(rule, self._in_force.counters(rule))

    def _told(self, rule: Rule, counters: Counters) -> Block:
        """Return a rule as the protocol tells it, with these counters."""
        return told(rule, counters, enforced=self._in_force.is_enforced(rule))

    def on_device(self, mac: str) -> DeviceRule | None:
        """Return the rule on all of a device's traffic, by its MAC."""
        rule = self._in_force.on(Target("mac", mac)).get(WHOLE)
        return None if rule is None else DeviceRule(rule.id, rule.mode, epoch(rule.ends))

    def on_program(self, who: str) -> DeviceRule | None:
        """Return the rule on a program (`exe:/path`): on its file, else on the narrowest folder around it."""
        path = file_entry(outside_container(path_bytes(who.partition(":")[2])))
        around = (
            rule
            for rule in self
            if rule.kind in ("exe", "dir") and path.startswith(entry_of(rule.about))
        )
        rule = max(around, key=lambda each: (each.kind == "exe", len(each.target)), default=None)
        return None if rule is None else DeviceRule(rule.id, rule.mode, epoch(rule.ends))

    def gate_needed(self, side: Role) -> bool:
        """Return whether a rule is there that XDP drops by on this side's ports."""
        directions = ("any", f"from_{side}")
        now = boot_ns()
        return any(
            rule.mode in ("isolate", "no_internet")
            and rule.kind not in SLOTS  # those are not for XDP
            and rule.direction in directions
            and (side == "lan" or rule.kind != "mac")
            and (rule.ends is None or rule.ends > now)
            for rule in self
        )

    def domain_slots(self) -> dict[str, int]:
        """Return the domains that have a rule, each with its slot in the table of lists."""
        return {
            rule.target: rule.slot
            for rule in self
            if rule.kind == "domain" and rule.slot is not None
        }

    def domain_peers(self) -> dict[str, set[int]]:
        """Return the names that targets may talk to, each with the ids of the rules that say so."""
        found: dict[str, set[int]] = {}
        for rule in self:
            for name in rule.peer_names:
                found.setdefault(name, set()).add(rule.id)
        return found


def _real(text: str) -> Target | None:
    """Return the program that a link leads to, None where the text names no program of this host."""
    try:
        return on_host(parse_target(text)).target
    except SensorError:
        return None


def _named(what: str, service: Service) -> str:
    """Return a target or a mode with the service that a rule is about."""
    return " ".join(str(each)[:80] for each in (what, *service) if each is not None)


def _after(start: int, seconds: float | None) -> int | None:
    """Return the time since boot that lies seconds after start."""
    return None if seconds is None else start + int(seconds * _NANOSECONDS)
