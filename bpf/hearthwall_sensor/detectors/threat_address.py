"""Threat addresses: a device exchanges packets with an address that is on a feed."""

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address
from typing import Any, Final, Literal

from ..bounded import make_room
from ..kinds import SEVERITIES, Severity
from ..notation import mapped
from ..notice import Notice
from ..observations import Began, Flow, Listed, Look, Observation, Settled
from ..per_device import PerDevice
from .detector import Detector, Handler, Home
from .evidence import Measured, about, evidence
from .listed import MANY, Meetings, age

#: So much is more than a few words, in bytes.
_MUCH: Final = 10_000
#: Packets of so many bytes, on average, carry nothing: a connection that was tried and refused.
_EMPTY: Final = 94
#: Flows with the internet that are remembered of a device, to show them. A kilobyte each.
_MAX_FLOWS: Final = 16
#: Peers that a device called, and as many that it answered. Neither pushes out the other; knocks are not remembered.
_MAX_PEERS: Final = 256


#: Who did it; `unknown` where nobody saw who began.
Blamed = Literal["device", "peer", "unknown"]


class _Device:
    """Whom a device exchanged packets with."""

    __slots__ = ("answered", "called", "flows")

    def __init__(self) -> None:
        """Begin with nothing."""
        #: The latest flow by peer.
        self.flows: dict[str, Flow] = {}
        #: Peers that the device called: it wanted something of them.
        self.called: dict[str, None] = {}
        #: Peers that it answered: anybody may call it, also in the name of another.
        self.answered: dict[str, None] = {}


