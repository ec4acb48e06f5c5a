"""What a mail says of events: a subject for a glance, and a text that a person can act by."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from ..protocol import Event
from ..words.amounts import moment
from ..words.cells import clean
from . import words
from .sink import SinkContext

LONGEST_SUBJECT: Final = 140
#: Letters of a mail's text; events behind that are counted.
LONGEST_TEXT: Final = 60_000
_BETWEEN: Final = "\n\n" + "-" * 72 + "\n\n"


class Letter(NamedTuple):
    """Subject and text."""

    subject: str
    text: str


def whole(events: Sequence[Event], context: SinkContext) -> Letter:
    """Return a letter that tells of each event what is known, the gravest in its subject."""
    told = list(_within(words.whole(each, words.called(context)) for each in events))
    parts = [*told, *_left(events, len(told))]
    return Letter(_subject(words.headline(words.gravest(events)), events), _BETWEEN.join(parts))


def bare(events: Sequence[Event]) -> Letter:
    """Return a letter without any name or address: only what kinds of events there were, and when."""
    lines = [
        f"{moment(each.time)}  {each.severity}: {each.kind} (event {each.seq})" for each in events
    ]
    head = "The mail server refused a mail that tells more."
    gravest = words.gravest(events)
    subject = f"{gravest.severity.capitalize()}: {gravest.kind}"
    return Letter(_subject(subject, events), "\n".join((head, "", *lines, "", _where(events[0]))))


def _subject(headline: str, events: Sequence[Event]) -> str:
    """Return a subject; it is one line, whatever the events hold."""
    more = f" (and {len(events) - 1} more)" if len(events) > 1 else ""
    said = clean(f"Hearthwall: {headline}")
    return words.cut(said, LONGEST_SUBJECT - len(more)) + more


def _within(texts: Iterator[str]) -> Iterator[str]:
    """Yield texts as long as there is room."""
    room = LONGEST_TEXT
    for text in texts:
        room -= len(text) + len(_BETWEEN)
        if room < 0:
            return
        yield words.clean_lines(text)


def _left(events: Sequence[Event], told: int) -> list[str]:
    """Return what is said of the events for which there was no room."""
    left = events[told:]
    return [f"And {len(left)} more. {_where(left[0])}"] if left else []


def _where(event: Event) -> str:
    """Return where events from one on can be read."""
    return f"On the gateway: hearthwall-sensor events --since {event.seq - 1}"
