"""Segment crossings: a device reaches into one that is closed to it, or sends from an address that it can't have."""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..bounded import make_room
from ..flows.flow import ICMP, ICMPV6, TCP, TCP_ACK, TCP_SYN, UDP
from ..notation import address_text
from ..notice import Notice
from ..observations import Began, Flow, Observation, Settled
from ..per_device import PerDevice
from .attempts import is_group
from .detector import Detector, Handler, Home
from .evidence import MAX_FLOWS, Measured, about, evidence

#: Flows from addresses that are not the home's, within so many seconds: a phone that has just come home from its
#: mobile network ends a connection or two from the address that it had there.
_SPOOFED: Final = 3
_WINDOW: Final = 300.0
#: Datagrams from one such address: one way of coming home is to go on sending.
_DATAGRAMS: Final = 20
#: The same is told again after so long, in seconds, for its count.
_AGAIN: Final = 60.0
#: Services in other segments that are remembered of a device.
_MAX_CROSSED: Final = 64
_MAX_STRANGE: Final = 16
_V4: Final = bytes(10) + b"\xff\xff"
#: The devices' end of 464XLAT (RFC 7335), which phones let slip.
_XLAT: Final = _V4 + bytes((192, 0, 0))
_ECHOES: Final = {ICMP: 8, ICMPV6: 128}


class _Device:
    """What was seen of a device."""

    __slots__ = ("crossed", "is_at_home", "spoofed", "strange")

    def __init__(self) -> None:
        """Begin with nothing."""
        self.crossed: dict[tuple[str, str], float] = {}
        self.is_at_home = False
        """Whether it sent anything from an address of the home."""
        #: The latest flows from other addresses.
        self.strange: deque[Flow] = deque(maxlen=_MAX_STRANGE)
        self.spoofed = float("-inf")
        """When that was told of."""


