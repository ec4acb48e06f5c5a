"""Rules on processes as entries of the kernel's tables: written so that what was refused is refused at every moment."""

import posixpath
import struct
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from ..targets import Target, path_of, pid_of
from .layouts import Counters
from .process_layouts import PROCESS_PEER
from .process_tables import PidRule, ProcessTables, SlotRule
from .program_masks import (
    entry_at,
    entry_of,
    file_entry,
    mask_at,
    masks,
    name_entry,
    program_key,
)

#: Other names of the programs that rules are on; beyond them the oldest are forgotten, and learnt again when used.
MAX_ALIASES: Final = 512
#: So many processes by their numbers are looked for in one look.
_IN_A_LOOK: Final = 256
#: The longest path that the kernel compares.
_MAX_ALIAS: Final = 250
#: Paths that mean something else to each process.
_OWN: Final = (b"/proc/", b"/dev/fd/", b"/dev/std")
_MASK: Final = struct.Struct("<Q")
_ANY: Final = _MASK.pack(0)

#: A program's real path, and the path that it was executed as: a link or a script.
Paths = tuple[bytes, bytes]


class ProcessRule(NamedTuple):
    """A rule on processes, as the kernel is told it."""

    slot: int
    id: int
    target: Target
    expires: int
    """Nanoseconds since boot, 0 for never."""
    audit: bool = False
    peers: tuple[tuple[int, bytes], ...] | None = None
    """Whom they may talk to, prefix lengths and addresses in sixteen bytes; None for nobody."""
    children: bool = False
    asked: Target | None = None
    """The link by which the program was named."""
    started: int | None = None
    """When the process of a rule on a number was started, in clock ticks since boot."""

    @property
    def bit(self) -> int:
        """The rule in a mask."""
        return 1 << self.slot

    def entries(self) -> Iterator[bytes]:
        """Yield what the paths begin with that the rule is about."""
        if self.target.kind != "pid":
            yield entry_of(self.target)
            if self.asked is not None:
                yield entry_of(self.asked)


class LiveImage(NamedTuple):
    """What some process is now."""

    number: int
    executable: bytes
    """The real path."""
    file: bytes
    """The path that was asked for: the script, the link."""
    came_from: tuple[Paths, ...] = ()
    """The same of its ancestors."""


