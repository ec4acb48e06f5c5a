"""An event's evidence for people: what each key is called on the screen, and how its values are written."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from ..kinds import KINDS, Kind, Measure
from ..learning.destinations import NAMELESS
from .amounts import moment, size, span
from .behind import SHOWN

#: What has its own place, or is for programs alone.
TOLD: Final = frozenset(
    (
        *("audit", "detector", "flows", "threshold", "value", "why", "window"),
        *("extremes", "features", "window_levels"),
        *("stops", *SHOWN),
    )
)
#: Keys whose own words say too little.
_LABELS: Final[Mapping[str, str]] = {
    "age_days": "on the list for",
    "answer_bytes": "in answers",
    "blame": "done by",
    "bytes": "data",
    "call_bytes": "data in each call",
    "characters": "new characters in each name",
    "claimants": "claimed by",
    "claimed": "address claimed",
    "coverage": "time it was heard in",
    "dropped": "packets dropped",
    "dropped_bytes": "dropped in all",
    "entry": "entry of the list",
    "entropy": "bits in each character",
    "expires": "ends",
    "failed": "tried in vain",
    "forced": "although protected",
    "held": "took hold of",
    "incoming": "begun from outside",
    "interval": "every",
    "known": "known to serve",
    "lifetime": "for",
    "new": "new for it",
    "listeners": "listens on",
    "odd_types": "by rare types",
    "pid": "process",
    "question_bytes": "in questions",
    "randomised": "made-up MAC",
    "sizes": "evenness of sizes",
    "spoofed": "false addresses",
    "times": "evenness of times",
    "uneven": "give or take",
    "untrue": "forged claims",
    "without_address": "answers without address",
}
#: Longer values fill more than about two lines.
_LONGEST: Final = 160
#: What is worth a line only if it is so.
_IF_TRUE: Final = frozenset(("forced", "incoming"))
_DONE_BY: Final[Mapping[Any, str]] = {
    "peer": "the far end; this device did nothing for it",
    "unknown": "nobody can tell for sure: this device, or another one that it answers",
}


def _share(value: float) -> str:
    """Return a part of one."""
    return f"{value:.0%}"


def _days(value: float) -> str:
    """Return a number of days."""
    return span(value * 86_400)


#: How the numbers of keys that end so are written.
_AMOUNTS: Final[Mapping[str, Callable[[float], str]]] = {
    "bytes": size,
    "_days": _days,
    "_s": span,
    "_seconds": span,
    "coverage": _share,
    "expires": moment,
    "interval": span,
    "lifetime": span,
    "_since": moment,
    "sizes": _share,
    "_time": moment,
    "times": _share,
    "uneven": _share,
    "_until": moment,
}


def rows(evidence: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield label and text of what else was found, with these names of devices by MAC."""
    for key, value in evidence.items():
        is_nothing = key in TOLD or (key in _IF_TRUE and not value)
        said = "" if is_nothing else _short(_said(key, value, names))
        if said:
            yield _LABELS.get(key, key.replace("_", " ")), said


def _short(text: str) -> str:
    """Return a text, or as much of it as is read; what `--json` prints has it all."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST].rstrip()}… (whole with --json)"


def _said(key: str, value: Any, names: Mapping[str, str]) -> str:
    """Return one value in words."""
    if key == "blame":
        return _DONE_BY.get(str(value), plain(value, names))
    if key == "mode" and isinstance(value, str):
        return value.replace("_", " ")
    if is_number(value):
        for end, write in _AMOUNTS.items():
            if key.endswith(end):
                return write(value)
    return plain(value, names)


def is_number(value: Any) -> bool:
    """Return whether a value is a number that can be written as an amount."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15


def plain(value: Any, names: Mapping[str, str]) -> str:
    """Return any value in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, Mapping):
        said = ((each, _said(str(each), of, names)) for each, of in value.items())
        return ", ".join(f"{_LABELS.get(str(each), each)} {of}" for each, of in said if of)
    if isinstance(value, list | tuple):
        between = "; " if any(isinstance(each, Mapping) for each in value) else ", "
        return between.join(plain(each, names) for each in value)
    return "" if value is None else _named(str(value), names)


def number(value: float) -> str:
    """Return a number without more digits than say something; what may be a port has no comma."""
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return f"{value:,}" if abs(value) >= 100_000 else str(value)


def _named(text: str, names: Mapping[str, str]) -> str:
    """Return a text, with the device's name before a MAC that has one."""
    if text == NAMELESS:
        return "without a name"
    name = names.get(text, text)
    return text if name == text else f"{name} ({text})"


# What was measured


def measured(event: Mapping[str, Any]) -> str:
    """Return what was measured, against what and in which time; nothing where the sentences say it all."""
    kind: Kind | None = KINDS.get(event["kind"])
    evidence = event["evidence"]
    value = evidence.get("value")
    if kind is None:
        measure: Measure | None = Measure("")
    else:
        subject = event.get("subject") or ""
        measure = next((each for each in kind.measures if subject.startswith(each.subject)), None)
    if measure is None or not is_number(value):
        return ""
    said = [f"{_amount(value, measure)} {measure.counts}".rstrip()]
    said += _against(evidence.get("threshold"), measure)
    window = evidence.get("window")
    if measure.by_window and is_number(window) and window > 1:
        said.append(f"within {span(window)}")
    return ", ".join(said)


def _against(threshold: Any, measure: Measure) -> list[str]:
    """Return the threshold or band in words; one alone is just that there is something at all."""
    if (
        isinstance(threshold, list | tuple)
        and len(threshold) == 2
        and all(map(is_number, threshold))
    ):
        usual, most = (_amount(each, measure) for each in threshold)
        return [f"where {usual} is usual and {most} not yet odd"]
    if not is_number(threshold) or threshold == 1:
        return []
    return [f"against {_amount(threshold, measure)}"]


def _amount(value: float, measure: Measure) -> str:
    """Return an amount with its unit."""
    if measure.unit:
        return size(value * (1e6 if measure.unit == "megabytes" else 1))
    return number(value)
