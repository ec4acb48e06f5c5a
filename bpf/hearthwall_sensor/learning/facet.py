"""One facet of a device's habits, such as the domains that it talks to: what was seen, how often, and what is known.

How likely something new is, is estimated as Good and Turing did for incidences: of what was seen in one unit of time
only there is about as much again to come. A unit is a day where a week is learnt.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

#: What was not seen while a device was learnt becomes known when it was seen in so many units, …
_KNOWN_UNITS: Final = 3
#: … of which the last is so many after the first.
_KNOWN_SPAN: Final = 7
#: Beyond so many units the older half counts half: habits change.
_UNITS: Final = 56
#: Counts and numbers of units stay below, also where a unit is a second.
_MOST: Final = 10**11
#: Longer ones are cut.
_LONGEST: Final = 253
#: Each value is one number: a tuple of these would take three times the memory.
_FIELDS: Final = (("last", 26), ("first", 26), ("units", 16), ("flows", 21), ("known", 1))
#: Where the number has the last minute, and from where on it has the bit for what is known.
_LAST: Final = (1 << _FIELDS[0][1]) - 1
_KNOWN: Final = 1 << sum(bits for _, bits in _FIELDS[:-1])


class Seen(NamedTuple):
    """When and how often a value was seen."""

    last: int
    """In minutes since the epoch."""
    first: int
    units: int
    """In how many units of time."""
    flows: int
    """In how many flows, of what is known at most one a minute."""
    """In how many flows."""
    known: int
    """1 if it is nothing unusual."""

    def pack(self) -> int:
        """Return it as one number; what is too large for its place stays at the largest."""
        number = shift = 0
        for value, (_, bits) in zip(self, _FIELDS, strict=True):
            number |= min(value, (1 << bits) - 1) << shift
            shift += bits
        return number

    @classmethod
    def unpack(cls, number: int) -> "Seen":
        """Read such a number."""
        values = []
        for _, bits in _FIELDS:
            values.append(number & ((1 << bits) - 1))
            number >>= bits
        return cls._make(values)


class Facet:
    """Values that were seen, at most `limit`: of too many the rarest and oldest go."""

    __slots__ = ("_limit", "_values", "newest", "once", "units")

    def __init__(self, limit: int) -> None:
        """Keep so many values."""
        self._limit = limit
        self._values: dict[str, int] = {}
        #: Units of time in which the device was there, and how many values were seen in one only: also those that went.
        self.units = 0
        self.once = 0
        self.newest = -1

    def note(self, value: str, now: float, unit: float, *, learning: bool) -> bool:
        """Take note that a value was seen; return whether that changed more than counts."""
        value = value[:_LONGEST]
        minute, this_unit = max(0, int(now // 60)), int(now // unit)
        packed = self._values.get(value)
        if packed is not None and packed >= _KNOWN and packed & _LAST == minute:
            return False  # once a minute is enough of what is known: most flows repeat what was just done
        self.count_unit(this_unit)
        if packed is None:
            self.once += 1
            self._values[value] = Seen(minute, minute, 1, 1, int(learning)).pack()
            self._make_room()
            return True
        seen = Seen.unpack(packed)
        units = seen.units + (int(seen.last * 60 // unit) < this_unit)
        if seen.units == 1 and units == 2:
            self.once = max(0, self.once - 1)
        lasted = (minute - seen.first) * 60 >= _KNOWN_SPAN * unit
        known = seen.known or learning or (units >= _KNOWN_UNITS and lasted)
        last = max(minute, seen.last)
        after = Seen(last, seen.first, units, seen.flows + 1, int(known))
        self._values[value] = after.pack()
        return after.known != seen.known

    def count_unit(self, unit: int) -> None:
        """Count a unit of time in which the device was there, once."""
        if unit < self.newest - 1:
            self.newest = unit  # the units are longer than they were
        if unit <= self.newest:
            return
        self.newest = unit
        self.units += 1
        if self.units > _UNITS:
            self.units //= 2
            self.once //= 2

    def _make_room(self) -> None:
        """Let go of an eighth if there are too many: those that are not known first, then the rarest and oldest."""
        if len(self._values) > self._limit:
            self.shrink(max(1, self._limit // 8))

    def shrink(self, number: int) -> None:
        """Let go of so many values."""

        def order(value: str) -> tuple[int, int, int]:
            seen = Seen.unpack(self._values[value])
            return seen.known, seen.units, seen.last

        for value in sorted(self._values, key=order)[:number]:
            del self._values[value]

    def accept(self, value: str, now: float) -> None:
        """Make a value known."""
        value = value[:_LONGEST]
        minute = max(0, int(now // 60))
        packed = self._values.get(value)
        seen = Seen(minute, minute, 1, 1, 1) if packed is None else Seen.unpack(packed)
        self._values[value] = seen._replace(known=1).pack()
        self._make_room()

    def doubt(self, value: str) -> None:
        """Make a value one that was seen for the first time when it was seen last."""
        packed = self._values.get(value[:_LONGEST])
        if packed is not None:
            seen = Seen.unpack(packed)
            self.once += seen.units > 1
            again = seen._replace(first=seen.last, units=1, known=0)
            self._values[value[:_LONGEST]] = again.pack()

    def has(self, value: str) -> bool:
        """Return whether a value was seen before, once at least."""
        return value[:_LONGEST] in self._values

    def is_known(self, value: str) -> bool:
        """Return whether a value is nothing unusual."""
        packed = self._values.get(value[:_LONGEST])
        return packed is not None and bool(Seen.unpack(packed).known)

    def surprise(self, value: str, units: int = 0) -> float:
        """Return how surprising it is that this value is new today: minus the logarithm of the chance, to ten.

        `units` is how many units of time there were at least, also if the device was still in most of them.
        """
        return -math.log10(-math.expm1(-self.novelty(value, units)))

    def novelty(self, value: str = "", units: int = 0) -> float:
        """Return how many new values a unit of time brings, by all but this one."""
        packed = self._values.get(value[:_LONGEST])
        own = packed is not None and Seen.unpack(packed).units == 1
        return (max(0, self.once - own) + 0.5) / (max(self.units, units) + 1)

    def __iter__(self) -> Iterator[tuple[str, Seen]]:
        """Yield every value with what was seen of it."""
        return ((value, Seen.unpack(packed)) for value, packed in self._values.items())

    def __len__(self) -> int:
        """Return how many values there are."""
        return len(self._values)

    def join(self, other: "Facet") -> None:
        """Add what was seen of another device that turned out to be this one."""
        for value, seen in other:
            packed = self._values.get(value)
            mine = seen if packed is None else Seen.unpack(packed)
            self._values[value] = Seen(
                max(mine.last, seen.last),
                min(mine.first, seen.first),
                max(mine.units, seen.units),
                mine.flows + (0 if packed is None else seen.flows),
                mine.known | seen.known,
            ).pack()
        self.once = max(self.once, other.once)
        self.units = max(self.units, other.units)
        self.newest = max(self.newest, other.newest)
        if len(self._values) > self._limit:
            self.shrink(len(self._values) - self._limit)

    def to_wire(self) -> dict[str, Any]:
        """Return it for the disk."""
        return {
            "units": self.units,
            "once": self.once,
            "newest": self.newest,
            "values": {value: list(seen) for value, seen in self},
        }

    @classmethod
    def from_wire(cls, wire: Any, limit: int) -> "Facet":
        """Read what to_wire returned; raises ValueError."""
        facet = cls(limit)
        try:
            facet.units, facet.once, facet.newest = (
                _whole(wire[each]) for each in ("units", "once", "newest")
            )
            values: Mapping[Any, Any] = dict(wire["values"].items())
            for value, seen in values.items():
                last, first, units, count, known = map(_whole, seen)
                if not isinstance(value, str) or min(last, first, units, count, known) < 0:
                    raise ValueError(value)
                facet._values[value[:_LONGEST]] = Seen(
                    last, first, units, count, min(known, 1)
                ).pack()
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no facet of a profile: {error!r}") from error
        numbers = (facet.units, facet.once, facet.newest + 1)
        if not all(0 <= each < _MOST for each in numbers):
            raise ValueError("no facet of a profile: less than nothing, or more than there can be")
        if len(facet) > limit:
            facet.shrink(len(facet) - limit)
        return facet


def _whole(value: Any) -> int:
    """Return a whole number; raises TypeError."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(value)
    return value
