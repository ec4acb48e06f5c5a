"""Growth: which flows of a device moved most between two looks, those that go on for long as well as new ones."""

from typing import Final, NamedTuple

from ..observations import Flow, Moved
from .detector import Home

#: Flows that are remembered of a device, those with the most packets: a scan's thousands push out none of them.
_MAX_FLOWS: Final = 8


class _Mark(NamedTuple):
    """A flow as it was when it was last heard of."""

    flow: Flow
    is_own: bool
    """Whether the device began it."""
    packets: int
    """Sent by the device until then."""
    since: float | None
    """When that was, None where it was quiet then: what came later came now."""


class Grown(NamedTuple):
    """A flow and what the device sent in it in a look."""

    flow: Flow
    is_own: bool
    is_new: bool
    packets: int
    last: float
    """When it moved last."""


class Growth:
    """The flows of one device."""

    __slots__ = ("_fresh", "_marks")

    def __init__(self) -> None:
        """Begin with nothing."""
        self._marks: dict[bytes, _Mark] = {}
        #: Those that began since the last look.
        self._fresh: dict[bytes, _Mark] = {}

    def begin(self, flow: Flow, *, is_own: bool) -> None:
        """Take a new flow."""
        _keep(self._fresh, _Mark(flow, is_own, 0, None))

    def settle(self, flow: Flow, *, is_own: bool) -> None:
        """Take a flow that is quiet now."""
        if flow.packed not in self._fresh:
            _keep(self._marks, _Mark(flow, is_own, flow.counted.upload_packets, None))

    def grown(self, moved: Moved, home: Home) -> list[Grown]:
        """Return the flows that moved in a look, those that moved most first, and remember how far they have come."""
        found = []
        for packed, mark in (*self._marks.items(), *self._fresh.items()):
            flow, counted = mark.flow, home.counted(packed) or mark.flow.counted
            is_new = packed in self._fresh
            packets = float(counted.upload_packets - mark.packets)
            if mark.since is not None and moved.time > mark.since:
                packets *= min(1.0, moved.seconds / (moved.time - mark.since))
            last = flow.first + (counted.last - flow.counted.first) / 1e9
            if packets >= 1 and (is_new or last >= moved.time - moved.seconds):
                found.append(Grown(flow, mark.is_own, is_new, round(packets), last))
            self._marks[packed] = mark._replace(packets=counted.upload_packets, since=moved.time)
        self._fresh.clear()
        self._make_room()
        return sorted(found, key=lambda each: each.packets, reverse=True)

    def to(self, peer: str) -> list[Flow]:
        """Return the flows that the device began with a peer, the largest first."""
        marks = {**self._marks, **self._fresh}.values()
        own = [each.flow for each in marks if each.is_own and each.flow.peer == peer]
        return sorted(own, key=lambda flow: flow.counted.upload_packets, reverse=True)

    def pass_by(self, now: float) -> None:
        """Take note that a look without much in it is over."""
        for packed, mark in self._fresh.items():
            sent = mark.flow.counted.upload_packets
            self._marks.setdefault(packed, mark._replace(packets=sent, since=now))
        self._fresh.clear()
        self._make_room()

    def _make_room(self) -> None:
        """Let go of the smallest flows; of equals those that came first."""
        excess = len(self._marks) - _MAX_FLOWS
        if excess > 0:
            for packed in sorted(self._marks, key=lambda each: self._marks[each].packets)[:excess]:
                del self._marks[packed]


def _keep(marks: dict[bytes, _Mark], mark: _Mark) -> None:
    """Keep a flow, in place of the smallest if there are too many."""
    marks[mark.flow.packed] = mark
    if len(marks) > _MAX_FLOWS:
        del marks[min(marks, key=lambda each: marks[each].flow.counted.upload_packets)]
