"""Beacons: one peer that is called again and again, at an even pace, by a device that did not know it before.

What tells an implant from the heartbeat of an honest device is not the pace: it is whether the device was learnt with
it, and whether others of the home know the peer. The calls themselves are kept in memory only: after a start they are
counted anew, for some interval times twenty, while whom a device knows is in its profile on disk.
"""

import itertools
import math
from array import array
from bisect import bisect
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from statistics import median, quantiles
from typing import Final, NamedTuple

from ..flows.flow import ICMP, ICMPV6
from ..kinds import Severity
from ..learning.destinations import habits
from ..learning.profile import Profile
from ..names.registered import registered_domain
from ..notice import Notice
from ..observations import Began, Flow, Observation, Settled
from ..per_device import PerDevice
from .detector import Detector, Handler, Home
from .evidence import MAX_FLOWS, Measured, about, evidence

#: So many calls make a pace: with fewer, chance does (RITA takes four, over a day).
_CALLS: Final = 20
#: Calls that are remembered of each peer.
_MAX_CALLS: Final = 64
#: Peers of a device; a full table takes 130 kB.
_MAX_PAIRS: Final = 64
#: Flows that begin within so many seconds are one call.
_SAME_CALL: Final = 1.0
#: Less is not a beacon but a progress bar, in seconds.
_MIN_SPAN: Final = 60.0
#: Faster than each so many seconds it is a burst, whose calls within _SAME_CALL being one makes it look even.
_FASTEST: Final = 2.0
#: The median deviation from the median interval, at most, as a share of it: 0.05 with 10 % of jitter (even either
#: way), 0.15 with 30 %, 0.3 with 60 % and more with calls at random. A few calls look even by chance sooner.
_UNEVEN: Final = 0.1
_UNEVEN_LONG: Final = 0.125
_LONG: Final = 48
#: The least of the whole score (RITA: 0.7 is high). Even calls of one size reach 0.9.
_SCORE: Final = 0.75
#: After a pause of so many intervals counting begins anew.
_PAUSE: Final = 12.0
#: An interval is like those before within this share of them; so many in a row keep a pair from giving way.
_LIKE: Final = 0.35
_STEADY: Final = 3
#: A beacon that goes on is told again after so many seconds, for its count.
_AGAIN: Final = 3600.0

#: What everything in a home calls evenly, and whom with is the network's choice.
_INFRASTRUCTURE: Final = frozenset(("tcp/53", "udp/53", "tcp/853", "udp/853", "udp/123"))
#: Where devices and their clouds meet: the web, MQTT, the push services of phones, and mail.
_ORDINARY: Final = frozenset(
    (
        *("tcp/80", "tcp/443", "udp/443", "tcp/8883", "tcp/5222", "tcp/5223", "tcp/5228"),
        *("tcp/143", "tcp/465", "tcp/587", "tcp/993", "tcp/995"),
    )
)
#: A device that knows so many domains does what a person wants; a camera has a handful and a television some dozen.
_PERSONAL: Final = 60
#: Who has something to say each few seconds keeps the connection, unless each time it is a piece of a film.
_HURRIED: Final = 10.0
_SMALL: Final = 20_000
#: Other devices that know the peer make it one of the home's.
_COMMON: Final = 2


class _Pair:
    """The calls of one device to one service of one peer."""

    __slots__ = ("_flows", "interval", "latest", "sizes", "steady", "times", "told")

    def __init__(self) -> None:
        """Begin with no call."""
        #: The calls' times in order, a number for each one's flow, and its bytes both ways (-1 while not known).
        self.times = array("d")
        self._flows = array("q")
        self.sizes = array("q")
        #: About how long the intervals are, and how many in a row were like that.
        self.interval = 0.0
        self.steady = 0
        #: To be shown. Most pairs never have any: a deque would take more than all the rest.
        self.latest: tuple[Flow, ...] = ()
        self.told = -math.inf

    def call(self, flow: Flow) -> bool:
        """Take a flow's beginning; return whether it is a call of its own."""
        at = bisect(self.times, flow.first)
        near = self.times[max(0, at - 1) : at + 1]
        if any(abs(each - flow.first) < _SAME_CALL for each in near):
            return False
        if self.times and at == len(self.times):
            self._follow(flow.first - self.times[-1])
            at = len(self.times)
        self.times.insert(at, flow.first)
        self._flows.insert(at, hash(flow.packed))
        self.sizes.insert(at, -1)
        if len(self.times) > _MAX_CALLS:
            for each in (self.times, self._flows, self.sizes):
                del each[0]
        if self.steady >= _STEADY:
            self.latest = (*self.latest, flow)[-MAX_FLOWS:]
        return True

    def _follow(self, interval: float) -> None:
        """Compare an interval with those before."""
        if self.interval and interval > _PAUSE * self.interval:
            for each in (self.times, self._flows, self.sizes):
                del each[:]
            self.interval, self.steady = 0.0, 0
            return
        is_like = abs(interval - self.interval) <= _LIKE * self.interval
        self.steady = self.steady + 1 if is_like else 0
        self.interval = self.interval + 0.2 * (interval - self.interval) if is_like else interval

    def settle(self, flow: Flow) -> None:
        """Take a flow's size when it is quiet for the first time."""
        number = hash(flow.packed)
        for at in range(len(self._flows) - 1, -1, -1):
            if self._flows[at] == number and self.sizes[at] < 0:
                self.sizes[at] = flow.counted.upload_bytes + flow.counted.download_bytes
                return

    def is_regular(self, now: float) -> bool:
        """Return whether this may become a beacon: such pairs give way last."""
        return self.steady >= _STEADY and now - self.times[-1] < _PAUSE * self.interval


