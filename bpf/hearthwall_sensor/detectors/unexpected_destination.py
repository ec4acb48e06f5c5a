"""Unexpected destinations: a device talks to a place that is unlike all that it was seen to talk to.

Each facet of a destination that is new (domain, network, country, service, application) surprises by how seldom this
very device meets new ones: a laptop meets new domains daily, a plug never. The sum is what counts. What the policy
forbids needs no surprise: other countries, and the internet at hours in which the device is expected to be still.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from ..kinds import SEVERITIES, Severity
from ..learning.destinations import BASICS, INTERNET, NAMELESS, habits
from ..learning.profile import UNITS, Profile, unit_of
from ..learning.programs import is_program
from ..notice import Notice
from ..observations import Flow, Met, Moved
from ..per_device import PerDevice
from ..policy.expectations import Expectations
from ..policy.policy import DevicePolicy
from .amounts import span
from .detector import Detector, Handler, Home
from .evidence import MAX_FLOWS, Measured, about, evidence

#: How much a facet's surprise weighs. A country says more than a network, of which clouds have many.
_WEIGHTS: Final[Mapping[str, float]] = {
    "domain": 1.0,
    "network": 1.0,
    "country": 1.5,
    "service": 1.0,
    "application": 0.5,
}
#: A peer without a name, by a device whose peers have names: programs that were not written to be found do so.
_NAMELESS_WEIGHT: Final = 1.5
#: What everything speaks is no news from a device that did not speak it: updates come by HTTP and QUIC.
_COMMON: Final = BASICS | {"tcp/443", "udp/443", "tcp/80", "tls", "quic", "http", "dns", "ntp"}
#: Servers for names and the time have none themselves, and others stand in for them.
_BASICS_WEIGHT: Final = 0.5
#: A country that so many others of the home know is where its services are: a device's updates come from there, too.
_COMMON_COUNTRY: Final = 2
#: A new domain in a known network, by a device that met none in a week, has 1.27; one that meets three in two weeks
#: has 0.7. Domain, network and country have 4.4 after a week; domain and network alone
#: never more than 4.1: a profile goes by 56 days at most.
_LOW: Final = 1.0
_MEDIUM: Final = 4.2
#: Needs a new domain, network, country and service of a device that met none for three weeks.
_HIGH: Final = 7.4
#: Within quiet hours so many bytes in so many seconds are no heartbeat: one of 200 bytes a second stays below.
_QUIET_BYTES: Final = 65_536
_QUIET_WINDOW: Final = 300.0
#: The same is told again after so long, in seconds, for its count.
_AGAIN: Final = 600.0
#: Subjects that are remembered for that, of one device.
_SUBJECTS: Final = 64


class _State:
    """What was told of one device, and its last destinations."""

    __slots__ = ("flows", "moved", "since", "told")

    def __init__(self) -> None:
        """Begin with nothing."""
        #: Subject → when it was told, and how severe it was.
        self.told: dict[str, tuple[float, int]] = {}
        self.flows: deque[Flow] = deque(maxlen=MAX_FLOWS)
        self.since = float("-inf")
        self.moved = 0


class _Judged(NamedTuple):
    """What a destination is found to be."""

    subject: str
    severity: Severity
    summary: str
    measured: Measured
    new: Mapping[str, str] = {}


class UnexpectedDestination(Detector):
    """Judges each flow that a device opened once somebody answered, and what it moves in quiet hours."""

    kind = "unexpected_destination"

    def __init__(self, home: Home) -> None:
        """Take whom to ask."""
        super().__init__(home)
        self._states = PerDevice(_State)

    def handlers(self) -> Mapping[type, Handler]:
        """Return what to call for which observation."""
        return {Met: self._met, Moved: self._moved}

    def forget(self, who: str) -> None:
        """Forget a device."""
        self._states.forget(who)

    def _met(self, met: Met) -> Iterator[Notice]:
        """Judge a flow of which it is known whom it is with."""
        who, flow = met.who, met.flow
        if who in self.home.own():
            return
        policy = self.home.policy(who)
        if flow.scope != "internet" and policy.expected is None:
            return
        state = self._states.of(who, met.time)
        state.flows.append(flow)
        for judged in (
            self._description(who, flow, policy),
            self._country(who, flow, policy),
            self._destination(who, flow, policy, met.time),
        ):
            if judged is not None and _is_due(state, judged, met.time):
                yield self._notice(who, judged, [flow], met.time)

    def _description(self, who: str, flow: Flow, policy: DevicePolicy) -> _Judged | None:
        """Judge a flow by what the device's MUD file lets it do, or the policy a program."""
        if policy.expected is None or not Expectations.concern(flow.application):
            return None
        is_of_program = is_program(who)
        if is_of_program and flow.scope == "gateway":
            return None  # what programs of this host have to say to each other
        said = (flow.transport, flow.server_port, "device")
        is_home = flow.scope != "internet"
        peer = flow.label.peer_name
        if policy.expected.allow(said, flow.peer, peer, is_home=is_home):
            return None
        return _Judged(
            f"description {peer or flow.peer} {flow.service}",
            "medium",
            f"{self.home.name(who)} talks to {_peer(flow)} on {flow.service}, which"
            f" {'the policy' if is_of_program else 'its MUD file'} does not provide for",
            Measured(
                *(self.kind, flow.service, len(policy.expected.all), flow.last - flow.first),
                "Whom the policy lets it talk to has no entry for this peer."
                if is_of_program
                else "What its maker says that it needs has no entry for this peer and port.",
            ),
        )

    def _country(self, who: str, flow: Flow, policy: DevicePolicy) -> _Judged | None:
        """Judge a peer's country by the policy."""
        country = flow.place.country
        if policy.countries is None or country is None or country in policy.countries:
            return None
        allowed = ", ".join(sorted(policy.countries)) or "none"
        return _Judged(
            f"country {country}",
            "medium",
            f"{self.home.name(who)} talks to {_peer(flow)} in {country}",
            Measured(
                *(self.kind, country, sorted(policy.countries), flow.last - flow.first),
                f"The policy lets this device talk to these countries only: {allowed}.",
            ),
        )

    def _destination(
        self, who: str, flow: Flow, policy: DevicePolicy, now: float
    ) -> _Judged | None:
        """Judge how surprising a destination is for the device."""
        profile = self.home.profile(who)
        # Of a device that never went out, another detector tells that it does
        if (
            flow.scope != "internet"
            or policy.local
            or profile.is_learning(now, policy.learning)
            or not profile.facets["outside"].is_known(INTERNET)
        ):
            return None
        values = habits(flow)
        new = _novelties(profile, values)
        if "country" in new and self._is_common(who, values["country"]):
            del new["country"]
        score = sum(new.values())
        severity = _severity(score / policy.factor)
        if severity is None:
            return None
        names = {name: value for name, value in values.items() if name in new}
        domain = values["domain"]
        subject = f"network {values['network']}" if domain == NAMELESS else f"domain {domain}"
        return _Judged(
            subject,
            severity,
            f"{self.home.name(who)} talks to {_peer(flow)} on {flow.service}; new for it is"
            f" {_listed(names)}",
            Measured(
                *(self.kind, round(score, 2), round(_LOW * policy.factor, 2)),
                *(unit_of(policy.learning), _why(profile, names, now)),
            ),
            names,
        )

    def _is_common(self, who: str, country: str) -> bool:
        """Return whether others of the home were learnt with a country."""
        others = (self.home.profile(other) for other, _ in self._states if other != who)
        return sum(each.facets["country"].is_known(country) for each in others) >= _COMMON_COUNTRY

    def _moved(self, moved: Moved) -> Iterator[Notice]:
        """Judge what a device moves in quiet hours."""
        policy = self.home.policy(moved.who)
        if not policy.quiet_hours or moved.who in self.home.own():
            return
        minute = self.home.profile(moved.who).minute_of_day(moved.time)
        state = self._states.of(moved.who, moved.time)
        if not any(_lies_in(minute, *each) for each in policy.quiet_hours):
            state.moved = 0
            return
        if moved.time - state.since > _QUIET_WINDOW:
            state.since, state.moved = moved.time, 0
        state.moved += moved.upload + moved.download
        if state.moved <= _QUIET_BYTES * policy.factor:
            return
        name = self.home.name(moved.who)
        judged = _Judged(
            "quiet hours",
            "medium",
            f"{name} talks to the internet in its quiet hours",
            Measured(
                *(self.kind, state.moved, int(_QUIET_BYTES * policy.factor), _QUIET_WINDOW),
                f"The policy expects this device to be still at {minute // 60:02}:{minute % 60:02};"
                f" it moved {state.moved // 1000} kB within five minutes.",
            ),
        )
        if _is_due(state, judged, moved.time):
            yield self._notice(moved.who, judged, list(state.flows)[::-1], moved.time)

    def _notice(self, who: str, judged: _Judged, flows: list[Flow], now: float) -> Notice:
        """Return what to tell."""
        return Notice(
            self.kind,
            judged.severity,
            judged.summary,
            evidence(judged.measured, flows, new=dict(judged.new)),
            **about(who, flows[0] if flows else None),
            subject=judged.subject,
            time=now,
        )


