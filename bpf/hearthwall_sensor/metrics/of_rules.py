"""What rules and feeds hold up."""

from collections.abc import Callable, Iterable
from typing import Final

from ..modes import MODES
from ..protocol import MAX_FEEDS, Feed
from .family import Family, Sample, Scene, by, one

_DROPPED: Final = "dropped_"


def _hits(which: int) -> Callable[[Scene], Iterable[Sample]]:
    """Return what reads packets (0) or bytes (1) of rules by mode."""
    return by(lambda scene: {mode: counted[which] for mode, counted in scene.hits.items()})


def _feeds(value: Callable[[Feed], float | None]) -> Callable[[Scene], Iterable[Sample]]:
    """Return what reads one figure of each feed, where it has one."""
    return lambda scene: (
        ((feed.name,), number) for feed in scene.feeds if (number := value(feed)) is not None
    )


def _entries(scene: Scene) -> Iterable[Sample]:
    """Yield the sizes of the feeds."""
    for feed in scene.feeds:
        yield (feed.name, "address"), feed.addresses
        yield (feed.name, "domain"), feed.domains


_OF_RULES: Final = (
    Family(
        "hearthwall_rules",
        "gauge",
        "Rules in force, by mode.",
        by(lambda scene: scene.rules),
        len(MODES),
        ("mode",),
    ),
    Family(
        "hearthwall_rule_packets",
        "counter",
        "Packets that rules held since the sensor started: dropped, sent elsewhere (redirect) or only counted (audit).",
        _hits(0),
        len(MODES),
        ("mode",),
        "packets",
    ),
    Family(
        "hearthwall_rule_bytes",
        "counter",
        "Bytes of the packets that rules held since the sensor started.",
        _hits(1),
        len(MODES),
        ("mode",),
        "bytes",
    ),
    Family(
        "hearthwall_dropped_packets",
        "counter",
        "Packets dropped by rules, feeds and flood thresholds since the kernel programs were loaded, by place: gate is"
        " XDP on the home's side, ingress and egress are tc, wan is the internet's side.",
        by(
            lambda scene: {
                name.removeprefix(_DROPPED): count
                for name, count in scene.status.dropped.items()
                if name.startswith(_DROPPED)
            }
        ),
        8,
        ("place",),
        "packets",
    ),
    Family(
        "hearthwall_redirected_packets",
        "counter",
        "Packets sent to another interface by rules since the kernel programs were loaded.",
        one(lambda scene: scene.status.dropped.get("redirected", 0)),
        1,
        unit="packets",
    ),
)

_OF_FEEDS: Final = (
    Family(
        "hearthwall_feed_entries",
        "gauge",
        "Addresses (with prefixes) and domains in force of each feed.",
        _entries,
        2 * MAX_FEEDS,
        ("feed", "type"),
    ),
    Family(
        "hearthwall_feed_updated_timestamp_seconds",
        "gauge",
        "When a feed's list was last read whole, in seconds since the epoch; its age is time() minus this.",
        _feeds(lambda feed: feed.updated),
        MAX_FEEDS,
        ("feed",),
        "seconds",
    ),
    Family(
        "hearthwall_feed_interval_seconds",
        "gauge",
        "How often a feed's list is to be read.",
        _feeds(lambda feed: feed.interval),
        MAX_FEEDS,
        ("feed",),
        "seconds",
    ),
    Family(
        "hearthwall_feed_failing",
        "gauge",
        "1 while the last attempt to read a feed's list failed: the last good one is in force.",
        _feeds(lambda feed: feed.last_error is not None),
        MAX_FEEDS,
        ("feed",),
    ),
    Family(
        "hearthwall_feed_packets",
        "counter",
        "Packets from or to the addresses of a feed, dropped or, as its action says, only counted.",
        _feeds(lambda feed: feed.packets),
        MAX_FEEDS,
        ("feed",),
        "packets",
    ),
    Family(
        "hearthwall_feed_bytes",
        "counter",
        "Bytes of these packets.",
        _feeds(lambda feed: feed.bytes),
        MAX_FEEDS,
        ("feed",),
        "bytes",
    ),
)

FAMILIES: Final = (*_OF_RULES, *_OF_FEEDS)
