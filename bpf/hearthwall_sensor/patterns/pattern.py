"""A pattern: the steps of an intrusion, in their order, and what is said of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from ..kinds import EventKind, Severity
from .conditions import Test

#: The kinds of events that patterns tell.
PATTERN_KINDS: Final[tuple[EventKind, ...]] = (
    "unexpected_process",
    "suspicious_syscall",
    "exec_and_connect",
)
#: What a step may have in common with an earlier one.
BONDS: Final[Mapping[str, str]] = {
    "file_of": "the file that the earlier step wrote is the one that is executed",
    "process_of": "the same process does it, or one that comes from it",
}


class Bond(NamedTuple):
    """What ties a step to an earlier one."""

    kind: str
    """`file_of` or `process_of`."""
    step: int
    """Which one, from 0."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a process does."""

    sees: type[Any]
    tests: tuple[Test, ...]
    bond: Bond | None = None
    """None for the first step only."""
    stdin: bool = False
    """Whether standard input has to be a connection, at once or a moment later."""
    calls: frozenset[str] = frozenset()
    """The system calls that it asks for."""

    def fits(self, seen: Any) -> bool:
        """Return whether an observation is such a step, as far as it tells itself."""
        return all(test(seen) for test in self.tests)


class Excuse(NamedTuple):
    """What makes a pattern nothing unusual: a step for which all of this holds."""

    step: int
    tests: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """One file's."""

    name: str
    kind: EventKind
    severity: Severity
    says: str
    """The summary, with placeholders."""
    why: str
    steps: tuple[Step, ...]
    technique: str | None = None
    within: float = 600.0
    """From the first step to the last, in seconds."""
    unless: tuple[Excuse, ...] = ()
    learns: str | None = None
    """The facet of the gateway's profile that must not know what the last step tells of."""
    silent: Literal["settling", "learning"] = "learning"
    """For how long it is only learnt: as long as everything is new, or as long as devices are learnt."""
    about: str = ""
    """What an event's subject has behind the pattern's name, with placeholders."""
    blames: Literal["program", "parent"] = "program"
    """Whom the event is about: the program of the last step, or the one that began it."""
    stops: Literal["program", "process"] = "program"
    """What a response stops: the program wherever it runs, or this process and what comes from it."""
