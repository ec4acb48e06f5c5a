"""The policy's document, checked word by word: whoever mistypes one is told where, and what could stand there."""

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, NoReturn

from ..dissect.applications import APPLICATIONS
from ..errors import SensorError
from ..kinds import KINDS, SEVERITIES
from ..nearest import did_you_mean
from ..network.home import Network
from ..patterns.reading import shipped
from ..targets import parse_duration, parse_mac, parse_peer
from .expectations import LOCAL
from .policy import Response, Segment
from .programs import checked_program

_MAX_LISTED: Final = 64
_MAX_NAME: Final = 64
#: What sections there may be of one kind: more devices than a home has.
MAX_SECTIONS: Final = 1024
_MODES: Final = ("on", "off", "audit")
_SWITCH: Final = ("on", "off")
_SENSITIVITIES: Final = ("low", "normal", "high")
_ACTIONS: Final = ("none", "quarantine", "block_peer", "block_process")
_DETECTED: Final = tuple(name for name, kind in KINDS.items() if not kind.by_rules)
_PROTOCOLS: Final = tuple(name for name in APPLICATIONS if name != "unknown")
_RESPONSE: Final = ("kind", "severity", "action", "duration")
_USUAL_DURATION: Final = "1h"
#: A response that waits for less than this is none.
_USUAL_SEVERITY: Final = "high"
_QUIET: Final = re.compile(
    r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|(24:00))", re.ASCII
)
_COUNTRY: Final = re.compile(r"[A-Z]{2}", re.ASCII)

#: What a section says, by key, read.
Section = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Document:
    """A policy that makes sense."""

    all: Section = field(default_factory=dict)
    labels: Mapping[str, Section] = field(default_factory=dict)
    """In the file's order: what a later one says goes before what an earlier one does."""
    devices: Mapping[str, Section] = field(default_factory=dict)
    """By MAC."""
    segments: Mapping[str, Segment] = field(default_factory=dict)
    programs: Mapping[str, Section] = field(default_factory=dict)
    """By path."""

    @property
    def forbidden(self) -> frozenset[str]:
        """The protocols that any section forbids."""
        sections = (
            self.all,
            *self.labels.values(),
            *self.devices.values(),
            *self.programs.values(),
        )
        return frozenset().union(*(each.get("forbidden_protocols", ()) for each in sections))


class Named(NamedTuple):
    """A section's name: which kind, and whose."""

    kind: str
    name: str = ""

    def __str__(self) -> str:
        """Return it as it stands in the file."""
        return f"[{self.kind}.{_quoted(self.name)}]" if self.name else f"[{self.kind}]"


