"""The journal: what happened, numbered, and on disk before anyone is told."""

import asyncio
import json
import logging
import sqlite3
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Final

from .habits import Acceptance
from .journal_file import JournalFile, Pending, Written
from .kinds import KINDS, SEVERITIES
from .notice import Notice, whose
from .protocol import Event, SensorError
from .rations import Rations
from .repeats import AHEAD, LONGEST, MAX_EVENTS as REMEMBERED, Repeats
from .requests import MAX_EVENTS, GetEvents
from .retention import Retention
from .targets import parse_mac

_LOGGER = logging.getLogger(__name__)

#: Events that may wait for a slow or full disk.
_MAX_WAITING: Final = 1000
#: Events of one kind and severity in a minute, from all devices together and from one: what a stranger can
#: cause must not push out all else.
_MOST_OF_A_KIND: Final = 30
_MOST_OF_A_DEVICE: Final = 6
#: Beside those, in a minute: first events of a kind in an hour, each of another device that has been here for long.
#: Whoever invents devices uses up what all have together, but not this.
_MOST_FIRST: Final = 90
_FIRST_WITHIN: Final = 3600.0
#: How often a count that grows is put on disk (seconds) while nothing new happens; who asks is told the true one.
_COUNTS_INTERVAL: Final = 10.0
#: Nothing is repeated after so many seconds without it.
_LONGEST_QUIET: Final = max(kind.quiet for kind in KINDS.values())


