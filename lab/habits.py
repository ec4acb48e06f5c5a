"""What the six devices do all day, as a table, and the schedule that a seed makes of it."""

import heapq
import random
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from itertools import count, takewhile
from typing import Any, Final, Literal

Direction = Literal["upload", "download"]


@dataclass(frozen=True, slots=True)
class Habit:
    """One thing that a device does again and again; sizes are bytes, times seconds."""

    device: str
    name: str
    direction: Direction
    #: Where to, as scheme and name; one of them each time.
    sites: tuple[str, ...]
    size: tuple[int, int]
    every: float
    #: How far from its even pace it may stray, as a share of `every`.
    jitter: float = 0.2
    #: How many requests make one go, such as a page and its pictures.
    requests: tuple[int, int] = (1, 1)
    #: An upload spread over this time; 0 is as fast as it goes.
    duration: float = 0.0
    #: The share of goes over IPv6.
    ipv6: float = 0.3


_PAGES: Final = (
    "https://web.lab.example",
    "https://news.example",
    "https://shop.example",
    "http://news.example",
)

HABITS: Final = (
    # 1.5 Mbit/s without a pause, handed over in pieces
    Habit(
        "camera",
        "stream",
        "upload",
        ("https://storage.vendor.example",),
        (720_000, 780_000),
        4,
        0,
        duration=4,
        ipv6=0.25,
    ),
    Habit(
        "camera", "firmware check", "download", ("http://firmware.vendor.example",), (400, 900), 900
    ),
    # about 5 Mbit/s in bursts: a player fetches a segment and then lives off its buffer
    Habit(
        "tv",
        "film",
        "download",
        ("https://video.example",),
        (3_000_000, 4_500_000),
        6,
        0.1,
        ipv6=0.5,
    ),
    Habit("tv", "viewing report", "upload", ("https://cloud.vendor.example",), (1_000, 3_000), 45),
    Habit(
        "plug",
        "phone home",
        "upload",
        ("https://cloud.vendor.example",),
        (200, 400),
        60,
        0.05,
        ipv6=0.5,
    ),
    Habit(
        "laptop",
        "browsing",
        "download",
        _PAGES,
        (8_000, 300_000),
        15,
        0.9,
        requests=(2, 8),
        ipv6=0.6,
    ),
    Habit(
        "laptop", "mail", "download", ("https://chat.example",), (1_000, 40_000), 60, 0.1, ipv6=0.6
    ),
    Habit("phone", "push", "upload", ("https://push.example",), (80, 300), 25, 0.1, ipv6=0.6),
    Habit("phone", "chat", "upload", ("https://chat.example",), (200, 60_000), 40, 0.9, ipv6=0.6),
    Habit(
        "phone",
        "browsing",
        "download",
        _PAGES,
        (5_000, 150_000),
        35,
        0.9,
        requests=(1, 5),
        ipv6=0.6,
    ),
    Habit("vacuum", "status", "upload", ("https://cloud.vendor.example",), (300, 600), 30, 0.05),
    Habit(
        "vacuum", "map", "upload", ("https://storage.vendor.example",), (200_000, 500_000), 300, 0.4
    ),
)
#: Every habit shows within this time after the start, however seldom it is.
FIRST_SECONDS: Final = 8.0


@dataclass(frozen=True, slots=True)
class Event:
    """One planned go of a habit; `at` is seconds after the start."""

    at: float
    device: str
    habit: str
    direction: Direction
    site: str
    family: Literal[4, 6]
    sizes: tuple[int, ...]
    duration: float

    def as_dict(self) -> dict[str, Any]:
        """Return what goes into JSON."""
        return asdict(self)


def _between(rng: random.Random, low: int, high: int) -> int:
    """Draw from low to high, both included; unlike randint the same in every Python."""
    return low + int(rng.random() * (high - low + 1))


def _events(habit: Habit, seed: int) -> Iterator[Event]:
    """Plan a habit without end, from random numbers of its own that no other habit shifts."""
    rng = random.Random(f"{seed}/{habit.device}/{habit.name}")  # noqa: S311
    first = rng.random() * min(habit.every, FIRST_SECONDS)
    for turn in count():
        stray = habit.jitter * habit.every * (rng.random() - 0.5) if turn else 0.0
        yield Event(
            at=round(first + turn * habit.every + stray, 3),
            device=habit.device,
            habit=habit.name,
            direction=habit.direction,
            site=habit.sites[_between(rng, 0, len(habit.sites) - 1)],
            family=6 if rng.random() < habit.ipv6 else 4,
            sizes=tuple(_between(rng, *habit.size) for _ in range(_between(rng, *habit.requests))),
            duration=habit.duration,
        )


def plan(seed: int, devices: Collection[str]) -> Iterator[Event]:
    """Plan these devices' days without end, in order of time."""
    schedules = [_events(habit, seed) for habit in HABITS if habit.device in devices]
    return heapq.merge(*schedules, key=lambda event: event.at)


def plan_until(seed: int, devices: Collection[str], duration: float) -> Iterator[Event]:
    """Plan the first `duration` seconds."""
    return takewhile(lambda event: event.at < duration, plan(seed, devices))