class ThreatAddress(Detector):
    """Tells of meetings once for each device and address in a while."""

    kind = "threat_address"

    def __init__(self, home: Home) -> None:
        """Begin with nothing."""
        super().__init__(home)
        self._meetings = Meetings("threat_address")
        #: What called the devices makes nothing worse that they called themselves.
        self._callers = Meetings("threat_address")
        self._devices = PerDevice(_Device, 256)

    def handlers(self) -> Mapping[type[Observation], Handler]:
        """Return what to call for which observation."""
        return {Listed: self._listed, Look: self._look, Began: self._seen, Settled: self._seen}

    def forget(self, who: str) -> None:
        """Forget a device."""
        self._meetings.forget(who)
        self._callers.forget(who)
        self._devices.forget(who)

    def covers(self, accepted: Mapping[str, Any], notice: Notice) -> bool:
        """Return whether the user accepted this very address."""
        return bool(accepted.get("peers") == notice.evidence["peers"])

    def _seen(self, seen: Began | Settled) -> Iterator[Notice]:
        """Keep a flow with the internet."""
        flow = seen.flow
        if flow.scope == "internet":
            device = self._devices.of(seen.who, seen.time)
            device.flows.pop(flow.peer, None)
            device.flows[flow.peer] = flow
            make_room(device.flows, _MAX_FLOWS)
            if flow.is_outgoing or not flow.has_failed:
                peers = device.called if flow.is_outgoing else device.answered
                peers.pop(flow.peer, None)
                peers[flow.peer] = None
                make_room(peers, _MAX_PEERS)
        yield from ()

    def _listed(self, listed: Listed) -> Iterator[Notice]:
        """Take a meeting."""
        if listed.name is None:
            self._meetings.add(listed)
        yield from ()

    def _look(self, _: Look) -> Iterator[Notice]:
        """Tell of this look's meetings."""
        taken = list(self._meetings.take())
        peers = {each.peer for these in taken for each in these if not self._is_hosts(each)}
        for met in taken:
            # What a device sends through NAT is seen once more, as this host's
            these = [
                each
                for each in met
                if not self._is_hosts(each) or not (each.peer in peers or self._is_devices(each))
            ]
            severities = [self._severity(each) for each in these]
            due = [
                (each, severity)
                for each, severity in zip(these, severities, strict=True)
                if self._meetings.is_due(each, severity)
            ]
            own = [each for each in due if self._blame(each[0]) != "peer"]
            for some in (own, [each for each in due if each not in own]):
                yield from self._told(some)

    def _is_hosts(self, listed: Listed) -> bool:
        """Return whether it was this host itself that met somebody."""
        if listed.who is not None:
            return listed.who in self.home.own()
        return (
            listed.address is not None
            and mapped(ip_address(listed.address)) in self.home.own_addresses()
        )

    def _is_devices(self, listed: Listed) -> bool:
        """Return whether a device of the home called or answered the same peer."""
        peer, own = listed.peer or "", self.home.own()
        return any(
            who not in own and (peer in each.called or peer in each.answered)
            for who, each in self._devices
        )

    def _name(self, listed: Listed) -> str:
        """Return what a person calls whoever met somebody."""
        if self._is_hosts(listed):
            return f"this gateway ({listed.address or listed.who})"
        return listed.address or "" if listed.who is None else self.home.name(listed.who)

    def _told(self, due: list[tuple[Listed, Severity]]) -> Iterator[Notice]:
        """Tell meetings that have the same to blame."""
        if len(due) > MANY:
            yield self._many([each for each, _ in due], [severity for _, severity in due])
        else:
            for each, severity in due:
                yield self._one(each, severity)

    def _severity(self, listed: Listed) -> Severity:
        """Return how bad a meeting is."""
        if self._is_knock(listed):
            return "low"
        others = (self._callers if self._blame(listed) == "peer" else self._meetings).met(listed)
        # What is blocked has no flow; of others nobody may know who began.
        if not self._is_ours(listed) and not listed.blocked:
            return "low" if listed.bytes <= _EMPTY * listed.packets else "medium"
        if listed.bytes > _MUCH or others > MANY:
            return "high"
        return "medium"

    def _is_knock(self, listed: Listed) -> bool:
        """Return whether only the peer wanted something: nothing was sent to it, or a refusal."""
        is_ours = self._is_ours(listed)
        return listed.via == "knock" or (not is_ours and self._flow(listed) is not None)

    def _is_ours(self, listed: Listed) -> bool:
        """Return whether the device called the peer, or answered it."""
        device = None if listed.who is None else self._devices.find(listed.who)
        peer = listed.peer or ""
        return device is not None and (peer in device.called or peer in device.answered)

    def _blame(self, listed: Listed) -> Blamed:
        """Return who did it: the peer, where each of its flows with the device was its own wish."""
        if self._is_knock(listed):
            return "peer"
        device = None if listed.who is None else self._devices.find(listed.who)
        if listed.who is None or (device is not None and listed.peer in device.called):
            return "device"
        if device is not None and listed.peer in device.answered:
            return "peer"
        return "device" if listed.blocked else "unknown"

    def _flow(self, listed: Listed) -> Flow | None:
        """Return the latest flow behind a meeting."""
        device = None if listed.who is None else self._devices.find(listed.who)
        return None if device is None else device.flows.get(listed.peer or "")

    def _one(self, listed: Listed, severity: Severity) -> Notice:
        """Return the event of one meeting."""
        self._meetings.told([listed], severity)
        feed, flow = ", ".join(listed.feeds), self._flow(listed)
        name = self._name(listed)
        knocks = self._is_knock(listed)
        why = f"{listed.entry} is on the feed {feed}{_since(listed)}." + (
            f" It sent {listed.packets} packets ({listed.bytes} bytes), and was not {_LET_IN}."
            if knocks
            else f" {name} exchanged {listed.packets} packets ({listed.bytes} bytes) with it"
            f"{', which is blocked' if listed.blocked else ''}; no good device needs to."
        )
        does = "was knocked at by" if knocks else "exchanged packets with"
        return Notice(
            "threat_address",
            severity,
            f"{name} {does} {listed.peer}, which is on the feed {feed}",
            evidence(
                Measured("threat_address", listed.packets, 1, 0.0, why),
                () if flow is None else (flow,),
                feed=feed,
                entry=listed.entry,
                age_days=age(listed),
                blocked=listed.blocked,
                bytes=listed.bytes,
                peers=[listed.peer],
                **_blamed([self._blame(listed)]),
            ),
            **about(listed.who) | {"address": listed.address, "peer_address": listed.peer},
            subject=f"address {listed.peer}",
            time=listed.time,
        )

    def _many(self, meetings: list[Listed], severities: list[Severity]) -> Notice:
        """Return the event of many meetings of one device at once, the busiest ones named."""
        busiest = sorted(meetings, key=lambda each: each.packets, reverse=True)
        first, shown = busiest[0], busiest[:MANY]
        is_knocked_at = all(map(self._is_knock, meetings))
        severity: Severity = max(
            *severities, "low" if is_knocked_at else "high", key=SEVERITIES.index
        )
        self._meetings.told(meetings, severity)
        feed, packets = ", ".join(first.feeds), sum(each.packets for each in meetings)
        name = self._name(first)
        why = (
            f"{len(meetings)} addresses of the feed {feed} sent packets to {name}, and none was {_LET_IN}."
            if is_knocked_at
            else f"{len(meetings)} addresses of the feed {feed} exchanged packets with {name} at once; one may be an"
            f" accident (an address that was somebody else's before), and more than {MANY} are none."
        )
        does = "was knocked at by" if is_knocked_at else "exchanged packets with"
        return Notice(
            "threat_address",
            severity,
            f"{name} {does} {len(meetings)} addresses on the feed {feed}, such as {first.peer}",
            evidence(
                Measured("threat_address", len(meetings), MANY, 0.0, why),
                [flow for each in shown if (flow := self._flow(each)) is not None],
                feed=feed,
                entry=first.entry,
                age_days=age(first),
                blocked=all(each.blocked for each in meetings),
                packets=packets,
                bytes=sum(each.bytes for each in meetings),
                peers=[each.peer for each in shown],
                **_blamed(map(self._blame, meetings)),
            ),
            **about(first.who) | {"address": first.address, "peer_address": first.peer},
            subject=f"many of {feed}{' from outside' if self._blame(first) == 'peer' else ''}",
            time=first.time,
        )


def _blamed(whom: Iterable[Blamed]) -> dict[str, Blamed]:
    """Return what evidence says of who did it: nothing where that is the device, if only of one meeting."""
    found = set(whom)
    return {} if "device" in found else {"blame": found.pop()}


_LET_IN: Final = "let in or answered: such scanners knock everywhere"


def _since(listed: Listed) -> str:
    """Return since when an entry is on the list, in words."""
    days = age(listed)
    return "" if days is None else f", for {days:g} days at least"
