"""What one family of metrics is: how it is told, and where its values come from."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from ..devices import Account, Scopes
from ..modes import Mode
from ..protocol import Feed, Status

#: Seen from the device, in the order of its counters.
WAYS: Final = ("upload", "download")

#: The values of a family's labels, and what was measured.
Sample = tuple[tuple[str, ...], float]


@dataclass(frozen=True, slots=True)
class PerDevice:
    """One device, as metrics name it, with the accounts of its MACs."""

    name: str
    accounts: Sequence[Account]
    mode: Mode | None
    """Of the rule on all of its traffic."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What the sensor knows at the moment of a scrape."""

    status: Status
    feeds: Sequence[Feed]
    moved: Scopes
    hits: Mapping[Mode, tuple[int, int]]
    lost: Mapping[str, int]
    rules: Mapping[Mode, int]
    restricted: Mapping[Mode, int]
    events: Mapping[tuple[str, str], int]
    online: int
    cpu_seconds: float
    started: float
    """Seconds since the epoch."""
    devices: Sequence[PerDevice]
    left_out: int
    """Devices that metrics would name, but for which there is no room."""


@dataclass(frozen=True, slots=True)
class Family:
    """One family of metrics."""

    name: str
    """Without the ending that its type has: `_total` of a counter, `_info` of an info."""
    type: Literal["counter", "gauge", "info"]
    help: str
    read: Callable[[Scene], Iterable[Sample]]
    series: int
    """How many there are at most."""
    labels: tuple[str, ...] = ()
    unit: str = ""

    @property
    def told(self) -> str:
        """The name that its samples have."""
        return self.name + {"counter": "_total", "gauge": "", "info": "_info"}[self.type]


#: The values of all families at one moment.
Measured = Sequence[tuple[Family, Sequence[Sample]]]


def one(value: Callable[[Scene], float]) -> Callable[[Scene], Iterable[Sample]]:
    """Return what reads a family that has no labels."""
    return lambda scene: (((), value(scene)),)


def by(values: Callable[[Scene], Mapping[Any, float]]) -> Callable[[Scene], Iterable[Sample]]:
    """Return what reads a family whose one label is a mapping's key."""
    return lambda scene: (((key,), value) for key, value in values(scene).items())
