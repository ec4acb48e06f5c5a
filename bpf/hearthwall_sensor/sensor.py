"""The sensor: brings the kernel programs up, counts, follows the network, and takes orders."""

import asyncio
import contextlib
import dataclasses
import logging
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from . import files, privileges
from .changes import Changes
from .devices import Devices
from .kernel import loader, pins
from .kernel.libbpf import Program
from .kernel.pins import Pins
from .kernel.tables import Entry, Tables
from .network import topology
from .network.surroundings import Surroundings
from .network.topology import Network
from .ports import Ports
from .protocol import (
    EXIT_STOPPED,
    EXIT_UNLOADED,
    AddBlock,
    Block,
    Confirm,
    Delta,
    GetBlocks,
    GetDevices,
    GetStatus,
    RemoveBlock,
    Request,
    SensorError,
    Snapshot,
    Unload,
)
from .reports import Reports
from .rules import RULES_FILE, Rule, Rules
from .server import Server
from .settings import Settings
from .store import Store
from .targets import Target
from .unloading import unload

_LOGGER = logging.getLogger(__name__)

_SECOND: Final = 1.0
_STATUS_INTERVAL: Final = 5.0
_SAVE_INTERVAL: Final = 30.0
#: Changes of the network come in flocks; they are read once.
_NETWORK_SETTLES: Final = 0.1


