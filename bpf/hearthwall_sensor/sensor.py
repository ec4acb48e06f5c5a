"""The sensor: brings the kernel programs up, follows the network, counts, takes orders, and tells."""

import asyncio
import contextlib
import dataclasses
import logging
import os
import resource
import signal
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from . import __version__, files, home, libbpf, loader, network, pins, privileges
from .devices import Devices, describe
from .libbpf import Program
from .network import Network
from .pins import Pins
from .ports import Ports, detach_classifiers
from .protection import Protection, protection
from .protocol import (
    DEFAULT_INTERVAL,
    MAX_SCHEMA,
    AddBlock,
    Block,
    Confirm,
    Delta,
    Device,
    GetBlocks,
    GetDevices,
    GetStatus,
    RemoveBlock,
    Request,
    SensorError,
    Snapshot,
    Status,
    Target,
    Unload,
)
from .rules import Rules
from .server import Server
from .settings import Settings
from .store import Store
from .tables import Entry, Tables

_LOGGER = logging.getLogger(__name__)

EXIT_STOPPED: Final = 0
#: Somebody asked for everything to be taken out of the kernel: a supervisor must not start it again.
EXIT_UNLOADED: Final = 3

_RULES_FILE: Final = "rules.json"
_SECOND: Final = 1.0
_STATUS_INTERVAL: Final = 5.0
_SAVE_INTERVAL: Final = 30.0
#: Changes of the network come in flocks; they are read once.
_NETWORK_SETTLES: Final = 0.1
_MEMORY_OF_REMOVALS: Final = 4096