class SegmentCrossing(Detector):
    """Judges the flows that devices open, and the addresses that they send from."""

    kind = "segment_crossing"

    def __init__(self, home: Home) -> None:
        """Begin with nothing."""
        super().__init__(home)
        self._devices = PerDevice(_Device, 256)

    def handlers(self) -> Mapping[type[Observation], Handler]:
        """Return what to call for which observation."""
        return {Began: self._seen, Settled: self._seen}

    def forget(self, who: str) -> None:
        """Forget a device."""
        self._devices.forget(who)

    def covers(self, accepted: Mapping[str, Any], notice: Notice) -> bool:
        """Return whether the user accepted this very service of the segment, or this very address."""
        return bool(accepted.get("service") == notice.evidence["service"])

    def _seen(self, seen: Began | Settled) -> Iterator[Notice]:
        """Take a flow."""
        flow = seen.flow
        if not flow.is_outgoing or seen.who in self.home.own():
            return
        device = self._devices.of(seen.who, seen.time)
        if self._is_strange(seen.who, flow.key.address):
            yield from self._spoof(seen, device)
            return
        device.is_at_home |= not _is_anybodys(flow.key.address)
        if isinstance(seen, Began) and flow.scope != "internet" and _asks(flow):
            yield from self._cross(seen, device)

    def _cross(self, seen: Began, device: _Device) -> Iterator[Notice]:
        """Judge a flow between two addresses of the home."""
        flow, peer = seen.flow, seen.flow.key.peer
        if is_group(peer, is_home=True) or peer in self.home.own_addresses():
            return
        here, there = self.home.segment(flow.key.address), self.home.segment(peer)
        if here is None or there is None or here == there:
            return
        may_reach = self.home.policy(seen.who).reach(here)
        if may_reach is None or there in may_reach:
            return
        last = device.crossed.pop((there, flow.service), -_AGAIN)
        is_due = seen.time - last >= _AGAIN
        device.crossed[there, flow.service] = seen.time if is_due else last
        make_room(device.crossed, _MAX_CROSSED)
        if is_due:
            yield self._crossing(seen, here, there, may_reach)

    def _crossing(self, seen: Began, here: str, there: str, may_reach: frozenset[str]) -> Notice:
        """Return the event of a flow into another segment."""
        flow, name = seen.flow, self.home.name(seen.who)
        open_to = ", ".join(sorted(may_reach)) or "none"
        why = (
            f"The policy says which segments {here} may reach ({open_to}), and {there} is not among them; {name}"
            f" opened {flow.service} there, which was no answer to anything."
        )
        return Notice(
            "segment_crossing",
            "medium",
            f"{name} in the segment {here} reaches for {flow.service} of {flow.peer} in the segment {there}",
            evidence(
                Measured("segment_crossing", there, sorted(may_reach), 0.0, why),
                [flow],
                service=flow.service,
                segment=here,
                peer_segment=there,
                outcome=flow.outcome,
            ),
            **about(seen.who, flow),
            subject=f"segment {there}",
            time=seen.time,
            technique="T1021",
        )

    def _is_strange(self, who: str, address: bytes) -> bool:
        """Return whether an address is one that no device of the home can have."""
        return not (
            self.home.is_home(address)
            or _is_anybodys(address)
            or self.home.owner(address) == who  # claimed by ND, before the home's prefix changed
        )

    def _spoof(self, seen: Began | Settled, device: _Device) -> Iterator[Notice]:
        """Judge a flow from an address that is not the home's, of a device that has one of the home's, too."""
        flow, strange = seen.flow, device.strange
        if not _asks(flow):
            return
        strange.append(flow)
        since = seen.time - _WINDOW
        latest = {each.packed: each for each in strange if each.last >= since}
        sources = {_source(each.key.address) for each in latest.values()}
        from_one = [each for each in latest.values() if each.key.address == flow.key.address]
        opened = sum(each.key.protocol != UDP for each in from_one)
        datagrams = sum(
            each.counted.upload_packets for each in from_one if each.key.protocol == UDP
        )
        least = _SPOOFED * self.home.policy(seen.who).factor
        is_many = len(sources) >= least or opened >= least
        is_spoof = is_many or datagrams >= _DATAGRAMS * self.home.policy(seen.who).factor
        if is_spoof and device.is_at_home and seen.time - device.spoofed >= _AGAIN:
            device.spoofed = seen.time
            yield self._spoofing(seen, list(latest.values()), least)

    def _spoofing(self, seen: Began | Settled, flows: list[Flow], least: float) -> Notice:
        """Return the event of addresses that are not the home's."""
        name, addresses = self.home.name(seen.who), {each.key.address for each in flows}
        shown = sorted(address_text(each) for each in addresses)[:MAX_FLOWS]
        why = (
            f"A device sends from the addresses that the home gave it; {name} has such a one, and sent {len(flows)}"
            f" flows from {len(addresses)} that are not the home's within 5 minutes ({least:g} are too many for a phone"
            " that was in another network a moment ago). Answers never come back: that is how floods hide their source."
        )
        return Notice(
            "segment_crossing",
            "high",
            f"{name} sends from addresses that are not the home's, such as {shown[0]}",
            evidence(
                Measured("segment_crossing", len(flows), least, _WINDOW, why),
                reversed(flows),
                service="spoofed source",
                spoofed=shown,
            ),
            **{**about(seen.who, seen.flow), "address": None},
            subject="spoofed source",
            time=seen.time,
            technique="T1498",
        )


def _asks(flow: Flow) -> bool:
    """Return whether a flow's first packet was a question: a connection's begins with SYN alone."""
    if flow.key.protocol == TCP:
        flags = flow.counted.upload_flags
        return bool(flags & TCP_SYN) or not flags & TCP_ACK
    echo = _ECHOES.get(flow.key.protocol)
    return echo is None or flow.key.port == echo


def _is_anybodys(address: bytes) -> bool:
    """Return whether an address says nothing of the network that its device is in."""
    if address.startswith(_V4):
        is_link_local, rest = address[12:14] == b"\xa9\xfe", address[12:]
    else:
        is_link_local, rest = address[0] == 0xFE and address[1] & 0xC0 == 0x80, address
    return (
        is_link_local
        or not any(rest)
        or address.startswith(_XLAT)
        or is_group(address, is_home=False)
    )


def _source(address: bytes) -> bytes:
    """Return what of an address is not made up by every device for itself: of IPv6 the network."""
    return address if address.startswith(_V4) else address[:8]