class Sensor:
    """One sensor on one host."""

    _tables: Tables
    _store: Store
    _devices: Devices
    _rules: Rules
    _reports: Reports

    def __init__(self, settings: Settings) -> None:
        """Take the settings; nothing happens before `run`."""
        self._settings = settings
        self._pins = Pins(settings.socket)
        self._ports = Ports(settings.interfaces, self._pins, settings.tc_way)
        self._server = Server(settings.socket, settings.group, self)
        self._state = Path(settings.state_dir)
        self._surroundings = Surroundings(settings.interfaces, settings.home_assistant)
        self._changes = Changes()
        self._wake = asyncio.Event()
        self._stopping = False
        self._rang = False
        self._exit = EXIT_STOPPED
        self._forget = False
        self._last_save = 0.0
        self._next_save = time.monotonic() + _SAVE_INTERVAL
        #: Devices that were evicted and are still on disk.
        self._evicted: set[str] = set()
        #: Attaching happens in threads, one at a time.
        self._attaching = asyncio.Lock()
        #: What goes on beside the ticks, by what it is for: never two of one kind.
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._answers: dict[type[Request], Callable[[Any], Awaitable[Any]]] = {
            GetStatus: self._get_status,
            GetDevices: self._get_devices,
            GetBlocks: self._get_blocks,
            AddBlock: self._add_block,
            Confirm: self._confirm,
            RemoveBlock: self._remove_block,
            Unload: self._unload,
        }

    # Coming up and going down

    async def run(self, on_ready: Callable[[], None]) -> int:
        """Guard the interfaces until a signal or `unload` ends it; return the exit status.

        Raises SensorError.
        """
        seen = await asyncio.to_thread(topology.read)
        self._ports.wanted(seen)  # a mistyped interface leaves no trace
        self._server.claim()
        try:
            await self._start(seen)
            try:
                await self._server.start()
                on_ready()
                await self._watch()
            finally:
                await self._server.stop()
                await self._finish()
            if self._exit == EXIT_UNLOADED:
                unload(self._pins, forget=self._forget)
        finally:
            self._server.release()
        return self._exit

    async def _start(self, seen: Network) -> None:
        """Load what is not loaded yet, restore the rules, then let the programs see packets."""
        pins.mount()
        self._ports.check(seen)
        files.private_folder(self._state)
        self._store = Store(self._state / "devices.db")
        self._devices = Devices(self._store.accounts())
        self._pins.make(self._state)
        earlier = [each for each in self._pins.generations() if each.name != loader.generation()]
        current = self._pins.generation(loader.generation())
        if not self._pins.is_complete(current):
            _LOGGER.info("Compiling the kernel programs")
            done = await loader.load_in_child(str(current))
            _LOGGER.info("Compiled in %s ms, loaded in %s ms", done["compile_ms"], done["load_ms"])
        privileges.drop()
        self._tables = Tables(str(current))
        self._surroundings.follow(seen, self._tables, self._ports.wanted(seen))
        self._rules = Rules(self._state / RULES_FILE, self._tables)
        self._rules.restore(_rules_of(earlier))
        programs = {name: Program.pinned(str(current / name)) for name in loader.PROGRAMS}
        self._ports.attach(programs, seen)
        self._ports.gate(wanted=len(self._rules) > 0)
        self._retire(earlier)
        self._read()
        self._reports = Reports(
            self._tables,
            self._devices,
            self._rules,
            self._ports,
            self._surroundings,
            self._changes,
            self._server,
        )

    def _retire(self, generations: list[Path]) -> None:
        """Take over the last counts of programs that no packet meets any more, and unpin them."""
        for folder in generations:
            with contextlib.suppress(OSError):
                tables = Tables(str(folder))
                self._devices.read(
                    tables.devices(), self._surroundings.own_macs, self._changes.begin()
                )
                tables.close()
            self._pins.remove_generation(folder)
            _LOGGER.info("The programs of an earlier version were replaced")

    async def _finish(self) -> None:
        """Save, and leave the kernel guarding."""
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._read()
        await self._save_or_warn()
        self._store.close()

    async def _watch(self) -> None:
        """Tick until told to stop."""
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, self.stop)
        bell = topology.Bell(self._ring)
        loop.add_reader(bell.fileno(), bell.drain)
        try:
            next_second = next_status = time.monotonic()
            while not self._stopping:
                self._read()
                now = time.monotonic()
                if now >= next_second:
                    next_second = max(next_second + _SECOND, now)
                    self._each_second()
                if now >= next_status:
                    next_status = now + _STATUS_INTERVAL
                    self._changes.status()
                if now >= self._next_save:
                    self._last_save, self._next_save = now, now + _SAVE_INTERVAL
                    self._begin("saving", self._save_or_warn)
                self._server.push()
                until_second = max(next_second - time.monotonic(), 0.0)
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(self._server.interval, until_second)):
                        await self._wake.wait()
        finally:
            loop.remove_reader(bell.fileno())
            bell.close()

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
        """Add the kernel's counters to the devices' totals."""
        counters = self._tables.devices()
        if self._devices.read(counters, self._surroundings.own_macs, self._changes.begin()):
            self._next_save = min(self._next_save, self._last_save + _SECOND)

    def _each_second(self) -> None:
        """Compute rates, read the rules' counters, forget what ended, look who is logged in."""
        self._devices.sample(self._changes.begin())
        for block in self._rules.count():
            self._changes.block(block.id)
        if ended := self._rules.sweep():
            self._rules_changed(ended)
        for account in self._devices.evict(self._surroundings.addresses):
            self._changes.removed(account.mac)
            self._evicted.add(account.mac)
            for port in account.seen:  # else the next look would find it again
                self._tables.delete_device(account.mac, port)
        self._surroundings.look_for_operators(self._tables)

    def _ring(self) -> None:
        """Look at the network anew, and once more if it changes meanwhile."""
        self._rang = True
        self._begin("network", self._follow_network)

    async def _follow_network(self) -> None:
        """Follow what changed: at once, since a new port must not stand open, and then in larger steps."""
        while self._rang:
            self._rang = False
            try:
                seen = await asyncio.to_thread(topology.read)
            except OSError as error:
                _LOGGER.warning("The network can't be read: %s", error)
            else:
                await self._follow(seen)
            await asyncio.sleep(_NETWORK_SETTLES)

    async def _follow(self, seen: Network) -> None:
        """Guard the ports that are there, and take over who is where."""
        async with self._attaching:
            await asyncio.to_thread(self._ports.follow, seen)
        revision = self._changes.begin()
        for mac in self._surroundings.follow(seen, self._tables, self._ports.names()):
            if mac in self._devices.accounts:
                self._devices.accounts[mac].revision = revision
        self._changes.status()

    async def _save_or_warn(self) -> None:
        """Write the devices that changed to disk; what fails is tried again with the next save."""
        accounts = [
            dataclasses.replace(each) for each in self._devices.accounts.values() if not each.saved
        ]
        for each in accounts:
            self._devices.accounts[each.mac].saved = True
        gone = self._evicted - set(self._devices.accounts)
        try:
            await asyncio.to_thread(self._store.save, accounts, gone)
            self._evicted -= gone
        except SensorError as error:
            _LOGGER.warning("%s", error.message)
            for each in accounts:
                if each.mac in self._devices.accounts:
                    self._devices.accounts[each.mac].saved = False

    # Orders

    async def answer(self, request: Request) -> Any:
        """Carry out a client's request; raises SensorError."""
        return await self._answers[type(request)](request)

    async def _get_status(self, _: GetStatus) -> Any:
        """Answer how the sensor fares."""
        return self._reports.status().to_wire()

    async def _get_devices(self, _: GetDevices) -> Any:
        """Answer with the devices as the kernel counts them now."""
        self._read()
        return [each.to_wire() for each in self._reports.devices()]

    async def _get_blocks(self, _: GetBlocks) -> Any:
        """Answer with the rules as the kernel counts them now."""
        return [each.to_wire() for each in self._rules.blocks()]

    async def _add_block(self, order: AddBlock) -> Any:
        """Put a rule in force."""
        rule = await self._rules.add(order, self._guard)
        self._rules_changed([], rule)
        return self._rules.block(rule).to_wire()

    async def _confirm(self, request: Confirm) -> Any:
        """Keep a rule."""
        rule = await self._rules.confirm(request.target)
        self._rules_changed([], rule)
        return self._rules.block(rule).to_wire()

    async def _remove_block(self, request: RemoveBlock) -> Any:
        """End a rule."""
        block = await self._rules.remove(request.target)
        self._rules_changed([block])
        return block.to_wire()

    async def _unload(self, request: Unload) -> Any:
        """End the sensor and leave nothing in the kernel."""
        self._forget = request.forget
        self._exit = EXIT_UNLOADED
        self.stop()
        return {}

    def _guard(self, target: Target, order: AddBlock) -> None:
        """Raise SensorError if an order would cut off what must stay reachable, or makes no sense."""
        self._surroundings.protection.check(target)
        far = target.kind != "mac" and not self._surroundings.is_home(target.value)
        if far and order.mode == "no_internet":
            raise SensorError(
                "invalid_mode",
                f"no_internet is for a device of the home, not for {target.value}: use isolate",
            )

    def _rules_changed(self, ended: list[Block], changed: Rule | None = None) -> None:
        """Tell everyone at once, and put the gate up or down if that is due."""
        revision = self._changes.begin()
        targets = [each.target for each in ended]
        for block in ended:
            self._changes.removed(block.id)
        if changed is not None:
            self._changes.block(changed.id)
            targets.append(changed.target)
        for target in targets:
            if target in self._devices.accounts:
                self._devices.accounts[target].revision = revision
        self._changes.status()
        self._begin("gate", self._gate)
        self._server.push(at_once=True)

    async def _gate(self) -> None:
        """Put the gate up or down, in a thread: a card may take seconds to change its driver's path.

        Until it is up the meter drops in its place.
        """
        wanted = None
        while wanted != (len(self._rules) > 0):
            wanted = len(self._rules) > 0
            async with self._attaching:
                await asyncio.to_thread(self._ports.gate, wanted=wanted)
        self._changes.status()
        self._server.push(at_once=True)

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


def _rules_of(generations: list[Path]) -> dict[Target, Entry]:
    """Return the rules, with their counters, of the programs that are about to be replaced."""
    found: dict[Target, Entry] = {}
    for folder in generations:
        with contextlib.suppress(OSError):  # a table that this version no longer knows
            tables = Tables(str(folder))
            found |= tables.rules()
            tables.close()
    return found
