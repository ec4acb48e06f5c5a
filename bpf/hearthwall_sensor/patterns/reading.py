"""Reads patterns from their files: every mistake is an error that names the file and the key."""

import tomllib
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from ..errors import SensorError
from ..kinds import SEVERITIES
from ..learning.programs import FACETS
from ..nearest import did_you_mean
from ..observations import Called, Connected, Executed
from ..targets import parse_duration
from .conditions import CONDITIONS, SEES, Test
from .pattern import BONDS, PATTERN_KINDS, Bond, Excuse, Pattern, Step
from .words import PLACEHOLDERS, named_in

#: Where those that belong to Hearthwall are.
RULES: Final = Path(__file__).parent / "rules"
_MAX_BYTES: Final = 16 * 1024
_MAX_STEPS: Final = 4
_MAX_TEXT: Final = 400
_TECHNIQUE_LETTERS: Final = frozenset("T.0123456789")


class _MistakeError(ValueError):
    """A mistake in a file: the key that has it, and what is wrong with it."""


def _text(value: Any) -> str:
    """Read a sentence."""
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_TEXT or not value.isprintable():
        raise ValueError(f"is a text of at most {_MAX_TEXT} printable characters")
    return value


def _one_of(*words: str) -> Callable[[Any], str]:
    """Return what reads one of a few words."""

    def read(value: Any) -> str:
        if value not in words:
            raise ValueError(
                f"is one of {', '.join(words)}, not {str(value)[:40]!r}{did_you_mean(str(value), words)}"
            )
        return str(value)

    return read


def _technique(value: Any) -> str:
    """Read a technique of MITRE ATT&CK."""
    if not isinstance(value, str) or not value.startswith("T") or set(value) - _TECHNIQUE_LETTERS:
        raise ValueError(f"is one of MITRE ATT&CK such as T1059.004, not {str(value)[:40]!r}")
    return value


def _span(value: Any) -> float:
    """Read a span of time."""
    try:
        return parse_duration(value if isinstance(value, str) else "")
    except SensorError:
        raise ValueError(f'is a time such as "10m", not {str(value)[:40]!r}') from None


#: What a file may say beside its steps and exceptions, and how it is read.
KEYS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "kind": _one_of(*PATTERN_KINDS),
    "severity": _one_of(*SEVERITIES),
    "technique": _technique,
    "says": _text,
    "why": _text,
    "within": _span,
    "learns": _one_of(*FACETS),
    "silent": _one_of("settling", "learning"),
    "about": _text,
    "blames": _one_of("program", "parent"),
    "stops": _one_of("program", "process"),
}
_NEEDED: Final = ("kind", "severity", "says", "why")
_LISTS: Final = ("step", "unless")


def read(name: str, document: Mapping[str, Any]) -> Pattern:
    """Return the pattern that a file describes; raises SensorError `invalid_policy`."""
    try:
        return _pattern(name, document)
    except ValueError as error:
        raise SensorError("invalid_policy", f"the pattern {name}: {error}") from None


def _pattern(name: str, document: Mapping[str, Any]) -> Pattern:
    """Return a file's pattern; raises ValueError."""
    known = (*KEYS, *_LISTS)
    for key in document:
        if key not in known:
            raise _MistakeError(
                f"there is no key {key[:40]!r}, but {', '.join(known)}{did_you_mean(key, known)}"
            )
    for key in _NEEDED:
        if key not in document:
            raise _MistakeError(f"{key} is missing")
    said = {key: _read(key, KEYS[key], document[key]) for key in KEYS if key in document}
    steps = tuple(
        _step(number, each) for number, each in enumerate(_tables(document, "step", _MAX_STEPS))
    )
    if not steps:
        raise _MistakeError("step is missing: there is one [[step]] at least")
    if len(steps) > 1 and any(each.stdin for each in steps[1:]):
        raise _MistakeError("step stdin belongs to the first one")
    unless = tuple(_excuse(steps, each) for each in _tables(document, "unless", 16))
    _check_words(said, steps)
    return Pattern(name=name, steps=steps, unless=unless, **said)


def _read(key: str, reader: Callable[[Any], Any], value: Any) -> Any:
    """Read a key's value."""
    try:
        return reader(value)
    except ValueError as error:
        raise _MistakeError(f"{key} {error}") from None