def _quoted(name: str) -> str:
    """Return a name as TOML has it."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name, re.ASCII) else f'"{name[:_MAX_NAME]}"'


def _refuse(expected: str, value: Any, known: Iterable[str] = ()) -> NoReturn:
    """Raise ValueError: what a key is, what stands there in its place, and which of what is known may be meant."""
    raise ValueError(f"{expected}, not {str(value)[:40]!r}{did_you_mean(str(value), known)}")


def _truth(value: Any) -> bool:
    """Read true or false."""
    return value if isinstance(value, bool) else _refuse("is true or false", value)


def _listed(value: Any, of: str) -> list[str]:
    """Read a list of texts."""
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        _refuse(f"is a list of {of}", value)
    if len(value) > _MAX_LISTED:
        raise ValueError(f"holds at most {_MAX_LISTED} {of}")
    return value


def _one_of(words: tuple[str, ...]) -> Callable[[Any], Any]:
    """Return what reads one of a few words."""

    def read(value: Any) -> Any:
        if not isinstance(value, str) or value not in words:
            _refuse(f"is one of {', '.join(words)}", value, words)
        return value

    return read


def _protocols(value: Any) -> frozenset[str]:
    """Read names of applications."""
    found = frozenset(_listed(value, "protocols"))
    if unknown := found - set(_PROTOCOLS):
        _refuse(f"holds names of {', '.join(_PROTOCOLS)}", min(unknown), _PROTOCOLS)
    return found


def _countries(value: Any) -> frozenset[str]:
    """Read codes of countries."""
    listed = value if value != [] else _refuse("names one country at least", value)
    if not isinstance(listed, list) or len(listed) > 300:
        _refuse('is a list of countries such as ["DE", "NL"]', value)
    for each in listed:
        if not isinstance(each, str) or not _COUNTRY.fullmatch(each):
            _refuse("holds countries' two capital letters (ISO 3166), such as DE", each)
    return frozenset(listed)


def _quiet_hours(value: Any) -> tuple[tuple[int, int], ...]:
    """Read spans of the day, in minutes."""
    spans = []
    for each in _listed(value, 'spans such as "23:00-06:00"'):
        match = _QUIET.fullmatch(each)
        if match is None:
            _refuse('holds spans of the day such as "23:00-06:00"', each)
        begin = int(match[1]) * 60 + int(match[2])
        end = 24 * 60 if match[5] else int(match[3]) * 60 + int(match[4])
        if begin == end:
            _refuse("holds spans that end at another time than they begin", each)
        spans.append((begin, end))
    return tuple(spans)


def _duration(value: Any) -> float:
    """Read a span of time."""
    try:
        # Seconds where days were meant would end learning for a whole home
        if isinstance(value, str) and not value.strip()[-1:].isdigit():
            return parse_duration(value)
    except SensorError:
        pass
    _refuse('is a time with its unit such as "10m", "12h" or "10d", at most 366 days', value)


def _detectors(value: Any) -> dict[str, str]:
    """Read which detectors are on, off, or only note."""
    if not isinstance(value, dict):
        _refuse('is a table such as { beacon = "audit" }', value)
    for kind, mode in value.items():
        if kind not in _DETECTED:
            _refuse(f"names {', '.join(_DETECTED)}", kind, _DETECTED)
        if mode not in _MODES:
            _refuse(f"{kind} is one of {', '.join(_MODES)}", mode)
    return dict(value)


def _patterns(value: Any) -> dict[str, str]:
    """Read which patterns are on or off."""
    if not isinstance(value, dict):
        _refuse('is a table such as { new_talker = "off" }', value)
    known = tuple(each.name for each in shipped())
    for name, mode in value.items():
        if name not in known:
            _refuse(f"names {', '.join(known)}", name, known)
        if mode not in _SWITCH:
            _refuse(f"{name} is one of {', '.join(_SWITCH)}", mode)
    return dict(value)


def _peers(value: Any) -> tuple[str, ...]:
    """Read whom a program may talk to."""
    found = []
    for each in _listed(value, "peers"):
        try:
            found.append(LOCAL if each == LOCAL else parse_peer(each))
        except SensorError as error:
            raise ValueError(
                f"holds addresses, prefixes, domains or {LOCAL}: {error.message}"
            ) from None
    return tuple(dict.fromkeys(found))


def _responses(value: Any) -> tuple[Response, ...]:
    """Read what is done by itself."""
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        _refuse("is a list of tables: kind, severity, action, duration", value)
    if len(value) > _MAX_LISTED:
        raise ValueError(f"holds at most {_MAX_LISTED} tables")
    return tuple(_response(each) for each in value)


def _response(value: Mapping[str, Any]) -> Response:
    """Read one thing that is done by itself."""
    if unknown := set(value) - set(_RESPONSE):
        _refuse(f"has the keys {', '.join(_RESPONSE)}", min(unknown), _RESPONSE)
    if "action" not in value:
        raise ValueError(f"needs an action: one of {', '.join(_ACTIONS)}")
    return Response(
        kind=_within("kind", _one_of(_DETECTED), value.get("kind")),
        severity=_within("severity", _one_of(SEVERITIES), value.get("severity", _USUAL_SEVERITY)),
        action=_within("action", _one_of(_ACTIONS), value["action"]),
        duration=_within("duration", _duration, value.get("duration", _USUAL_DURATION)),
    )


def _within(key: str, read: Callable[[Any], Any], value: Any) -> Any:
    """Read a value of an inner table, None as None."""
    try:
        return None if value is None else read(value)
    except ValueError as error:
        raise ValueError(f"{key} {error}") from None


def checked_label(text: str) -> str:
    """Return a label that may be given; raises ValueError."""
    if not text.strip() or len(text) > _MAX_NAME or not text.isprintable():
        _refuse(f"holds names of 1 to {_MAX_NAME} printable characters", text)
    return text


def _labels(value: Any) -> tuple[str, ...]:
    """Read names of labels."""
    return tuple(dict.fromkeys(map(checked_label, _listed(value, "labels"))))


def _networks(value: Any) -> tuple[Network, ...]:
    """Read prefixes."""
    found = []
    for each in _listed(value, 'prefixes such as "192.168.20.0/24"'):
        try:
            found.append(ipaddress.ip_network(each))
        except ValueError as error:
            raise ValueError(f"holds prefixes: {error}") from None
    return tuple(found) or _refuse("names one prefix at least", value)


def _reach(value: Any) -> frozenset[str]:
    """Read names of segments, or prefixes that have none."""
    return frozenset(map(_canonical_segment, map(checked_label, _listed(value, "segments"))))


def _canonical_segment(name: str) -> str:
    """Return a prefix as it is compared, anything else as it is."""
    try:
        return str(ipaddress.ip_network(name))
    except ValueError:
        return name


_COMMON: Final[Mapping[str, Callable[[Any], Any]]] = {
    "local": _truth,
    "allowed_protocols": _protocols,
    "forbidden_protocols": _protocols,
    "countries": _countries,
    "quiet_hours": _quiet_hours,
    "sensitivity": _one_of(_SENSITIVITIES),
    "learning": _duration,
    "mud_from_device": _truth,
    "detectors": _detectors,
    "respond": _responses,
    "may_reach": _reach,
}
#: Of those, what makes sense for a program of this host.
_OF_PROGRAMS: Final = (
    *("allowed_protocols", "forbidden_protocols", "countries", "quiet_hours"),
    *("sensitivity", "learning", "detectors", "respond"),
)
#: What may stand in each kind of section, and how it is read.
KEYS: Final[Mapping[str, Mapping[str, Callable[[Any], Any]]]] = {
    "all": {**_COMMON, "patterns": _patterns},
    "label": _COMMON,
    "device": {"labels": _labels, **_COMMON},
    "segment": {"networks": _networks, "may_reach": _reach},
    "program": {
        **{key: _COMMON[key] for key in _OF_PROGRAMS},
        "patterns": _patterns,
        "may_talk_to": _peers,
    },
}


def read(document: Mapping[str, Any]) -> Document:
    """Return what a document says; raises SensorError `invalid_policy`, which names section and key."""
    if unknown := set(document) - set(KEYS):
        name = min(unknown)
        raise _wrong(
            f"there is no section {name[:40]!r}, but {', '.join(KEYS)}{did_you_mean(name, KEYS)}"
        )
    devices: dict[str, Section] = {}
    for written, section in _sections(document, "device"):
        mac = canonical(Named("device", written)).name
        if mac in devices:
            raise _wrong(f"the device {mac} has two sections")
        devices[mac] = section
    segments = {
        name: Segment(name, section["networks"], section.get("may_reach"))
        for name, section in _sections(document, "segment")
    }
    result = Document(
        _section(Named("all"), document.get("all", {})),
        dict(_sections(document, "label")),
        devices,
        segments,
        dict(_sections(document, "program")),
    )
    _check_reach(result)
    return result


def _check_reach(document: Document) -> None:
    """Raise SensorError `invalid_policy` where a segment is named that there is not."""
    sections = {
        Named("all"): document.all,
        **{Named("label", name): each for name, each in document.labels.items()},
        **{Named("device", name): each for name, each in document.devices.items()},
        **{
            Named("segment", name): {"may_reach": each.may_reach}
            for name, each in document.segments.items()
        },
    }
    for section, said in sections.items():
        for name in sorted(said.get("may_reach") or ()):
            if name not in document.segments and "/" not in name:
                known = ", ".join(document.segments) or "none"
                raise _wrong(
                    f"{section} may_reach names segments of this file ({known}) or prefixes,"
                    f" not {name!r}{did_you_mean(name, document.segments)}"
                )


def canonical(section: Named) -> Named:
    """Return a section's name as it is compared; raises SensorError `invalid_policy`."""
    if section.kind == "all":
        return section
    try:
        if section.kind == "device":
            return Named("device", parse_mac(section.name))
        if section.kind == "program":
            return Named("program", checked_program(section.name))
        return Named(section.kind, checked_label(section.name))
    except (SensorError, ValueError) as error:
        raise _wrong(f"{section}: {error}") from None


