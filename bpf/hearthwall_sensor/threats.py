"""Meetings with addresses and names that are on feeds, told once in a while for each device."""

import ipaddress
import time
from collections.abc import Callable, Collection, Iterable
from typing import Final, NamedTuple, Protocol

from .bounded import make_room
from .kernel.layouts import FEED_SLOTS, Sighting
from .kernel.tables import Tables
from .names.domains import Match
from .notation import address_text, mac_bytes, mapped
from .observations import Asked, Connected, Listed, Named, Observation

#: The same device and peer are told of again after so long without a packet, in seconds.
_QUIET: Final = 3600.0
#: A device that asks for more listed names than this within the hour is told of no further.
_MAX_ASKED: Final = 1024
#: A question that is not answered within so many seconds is told of all the same.
_PATIENCE: Final = 3.0

_Meeting = tuple[str, str]


class _Met(NamedTuple):
    """What was counted of a meeting, and when (monotonic) there was more."""

    packets: int = 0
    sent: int = 0
    last: float = -_QUIET
    is_knock: bool = True
    """Whether nothing was sent to the peer since it was told of."""


class Subscribed(Protocol):
    """What is to be known of a feed."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def action(self) -> str:
        """What is done with what it lists."""

    @property
    def updated(self) -> float | None:
        """When its list was read last."""


class Lists(Protocol):
    """What knows all feeds."""

    def in_slots(self, slots: Iterable[int]) -> Collection[Subscribed]:
        """Return the feeds in these slots."""

    def match_domain(self, name: str) -> int:
        """Return the slots of the feeds that name a domain, one bit each."""

    def entry_of_domain(self, name: str) -> str:
        """Return the entry that names a domain."""

    def entry_of_address(self, address: bytes) -> str:
        """Return the entry that holds an address."""


_NEVER: Final = _Met()


class Threats:
    """The meetings that were told of."""

    def __init__(
        self,
        tables: Tables,
        feeds: Lists,
        device: Callable[[bytes], str],
        tell: Callable[[Observation], None],
    ) -> None:
        """Take the feeds, the device that a MAC stands for, and whom to tell; what an earlier run told is no news."""
        self._tables = tables
        self._feeds = feeds
        self._device = device
        self._tell = tell
        self._asked: dict[_Meeting, float] = {}
        #: Questions that wait for their answer.
        self._open: dict[_Meeting, Asked] = {}
        self._listed = tables.statistics()["listed"]
        self._known: dict[_Meeting, _Met] = {
            _meeting(each): _Met(each.packets, each.sent, time.monotonic(), each.sent == 0)
            for each in tables.sightings()
        }

    # Names

    def take(self, observation: Observation) -> None:
        """Look whether a device speaks to, or asks for, a name on a feed."""
        if isinstance(observation, Named):
            said = observation
            self._name_met(
                said.who,
                said.name,
                self._slots(said.name),
                said.source,
                address=address_text(said.key.address),
                peer=address_text(said.key.peer),
            )
        elif isinstance(observation, Asked) and self._slots(observation.name):
            self._open[observation.who, observation.name] = observation
            make_room(self._open, _MAX_ASKED)
        elif isinstance(observation, Connected) and observation.is_outgoing:
            self._called(observation)

    def _called(self, call: Connected) -> None:
        """Look whether a program of this host calls an address on a feed; its packets are no device's."""
        mask, now, peer = (
            self._tables.feeds_with(call.peer),
            time.monotonic(),
            address_text(call.peer),
        )
        if not mask or now - self._asked.get((call.who, peer), -_QUIET) < _QUIET:
            return
        feeds = self._feeds.in_slots(slot for slot in range(FEED_SLOTS) if mask >> slot & 1)
        if feeds and len(self._asked) < _MAX_ASKED:
            self._asked[call.who, peer] = now
            entry = self._feeds.entry_of_address(call.peer)
            told = _listed(feeds, call.who, None, entry, "packets")
            self._tell(told._replace(peer=peer, blocked=False, packets=1))

    def name_asked(self, match: Match) -> None:
        """Take note of a device that was answered a question for a name on a feed."""
        who = self._device(mac_bytes(match.mac))
        for key in [key for key in self._open if key[0] == who]:
            del self._open[key]  # also if the answer led from there to another name
        self._name_met(
            who, match.name, match.slots, "dns", address=match.address, resolved=match.resolved
        )

    def _slots(self, name: str) -> list[int]:
        """Return the slots of the feeds that a name is on."""
        mask = self._feeds.match_domain(name)
        return [slot for slot in range(FEED_SLOTS) if mask >> slot & 1] if mask else []

    def _name_met(  # noqa: PLR0913, what there is to tell
        self,
        who: str,
        name: str,
        slots: Iterable[int],
        via: str,
        *,
        address: str | None = None,
        peer: str | None = None,
        resolved: tuple[str, ...] = (),
    ) -> None:
        """Tell of a name on a feed, once in a while."""
        now = time.monotonic()
        feeds = self._feeds.in_slots(slots)
        if not feeds or now - self._asked.get((who, name), -_QUIET) < _QUIET:
            return
        if len(self._asked) >= _MAX_ASKED:
            self._asked = {key: when for key, when in self._asked.items() if now - when < _QUIET}
        if len(self._asked) < _MAX_ASKED:
            self._asked[who, name] = now
            entry = self._feeds.entry_of_domain(name)
            told = _listed(feeds, who, address, entry, via)
            self._tell(told._replace(peer=peer, name=name, resolved=resolved))

    # Addresses

    def look(self, listed: int) -> None:
        """Tell of new meetings, and of knocks that were answered in the end.

        listed is the kernel's count of all packets to and from listed addresses.
        """
        self._tell_unanswered()
        if listed == self._listed:
            return
        self._listed = listed
        now = time.monotonic()
        fresh = []
        for sighting in self._tables.sightings():
            met = self._known.get(_meeting(sighting), _NEVER)
            if sighting.packets == met.packets:
                continue
            is_again = now - met.last >= _QUIET
            is_knock = (is_again or met.is_knock) and sighting.sent == met.sent
            if is_again or is_knock != met.is_knock:
                fresh.append((sighting, is_knock))
            self._known[_meeting(sighting)] = _Met(sighting.packets, sighting.sent, now, is_knock)
        self._known = {key: each for key, each in self._known.items() if now - each.last < _QUIET}
        for each, is_knock in fresh:
            if feeds := self._feeds.in_slots(each.slots):
                self._tell(self._met(each, feeds, "knock" if is_knock else "packets"))

    def _tell_unanswered(self) -> None:
        """Tell of questions that nobody has answered."""
        ripe = [each for each in self._open.values() if time.time() - each.time > _PATIENCE]
        for each in ripe:
            del self._open[each.who, each.name]
            self._name_met(each.who, each.name, self._slots(each.name), "dns")

    def _met(self, sighting: Sighting, feeds: Collection[Subscribed], via: str) -> Listed:
        """Return what is told of a meeting."""
        who = None if sighting.mac is None else self._device(mac_bytes(sighting.mac))
        entry = self._feeds.entry_of_address(mapped(ipaddress.ip_address(sighting.peer)))
        return _listed(feeds, who, sighting.address, entry, via)._replace(
            peer=sighting.peer, packets=sighting.packets, bytes=sighting.bytes
        )

    def forget(self, macs: Collection[str]) -> None:
        """Forget what was told of these devices."""
        self._asked = {key: when for key, when in self._asked.items() if key[0] not in macs}
        self._open = {key: each for key, each in self._open.items() if key[0] not in macs}
        self._known = {key: each for key, each in self._known.items() if key[0] not in macs}


def _listed(
    feeds: Collection[Subscribed], who: str | None, address: str | None, entry: str, via: str
) -> Listed:
    """Return what every meeting tells."""
    return Listed(
        time=time.time(),
        who=who,
        address=address,
        peer=None,
        name=None,
        via=via,
        feeds=tuple(each.name for each in feeds),
        entry=entry,
        listed_since=min(
            (each.updated for each in feeds if each.updated is not None), default=None
        ),
        blocked=any(each.action != "audit" for each in feeds),
    )


def _meeting(sighting: Sighting) -> _Meeting:
    """Return what tells one meeting from another: a device is its MAC, whatever address it uses."""
    return sighting.mac or sighting.address, sighting.peer
