"""The rules that are in force: in memory, in the kernel and on disk at once, with what they have counted."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from .. import files
from ..kernel.layouts import Counters
from ..kernel.process_rules import ProcessRules
from ..kernel.tables import Tables
from ..notation import boot_ns
from ..protocol import SensorError
from ..targets import Target
from . import file as rules_file
from .enforcement import Enforcement, all_counters
from .joining import reconciled
from .room import sizes
from .rule import Rule, Service

_LOGGER = logging.getLogger(__name__)

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


class InForce:
    """The rules by target and service; the kernel's tables and the file follow them."""

    def __init__(self, path: Path, tables: Tables, processes: ProcessRules | None) -> None:
        """Take the file that keeps the rules, and what enforces them; None where nothing does on processes."""
        self._path = path
        self._tables = tables
        self._enforcement = Enforcement(tables, processes)
        self._rules: dict[Target, dict[Service, Rule]] = {}
        #: By the rules' ids, as they were read last.
        self._counters: dict[int, Counters] = {}
        #: The ids of those whose counters have changed since that was last asked for, whoever read them meanwhile.
        self._changed: set[int] = set()
        #: The id that the next rule gets.
        self.next_id = 1
        #: What of the file only a newer version understands, in words: it is not written then.
        self.newer: str | None = None
        #: How many files of rules were found damaged and set aside.
        self.files_damaged = 0

    def __len__(self) -> int:
        """Return how many rules there are."""
        return sum(len(on_target) for on_target in self._rules.values())

    def __iter__(self) -> Iterator[Rule]:
        """Yield every rule."""
        for on_target in self._rules.values():
            yield from on_target.values()

    @property
    def by_target(self) -> Mapping[Target, Mapping[Service, Rule]]:
        """The rules, by target and service."""
        return self._rules

    def on(self, target: Target) -> Mapping[Service, Rule]:
        """Return a target's rules."""
        return self._rules.get(target, {})

    @property
    def has_processes(self) -> bool:
        """Whether the kernel has what enforces rules on processes."""
        return self._enforcement.processes is not None

    def is_enforced(self, rule: Rule) -> bool:
        """Return whether the kernel has what enforces a rule."""
        return not rule.on_process or self.has_processes

    # Where they come from

    def restore(
        self, earlier: Mapping[int, Counters], macs_of: Callable[[str], Iterable[str]]
    ) -> None:
        """Put the rules of the disk into the kernel, with what an earlier generation has counted, by rule.

        What the kernel holds beyond them was never answered with success, and goes.
        """
        kept = rules_file.read(self._path)
        self.next_id, self.files_damaged, self.newer = kept.next_id, kept.damaged, kept.newer
        rules = reconciled(kept.rules, macs_of, kept.next_id)
        self.next_id = max((kept.next_id, *(each.id + 1 for each in rules)))
        for rule in rules:
            self._rules.setdefault(rule.about, {})[rule.service] = rule
        held = {**earlier, **all_counters(self._tables), **self._of_processes()}
        unenforced = sum(not self.is_enforced(rule) for rule in rules)
        if unenforced:
            _LOGGER.warning(
                "%d rules on processes are not enforced: the kernel has no hooks for them",
                unenforced,
            )
        for rule in rules:
            self._counters[rule.id] = held.get(rule.id, Counters())
            self._enforcement.put(rule, self._rules[rule.about], self._counters[rule.id])
        self._set_sizes()
        if self.newer is None:
            self._enforcement.keep_only(rules)

    @property
    def interfaces(self) -> Mapping[str, int]:
        """The indices of the interfaces that packets can be redirected to, by name."""
        return self._enforcement.interfaces

    @interfaces.setter
    def interfaces(self, interfaces: Mapping[str, int]) -> None:
        """Let what is redirected follow the interfaces that there are."""
        before, self._enforcement.interfaces = self._enforcement.interfaces, dict(interfaces)
        for rule in list(self):
            name = rule.redirect_to
            if name is not None and before.get(name) != interfaces.get(name):
                self._enforce(rule, self._enforcement.counters(rule))

    # Changes

    async def change(self, changes: list[Change], agree: Agreement | None = None) -> None:
        """Set and end rules in the kernel and on disk, and agree on it, or, where anything fails, nothing."""
        before = [self._now(each.target, each.service) for each in changes]
        try:
            for each in changes:
                self.set(*each)
            if changes:
                await self._write()
            if agree is not None:
                await agree()
        except SensorError:
            for each in reversed(before):
                self.set(*each)
            if agree is not None and changes:
                await self._write()
            raise

    def set(self, target: Target, service: Service, rule: Rule | None, counters: Counters) -> None:
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

    def end(self) -> list[tuple[Rule, Counters]]:
        """Forget the rules that have ended, which the kernel has stopped enforcing by itself; return them."""
        now, processes = boot_ns(), self._enforcement.processes
        over = set() if processes is None else processes.over()
        ended = [
            (rule, self.counted(rule))
            for rule in self
            if (rule.ends is not None and rule.ends <= now)
            or (rule.kind == "pid" and rule.slot in over)
        ]
        for rule, _ in ended:
            _LOGGER.info("The rule on %s has ended", rule.target)
            is_over = rule.kind == "pid" and rule.slot in over
            self.set(rule.about, rule.service, None if is_over else rule.back(now), Counters())
        return ended

    async def forget_ended(self) -> None:
        """Erase from the disk what has ended: it may name somebody who is to be forgotten; raises SensorError."""
        await self._write()
        files.previous(self._path).unlink(missing_ok=True)

    def _now(self, target: Target, service: Service) -> Change:
        """Return what brings back what a target has now."""
        rule = self._rules.get(target, {}).get(service)
        held = Counters() if rule is None else self._enforcement.counters(rule)
        return Change(target, service, rule, held)

    def _enforce(self, rule: Rule, counters: Counters) -> None:
        """Put a rule into the kernel."""
        self._enforcement.put(rule, self._rules[rule.about], counters)
        self._counters[rule.id] = counters

    def _set_sizes(self) -> None:
        """Tell the programs which tables hold rules."""
        self._tables.set_sizes(sizes(self._rules))

    async def _write(self) -> None:
        """Write the rules to disk; raises SensorError `storage_failed` or `newer_state`."""
        if self.newer is not None:
            raise SensorError(
                "newer_state",
                f"a newer version wrote {self._path} ({self.newer}), so no rule can be changed until that version is"
                " back; or move the file away, and order anew what shall hold",
            )
        await rules_file.write(self._path, list(self), self.next_id)

    # What they have counted

    def read(self) -> None:
        """Read the kernel's counters."""
        if not self._rules:
            return
        slots = [rule.slot for rule in self if rule.slot is not None and rule.kind == "domain"]
        read = {**all_counters(self._tables, slots), **self._of_processes()}
        for rule in self:
            self._note(rule, read.get(rule.id, Counters()))

    def take_changed(self) -> list[Rule]:
        """Return the rules whose counters were read to be others since this was last called."""
        changed, self._changed = self._changed, set()
        return [rule for rule in self if rule.id in changed]

    def _note(self, rule: Rule, counters: Counters) -> None:
        """Note what the kernel has counted for a rule."""
        if self._counters.get(rule.id) != counters:
            self._counters[rule.id] = counters
            self._changed.add(rule.id)

    def _of_processes(self) -> Mapping[int, Counters]:
        """Return what the kernel has counted for rules on processes, by id."""
        processes = self._enforcement.processes
        return {} if processes is None else processes.all_counters()

    def counted(self, rule: Rule) -> Counters:
        """Return what the kernel has counted for a rule until now."""
        self._note(rule, self._enforcement.counters(rule))
        return self._counters[rule.id]

    def counters(self, rule: Rule) -> Counters:
        """Return what was read last of what the kernel has counted for a rule."""
        return self._counters.get(rule.id, Counters())
