"""What is compiled together: sources, programs and tables of the network's unit and of the processes' one.

bcc gives the tables of one unit to all its programs, and rewrites access to them in the main text only, so a
unit's own headers are put in place here.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from . import call_layouts, compiled, layouts, libbpf, pins, process_layouts
from .process_programs import (
    CGROUP_HOOKS,
    LIFE_FIELDS,
    LIFE_TRACEPOINTS,
    PROG_TYPE_TRACEPOINT,
)

SOURCES: Final = Path(__file__).resolve().parents[2]
_INCLUDES: Final = SOURCES / "include"
_INCLUDE: Final = re.compile(r'#include "([a-z_]+\.h)"')


@dataclass(frozen=True, slots=True)
class Unit:
    """One translation unit."""

    name: str
    files: tuple[str, ...]
    programs: Callable[[], Mapping[str, tuple[int, int]]]
    """Program → its type, and the hook that it is made for, 0 where its type says it."""
    tables: Mapping[str, tuple[int, int, bool]]
    """Those that are pinned beside the programs, as their layouts declare them."""
    sizes: Mapping[str, int]
    private: tuple[str, ...] = ()
    """Tables that only the programs use."""
    steps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Table of programs that others go on with → the programs, by their places in it."""
    flags: Callable[[], tuple[str, ...]] = tuple
    """What the kernel has, for the compiler."""
    kernel: Callable[[], tuple[str, ...]] = tuple
    """How this kernel lays out what the programs read of it, where that is not fixed for all time."""

    @property
    def all_tables(self) -> tuple[str, ...]:
        """The names of its tables."""
        return (*self.tables, *self.private, *self.steps)

    def source(self) -> str:
        """Return the text that is compiled."""
        seen: set[str] = set()
        return "\n".join(line for name in self.files for line in _inline(name, seen)) + "\n"

    def defines(self) -> list[str]:
        """Return the compiler's arguments."""
        return [
            *(f"-D{name}={size}" for name, size in self.sizes.items()),
            *(f"-D{flag}" for flag in self.flags()),
        ]

    def digest(self) -> str:
        """Return a digest of all that the instructions follow from, but for the compiler and the processor.

        The programs see packets and the hooks' own arguments, which every kernel lays out alike, so its release is
        not in here; what differs between kernels is in the flags and in `kernel`.
        """
        made_of = (
            self.source(),
            *(f"{each.name}\n{each.read_text()}" for each in sorted(_INCLUDES.rglob("*.h"))),
            *self.defines(),
            *self.kernel(),
            *(f"{name} {kind} {hook}" for name, (kind, hook) in self.programs().items()),
            *self.all_tables,
        )
        return hashlib.sha256("\0".join(made_of).encode()).hexdigest()

    def differs(self, made: compiled.Unit) -> str | None:
        """Return what of a compiled unit is not as the sensor's tables have it, None if all is."""
        if set(made.tables) != set(self.all_tables):
            return f"the tables are not those of {self.name}"
        if {name: (code.kind, code.attach_type) for name, code in made.programs.items()} != dict(
            self.programs()
        ):
            return f"the programs are not those of {self.name}"
        for name, (key, value, _) in self.tables.items():
            held = made.tables[name]
            if key and (held.key_size, held.value_size) != (key, value):
                return f"Python and C differ on the layout of {name}: {held}"
        return None


def _inline(name: str, seen: set[str]) -> list[str]:
    """Return a source's lines with our own headers in place."""
    seen.add(name)
    lines = [f'#line 1 "{name}"']
    for number, line in enumerate((SOURCES / name).read_text().splitlines(), 1):
        include = _INCLUDE.fullmatch(line)
        if include is None:
            lines.append(line)
        elif include[1] not in seen:
            lines += [*_inline(include[1], seen), f'#line {number + 1} "{name}"']
    return lines


NETWORK: Final = Unit(
    name="network",
    files=("gate.c", "meter.c"),
    programs=lambda: {
        "gate": (libbpf.PROG_TYPE_XDP, 0),
        "gate_wan": (libbpf.PROG_TYPE_XDP, 0),
        "gate_vlan": (libbpf.PROG_TYPE_XDP, 0),
        "gate_judge": (libbpf.PROG_TYPE_XDP, 0),
        "meter_ingress": (libbpf.PROG_TYPE_SCHED_CLS, 0),
        "meter_egress": (libbpf.PROG_TYPE_SCHED_CLS, 0),
        "wan_ingress": (libbpf.PROG_TYPE_SCHED_CLS, 0),
        "wan_egress": (libbpf.PROG_TYPE_SCHED_CLS, 0),
        "meter_judge": (libbpf.PROG_TYPE_SCHED_CLS, 0),
        "meter_observe": (libbpf.PROG_TYPE_SCHED_CLS, 0),
    },
    tables=layouts.TABLES,
    sizes=layouts.LIMITS,
    private=("scenes", "drafts"),
    steps={"gate_steps": ("gate_judge",), "meter_steps": ("meter_judge", "meter_observe")},
    flags=lambda: () if pins.is_possible() else ("WHOLE_PROGRAMS",),
)


def _process_programs() -> dict[str, tuple[int, int]]:
    """Return the programs on processes that have a place in this kernel."""
    there = [name for name, each in LIFE_TRACEPOINTS.items() if each.folder is not None]
    return {name: (hook.kind, hook.attach_type) for name, hook in CGROUP_HOOKS.items()} | (
        dict.fromkeys((*there, *call_layouts.PROGRAMS), (PROG_TYPE_TRACEPOINT, 0))
    )


def _process_flags() -> tuple[str, ...]:
    """Return which tracepoints there are."""
    return tuple(each.flag for each in LIFE_TRACEPOINTS.values() if each.folder is not None)


def _tracepoint_layouts() -> tuple[str, ...]:
    """Return where the tracepoints on lives have what the programs read: bcc asks tracefs for it."""
    return tuple(
        place for name, each in LIFE_TRACEPOINTS.items() for place in each.layout(LIFE_FIELDS[name])
    )


PROCESSES: Final = Unit(
    name="processes",
    files=("process.c", "traffic.c", "lives.c", "calls.c", "called.c", "transfers.c"),
    programs=_process_programs,
    tables={**process_layouts.TABLES, **call_layouts.TABLES},
    sizes=process_layouts.LIMITS,
    private=(
        "pending_arguments",
        "closed_sockets",
        "draft_execs",
        "draft_names",
        *call_layouts.PRIVATE,
    ),
    flags=_process_flags,
    kernel=_tracepoint_layouts,
)
