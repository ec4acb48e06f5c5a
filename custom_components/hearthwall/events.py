"""The sensor's events, each handed on once and in order: over a lost connection and a restart, too."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.storage import Store

from .bpf.hearthwall_sensor.protocol import Event, SensorError
from .const import DOMAIN, LOGGER

_STORAGE_VERSION: Final = 1
#: What was handed on is noted on disk at the latest after so many seconds.
_SAVE_DELAY: Final = 1.0
#: Devices of which the newest event is remembered.
_LATEST: Final = 64
#: As many events as are asked for at a time.
PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class _Place:
    """An event's place in a journal; `time` tells one journal from another, None fits any."""

    seq: int
    time: float | None = None


_BEGINNING: Final = _Place(0)


class Events:
    """Follows the journal of one gateway's sensor.

    Deltas carry events as they happen. What happened while nobody listened is asked for by number.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        fetch: Callable[[int, int], Awaitable[list[Event]]],
    ) -> None:
        """Take the entry, and what asks the sensor for the events after a number, so many at most."""
        self._hass = hass
        self._entry = entry
        self._fetch = fetch
        self._store = _store(hass, entry)
        self._listeners: set[Callable[[Event], None]] = set()
        self._begun = False
        self._seen = _BEGINNING
        self._is_first_run = True
        self._catching_up: asyncio.Task[None] | None = None
        #: Whether all that happened before this connection was handed on.
        self._caught_up = False
        #: The newest event's number, as the sensor told it.
        self.newest = 0
        #: Events that the journal had forgotten before they were asked for.
        self.lost = 0
        #: The newest event of each device that was handed on lately.
        self.latest: dict[str, Event] = {}

    async def async_load(self) -> None:
        """Read how far an earlier run has come."""
        kept = await self._store.async_load()
        if kept is not None:
            self._seen = _Place(kept["seq"], kept["time"])
            self._is_first_run = False

    async def async_save(self) -> None:
        """Note how far this run has come."""
        if not self._is_first_run:
            await self._store.async_save(asdict(self._seen))

    @callback
    def async_subscribe(self, listener: Callable[[Event], None]) -> CALLBACK_TYPE:
        """Call listener with each event."""
        self._listeners.add(listener)

        @callback
        def unsubscribe() -> None:
            self._listeners.discard(listener)

        return unsubscribe

    @callback
    def async_begin(self, _hass: HomeAssistant | None = None) -> None:
        """Hand events on from now on: entities and automations are there to take them."""
        self._begun = True
        self._async_catch_up()

    @callback
    def async_pause(self) -> None:
        """Hand nothing on until it is begun again: entities are going."""
        self._begun = False

    @callback
    def async_connected(self, newest: int) -> None:
        """Look what happened while there was no connection; at the very first one, nothing has."""
        self.newest = newest
        self._caught_up = False
        if self._is_first_run:
            self._is_first_run = False
            self._async_note(_Place(newest))
        self._async_catch_up()

    @callback
    def async_take(self, events: Iterable[Event]) -> None:
        """Hand on what just happened, after all that happened before it."""
        behind = False
        for event in events:
            self.newest = max(self.newest, event.seq)
            if self._is_next(event):
                self._async_hand_on(event)
            else:
                behind = True
        if behind:
            self._async_catch_up()

    def _is_next(self, event: Event) -> bool:
        """Tell whether all events before this one were handed on."""
        return self._begun and event.seq == self._seen.seq + 1 and self._caught_up

    @callback
    def _async_hand_on(self, event: Event) -> None:
        """Tell who listens; an event that was begun to be told is not told again."""
        self._async_note(_Place(event.seq, event.time))
        if event.mac is not None:
            self.latest.pop(event.mac, None)
            self.latest[event.mac] = event
            if len(self.latest) > _LATEST:
                del self.latest[next(iter(self.latest))]
        for listener in tuple(self._listeners):
            listener(event)

    @callback
    def _async_note(self, seen: _Place) -> None:
        """Remember how far this run has come."""
        self._seen = seen
        self._store.async_delay_save(lambda: asdict(self._seen), _SAVE_DELAY)

    @callback
    def _async_catch_up(self) -> None:
        """Ask for what was missed, unless that is being done."""
        if not self._begun:
            return
        if self.newest == self._seen.seq == 0:
            self._caught_up = True
            return
        if self._catching_up is None or self._catching_up.done():
            self._catching_up = self._entry.async_create_background_task(
                self._hass, self._catch_up(), name="hearthwall events"
            )

    async def _catch_up(self) -> None:
        """Hand on page after page, until nothing newer is known of."""
        try:
            while True:
                # The one that was seen last is asked for, too: it tells whether the journal is the same.
                page = await self._fetch(max(self._seen.seq - 1, 0), PAGE)
                if not self._begun:
                    return
                for event in self._continue(page):
                    self._async_hand_on(event)
                if self._seen.seq >= self.newest:
                    self._caught_up = True
                    return
                await asyncio.sleep(0)
        except SensorError as error:
            # They are asked for again with the next event or connection.
            LOGGER.debug("The sensor's events can't be read: %s", error)

    def _continue(self, page: list[Event]) -> list[Event]:
        """Return the events of a page that follow the one seen last."""
        seen = self._seen
        known = next((event for event in page if event.seq == seen.seq), None)
        if self.newest < seen.seq or (known and seen.time not in {None, known.time}):
            LOGGER.warning("The sensor began a new journal; its events are read from the first on")
            self._seen = _BEGINNING
            return []
        fresh = [event for event in page if event.seq > seen.seq]
        self._count_lost((fresh[0].seq - 1 if fresh else self.newest) - seen.seq)
        if not fresh and self.newest > seen.seq:
            self._seen = _Place(self.newest)
        return fresh

    def _count_lost(self, number: int) -> None:
        """Say that events are gone for good."""
        if number > 0:
            self.lost += number
            LOGGER.warning(
                "%s events are lost: Home Assistant was away while the sensor forgot them", number
            )


async def async_forget_events(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Remove what is on disk for an entry."""
    await _store(hass, entry).async_remove()


def _store(hass: HomeAssistant, entry: ConfigEntry) -> Store[dict[str, Any]]:
    """Return the file that notes how far an entry has come."""
    return Store(hass, _STORAGE_VERSION, f"{DOMAIN}.{entry.entry_id}.events")
