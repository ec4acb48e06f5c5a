"""The guarded interfaces of one sensor: programs go on those that come, and off those that go."""

import contextlib
import errno
import logging
import struct
import time
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from .kernel.attachment import Classifier, detach, remove_qdisc
from .kernel.hooks import (
    TC_PLACES,
    XDP_PLACE,
    Gates,
    Meters,
    TcWay,
    XdpWay,
    probe_tc,
    probe_xdp,
)
from .kernel.libbpf import Map, Program
from .kernel.ownership import OwnPrograms, others
from .kernel.pins import LOST as LOST_PINS, Pins, link_name
from .network import orphans
from .network.foreign import foreign, has_filters
from .network.netlink import NetlinkError
from .network.occupied import programs_on
from .network.selection import Port, Selection, select
from .network.topology import Network
from .protocol import Interface, Role, SensorError

_LOGGER = logging.getLogger(__name__)

#: Role → place → program.
METERS: Final[Mapping[Role, Mapping[str, str]]] = {
    "lan": {"ingress": "meter_ingress", "egress": "meter_egress"},
    "wan": {"ingress": "wan_ingress", "egress": "wan_egress"},
}
GATES: Final[Mapping[Role, str]] = {"lan": "gate", "wan": "gate_wan"}
#: On the parent of guarded VLANs.
GATE_OF_VLANS: Final = "gate_vlan"

#: How often it is looked whether all is as it should be, in seconds: other people's links ring no bell.
_LOOK_INTERVAL: Final = 5.0
#: A VLAN as the kernel's table has it: its parent's index and its number; and each role's value.
_VLAN: Final = struct.Struct("<II")
_VLAN_ROLES: Final[Mapping[Role, bytes]] = {
    "lan": struct.pack("<I", 1),
    "wan": struct.pack("<I", 2),
}


@dataclass(slots=True)
class _Guarded:
    """A port and what is on it."""

    port: Port
    tc: str = "off"
    foreign: tuple[str, ...] = ()


