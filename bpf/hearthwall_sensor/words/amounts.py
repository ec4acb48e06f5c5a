"""Sizes, rates and times as people read them."""

import time
from typing import Final

_UNITS: Final = ("B", "kB", "MB", "GB", "TB", "PB")
_RATES: Final = ("bit", "kbit", "Mbit", "Gbit", "Tbit")


def size(count: float) -> str:
    """Return bytes with a unit."""
    for unit in _UNITS[:-1]:
        if abs(count) < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} {_UNITS[-1]}"


def rate(count: float) -> str:
    """Return bytes per second as bits per second with a unit."""
    bits = count * 8
    for unit in ("bit/s", "kbit/s", "Mbit/s"):
        if bits < 1000:
            return f"{bits:.0f} {unit}" if unit == "bit/s" else f"{bits:.1f} {unit}"
        bits /= 1000
    return f"{bits:.1f} Gbit/s"


def bits(count: float) -> str:
    """Return bytes per second as bits in at most nine columns, for a column that says "a second"."""
    number = count * 8
    for unit in _RATES[:-1]:
        if number < 999.5:
            whole = unit == "bit" or number >= 99.95
            return f"{number:.0f} {unit}" if whole else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} {_RATES[-1]}"


def ago(when: float | None) -> str:
    """Return how long ago a time was."""
    return "never" if when is None else f"{span(time.time() - when)} ago"


def span(seconds: float) -> str:
    """Return a time span in its two largest units."""
    left = max(0, round(seconds))
    parts: list[str] = []
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        if left >= length or (unit == "s" and not parts):
            parts.append(f"{left // length} {unit}")
            left %= length
    return " ".join(parts[:2])


def moment(when: float) -> str:
    """Return a point in time by the local clock."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(when))
    except (ValueError, OverflowError, OSError):
        return "at a time that never was"
