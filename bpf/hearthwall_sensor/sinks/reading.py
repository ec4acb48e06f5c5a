"""The sinks that the settings' file names, read whole before anything begins."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast

from ..kinds import KINDS as EVENT_KINDS, SEVERITIES, Severity
from ..protocol import MAX_SINKS, SensorError
from .kinds import KINDS, Where
from .sink import Pace, Sink, SinkContext
from .table import Table

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}")

When = Literal["always", "home_assistant_away"]
WHEN: Final = ("always", "home_assistant_away")


@dataclass(frozen=True, slots=True)
class Named:
    """One sink as it is set: which events it gets, and what makes it."""

    name: str
    type: str
    severity: Severity
    kinds: frozenset[str]
    """Empty for all."""
    when: When
    options: Any
    table: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What the settings say, for the process that delivers: it must not find others than were read at the start."""

    @property
    def pace(self) -> Pace:
        """How many events it gets at once, and how often."""
        return KINDS[self.type].pace(self.options)

    @property
    def where(self) -> Where:
        """Where its receiver is."""
        return KINDS[self.type].where

    def make(self, context: SinkContext) -> Sink:
        """Return the sink."""
        return KINDS[self.type].make(self.options, context)


def read(tables: object, above: Collection[str] = ()) -> tuple[Named, ...]:
    """Return the sinks of `[[sink]]`; raises SensorError `invalid_message`, which says what to write.

    `above` are the settings that belong above the first of them: TOML takes what stands below for a sink's.
    """
    if not isinstance(tables, Sequence) or isinstance(tables, str | bytes):
        raise SensorError("invalid_message", "sinks are tables: begin each with [[sink]]")
    if len(tables) > MAX_SINKS:
        raise SensorError("invalid_message", f"there are at most {MAX_SINKS} sinks")
    sinks = tuple(_read(each, above) for each in tables)
    names = [each.name for each in sinks]
    if twice := [each for each in names if names.count(each) > 1]:
        raise SensorError("invalid_message", f"two sinks have the name {twice[0]!r}")
    return sinks


def _read(values: object, above: Collection[str]) -> Named:
    """Return one sink."""
    if not isinstance(values, Mapping):
        raise SensorError("invalid_message", "sinks are tables: begin each with [[sink]]")
    name = values.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise SensorError(
            "invalid_message", "each sink has a name of 1 to 32 letters, digits and dashes"
        )
    table = Table(name, values)
    table.text("name")
    kind = KINDS[table.choice("type", tuple(KINDS))]
    severity = table.choice("severity", SEVERITIES, kind.severity)
    kinds = table.words("kinds")
    if unknown := set(kinds) - set(EVENT_KINDS):
        table.fail(f"no event is a {min(unknown)[:40]!r}; there are {', '.join(EVENT_KINDS)}")
    when = table.choice("when", WHEN, "always")
    options = kind.read(table)
    table.done(above)
    return Named(
        name,
        str(values["type"]),
        cast(Severity, severity),
        frozenset(kinds),
        cast(When, when),
        options,
        dict(values),
    )
