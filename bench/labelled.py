"""Captures with labels that somebody brings: what a labels file may say, and what is wrong with one."""

import csv
import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

from hearthwall_sensor.kinds import EventKind

#: An event that is told so long after its end still belongs to it, in seconds, and so long before its beginning.
GRACE: Final = 900.0
SLACK: Final = 30.0
_KINDS: Final = frozenset(get_args(EventKind))
#: Smaller numbers are seconds after the capture's first packet, larger ones seconds since the epoch.
_EPOCH: Final = 1e9
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_NAMES: Final = ("labels.json", "labels.csv")


class LabelError(Exception):
    """A labels file that can't be used."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Something that really happened in a capture."""

    kinds: tuple[str, ...]
    """What it may be called; the first is what it is counted under."""
    who: tuple[str, ...] = ()
    """The device, by MACs and addresses; empty for anybody."""
    start: float = 0.0
    end: float | None = None
    """None for the capture's end."""
    variant: str = ""
    grace: float = GRACE

    def at(self, first: float, last: float) -> "Truth":
        """Return it with times since the epoch, in a capture between these."""
        start = self.start if self.start >= _EPOCH else first + self.start
        end = last if self.end is None else self.end if self.end >= _EPOCH else first + self.end
        return Truth(self.kinds, self.who, start, end, self.variant, self.grace)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A capture, what it needs, and what happened in it."""

    file: Path
    lan: tuple[str, ...] = ()
    baseline: tuple[Path, ...] = ()
    learning: float | None = None
    """Seconds; None for as long as the baseline lasts, or the policy says."""
    policy: Path | None = None
    feeds: tuple[Path, ...] = ()
    geo: tuple[Path, ...] = ()
    events: tuple[Truth, ...] = ()
    judged_after: float = 0.0
    """What is told in the first so many seconds of the file is not judged: it is learnt from."""


def read(folder: Path) -> list[Labelled]:
    """Return the labelled captures of a folder; raises LabelError."""
    for name in _NAMES:
        path = folder / name
        if path.is_file():
            try:
                text = path.read_text(encoding="utf-8-sig")
                return list(
                    _rows(text, folder) if name.endswith("csv") else _document(text, folder)
                )
            except (OSError, ValueError, csv.Error) as error:
                raise LabelError(f"{path}: {error}") from error
    raise LabelError(f"there is neither {' nor '.join(_NAMES)} in {folder}")


def _document(text: str, folder: Path) -> Iterator[Labelled]:
    """Yield what a JSON document says: a list of captures, alone or under `captures`."""
    found = json.loads(text)
    if isinstance(found, dict):
        found = found.get("captures")
    if not isinstance(found, list):
        raise ValueError("a list of captures is expected, alone or under `captures`")  # noqa: TRY004
    for number, each in enumerate(found, 1):
        try:
            yield _capture(each, folder)
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise ValueError(f"capture {number}: {error}") from error


def _capture(said: Mapping[str, Any], folder: Path) -> Labelled:
    """Return what is said of one capture."""
    if not isinstance(said.get("file"), str):
        raise ValueError("`file` is missing")  # noqa: TRY004
    learning = said.get("learning")
    return Labelled(
        file=folder / said["file"],
        lan=tuple(_listed(said.get("lan"))),
        baseline=tuple(folder / each for each in _listed(said.get("baseline"))),
        learning=None if learning is None else seconds(learning),
        policy=folder / said["policy"] if said.get("policy") else None,
        feeds=tuple(folder / each for each in _listed(said.get("feeds"))),
        geo=tuple(folder / each for each in _listed(said.get("geo"))),
        events=tuple(_truth(each) for each in said.get("events") or _one(said)),
        judged_after=seconds(said.get("judged_after") or 0),
    )


def _one(said: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """Return the one event that is said of a capture without a list of its own."""
    return (said,) if said.get("kind") else ()


def _listed(value: Any) -> list[str]:
    """Return texts, of which there may be one, several or none."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else [str(each) for each in value]


def _truth(said: Mapping[str, Any]) -> Truth:
    """Return one label."""
    kinds = tuple(_listed(said.get("kind")))
    unknown = [each for each in kinds if each not in _KINDS]
    if unknown or not kinds:
        raise ValueError(f"{', '.join(unknown) or 'nothing'} is no kind of event")
    who = [*_listed(said.get("mac")), *_listed(said.get("address")), *_listed(said.get("device"))]
    return Truth(
        kinds=kinds,
        who=tuple(each.strip().lower().replace("-", ":") for each in who if each.strip()),
        start=_moment(said.get("start")) or 0.0,
        end=_moment(said.get("end")),
        variant=str(said.get("variant") or said.get("name") or ""),
        grace=seconds(said["grace"]) if said.get("grace") is not None else GRACE,
    )


def _moment(value: Any) -> float | None:
    """Return a time: seconds since the epoch or the capture's beginning, or a date as ISO 8601 writes it (UTC)."""
    if value is None or not str(value).strip():
        return None
    try:
        return float(value)
    except ValueError:
        found = dt.datetime.fromisoformat(str(value).strip())
    if found.tzinfo is None:
        found = found.replace(tzinfo=dt.UTC)
    return found.timestamp()


def seconds(value: Any) -> float:
    """Return a duration: a number of seconds, or one with a unit such as 10m."""
    text = str(value).strip().lower()
    unit = _UNITS.get(text[-1:], 0)
    number = float(text[:-1] if unit else text)
    if not 0 <= number < 1e9:
        raise ValueError(f"{value!r} is no duration")
    return number * (unit or 1)


def _rows(text: str, folder: Path) -> Iterator[Labelled]:
    """Yield what a table says: a line for each event; what is empty in a file's later lines is as in its first."""
    captures: dict[str, dict[str, Any]] = {}
    for row in csv.DictReader(text.splitlines()):
        name = (row.get("file") or "").strip()
        if not name:
            raise ValueError("a line without `file`")
        capture = captures.setdefault(name, {"file": name, "events": []})
        for each in ("lan", "baseline", "feeds", "geo"):
            capture.setdefault(each, (row.get(each) or "").split() or None)
        for each in ("learning", "policy", "judged_after"):
            capture.setdefault(each, (row.get(each) or "").strip() or None)
        if row.get("kind"):
            capture["events"].append({**row, "kind": row["kind"].split("|")})
    yield from (_capture(each, folder) for each in captures.values())


def missing(captures: Iterable[Labelled]) -> list[str]:
    """Return what is named and not there."""
    return [
        f"{path.name} is not there"
        for each in captures
        for path in (
            each.file,
            *each.baseline,
            *filter(None, (each.policy,)),
            *each.feeds,
            *each.geo,
        )
        if not path.is_file()
    ]