def _novelties(profile: Profile, values: Mapping[str, str]) -> dict[str, float]:
    """Return how much each facet surprises that is new."""
    facets = profile.facets
    found = {}
    known_domain = values["domain"] != NAMELESS and facets["domain"].is_known(values["domain"])
    for name, weight in _WEIGHTS.items():
        value = values.get(name)
        if value is None or value in _COMMON or facets[name].is_known(value):
            continue
        if known_domain and name in ("network", "country"):
            continue  # whoever owns the domain moved it, or has it served nearby
        if value == NAMELESS:
            weight = _NAMELESS_WEIGHT  # noqa: PLW2901, the facet's is for values
        if values["service"] in BASICS and name in ("domain", "network"):
            weight = 0.0 if value == NAMELESS else _BASICS_WEIGHT  # noqa: PLW2901
        # Of a device that was still for most of the time that it was learnt, what it did is all that it does
        found[name] = weight * facets[name].surprise(value, UNITS)
    return found


def _severity(score: float) -> Severity | None:
    """Return how severe a score is, None for one that is nothing."""
    if score >= _HIGH:
        return "high"
    if score >= _MEDIUM:
        return "medium"
    return "low" if score >= _LOW else None


def _is_due(state: _State, judged: _Judged, now: float) -> bool:
    """Return whether something is to be told: the first time, when it is worse, and sometimes for its count."""
    severity = SEVERITIES.index(judged.severity)
    when, before = state.told.get(judged.subject, (float("-inf"), -1))
    if severity <= before and now - when < _AGAIN:
        return False
    state.told.pop(judged.subject, None)
    state.told[judged.subject] = now, max(severity, before)
    if len(state.told) > _SUBJECTS:
        del state.told[next(iter(state.told))]
    return True


