"""Captures with labels that somebody brings: what a labels file may say, and what is wrong with one."""

import csv
import datetime as dt
import ipaddress
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

from hearthwall_sensor.kinds import EventKind
from hearthwall_sensor.nearest import did_you_mean

#: An event that is told so long after its end still belongs to it, in seconds, and so long before its beginning.
GRACE: Final = 900.0
SLACK: Final = 30.0
_KINDS: Final = frozenset(get_args(EventKind))
#: Smaller numbers are seconds after the capture's first packet, larger ones seconds since the epoch.
_EPOCH: Final = 1e9
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
#: The year 2262: no capture has later packets.
_LATEST: Final = 2**63 / 1e9
_NAMES: Final = ("labels.json", "labels.csv")
_CAPTURES: Final = frozenset((".pcap", ".pcapng", ".cap", ".dmp"))
#: All that a labels file may say.
_KEYS: Final = frozenset(
    (
        *("file", "lan", "baseline", "learning", "policy", "feeds", "geo", "judged_after"),
        *("events", "kind", "mac", "address", "device", "start", "end", "grace", "variant", "name"),
    )
)


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


def read(folder: Path, notes: list[str] | None = None) -> list[Labelled]:
    """Return the labelled captures of a folder; raises LabelError, which names every mistake with its line.

    `notes` gets what is odd and no mistake: what is not read, and captures that have no label.
    """
    notes = [] if notes is None else notes
    for name in _NAMES:
        path = folder / name
        if path.is_file():
            found = _read(path, notes)
            named = {each.name for one in found for each in (one.file, *one.baseline)}
            notes += [
                f"{each.name} has no label in {name} and is not judged"
                for each in sorted(folder.iterdir())
                if each.suffix in _CAPTURES and each.is_file() and each.name not in named
            ]
            return found
    raise LabelError(f"there is neither {' nor '.join(_NAMES)} in {folder}")


def _read(path: Path, notes: list[str]) -> list[Labelled]:
    """Return what a labels file says."""
    mistakes: list[str] = []
    entries = _rows if path.suffix == ".csv" else _document
    found = []
    try:
        for line, said in entries(path.read_text(encoding="utf-8-sig"), mistakes, notes):
            try:
                found.append(_capture(said, path.parent))
            except (TypeError, KeyError, AttributeError, ValueError, OverflowError) as error:
                mistakes.append(f"line {line}: {error}")
    except json.JSONDecodeError as error:
        mistakes.append(f"line {error.lineno}: {error.msg}")
    except (OSError, ValueError, csv.Error, RecursionError) as error:
        mistakes.append(str(error))
    if mistakes:
        raise LabelError("\n".join(f"{path}: {each}" for each in mistakes))
    return found


def _document(text: str, mistakes: list[str], notes: list[str]) -> Iterator[tuple[int, Any]]:
    """Yield what a JSON document says: a list of captures, alone or under `captures`; with the line of each."""
    found = json.loads(text)
    if isinstance(found, dict):
        found = found.get("captures")
    if not isinstance(found, list):
        raise ValueError("a list of captures is expected, alone or under `captures`")  # noqa: TRY004
    for number, each in enumerate(found, 1):
        if not isinstance(each, dict):
            mistakes.append(f"capture {number} is no object but {json.dumps(each)[:40]}")
            continue
        events = each.get("events") or []
        known = each.keys() | {key for one in events if isinstance(one, dict) for key in one}
        notes += [f"{each.get('file')}: {_unread('key', key)}" for key in sorted(known - _KEYS)]
        name = json.dumps(each.get("file"), ensure_ascii=False)
        yield text.count("\n", 0, max(0, text.find(name))) + 1, each


def _unread(what: str, name: str) -> str:
    """Return that a key or a column means nothing here."""
    return f"the {what} {name[:40]!r} is not read{did_you_mean(name, _KEYS)}"


