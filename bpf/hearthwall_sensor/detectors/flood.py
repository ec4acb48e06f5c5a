"""Floods: a source exceeds a threshold of the kernel's, or a device sends as only a flood does."""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from ..notice import Notice
from .detector import Detector, Handler, Home
from .evidence import MAX_FLOWS, Measured, about, evidence
from .observations import Began, Flooding, Flow, Look, Moved, Observation
from .per_device import PerDevice

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
#: Small packets with nothing that comes back: a download's acknowledgements are small, too, but much comes back.
_SMALL: Final = 300.0
_ONE_WAY: Final = 10.0
#: Packets without content, both ways: a flood that is answered packet by packet. Nothing else has only such.
_EMPTY: Final = 100.0
#: Large packets, more than an upload of 240 Mbit/s has, and nothing that comes back. Of TCP something does:
#: at least one acknowledgement for 45 packets, as many as are taken together on the way.
_TORRENT: Final = 20_000.0
_SILENT: Final = 200.0


class _Rule(NamedTuple):
    """Why something is a flood."""

    threshold: float
    why: str


class Flood(Detector):
    """Tells of the kernel's floods, and judges what devices send where no threshold is set."""

    kind = "flood"

    def __init__(self, home: Home) -> None:
        """Begin with nothing."""
        super().__init__(home)
        self._waiting: deque[Flooding] = deque(maxlen=_MAX_WAITING)
        self._flows: PerDevice[deque[Flow]] = PerDevice(lambda: deque(maxlen=MAX_FLOWS))

    def handlers(self) -> Mapping[type[Observation], Handler]:
        """Return what to call for which observation."""
        return {
            Flooding: self._flooding,
            Look: self._look,
            Began: self._began,
            Moved: self._moved,
        }

    def forget(self, who: str) -> None:
        """Forget a device."""
        self._flows.forget(who)
        for each in [each for each in self._waiting if each.who == who]:
            self._waiting.remove(each)

    def _began(self, began: Began) -> Iterator[Notice]:
        """Keep a device's latest flows, to show them."""
        if began.flow.is_outgoing:
            self._flows.of(began.who, began.time).append(began.flow)
        yield from ()

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
            f"Nothing of a home sends more than {flood.limit} {KINDS[flood.flood]} a second from one source;"
            f" {source} sent {flood.rate}, of which {flood.dropped} were dropped so far."
        )
        return Notice(
            "flood",
            "high" if flood.side == "lan" else "medium",
            f"{source} ({where}) sends {flood.rate} {KINDS[flood.flood]} a second to"
            f" {flood.peer}; more than {flood.limit} are dropped",
            evidence(
                Measured("flood", flood.rate, flood.limit, 1.0, why),
                self._shown(flood.who),
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

    # A device's own

    def _moved(self, moved: Moved) -> Iterator[Notice]:
        """Judge what a device sent."""
        if moved.who in self.home.own() or moved.seconds < 1 or not moved.upload_packets:
            return
        rule = self._rule(moved)
        if rule is None:
            return
        name, rate = self.home.name(moved.who), moved.upload_packets / moved.seconds
        flows = self._shown(moved.who)
        latest = next(iter(flows), None)
        ratio = moved.upload_packets / max(moved.download_packets, 1)
        size = moved.all_upload / moved.upload_packets
        target = "" if latest is None else f", lately to {latest.peer}"
        yield Notice(
            "flood",
            "high",
            f"{name} sends {rate:.0f} packets a second of {size:.0f} bytes{target}",
            evidence(
                Measured("flood", round(rate), rule.threshold, round(moved.seconds, 3), rule.why),
                flows,
                kind="sent",
                side="lan",
                packets=moved.upload_packets,
                bytes=moved.all_upload,
                received_packets=moved.download_packets,
                # One packet for each that comes may be its refusals of somebody else's flood.
                **({} if ratio >= _ONE_WAY else {"blame": "unknown"}),
            ),
            **about(moved.who, latest),
            subject="sent",
            time=moved.time,
        )

    def _rule(self, moved: Moved) -> _Rule | None:
        """Return why what a device sent is a flood, None where it is none."""
        factor = self.home.policy(moved.who).factor
        rate = moved.upload_packets / moved.seconds
        ratio = moved.upload_packets / max(moved.download_packets, 1)
        size = moved.all_upload / moved.upload_packets
        answer = moved.all_download / max(moved.download_packets, 1)
        name = self.home.name(moved.who)
        if rate >= _RATE * factor:
            if ratio >= _ONE_WAY and size < _SMALL:
                return _Rule(
                    _RATE * factor,
                    f"Small packets go with larger ones that come back; {name} sends {rate:.0f} a second, {ratio:.0f}"
                    f" for each that it receives.",
                )
            if size < _EMPTY and answer < _EMPTY:
                return _Rule(
                    _RATE * factor,
                    f"Packets carry something; {name} sends {rate:.0f} empty ones a second, and the answers are as"
                    f" empty.",
                )
        if rate >= _TORRENT * factor and ratio >= _SILENT:
            return _Rule(
                _TORRENT * factor,
                f"Uploads are acknowledged; {name} sends {rate:.0f} packets a second, and hardly anything comes back.",
            )
        return None

    def _shown(self, who: str | None) -> list[Flow]:
        """Return a device's latest flows, the newest first."""
        return [] if who is None else list(reversed(self._flows.find(who) or ()))
