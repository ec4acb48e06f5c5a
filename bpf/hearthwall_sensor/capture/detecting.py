"""Detection over a capture: the same detectors, asked about the home that the capture shows."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

from ..bounded import make_room
from ..detection import Consequences, Detection
from ..detectors import DETECTORS
from ..detectors.detector import Home
from ..detectors.evidence import is_mac
from ..feeds.lists import Found
from ..flows.flow import Counted, FlowKey
from ..flows.observed import World, device_text
from ..identity.identities import Identities
from ..learning.profiles import Profiles
from ..network.segments import Segments
from ..notation import address_text
from ..notice import Notice
from ..observations import LOOK, Began, Listed, Named, Observation
from ..policy.policy import DevicePolicy
from ..protocol import Event, Scope
from .circumstances import Circumstances
from .events import Events
from .meter import Meter
from .places import INTERNET

#: What is there when a capture begins is no news.
_SETTLING: Final = 60.0
#: Meetings with what is on a list, which are told of once in so many seconds.
_QUIET: Final = 3600.0
_MAX_MEETINGS: Final = 65_536
_USUAL: Final = DevicePolicy()


class CaptureDetection:
    """The detectors, and what they noticed."""

    def __init__(
        self,
        given: Circumstances,
        meter: Meter,
        identities: Identities,
        epoch: Callable[[int], float],
    ) -> None:
        """Take what is given, the flows and who is who; raises SensorError for files that can't be read."""
        self._meter = meter
        self._identities = identities
        self._lists = given.read_lists()
        #: What was left out of the lists.
        self.left_out = tuple(self._lists.left_out)
        self._policy = given.read_policy()
        device_policy = self._policy.device if self._policy is not None else lambda _: _USUAL
        self._profiles = Profiles((), device_policy)
        self._segments = Segments(
            lambda address: self._policy.segment(address) if self._policy is not None else None,
            given.lan or None,
        )
        self._events = Events()
        self._begun: float | None = None
        self._now = 0.0
        self._met: dict[tuple[str, str], float] = {}
        self.world = World(device_text, self._scope, given.read_places().find, epoch)
        self._detection = Detection(
            DETECTORS,
            self._home(device_policy),
            Consequences(note=self._note, learn=self._profiles.learn),
        )

    def take(self, observation: Observation) -> None:
        """Let the detectors judge; what comes late is of now, as far as they are told."""
        if self._begun is None:
            self._begun = observation.time
        if observation.time < self._now - LOOK:
            observation = observation._replace(time=self._now)
        self._now = max(self._now, observation.time)
        self._detection.take(observation)
        if self._lists:
            self._look_up(observation)

    def finish(self) -> None:
        """Tell what waits: nothing more comes."""
        self._detection.finish()

    @property
    def events(self) -> tuple[Event, ...]:
        """What was noticed."""
        return tuple(self._events.all())

    @property
    def counted(self) -> dict[str, int]:
        """What was left out."""
        found = {
            "events_too_many": self._events.left_out,
            "detectors_failed": self._detection.failed.total(),
        }
        return {name: number for name, number in found.items() if number}

    def _note(self, notice: Notice) -> None:
        """Take an event."""
        self._events.note(notice, self._now)

    # Lists

    def _look_up(self, observation: Observation) -> None:
        """Tell of what is on a list."""
        if isinstance(observation, Began):
            flow = observation.flow
            counted = flow.counted
            self._meet(
                observation.who,
                self._lists.address(flow.key.peer),
                Listed(
                    observation.time,
                    observation.who,
                    flow.address,
                    flow.peer,
                    None,
                    "packets" if counted.upload_packets else "knock",
                    (),
                    "",
                    None,
                    counted.upload_packets + counted.download_packets,
                    counted.upload_bytes + counted.download_bytes,
                ),
            )
        elif isinstance(observation, Named):
            said = observation
            self.name_said(said.who, said.name, said.source, key=said.key)

    def name_said(
        self,
        device: str,
        name: str,
        via: str,
        *,
        key: FlowKey | None = None,
        resolved: Iterable[bytes] = (),
    ) -> None:
        """Tell of a name that a device asked for or spoke to, if it is on a list."""
        self._meet(
            device,
            self._lists.name(name),
            Listed(
                self._now,
                device,
                None if key is None else address_text(key.address),
                None if key is None else address_text(key.peer),
                name,
                via,
                (),
                "",
                None,
                resolved=tuple(map(address_text, resolved)),
            ),
        )

    def _meet(self, device: str, found: Found | None, listed: Listed) -> None:
        """Tell of a meeting, unless it was told of lately."""
        if found is None:
            return
        meeting = (device, f"{listed.via == 'knock'} {found.entry}")
        last = self._met.pop(meeting, None)
        if last is not None and self._now - last < _QUIET:
            self._met[meeting] = last
            return
        self._met[meeting] = self._now
        make_room(self._met, _MAX_MEETINGS)
        self._detection.take(listed._replace(feeds=found.feeds, entry=found.entry))

    # What detectors ask

    def _home(self, policy: Callable[[str], DevicePolicy]) -> Home:
        """Return whom detectors ask."""
        routers = self._meter.routers
        return Home(
            policy=policy,
            profile=lambda device: self._profiles.of(device, self._now),
            name=self._name,
            own_addresses=routers.addresses,
            own=lambda: _texts(routers.found()),
            owner=self._owner,
            is_home=self.is_home,
            segment=self._segments.find,
            is_settling=lambda now: self._begun is None or now - self._begun < _SETTLING,
            devices=lambda: len(self._profiles),
            counted=self._counted,
        )

    def _counted(self, packed: bytes) -> Counted | None:
        """Return what a flow has counted so far."""
        found = self._meter.flows.get(packed)
        return None if found is None else Counted._make(found)

    def _name(self, device: str) -> str:
        """Return what a person calls a device."""
        if not is_mac(device):
            return device
        known = self._identities.known(device)
        return known.hostname or next(iter(known.addresses), device)

    def _owner(self, address: bytes) -> str | None:
        """Return the device that has an address."""
        if self._meter.has_macs:
            return self._identities.owner(address)
        return address_text(address) if self.is_home(address) else None

    def is_home(self, address: bytes) -> bool:
        """Return whether an address is the home's."""
        meter = self._meter
        return meter.places[address] != INTERNET or meter.routers.is_on_link(address)

    def _scope(self, address: bytes) -> Scope:
        """Return where an address is, seen from a device."""
        if not self.is_home(address):
            return "internet"
        return "gateway" if address in self._meter.routers.addresses() else "lan"


@lru_cache(maxsize=1)
def _texts(routers: frozenset[bytes]) -> frozenset[str]:
    """Return routers as detectors are told of them."""
    return frozenset(map(device_text, routers))
