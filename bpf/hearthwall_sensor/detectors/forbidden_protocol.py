"""Forbidden protocols: a device speaks to the internet what the policy allows no device of its kind."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from ..bounded import make_room
from ..dissect.applications import APPLICATIONS, UNKNOWN
from ..flows.flow import DOWNLOAD, TCP, UPLOAD, Counted
from ..flows.labels import Label
from ..kinds import Severity
from ..network.places import Place
from ..notice import Notice
from ..observations import Began, Flow, Listed, Observation, Settled, Spoke
from ..per_device import PerDevice
from ..policy.policy import DevicePolicy
from .detector import Detector, Handler, Home
from .evidence import Measured, about, evidence

#: What a person may do on purpose is milder; on a thing nobody does anything on purpose.
_SEVERITIES: Final[Mapping[str, Severity]] = {
    "bittorrent": "low",
    "irc": "low",
    "smb": "high",
    "socks": "medium",
    "stratum": "high",
    "telnet": "high",
    "tor": "high",
}
#: MITRE ATT&CK's technique; a service that anybody on the internet can reach is another one.
_TECHNIQUES: Final[Mapping[str, str]] = {
    "bittorrent": "",  # a person's own wish
    "irc": "T1071",
    "smb": "T1021.002",
    "socks": "T1090",
    "stratum": "T1496",
    "telnet": "T1021",
    "tor": "T1090.003",
}
_SERVED_TECHNIQUE: Final = "T1133"
_WORSE: Final[Mapping[Severity, Severity]] = {"low": "medium", "medium": "high"}
#: Labels of devices at which nobody sits.
_THINGS: Final = frozenset(
    (
        *("appliance", "bulb", "camera", "doorbell", "hub", "iot", "light", "lock", "plug"),
        *("printer", "sensor", "speaker", "switch", "thermostat", "tv", "vacuum"),
    )
)
#: What a device must not serve to the internet.
_SERVED: Final = frozenset(("smb", "socks", "telnet"))
#: Whoever is called by these may be the one that is broken into: worms spread so.
_SPREADING: Final = frozenset(("smb", "telnet"))
#: Ports of mining pools (Falco's list) without those on which other things are at home. Nothing is told by them
#: alone: a pool's name must be on a feed, too.
_POOL_PORTS: Final = frozenset(
    (
        *(3333, 3334, 3335, 3336, 3357, 4444, 5556, 5588, 5730, 6099, 6666, 7777, 7778, 8899),
        *(9332, 9999, 14_433, 14_444, 45_560, 45_700),
    )
)
#: Such words are in the names of feeds of mining pools.
_POOL_FEEDS: Final = ("coin", "miner", "mining", "pool")
_MAX_LISTED: Final = 64
#: The same is told again after so long, in seconds, for its count.
_AGAIN: Final = 60.0


class _Spoken(NamedTuple):
    """What was spoken, with whom."""

    time: float
    who: str
    application: str
    flow: Flow
    reason: str


class _Device:
    """What was told of a device, and whom it met that is on feeds."""

    __slots__ = ("count", "flows", "listed", "told")

    def __init__(self) -> None:
        """Begin with nothing."""
        #: By subject, of which there are few.
        self.told: dict[str, float] = {}
        self.count: dict[str, int] = {}
        self.flows: dict[str, Flow] = {}
        self.listed: dict[str, str] = {}


class ForbiddenProtocol(Detector):
    """Knows protocols by their first bytes; a port counts only beside a name that is listed."""

    kind = "forbidden_protocol"

    def __init__(self, home: Home) -> None:
        """Begin with nothing."""
        super().__init__(home)
        self._devices = PerDevice(_Device)

    def handlers(self) -> Mapping[type[Observation], Handler]:
        """Return what to call for which observation."""
        return {
            Spoke: self._spoke,
            Began: self._began,
            Settled: self._began,
            Listed: self._listed,
        }

    def forget(self, who: str) -> None:
        """Forget a device."""
        self._devices.forget(who)

    def covers(self, accepted: Mapping[str, Any], notice: Notice) -> bool:
        """Return whether the user accepted this very protocol."""
        return bool(accepted.get("value") == notice.evidence["value"])

    def _spoke(self, spoke: Spoke) -> Iterator[Notice]:
        """Take what a flow's bytes said, before anyone looked at the flow."""
        if spoke.scope == "internet":
            yield from self._judge(
                _Spoken(spoke.time, spoke.who, spoke.application, self._flow(spoke), _BY_BYTES)
            )

    def _flow(self, spoke: Spoke) -> Flow:
        """Return the flow as far as it has come: nobody has looked at it yet."""
        counted = self.home.counted(spoke.packed) or _NOTHING
        return Flow(
            spoke.packed,
            spoke.key,
            counted._replace(opener=UPLOAD if spoke.is_outgoing else DOWNLOAD),
            Label(spoke.application, spoke.name),
            spoke.scope,
            Place(),
            None,
            spoke.time,
            spoke.time,
        )

    def _began(self, seen: Began | Settled) -> Iterator[Notice]:
        """Take a flow."""
        flow = seen.flow
        if flow.scope != "internet":
            return
        application = flow.label.application or UNKNOWN
        if application not in (UNKNOWN, "tls"):
            yield from self._judge(_Spoken(seen.time, seen.who, application, flow, _BY_BYTES))
        elif flow.key.protocol == TCP and flow.key.peer_port in _POOL_PORTS and flow.is_outgoing:
            yield from self._judge_pool(seen.time, seen.who, flow)

    def _judge_pool(self, time: float, who: str, flow: Flow) -> Iterator[Notice]:
        """Tell of what is encrypted, and goes to a pool's port and name."""
        device = self._devices.find(who)
        feed = device and (device.listed.get(flow.peer) or device.listed.get(flow.label.name or ""))
        if feed and not flow.has_failed:
            reason = (
                f"its bytes say nothing, but the port is one of mining pools, and the feed {feed}"
                " lists the peer"
            )
            yield from self._judge(_Spoken(time, who, "stratum", flow, reason))

    def _listed(self, listed: Listed) -> Iterator[Notice]:
        """Note that a device met a pool by its name or address."""
        feed = next((f for f in listed.feeds if any(w in f.lower() for w in _POOL_FEEDS)), None)
        if feed is None or listed.who is None:
            return
        known = self._devices.of(listed.who, listed.time).listed
        for each in (listed.name, listed.peer, *listed.resolved[:8]):
            if each is not None:
                known[each] = feed
        make_room(known, _MAX_LISTED)
        yield from ()

    def _judge(self, spoken: _Spoken) -> Iterator[Notice]:
        """Tell of a protocol that the policy does not allow the device."""
        time, who, application, flow, _ = spoken
        policy = self.home.policy(who)
        is_forbidden = application in policy.forbidden_protocols - policy.allowed_protocols
        if not is_forbidden or who in self.home.own():
            return
        if not flow.is_outgoing and application not in _SERVED:
            return
        device = self._devices.of(who, time)
        subject = application if flow.is_outgoing else f"{application} from the internet"
        latest = device.flows.get(subject)
        if latest is None or latest.packed != flow.packed:
            device.count[subject] = device.count.get(subject, 0) + 1
        device.flows[subject] = flow
        if time - device.told.get(subject, -_AGAIN) >= _AGAIN:
            device.told[subject] = time
            yield self._notice(spoken, policy, subject, device.count[subject])

    def _notice(self, spoken: _Spoken, policy: DevicePolicy, subject: str, count: int) -> Notice:
        """Return the event."""
        time, who, application, flow, reason = spoken
        name, peer = self.home.name(who), flow.label.peer_name or flow.peer
        meaning = APPLICATIONS.get(application, application)
        if flow.is_outgoing:
            summary = f"{name} speaks {_spelt(application)} with {peer} on the internet ({meaning})"
            why = (
                f"The policy allows {name} no {_spelt(application)} to the internet; {reason}."
                " Few devices of a home have a reason for it, and much malware does."
            )
        else:
            summary = (
                f"{name} serves {_spelt(application)} to {flow.peer} on the internet ({meaning})"
            )
            why = (
                f"The policy allows {name} no {_spelt(application)} with the internet; {reason}."
                " Whoever can reach this service can try to get in."
            )
        return Notice(
            "forbidden_protocol",
            _severity(application, policy, is_outgoing=flow.is_outgoing),
            summary,
            evidence(
                Measured(
                    "forbidden_protocol",
                    application,
                    sorted(policy.allowed_protocols & policy.forbidden_protocols),
                    0.0,
                    why,
                ),
                [flow],
                connections=count,
                service=flow.service,
                incoming=not flow.is_outgoing,
                **_blame(application, is_outgoing=flow.is_outgoing),
            ),
            **about(who, flow),
            subject=subject,
            time=time,
            technique=_TECHNIQUES.get(application) if flow.is_outgoing else _SERVED_TECHNIQUE,
        )


_NOTHING: Final = Counted(*(0 for _ in Counted._fields))
_BY_BYTES: Final = "it is known by the first bytes, whatever the port"
_SPELT: Final = {"bittorrent": "BitTorrent", "stratum": "Stratum", "telnet": "Telnet", "tor": "Tor"}


def _spelt(application: str) -> str:
    """Return a protocol's name as people write it."""
    return _SPELT.get(application, application.upper())


def _blame(application: str, *, is_outgoing: bool) -> dict[str, str]:
    """Return who did it, where that is not both: who calls, and perhaps only that one."""
    if not is_outgoing:
        return {"blame": "peer"}
    return {"blame": "device"} if application in _SPREADING else {}


def _severity(application: str, policy: DevicePolicy, *, is_outgoing: bool) -> Severity:
    """Return how bad it is, of a computer or of a thing."""
    if not is_outgoing:
        return "medium"
    usual = _SEVERITIES.get(application, "medium")
    is_thing = policy.local or not _THINGS.isdisjoint(each.lower() for each in policy.labels)
    return _WORSE.get(usual, usual) if is_thing else usual
