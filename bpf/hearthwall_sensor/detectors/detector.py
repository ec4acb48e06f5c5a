"""What a detector is, and what it may ask about the home."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..flows.flow import Counted
from ..kinds import EventKind
from ..learning.profile import Profile
from ..notice import Notice
from ..observations import Observation
from ..patterns.standard_input import Input
from ..policy.policy import DevicePolicy

Handler = Callable[[Any], Iterable[Notice]]


@dataclass(frozen=True, slots=True)
class Home:
    """What detectors may ask; all of it is cheap, and nothing of it changes anything."""

    policy: Callable[[str], DevicePolicy]
    """What the user says of a device or a program (by `who`)."""
    profile: Callable[[str], Profile]
    """What was learnt of a device or a program, by what it did before this observation."""
    name: Callable[[str], str]
    """What a person calls a device, for summaries: the user's name, its hostname, or its address."""
    own_addresses: Callable[[], Collection[bytes]]
    """This host's own addresses, and those of the routers that it uses itself, sixteen bytes each."""
    own: Callable[[], Collection[str]]
    """The `who` of this host's interfaces and of the routers that it uses itself."""
    owner: Callable[[bytes], str | None]
    """The device that has an address, as far as is known."""
    is_home: Callable[[bytes], bool]
    segment: Callable[[bytes], str | None]
    """The segment in which an address lies: a name of the policy's, or the subnet; None outside all of them."""
    is_settling: Callable[[float], bool]
    """Whether the sensor is so new here, at a time, that everything is new to it."""
    devices: Callable[[], int]
    """How many devices there are."""
    counted: Callable[[bytes], Counted | None] = lambda _: None
    """What a flow has counted so far, by its packed key; None for one that is not known."""
    routes_ipv6: Callable[[], bool] = lambda: False
    """Whether it is known who the home's router of IPv6 is: this host, or one of `own`."""
    standard_input: Callable[[int], Input | None] = lambda _: None
    """The connection that is the standard input of a process of this host, at this moment."""
    executable: Callable[[int], str | None] = lambda _: None
    """What a process of this host executes, at this moment."""


class Detector(ABC):
    """Sees observations of all devices and yields what it makes of them. One file, one kind of event.

    It has no clock but the observations' time, and never waits. Its state is bounded, per device and in all, so that
    a hostile device takes nothing from the others.
    """

    kind: ClassVar[EventKind]

    def __init__(self, home: Home) -> None:
        """Take whom to ask."""
        self.home = home

    @abstractmethod
    def handlers(self) -> Mapping[type[Observation], Handler]:
        """Return what to call for which observation."""

    @property
    def dropped(self) -> int:
        """How much had to be forgotten before its time, where a detector counts that."""
        return 0

    def forget(self, who: str) -> None:  # noqa: B027, some remember nothing of devices
        """Forget a device."""

    def covers(self, _accepted: Mapping[str, Any], _notice: Notice) -> bool:
        """Return whether the user's "this is fine" to an event covers a later one of the same device and subject.

        The first is the evidence of the event that was accepted. Where there are amounts, accepting one must not
        accept ten times as much: such detectors say more here.
        """
        return True