class Journal:
    """One sensor's journal."""

    def __init__(self, path: Path, retention: Retention = Retention()) -> None:  # noqa: B008, it is frozen
        """Open or make the journal; raises SensorError `storage_failed`."""
        self._file = JournalFile(path, retention)
        #: What tells this journal from one that began anew.
        self.identity = self._file.identity
        #: Whether a damaged file was set aside.
        self.was_damaged = self._file.was_damaged
        # Held while what waits is written or forgotten.
        self._writing = asyncio.Lock()
        self._waiting: deque[Pending] = deque()
        #: Provisional, negative numbers of those that wait.
        self._provisional = count(-1, -1)
        self._unnumbered: dict[int, Pending] = {}
        #: How often events on disk happened again since then, by number.
        self._again: dict[int, Pending] = {}
        self._counts_due = 0.0
        self._failed = False
        self._repeats = Repeats()
        self._of_kind, self._of_device = Rations(_MOST_OF_A_KIND), Rations(_MOST_OF_A_DEVICE)
        self._first_of_kind = Rations(_MOST_FIRST)
        self._first_of_device = Rations(1, _FIRST_WITHIN)
        #: The newest event's number.
        self.last = self._file.last
        #: Events that found no room while the disk did not take any.
        self.lost = 0
        #: Events that were too many of their kind in a minute.
        self.suppressed = 0
        #: Events that were told since the sensor started, by kind and severity.
        self.told: Counter[tuple[str, str]] = Counter()
        #: Returns the MAC that stands for a device.
        self.primary: Callable[[str], str] = lambda mac: mac
        #: Returns whether a device has been here for long, so that it isn't just invented.
        self.is_settled: Callable[[str], bool] = lambda _: True
        self._remember(time.time())

    def _remember(self, now: float) -> None:
        """Go on counting with the events that were told lately."""
        earlier = self._file.recent(now - LONGEST, now - _LONGEST_QUIET, REMEMBERED)
        for seq, when, notice in earlier:
            is_known = notice.kind in KINDS and notice.severity in SEVERITIES
            if is_known and when <= now + AHEAD:
                self._repeats.told(notice, when, seq)

    # What happens

    def note(self, notice: Notice) -> None:
        """Take an event, or count it with the one that it repeats; `write` puts it on disk."""
        if notice.mac is not None:
            notice = replace(notice, mac=self.primary(notice.mac))
        when = round(time.time() if notice.time is None else notice.time, 3)
        if self._is_repeated(notice, when):
            return
        if self._is_too_much(notice):
            self.suppressed += 1
            return
        if len(self._waiting) >= _MAX_WAITING:
            self.lost += 1
            return
        number, pending = next(self._provisional), Pending(notice, when)
        self._waiting.append(pending)
        self._unnumbered[number] = pending
        self._repeats.told(notice, when, number)

    def _is_repeated(self, notice: Notice, when: float) -> bool:
        """Return whether a notice tells of an event that was told, and count it there."""
        if KINDS[notice.kind].quiet <= 0:
            return False
        seq = self._repeats.seen(notice, when)
        if seq is None:
            return False
        if seq > 0:
            self._count(seq, notice, when)
            return True
        pending = self._unnumbered.get(seq)
        if pending is None:  # it was forgotten before it was written
            return False
        pending.again(when)
        return True

    def _count(self, seq: int, notice: Notice, when: float) -> None:
        """Count an event on disk once more."""
        more = self._again.get(seq)
        if more is None:
            self._again[seq] = Pending(notice, when)
        else:
            more.again(when)

    def _is_too_much(self, notice: Notice) -> bool:
        """Return whether there were as many in the last minute as there may be; else count this one."""
        if KINDS[notice.kind].by_rules:
            return False
        now = time.monotonic()
        sort = (notice.kind, notice.severity)
        of_device = (*sort, notice.who)
        if self._of_device.are_used_up(of_device, now):
            return True
        if not self._is_first(notice, now):
            if self._of_kind.are_used_up(sort, now):
                return True
            self._of_kind.use(sort, now)
        self._of_device.use(of_device, now)
        return False

    def _is_first(self, notice: Notice, now: float) -> bool:
        """Return whether it is the first of its kind of a settled device in an hour, and count it so."""
        if notice.mac is None or not self.is_settled(notice.mac):
            return False
        sort = (notice.kind, notice.severity)
        of_device = (*sort, notice.mac)
        if self._first_of_kind.are_used_up(sort, now) or self._first_of_device.are_used_up(
            of_device, now
        ):
            return False
        self._first_of_kind.use(sort, now)
        self._first_of_device.use(of_device, now)
        return True

    def tell_again(self, what: Acceptance) -> None:
        """Tell anew what was accepted when it happens again, however lately it was told."""
        mac = None if what.mac is None else self.primary(what.mac)
        self._repeats.end(what.kind, whose(mac, what.process, what.address), what.subject)

    # On disk

    @property
    def waits(self) -> bool:
        """Whether there is something to write, or to look for what is too old."""
        counts = bool(self._again) and time.monotonic() >= self._counts_due
        return bool(self._waiting) or counts or self._file.is_due

    async def write(self) -> list[Event]:
        """Put what waits on disk and return what is new, numbered; what fails goes on waiting."""
        async with self._writing:
            return await self._write_waiting()

    async def _write_waiting(self) -> list[Event]:
        """Put what waits on disk."""
        fresh = [replace(each) for each in self._waiting]
        again, self._again = self._again, {}
        try:
            written = await asyncio.to_thread(self._file.write, fresh, again)
        except sqlite3.Error as error:
            if not self._failed:
                _LOGGER.warning("Events can't be written and wait: %s", error)
            self._failed = True
            self._take_back(again)
            return []
        self._failed = False
        self._counts_due = time.monotonic() + _COUNTS_INTERVAL
        self._number(written, again)
        events = [*written.revived.values(), *(each for each in written.fresh if each is not None)]
        self.last = events[-1].seq if events else self.last
        self.told.update((each.kind, each.severity) for each in events)
        return events

    def _take_back(self, again: dict[int, Pending]) -> None:
        """Let counts that could not be written wait, with what came meanwhile."""
        for seq, more in self._again.items():
            if seq in again:
                again[seq].count += more.count
                again[seq].last_time = more.last_time or more.time
            else:
                again[seq] = more
        self._again = again

    def _number(self, written: Written, again: dict[int, Pending]) -> None:
        """Go on counting with what is on disk now."""
        self.lost += written.lost
        for event in written.fresh:
            pending = self._waiting.popleft()
            number = next(
                iter(self._unnumbered)
            )  # those that wait are in one order with their numbers
            del self._unnumbered[number]
            if event is None:
                continue
            self._repeats.number(pending.notice, number, event.seq)
            if pending.count > event.count:  # it happened while it was written
                when = pending.last_time or pending.time
                self._again[event.seq] = Pending(pending.notice, when, pending.count - event.count)
        for earlier, event in written.revived.items():
            self._repeats.number(again[earlier].notice, earlier, event.seq)

    async def forget(self, macs: Collection[str]) -> None:
        """Leave no event of these devices, on disk either; raises SensorError `storage_failed`."""
        async with self._writing:
            try:
                await asyncio.to_thread(self._file.erase, macs)
            except sqlite3.Error as error:
                raise SensorError("storage_failed", f"events can't be erased: {error}") from error
            self._unnumbered = {
                number: each
                for number, each in self._unnumbered.items()
                if not _names(each.notice, macs)
            }
            self._waiting = deque(self._unnumbered.values())
            self._again = {
                seq: each for seq, each in self._again.items() if not _names(each.notice, macs)
            }
            self._repeats.forget(frozenset(macs))

    # What is asked

    async def select(
        self, asked: GetEvents, macs: Callable[[str], Iterable[str]] = lambda mac: (mac,)
    ) -> list[Event]:
        """Return the events that are asked for, by number; raises SensorError.

        `macs` returns all MACs of a device by any of them.
        """
        if not 0 <= asked.since < 2**63 or not 0 < asked.limit <= MAX_EVENTS:
            raise SensorError(
                "invalid_message", f"since is a number of an event, limit 1 to {MAX_EVENTS}"
            )
        if unknown := set(asked.kinds) - set(KINDS):
            raise SensorError("invalid_message", f"no event is a {min(unknown)[:40]!r}")
        wanted = sorted({each for mac in asked.devices for each in macs(parse_mac(mac))})
        # Thousands of rows take a small computer a while.
        found = await asyncio.to_thread(self._file.select, asked, wanted)
        return [self._counted(event) for event in found]

    async def erased(self, since: int, last: int) -> int:
        """Return how many events were erased after one number, up to another one; raises SensorError."""
        if not 0 <= since < 2**63 or not 0 <= last < 2**63:
            raise SensorError("invalid_message", "since and last are numbers of events")
        return await asyncio.to_thread(self._file.erased, since, last)

    async def event(self, seq: int) -> Event | None:
        """Return the event with a number, None where there is none."""
        if not 0 < seq < 2**63:
            return None
        # A thread may hold the file for long while it writes.
        event = await asyncio.to_thread(self._file.event, seq)
        return None if event is None else self._counted(event)

    def _counted(self, event: Event) -> Event:
        """Return an event with what was counted since it was written."""
        more = self._again.get(event.seq)
        if more is None:
            return event
        return replace(
            event,
            count=event.count + more.count,
            last_time=max(more.last_time or more.time, event.last_time or event.time),
        )

    def close(self) -> None:
        """Close the journal."""
        self._file.close()


def _names(notice: Notice, macs: Iterable[str]) -> bool:
    """Return whether an event is about one of these devices or names it."""
    told = (
        f"{notice.mac} {notice.subject} {notice.summary} {json.dumps(notice.evidence, default=str)}"
    )
    return any(mac in told for mac in macs)
