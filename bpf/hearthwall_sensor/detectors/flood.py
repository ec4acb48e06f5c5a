"""Floods: a source exceeds a threshold of the kernel's, or a device sends as only a flood does."""

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from ..flows.flow import TCP, TCP_RST, TCP_SYN
from ..notice import Notice
from ..observations import LOOK, Began, Flooding, Flow, Look, Moved, Observation, Settled
from ..per_device import PerDevice
from .attempts import ECHO
from .detector import Detector, Handler, Home
from .evidence import Measured, about, evidence
from .growth import Grown, Growth

#: What each kind of the kernel's counts, in a person's words.
KINDS: Final[Mapping[str, str]] = {
    "syn": "connection attempts (TCP SYN)",
    "udp": "UDP packets",
    "icmp": "ICMP packets",
}
#: More new sources than this in one look are told of in one event.
_MANY: Final = 5
_MAX_WAITING: Final = 256

#: Packets a second, on average from one look to the next: a video call has some 200, a game 100.
_RATE: Final = 2000.0
#: Nobody's policy makes less of it: most of the time it needs no further look.
_LEAST: Final = _RATE / 2
#: Small packets with nothing that comes back: a download's acknowledgements are small, too, but much comes back.
_SMALL: Final = 300.0
_ONE_WAY: Final = 10.0
#: Packets without content, both ways: a flood that is answered packet by packet. Nothing else has only such. Whoever
#: is flooded sends as many as who floods: it is told of who began.
_EMPTY: Final = 100.0
#: What arrives as one large packet, since it was put together on the way, was at least so many: of so many bytes each.
_SEGMENT: Final = 1500.0
#: Large packets, more than an upload of 240 Mbit/s has, and nothing that comes back. Of TCP something does:
#: at least one acknowledgement for 45 packets, as many as are taken together on the way.
_TORRENT: Final = 20_000.0
_SILENT: Final = 200.0


#: Peers that are counted of a device in a look.
_MAX_PEERS: Final = 64
#: Whom a flood goes to is known if so much of it is: others may begin something beside a flow that nobody knows. Where
#: so many flows begin that not all are told of, those that are speak for the others.
_KNOWN: Final = 0.25
_MANY_BEGUN: Final = 1000
#: One flow that is so much of all that was sent says how long that took, and at least so much of a look.
_ALL: Final = 0.9
_LEAST_SECONDS: Final = LOOK / 2


class _Rule(NamedTuple):
    """Why something is a flood."""

    threshold: float
    why: str


class _Device:
    """What a device began, and what began at it."""

    __slots__ = ("before", "begun", "growth", "is_starter", "now", "peers")

    def __init__(self) -> None:
        """Begin with nothing."""
        self.growth = Growth()
        #: Packets of the flows that began since the last look, and before it: of its own, and of those at it.
        self.now = [0, 0]
        self.before = [0, 0]
        #: How many of its own began since the last look, and the packets in them by peer.
        self.begun = 0
        self.peers: Counter[str] = Counter()
        #: Whether a flood that goes on is its own, None while there is none.
        self.is_starter: bool | None = None

    def begin(self, flow: Flow) -> None:
        """Take a flow."""
        is_own = _is_own(flow)
        self.now[not is_own] += flow.counted.upload_packets + flow.counted.download_packets
        self.growth.begin(flow, is_own=is_own)
        if is_own:
            self.begun += 1
            if flow.peer in self.peers or len(self.peers) < _MAX_PEERS:
                self.peers[flow.peer] += flow.counted.upload_packets

    def pass_by(self, now: float) -> None:
        """Take note that a look without much in it is over."""
        self.look([], is_flood=False)
        self.growth.pass_by(now)
        self.begun = 0
        self.peers.clear()

    def look(self, grown: list[Grown], *, is_flood: bool) -> bool:
        """Return whether what the device sends now is its own doing, if it is a flood that is answered."""
        (own, others), (own_before, others_before) = self.now, self.before
        own += sum(each.packets for each in grown if each.is_own and not each.is_new)
        others += sum(each.packets for each in grown if not (each.is_own or each.is_new))
        if not is_flood:
            self.is_starter = None
        elif self.is_starter is None:
            self.is_starter = own + own_before > others + others_before
        self.before, self.now = self.now, [0, 0]
        return bool(self.is_starter)

    def target(self, grown: list[Grown], packets: int) -> list[Flow]:
        """Return the flows of what was sent, all to one peer, the largest first; none where nobody knows to whom."""
        sent, begun = self.peers, self.begun
        self.peers, self.begun = Counter(), 0
        for each in grown:
            if each.is_own:
                # What is new was counted as it was told of, and may have moved on since
                told = each.flow.counted.upload_packets if each.is_new else 0
                sent[each.flow.peer] += max(each.packets - told, 0)
        if not sent:
            return []
        peer, most = sent.most_common(1)[0]
        if 2 * most < sent.total() or (most < _KNOWN * packets and begun < _MANY_BEGUN):
            return []
        return [each.flow for each in grown if each.is_own and each.flow.peer == peer]


