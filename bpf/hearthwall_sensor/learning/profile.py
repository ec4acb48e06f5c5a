"""A device's profile: whom it talks to and how much it moves, learnt in bounded memory."""

from dataclasses import dataclass


@dataclass(slots=True)
class Profile:
    """What was learnt of one device."""

    who: str
    since: float
    """When learning began, seconds since the epoch."""
    frozen: bool = False

    def is_learning(self, now: float, period: float) -> bool:
        """Return whether the device is still too new to be judged by its habits."""
        return now - self.since < period
