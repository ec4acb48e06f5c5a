"""The view as lines of text for a terminal of any size; drawing them is someone else's."""

import time
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal, NamedTuple

from ..modes import MODES as MODE_TEXTS
from ..words import naming
from ..words.amounts import bits, size, span
from ..words.cells import clean, cut, fill, width as width_of
from . import columns
from .columns import Fitted
from .rows import SORTS, DeviceRow, FlowRow, Pane, ProgramRow
from .view import DURATIONS, Question, Release, View, duration_text

Style = Literal["plain", "title", "head", "other_head", "chosen", "marked", "idle", "bad", "good"]

_HINTS: Final = (
    "q quit",
    "? help",
    "Tab flows",
    "b cut off",
    "u release",
    "s sort",
    "/ filter",
    "o programs",
    "p pause",
)
_HELP: Final = (
    ("arrows, j, k", "choose; Home End PgUp PgDn"),
    ("Tab, Enter", "flows and back; o programs"),
    ("s", "sort by something else"),
    ("/", "filter; Esc shows all"),
    ("b", "cut it off; asks"),
    ("u", "end its rule; asks"),
    ("p", "pause, or go on"),
    ("Ctrl-L", "draw the screen anew"),
    ("q", "quit"),
)


class Line(NamedTuple):
    """One line of the screen."""

    text: str
    style: Style = "plain"


def frame(view: View, width: int, height: int) -> list[Line]:
    """Return exactly `height` lines of at most `width` columns."""
    if view.help:
        return _screen(_help(width), height)
    header = _header(view, width)
    if height < 8:
        header = header[-1:] if view.trouble is not None else header[:1]
    footer = _footer(view, width)
    room = height - len(header) - len(footer)
    panes: list[Line] = []
    if room > 5:
        upper = _share(room, len(view.who()) + 2, len(view.flows()) + 1)
        panes = [
            *_screen(_pane(view, view.upper, width, upper), upper),
            *_pane(view, "flows", width, room - upper),
        ]
    elif room > 0:
        panes = _pane(view, view.focus, width, room)
    body = _screen([*header, *panes], max(height - len(footer), 0))
    return (body + footer)[-height:] if height else []


def text(view: View, width: int) -> str:
    """Return the whole view as plain text, for no terminal at all."""
    lines = [
        *_header(view, width),
        Line(""),
        *_pane(view, "devices", width, view.device_count + 2),
        Line(""),
        *_pane(view, "flows", width, len(view.flows()) + 1),
    ]
    return "\n".join(each.text.rstrip() for each in lines)


def _screen(lines: Sequence[Line], height: int) -> list[Line]:
    """Return so many lines, filled with empty ones."""
    return [*lines[:height], *[Line("")] * (height - len(lines))]


def _share(room: int, upper: int, lower: int) -> int:
    """Return how many of the lines the upper pane gets: half, or what it needs or the lower one leaves."""
    half = room // 2
    return min(upper, max(half, room - lower))


def _joined(parts: Iterable[str], width: int) -> str:
    """Return those of the parts that fit, with space between them."""
    said = ""
    for each in parts:
        longer = f"{said}   {each}" if said else each
        if width_of(longer) > width:
            break
        said = longer
    return said


# Above and below the panes


def _header(view: View, width: int) -> list[Line]:
    """Return who, when and how much."""
    clock = time.strftime("%H:%M:%S")
    left = f"Hearthwall on {clean(view.gateway)}" + ("  PAUSED" if view.paused else "")
    first = Line(f"{fill(left, max(0, width - len(clock) - 1))} {clock}"[:width], "title")
    if view.trouble is not None:
        return [first, Line(cut(clean(view.trouble), width), "bad")]
    rate = view.rate
    lost = _lost(view)
    parts = [
        f"up {bits(rate.upload)}/s",
        f"down {bits(rate.download)}/s",
        *([lost] if lost else []),
        _count(view.device_count, "device"),
        *([_count(view.program_count, "program")] if view.program_count else []),
        _count(view.flow_count, "flow"),
        *([] if lost else ["nothing lost"]),
    ]
    return [first, Line(_joined(parts, width), "bad" if lost else "plain")]


def _count(count: int, what: str) -> str:
    """Return a number of things."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def _lost(view: View) -> str:
    """Return what the sensor has lost since it began, nothing if that is nothing."""
    lost = {} if view.status is None else view.status.lost
    said = [f"{name.replace('_', ' ')} {count}" for name, count in lost.items() if count]
    return clean(", ".join(said))


def _footer(view: View, width: int) -> list[Line]:
    """Return the question, the filter that is written, the last order's result, or what keys there are."""
    if view.question is not None:
        return [Line(cut(each, width), "head") for each in _question(view.question)]
    if view.editing:
        written = clean(view.filters[view.focus])
        return [Line(cut(f"show {view.focus} with: {written}_", width), "head")]
    if view.message is not None and time.monotonic() < view.message.until:
        return [Line(cut(clean(view.message.text), width), view.message.tone)]
    flow = view.chosen_flow() if view.focus == "flows" else None
    if flow is not None and width >= 60:
        return [Line(_joined(_details(flow), width)), Line(_joined(_HINTS, width), "idle")]
    return [Line(_joined(_HINTS, width), "idle")]