def _sections(document: Mapping[str, Any], kind: str) -> list[tuple[str, Section]]:
    """Read all sections of a kind."""
    found = document.get(kind, {})
    if not isinstance(found, dict):
        raise _wrong(f"[{kind}] has sections below it, such as [{kind}.NAME]")
    if len(found) > MAX_SECTIONS:
        raise _wrong(f"there are at most {MAX_SECTIONS} sections [{kind}.…]")
    named = [(canonical(Named(kind, name)), name, each) for name, each in found.items()]
    return [(name, _section(section, each)) for section, name, each in named]


def _section(section: Named, said: Any) -> Section:
    """Read one section."""
    if not isinstance(said, dict):
        raise _wrong(f"{section} is a section with keys, not {str(said)[:40]!r}")
    keys, found = KEYS[section.kind], {}
    for key, value in said.items():
        if key not in keys:
            raise _wrong(
                f"{section} has no key {key[:40]!r}; there are {', '.join(keys)}{did_you_mean(key, keys)}"
            )
        try:
            found[key] = keys[key](value)
        except ValueError as error:
            raise _wrong(f"{section} {key} {error}") from None
    if section.kind == "segment" and "networks" not in found:
        raise _wrong(f'{section} needs networks, such as ["192.168.20.0/24"]')
    return found


def _wrong(what: str) -> SensorError:
    """Return the error of a policy that makes no sense."""
    return SensorError("invalid_policy", f"the policy: {what}")
