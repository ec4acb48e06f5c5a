"""Traces: what somebody watches live; and which system calls patterns are told of."""

import asyncio
import logging
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from ..errors import SensorError
from ..kernel.call_layouts import (
    CALLS,
    CHECKS,
    NAMES,
    STATISTICS,
    TRACE,
    TRACES,
    TRACING,
    Call,
    body,
    read_call,
)
from ..kernel.libbpf import Map
from ..kernel.process_layouts import HEAD, Head
from ..kernel.ringbuf import RingBuffer
from ..processes.image import Image
from ..processes.looks import PROC
from ..requests import Trace
from .attaching import Attaching
from .calls import WATCHED
from .lines import Lines
from .traced import Traced
from .transfers import Transfers

_LOGGER = logging.getLogger(__name__)

#: How often records are taken out of the kernel while a trace runs, in seconds; and what is told together.
INTERVAL: Final = 0.1
TOGETHER: Final = 1.0
#: Of so many drawings at a time, between which others have their turn, at most.
_DRAWINGS: Final = 8
#: A pattern is told of the same file or socket of the same image once in so many seconds.
REPEATS: Final = 60.0
#: What can be asked only of some calls.
_ONLY_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "port": ("connect", "accept", "bind", "listen", "send", "recv"),
    "each": ("send", "recv"),
}
_LONGEST_COMM: Final = 15
_LONGEST_PATH: Final = 4096
_MOST: Final = {"pid": 2**22, "uid": 2**32 - 1, "port": 65535}
_ZERO: Final = bytes(4)
#: Where `struct pending_call` has the call, and by whom it is wanted.
_PENDING_CALL: Final = 56
_PENDING_WANTED: Final = 57

Tell = Callable[[Sequence[dict[str, Any]], int], bool]


class _Running:
    """One trace."""

    def __init__(self, request: Trace, tell: Tell) -> None:
        """Take what is asked for, and whom to tell."""
        self.request = request
        self.tell = tell
        self.lines: list[dict[str, Any]] = []
        self.lost = 0

    def is_about(self, image: Image) -> bool:
        """Return whether a process is one that is asked for, by its executable."""
        return self.request.executable in (None, image.executable)

    def take(self, line: Traced) -> None:
        """Take a line, unless it is of another port; one whose ports are not known may be of this one."""
        port, ports = self.request.port, (line.port, line.local_port)
        if port is None or port in ports or ports == (None, None):
            self.lines.append(line.to_wire())

    def flush(self) -> None:
        """Tell what there is; lines that the client can't take now are lost, and it is told how many."""
        if not self.lines and not self.lost:
            return
        if self.tell(self.lines, self.lost):
            self.lost = 0
        else:
            self.lost += len(self.lines)
        self.lines = []


