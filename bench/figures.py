"""What every measurement prints: a table for people, or a JSON list."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. `ratio` is measured against the tool named in `against` in the same run; a goal is an upper bound."""

    name: str
    value: float
    unit: str
    goal: float | None
    against: str | None = None
    ratio: float | None = None

    @classmethod
    def median(cls, name: str, samples: Sequence[float], unit: str, goal: float | None) -> Self:
        """Return the median of samples, with their count and range in the name."""
        spread = f"{name} ({len(samples)} times, {min(samples):.1f} to {max(samples):.1f})"
        return cls(spread, round(statistics.median(samples), 2), unit, goal)

    @property
    def met(self) -> bool | None:
        """Whether the goal is met."""
        return None if self.goal is None else self.value <= self.goal


def show(figures: Sequence[Figure], *, as_json: bool) -> str:
    """Return the figures as text."""
    if as_json:
        return json.dumps([asdict(each) | {"met": each.met} for each in figures], indent=1)
    rows = [("figure", "value", "goal", "")]
    for each in figures:
        goal = "" if each.goal is None else f"<= {each.goal:g} {each.unit}"
        verdict = {True: "met", False: "NOT MET", None: ""}[each.met]
        rows.append((each.name, f"{each.value:g} {each.unit}", goal, verdict))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
