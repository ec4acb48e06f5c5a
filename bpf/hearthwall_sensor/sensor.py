"""The sensor: brings the kernel programs up, counts, follows the network, and takes orders."""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from . import files, newer, orders, privileges, takeover
from .assembly import Given, assemble
from .changes import Changes
from .flows import keeping
from .flows.samples import Samples
from .journal import Journal
from .kernel import cgroups, loader, tracing
from .kernel.call_layouts import TRACEPOINTS
from .kernel.layouts import SIDES
from .kernel.libbpf import Program
from .kernel.pins import Pins
from .kernel.process_programs import LIFE_TRACEPOINTS
from .kernel.tracing import Tracepoints
from .kernel.units import NETWORK
from .metrics import pseudonyms
from .metrics.exposition import Exposition
from .metrics.view import View
from .names.keeping import NAMES_FILE, Keeping
from .network import topology
from .network.surroundings import Surroundings
from .network.topology import Network
from .orders import Orders
from .own_processes import Tell, required
from .parts import Parts
from .ports import Ports
from .processes import attribution, looks
from .protocol import EXIT_STOPPED, EXIT_UNLOADED, Block, Delta, Role, Snapshot
from .remote import sensor_id
from .remote.remote import Remote
from .reports import Reports
from .requests import Request, Trace
from .rules.rule import Rule
from .server import Server
from .settings import Settings
from .store import Store
from .unloading import unload
from .unpinned import Unpinned

_LOGGER = logging.getLogger(__name__)

_SECOND: Final = 1.0
_STATUS_INTERVAL: Final = 5.0
#: Changes of the network come in flocks; they are read once.
_NETWORK_SETTLES: Final = 0.1
#: The same for interfaces: a new port must not stand open for long.
_LINKS_SETTLE: Final = 0.01