class Sensor:
    """One sensor on one host."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings; nothing happens before `run`."""
        self._settings = settings
        self._pins = Pins(settings.socket)
        self._ports = Ports(settings.interfaces, self._pins, settings.tc_way)
        self._server = Server(settings.socket, settings.group, self)
        self._state = Path(settings.state_dir)
        self._network = Network()
        self._protection = Protection()
        self._operators: set[str] = set()
        self._addresses: dict[str, list[str]] = {}
        self._devices = Devices()
        self._started = time.monotonic()
        self._stop = asyncio.Event()
        self._exit = EXIT_STOPPED
        self._forget = False
        self._gating: asyncio.Task[None] | None = None
        self._refreshing: asyncio.Task[None] | None = None
        self._saving: asyncio.Task[None] | None = None
        self.revision = 1
        self._block_revisions: dict[int, int] = {}
        self._status_revision = 1
        #: (revision, MAC or rule id) of what went; older than the first of them nobody can be told.
        self._removed: deque[tuple[int, str | int]] = deque(maxlen=_MEMORY_OF_REMOVALS)
        #: Devices that were evicted and are still on disk.
        self._evicted: set[str] = set()
        #: Attaching happens in threads, one at a time.
        self._attaching = asyncio.Lock()

    # Coming up and going down

    async def run(self, on_ready: Callable[[], None]) -> int:
        """Guard the interfaces until a signal or `unload` ends it; return the exit status. Raises SensorError."""
        self._server.claim()
        try:
            await self._start()
            try:
                await self._server.start()
                on_ready()
                await self._watch()
            finally:
                await self._finish()
        finally:
            await self._server.stop()
        if self._exit == EXIT_UNLOADED:
            unload(self._settings, forget=self._forget)
        self._server.release()
        return self._exit

    async def _start(self) -> None:
        """Load what is not loaded yet, restore the rules, then let the programs see packets."""
        files.private_folder(self._state)
        self._store = Store(self._state / "devices.db")
        self._devices = Devices(self._store.accounts())
        pins.mount()
        self._network = await asyncio.to_thread(network.read)
        self._ports.check(self._network)
        self._pins.make()
        earlier = [each for each in self._pins.generations() if each.name != loader.generation()]
        current = self._pins.generation(loader.generation())
        if not current.is_dir():
            _LOGGER.info("Compiling the kernel programs")
            done = await loader.load_in_child(str(current))
            _LOGGER.info("Compiled in %s ms, loaded in %s ms", done["compile_ms"], done["load_ms"])
        privileges.drop()
        self._tables = Tables(str(current))
        self._follow_network()
        self._rules = Rules(self._state / _RULES_FILE, self._tables)
        self._rules.restore(self._earlier_rules(earlier))
        programs: dict[str, Program] = {name: Program.pinned(str(current / name)) for name in loader.PROGRAMS}
        self._ports.attach(programs, self._network)
        self._ports.gate(len(self._rules) > 0)
        self._retire(earlier)
        self._read()

    def _earlier_rules(self, generations: list[Path]) -> dict[Target, Entry]:
        """Return the rules, with their counters, of the programs that are about to be replaced."""
        found: dict[Target, Entry] = {}
        for folder in generations:
            with contextlib.suppress(OSError):  # a table that this version no longer knows
                tables = Tables(str(folder))
                found |= tables.rules()
                tables.close()
        return found

    def _retire(self, generations: list[Path]) -> None:
        """Take over the last counts of programs that no packet meets any more, and unpin them."""
        for folder in generations:
            with contextlib.suppress(OSError):
                tables = Tables(str(folder))
                self._devices.read(tables.devices(), self._own_macs(), self.revision)
                tables.close()
            self._pins.remove_generation(folder)
            _LOGGER.info("The programs of an earlier version were replaced")

    async def _finish(self) -> None:
        """Save, and leave the kernel guarding."""
        for task in (self._gating, self._refreshing, self._saving):
            if task is not None:
                await asyncio.gather(task, return_exceptions=True)
        self._read()
        with contextlib.suppress(SensorError):
            await self._save()
        self._store.close()

    async def _watch(self) -> None:
        """Tick until told to stop."""
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, self._stop.set)
        bell = network.Bell(self._ring)
        loop.add_reader(bell.fileno(), bell.drain)
        try:
            next_second = next_status = next_save = time.monotonic()
            while not self._stop.is_set():
                self._read()
                now = time.monotonic()
                if now >= next_second:
                    next_second = max(next_second + _SECOND, now)
                    self._each_second()
                if now >= next_status:
                    next_status = now + _STATUS_INTERVAL
                    self._status_revision = self._changed()
                if now >= next_save:
                    next_save = now + _SAVE_INTERVAL
                    self._saving = asyncio.create_task(self._save_or_warn(), name="saving")
                self._server.push()
                pause = min(self._server.interval, max(next_second - time.monotonic(), 0.0), DEFAULT_INTERVAL)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._stop.wait()
        finally:
            loop.remove_reader(bell.fileno())
            bell.close()

    def stop(self) -> None:
        """End the sensor; the kernel goes on guarding."""
        self._stop.set()

    # What happens all the time

    def _changed(self) -> int:
        """Begin a new revision and return it."""
        self.revision += 1
        return self.revision

    def _read(self) -> None:
        """Add the kernel's counters to the devices' totals."""
        revision = self.revision + 1
        if self._devices.read(self._tables.devices(), self._own_macs(), revision):
            self.revision = revision

    def _each_second(self) -> None:
        """Compute rates, read the rules' counters, forget what ended, look who is logged in."""
        self._devices.sample(self._changed())
        for block in self._rules.count():
            self._block_revisions[block.id] = self.revision
        ended = self._rules.sweep()
        if ended:
            self._rules_changed(ended)
        for mac in self._devices.evict(self._addresses):
            self._removed.append((self._changed(), mac))
            self._evicted.add(mac)
        operators = network.operators()
        if operators != self._operators:
            self._operators = operators
            self._protect()

    def _ring(self) -> None:
        """Look at the network anew, soon and once."""
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._refresh_network(), name="reading the network")

    async def _refresh_network(self) -> None:
        """Read the network and follow what changed."""
        await asyncio.sleep(_NETWORK_SETTLES)
        try:
            self._network = await asyncio.to_thread(network.read)
        except OSError as error:
            _LOGGER.warning("The network can't be read: %s", error)
            return
        self._follow_network()
        async with self._attaching:
            await asyncio.to_thread(self._ports.follow, self._network)
        self._status_revision = self._changed()

    def _follow_network(self) -> None:
        """Follow the hosts' addresses: whom to protect, what is home, who is who."""
        self._protect()
        self._tables.set_home_networks(self._home_networks())
        addresses = self._network.addresses_by_mac()
        revision = self._changed()
        for mac in set(addresses) | set(self._addresses):
            if addresses.get(mac) != self._addresses.get(mac) and mac in self._devices.accounts:
                self._devices.accounts[mac].revision = revision
        self._addresses = addresses

    def _protect(self) -> None:
        """Give the kernel the never-drop set of the network as it stands."""
        self._protection = protection(self._network, self._settings.home_assistant, self._operators)
        self._tables.set_protected(self._protection.macs, self._protection.addresses)

    def _home_networks(self) -> list[str]:
        """Return the public prefixes on the guarded interfaces: no internet in spite of their look."""
        guarded = {each.index for name in self._settings.interfaces if (each := self._network.by_name(name))}
        guarded |= set(self._ports.names())
        return home.public_networks(prefix for index, prefix in self._network.networks if index in guarded)

    def _own_macs(self) -> set[str]:
        """Return the MACs of this host's interfaces, which are no devices."""
        return {each.mac for each in self._network.interfaces.values() if each.mac is not None}

    async def _save(self) -> None:
        """Write the devices that changed; raises SensorError."""
        accounts = [dataclasses.replace(each) for each in self._devices.accounts.values() if not each.saved]
        for each in accounts:
            self._devices.accounts[each.mac].saved = True
        gone = self._evicted - set(self._devices.accounts)
        try:
            await asyncio.to_thread(self._store.save, accounts, gone)
            self._evicted -= gone
        except SensorError:
            for each in accounts:
                if each.mac in self._devices.accounts:
                    self._devices.accounts[each.mac].saved = False
            raise

    async def _save_or_warn(self) -> None:
        """Write the devices; what fails is tried again with the next save."""
        try:
            await self._save()
        except SensorError as error:
            _LOGGER.warning("%s", error.message)

    # Orders

    async def answer(self, request: Request) -> Any:
        """Carry out a client's request; raises SensorError."""
        match request:
            case GetStatus():
                return self._status().to_wire()
            case GetDevices():
                self._read()
                return [each.to_wire() for each in self._all_devices()]
            case GetBlocks():
                return [each.to_wire() for each in self._rules.blocks()]
            case AddBlock():
                rule = await self._rules.add(request, self._guard)
                self._rules_changed([], rule.id)
                return self._rules.block(rule).to_wire()
            case Confirm():
                rule = await self._rules.confirm(request.target)
                self._rules_changed([], rule.id)
                return self._rules.block(rule).to_wire()
            case RemoveBlock():
                block = await self._rules.remove(request.target)
                self._rules_changed([block.id])
                return block.to_wire()
            case Unload():
                self._unload(forget=request.forget)
                return {}
        raise SensorError("unknown_command")

    def _guard(self, target: Target, order: AddBlock) -> None:
        """Raise SensorError if an order would cut off what must stay reachable, or makes no sense here."""
        self._protection.check(target)
        far = target.kind != "mac" and not home.is_home(target.value, self._home_networks())
        if order.mode == "no_internet" and far:
            raise SensorError("invalid_mode", f"no_internet is for a device of the home, not for {target.value}: use isolate")

    def _rules_changed(self, ended: list[int], changed: int | None = None) -> None:
        """Tell everyone at once, and put the gate up or down if that is due."""
        revision = self._changed()
        for identity in ended:
            self._removed.append((revision, identity))
            self._block_revisions.pop(identity, None)
        if changed is not None:
            self._block_revisions[changed] = revision
        for block in self._rules.blocks():
            if block.kind == "mac" and (block.id == changed) and block.target in self._devices.accounts:
                self._devices.accounts[block.target].revision = revision
        if ended:  # whose rule it was is no longer known here: all devices are told their rule
            for account in self._devices.accounts.values():
                account.revision = revision
        self._status_revision = revision
        if self._gating is None or self._gating.done():
            self._gating = asyncio.create_task(self._gate(), name="putting the gate up or down")
        self._server.push(at_once=True)

    async def _gate(self) -> None:
        """Put the gate up or down, in a thread: a network card may take seconds to change its driver's path."""
        wanted = None
        while wanted != (len(self._rules) > 0):
            wanted = len(self._rules) > 0
            async with self._attaching:
                await asyncio.to_thread(self._ports.gate, wanted)
        self._status_revision = self._changed()
        self._server.push(at_once=True)

    def _unload(self, *, forget: bool) -> None:
        """End the sensor and leave nothing in the kernel."""
        self._forget = forget
        self._exit = EXIT_UNLOADED
        self._stop.set()

    # What clients are told

    def _status(self) -> Status:
        """Return how the sensor fares."""
        statistics = self._tables.statistics()
        present = len(self._devices.accounts)
        return Status(
            pid=os.getpid(),
            version=__version__,
            schema=MAX_SCHEMA,
            interfaces=self._ports.report(),
            capabilities=(self._ports.way, *sorted(privileges.KEPT.values())),
            rules=len(self._rules),
            devices=present,
            clients=self._server.clients,
            uptime_s=round(time.monotonic() - self._started, 3),
            resident_bytes=_resident_bytes(),
            dropped={name: count for name, count in statistics.items() if name.startswith("dropped_")},
            lost={
                "devices_refused": statistics["devices_refused"],
                "devices_evicted": self._devices.evicted,
                "clients_disconnected": self._server.disconnected,
            },
            protected=self._protection.report(),
        )

    def _describe(self, mac: str) -> Device:
        """Return a device as the protocol tells it."""
        account = self._devices.accounts[mac]
        interface = self._ports.names().get(account.interface or 0)
        return describe(account, self._addresses.get(mac, ()), interface, self._rules.on_device(mac))

    def _all_devices(self) -> tuple[Device, ...]:
        """Return every device, the one that was seen first at the head."""
        accounts = sorted(self._devices.accounts.values(), key=lambda each: (each.first_seen, each.mac))
        return tuple(self._describe(each.mac) for each in accounts)

    def snapshot(self) -> Snapshot:
        """Return everything."""
        return Snapshot(0, self._status(), self._all_devices(), tuple(self._rules.blocks()))

    def delta(self, since: int) -> Delta | None:
        """Return what changed after a revision; raises SensorError if the removals since then are forgotten."""
        if len(self._removed) == _MEMORY_OF_REMOVALS and self._removed[0][0] > since:
            raise SensorError("internal", "too much has gone since then")
        removed = [what for revision, what in self._removed if revision > since]
        changed_blocks = {identity for identity, revision in self._block_revisions.items() if revision > since}
        blocks: tuple[Block, ...] = ()
        if changed_blocks:
            blocks = tuple(each for each in self._rules.blocks() if each.id in changed_blocks)
        delta = Delta(
            seq=0,
            status=self._status() if self._status_revision > since else None,
            devices=tuple(
                self._describe(mac) for mac, each in self._devices.accounts.items() if each.revision > since
            ),
            removed_devices=tuple(each for each in removed if isinstance(each, str)),
            blocks=blocks,
            removed_blocks=tuple(each for each in removed if isinstance(each, int)),
        )
        return None if delta == Delta(seq=0) else delta