def _capture(said: Mapping[str, Any], folder: Path) -> Labelled:
    """Return what is said of one capture."""
    if not isinstance(said.get("file"), str):
        raise ValueError("`file` is missing")  # noqa: TRY004
    learning = said.get("learning")
    lan = tuple(_listed(said.get("lan")))
    for each in lan:
        ipaddress.ip_network(each, strict=False)
    return Labelled(
        file=folder / said["file"],
        lan=lan,
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
        meant = did_you_mean(unknown[0], _KINDS) if unknown else ""
        raise ValueError(f"{', '.join(unknown) or 'nothing'} is no kind of event{meant}")
    who = [*_listed(said.get("mac")), *_listed(said.get("address")), *_listed(said.get("device"))]
    start, end = _moment(said.get("start")) or 0.0, _moment(said.get("end"))
    if end is not None and end < start and (end < _EPOCH) is (start < _EPOCH):
        raise ValueError(f"it ends ({said.get('end')}) before it begins ({said.get('start')})")
    return Truth(
        kinds=kinds,
        who=tuple(map(_device, filter(str.strip, who))),
        start=start,
        end=end,
        variant=str(said.get("variant") or said.get("name") or ""),
        grace=seconds(said["grace"]) if said.get("grace") is not None else GRACE,
    )


def _device(text: str) -> str:
    """Return a MAC or an address as it is compared; raises ValueError."""
    text = text.strip().lower()
    mac = re.sub(r"[-.:]", "", text)
    if re.fullmatch(r"[0-9a-f]{12}", mac, re.ASCII) and (
        "-" in text or text.count(".") == 2 or text.count(":") == 5
    ):
        return ":".join(mac[at : at + 2] for at in range(0, 12, 2))
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError(f"{text[:40]!r} is neither a MAC nor an address") from None


def _moment(value: Any) -> float | None:
    """Return a time: seconds since the epoch or the capture's beginning, or a date as ISO 8601 writes it (UTC)."""
    if value is None or not str(value).strip():
        return None
    try:
        moment = float(value)
    except ValueError:
        pass
    else:
        if not 0 <= moment < _LATEST:
            raise ValueError(f"{value!r} is no time")
        return moment
    try:
        found = dt.datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise ValueError(
            f"{str(value)[:40]!r} is no time: seconds, or a date as 2026-05-04T14:30:00 (UTC)"
        ) from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=dt.UTC)
    return found.timestamp()


def seconds(value: Any) -> float:
    """Return a duration: a number of seconds, or one with a unit such as 10m."""
    text = str(value).strip().lower()
    unit = _UNITS.get(text[-1:], 0)
    try:
        number = float(text[:-1] if unit else text)
    except ValueError:
        number = -1.0
    if not 0 <= number < 1e9:
        raise ValueError(f"{value!r} is no duration such as 10m")
    return number * (unit or 1)


def _rows(text: str, mistakes: list[str], notes: list[str]) -> Iterator[tuple[int, Any]]:
    """Yield what a table says: a line for each event; what is empty in a file's later lines is as in its first."""
    lines = [
        (number, line)
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip(" ,;\t") and not line.lstrip().startswith("#")
    ]
    if not lines:
        raise ValueError("it is empty")
    head = lines[0][1]
    separator = next((each for each in ",;\t" if each in head), ",")
    columns = [each.strip().lower() for each in next(csv.reader([head], delimiter=separator))]
    if "file" not in columns:
        raise ValueError(
            f"line {lines[0][0]}: the columns' names are expected first, such as file,kind,mac,start,end"
        )
    notes += [_unread("column", each) for each in columns if each and each not in _KEYS]
    captures: dict[str, tuple[int, dict[str, Any]]] = {}
    for number, line in lines[1:]:
        cells = [each.strip() for each in next(csv.reader([line], delimiter=separator))]
        row = dict(zip(columns, cells, strict=False))
        if any(cells[len(columns) :]):
            mistakes.append(f"line {number}: there are more cells than columns")
        elif not row.get("file"):
            mistakes.append(f"line {number}: `file` is empty")
        else:
            _take(
                row, captures.setdefault(row["file"], (number, {"events": []}))[1], number, mistakes
            )
    yield from captures.values()


def _take(
    row: Mapping[str, str], capture: dict[str, Any], number: int, mistakes: list[str]
) -> None:
    """Take a line of a table into what is said of its capture."""
    capture.setdefault("file", row["file"])
    for each in ("lan", "baseline", "feeds", "geo"):
        capture.setdefault(each, row.get(each, "").split() or None)
    for each in ("learning", "policy", "judged_after"):
        capture.setdefault(each, row.get(each) or None)
    if not row.get("kind"):
        if row.get("start") or row.get("end"):
            mistakes.append(f"line {number}: it has times, and no kind of event")
        return
    event = {**{key: each or None for key, each in row.items()}, "kind": row["kind"].split("|")}
    try:
        _truth(event)
    except (ValueError, OverflowError) as error:
        mistakes.append(f"line {number}: {error}")
    else:
        capture["events"].append(event)


def missing(captures: Iterable[Labelled]) -> list[str]:
    """Return what is named and not there; labels of such a capture are not counted."""
    return [
        f"{path.name} is {'no file' if path.exists() else 'not there'}"
        + (f": its labels ({len(each.events)}) are not counted" if path == each.file else "")
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
