"""The feeds of one sensor: ordered, kept on disk, looked at when due by a child, counted in the kernel."""

import asyncio
import contextlib
import dataclasses
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from .. import files
from ..kernel import held
from ..kernel.layouts import FEED_SLOTS, FLAG_AUDIT, MODES, Counters, Entry
from ..kernel.prefixes import entry_of
from ..kernel.tables import Tables
from ..notation import epoch
from ..protocol import Feed, SensorError
from ..requests import AddFeed
from . import source as sources, state
from .child import gather_in_child
from .domains_file import DamagedError, DomainsFile
from .fetch import TIMEOUT
from .gather import DOMAINS_FILE, copy_path
from .state import State
from .subscription import Subscription, check

_LOGGER = logging.getLogger(__name__)

#: Where feeds are kept, in the state folder.
FEEDS_FOLDER: Final = "feeds"
#: How long an order waits for its list; the answer comes in any case before a client gives up.
_PATIENCE: Final = 8.0
#: How often what the home is made of is compared with what was subtracted.
_LOOK: Final = 60.0
#: What a child may take beside fetching.
_WORK_SECONDS: Final = 120.0
#: What the child tells of a list that it has read.
_READ: Final = (
    "found_format",
    "addresses",
    "domains",
    "invalid",
    "invalid_examples",
    "subtracted",
    "subtracted_examples",
    "updated",
)


