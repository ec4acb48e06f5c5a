"""Putting the programs on the guarded interfaces, and taking them off."""

import contextlib
import errno
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from .kernel import attachment as libbpf
from .kernel.attachment import Classifier, Link, detach
from .kernel.libbpf import Program
from .kernel.pins import Pins, link_name, others_on
from .network.topology import NetInterface, Network
from .protocol import Interface, SensorError

_LOGGER = logging.getLogger(__name__)

TcWay = Literal["tcx", "clsact"]

#: Place → (program, tcx attach type, clsact attach point).
_METERS: Final = {
    "ingress": ("meter_ingress", libbpf.ATTACH_TCX_INGRESS, libbpf.TC_INGRESS),
    "egress": ("meter_egress", libbpf.ATTACH_TCX_EGRESS, libbpf.TC_EGRESS),
}
_GATE: Final = "gate"
#: Mode → how `ip link` calls it.
_TURN_OFF: Final = {"off": "xdp", "native": "xdp", "generic": "xdpgeneric"}
_XDP_FLAGS: Final = {"native": libbpf.XDP_FLAGS_DRV_MODE, "generic": libbpf.XDP_FLAGS_SKB_MODE}


@dataclass(slots=True)
class _Port:
    """A guarded interface and what is on it."""

    interface: NetInterface
    bridge: str | None
    xdp: str = "off"


