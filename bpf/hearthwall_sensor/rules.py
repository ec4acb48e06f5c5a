"""The rules in force: ordered, kept on disk, enforced and counted in the kernel, ended on time."""

import asyncio
import dataclasses
import json
import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from . import files
from .kernel.tables import ALLOWANCES, LIMITS, MODES, Counters, Entry, Tables, boot_ns
from .protocol import MAX_REASON, AddBlock, Allowance, Block, DeviceRule, Mode, SensorError
from .targets import Target, TargetKind, check_duration, parse_target

_LOGGER = logging.getLogger(__name__)

RULES_FILE: Final = "rules.json"
_FORMAT: Final = 1
_NANOSECONDS: Final = 1_000_000_000
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")

#: What reading a file that something else wrote can end in.
_DAMAGE: Final = (
    OSError,
    ArithmeticError,
    AttributeError,
    KeyError,
    RecursionError,
    StopIteration,
    TypeError,
    ValueError,
    SensorError,
)

#: Raises SensorError if this order may not be given for this target.
Guard = Callable[[Target, AddBlock], None]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. Its times but `created` are nanoseconds since boot: the clock that the kernel ends it by."""

    id: int
    target: str
    kind: TargetKind
    mode: Mode
    allow: tuple[Allowance, ...]
    reason: str
    created: float
    ordered: int
    expires: int | None = None
    confirm_by: int | None = None

    @property
    def key(self) -> Target:
        """What the rule is about."""
        return Target(self.kind, self.target)

    @property
    def ends(self) -> int | None:
        """When the kernel stops enforcing the rule: it expires, or nobody has confirmed it."""
        return min(
            (each for each in (self.expires, self.confirm_by) if each is not None), default=None
        )

    def moved(self, nanoseconds: int) -> "Rule":
        """Return the rule with its end elsewhere on the clock."""
        return dataclasses.replace(
            self,
            ordered=0,
            expires=None if self.expires is None else self.expires + nanoseconds,
            confirm_by=None if self.confirm_by is None else self.confirm_by + nanoseconds,
        )


class Rules:
    """All rules of one sensor; the kernel's tables follow them."""

    def __init__(self, path: Path, tables: Tables) -> None:
        """Take the file that keeps the rules and the tables that enforce them."""
        self._path = path
        self._tables = tables
        self._rules: dict[Target, Rule] = {}
        self._counters: dict[Target, Counters] = {}
        self._next_id = 1
        # One order after the other: each is in the kernel and on disk before the next is looked at.
        self._orders = asyncio.Lock()

    def __len__(self) -> int:
        """Return how many rules there are."""
        return len(self._rules)

    def restore(self, earlier: dict[Target, Entry]) -> None:
        """Put the rules of the disk into the kernel, with what an earlier generation's entries have counted.

        What the kernel holds beyond them was never answered with success, and goes.
        """
        self._read()
        held = earlier | self._tables.rules()
        for rule in self._rules.values():
            entry = held.get(rule.key)
            self._enforce(
                rule, entry.counters if entry is not None and entry.id == rule.id else Counters()
            )
        self._set_sizes()
        for target in set(self._tables.rules()) - set(self._rules):
            self._tables.delete_rule(target)
        self.sweep()

    def _read(self) -> None:
        """Read the file; a damaged one is set aside and the one before it is used."""
        for path in (self._path, files.previous(self._path)):
            try:
                kept = json.loads(path.read_text())
                if kept["format"] != _FORMAT:
                    raise ValueError(f"format {kept['format']}")
                rules = _current([_rule(each) for each in kept["rules"]], kept)
                next_id = int(kept["next_id"])
            except FileNotFoundError:
                continue
            except _DAMAGE as error:
                _LOGGER.warning(
                    "The rules in %s can't be read (%r); it was set aside", path.name, error
                )
                files.set_aside(path)
                continue
            self._rules = {rule.key: rule for rule in rules}
            self._next_id = next_id
            return

    async def add(self, order: AddBlock, guard: Guard) -> Rule:
        """Put an order in force, first in the kernel, then on disk; raises SensorError and leaves all as it was."""
        ordered = boot_ns()
        target = parse_target(order.target)
        _check(order)
        guard(target, order)
        async with self._orders:
            if target not in self._rules and self._sizes()[target.kind] >= LIMITS["MAX_RULES"]:
                raise SensorError("table_full")
            rule = Rule(
                id=self._next_id,
                target=target.value,
                kind=target.kind,
                mode=order.mode,
                allow=tuple(sorted(set(order.allow))),
                reason=order.reason,
                created=round(time.time(), 3),
                ordered=ordered,
                expires=_after(ordered, order.duration),
                confirm_by=_after(ordered, order.confirm_within),
            )
            self._next_id += 1
            await self._change(target, rule, Counters())
        return rule

    async def confirm(self, text: str) -> Rule:
        """Keep a rule that waits to be confirmed."""
        async with self._orders:
            before = self._find(text)
            rule = dataclasses.replace(before, confirm_by=None)
            await self._change(rule.key, rule, self._held(rule.key))
        return rule

    async def remove(self, text: str) -> Block:
        """End a rule and return it as it was."""
        async with self._orders:
            rule = self._find(text)
            self._counters[rule.key] = self._held(rule.key)
            block = self.block(rule)
            await self._change(rule.key, None, Counters())
        return block

    async def _change(self, target: Target, rule: Rule | None, counters: Counters) -> None:
        """Set or end the rule on a target in the kernel and on disk, or, where the disk fails, neither."""
        before, held = self._rules.get(target), self._held(target)
        self._set(target, rule, counters)
        try:
            await self._save()
        except SensorError:
            self._set(target, before, held)
            raise

    def _held(self, target: Target) -> Counters:
        """Return what the kernel has counted for a target's rule."""
        entry = self._tables.rule(target)
        return Counters() if entry is None else entry.counters

    def _set(self, target: Target, rule: Rule | None, counters: Counters) -> None:
        """Set or end the rule on a target in memory and in the kernel."""
        if rule is None:
            self._rules.pop(target, None)
            self._counters.pop(target, None)
            self._set_sizes()
            self._tables.delete_rule(target)
        else:
            self._enforce(rule, counters)
            self._rules[target] = rule
            self._set_sizes()

    def sweep(self) -> list[Block]:
        """Forget the rules that have ended, which the kernel has stopped enforcing by itself; return them."""
        now = boot_ns()
        ended = [
            rule for rule in self._rules.values() if rule.ends is not None and rule.ends <= now
        ]
        blocks = [self.block(rule) for rule in ended]
        for rule in ended:
            _LOGGER.info("The rule on %s has ended", rule.target)
            self._set(rule.key, None, Counters())
        return blocks

    def count(self) -> list[Block]:
        """Read the kernel's counters; return the rules whose counters have changed."""
        if not self._rules:
            return []
        counters = {target: entry.counters for target, entry in self._tables.rules().items()}
        changed = [
            target for target, each in counters.items() if each != self._counters.get(target)
        ]
        self._counters = counters
        return [self.block(self._rules[target]) for target in changed if target in self._rules]

    def blocks(self) -> list[Block]:
        """Return every rule as the protocol tells it, with fresh counters."""
        self.count()
        return [self.block(rule) for rule in sorted(self._rules.values(), key=lambda each: each.id)]

    def block(self, rule: Rule) -> Block:
        """Return a rule as the protocol tells it, with the counters that were read last."""
        counters = self._counters.get(rule.key, Counters())
        latency = counters.first_hit - rule.ordered
        return Block(
            id=rule.id,
            target=rule.target,
            kind=rule.kind,
            mode=rule.mode,
            allow=rule.allow,
            reason=rule.reason,
            created=rule.created,
            expires=_epoch(rule.expires),
            confirm_by=_epoch(rule.confirm_by),
            packets=counters.packets,
            bytes=counters.bytes,
            first_hit=_epoch(counters.first_hit or None),
            last_hit=_epoch(counters.last_hit or None),
            latency_ms=round(latency / 1e6, 3)
            if rule.ordered and counters.first_hit and latency >= 0
            else None,
        )

    def on_device(self, mac: str) -> DeviceRule | None:
        """Return the rule on a device's MAC."""
        rule = self._rules.get(Target("mac", mac))
        return None if rule is None else DeviceRule(rule.id, rule.mode, _epoch(rule.ends))

    def _find(self, text: str) -> Rule:
        """Return the rule with this id or on this target; raises SensorError `not_found`."""
        stripped = text.strip()
        if stripped.isascii() and stripped.isdigit() and len(stripped) < 12:
            found = next((rule for rule in self._rules.values() if rule.id == int(stripped)), None)
        else:
            found = self._rules.get(parse_target(text))
        if found is None:
            raise SensorError("not_found", f"there is no rule {text[:80]}; `blocks` lists them")
        return found

    def _enforce(self, rule: Rule, counters: Counters) -> None:
        """Put a rule into the kernel."""
        allow = sum(ALLOWANCES[each] for each in rule.allow)
        # 0 is for ever; an end before this boot is any time in the past.
        expires = 0 if rule.ends is None else max(rule.ends, 1)
        self._tables.put_rule(rule.key, Entry(rule.id, MODES[rule.mode], allow, expires, counters))
        self._counters[rule.key] = counters

    def _sizes(self) -> Counter[TargetKind]:
        """Return how many rules there are of each kind."""
        return Counter(target.kind for target in self._rules)

    def _set_sizes(self) -> None:
        """Tell the programs which tables hold rules."""
        self._tables.set_sizes(self._sizes())

    async def _save(self) -> None:
        """Write the rules to disk; raises SensorError `storage_failed`."""
        kept = {
            "format": _FORMAT,
            "boot_id": _BOOT_ID.read_text().strip(),
            "saved": time.time(),
            "saved_since_boot": boot_ns(),
            "next_id": self._next_id,
            "rules": [dataclasses.asdict(rule) for rule in self._rules.values()],
        }
        await files.write_json(self._path, kept)


