"""The living network as detectors ask about it."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from .detectors.detector import Home
from .devices import Devices
from .flows.flow import Counted
from .flows.observed import device_text
from .identity.chosen import Chosen
from .identity.identities import Identities
from .kernel.layouts import ROLE_GATEWAY, ROLE_SELF
from .learning.profiles import Profiles
from .network.segments import Segments
from .network.surroundings import Surroundings
from .notation import address_text, mapped
from .patterns.standard_input import executable, standard_input
from .patterns.words import shown
from .policy.file import PolicyFile
from .processes.image import PROGRAM

#: To a sensor that is so new in a home everything is new, in seconds, unless devices are learnt in less.
_SETTLING: Final = 3600.0
_OWN: Final = ROLE_SELF | ROLE_GATEWAY


class Vicinity:
    """What follows from the surroundings, worked out anew when they change."""

    def __init__(self, surroundings: Surroundings, named: Callable[[bytes], str | None]) -> None:
        """Take the surroundings, and what knows the names of segments."""
        self._surroundings = surroundings
        self._segments = Segments(named, ())
        self._seen: object = None
        self._addresses: frozenset[bytes] = frozenset()
        self._macs: frozenset[str] = frozenset()
        self._routes_ipv6 = False
        #: By address, the first MAC that a router of this host's had: whoever claims its address later is none.
        self._routers: dict[str, str] = {}

    def addresses(self) -> frozenset[bytes]:
        """Return the addresses of this host and of its routers."""
        self._follow()
        return self._addresses

    def macs(self) -> frozenset[str]:
        """Return the MACs of this host's interfaces, and of its routers."""
        self._follow()
        return self._macs

    def segment(self, address: bytes) -> str | None:
        """Return the segment that an address is in."""
        self._follow()
        return self._segments.find(address)

    def routes_ipv6(self) -> bool:
        """Return whether it is known who the home's router of IPv6 is.

        It is this host, if it has a network of IPv6 where only the home is, else the router that it uses there.
        """
        self._follow()
        return self._routes_ipv6

    def _follow(self) -> None:
        """Look whether the network is another one than before."""
        around = self._surroundings
        if self._seen is around.protection:
            return
        self._seen = around.protection
        self._addresses = frozenset(
            mapped(ipaddress.ip_address(address))
            for address, role in around.protection.addresses.items()
            if role & _OWN
        )
        for index, address in around.network.gateways:
            mac = around.network.neighbours.get((index, address))
            if mac is not None:
                self._routers.setdefault(address, mac)
        self._macs = frozenset((*around.own_macs, *self._routers.values()))
        self._routes_ipv6 = any(
            index in around.inside and _is_routed_ipv6(prefix)
            for index, prefix in around.network.networks
        ) or any(
            index in around.guarded
            and ":" in address
            and (index, address) in around.network.neighbours
            for index, address in around.network.gateways
        )
        self._segments.follow(ipaddress.ip_network(text, strict=False) for text in around.subnets)


def _is_routed_ipv6(prefix: str) -> bool:
    """Return whether a prefix is of IPv6 and leads beyond its link."""
    network = ipaddress.ip_network(prefix, strict=False)
    return network.version == 6 and not network.is_link_local


@dataclass(slots=True)
class LivingHome:
    """Who is who, and where, as far as a running sensor knows."""

    surroundings: Surroundings
    devices: Devices
    identities: Identities
    chosen: Chosen
    profiles: Profiles
    policy: PolicyFile
    since: float
    """When a sensor was started here for the first time, seconds since the epoch."""
    now: float = 0.0
    """The time of the latest observation."""
    counted: Callable[[bytes], tuple[int, ...] | None] = lambda _: None
    """What the kernel has counted of a flow, by its packed key."""

    def home(self) -> Home:
        """Return whom detectors ask."""
        vicinity = Vicinity(self.surroundings, self.policy.segment)
        return Home(
            policy=self.policy.device,
            profile=lambda who: self.profiles.of(who, self.now),
            name=self.name,
            own_addresses=vicinity.addresses,
            own=vicinity.macs,
            owner=self.owner,
            is_home=lambda address: self.surroundings.is_home(address_text(address)),
            segment=vicinity.segment,
            is_settling=self.is_settling,
            devices=lambda: len(self.devices.accounts),
            counted=self._counted,
            routes_ipv6=vicinity.routes_ipv6,
            standard_input=standard_input,
            executable=executable,
        )

    def _counted(self, packed: bytes) -> Counted | None:
        """Return what a flow has counted so far."""
        found = self.counted(packed)
        return None if found is None else Counted._make(found)

    def device(self, known_by: bytes) -> str:
        """Return the MAC that stands for the device with a MAC."""
        return self.chosen.primary(device_text(known_by))

    def name(self, who: str) -> str:
        """Return what a person calls a device, or a program."""
        if who.startswith(PROGRAM):
            return shown(who.removeprefix(PROGRAM))
        known = self.identities.known(*self.chosen.macs(who))
        return self.chosen.name(who) or known.hostname or next(iter(known.addresses), who)

    def owner(self, address: bytes) -> str | None:
        """Return the device that has an address."""
        mac = self.identities.owner(address)
        return None if mac is None else self.chosen.primary(mac)

    def is_settling(self, now: float) -> bool:
        """Return whether all is new: for an hour, or as long as devices are learnt where nothing says otherwise."""
        return now - self.since < min(_SETTLING, self.policy.device("").learning)