def _question(question: Question | Release) -> list[str]:
    """Return the question whether to cut somebody off, or to release it."""
    name = clean(question.name)
    called = (
        name if question.target.endswith(question.name) else f"{name} ({clean(question.target)})"
    )
    if isinstance(question, Release):
        ends = question.rule.expires
        until = (
            "for good" if ends is None else f"until {time.strftime('%H:%M', time.localtime(ends))}"
        )
        left = "" if ends is None else f", another {span(ends - time.time())}"
        return [
            f"Release {called}?",
            f"  This ends its rule: {question.rule.mode} {until}{left}",
            "  y  yes, release it      n  no",
        ]
    mode = question.modes[question.mode]
    return [
        f"Cut off {called}?",
        f"  m  {mode}: {MODE_TEXTS[mode]}",
        f"  d  {duration_text(DURATIONS[question.duration])}",
        "  y  yes, cut it off      n  no",
    ]


def _details(row: FlowRow) -> list[str]:
    """Return what the chosen flow's line may have no room for."""
    flow = row.flow
    return [
        clean(each)
        for each in (
            naming.peer(flow),
            flow.peer_address if flow.peer_name else "",
            f"name by {flow.name_source}" if flow.name_source else "",
            f"from {flow.address}:{flow.port}",
            f"{flow.upload_packets} up, {flow.download_packets} down packets",
            f"{size(flow.upload_bytes)} up, {size(flow.download_bytes)} down",
            naming.network(flow),
            flow.community_id,
        )
        if each
    ]


def _help(width: int) -> list[Line]:
    """Return what the keys do."""
    lines = [Line(cut(f"{keys:<14}{meaning}", width)) for keys, meaning in _HELP]
    return [Line(fill("Keys; any of them goes back", width), "head"), *lines]


# The panes


def _pane(view: View, pane: Pane, width: int, height: int) -> list[Line]:
    """Return a pane's head and rows, the chosen one among them."""
    rows: list[Any] = [*([None] if pane != "flows" else []), *_rows(view, pane)]
    said = columns.saying(_columns(view, pane), _rows(view, pane))
    places = columns.fitted(said, width)
    focused = view.focus == pane
    title = columns.head(places, _title(view, pane))
    lines = [Line(cut(title, width), "head" if focused else "other_head")]
    room = max(0, height - 1)
    if focused:
        view.page = max(1, room - 1)
    chosen = _chosen(view, pane, rows)
    first = min(max(0, (chosen or 0) - room // 2), max(0, len(rows) - room))
    for i, row in enumerate(rows[first : first + room], first):
        line = _all(view, pane, places) if row is None else columns.line(places, row)
        lines.append(Line(cut(line, width), _style(row, chosen=i == chosen, focused=focused)))
    if len(rows) == (pane != "flows") and room > len(rows):
        lines.append(Line(cut(f"No {pane} yet." if not view.filters[pane] else "Nothing.", width)))
    return lines


def _rows(view: View, pane: Pane) -> list[Any]:
    """Return a pane's rows."""
    return view.flows() if pane == "flows" else view.who()


def _columns(view: View, pane: Pane) -> Sequence[columns.Column]:
    """Return a pane's columns; the device's is of use only among the flows of all."""
    if pane != "flows":
        return columns.PROGRAMS if pane == "programs" else columns.DEVICES
    return [each for each in columns.FLOWS if each.head != "device" or view.chosen_key is None]


def _chosen(view: View, pane: Pane, rows: Sequence[Any]) -> int | None:
    """Return the place of the chosen row."""
    if pane != "flows":
        keys = [None if row is None else row.key for row in rows]
        return keys.index(view.chosen_key) if view.chosen_key in keys else None
    flow = view.chosen_flow() if view.focus == "flows" else None
    return None if flow is None else rows.index(flow)


def _title(view: View, pane: Pane) -> str:
    """Return a pane's title: what it shows, in what order."""
    sort, wanted = view.sorts[pane], clean(view.filters[pane])
    what: list[str] = [pane]
    chosen = view.chosen_key
    if pane == "flows" and chosen is not None:
        name = next((row.name for row in view.who() if row.key == chosen), chosen)
        what.append(f"of {clean(name)}")
    if wanted:
        what.append(f"with {wanted}")
    if len(SORTS[pane]) > 1:
        what.append(f"by {sort}")
    return " ".join(what)


def _all(view: View, pane: Pane, places: Sequence[Fitted]) -> str:
    """Return the line that stands for all devices, or all programs."""
    rate = view.program_rate if pane == "programs" else view.rate
    texts = {"up/s": bits(rate.upload), "down/s": bits(rate.download)}
    said = (f"all {pane}", *(texts.get(each.column.head, "") for each in places[1:]))
    return columns.joined(places, said)


def _style(row: Any, *, chosen: bool, focused: bool) -> Style:
    """Return how a row is drawn."""
    if chosen:
        return "chosen" if focused else "marked"
    if isinstance(row, DeviceRow | ProgramRow) and row.rule is not None:
        return "bad"
    return "idle" if row is not None and row.rate.both == 0 else "plain"
