"""Rogue servers: a second host hands out addresses, advertises itself as a router, or redirects to another."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from ..bounded import make_room
from ..dissect.dhcp import BY_SERVERS
from ..kinds import Severity
from ..notation import address_text, mac_text
from ..notice import Notice
from .detector import Detector, Handler, Home
from .evidence import Measured, about, evidence
from .observations import Advertised, Leased, Observation

#: Servers of each service that are known; a home has one, rarely two.
_MAX_KNOWN: Final = 16
#: The same is told again after so long, in seconds, for its count.
_AGAIN: Final = 60.0
_MAX_TOLD: Final = 256


class _Service(NamedTuple):
    """Something that one host of a home does for all."""

    name: str
    severity: Severity
    does: str
    danger: str


_DHCP: Final = _Service(
    "DHCP", "high", "hands out IPv4 addresses", "which gateway and which DNS server they use"
)
_DHCPV6: Final = _Service("DHCPv6", "high", "hands out IPv6 addresses", "which DNS server they use")
_ROUTER: Final = _Service(
    "router advertisements",
    "high",
    "advertises itself as a router (IPv6)",
    "through whom they reach the internet",
)
_REDIRECT: Final = _Service(
    "redirects", "medium", "redirects others to another router (IPv6)", "through whom they send"
)


class RogueDhcp(Detector):
    """Knows who serves: this gateway and its routers, those that were there at first, and else the first that is seen.

    It knows them as long as the sensor runs. After a restart the gateway's own word comes first again: whoever was
    first by luck is told of as soon as the gateway's own server speaks.
    """

    kind = "rogue_dhcp"

    def __init__(self, home: Home) -> None:
        """Begin with nothing."""
        super().__init__(home)
        #: By service and server: whether it was there while everything was new, rather than just the first.
        self._known: dict[str, dict[str, bool]] = {}
        #: Services that the gateway or its routers were seen to do.
        self._own: set[str] = set()
        self._told: dict[tuple[str, str], float] = {}

    def handlers(self) -> Mapping[type[Observation], Handler]:
        """Return what to call for which observation."""
        return {Leased: self._leased, Advertised: self._advertised}

    def forget(self, who: str) -> None:
        """Forget a device."""
        for known in self._known.values():
            known.pop(who, None)
        self._told = {key: at for key, at in self._told.items() if key[1] != who}

    def _leased(self, leased: Leased) -> Iterator[Notice]:
        """Take what a DHCP server said."""
        lease = leased.lease
        if lease.kind not in BY_SERVERS:
            return
        service = _DHCPV6 if leased.is_v6 else _DHCP
        if self._is_rogue(service, leased.who, leased.time):
            yield self._notice(
                service,
                leased,
                message=lease.kind,
                client=None if lease.mac is None else mac_text(lease.mac),
                addresses=[address_text(each) for each in lease.addresses[:5]],
                server=None if lease.server is None else address_text(lease.server),
            )

    def _advertised(self, advertised: Advertised) -> Iterator[Notice]:
        """Take what a router said. Hubs of Thread tell of the networks behind them, and are nobody's way out."""
        if not advertised.is_redirect and advertised.lifetime == 0:
            return
        service = _REDIRECT if advertised.is_redirect else _ROUTER
        if self._is_rogue(service, advertised.who, advertised.time):
            yield self._notice(service, advertised, lifetime=advertised.lifetime)

    def _is_rogue(self, service: _Service, who: str, now: float) -> bool:
        """Return whether a server is one too many, which is told once in a while."""
        if who in self.home.own():
            self._own.add(service.name)
            return False
        known = self._known.setdefault(service.name, {})
        if self.home.is_settling(now):
            known[who] = True
            make_room(known, _MAX_KNOWN)
            return False
        if not known and service.name not in self._own and service is not _REDIRECT:
            known[who] = False
        if who in known and (known[who] or service.name not in self._own):
            return False
        if now - self._told.get((service.name, who), -_AGAIN) < _AGAIN:
            return False
        self._told.pop((service.name, who), None)
        self._told[service.name, who] = now
        make_room(self._told, _MAX_TOLD)
        return True

    def _notice(self, service: _Service, seen: Leased | Advertised, **more: Any) -> Notice:
        """Return the event."""
        name = self.home.name(seen.who)
        known = sorted(self.home.name(who) for who in self._known.get(service.name, ()))
        if service.name in self._own:
            known = ["the gateway", *known]
        why = (
            f"In this home {' and '.join(known) or 'only the gateway'} may do so, and {name} was never seen to: whoever"
            f" believes it lets it decide {service.danger}."
        )
        return Notice(
            "rogue_dhcp",
            service.severity,
            f"{name} {service.does}, which is not its business",
            evidence(
                Measured("rogue_dhcp", seen.who, known, 0.0, why),
                service=service.name,
                known=known,
                **more,
            ),
            **{**about(seen.who), "address": address_text(seen.address)},
            subject=service.name,
            time=seen.time,
        )
