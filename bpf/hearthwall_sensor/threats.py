"""Meetings with addresses and questions for names that are on feeds, told once for each device."""

import time
from collections.abc import Callable, Collection, Iterable
from typing import Final

from .kernel.layouts import Sighting
from .kernel.tables import Tables
from .names.domains import Match
from .notice import Notice

#: The same device and peer are told of again after so long without a packet, in seconds.
_QUIET: Final = 3600.0
#: More new meetings than this in one look are told of in one event for each feed.
_MANY: Final = 5
#: A device that asks for more listed names than this within the hour is told of no further.
_MAX_ASKED: Final = 1024

_Meeting = tuple[str, str]


class Threats:
    """The meetings that were told of."""

    def __init__(
        self, tables: Tables, feed_of: Callable[[int], str | None], note: Callable[[Notice], None]
    ) -> None:
        """Take what names the feed of a slot; what an earlier run has told of is not told again."""
        self._tables = tables
        self._feed_of = feed_of
        self._note = note
        self._asked: dict[tuple[str, str], float] = {}
        self._listed = tables.statistics()["listed"]
        #: Meeting → the packets that were counted, and when (monotonic) there were more.
        self._known: dict[_Meeting, tuple[int, float]] = {
            _meeting(each): (each.packets, time.monotonic()) for each in tables.sightings()
        }

    def name_asked(self, match: Match) -> None:
        """Tell of a device that asked for a name on a feed, once in a while."""
        now = time.monotonic()
        feeds = self._feeds(match.slots)
        if not feeds or now - self._asked.get((match.mac, match.name), -_QUIET) < _QUIET:
            return
        if len(self._asked) >= _MAX_ASKED:
            self._asked = {key: when for key, when in self._asked.items() if now - when < _QUIET}
        if len(self._asked) < _MAX_ASKED:
            self._asked[match.mac, match.name] = now
            self._note(_asked(feeds, match))

    def look(self, listed: int) -> None:
        """Tell of new meetings; listed is the kernel's count of all packets to and from listed addresses."""
        if listed == self._listed:
            return
        self._listed = listed
        now = time.monotonic()
        fresh: dict[str, list[Sighting]] = {}
        for sighting in self._tables.sightings():
            packets, last = self._known.get(_meeting(sighting), (0, -_QUIET))
            if sighting.packets == packets:
                continue
            if now - last >= _QUIET and (feeds := self._feeds(sighting.slots)):
                fresh.setdefault(feeds, []).append(sighting)
            self._known[_meeting(sighting)] = (sighting.packets, now)
        self._known = {key: each for key, each in self._known.items() if now - each[1] < _QUIET}
        for feeds, sightings in fresh.items():
            if len(sightings) > _MANY:
                self._note(_many(feeds, sightings))
            else:
                for each in sightings:
                    self._note(_one(feeds, each))

    def forget(self, macs: Collection[str]) -> None:
        """Forget what was told of these devices."""
        self._asked = {key: when for key, when in self._asked.items() if key[0] not in macs}
        self._known = {key: each for key, each in self._known.items() if key[0] not in macs}

    def _feeds(self, slots: Iterable[int]) -> str:
        """Return the names of the feeds in these slots."""
        names = (self._feed_of(slot) for slot in sorted(slots))
        return ", ".join(name for name in names if name is not None)


def _asked(feeds: str, match: Match) -> Notice:
    """Return the event of a question for a name."""
    return Notice(
        kind="threat_domain",
        severity="medium",
        summary=f"{match.address} asked for {match.name}, which is on the feed {feeds}",
        evidence={
            "detector": "threat_domain",
            "feed": feeds,
            "value": 1,
            "threshold": 1,
            "window": 1.0,
            "resolved": list(match.resolved[:_MANY]),
        },
        mac=match.mac,
        address=match.address,
        peer_name=match.name,
    )


def _meeting(sighting: Sighting) -> _Meeting:
    """Return what tells one meeting from another: a device is its MAC, whatever address it uses."""
    return sighting.mac or sighting.address, sighting.peer


def _evidence(feed: str, packets: int, size: int) -> dict[str, object]:
    """Return what every such event shows."""
    return {
        "detector": "threat_address",
        "feed": feed,
        "value": packets,
        "threshold": 1,
        "window": 1.0,
        "bytes": size,
    }


def _one(feed: str, sighting: Sighting) -> Notice:
    """Return the event of one meeting."""
    return Notice(
        kind="threat_address",
        severity="medium",
        summary=f"{sighting.address} exchanged packets with {sighting.peer}, which is on the feed {feed}",
        evidence=_evidence(feed, sighting.packets, sighting.bytes),
        mac=sighting.mac,
        address=sighting.address,
        peer_address=sighting.peer,
    )


def _many(feed: str, sightings: list[Sighting]) -> Notice:
    """Return the event of many meetings at once, the busiest ones named."""
    busiest = sorted(sightings, key=lambda each: each.packets, reverse=True)[:_MANY]
    packets = sum(each.packets for each in sightings)
    return Notice(
        kind="threat_address",
        severity="high",
        summary=f"{len(sightings)} new exchanges with addresses on the feed {feed},"
        f" such as {busiest[0].address} with {busiest[0].peer}",
        evidence=_evidence(feed, packets, sum(each.bytes for each in sightings))
        | {
            "meetings": [
                {"mac": each.mac, "address": each.address, "peer_address": each.peer}
                for each in busiest
            ]
        },
        mac=busiest[0].mac,
        address=busiest[0].address,
        peer_address=busiest[0].peer,
    )
