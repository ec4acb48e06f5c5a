"""Hearthwall as users have it: its programs loaded by its own loader, its rules put by its own tables."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench import frames
from bench.network import Namespace
from hearthwall_sensor.kernel import attachment, loader, pins
from hearthwall_sensor.kernel.attachment import Link
from hearthwall_sensor.kernel.libbpf import Program
from hearthwall_sensor.kernel.tables import Counters, Entry, Tables
from hearthwall_sensor.protocol import TargetKind, parse_target

LAUNCHER: Final = loader.SOURCES / "hearthwall-sensor"
_ISOLATE: Final = Entry(1, 1, 1, 0, Counters())

#: Each table of rules, and the target of its rule of a number.
TARGETS: Final = {
    "mac": frames.mac,
    "ipv4": frames.ipv4,
    "ipv6": frames.ipv6,
}


def command(*arguments: str) -> list[str]:
    """Return the command line of a sensor command."""
    return ["/usr/bin/python3", "-I", str(LAUNCHER), *arguments]


class Programs:
    """One loaded set of programs, attached to nothing, and its tables."""

    def __init__(self, directory: Path) -> None:
        self.tables = Tables(str(directory))
        self.gate: Program = Program.pinned(str(directory / "gate"))

    def fill(self, rules: Mapping[TargetKind, int]) -> None:
        """Put so many rules into each table."""
        for kind, wanted in rules.items():
            for number in range(wanted):
                self.tables.put_rule(parse_target(TARGETS[kind](number)), _ISOLATE)
        self.tables.set_sizes(rules)


@contextmanager
def loaded(folder: Path, name: str, rules: Mapping[TargetKind, int]) -> Iterator[Programs]:
    """Give programs with so many rules in each table."""
    made = pins.Pins(str(folder / name / "s.sock"))
    made.make(folder)
    directory = made.generation(loader.generation())
    subprocess.run(
        command("load", "--json", "--pins", str(directory)), check=True, capture_output=True
    )
    programs = Programs(directory)
    try:
        programs.fill(rules)
        yield programs
    finally:
        programs.tables.close()
        programs.gate.close()
        made.remove()


@contextmanager
def attached(program: Program, host: Namespace, interface: str) -> Iterator[None]:
    """Have a program in native XDP on an interface."""
    index = host.index(interface)
    link = host.inside(
        lambda: Link.create(program, index, attachment.ATTACH_XDP, attachment.XDP_FLAGS_DRV_MODE)
    )
    try:
        yield
    finally:
        link.detach()
        link.close()
