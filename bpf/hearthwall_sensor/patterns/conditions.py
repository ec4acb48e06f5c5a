"""The conditions of a pattern's steps: what each key asks of an observation, and how its value is read."""

import fnmatch
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, NoReturn

from ..learning.programs import is_raw, name_of
from ..observations import Bound, Called, Connected, Executed

Test = Callable[[Any], bool]

#: What a step may see, by its name in a file.
SEES: Final[Mapping[str, type[Any]]] = {
    "executed": Executed,
    "connected": Connected,
    "bound": Bound,
    "called": Called,
}
#: The system calls that a step may ask for.
CALLS: Final = ("write", "chmod", "memfd", "ptrace", "socket", "listen")
_SCOPES: Final = ("internet", "lan", "gateway")
_TRANSPORTS: Final = ("tcp", "udp")
#: Requests of ptrace that take hold of another process: PTRACE_ATTACH and PTRACE_SEIZE.
_ATTACH: Final = frozenset((16, 0x4206))
_MOST: Final = 64
#: 127.0.0.0/8 and ::1.
_LOOPBACK: Final = (bytes(10) + b"\xff\xff\x7f", bytes(15) + b"\x01")


class Condition(NamedTuple):
    """One key of a step."""

    of: tuple[str, ...]
    """What the step has to see."""
    read: Callable[[Any], Test]
    """Makes the test of a value; raises ValueError, whose text follows the key's name."""


_ANY: Final = tuple(SEES)


def _refuse(expected: str, value: Any) -> NoReturn:
    """Raise ValueError: what a key is, and what stands there in its place."""
    raise ValueError(f"{expected}, not {str(value)[:40]!r}")


def texts(value: Any) -> list[str]:
    """Read a list of texts."""
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        _refuse("is a list of texts", value)
    if not 0 < len(value) <= _MOST:
        raise ValueError(f"holds 1 to {_MOST} texts")
    return value


def _matcher(value: Any) -> Callable[[str], bool]:
    """Return what compares a path: with a slash in it a text is one of whole paths, else of their last part."""
    whole = _joined(each for each in texts(value) if "/" in each)
    last = _joined(each for each in value if "/" not in each)
    return lambda path: bool(
        (whole is not None and whole(path)) or (last is not None and last(name_of(path)))
    )


def _joined(globs: Any) -> Callable[[str], Any] | None:
    """Return what compares a text with any of these, None for none."""
    patterns = [fnmatch.translate(each) for each in globs]
    return re.compile("|".join(patterns)).match if patterns else None


def _executable(value: Any) -> Test:
    """Ask for the executable."""
    matches = _matcher(value)
    return lambda seen: matches(seen.image.executable)


def _parent(value: Any) -> Test:
    """Ask for who made the process."""
    matches = _matcher(value)
    return lambda seen: seen.image.parent is not None and matches(seen.image.parent.executable)


def _ancestor(value: Any) -> Test:
    """Ask for anyone that the process comes from."""
    matches = _matcher(value)
    return lambda seen: any(
        matches(each.executable) for each in seen.image.lineage() if each is not seen.image
    )


def _unit(value: Any) -> Test:
    """Ask for systemd's unit."""
    matches = _joined(texts(value))
    assert matches is not None  # noqa: S101, there is one text at least
    return lambda seen: bool(matches(seen.image.unit or ""))


def _file(value: Any) -> Test:
    """Ask for the file that was asked for."""
    matches = _matcher(value)
    return lambda seen: matches(seen.image.file)


def _path(value: Any) -> Test:
    """Ask for the file of a call."""
    matches = _matcher(value)
    return lambda seen: matches(seen.path)


def _flag(test: Test) -> Callable[[Any], Test]:
    """Return what reads true or false for a test."""

    def read(value: Any) -> Test:
        if not isinstance(value, bool):
            _refuse("is true or false", value)
        return lambda seen: test(seen) == value

    return read


def one_of(words: tuple[str, ...]) -> Callable[[Any], list[str]]:
    """Return what reads a list of some words."""

    def read(value: Any) -> list[str]:
        for each in texts(value):
            if each not in words:
                _refuse(f"holds some of {', '.join(words)}", each)
        return list(value)

    return read


def _among(words: tuple[str, ...], field: str) -> Callable[[Any], Test]:
    """Return what reads a list of words of which a field has to be one."""

    def read(value: Any) -> Test:
        wanted = frozenset(one_of(words)(value))
        return lambda seen: getattr(seen, field) in wanted

    return read


def _ports(value: Any) -> Test:
    """Ask for the port that was bound, from one to another."""
    are_ports = isinstance(value, list) and len(value) == 2
    if not are_ports or not all(isinstance(each, int) and 0 <= each < 65_536 for each in value):
        _refuse("is the first and the last port", value)
    first, last = value
    return lambda seen: first <= _port(seen) <= last


def _port(bound: Bound) -> int:
    """Return the port of a service such as `tcp/80`."""
    number = bound.service.rpartition("/")[2]
    return int(number) if number.isdigit() else 0


def _is_container(seen: Any) -> bool:
    """Return whether a process is in a container."""
    return seen.image.container is not None


#: By its name in a file.
CONDITIONS: Final[Mapping[str, Condition]] = {
    "executable": Condition(_ANY, _executable),
    "parent": Condition(_ANY, _parent),
    "ancestor": Condition(_ANY, _ancestor),
    "unit": Condition(_ANY, _unit),
    "container": Condition(_ANY, _flag(_is_container)),
    "memfd": Condition(_ANY, _flag(lambda seen: seen.image.is_memfd)),
    "file": Condition(("executed",), _file),
    "gone": Condition(("executed",), _flag(lambda seen: not seen.image.is_read)),
    "outgoing": Condition(("connected",), _flag(lambda seen: seen.is_outgoing)),
    "scope": Condition(("connected",), _among(_SCOPES, "scope")),
    "transport": Condition(("connected",), _among(_TRANSPORTS, "transport")),
    "port": Condition(("bound",), _ports),
    "loopback": Condition(("bound",), _flag(lambda seen: seen.address.startswith(_LOOPBACK))),
    "call": Condition(("called",), _among(CALLS, "call")),
    "path": Condition(("called",), _path),
    "raw": Condition(("called",), _flag(is_raw)),
    "attaches": Condition(
        ("called",),
        _flag(lambda seen: seen.detail in _ATTACH and seen.number not in (0, seen.pid)),
    ),
}