class Feeds:
    """All feeds of one sensor; the kernel's lists follow them."""

    def __init__(
        self,
        folder: Path,
        tables: Tables,
        pins: Path,
        protected: Callable[[], Mapping[str, str]],
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """Take the folder that keeps them, the tables, and the folder where these are pinned.

        protected tells what no list may block, as `hygiene.protected` does; on_change is called when
        a listing would differ.
        """
        self._folder = folder
        self._tables = tables
        self._pins = pins
        self._protected = protected
        self._on_change = on_change
        self._state = State()
        self._names: DomainsFile | None = None
        self._orders = asyncio.Lock()
        self._worker: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        #: What the next run of the child is to do, and who waits for it.
        self._wanted: set[str] = set()
        self._reload = False
        self._next_run: asyncio.Event = asyncio.Event()
        self._subtracted: dict[str, str] = {}
        #: Slots whose bits may still be in the tries.
        self._stale: set[int] = set()

    # Coming up and going down

    async def start(self, earlier: Mapping[int, Entry] | None = None) -> None:
        """Put in force what is on disk, without the network; then look at each feed when it is due.

        earlier holds, by slot, the entries of programs that are about to be replaced. Raises SensorError
        only where the folder can't be used: a feed that fails says so in the listing.
        """
        files.private_folder(self._folder)
        self._state = state.read(self._folder)
        taken = {each.slot: each for each in self._state.feeds.values()}
        for slot in range(FEED_SLOTS):
            held = self._tables.list_rule(slot) or (earlier or {}).get(slot)
            feed = taken.get(slot)
            counters = held.counters if feed and held and held.id == feed.id else Counters()
            self._tables.put_list_rule(slot, None if feed is None else _entry(feed, counters))
        if self._state.feeds or self._tables.feeds:
            await self._run(set(), reload=True)
        self._worker = asyncio.create_task(self._work(), name="feeds")
        self._worker.add_done_callback(_say_why)

    async def stop(self) -> None:
        """Look at no feed any more; what is in force stays."""
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        if self._names is not None:
            self._names.close()
            self._names = None

    # Orders

    async def add(self, order: AddFeed) -> Feed:
        """Subscribe to a list, or change a feed; the answer says how the first look at it went, if that was quick.

        Raises SensorError for an order that makes no sense, and then leaves all as it was.
        """
        check(order)
        async with self._orders:
            before = self._state.feeds.get(order.name)
            if before is not None and (before.source, before.format) == (
                order.source,
                order.format,
            ):
                feed = dataclasses.replace(
                    before,
                    action=order.action,
                    interval=order.interval,
                    header_file=order.header_file,
                )
            else:
                feed = Subscription(
                    id=self._state.next_id,
                    slot=self._free_slot() if before is None else before.slot,
                    **dataclasses.asdict(order),
                )
                self._state.next_id += 1
            await self._change(order.name, feed)
            if before is not None:
                held = self._tables.list_rule(feed.slot)
                kept = _entry(feed, held.counters) if held and held.id == feed.id else None
                self._tables.put_list_rule(feed.slot, kept)
        await self._soon({order.name}, reload=before is not None and before.id != feed.id)
        return self.feed(order.name)

    async def remove(self, name: str) -> Feed:
        """End a feed and forget its list; return it as it was."""
        async with self._orders:
            feed = self.feed(name)
            slot = self._state.feeds[name].slot
            await self._change(name, None)
            self._tables.put_list_rule(slot, None)
            self._stale.add(slot)
        await self._soon(set(), reload=True)
        return feed

    async def refresh(self, name: str | None = None) -> list[Feed]:
        """Look at one feed, or all, now; return them, as they are if that takes long."""
        names = {self._find(name).name} if name is not None else set(self._state.feeds)
        await self._soon(names, reload=False)
        return [each for each in self.list() if each.name in names]

    async def _change(self, name: str, feed: Subscription | None) -> None:
        """Set or end a feed in memory and on disk, or, where the disk fails, neither."""
        before = dict(self._state.feeds)
        if feed is None:
            del self._state.feeds[name]
        else:
            self._state.feeds[name] = feed
        try:
            await state.write(self._folder, self._state)
        except SensorError:
            self._state.feeds = before
            raise

    def _free_slot(self) -> int:
        """Return a place that no feed has; raises SensorError `table_full`."""
        taken = {each.slot for each in self._state.feeds.values()} | self._stale
        free = next((slot for slot in range(FEED_SLOTS) if slot not in taken), None)
        if free is None:
            raise SensorError("table_full", f"there are {FEED_SLOTS} feeds: remove one first")
        return free

    def _find(self, name: str) -> Subscription:
        """Return a feed; raises SensorError `not_found`."""
        if name not in self._state.feeds:
            raise SensorError("not_found", f"there is no feed {name[:80]!r}; `feeds` lists them")
        return self._state.feeds[name]

    # What others ask

    def list(self) -> list[Feed]:
        """Return every feed, with what the kernel has counted."""
        return [self.feed(name) for name in sorted(self._state.feeds)]

    def feed(self, name: str) -> Feed:
        """Return one feed; raises SensorError `not_found`."""
        feed = self._find(name)
        entry = self._tables.list_rule(feed.slot)
        counters = entry.counters if entry is not None and entry.id == feed.id else Counters()
        return Feed(
            name=feed.name,
            source=sources.shown(feed.source),
            format=feed.found_format or feed.format,
            action=feed.action,
            interval=feed.interval,
            addresses=feed.addresses,
            domains=feed.domains,
            invalid=feed.invalid,
            subtracted=feed.subtracted,
            subtracted_examples=feed.subtracted_examples,
            updated=feed.updated,
            checked=feed.checked,
            last_error=feed.last_error,
            packets=counters.packets,
            bytes=counters.bytes,
            first_hit=epoch(counters.first_hit or None),
            last_hit=epoch(counters.last_hit or None),
        )

    def name_of(self, slot: int) -> str | None:
        """Return the name of the feed in a slot."""
        return next((each.name for each in self._state.feeds.values() if each.slot == slot), None)

    def in_slots(self, slots: Iterable[int]) -> tuple[Subscription, ...]:
        """Return the feeds in these slots, by slot."""
        wanted = frozenset(slots)
        found = (each for each in self._state.feeds.values() if each.slot in wanted)
        return tuple(sorted(found, key=lambda each: each.slot))

    def entry_of_domain(self, name: str) -> str:
        """Return the entry that names a domain."""
        return name if self._names is None else self._names.entry(name)

    def entry_of_address(self, address: bytes) -> str:
        """Return the entry that holds an address of sixteen bytes."""
        return entry_of(self._tables.map, self._tables.feeds, address)

    def slots(self) -> frozenset[int]:
        """Return the slots that feeds hold."""
        return frozenset(each.slot for each in self._state.feeds.values())

    @property
    def has_domains(self) -> bool:
        """Whether DNS answers must be watched for the feeds' sake."""
        return self._names is not None and len(self._names) > 0

    def match_domain(self, name: str) -> int:
        """Return the slots of the feeds that name a domain, one bit each."""
        return 0 if self._names is None else self._names.match(name)

    # The child

    async def _soon(self, names: set[str], *, reload: bool) -> None:
        """Have the next run of the child do this, and wait for it, but not for long."""
        self._wanted |= names
        self._reload = self._reload or reload
        run = self._next_run
        self._wake.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await run.wait()

    async def _work(self) -> None:
        """Run the child whenever there is something to do: never two at once."""
        while True:
            now = time.time()
            wait = min((each.due(now) for each in self._state.feeds.values()), default=_LOOK)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(wait, _LOOK)):
                    await self._wake.wait()
            async with self._orders:  # an order is whole before the child hears of it
                self._wake.clear()
                now = time.time()
                wanted = {each.name for each in self._state.feeds.values() if each.due(now) <= 0}
                wanted |= self._wanted & set(self._state.feeds)
                moved = bool(self._state.feeds) and dict(self._protected()) != self._subtracted
                run, self._next_run = self._next_run, asyncio.Event()
                reload, self._reload, self._wanted = self._reload or moved, False, set()
            try:
                if wanted or reload:
                    await self._run(wanted, reload=reload)
            finally:
                run.set()

    async def _run(self, wanted: set[str], *, reload: bool) -> None:
        """Run the child once and note how it went; what goes wrong is told in the listing and the log."""
        feeds = list(self._state.feeds.values())
        protected = dict(self._protected())
        stale = set(self._stale)
        job = {
            "folder": str(self._folder),
            "key": self._state.key.hex(),
            "pins": str(self._pins),
            "held": held.descriptors(self._pins),
            "in_force": self._tables.feeds,
            "protected": protected,
            "reload": reload,
            "feeds": [_job(each, wanted=each.name in wanted) for each in feeds],
        }
        try:
            report = await gather_in_child(job, self._switch, _WORK_SECONDS + TIMEOUT * len(wanted))
        except (SensorError, OSError) as error:
            _LOGGER.warning("Reading the feeds failed: %s", error)
            failed = {"error": {"message": str(error)}}
            report = {
                "reloaded": False,
                "feeds": dict.fromkeys((wanted or self._state.feeds), failed),
            }
        if report["reloaded"]:
            self._subtracted = protected
            self._stale -= stale
            self._open_names()
        for feed in feeds:
            current = self._state.feeds.get(feed.name)
            told = report["feeds"].get(feed.name)
            if current is not None and current.id == feed.id and told is not None:
                self._state.feeds[feed.name] = _told(current, told, checked=feed.name in wanted)
        self._clear_copies()
        with contextlib.suppress(SensorError):  # files.write_json's words are in the log already
            await state.write(self._folder, self._state)
        self._on_change()

    def _switch(self, which: int) -> None:
        """Make the programs use a pair of tries; from now on every feed in it counts."""
        self._tables.set_feeds(which)
        for feed in self._state.feeds.values():
            if self._tables.list_rule(feed.slot) is None:
                self._tables.put_list_rule(feed.slot, _entry(feed, Counters()))

    def _open_names(self) -> None:
        """Use the file of names that the child has written."""
        before = self._names
        try:
            self._names = DomainsFile(self._folder / DOMAINS_FILE)
        except (OSError, DamagedError) as error:
            _LOGGER.warning("The feeds' domains can't be read: %s", error)
            return
        if before is not None:
            before.close()

    def _clear_copies(self) -> None:
        """Delete the copies of lists that no feed has any more."""
        kept = {copy_path(self._folder, name).name for name in self._state.feeds}
        for path in self._folder.glob("*.feed*"):
            if path.name.partition(".feed")[0] + ".feed" not in kept:
                path.unlink(missing_ok=True)


