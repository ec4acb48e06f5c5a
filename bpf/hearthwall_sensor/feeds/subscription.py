"""What the sensor remembers of a feed between two looks at it, and when the next one is due."""

import re
from dataclasses import dataclass
from typing import Final

from ..protocol import FeedAction, SensorError
from ..requests import AddFeed
from ..wire import Message
from . import formats, source as sources

MIN_INTERVAL: Final = 3600.0
MAX_INTERVAL: Final = 30 * 86400.0
#: After a failure a feed is asked again sooner, then later and later.
_FIRST_RETRY: Final = 300.0
#: A clock that was set back by more than this tells nothing.
_CLOCK_SLACK: Final = 60.0
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Subscription(Message):
    """One feed: what was ordered, where it stands in the kernel, what was read last and how that went."""

    id: int
    slot: int
    name: str
    source: str
    format: str
    action: FeedAction
    interval: float
    header_file: str | None
    found_format: str | None = None
    addresses: int = 0
    domains: int = 0
    invalid: int = 0
    invalid_examples: tuple[str, ...] = ()
    subtracted: int = 0
    subtracted_examples: tuple[str, ...] = ()
    updated: float | None = None
    checked: float | None = None
    failures: int = 0
    last_error: str | None = None

    def due(self, now: float) -> float:
        """Return in how many seconds the feed is to be looked at again; both clocks are the wall's."""
        if self.checked is None or self.checked > now + _CLOCK_SLACK:
            return 0.0
        wait = self.interval
        if self.failures:
            wait = min(wait, _FIRST_RETRY * 2 ** min(self.failures - 1, 20))
        return max(0.0, self.checked + wait - now)

    def order(self) -> AddFeed:
        """Return the order that the feed came from."""
        return AddFeed(
            self.name, self.source, self.format, self.action, self.interval, self.header_file
        )

    def check(self) -> None:
        """Raise SensorError `invalid_feed` if the feed makes no sense."""
        check(self.order())


def check(order: AddFeed) -> None:
    """Raise SensorError `invalid_feed` if an order makes no sense."""
    if not _NAME.fullmatch(order.name):
        raise SensorError(
            "invalid_feed",
            f"{order.name[:80]!r} is no name for a feed: take up to 40 of a-z, 0-9, - and _",
        )
    if order.format != formats.AUTO:
        formats.parser(order.format)
    if not MIN_INTERVAL <= order.interval <= MAX_INTERVAL:
        raise SensorError("invalid_feed", "an interval is at least an hour and at most 30 days")
    sources.check_source(order.source, order.header_file)
