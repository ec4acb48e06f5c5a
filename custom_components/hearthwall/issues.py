"""Repair issues of a gateway: each is there for as long as its cause, and no sooner than it is sure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from time import time
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .bpf.hearthwall_sensor.protocol import Feed
from .const import DOMAIN
from .hostile import plain

ISSUE_STATE_DAMAGED: Final = "state_damaged"
ISSUE_FAILING: Final = "feed_failing"
ISSUE_OVERLAPS: Final = "feed_overlaps"
FEED_ISSUES: Final = frozenset({ISSUE_FAILING, ISSUE_OVERLAPS})

_DOCUMENTS: Final = "https://github.com/hearthwall/hearthwall/blob/main/docs"
LEARN_MORE: Final = f"{_DOCUMENTS}/feeds.md"
LEARN_MORE_REPAIRS: Final = f"{_DOCUMENTS}/home-assistant.md#repairs"
LEARN_MORE_INSTALL: Final = f"{_DOCUMENTS}/install.md"
LEARN_MORE_UPGRADE: Final = f"{_DOCUMENTS}/install.md#upgrade-and-the-way-back"
LEARN_MORE_OTHER_HOSTS: Final = f"{_DOCUMENTS}/sensor.md#other-hosts"

#: A list may miss one look and the next; then its user should know.
_PATIENCE_INTERVALS: Final = 2

#: Issues that are mended by orders, each with what is said of it where the sensor takes none from us.
TOLD_ONLY: Final = {
    ISSUE_STATE_DAMAGED: "state_damaged_read_only",
    ISSUE_FAILING: "feed_failing_read_only",
    ISSUE_OVERLAPS: "feed_overlaps_read_only",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong, and that its user can mend."""

    key: str
    """The issue's translation key."""
    subject: str = ""
    """Which of several things it is that has this problem."""
    placeholders: Mapping[str, str] = field(default_factory=dict)
    patience: float = 0.0
    """Seconds for which it must last before anyone is told."""
    is_fixable: bool = True
    severity: ir.IssueSeverity = ir.IssueSeverity.WARNING
    learn_more: str = LEARN_MORE_REPAIRS
    words: str | None = None
    """The translation key, where it is another than the one that its flow is found by."""

    def told_only(self) -> Problem:
        """Return it for whoever may not give the orders that mend it: it says where that is done."""
        words = TOLD_ONLY.get(self.key)
        return self if words is None else replace(self, is_fixable=False, words=words)


class Board:
    """The issues of some kinds that one gateway has."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        keys: frozenset[str],
        is_read_only: Callable[[], bool],
    ) -> None:
        """Take the entry, the kinds that are this board's to raise and to drop, and whether orders are refused."""
        self._hass = hass
        self._entry = entry
        self._keys = keys
        self._is_read_only = is_read_only
        #: Since when each problem has been there, raised or not.
        self._since: dict[str, float] = {}

    @callback
    def async_show(
        self, problems: Iterable[Problem], unknown: frozenset[str] = frozenset()
    ) -> None:
        """Raise what has been wrong for long enough, and drop what is so no more.

        Of the `unknown` kinds nobody can tell now: what was raised of them stays.
        """
        now = self._hass.loop.time()
        found = {issue_identity(self._entry, each.key, each.subject): each for each in problems}
        self._since = {identity: self._since.get(identity, now) for identity in found}
        for identity, problem in found.items():
            if now - self._since[identity] >= problem.patience:
                told = problem.told_only() if self._is_read_only() else problem
                async_raise(self._hass, self._entry, told)
        for identity in _identities(self._hass, self._entry, self._keys - unknown) - found.keys():
            ir.async_delete_issue(self._hass, DOMAIN, identity)


class FeedIssues:
    """The issues with one gateway's feeds."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, is_read_only: Callable[[], bool]
    ) -> None:
        """Take the entry, and whether the sensor refuses orders."""
        self._board = Board(hass, entry, FEED_ISSUES, is_read_only)
        #: When each feed was last known to be read well.
        self._well: dict[str, float] = {}

    @callback
    def async_follow(self, feeds: Iterable[Feed]) -> None:
        """Raise what is wrong with the feeds, and drop what is so no more."""
        now = time()
        feeds = list(feeds)
        self._well = {
            feed.name: now if feed.last_error is None else self._well.get(feed.name, 0.0)
            for feed in feeds
        }
        self._board.async_show(problem for feed in feeds for problem in self._problems(feed))

    def _problems(self, feed: Feed) -> Iterator[Problem]:
        """Yield what is wrong with a feed."""
        if self._has_failed_for_long(feed):
            said = {"message": plain(feed.last_error or "")}
            yield _feed_problem(ISSUE_FAILING, feed, said)
        if feed.subtracted:
            examples = plain(", ".join(feed.subtracted_examples))
            said = {"count": str(feed.subtracted), "examples": examples}
            yield _feed_problem(ISSUE_OVERLAPS, feed, said)

    def _has_failed_for_long(self, feed: Feed) -> bool:
        """Tell whether a feed was never read, or not for more than two of its intervals."""
        if feed.last_error is None or feed.updated is None:
            return feed.last_error is not None
        since = max(feed.updated, self._well[feed.name])
        return time() - since > _PATIENCE_INTERVALS * feed.interval


def _feed_problem(key: str, feed: Feed, said: Mapping[str, str]) -> Problem:
    """Return a feed's problem."""
    return Problem(key, feed.name, {"feed": plain(feed.name), **said}, learn_more=LEARN_MORE)


def issue_identity(entry: ConfigEntry, key: str, subject: str = "") -> str:
    """Return the identity of an entry's issue."""
    return f"{_prefix(entry)}{key}{f'_{subject}' if subject else ''}"


@callback
def async_raise(hass: HomeAssistant, entry: ConfigEntry, problem: Problem) -> None:
    """Create or update an issue; its flow finds the gateway and the thing by its data."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_identity(entry, problem.key, problem.subject),
        data={"entry_id": entry.entry_id, "key": problem.key, "subject": problem.subject},
        is_fixable=problem.is_fixable,
        learn_more_url=problem.learn_more,
        severity=problem.severity,
        translation_key=problem.words or problem.key,
        translation_placeholders=dict(problem.placeholders),
    )


@callback
def async_delete_issues(
    hass: HomeAssistant, entry: ConfigEntry, keys: frozenset[str] | None = None
) -> None:
    """Drop the issues of a gateway that is gone, or those of some kinds."""
    for identity in _identities(hass, entry, keys):
        ir.async_delete_issue(hass, DOMAIN, identity)


def _prefix(entry: ConfigEntry) -> str:
    """Return what the identities of an entry's issues begin with."""
    return f"{entry.entry_id}_"


def _identities(hass: HomeAssistant, entry: ConfigEntry, keys: frozenset[str] | None) -> set[str]:
    """Return the identities of an entry's issues of these kinds, of any if None."""
    return {
        identity
        for (domain, identity), issue in ir.async_get(hass).issues.items()
        if domain == DOMAIN
        and identity.startswith(_prefix(entry))
        and (keys is None or issue.translation_key in keys)
    }
