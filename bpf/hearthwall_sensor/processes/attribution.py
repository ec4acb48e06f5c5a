"""Brings the programs on processes up, in the order that leaves no moment without rules, and reads what they tell."""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from ..kernel.attachment import detach
from ..kernel.cgroups import Cgroup, CgroupHooks, clear
from ..kernel.libbpf import Program
from ..kernel.pins import Pins
from ..kernel.process_layouts import SOCKET, Record, Socket, read_record, read_sockets
from ..kernel.process_programs import CGROUP_HOOKS, LIFE_TRACEPOINTS
from ..kernel.process_rules import LiveImage, ProcessRules
from ..kernel.process_tables import ProcessTables
from ..kernel.ringbuf import MAX_RECORDS, RingBuffer
from ..kernel.tracing import Attached, Tracepoints
from ..protocol import SensorError
from .image import Image
from .images import Images
from .masking import original

_LOGGER = logging.getLogger(__name__)

#: How the names of links on tracepoints begin, in the folder of links.
_PREFIX: Final = "tracepoint"
#: Every exec wakes the sensor: what comes in a row is read at once, in seconds.
_BREATH: Final = 0.01
#: How often it is looked for images that have gone, in seconds.
_SWEEP: Final = 60.0
#: Readings in a row, of MAX_RECORDS each.
_IN_A_ROW: Final = 8

#: What is lost without a part, by its name: for `status` and `check`.
LOST: Final = {
    "cgroup hooks": "no connection of this host's own processes is seen, and no rule on a process is taken",
    "tracepoints": "processes that end at once stay without a name, and a rule on a program holds from its"
    " second connection on",
}


