"""Whom a device is expected to talk to, and nobody else: what a Manufacturer Usage Description comes to."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ..names.patterns import Patterns
from ..network import home
from ..network.home import Network

#: Stands for every host of the home.
LOCAL: Final = "local"
#: Whoever hands out addresses, names and the time is no place that a device goes to.
_EVERYBODY: Final = frozenset(("dhcp", "dns", "mdns", "llmnr", "ssdp", "ntp", "icmp", "igmp"))


@dataclass(frozen=True, slots=True)
class Expectation:
    """One peer, or kind of peer, that a device may exchange packets with."""

    peer: str
    """A domain, an address, a prefix, or LOCAL."""
    transport: str | None = None
    """`tcp` or `udp`, None for any."""
    ports: tuple[int, int] | None = None
    """The first and last port of whoever is called, None for any."""
    opened_by: str | None = None
    """`device` or `peer`, None for either."""

    def takes(self, transport: str, port: int, opened_by: str) -> bool:
        """Return whether a flow to this peer is as expected."""
        return (
            self.transport in (None, transport)
            and (self.ports is None or self.ports[0] <= port <= self.ports[1])
            and self.opened_by in (None, opened_by)
        )


class Expectations:
    """All that is expected of a device."""

    def __init__(self, expected: Iterable[Expectation]) -> None:
        """Take what is expected; everything else is not."""
        self.all = tuple(expected)
        self._local = [each for each in self.all if each.peer == LOCAL]
        self._networks: list[tuple[Network, Expectation]] = []
        names: dict[str, list[Expectation]] = {}
        for each in self.all:
            if each.peer == LOCAL:
                continue
            try:
                self._networks.append((ipaddress.ip_network(each.peer), each))
            except ValueError:
                names.setdefault(each.peer, []).append(each)
        self._names = Patterns(names)

    @property
    def stays_home(self) -> bool:
        """Whether nobody on the internet is expected."""
        return not self._names and all(
            home.is_home(str(network), ()) for network, _ in self._networks
        )

    def allow(
        self, flow: tuple[str, int, str], address: str, name: str | None, *, is_home: bool
    ) -> bool:
        """Return whether a flow (transport, the called side's port, who opened it) to a peer is expected."""
        parsed = ipaddress.ip_address(address)
        candidates = [*self._local] if is_home else []
        candidates += [
            each
            for network, each in self._networks
            if network.version == parsed.version and parsed in network
        ]
        if name is not None:
            candidates += [each for found in self._names.find(name) for each in found]
        return any(each.takes(*flow) for each in candidates)

    @staticmethod
    def concern(application: str) -> bool:
        """Return whether an application is one that is judged: the network's own services are not."""
        return application not in _EVERYBODY