class Tracing:
    """All traces that run."""

    def __init__(self, tables: Callable[[str], Map], attaching: Attaching, lines: Lines) -> None:
        """Take the tables on system calls by name, what attaches programs, and what makes lines."""
        self._table = tables("tracing")
        self._pending = tables("pending_calls")
        self._unwanted = tables("unwanted_images")
        self._statistics = tables("trace_statistics")
        self._ring = RingBuffer(tables("trace_records").fd)
        self._transfers = Transfers(tables("transfers"))
        self._attaching = attaching
        self._lines = lines
        self._slots: dict[int, _Running] = {}
        self._watched: frozenset[str] = frozenset()
        self._task: asyncio.Task[None] | None = None
        self._lost_before = self._lost()
        self._write()  # a sensor that was killed has left its traces

    @property
    def running(self) -> int:
        """How many traces run."""
        return len(self._slots)

    def stage(self) -> None:
        """Have the words of every exec noted, for the records of it."""
        self._attaching.stage()

    def watch(self, calls: Iterable[str]) -> None:
        """Have patterns told of these calls, by the words of observations.Called, and of no others.

        What this kernel can't tell of is left out; raises nothing.
        """
        wanted = frozenset(WATCHED[each] for each in calls if each in WATCHED)
        reached = set(self._watched & wanted)
        for name in self._watched - wanted:
            self._attaching.release(name)
        for name in wanted - self._watched:
            try:
                self._attaching.need(name)
            except SensorError:
                continue
            reached.add(name)
        self._watched = frozenset(reached)
        self._write()

    async def begin(self, request: Trace, tell: Tell) -> Callable[[], None]:
        """Tell of calls from now on; return what ends it. Raises SensorError."""
        check(request)
        if request.pid is not None and not (PROC / str(request.pid)).exists():
            raise SensorError("not_found", f"there is no process {request.pid}")
        await self._attaching.settle(request.call)
        slot = next((each for each in range(TRACES) if each not in self._slots), None)
        if slot is None:
            raise SensorError(
                "table_full", f"{TRACES} traces run already; end one of them with Ctrl-C"
            )
        self._drain_once()  # what is left of an earlier one is nobody's
        if not self._slots:
            self._lost_before = self._lost()
        running = _Running(request, tell)
        self._slots[slot] = running
        self._write()
        try:
            self._attaching.need(request.call)
        except SensorError:
            del self._slots[slot]
            self._write()
            raise
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._run())

        def end() -> None:
            if self._slots.get(slot) is running:
                self._end(slot, running)

        return end

    def close(self) -> None:
        """End all traces and take all programs off."""
        for slot, running in tuple(self._slots.items()):
            self._end(slot, running)
        if self._task is not None:
            self._task.cancel()
        self._attaching.close()
        self._ring.close()

    def _end(self, slot: int, running: _Running) -> None:
        """End one trace, and forget the calls that it waits for."""
        del self._slots[slot]
        self._write()
        is_off = self._attaching.release(running.request.call)
        number, bit = CALLS[running.request.call].number, 1 << slot
        gone = [
            key
            for key, value in self._pending.items()
            if value[_PENDING_WANTED] == bit or (is_off and value[_PENDING_CALL] == number)
        ]
        self._pending.delete_all(gone)
        self._transfers.forget(bit)
        self._unwanted.delete_all(
            list(self._unwanted.keys())
        )  # the others' come back by themselves

    def _write(self) -> None:
        """Tell the kernel what is wanted."""
        traces = b"".join(
            _packed(self._slots[each].request) if each in self._slots else bytes(TRACE.size)
            for each in range(TRACES)
        )
        watched = sum(1 << CALLS[name].number for name in self._watched)
        self._table.put(_ZERO, TRACING.pack(traces, watched, int(REPEATS * 1e9)))

    # Lines

    async def _run(self) -> None:
        """Take what the kernel tells of, as long as there is a trace."""
        loop = asyncio.get_running_loop()
        due = loop.time() + TOGETHER
        while self._slots:
            await asyncio.sleep(INTERVAL)
            try:
                await self._take()
                if loop.time() >= due:
                    due = loop.time() + TOGETHER
                    self._take_transfers()
            except Exception:
                _LOGGER.exception("Lines of a trace could not be made")
            self._count_lost()
            for running in tuple(self._slots.values()):
                running.flush()

    async def _take(self) -> None:
        """Make lines of what there is, and let others have their turn meanwhile."""
        self._lines.begin()
        for _ in range(_DRAWINGS):
            if not self._drain_once():
                return
            await asyncio.sleep(0)

    def _drain_once(self) -> int:
        """Make lines of the oldest records; return how many records there were."""
        records = [each for each in map(_read, self._ring.read()) if each is not None]
        latest = {(head.pid, _descriptor(head, call)): i for i, (head, call) in enumerate(records)}
        for i, (head, call) in enumerate(records):
            wanted = self._wanted_by(head, call)
            if wanted:
                is_last = latest[head.pid, _descriptor(head, call)] == i
                image = self._lines.image(head.image, head.pid, head)
                line = None
                for running in self._about(wanted, image, head.image):
                    line = line or self._lines.call(head, call, image, is_last=is_last)
                    running.take(line)
        return len(records)

    def _wanted_by(self, head: Head, call: Call) -> dict[int, _Running]:
        """Return the traces that a record is for."""
        return {
            slot: each
            for slot, each in self._slots.items()
            if call.wanted >> slot & 1 and each.request.call == NAMES.get(head.call)
        }

    def _about(self, wanted: Mapping[int, _Running], image: Image, number: int) -> list[_Running]:
        """Return the traces that an image is of; the kernel spares the others its calls from now on."""
        others = sum(1 << slot for slot, each in wanted.items() if not each.is_about(image))
        if others and number:
            key = struct.pack("<Q", number)
            known = self._unwanted.get(key) or _ZERO
            mask = int.from_bytes(known, "little") | others
            self._unwanted.put(key, struct.pack("<I", mask))
        return [each for slot, each in wanted.items() if not others >> slot & 1]

    def _take_transfers(self) -> None:
        """Make lines of what was sent and received since."""
        for wanted, peer, transfer in self._transfers.since():
            traces = {
                slot: each
                for slot, each in self._slots.items()
                if wanted >> slot & 1 and each.request.call == NAMES.get(peer.call)
            }
            image = self._lines.image(transfer.image, peer.pid)
            line = None
            for running in self._about(traces, image, transfer.image):
                line = line or self._lines.transfer(peer, transfer)
                running.take(line)

    def _count_lost(self) -> None:
        """Tell every trace of records that found no room: whose they were is not known."""
        lost = self._lost()
        for running in self._slots.values():
            running.lost += lost - self._lost_before
        self._lost_before = lost

    def _lost(self) -> int:
        """Return how many records were lost since the programs were loaded."""
        total = 0
        for number in range(len(STATISTICS)):
            value = self._statistics.get(struct.pack("<I", number)) or b""
            total += sum(each for (each,) in struct.iter_unpack("<Q", value))
        return total


