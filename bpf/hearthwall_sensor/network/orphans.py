"""Programs of a sensor that nobody knows any more: its state and its pins have gone, and the interfaces keep them.

A filter is known by its place and by the name that its program was loaded under, which netlink tells. Of a program in
XDP it tells the number only, and the name is for who may administer the system. So where that is not to be had, it is
one that was loaded shortly before such filters, and is on their interface or on the parent of their VLAN.
"""

import contextlib
import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from ..kernel import libbpf
from ..kernel.attachment import Classifier, xdp_state
from ..kernel.hooks import TC_PLACES
from ..kernel.libbpf import Program
from ..kernel.presence import is_running
from ..kernel.units import NETWORK
from .foreign import PARENTS, filter_name
from .netlink import IPRoute, NetlinkError
from .topology import NetInterface, Network

#: As libbpf names a filter: the program's name and number.
_NAMED: Final = re.compile(r"(\w+):\[(\d+)\]")
_OF_TYPE: Final = {
    kind: frozenset(name for name, (each, _) in NETWORK.programs().items() if each == kind)
    for kind in (libbpf.PROG_TYPE_SCHED_CLS, libbpf.PROG_TYPE_XDP)
}
#: Numbers are given in a row, and these programs are loaded first; others may load some in between.
_TOGETHER: Final = 200


@dataclass(slots=True)
class Orphans:
    """What was found, by number, and the names of the interfaces that it is on."""

    programs: set[int] = field(default_factory=set)
    interfaces: dict[int, str] = field(default_factory=dict)
    #: The interfaces that have programs of a sensor that runs where this process can't see it.
    elsewhere: dict[int, str] = field(default_factory=dict)


def find(network: Network, *known: Container[int]) -> Orphans:
    """Return the programs on interfaces that are a sensor's by all that is seen, and none of the known ones."""
    found = Orphans()
    for index, interface in network.interfaces.items():
        for program in _filters(index):
            if any(program in each for each in known):
                continue
            if is_running(program):
                found.elsewhere[index] = interface.name
            else:
                found.programs.add(program)
                found.interfaces[index] = interface.name
    filters = frozenset(found.programs)
    for interface in _near(network, found.interfaces):
        program = _xdp(interface.index)
        if program and not any(program in each for each in known) and _is_gate(program, filters):
            found.programs.add(program)
            found.interfaces[interface.index] = interface.name
    return found


def _filters(interface: int) -> Iterator[int]:
    """Yield the programs in our place in tc that have our names, whosever they are."""
    try:
        for place, (_, attach_point) in TC_PLACES.items():
            if not (program := Classifier(interface, attach_point).program()):
                continue
            with IPRoute() as route:
                filters = list(route.get_filters(index=interface, parent=PARENTS[place]))
            for each in filters:
                named = _NAMED.fullmatch(filter_name(each))
                is_ours = named and named[1] in _OF_TYPE[libbpf.PROG_TYPE_SCHED_CLS]
                if is_ours and named and int(named[2]) == program:
                    yield program
                    break
    except (OSError, NetlinkError):  # it has gone
        return


def _xdp(interface: int) -> int:
    """Return the program in XDP, 0 for none and for an interface that has gone."""
    with contextlib.suppress(OSError):
        return xdp_state(interface)[0]
    return 0


def _near(network: Network, interfaces: Container[int]) -> list[NetInterface]:
    """Return these interfaces, and the parents of those that are VLANs."""
    parents = {each.parent for index, each in network.interfaces.items() if index in interfaces}
    return [
        each
        for index, each in network.interfaces.items()
        if index in interfaces or index in parents
    ]


def _is_gate(program: int, filters: Iterable[int]) -> bool:
    """Return whether a program in XDP is one of ours, as far as that is to be had."""
    try:
        handle = Program.by_id(program)
    except OSError:
        return any(program < each <= program + _TOGETHER for each in filters)
    try:
        return handle.name in _OF_TYPE[libbpf.PROG_TYPE_XDP]
    finally:
        handle.close()


def told(program: int, interface: str) -> str:
    """Return what is to be done about a program in our place whose sensor's pins are not to be seen from here."""
    if is_running(program):
        return f"a sensor that runs elsewhere, as in a container, guards {interface}: stop that one first"
    return (
        f"another sensor's filter (program {program}) is on {interface}; take that out first: unload --all,"
        f" or if that does not know it: tc filter del dev {interface} ingress pref {Classifier.PRIORITY}, and egress"
    )