def unload(settings: Settings, *, forget: bool) -> dict[str, Any]:
    """Take all that a sensor left out of the kernel, without the sensor; return what was done."""
    own = Pins(settings.socket)
    pins.mount()
    filters = detach_classifiers(own, network.read())
    attachments = filters + own.remove()
    if forget:
        rules = Path(settings.state_dir) / _RULES_FILE
        for path in (rules, files.previous(rules)):
            path.unlink(missing_ok=True)
    return {"attachments": attachments, "forgotten": forget}


def _resident_bytes() -> int:
    """Return this process's resident memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


async def main(settings: Settings, *, supervised: bool) -> int:
    """Run a sensor; when supervised, say READY on standard output and end when standard input does."""
    privileges.require_root("run")
    libbpf.silence()
    sensor = Sensor(settings)

    def ready() -> None:
        _LOGGER.info("Guarding %s, listening on %s", ", ".join(settings.interfaces), settings.socket)
        if supervised:
            print("READY", flush=True)
            os.set_blocking(sys.stdin.fileno(), False)
            asyncio.get_running_loop().add_reader(sys.stdin.fileno(), _end_with_input, sensor)

    return await sensor.run(ready)


def _end_with_input(sensor: Sensor) -> None:
    """End the sensor when whoever started it has gone."""
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        sensor.stop()
