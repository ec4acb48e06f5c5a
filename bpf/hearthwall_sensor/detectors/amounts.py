"""Amounts in events: how far the user's word about one reaches, and how they are written."""

from collections.abc import Mapping
from typing import Any, Final

from ..notice import Notice

#: Who accepts an amount accepts up to so many times as much.
COVERED: Final = 1.5


def covers_amount(accepted: Mapping[str, Any], notice: Notice) -> bool:
    """Return whether the value of an event that was accepted covers that of another one."""
    fine, value = accepted.get("value"), notice.evidence["value"]
    return isinstance(fine, int | float) and value <= COVERED * fine


def megabytes(amount: float) -> str:
    """Return an amount of bytes for a sentence."""
    amount /= 1e6
    return f"{amount:.0f} MB" if amount >= 10 else f"{amount:.2g} MB"


def span(seconds: float) -> str:
    """Return a time for a sentence, such as `8 days`."""
    for name, length in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {name}s"
    return f"{max(1, round(seconds))} seconds"
