"""The never-drop set: whom no rule may cut off, because the home or its repair depends on them."""

import ipaddress
from dataclasses import dataclass, field

from ..kernel.tables import ROLE_GATEWAY, ROLE_HOME_ASSISTANT, ROLE_OPERATOR, ROLE_SELF, ROLES
from ..protocol import SensorError, Target
from .topology import Network


@dataclass(slots=True)
class Protection:
    """Role bits by MAC and by address."""

    macs: dict[str, int] = field(default_factory=dict)
    addresses: dict[str, int] = field(default_factory=dict)

    def check(self, target: Target) -> None:
        """Raise SensorError `protected_target` if the target is in the set, with the reason."""
        role = (self.macs if target.kind == "mac" else self.addresses).get(target.value, 0)
        if role:
            raise SensorError(
                "protected_target", f"{target.value} is {reason(role)}: it must stay reachable"
            )

    def report(self) -> dict[str, str]:
        """Return target → reason."""
        return {
            target: reason(role) for target, role in sorted((self.macs | self.addresses).items())
        }


def reason(role: int) -> str:
    """Return why a target is protected."""
    return next((text for bit, text in ROLES.items() if role & bit), "protected")


def protection(network: Network, home_assistant: str | None, operators: set[str]) -> Protection:
    """Return the set for the network as it stands; home_assistant is its address, None for this host."""
    result = Protection()
    own = ROLE_SELF if home_assistant else ROLE_SELF | ROLE_HOME_ASSISTANT
    for interface in network.interfaces.values():
        for address in interface.addresses:
            _add(result.addresses, address, own)
        # A bridge's port bears the gateway's MAC only on this side of the cable, but naming it is a mistake too.
        if interface.mac is not None and int(interface.mac.replace(":", ""), 16):
            _add(result.macs, interface.mac, own)
    others = dict.fromkeys(network.gateways, ROLE_GATEWAY)
    for address in operators:
        others[address] = others.get(address, 0) | ROLE_OPERATOR
    if home_assistant:
        others[home_assistant] = others.get(home_assistant, 0) | ROLE_HOME_ASSISTANT
    for address, role in others.items():
        if address in result.addresses or ipaddress.ip_address(address).is_loopback:
            continue
        _add(result.addresses, address, role)
        if mac := network.neighbours.get(address):
            _add(result.macs, mac, role)
    return result


def _add(table: dict[str, int], key: str, role: int) -> None:
    """Add role bits to a key."""
    table[key] = table.get(key, 0) | role
