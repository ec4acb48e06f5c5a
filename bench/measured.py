"""One replay in a process of its own: what was told, how long it took, how much memory it held."""

import ipaddress
import resource
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Final, NamedTuple

import tomlkit

from bench import streams
from bench.labelled import Labelled
from hearthwall_sensor.capture import detecting
from hearthwall_sensor.capture.circumstances import Circumstances
from hearthwall_sensor.capture.file import opened
from hearthwall_sensor.capture.guessing import guess
from hearthwall_sensor.capture.packet import Damaged, Packet
from hearthwall_sensor.capture.replay import Capture, parse_lan
from hearthwall_sensor.capture.told import tell_of
from hearthwall_sensor.protocol import Device, Event, SensorError

_SECOND: Final = 1_000_000_000
_LINK: Final = "link_type_"
_NOBODY: Final = "00:00:00:00:00:00"
#: Between one capture and the next, in seconds.
_BETWEEN: Final = 10.0


class Task(NamedTuple):
    """What is to be replayed."""

    capture: Labelled
    detects: bool = True
    """False to leave out all that is made of observations."""


class Result(NamedTuple):
    """What came of it."""

    events: tuple[Event, ...] = ()
    """Of the judged time."""
    devices: Mapping[str, tuple[str, ...]] = {}
    """Addresses by MAC."""
    span: tuple[float, float] = (0.0, 0.0)
    """The judged capture's first and last packet, seconds since the epoch."""
    packets: int = 0
    seconds: float = 0.0
    """Of CPU time."""
    resident: int = 0
    """The process's largest memory, bytes."""
    problems: tuple[str, ...] = ()
    failed: int = 0
    """Observations that a detector could not digest."""


def replayed(tasks: Iterable[Task], workers: int) -> Iterator[Result]:
    """Replay each in a process of its own, some at the same time; yield the results in order."""
    left = list(tasks)
    while left:
        done = 0
        try:
            for result in _together(left, workers):
                done += 1
                yield result
        except BrokenProcessPool:
            # Who of those that ran together ended it is not known: the next is tried alone
            yield _alone(left[done])
            done += 1
        left = left[done:]


def _together(tasks: Iterable[Task], workers: int) -> Iterator[Result]:
    """Replay each in a process of its own; raises BrokenProcessPool if one is ended from outside."""
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, max_tasks_per_child=1) as pool:
        yield from pool.map(_replay, tasks)


def _alone(task: Task) -> Result:
    """Replay a capture whose process may be ended, for want of memory say: that is a problem of this capture."""
    try:
        return next(_together([task], 1))
    except BrokenProcessPool:
        what = f"{task.capture.file.name}: the process that replayed it was ended"
        return Result(problems=(what,), failed=1)


def _replay(task: Task) -> Result:
    """Replay; whatever is wrong with a capture is a problem of that capture."""
    problems: list[str] = []
    if not task.detects:
        detecting.CaptureDetection.take = _ignore  # type: ignore[assignment, method-assign]
    span = streams.span(task.capture.file)
    if span is None:
        list(streams.packets(task.capture.file, problems))
        return Result(problems=tuple(problems) or (f"{task.capture.file.name} has no packets",))
    packets, learnt_for = _all_packets(task.capture, span[0], problems)
    try:
        with tempfile.TemporaryDirectory() as folder:
            given = _circumstances(task.capture, learnt_for, Path(folder), problems)
            capture = Capture(given)
            problems += [f"{task.capture.file.name}: {each}" for each in capture.detection.left_out]
            begun = time.process_time()
            capture.read(streams.made(streams.pcapng(packets)))
            taken = time.process_time() - begun
    except (SensorError, Damaged, OSError, ValueError) as error:
        return Result(problems=(*problems, f"{task.capture.file.name}: {error}"))
    except Exception as error:  # noqa: BLE001, a mistake of ours over one capture leaves the others
        what = f"{task.capture.file.name} ended the replay: {type(error).__name__}: {error}"
        return Result(problems=(*problems, what), failed=1)
    counted = capture.learnt().counted + capture.learnt().meter.counted
    problems += [
        f"{task.capture.file.name}: {number} packets are of link type {name.removeprefix(_LINK)}, which is not read"
        for name, number in counted.items()
        if name.startswith(_LINK)
    ]
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    told = tell_of(capture.learnt(), 1)
    first = span[0] / _SECOND
    judged = first + task.capture.judged_after
    return Result(
        tuple(each for each in told.events if (each.last_time or each.time) >= judged),
        {_called(each): tuple(each.addresses) for each in told.devices},
        (first, span[1] / _SECOND),
        told.counted["packets"],
        taken,
        resident,
        tuple(problems),
        told.counted.get("detectors_failed", 0),
    )


def _called(device: Device) -> str:
    """Return a device's MAC, or its address where the link has no MACs."""
    return device.addresses[0] if device.mac == _NOBODY and device.addresses else device.mac


def _ignore(*_: object) -> None:
    """Make nothing of an observation."""


def _all_packets(
    capture: Labelled, begin: int, problems: list[str]
) -> tuple[Iterator[Packet], float | None]:
    """Return the packets of the baseline, moved before the capture's first, and its own; and how long is learnt."""
    own = streams.packets(capture.file, problems)
    spans = [(path, found) for path in capture.baseline if (found := streams.span(path))]
    if not spans:
        return own, capture.learning
    lasting = sum((last - first) / _SECOND + _BETWEEN for _, (first, last) in spans)
    learning = lasting if capture.learning is None else capture.learning
    at = begin - round(max(lasting, learning) * _SECOND)
    pieces = []
    for path, (first, last) in spans:
        pieces.append(streams.shifted(streams.packets(path, problems), at - first))
        at += last - first + round(_BETWEEN * _SECOND)
    return chain(*pieces, own), learning


def _circumstances(
    capture: Labelled, learning: float | None, folder: Path, problems: list[str]
) -> Circumstances:
    """Return what a capture does not tell."""
    home = parse_lan(capture.lan)
    if not home:
        with opened(str(capture.file)) as file:
            home = guess(file)
        problems += [f"{capture.file.name}: {each} is taken for the home" for each in home]
    policy = capture.policy
    if learning is not None:
        policy = _with_learning(policy, learning, folder / "policy.toml")
    return Circumstances(
        home,
        None if policy is None else str(policy),
        tuple(map(str, capture.feeds)),
        tuple(map(str, capture.geo)),
    )


def _with_learning(policy: Path | None, learning: float, path: Path) -> Path:
    """Write a policy that says how long is learnt, unless it says that itself."""
    document = tomlkit.parse(policy.read_text()) if policy is not None else tomlkit.document()
    everybody = document.setdefault("all", tomlkit.table())
    everybody.setdefault("learning", f"{max(1, int(learning))}s")
    path.write_text(tomlkit.dumps(document))
    return path


def same(devices: Mapping[str, tuple[str, ...]], who: str) -> Iterator[str]:
    """Yield all names of a device, by one of them: its MAC and its addresses."""
    own = _plain(who)
    for mac, addresses in devices.items():
        names = (mac, *map(_plain, addresses))
        if own in names:
            yield from names
    yield own


def _plain(text: str) -> str:
    """Return an address as it is usually written."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text.lower()