def check(request: Trace) -> None:
    """Raise SensorError for what can't be asked of a trace."""
    for name, calls in _ONLY_OF.items():
        if getattr(request, name) not in (None, False) and request.call not in calls:
            raise SensorError(
                "invalid_message",
                f"{name} means nothing for {request.call}: it is for {', '.join(calls)}",
            )
    for name, most in _MOST.items():
        value = getattr(request, name)
        if value is not None and not 0 <= value <= most:
            raise SensorError("invalid_message", f"{name} is a number from 0 to {most:,}")
    if request.comm is not None and not 0 < len(request.comm.encode()) <= _LONGEST_COMM:
        raise SensorError(
            "invalid_message",
            f"comm is what ps calls a process by, of {_LONGEST_COMM} bytes at most: the rest is never there",
        )
    path = request.executable
    if path is not None and not (path.startswith("/") and len(path) <= _LONGEST_PATH):
        raise SensorError("invalid_message", "executable is a whole path, such as /usr/bin/curl")


def _packed(request: Trace) -> bytes:
    """Return `struct trace`."""
    checks = {
        "pid": request.pid is not None,
        "uid": request.uid is not None,
        "comm": request.comm is not None,
        # What an exec makes of a process is not known before
        "image": request.executable is not None and request.call != "exec",
        "port": request.port is not None and request.call != "accept",
        "failed": request.failed,
        "each": request.each,
    }
    mask = sum(CHECKS[name] for name, is_on in checks.items() if is_on)
    return TRACE.pack(
        request.pid or 0,
        request.uid or 0,
        request.port or 0,
        CALLS[request.call].number,
        mask,
        0,
        (request.comm or "").encode(),
    )


def _read(record: bytes) -> tuple[Head, Call] | None:
    """Read a record; None for one that is damaged."""
    try:
        return Head._make(HEAD.unpack_from(record)), read_call(body(record))
    except struct.error:
        return None


def _descriptor(head: Head, call: Call) -> int:
    """Return which descriptor a call is about: accept's is the new one."""
    return call.result if NAMES.get(head.call) == "accept" else call.fd
