"""Brings the journal's events to one sink: in their order, each at least once, as slowly as the receiver wants it."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from ..kinds import SEVERITIES
from ..protocol import Event, SinkState
from ..requests import GetEvents
from .ledger import Account
from .reading import Named
from .sink import Call, RefusedError, Sink, SinkError

_LOGGER = logging.getLogger(__name__)

#: Events that are read from the journal at once.
PAGE: Final = 100
#: Seconds until what failed is tried again: twice as many after each time, up to the longest.
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 300.0
#: A receiver that does nothing for so long (seconds) has failed.
PATIENCE: Final = 60.0
#: Letters of an error that are told.
_LONGEST_ERROR: Final = 200


@dataclass(frozen=True, slots=True)
class Journal:
    """What a delivery needs of the sensor."""

    call: Call
    last: Callable[[], int]
    """Returns the newest event's number."""
    was_alone: Callable[[Event], Awaitable[bool]] | None = None
    """Returns whether no Home Assistant was there for an event, once that is known; None for a sink that tells all."""


class Delivery:
    """One sink's."""

    def __init__(self, named: Named, sink: Sink, account: Account, journal: Journal) -> None:
        """Take the sink, as it is set and as it is, how far it has come, and where events come from."""
        self._named = named
        self._sink = sink
        self._account = account
        self._journal = journal
        self._least = SEVERITIES.index(named.severity)
        self._pace = named.pace
        self._due = 0.0
        self._more = asyncio.Event()
        self._failing_since: float | None = None
        self._last_error: str | None = None
        self._pause = _FIRST_PAUSE

    def wake(self) -> None:
        """There may be more."""
        self._more.set()

    def state(self) -> SinkState:
        """Return how it fares."""
        account = self._account
        return SinkState(
            name=self._named.name,
            type=self._named.type,
            delivered=account.delivered,
            waiting=max(self._journal.last() - account.cursor, 0),
            lost=account.lost,
            refused=account.refused,
            failing_since=self._failing_since,
            last_error=self._last_error,
        )

    async def run(self) -> None:
        """Deliver until cancelled; raises SensorError when the sensor does not answer any more."""
        try:
            await self._start()
            while True:
                self._more.clear()
                await self._until_due()
                while page := await self._page():
                    await self._deliver([each for each in page if await self._is_wanted(each)])
                    self._account.cursor = max(self._account.cursor, page[-1].seq)
                await self._more.wait()
        finally:
            await self._sink.close()

    async def _start(self) -> None:
        """Make the sink ready, however long that takes."""
        while True:
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._sink.start()
            except (SinkError, OSError) as error:
                await self._wait(error)
            else:
                return

    async def _page(self) -> list[Event]:
        """Return the events that come next; what the journal has forgotten before is counted."""
        cursor = self._account.cursor
        page = await self._events(cursor, PAGE)
        if page and page[0].seq > cursor + 1:
            oldest = (await self._events(0, 1))[:1]
            # A gap behind the oldest is a device that was forgotten because somebody wanted it.
            if oldest and oldest[0].seq == page[0].seq:
                self._account.lost += page[0].seq - cursor - 1
        return page

    async def _events(self, since: int, limit: int) -> list[Event]:
        """Return the events after a number."""
        answer = await self._journal.call(GetEvents(since=since, limit=limit))
        return [Event.from_wire(each) for each in answer]

    async def _is_wanted(self, event: Event) -> bool:
        """Return whether the sink is to get an event."""
        named = self._named
        is_kind = not named.kinds or event.kind in named.kinds
        if not is_kind or SEVERITIES.index(event.severity) < self._least:
            return False
        return self._journal.was_alone is None or await self._journal.was_alone(event)

    async def _until_due(self) -> None:
        """Wait until the sink may get something again."""
        await asyncio.sleep(self._due - asyncio.get_running_loop().time())

    async def _deliver(self, events: Sequence[Event]) -> None:
        """Send until all are taken or refused."""
        while events:
            await self._until_due()
            part = events[: self._pace.at_once]
            done, refused = 0, 0
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._sink.send(part)
                done = len(part)
            except RefusedError as error:
                done, refused = error.delivered, 1
                self._last_error = _told(error)
                seq = part[min(done, len(part) - 1)].seq
                _LOGGER.warning("Sink %s refuses event %d: %s", self._named.name, seq, _told(error))
            except (SinkError, OSError) as error:
                done = error.delivered if isinstance(error, SinkError) else 0
                self._count(events, done, 0)
                await self._wait(error)
                events = events[done:]
                continue
            self._count(events, done, refused)
            events = events[done + refused :]
            self._due = asyncio.get_running_loop().time() + self._pace.every
            self._recovered()

    def _count(self, events: Sequence[Event], done: int, refused: int) -> None:
        """Go on behind what is done with."""
        self._account.delivered += done
        self._account.refused += refused
        if done + refused:
            self._account.cursor = events[min(done + refused, len(events)) - 1].seq

    async def _wait(self, error: Exception) -> None:
        """Leave a receiver that failed alone for a while."""
        self._last_error = _told(error)
        if self._failing_since is None:
            self._failing_since = time.time()
            _LOGGER.warning("Sink %s fails: %s", self._named.name, self._last_error)
        asked = error.retry_after if isinstance(error, SinkError) else None
        pause = min(max(asked or 0.0, self._pause), _LONGEST_PAUSE)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        # Not all at the same moment, where many homes have one receiver.
        await asyncio.sleep(pause * random.uniform(0.9, 1.1))  # noqa: S311, no secret

    def _recovered(self) -> None:
        """Note that the receiver takes events."""
        self._pause = _FIRST_PAUSE
        if self._failing_since is not None:
            self._failing_since = None
            _LOGGER.warning("Sink %s works again", self._named.name)


def _told(error: Exception) -> str:
    """Return what is told of an error."""
    if isinstance(error, TimeoutError) and not str(error):
        return f"no answer within {PATIENCE:.0f} s"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return (text or type(error).__name__)[:_LONGEST_ERROR]
