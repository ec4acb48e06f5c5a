"""How long what happened is kept."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retention:
    """How long events are kept, how much they may take, and how many there may be: whichever comes first."""

    days: float = 30.0
    bytes: int = 32_000_000
    rows: int = 50_000
