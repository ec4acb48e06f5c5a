"""What every measurement prints: a table for people, or a JSON list."""

import json
import os
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final, Literal, Self

_SIGN: Final = {"at most": "<=", "at least": ">="}


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. `ratio` is measured against the tool named in `against` in the same run.

    The goal bounds the ratio where there is one, and else the value.
    """

    name: str
    value: float
    unit: str
    goal: float | None = None
    against: str | None = None
    ratio: float | None = None
    bound: Literal["at most", "at least"] = "at most"

    @classmethod
    def median(cls, name: str, samples: Sequence[float], unit: str, goal: float | None) -> Self:
        """Return the median of samples, with their count and range in the name."""
        spread = f"{name} ({len(samples)} times, {min(samples):.1f} to {max(samples):.1f})"
        return cls(spread, round(statistics.median(samples), 2), unit, goal)

    @property
    def met(self) -> bool | None:
        """Whether the goal is met."""
        if self.goal is None:
            return None
        judged = self.value if self.ratio is None else self.ratio
        return judged <= self.goal if self.bound == "at most" else judged >= self.goal

    @property
    def goal_text(self) -> str:
        """The goal as a person reads it."""
        if self.goal is None:
            return ""
        unit = self.unit if self.ratio is None else "x"
        return f"{_SIGN[self.bound]} {self.goal:g} {unit}"


def show(figures: Sequence[Figure], *, as_json: bool) -> str:
    """Return the figures as text."""
    if as_json:
        return json.dumps([asdict(each) | {"met": each.met} for each in figures], indent=1)
    rows = [("figure", "value", "against", "goal", "")]
    for each in figures:
        ratio = "" if each.ratio is None else f"{each.ratio:.2f} x {each.against}"
        verdict = {True: "met", False: "NOT MET", None: ""}[each.met]
        value = f"{each.value:g} {each.unit}"
        rows.append((each.name, value, ratio, each.goal_text, verdict))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def load(when: str) -> Figure:
    """Return how busy the machine is: figures taken beside other work say so."""
    return Figure(f"machine's load {when}", round(os.getloadavg()[0], 2), "processes")