def _is_own(flow: Flow) -> bool:
    """Return whether a device began something, and does not only answer."""
    return flow.is_outgoing and not _is_answer(flow)


def _is_answer(flow: Flow) -> bool:
    """Return whether what the device seems to have begun answers something: refusals, and errors of ICMP."""
    counted, protocol = flow.counted, flow.key.protocol
    if protocol == TCP:
        return counted.upload_flags & (TCP_SYN | TCP_RST) == TCP_RST
    return protocol in ECHO and flow.key.port != ECHO[protocol]


class Flood(Detector):
    """Tells of the kernel's floods, and judges what devices send where no threshold is set."""

    kind = "flood"

    def __init__(self, home: Home) -> None:
        """Begin with nothing."""
        super().__init__(home)
        self._waiting: deque[Flooding] = deque(maxlen=_MAX_WAITING)
        self._devices = PerDevice(_Device)

    def handlers(self) -> Mapping[type[Observation], Handler]:
        """Return what to call for which observation."""
        return {
            Flooding: self._flooding,
            Look: self._look,
            Began: self._began,
            Settled: self._settled,
            Moved: self._moved,
        }

    def forget(self, who: str) -> None:
        """Forget a device."""
        self._devices.forget(who)
        for each in [each for each in self._waiting if each.who == who]:
            self._waiting.remove(each)

    def _began(self, began: Began) -> Iterator[Notice]:
        """Note who began a flow."""
        self._devices.of(began.who, began.time).begin(began.flow)
        return iter(())

    def _settled(self, settled: Settled) -> Iterator[Notice]:
        """Note that a flow is quiet."""
        device = self._devices.find(settled.who)
        if device is not None:
            device.growth.settle(settled.flow, is_own=_is_own(settled.flow))
        return iter(())

    # The kernel's

    def _flooding(self, flooding: Flooding) -> Iterator[Notice]:
        """Wait for the others of this look."""
        self._waiting.append(flooding)
        yield from ()

    def _look(self, _: Look) -> Iterator[Notice]:
        """Tell of the sources that exceeded a threshold."""
        floods = sorted(self._waiting, key=lambda each: each.dropped, reverse=True)
        self._waiting.clear()
        if len(floods) > _MANY:
            yield self._many(floods)
            return
        for each in floods:
            yield self._one(each)

    def _one(self, flood: Flooding) -> Notice:
        """Return the event of one source."""
        where = "from outside" if flood.side == "wan" else "in the home"
        source = flood.address if flood.who is None else self.home.name(flood.who)
        why = (
            f"Nothing of a home sends more than {flood.limit:,} {KINDS[flood.flood]} a second from one source;"
            f" {source} sent {flood.rate:,}, of which {flood.dropped:,} were dropped so far."
        )
        return Notice(
            "flood",
            "high" if flood.side == "lan" else "medium",
            f"{source} ({where}) sends {flood.rate:,} {KINDS[flood.flood]} a second to"
            f" {flood.peer}; more than {flood.limit:,} are dropped",
            evidence(
                Measured("flood", flood.rate, flood.limit, 1.0, why),
                self._shown(flood),
                kind=flood.flood,
                side=flood.side,
                dropped=flood.dropped,
                dropped_bytes=flood.dropped_bytes,
                **({"blame": "peer"} if flood.side == "wan" else {}),
            ),
            mac=about(flood.who)["mac"],
            address=flood.address,
            peer_address=flood.peer,
            subject=f"{flood.flood} {flood.side}",
            time=flood.time,
        )

    def _many(self, floods: list[Flooding]) -> Notice:
        """Return the event of many sources at once, the worst ones named."""
        worst = floods[:_MANY]
        why = f"{len(floods)} sources exceeded their thresholds within one look, and {_MANY} may by chance."
        return Notice(
            "flood",
            "high",
            f"{len(floods)} sources flood at once, the worst of them {worst[0].address};"
            " what exceeds the thresholds is dropped",
            evidence(
                Measured("flood", len(floods), _MANY, 1.0, why),
                sources=[
                    {
                        "address": each.address,
                        "mac": about(each.who)["mac"],
                        "kind": each.flood,
                        "dropped": each.dropped,
                    }
                    for each in worst
                ],
                dropped=sum(each.dropped for each in floods),
            ),
            mac=about(worst[0].who)["mac"],
            address=worst[0].address,
            peer_address=worst[0].peer,
            subject="many",
            time=max(each.time for each in floods),
        )

    def _shown(self, flood: Flooding) -> list[Flow]:
        """Return the flows of a device to the one that it floods, the largest first."""
        device = None if flood.who is None else self._devices.find(flood.who)
        return [] if device is None else device.growth.to(flood.peer)

    # A device's own

    def _moved(self, moved: Moved) -> Iterator[Notice]:
        """Judge what a device sent."""
        if moved.who in self.home.own() or moved.seconds < 1:
            return
        device = self._devices.find(moved.who)
        if moved.upload_packets / moved.seconds < _LEAST:
            if device is not None:
                device.pass_by(moved.time)
            return
        device = device or self._devices.of(moved.who, moved.time)
        grown = device.growth.grown(moved, self.home)
        moved = _lasting(moved, grown)
        rule, answered = self._one_way(moved), self._answered(moved)
        flows = device.target(grown, moved.upload_packets)
        if device.look(grown, is_flood=answered is not None):
            rule = rule or answered
        if rule is None:
            return
        name, rate = self.home.name(moved.who), moved.upload_packets / moved.seconds
        latest = next(iter(flows), None)
        size = moved.all_upload / moved.upload_packets
        target = "" if latest is None else f" to {latest.peer}"
        yield Notice(
            "flood",
            "high",
            f"{name} sends {rate:,.0f} packets a second of {size:.0f} bytes{target}",
            evidence(
                Measured("flood", round(rate), rule.threshold, round(moved.seconds, 3), rule.why),
                flows,
                packets=moved.upload_packets,
                bytes=moved.all_upload,
                received_packets=moved.download_packets,
            ),
            **about(moved.who, latest),
            subject="sent",
            time=moved.time,
        )

    def _one_way(self, moved: Moved) -> _Rule | None:
        """Return why what a device sent is a flood to which hardly anything comes back, None where it is none."""
        factor = self.home.policy(moved.who).factor
        rate = moved.upload_packets / moved.seconds
        received = max(moved.download_packets, moved.all_download / _SEGMENT, 1)
        ratio = moved.upload_packets / received
        size = moved.all_upload / max(moved.upload_packets, 1)
        name = self.home.name(moved.who)
        if rate >= _RATE * factor and ratio >= _ONE_WAY and size < _SMALL:
            return _Rule(
                _RATE * factor,
                f"Small packets go with larger ones that come back; {name} sends {rate:,.0f} a second, {ratio:,.0f}"
                f" for each that it receives.",
            )
        if rate >= _TORRENT * factor and ratio >= _SILENT:
            return _Rule(
                _TORRENT * factor,
                f"Uploads are acknowledged; {name} sends {rate:,.0f} packets a second, and hardly anything comes back.",
            )
        return None

    def _answered(self, moved: Moved) -> _Rule | None:
        """Return why what goes to and fro is a flood, whoever began it, None where it is none."""
        factor = self.home.policy(moved.who).factor
        rate = moved.upload_packets / moved.seconds
        size = moved.all_upload / max(moved.upload_packets, 1)
        answer = moved.all_download / max(moved.download_packets, 1)
        if rate < _RATE * factor or size >= _EMPTY or answer >= _EMPTY:
            return None
        return _Rule(
            _RATE * factor,
            f"Packets carry something; {self.home.name(moved.who)} sends {rate:,.0f} empty ones a second, and the"
            f" answers are as empty.",
        )


def _lasting(moved: Moved, grown: list[Grown]) -> Moved:
    """Return what was moved in the time that it took, where one flow says so: most floods begin between two looks."""
    first = next(iter(grown), None)
    if first is None or first.packets < _ALL * moved.upload_packets:
        return moved
    start = max(moved.time - moved.seconds, first.flow.first)
    seconds = max(min(first.last, moved.time) - start, min(_LEAST_SECONDS, moved.seconds))
    return moved._replace(seconds=min(seconds, moved.seconds))