class Sensor:
    """One sensor on one host."""

    _parts: Parts
    _reports: Reports
    _view: View
    _orders: Orders

    def __init__(self, settings: Settings) -> None:
        """Take the settings; nothing happens before `run`."""
        self._settings = settings
        self._pins = Pins(settings.socket)
        self._ports = Ports(
            settings.guarded, self._pins, settings.tc_way, settings.xdp_way, wait=settings.wait
        )
        self._server = Server(settings.socket, settings.group, self)
        self._state = Path(settings.state_dir)
        self._unpinned = Unpinned(self._pins, self._ports, self._state)
        self._surroundings = Surroundings(
            settings.interfaces, settings.home_assistant, settings.dns_servers
        )
        self._changes = Changes()
        self._remote = Remote(settings.endpoint, self._state, self._server)
        self._wake = asyncio.Event()
        self._stopping = False
        self._rang = False
        self._link_rang = asyncio.Event()
        self._samples: Samples | None = None
        self._exit = EXIT_STOPPED
        #: Only without bpffs.
        self._names: Keeping | None = None
        self._forget = False
        #: Attaching happens in threads, one at a time.
        self._attaching = asyncio.Lock()
        #: Called each second, as long as the sensor goes its rounds.
        self.on_second: Callable[[], None] = lambda: None
        #: What goes on beside the ticks, by what it is for: never two of one kind.
        self._tasks: dict[str, asyncio.Task[None]] = {}

    # Coming up and going down

    async def run(self, on_ready: Callable[[], None]) -> int:
        """Guard the interfaces until a signal or `unload` ends it; return the exit status.

        Raises SensorError.
        """
        seen = await asyncio.to_thread(topology.read)
        self._ports.select(seen)  # a mistyped interface leaves no trace, and neither does a cgroup
        self._cgroup = cgroups.chosen(self._settings.cgroup)
        self._server.claim()
        try:
            self._remote.claim()
            await self._start(seen)
            try:
                await self._server.start()
                await self._remote.start()
                if self._parts.sinks is not None:
                    self._parts.sinks.start()
                on_ready()
                await self._watch()
            finally:
                await self._remote.stop()
                await self._server.stop()
                await self._finish()
                looks.end()
            if self._exit == EXIT_UNLOADED:
                unload(self._pins, forget=self._forget)
        finally:
            self._remote.release()
            self._server.release()
        return self._exit

    async def _start(self, seen: Network) -> None:
        """Load what is not loaded yet, restore the rules, then let the programs see packets."""
        files.private_folder(self._state)
        self._unpinned.take_over()
        self._ports.check(seen, alone=self._settings.alone)
        newer.look(
            self._state,
            is_guarded=bool(self._pins.generations() or self._unpinned.left_on(seen)),
        )
        store = Store(self._state / newer.DEVICES_FILE)
        journal = Journal(self._state / newer.EVENTS_FILE, self._settings.retention)
        self._pins.make(self._state)
        tracing.mount()  # which tracepoints there are is part of what is loaded
        earlier = [each for each in self._pins.generations() if each.name != loader.generation()]
        current = self._pins.generation(loader.generation())
        if not self._pins.is_complete(current):
            _LOGGER.info("Loading the kernel programs")
            done = await loader.load_in_child(str(current))
            made = "Found compiled" if done["from_cache"] else "Compiled"
            _LOGGER.info("%s in %s ms, loaded in %s ms", made, done["compile_ms"], done["load_ms"])
            for doubt in done["doubts"]:
                _LOGGER.warning("Compiled programs: %s", doubt)
            if "processes" in done:
                _LOGGER.warning("Processes of this host are not watched: %s", done["processes"])
        tracepoints = Tracepoints()
        tracepoints.read((*LIFE_TRACEPOINTS.values(), *TRACEPOINTS))
        watched = attribution.opened(self._pins, current, self._cgroup, tracepoints)
        await self._remote.prepare(sensor_id.read_or_make(self._state))
        if watched is not None:
            looks.begin()
        privileges.drop()
        parts = self._parts = assemble(
            Given(
                self._settings,
                current,
                store,
                journal,
                self._surroundings,
                self._ports,
                self._changes,
                self._server,
                self._feeds_changed,
                watched,
            )
        )
        self._reports = Reports(parts)
        self._orders = Orders(parts, self._reports, self._rules_changed, self._leave)
        named = pseudonyms.naming(self._settings.metrics_devices, self._state)
        self._view = View(parts, self._reports, named)
        parts.surroundings.follow(seen, parts.tables, self._ports.home(seen))
        self._remote.on_moved = self._protect_clients
        self._remote.protect()
        self._remote.follow(seen, self._settings.interfaces)
        parts.identities.take_neighbours(parts.surroundings.addresses, time.time())
        await takeover.restore(parts, earlier, _indices(seen))
        self._view.begin()
        self._server.metrics.write = Exposition(self._view).text
        self._follow_names()
        takeover.take_names(parts, earlier)
        self._keep_names()
        keeping.take_back(self._state / keeping.FLOWS_FILE, parts.observer)
        programs = {name: Program.pinned(str(current / name)) for name in NETWORK.programs()}
        self._attach(programs, seen)
        if parts.own is not None:
            parts.own.begin(parts.policy.wanted_patterns(), has_rules=parts.rules.are_on_processes)
        self._retire(earlier)
        parts.totals.read()
        parts.watch.begin()

    def _attach(self, programs: Mapping[str, Program], seen: Network) -> None:
        """Let the programs see packets, in place of what is there of an earlier run."""
        self._unpinned.say(programs)
        self._unpinned.note(programs, seen)
        self._ports.attach(dict(programs), seen, self._parts.tables.map("vlans"))
        self._ports.gate(**self._gates())
        self._unpinned.note(programs, seen)

    def _keep_names(self) -> None:
        """Keep the addresses of names on disk where the kernel does not, and begin with those that were kept."""
        if self._pins.are_held:
            self._names = Keeping(self._state / NAMES_FILE, self._parts.domains)
            self._names.take_back()

    def _retire(self, generations: list[Path]) -> None:
        """Take over the last counts of programs that no packet meets any more, and unpin them."""
        for folder in generations:
            with takeover.opened(folder) as tables:
                if tables is not None:
                    self._parts.totals.read_from(tables)
            self._pins.remove_generation(folder)
            _LOGGER.info("The programs of an earlier version were replaced")

    async def _finish(self) -> None:
        """Save, and leave the kernel guarding."""
        if self._parts.sinks is not None:
            await self._parts.sinks.stop()
        await self._parts.feeds.stop()
        await self._parts.responder.stop()
        if (
            "flows" in self._tasks
        ):  # a look may take seconds; what it told is counted when it is told again
            self._tasks["flows"].cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._unpinned.end()
        self._parts.totals.read()
        await self._parts.totals.save(at_end=True)
        await self._parts.journal.write()
        self._parts.journal.close()
        self._parts.store.close()
        if self._names is not None:
            await self._names.write()
        if self._exit != EXIT_UNLOADED:
            flows, answered = self._parts.flows.known(), self._parts.observer.answered
            keeping.keep(self._state / keeping.FLOWS_FILE, flows, answered)

    async def _watch(self) -> None:
        """Tick until told to stop."""
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, self.stop)
        bell = topology.Bell(self._ring)
        loop.add_reader(bell.fileno(), bell.drain)
        self._samples = Samples(self._parts.tables, self._parts.observer)
        own = self._parts.own
        if own is not None:
            own.listen()
        try:
            next_second = next_status = time.monotonic()
            while not self._stopping:
                self._parts.totals.read()
                self._read()  # most of it wakes nobody
                now = time.monotonic()
                if now >= next_second:
                    next_second = max(next_second + _SECOND, now)
                    self._each_second()
                if now >= next_status:
                    next_status = now + _STATUS_INTERVAL
                    self._begin("flows", self._parts.watch.look)
                    self._changes.status()
                if self._parts.totals.is_due():
                    self._begin("saving", self._parts.totals.save)
                self._server.push()
                until_second = max(next_second - time.monotonic(), 0.0)
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(self._server.interval, until_second)):
                        await self._wake.wait()
        finally:
            loop.remove_reader(bell.fileno())
            bell.close()
            self._samples.close()
            self._samples = None
            if own is not None:
                own.stop()

    def stop(self) -> None:
        """End the sensor; the kernel goes on guarding."""
        self._stopping = True
        self._wake.set()

    def hasten(self) -> None:
        """Tick now: somebody wants to be told more often than before."""
        self._wake.set()

    def _begin(self, what: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do something beside the ticks, unless it is being done."""
        task = self._tasks.get(what)
        if task is None or task.done():
            self._tasks[what] = asyncio.ensure_future(work())

    # What happens all the time

    def _read(self) -> None:
        """Take what the kernel has told up to now."""
        if self._samples is not None:
            self._samples.read()
        if self._parts.own is not None:
            self._parts.own.attribution.read()

    def _each_second(self) -> None:
        """Compute rates, read the rules' counters, forget what ended, look who is logged in."""
        parts = self._parts
        parts.devices.sample(self._changes.begin())
        if parts.policy.follow() and parts.own is not None:
            parts.own.follow_policy(parts.policy.wanted_patterns())
        for block in parts.rules.count():
            self._changes.block(block.id)
        if ended := parts.rules.sweep():
            for block in ended:
                parts.journal.note(orders.ended(block, "has ended"))
            self._rules_changed(ended, parts.rules.come_back(ended))
        parts.totals.mark_identified()
        parts.totals.evict({*self._surroundings.addresses, *parts.chosen.spoken_of})
        parts.domains.sweep()
        if self._names is not None and self._names.is_due:
            self._begin("names", self._names.write)
        if parts.own is not None:
            parts.own.attribution.sweep()
            looks.check()
        statistics = parts.tables.statistics()
        parts.floods.look(statistics["dropped_flood"])
        parts.threats.look(statistics["listed"])
        self._surroundings.look_for_operators(parts.tables)
        self._remote.each_second()
        self._begin("ports", self._look_at_ports)
        self._begin("makers", self._orders.mud.follow_devices)
        self._tell_events()
        self.on_second()

    async def _look_at_ports(self) -> None:
        """See to it that the programs are where they should be, whatever others did."""
        async with self._attaching:
            if await asyncio.to_thread(self._ports.look):
                self._changes.status()

    def _ring(self, links: bool) -> None:
        """Look at the network anew, and once more if it changes meanwhile."""
        self._rang = True
        if links:
            self._link_rang.set()
        self._begin("network", self._follow_network)

    async def _follow_network(self) -> None:
        """Follow what changed: at once, since a new port must not stand open, and then in larger steps."""
        while self._rang:
            self._rang = False
            self._link_rang.clear()
            try:
                seen = await asyncio.to_thread(topology.read)
            except OSError as error:
                _LOGGER.warning("The network can't be read: %s", error)
            else:
                await self._follow(seen)
            await asyncio.sleep(_LINKS_SETTLE)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_NETWORK_SETTLES):
                    await self._link_rang.wait()

    async def _follow(self, seen: Network) -> None:
        """Guard the ports that are there, and take over who is where."""
        async with self._attaching:
            await asyncio.to_thread(self._ports.follow, seen)
        parts = self._parts
        parts.rules.interfaces_changed(_indices(seen))
        parts.surroundings.follow(seen, parts.tables, self._ports.home(seen))
        self._remote.follow(seen, self._settings.interfaces)
        parts.identities.take_neighbours(parts.surroundings.addresses, time.time())
        parts.totals.mark_identified()
        self._changes.status()

    def _protect_clients(self, hosts: frozenset[str]) -> None:
        """See to it that no rule cuts off a Home Assistant on another host."""
        self._surroundings.protect_clients(hosts, self._parts.tables)
        self._changes.status()

    def _tell_events(self) -> None:
        """Put what happened on disk, and then tell it."""
        if self._parts.journal.waits:
            self._begin("journal", self._write_events)

    async def _write_events(self) -> None:
        """Put what happened on disk, and then tell it."""
        for event in await self._parts.journal.write():
            self._changes.event(event)
        self._server.push(at_once=True)

    # Orders

    async def answer(self, request: Request) -> Any:
        """Carry out a client's request, knowing what was said up to now; raises SensorError."""
        self._read()
        return await self._orders.answer(request)

    async def trace(self, request: Trace, tell: Tell) -> Callable[[], None]:
        """Tell of system calls from now on; return what ends it. Raises SensorError."""
        return await required(self._parts.own).trace(request, tell)

    def _leave(self, forget: bool) -> None:
        """End the sensor and leave nothing in the kernel."""
        self._forget = forget
        self._exit = EXIT_UNLOADED
        self.stop()

    def _rules_changed(self, ended: list[Block], changed: Iterable[Rule] = ()) -> None:
        """Tell everyone at once, and put the gate up or down if that is due."""
        accounts = self._parts.devices.accounts
        revision = self._changes.begin()
        targets = [each.target for each in ended]
        self._view.rules_ended(ended)
        for block in ended:
            self._changes.removed(block.id)
        for rule in changed:
            self._changes.block(rule.id)
            targets.append(rule.target)
        for target in targets:
            if target in accounts:
                accounts[target].revision = revision
        self._follow_names()
        if self._parts.own is not None:
            self._parts.own.attribution.follow_rules(has_rules=self._parts.rules.are_on_processes)
        self._changes.status()
        self._begin("gate", self._gate)
        self._tell_events()
        self._server.push(at_once=True)

    def _follow_names(self) -> None:
        """Look for the names that rules and feeds are on."""
        rules, feeds = self._parts.rules, self._parts.feeds
        self._parts.domains.set_rules(rules.domain_slots())
        self._parts.domains.set_peers(rules.domain_peers())
        self._parts.domains.set_feeds(
            feeds.match_domain if feeds.has_domains else None, feeds.slots()
        )

    def _feeds_changed(self) -> None:
        """Tell that a feed is not as it was, and look for its names."""
        self._follow_names()
        self._changes.feeds()

    def _gates(self) -> dict[Role, bool]:
        """Return on which side something must be dropped in XDP."""
        parts = self._parts
        return {side: parts.rules.gate_needed(side) or parts.floods.watched(side) for side in SIDES}

    async def _gate(self) -> None:
        """Put the gates up or down, in a thread: a card may take seconds to change its driver's path.

        Until one is up the meter drops in its place.
        """
        done = None
        while done != (wanted := self._gates()):
            async with self._attaching:
                await asyncio.to_thread(self._ports.gate, **wanted)
            done = wanted
        self._changes.status()
        self._server.push(at_once=True)

    @property
    def standing(self) -> str:
        """What is guarded now, and what is waited for, in words."""
        ports = self._ports.report()
        lacks = [each.name for each in ports if each.tc in ("missing", "failed")]
        guarded = [each.name for each in ports if each.name not in lacks]
        parts = (("Guarding", guarded), ("waiting for" if guarded else "Waiting for", lacks))
        return ", ".join(f"{verb} {' '.join(names)}" for verb, names in parts if names)

    # What clients are told

    @property
    def revision(self) -> int:
        """The revision that a snapshot taken now stands for."""
        return self._changes.revision

    def snapshot(self) -> Snapshot:
        """Return everything."""
        return self._reports.snapshot()

    def delta(self, since: int) -> Delta | None:
        """Return what changed after a revision, None for nothing; raises SensorError for too long ago."""
        return self._reports.delta(since)


def _indices(network: Network) -> dict[str, int]:
    """Return the interfaces' indices by their names."""
    return {each.name: each.index for each in network.interfaces.values()}
