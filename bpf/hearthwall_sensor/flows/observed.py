"""Flows as detectors are told of them."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..network.places import Place
from ..notation import address_text
from ..observations import Flow
from ..protocol import Scope
from .flow import TCP, Counted, FlowKey
from .labels import Label
from .outcome import outcome

_NO_MAC = bytes(6)


def who(key: FlowKey) -> bytes:
    """Return what a flow's device is known by: its MAC, or its address in a capture without MACs."""
    return key.mac if key.mac != _NO_MAC else key.address


def device_text(device: bytes) -> str:
    """Return the MAC or the address that a device is known by, as detectors are told of it."""
    return device.hex(":") if len(device) == len(_NO_MAC) else address_text(device)


def is_randomised(device: str) -> bool:
    """Return whether a device is known by a MAC that no manufacturer gave it."""
    return len(device) == 17 and device[2] == ":" and bool(int(device[:2], 16) & 2)


class World(NamedTuple):
    """What there is to know beyond a flow itself."""

    device: Callable[[bytes], str]
    """The device that a MAC or an address stands for."""
    scope: Callable[[bytes], Scope]
    """Where an address is, seen from a device."""
    place: Callable[[str], Place]
    epoch: Callable[[int], float]
    """Turns a time on the flows' clock into seconds since the epoch."""


def observed(  # noqa: PLR0913, PLR0917, what a flow is made of
    packed: bytes, key: FlowKey, counted: Sequence[int], label: Label, now: int, world: World
) -> Flow:
    """Return a flow as of a time on its own clock."""
    values = Counted._make(counted)
    return Flow(
        packed,
        key,
        values,
        label,
        world.scope(key.peer),
        world.place(address_text(key.peer)),
        outcome(values, now) if key.protocol == TCP else None,
        world.epoch(values.first),
        world.epoch(values.last),
    )