def _peer(flow: Flow) -> str:
    """Return what a person may know of a peer."""
    known = flow.label.peer_name
    more = [
        *([] if known is None else [flow.peer]),
        *([] if flow.place.as_name is None else [flow.place.as_name]),
        *([] if flow.place.country is None else [flow.place.country]),
    ]
    return f"{known or flow.peer}" + (f" ({', '.join(more)})" if more else "")


_SHOWN: Final[Mapping[str, str]] = {"network": "network ", "country": "country "}


def _listed(new: Mapping[str, str]) -> str:
    """Return new values for a sentence."""
    return ", ".join(
        "a peer without a name" if value == NAMELESS else f"{_SHOWN.get(name, '')}{value}"
        for name, value in new.items()
    )


def _why(profile: Profile, new: Mapping[str, str], now: float) -> str:
    """Return why a destination is unusual for this device, in what was counted: how often is for the score alone."""
    domains, networks = (len(profile.facets[name]) for name in ("domain", "network"))
    name = "domain" if "domain" in new else next(iter(new))
    return (
        f"In the {span(now - profile.since)} since learning it began it talked to {domains}"
        f" domain{'' if domains == 1 else 's'} in {networks} network{'' if networks == 1 else 's'},"
        f" and the fewer new ones a device meets, the more another {name} says."
    )


def _lies_in(minute: int, start: int, end: int) -> bool:
    """Return whether a minute of the day lies in a span, which may go over midnight."""
    return start <= minute < end if start <= end else minute >= start or minute < end
