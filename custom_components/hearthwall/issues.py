"""Repair issues for feeds: each is there for as long as its cause."""

from collections.abc import Iterable, Iterator
from time import time
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .bpf.hearthwall_sensor.protocol import Feed
from .const import DOMAIN

ISSUE_FAILING: Final = "feed_failing"
ISSUE_OVERLAPS: Final = "feed_overlaps"
LEARN_MORE: Final = "https://github.com/hearthwall/hearthwall/blob/main/docs/feeds.md"
#: A list may miss one look and the next; then its user should know.
_PATIENCE_INTERVALS: Final = 2


class FeedIssues:
    """The issues with one gateway's feeds."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Take the entry."""
        self._hass = hass
        self._entry = entry
        #: When each feed was last known to be read well.
        self._well: dict[str, float] = {}

    @callback
    def async_follow(self, feeds: Iterable[Feed]) -> None:
        """Raise what is wrong with the feeds, and drop what is so no more."""
        wanted: set[str] = set()
        now = time()
        feeds = list(feeds)
        self._well = {
            feed.name: now if feed.last_error is None else self._well.get(feed.name, 0.0)
            for feed in feeds
        }
        for feed in feeds:
            for key, placeholders in self._problems(feed):
                identity = f"{_prefix(self._entry)}{key}_{feed.name}"
                wanted.add(identity)
                ir.async_create_issue(
                    self._hass,
                    DOMAIN,
                    identity,
                    is_fixable=False,
                    learn_more_url=LEARN_MORE,
                    severity=ir.IssueSeverity.WARNING,
                    translation_key=key,
                    translation_placeholders={"feed": feed.name, **placeholders},
                )
        for identity in _identities(self._hass, self._entry) - wanted:
            ir.async_delete_issue(self._hass, DOMAIN, identity)

    def _problems(self, feed: Feed) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield what is wrong with a feed."""
        if self._has_failed_for_long(feed):
            yield ISSUE_FAILING, {"message": feed.last_error or ""}
        if feed.subtracted:
            yield (
                ISSUE_OVERLAPS,
                {
                    "count": str(feed.subtracted),
                    "examples": ", ".join(feed.subtracted_examples),
                },
            )

    def _has_failed_for_long(self, feed: Feed) -> bool:
        """Tell whether a feed was never read, or not for more than two of its intervals."""
        if feed.last_error is None or feed.updated is None:
            return feed.last_error is not None
        since = max(feed.updated, self._well[feed.name])
        return time() - since > _PATIENCE_INTERVALS * feed.interval


@callback
def async_delete_issues(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Drop the issues of a gateway that is gone."""
    for identity in _identities(hass, entry):
        ir.async_delete_issue(hass, DOMAIN, identity)


def _prefix(entry: ConfigEntry) -> str:
    """Return what the identities of an entry's issues begin with."""
    return f"{entry.entry_id}_"


def _identities(hass: HomeAssistant, entry: ConfigEntry) -> set[str]:
    """Return the identities of an entry's issues."""
    return {
        identity
        for domain, identity in ir.async_get(hass).issues
        if domain == DOMAIN and identity.startswith(_prefix(entry))
    }
