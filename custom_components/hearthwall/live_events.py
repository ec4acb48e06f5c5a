"""Events as cards show them: the newest of each gateway, and then each that happens."""

import asyncio
from typing import Any, Final

from homeassistant.components.websocket_api import ActiveConnection
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from .asked import device_namer
from .bpf.hearthwall_sensor.kinds import SEVERITIES
from .bpf.hearthwall_sensor.protocol import Event, SensorError, Severity
from .bpf.hearthwall_sensor.requests import GetEvents
from .event import described
from .gateways import async_follow_gateways
from .hub import Hub
from .targets import async_macs_at

RETRY: Final = 2.0


class EventsView:
    """What one browser is told of."""

    def __init__(
        self, hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]
    ) -> None:
        """Take whom to tell, and what was asked: whose events, how severe, and how many to begin with."""
        self.device_id: str | None = message.get("device_id")
        self.severity: Severity = message["severity"]
        self.limit: int = message["limit"]
        #: How far each gateway's journal was told, also before it was reloaded.
        self.told: dict[str, _Told] = {}
        self._hass = hass
        self._connection = connection
        self._identity = message["id"]

    def send(self, hub: Hub, events: list[Event]) -> None:
        """Tell of events; Home Assistant drops a browser that does not keep up."""
        rows = [event_row(hub, each) for each in events]
        event = {"type": "events", "entry_id": hub.entry.entry_id, "events": rows}
        self._connection.send_event(self._identity, event)

    @callback
    def async_follow(self, entry_id: str | None) -> CALLBACK_TYPE:
        """Follow a gateway's events, or those of each; return what ends it."""
        return async_follow_gateways(self._hass, entry_id, self._async_came)

    @callback
    def _async_came(self, hub: Hub) -> CALLBACK_TYPE:
        """Follow a gateway that was set up; return what is to be done when it goes."""
        mac = None
        if self.device_id is not None:
            mac = next(iter(async_macs_at(hub, self.device_id)), None)
            if mac is None:
                return lambda: None
        told = self.told.setdefault(hub.entry.entry_id, _Told())
        return _Follower(self, hub, mac, told).async_begin()


class _Told:
    """How far a journal was told: the number and time of the newest event; a new journal begins at 1 again."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.seq = 0
        self.time = 0.0

    def has(self, event: Event) -> bool:
        """Tell whether an event was told."""
        return event.seq <= self.seq and event.time <= self.time

    def note(self, event: Event) -> None:
        """Remember that an event is told."""
        self.seq, self.time = event.seq, max(event.time, self.time)


class _Follower:
    """Follows the events of one gateway for one view."""

    def __init__(self, view: EventsView, hub: Hub, mac: str | None, told: _Told) -> None:
        """Take whom to tell, the gateway, whose events (None for all), and how far they were told."""
        self._view = view
        self._hub = hub
        self._mac = mac
        self._told = told
        #: What happens while the newest are being asked for; None from then on.
        self._waiting: list[Event] | None = []

    @callback
    def async_begin(self) -> CALLBACK_TYPE:
        """Tell the newest and then each that happens; return what ends it."""
        unsubscribe = self._hub.events.async_subscribe(self._async_happened)
        task = self._hub.entry.async_create_background_task(
            self._hub.hass, self._catch_up(), name="hearthwall events view"
        )

        @callback
        def end() -> None:
            unsubscribe()
            task.cancel()

        return end

    async def _catch_up(self) -> None:
        """Tell the newest events, as soon as there is a sensor to ask."""
        while True:
            try:
                events = await self._newest()
                break
            except SensorError:
                await asyncio.sleep(RETRY)
        waited, self._waiting = self._waiting or [], None
        for event in events:
            self._told.note(event)
        fresh = [event for event in waited if not self._told.has(event)]
        for event in fresh:
            self._told.note(event)
        self._view.send(self._hub, events + fresh)

    async def _newest(self) -> list[Event]:
        """Ask for the newest events that were not told before."""
        seen = self._told.seq
        request = GetEvents(
            since=seen if seen <= self._hub.events.newest else 0,  # else it is another journal
            limit=self._view.limit,
            devices=() if self._mac is None else (self._mac,),
            severity=self._view.severity,
            latest=True,
        )
        return [Event.from_wire(each) for each in await self._hub.call(request)]

    @callback
    def _async_happened(self, event: Event) -> None:
        """Tell what happened just now."""
        if not self._is_wanted(event):
            return
        if self._waiting is not None:
            self._waiting = [*self._waiting, event][-self._view.limit :]
        elif not self._told.has(event):
            self._told.note(event)
            self._view.send(self._hub, [event])

    def _is_wanted(self, event: Event) -> bool:
        """Tell whether an event is asked for."""
        if SEVERITIES.index(event.severity) < SEVERITIES.index(self._view.severity):
            return False
        if self._mac is None:
            return True
        return event.mac is not None and self._hub.primary(event.mac) == self._mac


@callback
def event_row(hub: Hub, event: Event) -> dict[str, Any]:
    """Return an event as a card shows it."""
    return described(hub, event) | {
        "entry_id": hub.entry.entry_id,
        "gateway": hub.entry.title,
        "device_name": device_namer(hub)(event.mac, event.process)["device_name"],
    }
