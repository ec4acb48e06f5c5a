"""The never-drop set: whom no rule may cut off, because the home or its repair depends on them."""

import ipaddress
from dataclasses import dataclass, field
from typing import Final

from ..kernel.tables import ROLE_GATEWAY, ROLE_HOME_ASSISTANT, ROLE_OPERATOR, ROLE_SELF, ROLES
from ..protocol import SensorError
from ..targets import Target
from .topology import Network

_MAX_OPERATORS: Final = 64


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

    def enforced(self) -> tuple[dict[str, int], dict[str, int]]:
        """Return what the kernel never drops, whatever rule there is: by MAC and by address.

        Who has which MAC is hearsay: a device can claim an address and would be free of its rule. So
        only this host's own MACs are among them, and nobody is for being logged in; orders against
        the others are refused all the same.
        """
        macs = {mac: role for mac, role in self.macs.items() if role & ROLE_SELF}
        kept = ROLE_SELF | ROLE_GATEWAY | ROLE_HOME_ASSISTANT
        return macs, {
            address: role & kept for address, role in self.addresses.items() if role & kept
        }

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
    for index, address in network.gateways:
        # Only the neighbour on the way there is the gateway; elsewhere anybody can claim its address.
        _add_other(result, address, ROLE_GATEWAY, network.neighbours.get((index, address)))
    others = dict.fromkeys(sorted(operators)[:_MAX_OPERATORS], ROLE_OPERATOR)
    if home_assistant:
        others[home_assistant] = others.get(home_assistant, 0) | ROLE_HOME_ASSISTANT
    for address, role in others.items():
        macs = {mac for (_, each), mac in network.neighbours.items() if each == address}
        _add_other(result, address, role, *macs)
    return result


def _add_other(result: Protection, address: str, role: int, *macs: str | None) -> None:
    """Add another host's address and, where they are known, its MACs."""
    if address in result.addresses and result.addresses[address] & ROLE_SELF:
        return
    if not ipaddress.ip_address(address).is_loopback:
        _add(result.addresses, address, role)
        for mac in macs:
            if mac is not None and not result.macs.get(mac, 0) & ROLE_SELF:
                _add(result.macs, mac, role)


def _add(table: dict[str, int], key: str, role: int) -> None:
    """Add role bits to a key."""
    table[key] = table.get(key, 0) | role
