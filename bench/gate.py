"""The gate side by side with other filters: time per verdict, CPU per dropped packet, loading of lists."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from bench import drop, loading, parts, verdict
from bench.figures import Figure
from bench.rounds import Rounds


class Effort(NamedTuple):
    """How thoroughly to measure: rounds of each group of verdicts and of drops, and swaps of lists."""

    verdict: Rounds
    verdicts: int
    drop: Rounds
    packets: int
    swaps: int


_FULL: Final = Effort(Rounds(9, 60), 2_000_000, Rounds(9, 180), 1_000_000, swaps=9)
_QUICK: Final = Effort(Rounds(3, 6), 1_000_000, Rounds(3, 15), 200_000, swaps=3)

#: The parts of the measurement by name.
PARTS: Final[Mapping[str, Callable[[Path, Effort], list[Figure]]]] = {
    "verdict": lambda folder, effort: verdict.measure(folder, effort.verdict, effort.verdicts),
    "drop": lambda folder, effort: drop.measure(folder, effort.drop, effort.packets),
    "loading": lambda folder, effort: loading.measure(folder, effort.swaps),
}

sys.exit(parts.measure("gate", __doc__, PARTS, _FULL, _QUICK))
