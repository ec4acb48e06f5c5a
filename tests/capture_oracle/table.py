"""Shows a comparison: a table for people, a document for programs."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.capture_oracle.comparison import CHECKS, Row
from tests.capture_oracle.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Compared:
    """All comparisons of one capture."""

    capture: Path
    rows: tuple[Row, ...]
    evidence: Evidence
    counted: Mapping[str, int]

    @property
    def differences(self) -> list[Row]:
        """What does not agree."""
        return [row for row in self.rows if not row.agrees]

    def summary(self) -> dict[str, tuple[int, int]]:
        """Return how many agree and differ, by check."""
        agreed = Counter(row.check for row in self.rows if row.agrees)
        differ = Counter(row.check for row in self.differences)
        return {check: (agreed[check], differ[check]) for check in CHECKS}

    def left_out(self) -> dict[str, int]:
        """Return what tshark has and nothing is compared with, by reason."""
        found = dict(self.evidence.traffic.left_out + self.evidence.names.left_out)
        if count := self.evidence.answers.left_out:
            found["DNS messages with another purpose than one question"] = count
        return found


def as_dict(version: str, compared: Iterable[Compared]) -> dict[str, Any]:
    """Return what goes into JSON."""
    return {
        "tshark": version,
        "files": [
            {
                "file": str(each.capture),
                "checks": {
                    check: {"agreed": agreed, "different": different}
                    for check, (agreed, different) in each.summary().items()
                },
                "differences": [
                    {
                        "check": row.check,
                        "subject": row.subject,
                        "tshark": row.tshark,
                        "replay": row.replay,
                    }
                    for row in each.differences
                ],
                "not_compared": each.left_out(),
                "counted_by_replay": dict(each.counted),
            }
            for each in compared
        ],
    }


def show(compared: Compared, *, verbose: bool) -> None:
    """Print the table of one capture."""
    print(f"\n{compared.capture}")
    print(f"  {'':32}{'agree':>8}{'differ':>8}")
    for check, (agreed, different) in compared.summary().items():
        print(f"  {check:32}{agreed:>8}{different or '-':>8}")
    for reason, count in compared.left_out().items():
        print(f"  not compared: {count} of: {reason}")
    counted = ", ".join(f"{name} {count}" for name, count in compared.counted.items())
    print(f"  replay counted: {counted or 'nothing'}")
    for row in compared.rows if verbose else compared.differences:
        mark = " " if row.agrees else "≠"
        print(f"{mark} {row.check}: {row.subject}")
        print(f"      tshark {row.tshark}")
        print(f"      replay {row.replay}")
