"""An event in words for somebody who is not at the gateway: one line, a few, or all that is known of it."""

from collections.abc import Callable, Sequence
from typing import Final, cast

from ..kinds import KINDS, SEVERITIES, EventKind, Kind
from ..protocol import Event
from ..words.cells import clean
from ..words.explaining import explained, show
from .sink import SinkContext

#: Letters of one line and of one event that are told.
LONGEST_LINE: Final = 160
LONGEST_EVENT: Final = 4_000

#: Returns what people call the device with a MAC.
Names = Callable[[str], str | None]


def called(context: SinkContext) -> Names:
    """Return what devices are called where people read: by their names, else by who made them, and said so."""

    def named(mac: str) -> str | None:
        maker = context.device_maker(mac)
        return context.device_name(mac) or (f"a device made by {maker}" if maker else None)

    return named


def headline(event: Event) -> str:
    """Return an event in one line."""
    return cut(f"{event.severity.capitalize()}: {clean(event.summary)}", LONGEST_LINE)


def brief(event: Event, names: Names) -> str:
    """Return what else a person has to know who can do something about it."""
    kind = _kind(event)
    device = event.mac and f"Device: {_named(event.mac, names)}"
    lines = (
        kind and f"This means: {kind.meaning}.",
        device or (event.process and f"Program: {event.process}"),
        kind and kind.advice,
    )
    return cut("\n".join(clean(each) for each in lines if each), LONGEST_EVENT)


def whole(event: Event, names: Names) -> str:
    """Return all that is known of an event, as `explain` shows it."""
    name = names(event.mac) if event.mac else None
    wire = explained(event.to_wire(), name)
    known = {event.mac: name} if event.mac and name else {}
    more = [
        (f"sudo hearthwall-sensor explain {event.seq}", "on the gateway, whom to cut off and how")
    ]
    return cut(show(wire, known, more), LONGEST_EVENT)


def gravest(events: Sequence[Event]) -> Event:
    """Return the event that matters most, the first of those alike."""
    return max(events, key=lambda each: SEVERITIES.index(each.severity))


def cut(text: str, longest: int) -> str:
    """Return a text, or as much of it as there is room for."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def clean_lines(text: str) -> str:
    """Return a text without what could act upon whatever shows it; its lines stay."""
    return "\n".join(map(clean, text.split("\n")))


def _kind(event: Event) -> Kind | None:
    """Return what is known of events like this one, of which a newer sensor may have more."""
    return KINDS.get(cast(EventKind, event.kind))


def _named(mac: str, names: Names) -> str:
    """Return a device's name with its MAC."""
    name = names(mac)
    return f"{name} ({mac})" if name and name != mac else mac
