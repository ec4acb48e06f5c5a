"""The live views that browsers have open, and the feeds that they share."""

from collections.abc import Callable, Collection
from typing import Any, Final

from homeassistant.auth.models import User
from homeassistant.components.websocket_api import ActiveConnection
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN
from .gateways import async_follow_gateways, async_follow_removals
from .hub import Hub
from .live_feed import LiveFeed, lost, removed
from .top_peers import TopPeers

#: The open dashboards of a large household; more can only be a card gone wild.
MAX_SUBSCRIPTIONS: Final = 32
#: Those of one user who is no administrator, and what such users leave for administrators.
MAX_OF_A_USER: Final = 8
KEPT_FOR_ADMINS: Final = 8
#: The fastest pace of who is no administrator: a browser draws no faster, and the sensor has others to serve.
MIN_INTERVAL_OF_A_USER: Final = 0.25
#: Paces at which one sensor is followed; it has only so many places for clients.
MAX_PACES: Final = 4

_OPEN: HassKey[dict[CALLBACK_TYPE, User]] = HassKey("hearthwall_open_views")
_GATEWAYS: HassKey[dict[str, _Gateway]] = HassKey("hearthwall_live_gateways")


class _Gateway:
    """What the views of one gateway share, for as long as it is set up and somebody looks or has just looked."""

    def __init__(self, hub: Hub) -> None:
        """Share nothing yet."""
        self._hub = hub
        self._peers = TopPeers(hub)
        self._feeds: dict[float, LiveFeed] = {}
        self._unfollow: CALLBACK_TYPE | None = None

    @callback
    def async_begin(self) -> None:
        """End all feeds when the gateway goes, also those that nobody looks at any more."""
        entry_id = self._hub.entry.entry_id
        self._unfollow = async_follow_gateways(self._hub.hass, entry_id, lambda _: self._end)

    @callback
    def async_feed(self, interval: float) -> LiveFeed:
        """Return the feed of this pace, or of the nearest one where there are many paces."""
        feeds = self._feeds
        if interval not in feeds and len(feeds) >= MAX_PACES:
            interval = min(feeds, key=lambda each: abs(each - interval))
        if interval not in feeds:
            feeds[interval] = LiveFeed(
                self._hub, interval, self._peers, lambda: self._async_ended(interval)
            )
        return feeds[interval]

    @callback
    def _async_ended(self, interval: float) -> None:
        """Forget a feed that has ended, and with the last one the gateway."""
        self._feeds.pop(interval, None)
        gateways = self._hub.hass.data[_GATEWAYS]
        if not self._feeds and gateways.get(self._hub.entry.entry_id) is self:
            del gateways[self._hub.entry.entry_id]
            if self._unfollow is not None:
                self._unfollow()

    @callback
    def _end(self) -> None:
        """End all feeds."""
        for feed in tuple(self._feeds.values()):
            feed.async_end()


class View:
    """What one browser looks at."""

    def __init__(
        self, hass: HomeAssistant, connection: ActiveConnection, identity: int, interval: float
    ) -> None:
        """Take whom to tell, and how often."""
        self.is_admin = connection.user.is_admin
        self._hass = hass
        self._connection = connection
        self._identity = identity
        self._interval = interval if self.is_admin else max(interval, MIN_INTERVAL_OF_A_USER)
        self._is_open = True

    def send(self, event: dict[str, Any]) -> None:
        """Pass an event on; Home Assistant drops a browser that does not keep up."""
        if self._is_open:
            self._connection.send_event(self._identity, event)

    @callback
    def async_follow(self, entry_id: str | None) -> CALLBACK_TYPE:
        """Show a gateway's devices, or those of each; return what ends it."""
        for entry in self._hass.config_entries.async_entries(DOMAIN, include_disabled=False):
            is_there = entry.state is ConfigEntryState.LOADED
            if entry_id in {None, entry.entry_id} and not is_there:
                self.send(lost(entry.entry_id))
        unfollow = async_follow_gateways(self._hass, entry_id, self._async_came)
        unfollow_removals = async_follow_removals(
            self._hass, entry_id, lambda each: self.send(removed(each))
        )

        @callback
        def end() -> None:
            self._is_open = False
            unfollow_removals()
            unfollow()

        return end

    @callback
    def _async_came(self, hub: Hub) -> CALLBACK_TYPE:
        """Show a gateway that was set up; return what is to be done when it goes."""
        entry_id = hub.entry.entry_id
        gateways = self._hass.data.setdefault(_GATEWAYS, {})
        gateway = gateways.get(entry_id)
        if gateway is None:
            gateway = gateways[entry_id] = _Gateway(hub)
            gateway.async_begin()
        feed = gateway.async_feed(self._interval)
        feed.async_join(self)

        @callback
        def left() -> None:
            feed.async_leave(self)
            self.send(lost(entry_id))

        return left


@callback
def async_open(
    hass: HomeAssistant,
    connection: ActiveConnection,
    identity: int,
    begin: Callable[[], CALLBACK_TYPE],
) -> None:
    """Begin a subscription, which lasts until `begin`'s answer is called.

    Raises HomeAssistantError if too many are open.
    """
    places = hass.data.setdefault(_OPEN, {})
    _check_room(places.values(), connection.user)
    connection.send_result(identity)
    end = begin()

    @callback
    def close() -> None:
        places.pop(close, None)
        end()

    places[close] = connection.user
    connection.subscriptions[identity] = close


def _check_room(open_by: Collection[User], user: User) -> None:
    """Raise HomeAssistantError if a user may open no more: one user must not use up the places of all."""
    mine = [each for each in open_by if each.id == user.id]
    others = [each for each in open_by if not each.is_admin]
    limits = [(open_by, MAX_SUBSCRIPTIONS)]
    if not user.is_admin:
        limits += [(mine, MAX_OF_A_USER), (others, MAX_SUBSCRIPTIONS - KEPT_FOR_ADMINS)]
    for taken, limit in limits:
        if len(taken) >= limit:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="too_many_live_views",
                translation_placeholders={"limit": str(limit)},
            )
