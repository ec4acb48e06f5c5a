"""The network around the sensor: who must stay reachable, what is home, which device has which address."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from ..bounded import make_room
from ..kernel.layouts import ROLE_SELF
from ..kernel.tables import Tables
from . import home, topology
from .protection import Protection, protection
from .topology import Network

#: Addresses of which it is remembered whether they are the home's.
_REMEMBERED: Final = 4096
_RESOLVERS: Final = Path("/etc/resolv.conf")


def resolvers(path: Path = _RESOLVERS) -> list[str]:
    """Return the DNS servers that this host asks."""
    try:
        lines = path.read_text(errors="replace").splitlines()[:1000]
    except OSError:
        return []
    words = (line.split() for line in lines)
    return [each[1].partition("%")[0] for each in words if each[:1] == ["nameserver"] and each[1:]]


class Surroundings:
    """The latest look at the host's network, and what follows from it."""

    def __init__(
        self,
        interfaces: tuple[str, ...],
        home_assistant: str | None,
        dns_servers: tuple[str, ...] = (),
    ) -> None:
        """Take the home's interfaces by name, Home Assistant's address (None for this host), and DNS servers.

        These are hosts of the home whose answers are believed, beside this host's own resolvers.
        """
        self._interfaces = interfaces
        self._home_assistant = home_assistant
        self._dns_servers = dns_servers
        self._resolvers: list[str] = []
        self._operators: set[str] = set()
        self._clients: frozenset[str] = frozenset()
        #: Interfaces that are guarded, and those of them that lead to the home and nowhere else.
        self.guarded: frozenset[int] = frozenset()
        self.inside: frozenset[int] = frozenset()
        #: Address or prefix → whether it lies in the home.
        self._places: dict[str, bool] = {}
        self.network = Network()
        self.protection = Protection()
        self.addresses: dict[str, list[str]] = {}
        self.own_macs: frozenset[str] = frozenset()
        self.home_networks: list[str] = []
        #: The prefixes of the interfaces that are guarded.
        self.subnets: tuple[str, ...] = ()

    def follow(self, seen: Network, tables: Tables, ports: Iterable[int]) -> set[str]:
        """Take a new look and give it to the kernel; return the MACs whose addresses changed."""
        self.network = seen
        self._resolvers = resolvers()
        self.own_macs = frozenset(
            each.mac for each in seen.interfaces.values() if each.mac is not None
        )
        named = (seen.by_name(name) for name in self._interfaces)
        guarded = frozenset((*(each.index for each in named if each), *ports))
        self.guarded = guarded
        self.inside = frozenset(
            index
            for index in guarded
            if index in seen.interfaces and not seen.interfaces[index].default_route
        )
        self.subnets = tuple(prefix for index, prefix in seen.networks if index in guarded)
        self.home_networks = home.public_networks(self.subnets)
        self._places.clear()
        tables.set_home_networks(self.home_networks)
        self._protect(tables)
        before, self.addresses = self.addresses, seen.addresses_by_mac()
        macs = set(before) | set(self.addresses)
        return {mac for mac in macs if before.get(mac) != self.addresses.get(mac)}

    def look_for_operators(self, tables: Tables) -> None:
        """Protect whoever is logged in here over SSH, as long as they are."""
        operators = topology.operators()
        if operators != self._operators:
            self._operators = operators
            self._protect(tables)

    def protect_clients(self, clients: frozenset[str], tables: Tables) -> None:
        """Protect the hosts from where a Home Assistant has shown a token, as long as it is good."""
        if clients != self._clients:
            self._clients = clients
            self._protect(tables)

    def is_home(self, address: str) -> bool:
        """Return whether an address lies in the home; most are asked for again and again."""
        found = self._places.get(address)
        if found is None:
            found = self._places[address] = home.is_home(address, self.home_networks)
            make_room(self._places, _REMEMBERED)
        return found

    def is_of_home(self, address: str) -> bool:
        """Return whether a device of the home may have an address: one that is the home's, and not this host's."""
        return self.is_home(address) and not self._is_own(address)

    def _is_own(self, address: str) -> bool:
        """Return whether an address is this host's."""
        return bool(self.protection.addresses.get(address, 0) & ROLE_SELF)

    @property
    def servers(self) -> frozenset[str]:
        """The DNS servers that this host asks, and those that the settings name."""
        return frozenset((*self._resolvers, *self._dns_servers))

    def is_protected(self, address: str) -> bool:
        """Return whether no list and no name may block an address."""
        return (
            self.is_home(address) or address in self.protection.addresses or address in self.servers
        )

    def trusts(self, server: str, interface: int) -> bool:
        """Return whether a DNS answer is believed, by the server that it names and the interface that it came in by.

        Any device of the home could make some up, also in the name of this host or of the internet's servers.
        """
        if self._is_own(server) or not self.is_home(server):
            return interface not in self.inside
        return server in self.servers

    def _protect(self, tables: Tables) -> None:
        """Give the kernel the never-drop set."""
        self.protection = protection(
            self.network, self._home_assistant, self._operators, self._clients
        )
        tables.set_protected(*self.protection.enforced())