class Attribution:
    """The programs on processes of one sensor."""

    def __init__(self, pins: Pins, folder: Path, cgroup: Cgroup, tracepoints: Tracepoints) -> None:
        """Open the tables of a generation; raises OSError where it has none."""
        self._pins = pins
        self.folder: Final = folder
        self.cgroup: Final = cgroup
        self.tracepoints: Final = tracepoints
        self.tables: Final = ProcessTables(str(folder))
        self.tables.set(cgroup=cgroup.number, level=cgroup.level, sensor=os.getpid())
        #: Why a part is not there, by its name in LOST.
        self.missing: dict[str, str] = {}
        self._ring: RingBuffer | None = None
        #: Held where they can't be pinned: rules on programs that start later end with the sensor there.
        self._held: list[Attached] = []
        self._has_rules = False
        self._take: Callable[[Record], None] = lambda _: None
        self._sweep: Callable[[], None] = lambda: None
        self._swept = time.monotonic()

    # Attaching

    def attach_lives(self) -> None:
        """Follow which processes there are, and what they become."""
        for name, place in LIFE_TRACEPOINTS.items():
            path = self._pins.links / f"{_PREFIX}-{self.folder.name}-{name}"
            if path.exists():
                continue
            try:
                program: Program = Program.pinned(str(self.folder / name))
                link = self.tracepoints.attach(program.fd, *place)
                program.close()
                if not link.can_be_pinned:
                    self._held.append(link)
                    continue
                link.pin(str(path))
                link.close()
            except (OSError, SensorError) as error:
                self.missing["tracepoints"] = str(error)
        for path in self._pins.links.glob(f"{_PREFIX}-*"):  # of earlier generations
            if not path.name.startswith(f"{_PREFIX}-{self.folder.name}-"):
                detach(path)

    def attach_hooks(self, *, has_rules: bool) -> None:
        """See every connection, and enforce the rules; some hooks are only there while there are rules."""
        programs: dict[str, Program] = {
            name: Program.pinned(str(self.folder / name)) for name in CGROUP_HOOKS
        }
        failed = CgroupHooks(self._pins, self.cgroup).attach(
            programs, lambda name: has_rules or not CGROUP_HOOKS[name].for_rules
        )
        for program in programs.values():
            program.close()
        self._has_rules = has_rules
        if failed:
            self.missing["cgroup hooks"] = "; ".join(
                f"{name}: {reason}" for name, reason in failed.items()
            )

    def follow_rules(self, *, has_rules: bool) -> None:
        """Have the hooks that rules need, or not any more."""
        if has_rules != self._has_rules:
            self.attach_hooks(has_rules=has_rules)

    def enforce(self, rules: ProcessRules, images: Images) -> None:
        """Let rules on programs hold for images whose real paths were found out, and for those that there are."""

        def live() -> Iterator[LiveImage]:
            for pid, process in self.tables.processes().items():
                if process.image:
                    yield _live(images.of(process.image, pid))

        def resolved(image: Image, executable: bytes) -> None:
            try:
                rules.apply(*_live(image)._replace(executable=executable))
            except SensorError as error:
                _LOGGER.warning("No rule holds for %s: %s", image.executable, error.message)

        images.on_resolved = resolved
        images.find_group = self.cgroup.find
        rules.live = live
        self._sweep = rules.forget_images

    # Reading

    def listen(self, take: Callable[[Record], None]) -> None:
        """Hand records on as they come, in a running event loop."""
        self._take = take
        self._ring = RingBuffer(self.tables.map("process_records").fd)
        asyncio.get_running_loop().add_reader(self._ring.fileno(), self._wake)

    def _wake(self) -> None:
        """Read, and then wait a moment."""
        loop = asyncio.get_running_loop()
        if self._ring is not None:
            loop.remove_reader(self._ring.fileno())
            loop.call_later(_BREATH, self._listen_again)
        self.read()

    def _listen_again(self) -> None:
        """Be woken by the next record."""
        if self._ring is not None:
            asyncio.get_running_loop().add_reader(self._ring.fileno(), self._wake)

    def read(self) -> None:
        """Hand on what is there, and no more than others can wait for."""
        for _ in range(_IN_A_ROW):
            found = [] if self._ring is None else self._ring.read()
            for data in found:
                record = read_record(data)
                if record is not None:
                    self._take(record)
            if len(found) < MAX_RECORDS:
                return

    def image(self, pid: int) -> int | None:
        """Return what the kernel says that a process is now."""
        process = self.tables.process(pid)
        return None if process is None else process.image

    def socket(self, cookie: bytes) -> Socket | None:
        """Return a socket that is open, as it is now."""
        value = self.tables.map("sockets").get(cookie)
        return None if value is None else Socket._make(SOCKET.unpack(value))

    def sockets(self) -> list[tuple[bytes, Socket]]:
        """Return the sockets that are connected, by their cookies' bytes."""
        return read_sockets(self.tables.map("sockets"))

    def exchanges(self) -> list[tuple[bytes, Socket]]:
        """Return what sockets that are not connected exchange with each peer, by `struct exchange`."""
        return read_sockets(self.tables.map("exchanges"))

    def sweep(self) -> None:
        """Forget rules on images that nobody has any more; the kernel would keep them."""
        now = time.monotonic()
        if now - self._swept >= _SWEEP:
            self._swept = now
            self._sweep()

    @property
    def ways(self) -> tuple[str, ...]:
        """By what processes are seen: those of LOST that there are."""
        return tuple(each for each in LOST if each not in self.missing)

    def lost(self) -> dict[str, str]:
        """Return what is missing, by its name: what is lost by that, and why."""
        return {name: f"{LOST[name]} ({why})" for name, why in self.missing.items()}

    # Ending

    def stop(self) -> None:
        """End the reading; the kernel goes on enforcing."""
        if self._ring is not None:
            asyncio.get_running_loop().remove_reader(self._ring.fileno())
            self._ring.close()
            self._ring = None
        self.tables.close()


def opened(
    pins: Pins, folder: Path, cgroup: Cgroup | None, tracepoints: Tracepoints
) -> Attribution | None:
    """Open the programs on processes, None where they can't be or shall not be: then none is left from before."""
    if cgroup is not None:
        try:
            return Attribution(pins, folder, cgroup, tracepoints)
        except OSError as error:
            _LOGGER.warning("Processes of this host are not watched: %s", error)
    clear(pins)
    for path in pins.links.glob(f"{_PREFIX}-*"):
        detach(path)
    return None


def _live(image: Image) -> LiveImage:
    """Return an image as rules on programs compare it."""
    (own, *others) = ((original(each.executable), original(each.file)) for each in image.lineage())
    return LiveImage(image.number, *own, tuple(others))