class _Device:
    """The peers that a device calls."""

    __slots__ = ("pairs",)

    def __init__(self) -> None:
        """Begin with none."""
        self.pairs: OrderedDict[tuple[str, str], _Pair] = OrderedDict()

    def pair(self, key: tuple[str, str], now: float) -> _Pair:
        """Return a pair, in place of the one that was not called for the longest time if there are too many."""
        known = self.pairs.get(key)
        if known is None:
            if len(self.pairs) >= _MAX_PAIRS:
                oldest = next(iter(self.pairs))
                gives_way = (each for each, pair in self.pairs.items() if not pair.is_regular(now))
                del self.pairs[next(gives_way, oldest)]
            known = self.pairs[key] = _Pair()
        self.pairs.move_to_end(key)
        return known


class Pace(NamedTuple):
    """How even the calls are, each from 0 to 1 (after RITA)."""

    interval: float
    """The median, in seconds."""
    uneven: float
    """The median deviation from it, as a share of it."""
    times: float
    sizes: float
    coverage: float
    """The share of the time that has a call where one is due."""
    size: float
    """The median size in bytes, -1 where it is not known."""

    @property
    def score(self) -> float:
        """All of it."""
        return 0.5 * self.times + 0.25 * self.sizes + 0.25 * self.coverage

    @classmethod
    def of(cls, pair: _Pair) -> "Pace":
        """Judge a pair's calls."""
        times = pair.times
        intervals = [later - earlier for earlier, later in itertools.pairwise(times)]
        middle, uneven = _spread(intervals)
        sizes = [float(each) for each in pair.sizes if each >= 0]
        # Where most sizes are not known, as of connections that stay open, they say nothing either way
        alike = 1.0 - min(1.0, _spread(sizes)[1]) if 2 * len(sizes) >= len(times) else 0.5
        bins = {int((each - times[0]) / middle + 0.5) for each in times}
        due = (times[-1] - times[0]) / middle + 1
        evenness = (1.0 - abs(_skew(intervals)) + 1.0 - min(1.0, uneven)) / 2
        size = median(sizes) if sizes else -1.0
        return cls(middle, uneven, evenness, alike, min(1.0, len(bins) / due), size)