class Ports:
    """The guarded interfaces of one sensor."""

    def __init__(self, names: tuple[str, ...], pins: Pins, way: TcWay | None = None) -> None:
        """Take the interfaces' names (of bridges or plain ones) and how tc programs are attached, None to probe."""
        self._names = names
        self._pins = pins
        self.way: TcWay = way or ("tcx" if libbpf.probe_tcx() else "clsact")
        self._ports: dict[int, _Port] = {}
        self._programs: dict[str, Program] = {}
        self._gated = False

    def wanted(self, network: Network) -> dict[int, _Port]:
        """Return what is to be guarded as the network stands; raises SensorError `unknown_interface`."""
        found: dict[int, _Port] = {}
        for name in self._names:
            found |= self._ports_of(name, network)
        return found

    def _ports_of(self, name: str, network: Network) -> dict[int, _Port]:
        """Return a bridge's ports, or a plain interface; raises SensorError `unknown_interface`."""
        interface = network.by_name(name)
        if interface is None:
            known = ", ".join(sorted(each.name for each in network.interfaces.values()))
            raise SensorError(
                "unknown_interface", f"there is no interface {name!r}; there are {known}"
            )
        if not interface.is_ethernet:
            raise SensorError(
                "unknown_interface",
                f"{name} carries no Ethernet frames, so no device can be told",
            )
        return {
            port.index: _Port(port, name if port.index != interface.index else None)
            for port in network.ports(interface)
        }

    def check(self, network: Network) -> None:
        """Raise SensorError if an interface belongs to another sensor or carries a foreign XDP program."""
        ours = _own_programs(self._pins, (_GATE, *(name for name, _, _ in _METERS.values())))
        for port in self.wanted(network).values():
            name = port.interface.name
            for other in others_on(port.interface.index, self._pins):
                raise SensorError(
                    "interface_in_use",
                    f"another sensor guards {name}; take that out first: unload --socket {other}",
                )
            self._check_classifiers(port.interface, ours)
            program, mode = libbpf.xdp_state(port.interface.index)
            if program and program not in ours:
                raise SensorError(
                    "foreign_program",
                    f"{name} carries an XDP program that is not Hearthwall's (id {program});"
                    f" it was left alone. Take it off (ip link set dev {name} {_TURN_OFF[mode]} off)"
                    " or guard another interface",
                )

    def _check_classifiers(self, port: NetInterface, ours: set[int]) -> None:
        """Raise SensorError if another sensor's clsact filter is here, which no pin tells of."""
        for _, _, point in _METERS.values():
            program = Classifier(port.index, point).program()
            if program and program not in ours:
                raise SensorError(
                    "interface_in_use",
                    f"another sensor's filter (program {program}) is on {port.name}; take that out"
                    " first: unload --all",
                )

    def attach(self, programs: dict[str, Program], network: Network) -> None:
        """Put these programs on every port, in place of an earlier generation's."""
        self._programs = programs
        self._ports = {}
        self.follow(network)
        self._tidy(network)
        for port in self._ports.values():
            if self._link_path(port, _GATE).exists():
                self._put_gate(port)

    def _tidy(self, network: Network) -> None:
        """Take off what an earlier run put elsewhere, or attached in the other way."""
        places = (_GATE, *(_METERS if self.way == "tcx" else ()))
        kept = {self._link_path(port, place) for port in self._ports.values() for place in places}
        for link in set(self._pins.links.iterdir()) - kept:
            detach(link)
        spared = () if self.way == "tcx" else self._ports
        detach_classifiers(self._pins, set(network.interfaces) - set(spared))

    def follow(self, network: Network) -> None:
        """Guard ports that have come, forget those that have gone."""
        wanted: dict[int, _Port] = {}
        for name in self._names:
            with contextlib.suppress(SensorError):  # it has gone for now: the others are guarded on
                wanted |= self._ports_of(name, network)
        for index in set(self._ports) - set(wanted):
            _LOGGER.info("%s has gone", self._ports[index].interface.name)
            self._forget(self._ports.pop(index))
        for index, port in wanted.items():
            if index in self._ports:
                self._ports[index].interface = port.interface
                continue
            try:
                for place in _METERS:
                    self._put_meter(port, place)
                if self._gated:
                    self._put_gate(port)
            except OSError as error:
                _LOGGER.warning("%s can't be guarded: %s", port.interface.name, error)
                continue
            self._ports[index] = port
            if port.interface.default_route:
                _LOGGER.warning(
                    "%s leads to this host's default gateway: is it the home's side?",
                    port.interface.name,
                )

    def gate(self, *, wanted: bool) -> None:
        """Put the gate on every port, or take it off: it costs something only while there are rules."""
        self._gated = wanted
        for port in self._ports.values():
            if not wanted:
                detach(self._link_path(port, _GATE))
                port.xdp = "off"
            elif port.xdp == "off":
                self._put_gate(port)

    def report(self) -> tuple[Interface, ...]:
        """Return the guarded interfaces as the protocol tells them."""
        return tuple(
            Interface(
                name=port.interface.name, index=index, bridge=port.bridge, xdp=port.xdp, tc=self.way
            )
            for index, port in sorted(dict(self._ports).items())
        )

    def names(self) -> dict[int, str]:
        """Return the guarded interfaces' names by index."""
        # A thread may be at work on the ports.
        return {index: port.interface.name for index, port in dict(self._ports).items()}

    def _link_path(self, port: _Port, place: str) -> Path:
        """Return where a port's link is pinned."""
        return self._pins.links / link_name(port.interface.index, place)

    def _put_meter(self, port: _Port, place: str) -> None:
        """Attach or replace one of the meter's programs."""
        name, attach_type, attach_point = _METERS[place]
        if self.way == "clsact":
            Classifier(port.interface.index, attach_point).attach(self._programs[name])
        else:
            self._put_link(port, place, self._programs[name], attach_type, 0)

    def _put_gate(self, port: _Port) -> None:
        """Attach or replace the gate: natively where the driver can, else generically, else leave it to tc."""
        for mode, flags in _XDP_FLAGS.items():
            try:
                self._put_link(port, _GATE, self._programs[_GATE], libbpf.ATTACH_XDP, flags)
            except OSError as error:
                if error.errno in (errno.EBUSY, errno.EEXIST):
                    _LOGGER.warning(
                        "%s carries another XDP program: tc drops in its place", port.interface.name
                    )
                    return
                _LOGGER.debug("%s takes no %s XDP: %s", port.interface.name, mode, error)
            else:
                # A link that was there already may have been made in the other mode.
                port.xdp = libbpf.xdp_state(port.interface.index)[1]
                return
        _LOGGER.warning("%s takes no XDP program: tc drops in its place", port.interface.name)

    def _put_link(
        self, port: _Port, place: str, program: Program, attach_type: int, flags: int
    ) -> None:
        """Replace the program of a link that is pinned and live, or make the link and pin it."""
        path = self._link_path(port, place)
        if path.exists():
            old: Link = Link.pinned(str(path))
            try:
                if old.interface == port.interface.index:
                    old.update(program)
                    return
            finally:
                old.close()
            path.unlink()  # of an interface that has gone; its index has come back
        link = Link.create(program, port.interface.index, attach_type, flags)
        try:
            link.pin(str(path))
        finally:
            link.close()

    def _forget(self, port: _Port) -> None:
        """Take everything off an interface that has left the bridge, or that has gone altogether."""
        if self.way == "clsact":
            for _, _, point in _METERS.values():
                Classifier(port.interface.index, point).detach()
        for place in (*_METERS, _GATE):
            detach(self._link_path(port, place))


def detach_classifiers(pins: Pins, interfaces: Iterable[int]) -> int:
    """Take this sensor's clsact filters off these interfaces; return how many there were."""
    ours = _own_programs(pins, tuple(name for name, _, _ in _METERS.values()))
    count = 0
    for index in interfaces:
        for _, _, point in _METERS.values():
            place = Classifier(index, point)
            if place.program() in ours:
                place.detach()
                count += 1
    return count


def _own_programs(pins: Pins, names: Iterable[str]) -> set[int]:
    """Return the ids of this sensor's programs: those that are pinned, and those that its links hold."""
    ids = set()
    for path in (folder / name for folder in pins.generations() for name in names):
        with contextlib.suppress(FileNotFoundError):
            program: Program = Program.pinned(str(path))
            ids.add(program.id)
            program.close()
    # What is attached is ours even where its own pin went in an unload that was cut short.
    for path in pins.links.iterdir() if pins.links.is_dir() else ():
        link: Link = Link.pinned(str(path))
        ids.add(link.program)
        link.close()
    return ids
