"""Connection bursts: a device begins far more connections in a minute than it ever did."""

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from typing import Final

from ..flows.flow import SCTP, TCP, TCP_SYN, UDP
from ..kinds import SEVERITIES, Severity
from ..learning.pace import ALARM, ALARM_LEARNING, OVER_HIGHEST
from ..notice import Notice
from ..observations import Began, Flow, Look
from ..per_device import PerDevice
from .amounts import covers_amount
from .detector import Detector, Handler, Home
from .evidence import MAX_FLOWS, Measured, about, evidence

#: Connections per minute. ntopng speaks of 32, but a page with its advertisements opens 100 at once and a browser
#: that restores its windows several hundred: that is learnt as the device's highest minute.
_FLOOR: Final = ALARM
_OVER_HIGHEST: Final = OVER_HIGHEST
#: Of a device that is still learnt there is no highest minute to go by.
_FLOOR_LEARNING: Final = ALARM_LEARNING
#: So many times the limit are no crowded page any more.
_MUCH: Final = 5.0
#: Below this part of the limit a burst is over.
_OVER: Final = 0.5
_MINUTE: Final = 60.0
#: Services and peers that are counted in a minute, of one device.
_SERVICES: Final = 16
_PEERS: Final = 256


class _State:
    """What one device began in the minute that runs and the one before."""

    __slots__ = ("before", "count", "flows", "minute", "peers", "services", "told")

    def __init__(self) -> None:
        """Begin with nothing."""
        self.minute = self.count = self.before = 0
        self.services: Counter[str] = Counter()
        self.peers: set[bytes] = set()
        self.flows: deque[Flow] = deque(maxlen=MAX_FLOWS)
        #: How severe the burst is that was told of, -1 while there is none.
        self.told = -1

    def begin(self, flow: Flow, now: float) -> None:
        """Count a connection."""
        minute = int(now // _MINUTE)
        if minute > self.minute:
            self.before = self.count if minute == self.minute + 1 else 0
            self.minute, self.count = minute, 0
            self.services.clear()
            self.peers.clear()
        self.count += 1
        if flow.service in self.services or len(self.services) < _SERVICES:
            self.services[flow.service] += 1
        if len(self.peers) < _PEERS:
            self.peers.add(flow.key.peer)
        self.flows.append(flow)

    def rate(self, now: float) -> float:
        """Return how many began in the last minute: the one before counts for as much of it as it overlaps."""
        rest = 1 - now % _MINUTE / _MINUTE
        later = int(now // _MINUTE) - self.minute
        if later <= 0:
            return self.count + self.before * rest
        return self.count * rest if later == 1 else 0.0


class ConnectionBurst(Detector):
    """Counts the connections that devices begin, and judges with each look."""

    kind = "connection_burst"

    def __init__(self, home: Home) -> None:
        """Take whom to ask."""
        super().__init__(home)
        self._states = PerDevice(_State)
        #: Devices that began some since the last look, or in whom a burst goes on.
        self._busy: set[str] = set()

    def handlers(self) -> Mapping[type, Handler]:
        """Return what to call for which observation."""
        return {Began: self._began, Look: self._look}

    def forget(self, who: str) -> None:
        """Forget a device."""
        self._states.forget(who)
        self._busy.discard(who)

    def _began(self, began: Began) -> Iterator[Notice]:
        """Count a connection."""
        if _is_connection(began.flow):
            self._states.of(began.who, began.time).begin(began.flow, began.time)
            self._busy.add(began.who)
        return iter(())

    def _look(self, look: Look) -> Iterator[Notice]:
        """Judge the devices that began connections."""
        busy, self._busy = self._busy, set()
        for who in busy:
            state = self._states.find(who)
            if state is None or who in self.home.own():
                continue
            yield from self._judge(who, state, look.time)
            if state.told >= 0:
                self._busy.add(who)

    def _judge(self, who: str, state: _State, now: float) -> Iterator[Notice]:
        """Tell of a burst once, and again when it is worse."""
        rate = state.rate(now)
        policy, profile = self.home.policy(who), self.home.profile(who)
        if rate <= _FLOOR * policy.factor * _OVER:
            state.told = -1
            return
        learning = profile.is_learning(now, policy.learning)
        floor = _FLOOR_LEARNING if learning else _FLOOR
        highest = profile.pace.highest(now)
        limit = max(floor, _OVER_HIGHEST * highest) * policy.factor
        if rate < limit * _OVER:
            state.told = -1
        if rate <= limit:
            return
        severity: Severity = "medium" if rate >= _MUCH * limit else "low"
        if SEVERITIES.index(severity) <= state.told:
            return
        state.told = SEVERITIES.index(severity)
        yield self._notice(who, state, severity, (rate, limit, highest), now)

    def _notice(
        self,
        who: str,
        state: _State,
        severity: Severity,
        figures: tuple[float, float, float],
        now: float,
    ) -> Notice:
        """Return what to tell."""
        rate, limit, highest = figures
        services = [name for name, _ in state.services.most_common(3)]
        peers = f"{len(state.peers)}{' or more' if len(state.peers) >= _PEERS else ''}"
        return Notice(
            self.kind,
            severity,
            f"{self.home.name(who)} began {rate:.0f} connections within a minute, to {peers} peers,"
            f" most of them to {', '.join(services)}",
            evidence(
                Measured(
                    *(self.kind, round(rate), round(limit), _MINUTE),
                    f"Its highest minute so far had {highest:.0f} connections.",
                ),
                state.flows,
                services=dict(state.services.most_common(3)),
                peers=len(state.peers),
            ),
            **about(who, state.flows[-1] if len(state.peers) == 1 else None),
            subject="connections",
            time=now,
        )

    def covers(self, accepted: Mapping[str, object], notice: Notice) -> bool:
        """Return whether the burst is not much larger than the one that was accepted."""
        return covers_amount(accepted, notice)


def _is_connection(flow: Flow) -> bool:
    """Return whether the device began it: a ping is none, and what went on when the sensor came is no beginning."""
    if not flow.is_outgoing:
        return False
    protocol = flow.key.protocol
    return protocol in (UDP, SCTP) or (
        protocol == TCP and bool(flow.counted.upload_flags & TCP_SYN)
    )