class ProcessRules:
    """The rules on processes that one generation of kernel programs enforces."""

    def __init__(self, tables: ProcessTables, started: Callable[[int], int | None]) -> None:
        """Take the tables, and what says when a process was started, None for one that is not there."""
        self._tables = tables
        self._started = started
        self._rules: dict[int, ProcessRule] = {}
        #: The rules that are on paths themselves, by entry.
        self._own: dict[bytes, int] = {}
        #: What is in the kernel's table of paths.
        self._written: dict[bytes, int] = {
            entry_at(key): _MASK.unpack(value)[0]
            for key, value in tables.map("program_rules").items()
        }
        #: Entry → the rules that hold for it because of what it leads to.
        self._aliases: dict[bytes, int] = {}
        self._turn = 0
        #: All images that processes have now; set by whoever knows.
        self.live: Callable[[], Iterable[LiveImage]] = tuple

    # Rules

    def put(self, rule: ProcessRule, counters: Counters) -> None:
        """Put a rule in force; raises SensorError `table_full`.

        Its peers are there before it, and it is there before anything leads to it.
        """
        before, held = self._rules.get(rule.slot), self._tables.rule(rule.slot)
        if before is None and (held is None or held.id != rule.id):
            self._forget_bit(rule.bit)  # of whoever had the slot before
        self._rules[rule.slot] = rule
        for key in _peer_keys(rule):
            self._tables.map("process_peers").put(key, _ANY)
        in_slot = SlotRule(rule.id, rule.expires, counters, rule.audit, rule.peers is not None)
        self._tables.put_rule(rule.slot, in_slot)
        if before is not None:
            for key in set(_peer_keys(before)).difference(_peer_keys(rule)):
                self._tables.map("process_peers").delete(key)
        self._tell()
        self._write_paths()
        if rule.target.kind == "pid":
            self._hold(rule)
        elif before is None or before[2:] != rule[2:]:
            self.refresh()

    def take_out(self, slot: int) -> None:
        """End the rule in a slot."""
        rule = self._rules.pop(slot, None)
        self._tables.put_rule(slot, None)
        if rule is None:
            return
        self._write_paths()
        self._forget_bit(rule.bit)
        self._tell()
        for key in _peer_keys(rule):
            self._tables.map("process_peers").delete(key)

    def counters(self, slot: int, number: int) -> Counters:
        """Return what the kernel has counted for the rule with this id."""
        held = self._tables.rule(slot)
        return held.counters if held is not None and held.id == number else Counters()

    def all_counters(self) -> Mapping[int, Counters]:
        """Return what the kernel has counted, by the rules' ids."""
        return slot_counters(self._tables)

    def keep_only(self, slots: Collection[int]) -> None:
        """Take out whatever belongs to rules in none of these slots."""
        for slot in set(self._tables.rules()) - set(slots):
            self._tables.put_rule(slot, None)
        known = sum(rule.bit for rule in self._rules.values())
        self._forget_bit(~known)
        self._write_paths()
        wanted = {key for rule in self._rules.values() for key in _peer_keys(rule)}
        for key in set(self._tables.map("process_peers").keys()) - wanted:
            self._tables.map("process_peers").delete(key)
        self._tell()

    def _tell(self) -> None:
        """Tell the programs how many rules there are, and which hold for what processes start."""
        by_number = sum(rule.target.kind == "pid" for rule in self._rules.values())
        self._tables.set(
            rules=len(self._rules), pid_rules=by_number, children=self._children_mask()
        )

    def _children_mask(self) -> int:
        """Return the rules that hold for what processes start as well."""
        return sum(rule.bit for rule in self._rules.values() if rule.children)

    def _forget_bit(self, bits: int) -> None:
        """Let rules hold for no process any more."""
        for image, rules in self._tables.image_rules().items():
            if rules & bits:
                self._tables.put_image_rule(image, rules & ~bits)
        for pid, rule in self._tables.pid_rules().items():
            if rule.rules & bits:
                self._tables.put_pid_rule(pid, PidRule(rule.rules & ~bits, rule.children & ~bits))

    # Programs

    def _write_paths(self) -> None:
        """Make the kernel's table of paths what the rules and the aliases say; what goes, goes last."""
        self._own = {}
        for rule in self._rules.values():
            for entry in rule.entries():
                self._own[entry] = self._own.get(entry, 0) | rule.bit
        own = dict(self._own)
        known = sum(rule.bit for rule in self._rules.values())
        self._aliases = {
            entry: bits for entry, each in self._aliases.items() if (bits := each & known)
        }
        for entry, bits in self._aliases.items():
            own[entry] = own.get(entry, 0) | bits
        table, wanted = self._tables.map("program_rules"), masks(own) | self._names()
        for entry, mask in wanted.items():
            if self._written.get(entry) != mask:
                table.put(program_key(entry), _MASK.pack(mask))
                self._written[entry] = mask
        for entry in self._written.keys() - wanted.keys():
            table.delete(program_key(entry))
            del self._written[entry]

    def _names(self) -> dict[bytes, int]:
        """Return the rules that are on executables, by their names alone."""
        names: dict[bytes, int] = {}
        for rule in self._rules.values():
            if rule.target.kind == "exe":
                entry = name_entry(path_of(rule.target))
                names[entry] = names.get(entry, 0) | rule.bit
        return names

    def rules_on(self, paths: Paths) -> int:
        """Return the rules on a program, a bit each, by its real path and the one that it was executed as."""
        executable, file = paths
        found = mask_at(self._own, executable)
        if file != executable and file.startswith(b"/"):
            found |= mask_at(self._own, posixpath.normpath(file))
        return found

    def apply(
        self, image: int, executable: bytes, file: bytes, came_from: Iterable[Paths] = ()
    ) -> None:
        """Let the rules hold for an image whose real path is known now; raises SensorError `table_full`.

        At the exec the kernel has compared only the path that was asked for.
        """
        if not self._rules or not image:
            return
        on_paths = self.rules_on((executable, file))
        children, came_from = self._children_mask(), tuple(came_from)
        inherited = 0
        if children:
            for paths in came_from:
                inherited |= self.rules_on(paths) & children
        held = self._tables.image_rule(image)
        # Of one whose ancestors are known, what the kernel held by a name alone is no inheritance
        wanted = on_paths | inherited | (0 if came_from else held & children)
        if wanted != held:
            self._tables.put_image_rule(image, wanted)
        self._remember_alias(file, on_paths)

    def _remember_alias(self, file: bytes, rules: int) -> None:
        """Let the kernel know at the next exec what a path leads to."""
        if not file.startswith(b"/") or file.startswith(_OWN) or len(file) > _MAX_ALIAS:
            return
        entry = file_entry(file)
        missing = rules & ~mask_at(self._own, file)
        if self._aliases.get(entry, 0) == missing:
            return
        self._aliases.pop(entry, None)
        if missing:
            while len(self._aliases) >= MAX_ALIASES:
                self._aliases.pop(next(iter(self._aliases)))
            self._aliases[entry] = missing
        self._write_paths()

    def refresh(self) -> None:
        """Let the rules hold for what runs already."""
        if any(rule.target.kind != "pid" for rule in self._rules.values()):
            for each in self.live():
                self.apply(*each)

    def forget_images(self) -> None:
        """Forget the rules on images that no process and no socket has any more."""
        held = self._tables.image_rules()
        if not held:
            return
        used = self._tables.images()  # read last: what is in the other table is in this one before
        for image in held.keys() - used:
            self._tables.put_image_rule(image, 0)

    # Processes by their numbers

    def _hold(self, rule: ProcessRule) -> None:
        """Let a rule hold for its process and, where it says so, for what that has started."""
        root = pid_of(rule.target)
        if rule.started is None or self._started(root) != rule.started:
            return
        self._add(root, rule)
        if not rule.children:
            for pid, held in self._tables.pid_rules().items():
                if pid != root and held.rules & rule.bit:
                    self._drop(pid, held, rule.bit)
            return
        found = {root}
        while new := self._started_by(found, rule.started):
            for pid in new:
                self._add(pid, rule)
            found |= new

    def _started_by(self, parents: Collection[int], since: int) -> set[int]:
        """Return the processes that these have started and that are not among them.

        A number that somebody had before is told by time: the process is older than its parent.
        """
        children = {
            pid
            for pid, process in self._tables.processes().items()
            if process.parent in parents and pid not in parents
        }
        return {pid for pid in children if (self._started(pid) or -1) >= since}

    def _add(self, pid: int, rule: ProcessRule) -> None:
        """Let a rule hold for a process."""
        held = self._tables.pid_rule(pid)
        children = held.children | rule.bit if rule.children else held.children & ~rule.bit
        self._tables.put_pid_rule(pid, PidRule(held.rules | rule.bit, children))

    def _drop(self, pid: int, held: PidRule, bits: int) -> None:
        """Let rules not hold for a process any more."""
        self._tables.put_pid_rule(pid, PidRule(held.rules & ~bits, held.children & ~bits))

    def over(self) -> set[int]:
        """Return the slots of rules on processes that have ended, with all that they started and a rule held too."""
        roots = {s: r for s, r in self._rules.items() if r.target.kind == "pid"}
        if not roots:
            return set()
        gone = {s for s, r in roots.items() if self._started(pid_of(r.target)) != r.started}
        held = self._tables.pid_rules()
        for slot in gone:
            pid = pid_of(roots[slot].target)
            if pid in held and not self._inherits(pid, slot, held):
                self._drop(pid, held.pop(pid), 1 << slot)
        for pid in [each for each in self._some(held) if self._started(each) is None]:
            self._tables.put_pid_rule(pid, PidRule(0, 0))
            del held[pid]
        return {slot for slot in gone if not any(each.rules >> slot & 1 for each in held.values())}

    def _some(self, pids: Iterable[int]) -> list[int]:
        """Return the processes that it is their turn to be looked at: the kernel forgets those that end by itself."""
        every = sorted(pids)
        at = self._turn % len(every) if every else 0
        self._turn += _IN_A_LOOK
        return [*every[at:], *every[:at]][:_IN_A_LOOK]

    def _inherits(self, pid: int, slot: int, held: Mapping[int, PidRule]) -> bool:
        """Return whether a process has a rule from the one that started it: its number was another's before."""
        process = self._tables.process(pid)
        parent = None if process is None else held.get(process.parent)
        return parent is not None and bool(parent.children >> slot & 1)


def slot_counters(tables: ProcessTables) -> Mapping[int, Counters]:
    """Return what a generation of programs has counted, by the rules' ids."""
    return {rule.id: rule.counters for rule in tables.rules().values()}


def _peer_keys(rule: ProcessRule) -> Iterator[bytes]:
    """Yield the places of the addresses and prefixes that a rule lets through."""
    for bits, address in rule.peers or ():
        yield PROCESS_PEER.pack(32 + bits, rule.slot, address)
