"""What a sink is: a receiver elsewhere, to which events are brought in their order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..protocol import Device, Event
from ..requests import Request


class SinkError(Exception):
    """A receiver took nothing, or not all: what it did not take is sent again."""

    def __init__(
        self, message: str, *, delivered: int = 0, retry_after: float | None = None
    ) -> None:
        """Take what was wrong, in words for people and without secrets.

        `delivered` is how many events were taken, from the first on; `retry_after` how many seconds the receiver
        wants to be left alone.
        """
        super().__init__(message)
        self.delivered = delivered
        self.retry_after = retry_after


class RefusedError(Exception):
    """A receiver will never take one event: the one after those that it took. It is counted and left out."""

    def __init__(self, message: str, *, delivered: int = 0) -> None:
        """Take why, and how many events were taken before it."""
        super().__init__(message)
        self.delivered = delivered


@dataclass(frozen=True, slots=True)
class Pace:
    """How many events a receiver gets at once, and how many seconds lie between two times at least."""

    at_once: int = 100
    every: float = 0.0


class Call(Protocol):
    """What asks the sensor."""

    async def __call__(self, request: Request) -> Any:
        """Send a request and return its result's JSON; raises SensorError."""


def _nobody_asks(*_: object) -> None:
    """Do nothing: no delivery wants to know."""


@dataclass(frozen=True, slots=True)
class SinkContext:
    """What a sink may know of the sensor."""

    name: str
    """The sink's name."""
    sensor_id: str
    state_dir: Path
    call: Call
    devices: Callable[[], Sequence[Device]]
    """Returns all devices as they were told last, with their rates."""
    device_name: Callable[[str], str | None]
    """Returns what people call the device with a MAC, or what it calls itself."""
    device_maker: Callable[[str], str | None]
    """Returns who made the device with a MAC: nobody's name, so it is told as what it is."""
    took: Callable[[int], None] = _nobody_asks
    """Says of how many of the events that are being sent, from the first on, the receiver has taken care by now.

    They are not sent again, whatever comes next, and the delivery is patient for as long again.
    """
    reached: Callable[[], None] = _nobody_asks
    """Says in `start` that the receiver answered, so that people need not wait for an event to know that it can."""


class Sink(Protocol):
    """One receiver. It belongs to one delivery, which calls one method at a time."""

    async def start(self) -> None:
        """Make ready, and try to reach the receiver where that tells it nothing; raises SinkError.

        It is called again after each error: secrets and certificates are read anew then, since somebody may have
        mended them.
        """

    async def send(self, events: Sequence[Event]) -> str | None:
        """Bring all events there: the receiver has them when this returns. Raises SinkError or RefusedError.

        What it returns is wrong all the same, such as a recipient that is refused: that is told until it returns None.
        Any other exception is a mistake of ours or of a library: the events come again one by one, and the one
        with which that happens twice is refused.
        """

    async def close(self) -> None:
        """Let go of everything; never raises for what is broken already."""
