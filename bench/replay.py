"""Sends a household's frames from both ends of the way, each visit's flows new ones, at a steady pace."""

import ctypes
import errno
import os
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Final, NamedTuple

from bench.household import FLOWS_PER_VISIT, Visit
from bench.router import Router
from bench.segments import DOWN, UP
from hearthwall_sensor.kernel import attachment

_FIRST_PORT: Final = 1024
_PORTS: Final = 64_000
#: So many batches of visits begin in a second at most: what is faster has more visits at the same time.
_BATCHES: Final = 200
_SETTLED: Final = 0.2
#: Niceness.
_FIRST: Final = -15


class _Piece(ctypes.Structure):
    """`struct iovec`."""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Message(ctypes.Structure):
    """`struct msghdr`."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("pieces", ctypes.POINTER(_Piece)),
        ("pieces_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Header(ctypes.Structure):
    """`struct mmsghdr`."""

    _fields_ = (("message", _Message), ("sent", ctypes.c_uint))


class _Burst:
    """Frames that are sent with one system call."""

    def __init__(self, library: ctypes.CDLL, fd: int, frames: Sequence[bytes]) -> None:
        self._library = library
        self._fd = fd
        self.bytes = bytearray(b"".join(frames))
        self._count = len(frames)
        self._pieces = (_Piece * len(frames))()
        self._headers = (_Header * len(frames))()
        at = ctypes.addressof(ctypes.c_char.from_buffer(self.bytes))
        for piece, header, frame in zip(self._pieces, self._headers, frames, strict=True):
            piece.base, piece.length = at, len(frame)
            header.message.pieces, header.message.pieces_count = ctypes.pointer(piece), 1
            at += len(frame)

    def send(self) -> None:
        """Send all frames; raises OSError."""
        sent = 0
        while sent < self._count:
            rest = ctypes.byref(self._headers, sent * ctypes.sizeof(_Header))
            number = self._library.sendmmsg(self._fd, rest, self._count - sent, 0)
            if number < 0:
                raise OSError(ctypes.get_errno(), errno.errorcode[ctypes.get_errno()])
            sent += number


class _Step(NamedTuple):
    """A burst, and where in it the ports of which flows stand."""

    burst: _Burst
    ports: tuple[tuple[int, int], ...]


class _Batch(NamedTuple):
    """Some visits that happen at the same time, step by step."""

    visits: tuple[Visit, ...]
    steps: tuple[_Step, ...]


class Sent(NamedTuple):
    """What was sent: flows, packets, and the flows a second that it really was."""

    flows: int
    packets: int
    rate: float


class Replay:
    """The generator. It and everything that the kernel does with its frames are on one CPU."""

    def __init__(self, router: Router, thread: ThreadPoolExecutor, fds: tuple[int, int]) -> None:
        self._router = router
        self._thread = thread
        self._fds = fds
        self._library = ctypes.CDLL(None, use_errno=True)
        self._batches: dict[tuple[int, int], list[_Batch]] = {}
        #: How often each batch of visits has been sent, by its first device: the next time has other ports.
        self._times: Counter[str] = Counter()
        self._visits: Counter[Visit] = Counter()

    def begin(self, visits: Sequence[Visit], rate: int, flows: int) -> "Future[Sent]":
        """Begin to send so many flows, so many a second."""
        together = max(1, rate // (_BATCHES * FLOWS_PER_VISIT))
        key = id(visits), together
        if key not in self._batches:
            self._batches[key] = [
                self._batch(visits[at : at + together]) for at in range(0, len(visits), together)
            ]
        number = -(-flows // (together * FLOWS_PER_VISIT))
        return self._thread.submit(self._send, self._batches[key], number, rate)

    def send(self, visits: Sequence[Visit], rate: int, flows: int) -> Sent:
        """Send so many flows, so many a second; raises OSError if one of the frames did not get through."""
        before = self._router.reference.arrived()
        sent = self.begin(visits, rate, flows).result()
        time.sleep(_SETTLED)
        arrived = self._router.reference.arrived() - before
        if arrived != sent.packets:
            raise OSError(f"{arrived} of {sent.packets} packets were forwarded")
        return sent

    def amounts(self) -> dict[str, tuple[int, int, int, int]]:
        """Return what each device has sent and got since the last call: upload bytes, packets, download the same."""
        found: dict[str, tuple[int, int, int, int]] = {}
        for visit, times in self._visits.items():
            each = (*visit.amount(UP), *visit.amount(DOWN))
            before = found.get(visit.mac, (0, 0, 0, 0))
            found[visit.mac] = tuple(  # type: ignore[assignment]
                old + times * new for old, new in zip(before, each, strict=True)
            )
        self._visits.clear()
        return found

    def _batch(self, visits: Sequence[Visit]) -> _Batch:
        """Put the frames of some visits together, step by step."""
        steps = []
        last = max(each.segment.step for visit in visits for each in visit.spoken)
        for number in range(last + 1):
            for direction in (UP, DOWN):
                spoken = [
                    each
                    for visit in visits
                    for each in visit.spoken
                    if (each.segment.step, each.segment.direction) == (number, direction)
                ]
                if not spoken:
                    continue
                burst = _Burst(
                    self._library, self._fds[direction], [each.segment.frame for each in spoken]
                )
                ports, at = [], 0
                for each in spoken:
                    ports.append((at + each.segment.port_at, each.flow))
                    at += len(each.segment.frame)
                steps.append(_Step(burst, tuple(ports)))
        return _Batch(tuple(visits), tuple(steps))

    def _send(self, batches: Sequence[_Batch], number: int, rate: int) -> Sent:
        """Send in the generator's thread, the steps evenly spread over the time."""
        begun, at, flows, packets = time.monotonic(), 0.0, 0, 0
        for which in range(number):
            batch = batches[which % len(batches)]
            own = len(batch.visits) * FLOWS_PER_VISIT
            pause = own / rate / len(batch.steps)
            ports = self._ports(batch)
            for burst, places in batch.steps:
                for place, flow in places:
                    burst.bytes[place : place + 2] = ports[flow]
                late = begun + at - time.monotonic()
                if late > 0:
                    time.sleep(late)
                burst.send()
                at += pause
                packets += len(places)
            self._visits.update(batch.visits)
            flows += own
        return Sent(flows, packets, flows / (time.monotonic() - begun))

    def _ports(self, batch: _Batch) -> list[bytes]:
        """Return the ports of a batch's flows, which none of its devices has had for long."""
        first = max(self._times[each.mac] for each in batch.visits)
        for each in batch.visits:
            self._times[each.mac] = first + FLOWS_PER_VISIT
        return [
            struct.pack(">H", _FIRST_PORT + (first + flow) % _PORTS)
            for flow in range(FLOWS_PER_VISIT)
        ]


@contextmanager
def generator(router: Router) -> Iterator[Replay]:
    """Give a generator; what it sends is dropped at the far ends."""
    sink, ingress = router.reference.programs["sink"], attachment.ATTACH_TCX_INGRESS
    with ExitStack() as stack:
        for host, interface in ((router.device, "out"), (router.server, "in")):
            stack.enter_context(router.classifier(sink, ingress, host, interface))
        fds = tuple(
            stack.enter_context(host.inside(partial(_socket, name))).fileno()
            for host, name in ((router.device, "out"), (router.server, "in"))
        )
        thread = stack.enter_context(ThreadPoolExecutor(1, initializer=_go_first))
        yield Replay(router, thread, (fds[0], fds[1]))


def _go_first() -> None:
    """Have the calling thread stay on one CPU, and wait for no process there: packets come when they come."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _FIRST)


def _socket(interface: str) -> socket.socket:
    """Return a socket that sends whole frames and gets none."""
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    made.bind((interface, 0))
    return made