def _tables(document: Mapping[str, Any], key: str, most: int) -> list[dict[str, Any]]:
    """Return the tables under a key."""
    found = document.get(key, [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise _MistakeError(f"{key} is written as [[{key}]]")
    if len(found) > most:
        raise _MistakeError(f"there are at most {most} [[{key}]]")
    return found


def _step(number: int, said: dict[str, Any]) -> Step:
    """Read a step."""
    where = f"step {number + 1}"
    sees = _read(f"{where} sees", _one_of(*SEES), said.get("sees"))
    rest = {key: value for key, value in said.items() if key not in ("sees", "stdin", *BONDS)}
    stdin = "stdin" in said
    if stdin:
        _read(f"{where} stdin", _one_of("socket"), said["stdin"])
    return Step(
        SEES[sees],
        _tests(where, sees, rest),
        _bond(where, number, said),
        stdin,
        frozenset(said["call"]) if sees == "called" and "call" in said else frozenset(),
    )


def _tests(where: str, sees: str, said: Mapping[str, Any]) -> tuple[Test, ...]:
    """Read the conditions of a step or an exception."""
    found = []
    for key, value in said.items():
        known = [name for name, each in CONDITIONS.items() if sees in each.of]
        if key not in known:
            raise _MistakeError(
                f"{where}: what is {sees} has no key {key[:40]!r}; there are"
                f" {', '.join(known)}{did_you_mean(key, known)}"
            )
        found.append(_read(f"{where} {key}", CONDITIONS[key].read, value))
    return tuple(found)


def _bond(where: str, number: int, said: Mapping[str, Any]) -> Bond | None:
    """Read what ties a step to an earlier one, as all but the first are."""
    found = [Bond(key, said[key]) for key in BONDS if key in said]
    if len(found) != (number > 0):
        raise _MistakeError(
            f"{where} has one of {', '.join(BONDS)}"
            if number
            else f"{where} is the first: it has none of {', '.join(BONDS)}"
        )
    if not found:
        return None
    kind, step = found[0]
    if not isinstance(step, int) or isinstance(step, bool) or not 0 < step <= number:
        raise _MistakeError(f"{where} {kind} is the number of an earlier step, from 1")
    return Bond(kind, step - 1)


def _excuse(steps: tuple[Step, ...], said: dict[str, Any]) -> Excuse:
    """Read an exception: of the last step unless it says another."""
    number = said.get("step", len(steps))
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number <= len(steps):
        raise _MistakeError(f"unless step is the number of a step, from 1 to {len(steps)}")
    rest = {key: value for key, value in said.items() if key != "step"}
    if not rest:
        raise _MistakeError("unless has a condition at least")
    sees = next(name for name, each in SEES.items() if each is steps[number - 1].sees)
    return Excuse(number - 1, _tests("unless", sees, rest))


def _check_words(said: Mapping[str, Any], steps: tuple[Step, ...]) -> None:
    """Raise ValueError for a placeholder that no step can fill."""
    seen = {name for name, each in SEES.items() if any(each is step.sees for step in steps)}
    known = [name for name, needs in PLACEHOLDERS.items() if needs is None or needs in seen]
    for key in ("says", "why", "about"):
        for name in _read(key, named_in, said.get(key, "")):
            if name not in known:
                raise _MistakeError(f"{key} names {{{name[:40]}}}; there are {', '.join(known)}")
    for step in steps:
        if step.bond is None:
            continue
        earlier = steps[step.bond.step].sees
        if step.bond.kind == "file_of" and (earlier, step.sees) != (Called, Executed):
            raise _MistakeError("file_of ties what is executed to what was called")
    if any(step.stdin and step.sees not in (Executed, Connected) for step in steps):
        raise _MistakeError("step stdin is for what is executed or connected")
    if any(step.sees is Called and not step.calls for step in steps):
        raise _MistakeError("step call is missing: which system calls are meant")


def read_folder(folder: Path) -> tuple[Pattern, ...]:
    """Return the patterns of a folder's files, by name; raises SensorError `invalid_policy`."""
    return tuple(read_file(each) for each in sorted(folder.glob("*.toml")))


def read_file(path: Path) -> Pattern:
    """Return the pattern of a file; raises SensorError `invalid_policy`."""
    try:
        content = path.read_bytes()
        document = tomllib.loads(_checked(content).decode())
    except (OSError, ValueError, RecursionError) as error:
        raise SensorError("invalid_policy", f"{path} is no pattern: {str(error)[:200]}") from None
    return read(path.stem, document)


def _checked(content: bytes) -> bytes:
    """Return a file's content; raises ValueError where there is too much of it."""
    if len(content) > _MAX_BYTES:
        raise ValueError(f"it is longer than {_MAX_BYTES // 1024} kB")
    return content


@lru_cache(maxsize=1)
def shipped() -> tuple[Pattern, ...]:
    """Return the patterns that belong to Hearthwall, read once."""
    return read_folder(RULES)


def needed_calls(patterns: tuple[Pattern, ...]) -> frozenset[str]:
    """Return the system calls that have to be traced for these patterns."""
    return frozenset(call for pattern in patterns for step in pattern.steps for call in step.calls)
