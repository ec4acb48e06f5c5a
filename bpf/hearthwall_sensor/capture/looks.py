"""Looks at a capture's flows as often as the sensor looks at a living network's, by the time of the packets."""

from collections.abc import Callable, Iterator
from typing import Final

from ..flows.flow import FlowKey
from ..flows.observed import World, is_randomised, observed, who
from ..flows.observer import Observer
from ..observations import (
    LOOK,
    SETTLED,
    Appeared,
    Began,
    Look,
    Moved,
    Observation,
    Settled,
)
from .meter import Amounts, Meter, amounts
from .places import INTERNET
from .sampling import FIRST, LAST

_SECOND: Final = 1_000_000_000
_SETTLED: Final = round(SETTLED * _SECOND)
#: Devices that are told of when they appear; more than that are invented.
_MAX_DEVICES: Final = 65_536


class Looks:
    """What has begun, settled and moved."""

    def __init__(
        self,
        meter: Meter,
        observer: Observer,
        world: World,
        on_begin: Callable[[FlowKey, int], None],
    ) -> None:
        """Take the flows, what is known of them, and whom to tell of a new flow's key and time."""
        self._meter = meter
        self._observer = observer
        self._world = world
        self._on_begin = on_begin
        self._fresh: dict[bytes, None] = {}
        self._unsettled: dict[bytes, None] = {}
        self._seen: dict[str, None] = {}
        self._looked: int | None = None

    def begin(self, packed: bytes) -> int:
        """Take note of a new flow; return how many there are that were not looked at."""
        self._fresh[packed] = None
        return len(self._fresh)

    @property
    def is_idle(self) -> bool:
        """Whether nothing has moved since the last look, and nothing is left to settle."""
        return not (self._fresh or self._unsettled or self._meter.moving)

    @property
    def devices(self) -> int:
        """How many devices there were."""
        return len(self._seen)

    def look(self, now: int) -> Iterator[Observation]:
        """Yield what is to be told as of a time, and that it was looked."""
        time = self._world.epoch(now)
        seconds = LOOK if self._looked is None else (now - self._looked) / _SECOND
        self._looked = now
        moved = self._movements(time, seconds)
        yield from self._newcomers(moved, time)
        yield from self.meet(now)
        yield from self._settled(now, time)
        yield from moved
        yield Look(time)

    def meet(self, now: int) -> Iterator[Observation]:
        """Name the flows that have begun, before the answers that named them are forgotten, and tell of them."""
        time = self._world.epoch(now)
        for packed in self._fresh:
            flow = self._meter.flows.get(packed)
            if flow is None:  # it is another device's by now
                continue
            key = FlowKey.unpack(packed)
            label = self._observer.label(packed, key, flow[FIRST])
            if label.source == "dns" and label.name is not None:
                self._observer.labels.set_name(packed, label.name)
            self._on_begin(key, flow[FIRST])
            told = observed(packed, key, flow, label, now, self._world)
            yield Began(time, self._world.device(who(key)), told)
        self._fresh.clear()

    def _settled(self, now: int, time: float) -> Iterator[Observation]:
        """Yield the flows that have been quiet for long enough."""
        flows, done = self._meter.flows, []
        for packed in self._unsettled:
            flow = flows.get(packed)
            if flow is not None and now - flow[LAST] < _SETTLED:
                continue
            done.append(packed)
            if flow is not None:
                key = FlowKey.unpack(packed)
                label = self._observer.label(packed, key, flow[FIRST])
                told = observed(packed, key, flow, label, now, self._world)
                yield Settled(time, self._world.device(who(key)), told)
        for packed in done:
            del self._unsettled[packed]

    def _movements(self, time: float, seconds: float) -> list[Moved]:
        """Return what each device has moved since the last look."""
        places, flows, others = self._meter.places, self._meter.flows, self._meter.others
        sums: dict[bytes, list[int]] = {}
        for key, before in self._meter.moving.items():
            flow = flows.get(key)
            if flow is not None:
                self._unsettled[key] = None
                device = who(FlowKey.unpack(key))
                is_outside = places[key[28:44]] == INTERNET
            elif key in others:
                flow, device, is_outside = others[key], key, False
            else:
                continue
            _add(sums.setdefault(device, [0] * 6), before, amounts(flow), is_outside=is_outside)
        self._meter.moving.clear()
        text = self._world.device
        return [Moved(time, text(device), seconds, *numbers) for device, numbers in sums.items()]

    def _newcomers(self, moved: list[Moved], time: float) -> Iterator[Observation]:
        """Yield the devices that have sent something for the first time."""
        for each in moved:
            is_new = each.upload_packets and each.who not in self._seen
            if is_new and len(self._seen) < _MAX_DEVICES:
                self._seen[each.who] = None
                yield Appeared(time, each.who, is_randomised(each.who))


def _add(sums: list[int], before: Amounts, now: Amounts, *, is_outside: bool) -> None:
    """Add what was counted between two looks, in the order of Moved's fields."""
    up, up_packets, down, down_packets = (b - a for a, b in zip(before, now, strict=True))
    if is_outside:
        sums[0] += up
        sums[1] += down
    sums[2] += up_packets
    sums[3] += down_packets
    sums[4] += up
    sums[5] += down
