"""How deep prefixes lie in one another: the kernel asks for a few around an address, and no more are let in."""

import ipaddress
from collections.abc import Iterable

from ..kernel.layouts import MAX_NESTED
from ..protocol import SensorError
from ..targets import Target
from .rule import Network


def check_nesting(target: Target, others: Iterable[Target]) -> None:
    """Raise SensorError if with this target some address would lie in more prefixes than the kernel asks for."""
    if not target.kind.endswith("_network"):
        return
    wanted = ipaddress.ip_network(target.value)
    networks = (ipaddress.ip_network(each.value) for each in others if each.kind == target.kind)
    around = [wanted, *(each for each in networks if each.overlaps(wanted))]
    depth = deepest(around)
    if depth > MAX_NESTED:
        raise SensorError(
            "table_full",
            f"{target.value} would be the {depth}th of prefixes that lie in one another, and"
            f" {MAX_NESTED} are judged: end the rule on one of them first",
        )


def deepest(networks: Iterable[Network]) -> int:
    """Return how many of these prefixes, at most, lie in one another."""
    inside: list[int] = []
    most = 0
    for network in sorted(networks, key=lambda each: (int(each.network_address), each.prefixlen)):
        first, last = int(network.network_address), int(network.broadcast_address)
        while inside and inside[-1] < first:
            inside.pop()
        inside.append(last)
        most = max(most, len(inside))
    return most
