"""The kernel's open tables on processes: put into, taken from, read; process_layouts.py has what their bytes are."""

import errno
import struct
from typing import Final, NamedTuple

from .compiled import shape
from .layouts import Counters
from .libbpf import Handle, Map
from .process_layouts import (
    PID_RULE,
    PROCESS,
    PROCESS_RULE,
    PROCESS_SLOTS,
    SETTINGS,
    STATISTICS,
    TABLES,
)

#: The fields of `struct process_settings`, in its order.
SETTINGS_FIELDS: Final = ("cgroup", "children", "level", "rules", "sensor", "pid_rules")

_NUMBER: Final = struct.Struct("<I")
_MASK: Final = struct.Struct("<Q")
#: Where a socket or an exchange has its image.
_IMAGE: Final = slice(0, 8)


class Process(NamedTuple):
    """`struct process`: what a process is, and whose child."""

    image: int
    parent: int
    threads: int


class SlotRule(NamedTuple):
    """`struct process_rule`: a rule on processes as the kernel holds it in its slot."""

    id: int
    expires: int = 0
    counters: Counters = Counters()
    audit: bool = False
    peers: bool = False


class PidRule(NamedTuple):
    """`struct pid_rule`: the rules on a process by its number, a bit each, and those that its children get."""

    rules: int
    children: int


class ProcessTables:
    """The open tables on processes of one generation of kernel programs."""

    def __init__(self, directory: str) -> None:
        """Open the maps pinned in directory; raises OSError, also where they are of another version."""
        self._maps: dict[str, Map] = {}
        try:
            for name, (key, value, per_cpu) in TABLES.items():
                self._maps[name] = _opened(f"{directory}/{name}", key, value, per_cpu=per_cpu)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the maps."""
        for each in self._maps.values():
            each.close()

    def map(self, name: str) -> Map:
        """Return one table, for a part of the sensor that has it to itself."""
        return self._maps[name]

    # Settings

    def settings(self) -> dict[str, int]:
        """Return what the programs are told, by field."""
        held = self._maps["process_settings"].get(bytes(4)) or bytes(SETTINGS.size)
        return dict(zip(SETTINGS_FIELDS, SETTINGS.unpack(held), strict=True))

    def set(self, **words: int) -> None:
        """Change fields of what the programs are told; the others stay."""
        held = self.settings()
        wanted = held | words
        if len(wanted) > len(held):
            raise KeyError(*(wanted.keys() - held.keys()))
        if wanted != held:
            self._maps["process_settings"].put(bytes(4), SETTINGS.pack(*wanted.values()))

    def statistics(self) -> dict[str, int]:
        """Return the programs' own counters by name, summed over the CPUs."""
        table = self._maps["process_statistics"]
        values = (table.get(_NUMBER.pack(number)) or b"" for number in range(len(STATISTICS)))
        return {
            name: sum(each for (each,) in struct.iter_unpack("<Q", value))
            for name, value in zip(STATISTICS, values, strict=True)
        }

    # Processes

    def processes(self) -> dict[int, Process]:
        """Return the processes that run, by their numbers."""
        return {
            _NUMBER.unpack(key)[0]: Process(*PROCESS.unpack(value))
            for key, value in self._maps["processes"].items()
        }

    def process(self, pid: int) -> Process | None:
        """Return a process."""
        value = self._maps["processes"].get(_NUMBER.pack(pid))
        return None if value is None else Process(*PROCESS.unpack(value))

    def put_process(self, pid: int, process: Process) -> None:
        """Tell what a process is that ran before the programs did; raises SensorError `table_full`."""
        self._maps["processes"].put(_NUMBER.pack(pid), PROCESS.pack(*process))

    def delete_process(self, pid: int) -> None:
        """Forget a process that has ended unseen."""
        self._maps["processes"].delete(_NUMBER.pack(pid))

    def images(self) -> frozenset[int]:
        """Return the images of the processes that run and of the sockets that are remembered."""
        found = {process.image for process in self.processes().values()}
        for name in ("sockets", "exchanges"):
            found.update(_MASK.unpack(value[_IMAGE])[0] for _, value in self._maps[name].items())
        return frozenset(found)

    # Rules

    def put_rule(self, slot: int, rule: SlotRule | None) -> None:
        """Put a rule into its slot, None for nothing."""
        value = bytes(PROCESS_RULE.size)
        if rule is not None:
            value = PROCESS_RULE.pack(
                rule.expires, *rule.counters, rule.id, rule.audit, rule.peers, 0
            )
        self._maps["process_rules"].put(_NUMBER.pack(slot), value)

    def rule(self, slot: int) -> SlotRule | None:
        """Return the rule in a slot with what it has counted."""
        value = self._maps["process_rules"].get(_NUMBER.pack(slot))
        if value is None:
            return None
        expires, *counters, number, audit, peers, _ = PROCESS_RULE.unpack(value)
        if not number:
            return None
        return SlotRule(number, expires, Counters(*counters), bool(audit), bool(peers))

    def rules(self) -> dict[int, SlotRule]:
        """Return the rules by their slots."""
        found = ((slot, self.rule(slot)) for slot in PROCESS_SLOTS)
        return {slot: rule for slot, rule in found if rule is not None}

    def image_rules(self) -> dict[int, int]:
        """Return the rules on images, a bit each, by the images' numbers."""
        return {
            _MASK.unpack(key)[0]: _MASK.unpack(value)[0]
            for key, value in self._maps["image_rules"].items()
        }

    def image_rule(self, image: int) -> int:
        """Return the rules on one image, a bit each."""
        value = self._maps["image_rules"].get(_MASK.pack(image))
        return 0 if value is None else int(_MASK.unpack(value)[0])

    def put_image_rule(self, image: int, rules: int) -> None:
        """Say which rules hold for an image; raises SensorError `table_full`."""
        if rules:
            self._maps["image_rules"].put(_MASK.pack(image), _MASK.pack(rules))
        else:
            self._maps["image_rules"].delete(_MASK.pack(image))

    def pid_rules(self) -> dict[int, PidRule]:
        """Return the rules on processes by their numbers."""
        return {
            _NUMBER.unpack(key)[0]: PidRule(*PID_RULE.unpack(value))
            for key, value in self._maps["pid_rules"].items()
        }

    def pid_rule(self, pid: int) -> PidRule:
        """Return the rules on one process by its number."""
        value = self._maps["pid_rules"].get(_NUMBER.pack(pid))
        return PidRule(0, 0) if value is None else PidRule(*PID_RULE.unpack(value))

    def put_pid_rule(self, pid: int, rule: PidRule) -> None:
        """Say which rules hold for a process and its children; raises SensorError `table_full`."""
        if rule.rules:
            self._maps["pid_rules"].put(_NUMBER.pack(pid), PID_RULE.pack(*rule))
        else:
            self._maps["pid_rules"].delete(_NUMBER.pack(pid))


def opened(directory: str) -> ProcessTables | None:
    """Open the tables of a generation, None where it has none or they are of another version."""
    try:
        return ProcessTables(directory)
    except OSError:
        return None


def _opened(path: str, key: int, value: int, *, per_cpu: bool) -> Map:
    """Open a pinned map; raises OSError, also where it is not as this version knows it."""
    handle = Handle.pinned(path)
    held = shape(handle.fd)
    if (held.key_size, held.value_size) != (key, value) and key:
        handle.close()
        raise OSError(errno.EINVAL, f"{path} is of another version")
    return Map(handle.fd, key, value, per_cpu=per_cpu)
