"""The never-drop set: whom no rule may cut off, because the home or its repair depends on them."""

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from ..kernel.layouts import ROLE_GATEWAY, ROLE_HOME_ASSISTANT, ROLE_OPERATOR, ROLE_SELF, ROLES
from ..protocol import SensorError
from ..targets import Target
from .topology import Network

_MAX_OPERATORS: Final = 64
#: The roles of addresses that the kernel never drops.
_KEPT: Final = ROLE_SELF | ROLE_GATEWAY | ROLE_HOME_ASSISTANT


@dataclass(slots=True)
class Protection:
    """Role bits by MAC and by address."""

    macs: dict[str, int] = field(default_factory=dict)
    addresses: dict[str, int] = field(default_factory=dict)

    def check(self, target: Target, *, force: bool = False) -> None:
        """Raise SensorError `protected_target` if the target is in the set, or contains some of it, with the reason.

        force overrides this where it is not fatal: for the operator, for MACs that are hearsay, and for
        prefixes, whose protected addresses the kernel goes on letting through.
        """
        if target.kind.endswith("_network"):
            if not force:
                self._check_network(target.value)
            return
        role = (self.macs if target.kind == "mac" else self.addresses).get(target.value, 0)
        forceable = _may_be_forced(role, is_mac=target.kind == "mac")
        if role and not (force and forceable):
            way_out = "force overrides this" if forceable else "nothing overrides this"
            raise SensorError(
                "protected_target",
                f"{target.value} is {reason(role)}: it must stay reachable, and {way_out}",
            )

    def _check_network(self, text: str) -> None:
        """Raise SensorError `protected_target` if a prefix contains protected addresses, with which."""
        network = ipaddress.ip_network(text)
        inside = [each for each in self.addresses if ipaddress.ip_address(each) in network]
        if inside:
            named = ", ".join(f"{each} ({reason(self.addresses[each])})" for each in inside[:3])
            more = f" and {len(inside) - 3} more" if len(inside) > 3 else ""
            raise SensorError(
                "protected_target",
                f"{text} contains {named}{more}; force overrides this: all but whoever is only"
                " logged in here stay reachable",
            )

    def enforced(self) -> tuple[dict[str, int], dict[str, int]]:
        """Return what the kernel never drops, whatever rule there is: by MAC and by address.

        Who has which MAC is hearsay: a device can claim an address and would be free of its rule. So
        only this host's own MACs are among them, and nobody is for being logged in; orders against
        the others are refused all the same.
        """
        macs = {mac: role for mac, role in self.macs.items() if role & ROLE_SELF}
        return macs, {
            address: role & _KEPT for address, role in self.addresses.items() if role & _KEPT
        }

    def report(self) -> dict[str, str]:
        """Return target → reason."""
        return {
            target: reason(role)
            + (" (may be forced)" if _may_be_forced(role, is_mac=table is self.macs) else "")
            for table in (self.macs, self.addresses)
            for target, role in sorted(table.items())
        }


def _may_be_forced(role: int, *, is_mac: bool) -> bool:
    """Return whether a rule on a protected target may be forced: what the kernel itself keeps reachable may not."""
    kept = ROLE_SELF if is_mac else _KEPT
    return bool(role) and not role & kept


def reason(role: int) -> str:
    """Return why a target is protected."""
    return next((text for bit, text in ROLES.items() if role & bit), "protected")


def protection(
    network: Network,
    home_assistant: str | None,
    operators: set[str],
    clients: Collection[str] = (),
) -> Protection:
    """Return the set for the network as it stands; home_assistant is its address, None for this host.

    clients are the hosts from where a Home Assistant has shown a token.
    """
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
    for address in (*((home_assistant,) if home_assistant else ()), *clients):
        others[address] = others.get(address, 0) | ROLE_HOME_ASSISTANT
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