def _say_why(worker: asyncio.Task[None]) -> None:
    """Log what ended the worker, which nobody waits for."""
    if not worker.cancelled() and (error := worker.exception()) is not None:
        _LOGGER.error("Feeds are not looked at any more", exc_info=error)


def _entry(feed: Subscription, counters: Counters) -> Entry:
    """Return a feed's rule as the kernel holds it."""
    flags = FLAG_AUDIT if feed.action == "audit" else 0
    return Entry(feed.id, MODES["isolate"], 0, 0, counters, flags=flags)


def _job(feed: Subscription, *, wanted: bool) -> dict[str, Any]:
    """Return what the child has to know of a feed."""
    kept = ("name", "slot", "source", "format", "header_file")
    return {name: getattr(feed, name) for name in kept} | {"wanted": wanted}


def _told(feed: Subscription, told: Mapping[str, Any], *, checked: bool) -> Subscription:
    """Return a feed with what the child has told of it; checked says whether its list was asked for."""
    values: dict[str, Any] = {name: told[name] for name in _READ if name in told}
    for name in ("invalid_examples", "subtracted_examples"):
        values[name] = tuple(values.get(name, getattr(feed, name)))
    error = told["error"]
    if error is not None:
        _LOGGER.warning("Feed %s: %s", feed.name, error["message"])
        values["last_error"] = error["message"]
    if checked:
        values["checked"] = round(time.time(), 3)
        values["failures"] = 0 if error is None else feed.failures + 1
        values["last_error"] = None if error is None else error["message"]
    return dataclasses.replace(feed, **values)
