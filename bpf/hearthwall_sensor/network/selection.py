"""Which interfaces are to be guarded, and in which role, as the network stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..protocol import Role
from .topology import NetInterface, Network


@dataclass(frozen=True, slots=True)
class Port:
    """An interface to guard.

    `gate` is the index of the interface that takes its XDP program: its own, or a VLAN's parent; None
    for a VLAN whose parent is not here. `within` names the guarded interface that sees all its
    frames already, so that nothing is put on this one.
    """

    interface: NetInterface
    role: Role
    bridge: str | None
    gate: int | None
    within: str | None = None


@dataclass(slots=True)
class Selection:
    """What is to be guarded."""

    ports: dict[int, Port] = field(default_factory=dict)
    #: Names that no interface has, with their roles.
    missing: dict[str, Role] = field(default_factory=dict)
    #: Names of interfaces that can't be guarded as they are, with the reason in a sentence.
    refused: dict[str, str] = field(default_factory=dict)


def select(names: Mapping[str, Role], network: Network) -> Selection:
    """Return what is to be guarded, given the names of interfaces (bridges or plain ones) with their roles."""
    selection = Selection()
    for name, role in names.items():
        interface = network.by_name(name)
        if interface is None:
            selection.missing[name] = role
        elif not interface.is_ethernet:
            selection.refused[name] = (
                f"{name} carries no Ethernet frames: name the interface below it"
                if role == "wan"
                else f"{name} carries no Ethernet frames, so no device can be told"
            )
        else:
            _take(selection, name, role, interface, network)
    _settle_vlans(selection, names, network)
    return selection


def _take(
    selection: Selection, name: str, role: Role, interface: NetInterface, network: Network
) -> None:
    """Add a bridge's ports, or a plain interface."""
    for port in network.ports(interface):
        earlier = selection.ports.get(port.index)
        if earlier is not None and earlier.role != role:
            selection.refused[name] = (
                f"{port.name} can't be {role} and {earlier.role} at once: name it in one role"
            )
            continue
        gate = port.parent if port.kind == "vlan" else port.index
        bridge = name if port.index != interface.index else None
        selection.ports[port.index] = Port(port, role, bridge, gate)


def _settle_vlans(selection: Selection, names: Mapping[str, Role], network: Network) -> None:
    """Leave a VLAN to its parent where that is guarded too: its programs see the VLAN's frames with all others."""
    roles = {index: port.role for index, port in selection.ports.items()}
    roles |= {each.index: names[name] for name in names if (each := network.by_name(name))}
    for index, port in list(selection.ports.items()):
        parent = port.interface.parent
        if parent not in roles or parent is None:
            continue
        above = network.interfaces[parent].name
        if roles[parent] == port.role:
            selection.ports[index] = Port(port.interface, port.role, port.bridge, parent, above)
        else:
            selection.refused[port.interface.name] = (
                f"{port.interface.name} can't be {port.role}, since its frames pass {above} too,"
                f" which is {roles[parent]}: name only VLANs, or only {above}"
            )
            del selection.ports[index]