class Beacon(Detector):
    """Even calls to a peer that is new to the device."""

    kind = "beacon"

    def __init__(self, home: Home) -> None:
        """Begin with nothing."""
        super().__init__(home)
        self._devices = PerDevice(_Device)

    def handlers(self) -> Mapping[type[Observation], Handler]:
        """Flows' beginnings for their times, and their first rest for their sizes."""
        return {Began: self._began, Settled: self._settled}

    def forget(self, who: str) -> None:
        """Forget a device."""
        self._devices.forget(who)

    def _settled(self, settled: Settled) -> Iterable[Notice]:
        """Take the size of a call."""
        device = self._devices.find(settled.who)
        pair = device and device.pairs.get((_peer(settled.flow), settled.flow.service))
        if pair:
            pair.settle(settled.flow)
        return ()

    def _began(self, began: Began) -> Iterator[Notice]:
        """Take a call, and tell what has become a beacon."""
        flow = began.flow
        if not _counts(flow):
            return
        peer = _peer(flow)
        device = self._devices.of(began.who, began.time)
        pair = device.pair((peer, flow.service), flow.first)
        if not pair.call(flow) or not self._is_due(began, pair):
            return
        pace = Pace.of(pair)
        most = _UNEVEN if len(pair.times) < _LONG else _UNEVEN_LONG
        if pace.interval < _FASTEST or pace.uneven > most or pace.score < _SCORE:
            return
        judged = self._judge(began, peer, pace)
        if judged is not None:
            pair.told = began.time
            yield self._tell(began, peer, pair, pace, judged)

    def _is_due(self, began: Began, pair: _Pair) -> bool:
        """Return whether there are calls enough to look at their pace, and it was not told a while ago."""
        least = min(_MAX_CALLS, _CALLS * self.home.policy(began.who).factor)
        return (
            len(pair.times) >= least
            and pair.steady >= _STEADY
            and pair.times[-1] - pair.times[0] >= _MIN_SPAN
            and began.time >= pair.told + _AGAIN
        )

    def _judge(self, began: Began, peer: str, pace: Pace) -> tuple[Severity, str] | None:
        """Return how much an even pace matters and why, None for a heartbeat.

        While a device is learnt all of its heartbeats are new: only those without a name, to a port of no cloud, or
        in a hurry are worth a word. Later a new one of a device that does few things matters.
        """
        now, who = began.time, began.who
        profile = self.home.profile(who)
        if profile.is_learning(now, self.home.policy(who).learning) or self.home.is_settling(now):
            is_hurried = pace.interval <= _HURRIED and 0 <= pace.size <= _SMALL
            is_named = began.flow.label.peer_name is not None
            if is_named and began.flow.service in _ORDINARY and not is_hurried:
                return None
            return "low", (
                "What it does usually is not known yet, but heartbeats of devices go to peers with a name, to the"
                " ports of the web and of MQTT, and once or twice a minute."
            )
        if _is_known(profile, began.flow):
            return None
        others = 0
        if (
            began.flow.label.peer_name is not None
        ):  # that others know a network says little of an address
            others = sum(
                _is_known(self.home.profile(other), began.flow)
                for other, _ in self._devices
                if other != who
            )
        domains = sum(seen.known for _, seen in profile.facets["domain"])
        is_personal = domains >= _PERSONAL or who in self.home.own()
        if is_personal and others >= _COMMON:
            return None
        severity: Severity = "low" if is_personal or others >= _COMMON else "medium"
        known = "no other device does" if not others else f"{others} other devices do"
        return severity, f"It was not learnt to call {peer}, and {known}."

    def _tell(
        self, began: Began, peer: str, pair: _Pair, pace: Pace, judged: tuple[Severity, str]
    ) -> Notice:
        """Return the event."""
        flow, who = began.flow, self.home.name(began.who)
        span = pair.times[-1] - pair.times[0]
        why = (
            f"{who} called {peer} ({flow.service}) {len(pair.times)} times in {_about(span)}, every"
            f" {pace.interval:.0f} s give or take {pace.uneven:.0%}. {judged[1]}"
        )
        return Notice(
            self.kind,
            judged[0],
            f"{who} calls {peer} every {_about(pace.interval)}, as a heartbeat or an implant does",
            evidence(
                Measured(self.kind, round(pace.score, 2), _SCORE, round(span), why),
                reversed(pair.latest),
                service=flow.service,
                calls=len(pair.times),
                interval=round(pace.interval, 1),
                uneven=round(pace.uneven, 3),
                times=round(pace.times, 2),
                sizes=round(pace.sizes, 2),
                coverage=round(pace.coverage, 2),
                call_bytes=round(pace.size) if pace.size >= 0 else None,
            ),
            **about(began.who, flow),
            subject=f"{peer} {flow.service}",
            time=began.time,
        )


def _is_known(profile: Profile, flow: Flow) -> bool:
    """Return whether a device was learnt with a flow's peer, or the network of one without a name."""
    values = habits(flow)
    facet = "domain" if flow.label.peer_name is not None else "network"
    return profile.facets[facet].is_known(values[facet])


def _counts(flow: Flow) -> bool:
    """Return whether a flow is a call that a device chose to make to somebody outside."""
    return (
        flow.is_outgoing
        and flow.scope == "internet"
        and flow.key.protocol not in (ICMP, ICMPV6)
        and flow.service not in _INFRASTRUCTURE
    )


def _peer(flow: Flow) -> str:
    """Return what a peer is known by: the domain that somebody registered, or its address."""
    name = flow.label.peer_name
    return flow.peer if name is None else registered_domain(name)


def _spread(values: list[float]) -> tuple[float, float]:
    """Return the median, and the median deviation from it as a share of it."""
    middle = median(values)
    if middle <= 0:
        return middle, 0.0
    return middle, median(abs(each - middle) for each in values) / middle


def _skew(values: list[float]) -> float:
    """Return Bowley's skewness, from -1 to 1; 0 where the quartiles are too near to tell (as RITA does)."""
    low, middle, high = quantiles(values, n=4, method="inclusive")
    if high - low < 0.02 * middle or middle in (low, high):
        return 0.0
    return (high + low - 2 * middle) / (high - low)


def _about(seconds: float) -> str:
    """Return an interval as a person says it."""
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.0f} hours"
