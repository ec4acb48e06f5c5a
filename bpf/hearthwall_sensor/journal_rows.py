"""The journal's rows as what they say: a damaged one spoils no other."""

import json
from typing import Any, Final, NamedTuple, TypeVar

from .kinds import SEVERITIES
from .notice import Notice
from .protocol import Event

Row = TypeVar("Row")

#: In the order of Event's fields, after its number.
COLUMNS: Final = (
    "time, kind, severity, mac, address, peer_address, peer_name, process, summary, evidence,"
    " technique, count, last_time, subject"
)
#: Where the evidence is in a row that begins with the number.
_EVIDENCE: Final = 10
#: No event is of so late a time (seconds since the epoch: the year 9999).
_NEVER: Final = 253_402_300_800.0


class Told(NamedTuple):
    """An event on disk, as far as it takes to know its like."""

    seq: int
    last_time: float
    notice: Notice


def told_of(row: tuple[Any, ...]) -> Told:
    """Return a row of how an event is known again; raises ValueError or TypeError for a damaged one."""
    seq, when, kind, severity, mac, address, subject, process = row
    _check_times(when)
    _check_texts(kind, severity, mac or "", address or "", subject, process or "")
    notice = Notice(kind, severity, "", {}, mac, address, subject=subject, process=process)
    return Told(seq, when, notice)


def event_of(row: tuple[Any, ...]) -> Event:
    """Return a row as the protocol tells it; raises ValueError, TypeError or RecursionError for a damaged one."""
    evidence = json.loads(row[_EVIDENCE])
    event = Event(*(*row[:_EVIDENCE], evidence, *row[_EVIDENCE + 1 :]))
    _check_times(event.time, event.last_time or 0)
    _check_texts(event.kind, event.severity, event.summary, event.subject)
    _check_texts(*(each for each in (*row[4:9], event.technique) if each is not None))
    if not isinstance(evidence, dict):
        raise TypeError("its evidence is none")
    if event.severity not in SEVERITIES or not isinstance(event.count, int):
        raise ValueError("its severity or its count is none")
    return event


def _check_times(*times: Any) -> None:
    """Raise ValueError for what can't be a time."""
    for each in times:
        if not isinstance(each, int | float) or not 0 <= each < _NEVER:
            raise ValueError(f"{str(each)[:40]!r} is no time")


def _check_texts(*texts: Any) -> None:
    """Raise TypeError for what is no text."""
    for each in texts:
        if not isinstance(each, str):
            raise TypeError(f"{str(each)[:40]!r} is no text")
