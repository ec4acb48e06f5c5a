"""Rogue servers: a second host hands out addresses, advertises itself as a router, or redirects to another."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from ..bounded import make_room
from ..dissect.dhcp import BY_SERVERS
from ..kinds import Severity
from ..notation import address_text, mac_text
from ..notice import Notice
from ..observations import Advertised, Leased, Observation
from .detector import Detector, Handler, Home
from .evidence import Measured, about, evidence

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
    technique: str | None = None
    """Where it is not the kind's, which is about DHCP."""


_DHCP: Final = _Service(
    "DHCP", "high", "hands out IPv4 addresses", "which gateway and which DNS server they use"
)
_DHCPV6: Final = _Service("DHCPv6", "high", "hands out IPv6 addresses", "which DNS server they use")
_ROUTER: Final = _Service(
    "router advertisements",
    "high",
    "advertises itself as a router (IPv6)",
    "through whom they reach the internet",
    "T1557",
)
_REDIRECT: Final = _Service(
    "redirects",
    "medium",
    "redirects others to another router (IPv6)",
    "through whom they send",
    "T1557",
)


class RogueDhcp(Detector):
    """Knows who serves: this gateway and its routers, and where they don't, the first that does.

    The first is told of, too, as something to know: a home may have its DHCP server elsewhere. It knows them as long as
    the sensor runs; after a restart the first one is told of once more. As soon as this host's own server speaks, all
    others are one too many, whenever they came. A frame in the gateway's name that came in from the network is no such
    word: any device can fake it, against the home's real server. Whoever is told of then is not for sure to blame.
    """

    kind = "rogue_dhcp"

    def __init__(self, home: Home) -> None:
        """Begin with nothing."""
        super().__init__(home)
        #: Servers by service.
        self._known: dict[str, dict[str, None]] = {}
        #: Services that this host was seen to do.
        self._own: set[str] = set()
        self._told: dict[tuple[str, str, Severity], float] = {}

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
        severity = self._judge(service, leased.who, leased.time, is_sure=leased.is_own)
        if severity is not None:
            yield self._notice(
                *(service, severity, leased),
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
        severity = self._judge(service, advertised.who, advertised.time)
        if severity is not None:
            yield self._notice(service, severity, advertised, lifetime=advertised.lifetime)

    def _judge(
        self, service: _Service, who: str, now: float, *, is_sure: bool = False
    ) -> Severity | None:
        """Return how bad it is that somebody serves, None where that is fine, or was told just now."""
        own = self.home.own()
        if who in own:
            if is_sure:
                self._own.add(service.name)
            else:
                self._know(service, who)
            return None
        severity = self._severity(service, who, now, is_gateway_known=bool(own))
        if severity is None:
            return None
        key = (service.name, who, severity)
        if now - self._told.get(key, -_AGAIN) < _AGAIN:
            return None
        self._told.pop(key, None)
        self._told[key] = now
        make_room(self._told, _MAX_TOLD)
        return severity

    def _is_gateways(self, service: _Service) -> bool:
        """Return whether a service is the gateway's: it was seen to do it, or its own routes say so."""
        return service.name in self._own or (service is _ROUTER and self.home.routes_ipv6())

    def _know(self, service: _Service, who: str) -> None:
        """Remember a server."""
        known = self._known.setdefault(service.name, {})
        known[who] = None
        make_room(known, _MAX_KNOWN)

    def _severity(
        self, service: _Service, who: str, now: float, *, is_gateway_known: bool
    ) -> Severity | None:
        """Return how bad it is that somebody serves who is not the gateway."""
        if self._is_gateways(service) or service is _REDIRECT:
            return service.severity
        known = self._known.setdefault(service.name, {})
        if who in known:
            return None
        is_first = not known
        if is_first or self.home.is_settling(now):
            self._know(service, who)
            return "low" if is_gateway_known else None
        return service.severity

    def _notice(
        self, service: _Service, severity: Severity, seen: Leased | Advertised, **more: Any
    ) -> Notice:
        """Return the event."""
        name = self.home.name(seen.who)
        servers = (who for who in self._known.get(service.name, ()) if who != seen.who)
        known = sorted(map(self.home.name, servers))
        if self._is_gateways(service):
            known = ["the gateway", *known]
        elif service is not _REDIRECT:
            more["blame"] = "unknown"
        if severity == "low":
            summary = f"{name} {service.does}, and is not the gateway"
            why = (
                f"It is the first in this home that was seen to, so it may be meant to. Whoever believes {name} lets it"
                f" decide {service.danger}."
            )
        else:
            summary = f"{name} {service.does}, which is not its business"
            why = (
                f"In this home {' and '.join(known) or 'only the gateway'} may do so, and not {name}: whoever believes"
                f" it lets it decide {service.danger}."
            )
        return Notice(
            "rogue_dhcp",
            severity,
            summary,
            evidence(
                Measured("rogue_dhcp", seen.who, known, 0.0, why),
                service=service.name,
                known=known,
                **more,
            ),
            **{**about(seen.who), "address": address_text(seen.address)},
            subject=service.name,
            time=seen.time,
            technique=service.technique,
        )
