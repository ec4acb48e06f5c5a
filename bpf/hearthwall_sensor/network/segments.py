"""The part of the network that an address is in: by the name that the policy gives it, else by its subnet."""

import ipaddress
from collections.abc import Callable, Iterable
from typing import Final

from ..bounded import make_room
from .home import Network, is_home

#: Addresses whose segment is remembered.
_REMEMBERED: Final = 4096
_LINK_LOCAL: Final = tuple(map(ipaddress.ip_network, ("169.254.0.0/16", "fe80::/10")))
#: Where nobody says what the subnets are, they are taken to be so small.
_USUAL: Final = {4: 24, 6: 64}


class Segments:
    """The segments of a home."""

    def __init__(
        self, named: Callable[[bytes], str | None], subnets: Iterable[Network] | None = None
    ) -> None:
        """Take what knows the policy's names, and the subnets; None to guess them."""
        self._named = named
        self._known: dict[bytes, str | None] = {}
        self._subnets: tuple[Network, ...] | None = None
        self.follow(subnets)

    def follow(self, subnets: Iterable[Network] | None) -> None:
        """Let these be the subnets."""
        self._known.clear()
        self._subnets = (
            None
            if subnets is None
            else tuple(sorted(set(subnets), key=lambda each: (-each.prefixlen, str(each))))
        )

    def find(self, address: bytes) -> str | None:
        """Return the segment of an address of sixteen bytes; None where it is in none, and on the link only."""
        named = self._named(address)
        if named is not None:
            return named
        if address not in self._known:
            self._known[address] = self._subnet(address)
            make_room(self._known, _REMEMBERED)
        return self._known[address]

    def _subnet(self, address: bytes) -> str | None:
        """Return the subnet of an address."""
        parsed = ipaddress.IPv6Address(address)
        host = parsed.ipv4_mapped or parsed
        if host.is_multicast or host.is_unspecified or any(map(_holds(host), _LINK_LOCAL)):
            return None
        if self._subnets is not None:
            return next((str(each) for each in self._subnets if _holds(host)(each)), None)
        if not is_home(str(host), ()):
            return None
        return str(ipaddress.ip_network((host, _USUAL[host.version]), strict=False))


def _holds(host: ipaddress.IPv4Address | ipaddress.IPv6Address) -> Callable[[Network], bool]:
    """Return what tells whether a network holds a host."""
    return lambda network: network.version == host.version and host in network
