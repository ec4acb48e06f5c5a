"""What a person sees: numbered steps with the seconds so far, going on where the shell's ended."""

import sys
import time
from dataclasses import dataclass


@dataclass(slots=True)
class Progress:
    """Counts steps; `began` is when the whole command was started, in seconds since 1970."""

    done: int
    total: int
    began: float

    def step(self, label: str) -> None:
        """Begin the next step."""
        self.done += 1
        self._write(f"[{self.done}/{self.total} {time.time() - self.began:4.0f} s] {label}")

    def say(self, line: str = "") -> None:
        """Add a line to the step."""
        self._write(f"            {line}".rstrip())

    def _write(self, line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
