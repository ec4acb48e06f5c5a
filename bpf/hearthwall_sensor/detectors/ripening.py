"""When a flow says where a device goes: once somebody answered, and once it has a name or had the time to get one."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from ..observations import LOOK, Began, Flow, Look, Met, Named, Observation, Settled
from ..per_device import PerDevice

#: A flow without a name waits so long for one, in seconds; one that nobody answered for its end.
_PATIENCE: Final = 2 * LOOK
_LONGEST: Final = 60.0
#: Flows that wait, of one device; of more the oldest are passed over.
_WAITING: Final = 16
#: Devices with flows that wait. A flow takes about a kilobyte, all of them 4 MB.
_DEVICES: Final = 256


class Ripening:
    """Yields each flow that a device opened and that was answered once, when it is known whom with."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._waiting: PerDevice[dict[bytes, tuple[float, Flow]]] = PerDevice(dict, _DEVICES)
        self._steps: Mapping[type[Any], Callable[[Any], Iterator[Met]]] = {
            Began: self._begin,
            Named: self._name,
            Settled: self._settle,
            Look: self._look,
        }

    def take(self, observation: Observation) -> Iterable[Met]:
        """Yield the flows that are ripe with an observation: Began, Named, Settled and Look."""
        step = self._steps.get(type(observation))
        return () if step is None else step(observation)

    def _begin(self, began: Began) -> Iterator[Met]:
        """Yield a flow that is ripe from its beginning, and let the others wait."""
        flow = began.flow
        if not flow.is_outgoing:
            return
        if _is_answered(flow) and (flow.scope != "internet" or flow.label.peer_name is not None):
            yield Met(began.time, began.who, flow)
            return
        waiting = self._waiting.of(began.who, began.time)
        waiting[flow.packed] = began.time, flow
        if len(waiting) > _WAITING:
            del waiting[next(iter(waiting))]

    def _name(self, named: Named) -> Iterator[Met]:
        """Yield a flow in which a name was said: somebody had answered."""
        _, flow = (self._waiting.find(named.who) or {}).get(named.packed, (0.0, None))
        if flow is None:
            return
        self._drop(named.who, named.packed)
        label = flow.label._replace(name=named.name, way=None)
        yield Met(named.time, named.who, flow._replace(label=label))

    def _settle(self, settled: Settled) -> Iterator[Met]:
        """Yield a flow that waited until its end, if it was answered."""
        flow = settled.flow
        if flow.packed not in (self._waiting.find(settled.who) or ()) or flow.has_failed:
            return
        self._drop(settled.who, flow.packed)
        yield Met(settled.time, settled.who, flow)

    def _look(self, look: Look) -> Iterator[Met]:
        """Yield the flows that got no name, and let go of those that nobody answered."""
        for who, waiting in tuple(self._waiting):
            for packed, (since, flow) in tuple(waiting.items()):
                if look.time - since < _PATIENCE:
                    break  # the others came later
                if _is_answered(flow):
                    self._drop(who, packed)
                    yield Met(look.time, who, flow)
                elif look.time - since > _LONGEST:
                    self._drop(who, packed)

    def _drop(self, who: str, packed: bytes) -> None:
        """Let go of a flow, and of a device without any."""
        waiting = self._waiting.find(who)
        if waiting is not None:
            waiting.pop(packed, None)
            if not waiting:
                self._waiting.forget(who)

    def forget(self, who: str) -> None:
        """Forget a device."""
        self._waiting.forget(who)


def _is_answered(flow: Flow) -> bool:
    """Return whether somebody answered, as far as the flow has come."""
    return flow.counted.download_packets > 0 and not flow.has_failed