def _check(order: AddBlock) -> None:
    """Raise SensorError if an order's times or words make no sense."""
    for seconds in (order.duration, order.confirm_within):
        if seconds is not None:
            check_duration(seconds)
    if len(order.reason) > MAX_REASON or not order.reason.isprintable():
        raise SensorError(
            "invalid_message", f"a reason is at most {MAX_REASON} printable characters"
        )


def _rule(wire: Any) -> Rule:
    """Read a rule from the file; raises one of the errors that `_read` takes for damage."""
    target = parse_target(wire["target"])
    times = (wire["ordered"], wire["expires"] or 0, wire["confirm_by"] or 0)
    if not 0 < int(wire["id"]) < 2**32 or not all(abs(int(each)) < 2**62 for each in times):
        raise ValueError(f"rule {wire['id']}")
    return Rule(
        id=int(wire["id"]),
        target=target.value,
        kind=target.kind,
        mode=next(mode for mode in MODES if mode == wire["mode"]),
        allow=tuple(each for each in ALLOWANCES if each in wire["allow"]),
        reason=str(wire["reason"]),
        created=float(wire["created"]),
        ordered=int(wire["ordered"]),
        expires=None if wire["expires"] is None else int(wire["expires"]),
        confirm_by=None if wire["confirm_by"] is None else int(wire["confirm_by"]),
    )


def _current(rules: list[Rule], kept: Any) -> list[Rule]:
    """Return the rules on this boot's clock, with the remaining time that they had.

    A clock that stands before the save (a board without a battery, before NTP) tells no time passed.
    """
    if kept["boot_id"] == _BOOT_ID.read_text().strip():
        return rules
    away = max(0.0, time.time() - float(kept["saved"]))
    offset = boot_ns() - int(kept["saved_since_boot"]) - int(away * _NANOSECONDS)
    return [rule.moved(offset) for rule in rules]


def _after(start: int, seconds: float | None) -> int | None:
    """Return the time since boot that lies seconds after start."""
    return None if seconds is None else start + int(seconds * _NANOSECONDS)


def _epoch(nanoseconds: int | None) -> float | None:
    """Return a time since boot as seconds since the epoch, by the clock as it stands now."""
    return (
        None
        if nanoseconds is None
        else round(time.time() + (nanoseconds - boot_ns()) / _NANOSECONDS, 3)
    )
