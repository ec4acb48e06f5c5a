"""Local devices on the internet: one that is expected to stay in the home, or that never went out, goes out."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from ..kinds import Severity
from ..learning.destinations import BASICS, INTERNET
from ..notice import Notice
from ..observations import Flow, Met, Settled
from ..per_device import PerDevice
from ..policy.policy import DevicePolicy
from .amounts import span
from .detector import Detector, Handler, Home
from .evidence import Measured, about, evidence

#: A device that never went out was there in at least so many units of time (days), not for an hour weeks ago.
_UNITS: Final = 3
#: The same is told again after so long, in seconds, for its count.
_AGAIN: Final = 600.0


class _Judged(NamedTuple):
    """What a flow means."""

    subject: str
    severity: Severity
    does: str
    why: str


class LocalDeviceOnInternet(Detector):
    """Judges each flow to the internet that such a device opens. Names, the time and ping alone are not going out."""

    kind = "local_device_on_internet"

    def __init__(self, home: Home) -> None:
        """Take whom to ask."""
        super().__init__(home)
        #: When what was told, by subject: there are three.
        self._told: PerDevice[dict[str, float]] = PerDevice(dict)

    def handlers(self) -> Mapping[type, Handler]:
        """Return what to call for which observation."""
        return {Met: self._met, Settled: self._settled}

    def forget(self, who: str) -> None:
        """Forget a device."""
        self._told.forget(who)

    def _settled(self, settled: Settled) -> Iterator[Notice]:
        """Judge a flow that ended and that nobody answered."""
        flow = settled.flow
        if (
            flow.is_outgoing
            and flow.has_failed
            and flow.scope == "internet"
            and flow.service not in BASICS
            and self.home.policy(settled.who).local
        ):
            judged = _Judged(
                "internet attempt",
                "low",
                "tries to reach the internet, where nobody answered:",
                "It is marked as a device that stays in the home.",
            )
            yield from self._tell(settled.who, flow, judged, settled.time)

    def _met(self, met: Met) -> Iterator[Notice]:
        """Judge a flow of which it is known whom it is with."""
        if met.flow.scope != "internet":
            return
        policy = self.home.policy(met.who)
        judged = (
            _by_policy(met.flow)
            if policy.local
            else self._by_habit(met.who, met.flow, policy, met.time)
        )
        if judged is not None:
            yield from self._tell(met.who, met.flow, judged, met.time)

    def _by_habit(self, who: str, flow: Flow, policy: DevicePolicy, now: float) -> _Judged | None:
        """Judge by what the device did so far, where nobody says what it may."""
        profile = self.home.profile(who)
        if (
            policy.local is False
            or flow.service in BASICS
            or profile.is_learning(now, policy.learning)
            or profile.units < _UNITS
            or profile.facets["outside"].is_known(INTERNET)
        ):
            return None
        return _Judged(
            INTERNET,
            "medium",
            "talks to the internet:",
            f"In the {span(now - profile.since)} since learning it began it never did, beyond names and the time.",
        )

    def _tell(self, who: str, flow: Flow, judged: _Judged, now: float) -> Iterator[Notice]:
        """Tell it, unless it was told lately."""
        if who in self.home.own():
            return
        told = self._told.of(who, now)
        if now - told.get(judged.subject, float("-inf")) < _AGAIN:
            return
        told[judged.subject] = now
        peer = flow.label.peer_name or flow.peer
        yield Notice(
            self.kind,
            judged.severity,
            f"{self.home.name(who)} {judged.does} {peer} ({flow.service})",
            evidence(
                Measured(self.kind, flow.service, "none", flow.last - flow.first, judged.why),
                [flow],
            ),
            **about(who, flow),
            subject=judged.subject,
            time=now,
        )


def _by_policy(flow: Flow) -> _Judged:
    """Judge a flow of a device that is expected to stay in the home."""
    why = "It is marked as a device that stays in the home."
    if flow.service in BASICS:
        return _Judged("internet basics", "low", "asks the internet for names or the time:", why)
    return _Judged(INTERNET, "high", "talks to the internet:", why)
