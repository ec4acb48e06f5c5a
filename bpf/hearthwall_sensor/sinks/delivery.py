"""Brings the journal's events to one sink: in their order, each at least once, as slowly as the receiver wants it."""

import asyncio
import contextlib
import logging
import random
import time
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from ..kinds import SEVERITIES
from ..protocol import Event, SinkState
from ..requests import GetEvents, GetJournal
from . import trial
from .failures import is_plain, lacks_memory, told, where
from .ledger import Account
from .presence import Presence
from .progress import Progress
from .reading import Named
from .sink import Call, RefusedError, Sink, SinkError

_LOGGER = logging.getLogger(__name__)

#: Events that are read from the journal at once.
PAGE: Final = 100
#: Seconds until what failed is tried again: twice as many after each time, up to the longest.
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 60.0
#: For so long (seconds) a receiver may ask to be left alone.
_LONGEST_ASKED: Final = 300.0
#: A receiver that takes no event for so long (seconds) has failed.
PATIENCE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Journal:
    """What a delivery needs of the sensor."""

    call: Call
    last: Callable[[], int]
    """Returns the newest event's number."""
    presence: Presence | None = None
    """When a Home Assistant was there; None for a sink that tells all."""


class Delivery:
    """One sink's."""

    def __init__(
        self,
        named: Named,
        sink: Sink,
        account: Account,
        journal: Journal,
        progress: Progress | None = None,
    ) -> None:
        """Take the sink, as it is set and as it is, how far it has come, where events come from, and what it says."""
        self._named = named
        self._sink = sink
        self._account = account
        self._journal = journal
        self._progress = progress or Progress()
        self._least = SEVERITIES.index(named.severity)
        self._pace = named.pace
        self._due = 0.0
        self._more = asyncio.Event()
        self._page: list[int] = []
        # Held while the sink is at work: a test may come at any time.
        self._at_work = asyncio.Lock()
        self._failing_since: float | None = None
        self._last_error: str | None = None
        self._pause = _FIRST_PAUSE
        self._next_try: float | None = None
        self._try_now = asyncio.Event()
        #: Whether the sink is to be made ready anew, since a test has found that it is not.
        self._unready = False
        #: Up to this number events are sent one by one, since one of them is not fit to be sent; and the one that was.
        self._singly_to = 0
        self._suspect: int | None = None
        #: Up to this number events were sent together and not taken, as far as we know: they come so again.
        self._together_to = 0
        #: What is wrong although the receiver takes events, and since when.
        self._remark: tuple[float, str] | None = None

    def wake(self) -> None:
        """There may be more."""
        self._account.newest = self._journal.last()
        self._more.set()

    @property
    def name(self) -> str:
        """The sink's name."""
        return self._named.name

    @property
    def cursor(self) -> int:
        """The number of the last event that is done with."""
        return self._account.cursor

    def state(self) -> SinkState:
        """Return how it fares."""
        account = self._account
        since, error = self._failing_since, self._last_error
        if since is None and self._remark is not None:
            since, error = self._remark
        return SinkState(
            name=self._named.name,
            type=self._named.type,
            delivered=account.delivered,
            waiting=max(self._journal.last() - account.cursor, 0),
            lost=account.lost,
            refused=account.refused,
            failing_since=since,
            last_error=error,
            next_try=self._next_try,
            reached=self._progress.reached_at,
        )

    async def run(self) -> None:
        """Deliver until cancelled, whatever the sink does; nothing but a lack of memory ends it."""
        try:
            while True:
                try:
                    await self._start()
                    await self._bring()
                except Exception as error:  # a sink's mistake is its own failure, and no other's
                    if lacks_memory(error):
                        raise MemoryError from error
                    await self._wait(error)
        finally:
            with contextlib.suppress(Exception):
                await self._sink.close()

    async def test(self) -> str | None:
        """Have the sink deliver what says that it is a test; return what went wrong, None if nothing did."""
        is_ready = False
        try:
            async with asyncio.timeout(trial.PATIENCE), self._at_work:
                await self._sink.start()
                is_ready = True
                remark = await self._sink.send((trial.event(self._named.severity),))
        except TimeoutError:
            return self._untaken(f"no answer within {trial.PATIENCE:.0f} s", is_ready=is_ready)
        except Exception as error:
            if lacks_memory(error):
                raise
            return self._untaken(told(error, PATIENCE), is_ready=is_ready)
        self._progress.reached()
        self._remarked(remark)
        self._try_now.set()
        return remark

    def _untaken(self, problem: str, *, is_ready: bool) -> str:
        """Return what a test has found, once it is told as a failure of the sink: the next event would find the same.

        What does not get ready is tried again and again; whether an event would be taken by now, only one can tell.
        """
        if self._failing_since is None and is_ready:
            self._remarked(f"a test failed: {problem}")
        elif self._failing_since is None:
            self._unready = True
            self._more.set()
        return problem

    async def _start(self) -> None:
        """Make the sink ready; raises what it raises."""
        async with self._at_work, self._progress.work(PATIENCE):
            await self._sink.start()

    async def _bring(self) -> None:
        """Deliver what there is, and what comes, until the sink is not ready any more; raises what went wrong."""
        self._unready = False
        while not self._unready:
            self._more.clear()
            last = self._account.newest = self._journal.last()
            page = await self._events()
            self._page = [each.seq for each in page]
            if page:
                async for part in self._wanted(page):
                    await self._deliver(part)
                await self._advance(page[-1].seq)
                continue
            await self._advance(last)  # the newest ones are gone
            self._recovered()  # it has started, and there is nothing that it does not take
            await self._more.wait()

    async def _events(self) -> list[Event]:
        """Return the events that come next."""
        answer = await self._journal.call(GetEvents(since=self._account.cursor, limit=PAGE))
        return [Event.from_wire(each) for each in answer]

    async def _advance(self, seq: int) -> None:
        """Be done with all events up to a number; those that the journal had forgotten before are counted."""
        before = self._account.cursor
        if seq <= before:
            return
        self._account.cursor = seq
        page = self._page
        missing = seq - before - (bisect_right(page, seq) - bisect_right(page, before))
        if missing <= 0:
            return
        erased = 0
        try:  # whose device was forgotten, because somebody wanted it, is not lost
            answer = await self._journal.call(GetJournal(since=before, last=seq))
            erased = int(answer["erased"])
        finally:
            self._account.lost += max(missing - erased, 0)

    async def _wanted(self, page: Sequence[Event]) -> AsyncIterator[list[Event]]:
        """Return what the sink is to get, as soon as that is known, in as few parts as that allows."""
        presence = self._journal.presence
        read = 0.0 if presence is None else presence.now()
        part: list[Event] = []
        for event in filter(self._is_wanted, page):
            if presence is not None and (left := presence.left(event, read)) > 0:
                if part:
                    yield part
                    part = []
                await asyncio.sleep(left)
            if presence is None or presence.was_alone(event):
                part.append(event)
        if part:
            yield part

    def _is_wanted(self, event: Event) -> bool:
        """Return whether the sink is to get events like this one."""
        is_kind = not self._named.kinds or event.kind in self._named.kinds
        return is_kind and SEVERITIES.index(event.severity) >= self._least

    async def _deliver(self, events: Sequence[Event]) -> None:
        """Send until all are taken or refused; raises what went wrong."""
        while events:
            await asyncio.sleep(self._due - asyncio.get_running_loop().time())
            done = await self._send(self._part(events))
            events = events[done:]
            self._recovered()

    def _part(self, events: Sequence[Event]) -> Sequence[Event]:
        """Return the events that are sent next.

        What was sent comes again as it was, without what happened meanwhile: who has it after all knows it by that.
        """
        if events[0].seq <= self._singly_to:
            return events[:1]
        part = events[: self._pace.at_once]
        if events[0].seq <= self._together_to:
            return [each for each in part if each.seq <= self._together_to]
        return part

    async def _send(self, part: Sequence[Event]) -> int:
        """Send some events; return how many are done with, and raises what went wrong."""
        progress = self._progress
        try:
            async with self._at_work, progress.work(PATIENCE):
                remark = await self._sink.send(part)
        except RefusedError as error:
            return await self._refused(part, max(error.delivered, progress.taken), error)
        except Exception as error:
            if lacks_memory(error):
                raise
            self._together_to = part[-1].seq
            done = max(error.delivered if isinstance(error, SinkError) else 0, progress.taken)
            if done < len(part) and not is_plain(error) and self._is_unfit(part, done):
                return await self._refused(part, done, error)
            if done:
                self._pause = _FIRST_PAUSE
                await self._count(part, done, 0)
            raise
        progress.took(len(part))
        self._remarked(remark)
        await self._count(part, len(part), 0)
        return len(part)

    def _is_unfit(self, part: Sequence[Event], done: int) -> bool:
        """Return whether it is an event's fault that something happened that never should, for the second time.

        Until that is known events are sent one by one.
        """
        self._singly_to = max(self._singly_to, part[-1].seq)
        suspect, self._suspect = self._suspect, part[done].seq
        return len(part) == 1 and suspect == self._suspect

    async def _refused(self, part: Sequence[Event], done: int, error: Exception) -> int:
        """Go on behind an event that the receiver will never take."""
        done = min(done, len(part) - 1)
        self._last_error = told(error, PATIENCE)
        name, seq = self._named.name, part[done].seq
        _LOGGER.warning("Sink %s refuses event %d: %s%s", name, seq, self._last_error, where(error))
        await self._count(part, done, 1)
        return done + 1

    async def _count(self, events: Sequence[Event], done: int, refused: int) -> None:
        """Go on behind what is done with, after the rest that the receiver is to have."""
        self._due = asyncio.get_running_loop().time() + self._pace.every
        self._account.delivered += done
        self._account.refused += refused
        await self._advance(events[done + refused - 1].seq)

    async def _wait(self, error: Exception) -> None:
        """Leave a receiver that failed alone for a while."""
        self._last_error = told(error, PATIENCE)
        if self._failing_since is None:
            self._failing_since = time.time()
            name = self._named.name
            _LOGGER.warning("Sink %s fails: %s%s", name, self._last_error, where(error))
        asked = min((isinstance(error, SinkError) and error.retry_after) or 0.0, _LONGEST_ASKED)
        # Not all at the same moment, where many homes have one receiver.
        pause = max(asked, self._pause) * random.uniform(0.9, 1.1)  # noqa: S311, no secret
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        self._next_try = time.time() + pause
        self._try_now.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._try_now.wait()
        self._next_try = None

    def _recovered(self) -> None:
        """Note that the receiver takes events."""
        self._pause = _FIRST_PAUSE
        if self._failing_since is not None:
            self._failing_since = None
            _LOGGER.warning("Sink %s works again", self._named.name)

    def _remarked(self, said: str | None) -> None:
        """Note what is wrong although the receiver takes events, None if nothing is."""
        before, self._remark = self._remark, None
        if said is not None:
            self._remark = (time.time() if before is None else before[0], said)
        if (before is None) != (said is None):
            _LOGGER.warning("Sink %s: %s", self._named.name, said or "nothing is wrong any more")
