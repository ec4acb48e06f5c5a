"""Address scans: a device tries the same port, or a ping, of many hosts, and fails at most of them."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from ..kinds import Severity
from ..notation import address_text
from ..notice import Notice
from ..observations import Claimed, Flow, Observation, Settled
from ..per_device import PerDevice
from .attempts import AGAIN, FAST, MAX_SCANNERS, Attempt, Group, Groups, Verdict, attempt, is_group
from .detector import Detector, Handler, Home
from .evidence import Measured, about, evidence

#: Hosts on one port (Zeek's misc/scan). Of UDP twice as many: silence is no refusal.
_HOSTS: Final[Mapping[str, int]] = {"tcp": 25, "udp": 50, "icmp": 25, "arp": 25}
#: On the web's ports of the internet, four times as many: a browser whose way out is cut tries what it has open.
_WEB: Final = frozenset((80, 443))
_WEB_HOSTS: Final = 100
#: What worms look for. A home has few hosts: so many of its devices, and this share of them, are all that there are.
_WORMS: Final = frozenset(
    (
        *(21, 22, 23, 135, 139, 445, 1433, 2222, 2323, 3306, 3389, 5555, 5900, 6379, 7547, 8291),
        *(8728, 37_215, 52_869, 60_001),
    )
)
_HOME_HOSTS: Final = 8
_HOME_SHARE: Final = 0.6
#: Peers of file sharing listen on any port, and most of the old ones are gone: one port is a scan where it makes up
#: this share of all that fails.
_SHARE: Final = 0.2
_SHOWN: Final = 20


class _Tally:
    """How much there was lately: in this window and the one before."""

    __slots__ = ("_before", "_now", "_since")

    def __init__(self) -> None:
        """Begin with nothing."""
        self._since, self._now, self._before = 0.0, 0, 0

    def add(self, now: float) -> int:
        """Count one, and return how many there are."""
        if now - self._since >= FAST:
            self._before = self._now if now - self._since < 2 * FAST else 0
            self._since, self._now = now, 0
        self._now += 1
        return self._now + self._before


class _Scanner(Groups):
    """What a device tried, by port."""

    __slots__ = ("tally",)

    def __init__(self) -> None:
        """Begin with nothing."""
        super().__init__()
        self.tally = _Tally()
        """All that failed at the internet's upper ports."""


class _Found(NamedTuple):
    """A scan, to be told."""

    time: float
    who: str
    tried: Attempt
    group: Group
    verdict: Verdict
    least: float


