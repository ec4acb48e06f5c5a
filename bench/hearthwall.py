"""Hearthwall as users have it: its programs loaded by its own loader, its rules put by its own tables."""

import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench import frames
from bench.network import Namespace
from hearthwall_sensor.kernel import attachment, loader, pins, units
from hearthwall_sensor.kernel.attachment import Link
from hearthwall_sensor.kernel.layouts import (
    ALLOWANCES,
    FLAG_SERVICES,
    MODE_NONE,
    MODES,
    TRANSPORTS,
    Counters,
    Entry,
    Service,
)
from hearthwall_sensor.kernel.libbpf import Program
from hearthwall_sensor.kernel.tables import Tables
from hearthwall_sensor.targets import TargetKind, parse_target

LAUNCHER: Final = units.SOURCES / "hearthwall-sensor"
ISOLATE: Final = Entry(1, MODES["isolate"], ALLOWANCES["addressing"], 0, Counters())
#: The first number of the MACs that have a rule on a service.
SERVED: Final = 32768

#: What there can be rules on, and the target of the rule of a number.
TARGETS: Final[Mapping[TargetKind, Callable[[int], str]]] = {
    "mac": frames.mac,
    "ipv4": frames.ipv4,
    "ipv6": frames.ipv6,
    "ipv4_network": frames.ipv4_network,
    "ipv6_network": frames.ipv6_network,
}


def command(*arguments: str) -> list[str]:
    """Return the command line of a sensor command."""
    return ["/usr/bin/python3", "-I", str(LAUNCHER), *arguments]


class Programs:
    """One loaded set of programs, attached to nothing, and its tables."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.tables = Tables(str(directory))
        self.gate = self.program("gate")

    def program(self, name: str) -> Program:
        """Return one of the programs."""
        opened: Program = Program.pinned(str(self.directory / name))
        return opened

    def fill(self, rules: int, kinds: Iterable[TargetKind], services: int) -> None:
        """Put so many rules on each kind of target, and on a service of so many other devices."""
        sizes = dict.fromkeys(kinds, rules)
        for kind in sizes:
            for number in range(rules):
                self.tables.put_rule(parse_target(TARGETS[kind](number)), ISOLATE)
        for number in range(services):
            device = ISOLATE._replace(mode=MODE_NONE, flags=FLAG_SERVICES, subject=number)
            self.tables.put_rule(parse_target(frames.mac(SERVED + number)), device)
            self.tables.put_service(Service(number, TRANSPORTS["udp"], frames.PORT), ISOLATE)
        self.tables.set_sizes(sizes)


@contextmanager
def loaded(
    folder: Path,
    name: str,
    rules: int,
    kinds: Iterable[TargetKind] = tuple(TARGETS),
    services: int = 0,
) -> Iterator[Programs]:
    """Give programs with so many rules on each of these kinds, and so many on services."""
    made = pins.Pins(str(folder / name / "s.sock"))
    made.make(folder)
    directory = made.generation(loader.generation())
    line = command("load", "--json", "--pins", str(directory))
    done = subprocess.run(line, check=False, capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"the programs do not load: {(done.stdout + done.stderr)[-400:]}")
    programs = Programs(directory)
    try:
        programs.fill(rules, kinds, services)
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