class Ports:
    """The guarded interfaces of one sensor."""

    def __init__(
        self,
        names: Mapping[str, Role],
        pins: Pins,
        tc: TcWay | None = None,
        xdp: XdpWay | None = None,
        *,
        wait: bool = False,
    ) -> None:
        """Take the interfaces' names with their roles, and how programs are attached, None to probe.

        With `wait` none of them need be there yet.
        """
        self._names = names
        self._asked = tc, xdp
        self._wait = wait
        self._pins = pins
        self._own = OwnPrograms(pins)
        self._meters = Meters(pins, tc or probe_tc(), self._own)
        self._gates = Gates(pins, xdp or probe_xdp(), self._own)
        self._programs: dict[str, Program] = {}
        self._vlans: Map | None = None
        self._guarded: dict[int, _Guarded] = {}
        self._selection = Selection()
        #: Interfaces that may bear a gate, and how it is there.
        self._states: dict[int, str] = {}
        #: Roles whose gates are wanted; None until it is said for the first time.
        self._wanted: frozenset[Role] | None = None
        self._next_look = 0.0

    @property
    def ways(self) -> tuple[str, ...]:
        """How programs are attached, as the status tells it."""
        return self._meters.way, f"xdp_{self._gates.way}"

    def adopt(self, left: Iterable[int]) -> None:
        """Take programs on interfaces for this sensor's that no pins tell of, such as those of a run without bpffs."""
        self._own.adopt(left)

    def keep_on_interfaces(self) -> None:
        """Attach in the ways that outlive the sensor without bpffs.

        Raises SensorError `missing_capability` if another way was asked for.
        """
        tc, xdp = self._asked
        if tc == "tcx" or xdp == "link":
            raise SensorError(
                "missing_capability",
                "without bpffs tcx and links of XDP end with the sensor: leave the choice to it"
                " (`auto`), or mount bpffs",
            )
        self._meters = Meters(self._pins, "clsact", self._own)
        self._gates = Gates(self._pins, xdp or "netlink", self._own)

    def lost(self) -> dict[str, str]:
        """Return what is missing for the programs to be pinned, by its name: what is lost by that."""
        return {"bpffs": LOST_PINS} if self._pins.are_held else {}

    def select(self, network: Network) -> Selection:
        """Return what is to be guarded; raises SensorError `unknown_interface` if that is nothing or can't be."""
        selection = select(self._names, network)
        for reason in selection.refused.values():
            raise SensorError("unknown_interface", reason)
        if len(selection.missing) == len(self._names) and not self._wait:
            known = ", ".join(sorted(each.name for each in network.interfaces.values()))
            name = next(iter(self._names))
            raise SensorError(
                "unknown_interface", f"there is no interface {name!r}; there are {known}"
            )
        return selection

    def check(self, network: Network, *, alone: bool = False) -> None:
        """Raise SensorError if an interface belongs to another sensor.

        One that is `alone` takes over what a sensor left that nobody knows any more.
        """
        owners = others(self._pins)
        self._own.read()
        if alone:
            self._adopt_orphans(network, owners)
        for port in self.select(network).ports.values():
            name, index = port.interface.name, port.interface.index
            for program in (*programs_on(index), *programs_on(port.gate or index)):
                if program in owners:
                    raise SensorError(
                        "interface_in_use",
                        f"another sensor guards {name}; take that out first:"
                        f" unload --socket {owners[program]}",
                    )
            for _, point in TC_PLACES.values():
                program = Classifier(index, point).program()
                if program and program not in self._own:  # its pins are not to be seen from here
                    raise SensorError("interface_in_use", orphans.told(program, name))
            foreign(index, self._own)  # names are to be had only before privileges are dropped

    def _adopt_orphans(self, network: Network, owners: Container[int]) -> None:
        """Take over the programs of a sensor whose state has gone, and with it the rules that they know."""
        found = orphans.find(network, self._own, owners)
        if found.programs:
            _LOGGER.warning(
                "A sensor that nobody knows any more has left its programs on %s: they give way, and what they"
                " dropped is not known",
                ", ".join(sorted(found.interfaces.values())),
            )
            self._own.adopt(found.programs)

    def attach(
        self, programs: dict[str, Program], network: Network, vlans: Map | None = None
    ) -> None:
        """Put these programs on every port, in place of an earlier generation's."""
        self._programs = programs
        self._vlans = vlans
        self._own.read()
        self.follow(network)
        bearers = {port.gate for port in self._selection.ports.values()} - {None}
        self._states = {each: "off" for each in bearers if each is not None}
        self._tidy(network)

    def _tidy(self, network: Network) -> None:
        """Take off what an earlier run left elsewhere."""
        metered = {index for index, each in self._guarded.items() if each.port.within is None}
        for index in network.interfaces:
            if index not in metered:
                self._meters.clear(index)
            if index not in self._states:
                self._gates.clear(index)
            _clear_qdisc(self._pins, index)
        kept = {link_name(index, place) for index in metered for place in TC_PLACES}
        kept |= {link_name(index, XDP_PLACE) for index in self._states}
        for link in self._pins.links.glob("[0-9]*"):  # others are not on interfaces
            if link.name not in kept:
                detach(link)

    def follow(self, network: Network) -> None:
        """Guard ports that have come, forget those that have gone."""
        selection = select(self._names, network)
        self._tell(selection)
        self._selection = selection
        for index in set(self._guarded) - set(selection.ports):
            _LOGGER.info("%s has gone", self._guarded[index].port.interface.name)
            del self._guarded[index]
            self._meters.clear(index)
        for index, port in selection.ports.items():
            known = self._guarded.setdefault(index, _Guarded(port))
            known.port = port
        self.look(at_once=True)

    def _tell(self, selection: Selection) -> None:
        """Log what is new."""
        for name in set(selection.missing) - set(self._selection.missing):
            _LOGGER.warning("%s is not there; it is guarded when it appears", name)
        for name in set(selection.refused) - set(self._selection.refused):
            _LOGGER.warning("Not guarded: %s", selection.refused[name])
        for index, port in selection.ports.items():
            if port.role == "lan" and port.interface.default_route and index not in self._guarded:
                _LOGGER.warning(
                    "%s leads to this host's default gateway: is it the home's side?",
                    port.interface.name,
                )

    def gate(self, *, lan: bool, wan: bool) -> None:
        """Put the gates of a role on its ports, or take them off: they cost something only while rules need them."""
        wanted: tuple[tuple[Role, bool], ...] = (("lan", lan), ("wan", wan))
        self._wanted = frozenset(role for role, is_wanted in wanted if is_wanted)
        self._keep_gates()

    def look(self, *, at_once: bool = False) -> bool:
        """See to it that everything is in its place, if it is time; return whether what is reported changed."""
        now = time.monotonic()
        if not at_once and not self._is_incomplete() and now < self._next_look:
            return False
        before = self.report()
        for each in list(self._guarded.values()):
            self._keep_meters(each)
        self._keep_gates()
        if at_once or now >= self._next_look:
            self._next_look = now + _LOOK_INTERVAL
            self._look_for_others()
        return self.report() != before

    def _is_incomplete(self) -> bool:
        """Return whether the next look may better something."""
        failed = any(each.tc == "failed" for each in self._guarded.values())
        return failed or "foreign" in self._states.values()

    def _keep_meters(self, guarded: _Guarded) -> None:
        """Have the port's programs in tc."""
        port = guarded.port
        if port.within is not None:
            self._meters.clear(port.interface.index)
            guarded.tc = "parent"
            return
        programs = {place: self._programs[name] for place, name in METERS[port.role].items()}
        try:
            self._meters.keep(port.interface.index, programs)
            guarded.tc = self._meters.way
        except OSError as error:
            if guarded.tc != "failed" and error.errno != errno.ENODEV:  # it has just gone
                _LOGGER.warning("%s can't be guarded: %s", port.interface.name, error)
            guarded.tc = "failed"

    def _keep_gates(self) -> None:
        """Have the gates on where they are wanted, and off elsewhere."""
        if self._wanted is None:
            return
        self._fill_vlans()
        wanted = self._wanted_gates(self._wanted)
        for index in set(self._states) - set(wanted):
            self._gates.clear(index)
            del self._states[index]
        for index, name in wanted.items():
            self._keep_gate(index, self._programs[name])

    def _wanted_gates(self, roles: frozenset[Role]) -> dict[int, str]:
        """Return the interfaces that are to bear a gate, with the program's name."""
        wanted: dict[int, str] = {}
        for port in self._selection.ports.values() if self._gates.way != "off" else ():
            if port.role in roles and port.gate is not None and port.within is None:
                own = port.gate == port.interface.index
                wanted[port.gate] = GATES[port.role] if own else GATE_OF_VLANS
        return wanted

    def _keep_gate(self, index: int, program: Program) -> None:
        """Have one gate on; a driver that refused it is not asked again while the gate is wanted."""
        before = self._states.get(index, "off")
        if before == "unavailable":
            return
        try:
            self._states[index] = self._gates.keep(index, program)
        except OSError:  # it has just gone
            self._states[index] = "off"
        after = self._states[index]
        if after != before and after in ("foreign", "unavailable"):
            why = "another XDP program" if after == "foreign" else "no XDP program"
            names = [
                each.port.interface.name
                for each in self._guarded.values()
                if each.port.gate == index
            ]
            _LOGGER.warning("%s takes %s: tc drops in its place", ", ".join(names), why)

    def _fill_vlans(self) -> None:
        """Tell the parents' gate which VLANs are guarded."""
        if self._vlans is None:
            return
        wanted = {
            _VLAN.pack(port.gate, port.interface.vlan): _VLAN_ROLES[port.role]
            for port in self._selection.ports.values()
            if port.gate not in (None, port.interface.index) and port.within is None
        }
        present = dict(self._vlans.items())
        for key, value in wanted.items():
            if present.get(key) != value:
                self._vlans.put(key, value)
        for key in set(present) - set(wanted):
            self._vlans.delete(key)

    def _look_for_others(self) -> None:
        """See which programs of others are on the ports, and say so once."""
        for each in list(self._guarded.values()):
            interface = each.port.interface
            found = foreign(interface.index, self._own)
            if each.port.gate not in (None, interface.index):
                found += foreign(each.port.gate, self._own)
            if new := set(found) - set(each.foreign):
                _LOGGER.info(
                    "%s bears programs of others, which are left alone: %s",
                    interface.name,
                    ", ".join(sorted(new)),
                )
            each.foreign = found

    def report(self) -> tuple[Interface, ...]:
        """Return the guarded interfaces, and those that are missing, as the protocol tells them."""
        # A thread may be at work on the ports.
        guarded = sorted(dict(self._guarded).items())
        return (
            *(
                Interface(
                    name=each.port.interface.name,
                    index=index,
                    bridge=each.port.bridge,
                    xdp=self._xdp(each.port),
                    tc=each.tc,
                    role=each.port.role,
                    foreign=each.foreign,
                )
                for index, each in guarded
            ),
            *(
                Interface(name=name, index=0, bridge=None, xdp="off", tc="missing", role=role)
                for name, role in self._selection.missing.items()
            ),
        )

    def _xdp(self, port: Port) -> str:
        """Return how a port's gate is."""
        if self._gates.way == "off" or self._wanted is None or port.role not in self._wanted:
            return "off"
        return "unavailable" if port.gate is None else self._states.get(port.gate, "off")

    def home(self, network: Network) -> set[int]:
        """Return the interfaces that lead to the home, by index."""
        ports = select(self._names, network).ports.values()
        return {each.interface.index for each in ports if each.role == "lan"}

    def names(self) -> dict[int, str]:
        """Return the guarded interfaces' names by index."""
        return {index: each.port.interface.name for index, each in dict(self._guarded).items()}


def take_out(pins: Pins, interfaces: Iterable[int], left: Iterable[int] = ()) -> None:
    """Take this sensor's programs off these interfaces, however they were attached, and what it has left by id.

    With them go the qdiscs that were made for them, where nobody else uses these by now.
    """
    own = OwnPrograms(pins)
    own.read()
    own.adopt(left)
    meters, gates = Meters(pins, "clsact", own), Gates(pins, "netlink", own)
    for index in interfaces:
        meters.clear(index)
        gates.clear(index)
        _clear_qdisc(pins, index)


def _clear_qdisc(pins: Pins, index: int) -> None:
    """Take off the qdisc that was made for this sensor's filters, if there are none of anybody."""
    if pins.has_made_qdisc(index):
        with contextlib.suppress(OSError, NetlinkError):  # the interface has gone, or the qdisc
            if not has_filters(index):
                remove_qdisc(index)