class AddressScan(Detector):
    """Who tries the same of many hosts: devices, and hosts of the internet at devices."""

    kind = "address_scan"

    def __init__(self, home: Home) -> None:
        """Begin with nothing."""
        super().__init__(home)
        self._devices = PerDevice(_Scanner, MAX_SCANNERS)
        #: Scanners outside, by address: however many there are, they push out only each other.
        self._outside = PerDevice(_Scanner, MAX_SCANNERS)

    def handlers(self) -> Mapping[type[Observation], Handler]:
        """Return what to call for which observation."""
        return {Settled: self._settled, Claimed: self._claimed}

    def forget(self, who: str) -> None:
        """Forget a device."""
        self._devices.forget(who)

    def covers(self, accepted: Mapping[str, Any], notice: Notice) -> bool:
        """Return whether the user accepted scans for this very port."""
        return bool(accepted.get("service") == notice.evidence["service"])

    def _settled(self, settled: Settled) -> Iterator[Notice]:
        """Take a flow that is over, or waits."""
        tried, flow, now = attempt(settled), settled.flow, settled.time
        if tried is None or settled.who in self.home.own():
            return
        if tried.fate == "failed" and flow.is_outgoing and flow.label.name is not None:
            return  # who asks for a name before it connects is no scan
        scanners, who = (
            (self._devices, settled.who) if flow.is_outgoing else (self._outside, flow.peer)
        )
        if tried.fate != "failed" and scanners.find(who) is None:
            return
        scanner = scanners.of(who, now)
        is_internet = flow.scope == "internet"
        key = (tried.transport, tried.port, is_internet)
        group = scanner.add(key, tried.host, tried.fate, now)
        if tried.fate != "failed" or group is None:
            return
        scanner.note(flow)
        least = self._least(settled.who, tried, is_internet=is_internet)
        verdict = group.judge(now, least, self._slow(tried, least, is_internet=is_internet))
        if is_internet and tried.port >= 1024 and tried.port not in _WORMS:
            all_failed = scanner.tally.add(now)
            if verdict is not None and verdict.failed < _SHARE * all_failed:
                return
        if verdict is not None and now - group.told >= AGAIN:
            group.told = now
            yield self._notice(
                _Found(now, settled.who, tried, group, verdict, least), scanner, flow
            )

    def _claimed(self, claimed: Claimed) -> Iterator[Notice]:
        """Take an ARP question for a host that nobody knows: on its own network a sweep meets no other answer."""
        sought = claimed.sought
        if (
            sought is None
            or is_group(sought, is_home=True)
            or claimed.who in self.home.own()
            or self.home.owner(sought) is not None
            or sought in self.home.own_addresses()
        ):
            return
        scanner = self._devices.of(claimed.who, claimed.time)
        tried = Attempt(sought, "arp", 0, "failed")
        group = scanner.add(("arp", 0, False), sought, "failed", claimed.time)
        if group is None:
            return
        least = _HOSTS["arp"] * self.home.policy(claimed.who).factor
        verdict = group.judge(claimed.time, least, math.inf)
        if verdict is not None and claimed.time - group.told >= AGAIN:
            group.told = claimed.time
            found = _Found(claimed.time, claimed.who, tried, group, verdict, least)
            yield self._notice(found, scanner, None)

    def _least(self, who: str, tried: Attempt, *, is_internet: bool) -> float:
        """Return how many hosts are a scan."""
        least = _HOSTS[tried.transport]
        if is_internet and tried.transport == "tcp" and tried.port in _WEB:
            least = _WEB_HOSTS
        if not is_internet and tried.transport == "tcp" and tried.port in _WORMS:
            least = min(least, max(_HOME_HOSTS, math.ceil(_HOME_SHARE * self.home.devices())))
        return least * self.home.policy(who).factor

    def _slow(self, tried: Attempt, least: float, *, is_internet: bool) -> float:
        """Return how many hosts are a scan within a day: datagrams of a day to the internet say nothing."""
        return math.inf if is_internet and tried.transport == "udp" else least

    def _notice(self, found: _Found, scanner: _Scanner, flow: Flow | None) -> Notice:
        """Return the event."""
        verdict, tried = found.verdict, found.tried
        service = f"{tried.transport}/{tried.port}" if tried.port else tried.transport
        what = _WORDS.get(tried.transport) or f"{tried.transport.upper()} port {tried.port}"
        within = "5 minutes" if verdict.window == FAST else "a day"
        is_outgoing = flow is None or flow.is_outgoing
        name = (
            self.home.name(found.who)
            if flow is None or is_outgoing
            else f"{flow.peer} on the internet"
        )
        why = (
            f"{name} failed at {verdict.failed} different hosts by {what} within {within}, without asking for their"
            f" names first; {found.least:g} are a scan, and who has a reason to connect rarely fails."
        )
        flows = () if flow is None else [each for each in scanner.flows if _alike(each, flow)]
        hosts = [
            address_text(each) for each in found.group.latest(_SHOWN) if isinstance(each, bytes)
        ]
        return Notice(
            "address_scan",
            _severity(found, is_outgoing=is_outgoing),
            f"{name} tries many hosts by {what}: {verdict.tried} within {within}",
            evidence(
                Measured("address_scan", verdict.tried, found.least, verdict.window, why),
                flows,
                service=service,
                failed=verdict.failed,
                open_hosts=[
                    address_text(e) for e in verdict.found[:_SHOWN] if isinstance(e, bytes)
                ],
                hosts=hosts,
                **_blame(found, is_outgoing=is_outgoing),
            ),
            **{
                **about(found.who, flow),
                **({"peer_address": None, "peer_name": None} if is_outgoing else {}),
            },
            subject=scanner.subject(service, found.time) if is_outgoing else "from the internet",
            time=found.time,
        )


_WORDS: Final = {"icmp": "ping", "arp": "ARP"}


def _alike(one: Flow, other: Flow) -> bool:
    """Return whether two flows are of the same scan."""
    return one.service == other.service


def _blame(found: _Found, *, is_outgoing: bool) -> dict[str, str]:
    """Return what evidence says of who did it: a host asks by ARP for whoever seems to have sent it packets, too."""
    if not is_outgoing:
        return {"blame": "peer"}
    return {"blame": "unknown"} if found.tried.transport == "arp" else {}


def _severity(found: _Found, *, is_outgoing: bool) -> Severity:
    """Return how bad it is: worms try ports, and who looks who is there may be an app that draws the network."""
    if not is_outgoing:
        return "info"
    return "medium" if found.tried.transport in _WORDS else "high"
