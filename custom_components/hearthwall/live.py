"""The live views that browsers have open, and the feeds that they share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from homeassistant.components.websocket_api import ActiveConnection
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN
from .gateways import async_follow_gateways
from .hub import Hub
from .live_feed import LiveFeed, lost
from .top_peers import TopPeers

#: The open dashboards of a large household; more can only be a card gone wild.
MAX_SUBSCRIPTIONS: Final = 32
#: Paces at which one sensor is followed; it has only so many places for clients.
MAX_PACES: Final = 4

_OPEN: HassKey[set[CALLBACK_TYPE]] = HassKey("hearthwall_open_views")
_GATEWAYS: HassKey[dict[str, _Gateway]] = HassKey("hearthwall_live_gateways")


@dataclass(slots=True)
class _Gateway:
    """What the views of one gateway share."""

    peers: TopPeers
    feeds: dict[float, LiveFeed] = field(default_factory=dict)


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
        self._interval = interval
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

        @callback
        def end() -> None:
            self._is_open = False
            unfollow()

        return end

    @callback
    def _async_came(self, hub: Hub) -> CALLBACK_TYPE:
        """Show a gateway that was set up; return what is to be done when it goes."""
        entry_id = hub.entry.entry_id
        gateways = self._hass.data.setdefault(_GATEWAYS, {})
        gateway = gateways.setdefault(entry_id, _Gateway(TopPeers(hub)))
        feeds, interval = gateway.feeds, self._interval
        if interval not in feeds and len(feeds) >= MAX_PACES:
            interval = min(feeds, key=lambda each: abs(each - interval))
        feed = feeds.setdefault(interval, LiveFeed(hub, interval, gateway.peers))
        feed.async_join(self)

        @callback
        def left() -> None:
            if not feed.async_leave(self):
                del feeds[interval]
                if not feeds:
                    del gateways[entry_id]
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
    places = hass.data.setdefault(_OPEN, set())
    if len(places) >= MAX_SUBSCRIPTIONS:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="too_many_live_views",
            translation_placeholders={"limit": str(MAX_SUBSCRIPTIONS)},
        )
    connection.send_result(identity)
    end = begin()

    @callback
    def close() -> None:
        places.discard(close)
        end()

    places.add(close)
    connection.subscriptions[identity] = close
