"""The command that shows the policy and changes it."""

import argparse
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..protocol import SensorError
from ..requests import GetPolicy, Request, SetPolicy
from ..targets import parse_mac
from .cells import clean
from .command import Command, Options, ask
from .wrapping import wrapped

#: Keys whose values are lists: `countries=DE,NL` is enough.
_LISTS: Final = frozenset(
    (
        "allowed_protocols",
        "countries",
        "forbidden_protocols",
        "labels",
        "may_reach",
        "networks",
        "quiet_hours",
    )
)


def _arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `policy` takes."""
    parser.add_argument(
        "action", nargs="?", choices=("show", "set"), default="show", help="show it, or set values"
    )
    parser.add_argument(
        "section",
        metavar="SECTION",
        nargs="?",
        help="all, label.NAME, segment.NAME, or a device's MAC",
    )
    parser.add_argument(
        "values",
        metavar="KEY=VALUE",
        nargs="*",
        help="such as local=true, countries=DE,NL, detectors.beacon=audit; KEY= takes a key out",
    )


def _order(options: Options) -> Request:
    """Return what `policy` asks."""
    if options.action == "show":
        if options.section is not None:
            raise SensorError("invalid_message", "`policy set SECTION KEY=VALUE` changes it")
        return GetPolicy()
    if options.section is None or not options.values:
        raise SensorError("invalid_message", "say what to set: policy set SECTION KEY=VALUE")
    return SetPolicy(section_of(options.section), dict(map(value_of, options.values)))


def section_of(text: str) -> str:
    """Return a section as the protocol names it."""
    try:
        return f"device {parse_mac(text)}"
    except SensorError:
        return re.sub(r"^(label|device|segment)\.", r"\1 ", text.strip())


def value_of(text: str) -> tuple[str, Any]:
    """Return key and value of `KEY=VALUE`, None for an empty value; raises SensorError `invalid_message`."""
    key, equals, value = text.partition("=")
    key, value = key.strip(), value.strip()
    if not equals or not key:
        raise SensorError("invalid_message", f"{text[:80]!r} is not KEY=VALUE")
    if not value:
        return key, None
    try:
        found = tomllib.loads(f"value = {value}")
        read = found["value"] if len(found) == 1 else value
    except (ValueError, RecursionError):
        read = value
    if not isinstance(read, str | bool | int | float | list | dict):
        read = value  # a date, as people write none here
    if key in _LISTS and not isinstance(read, list):
        read = [each.strip() for each in str(read).split(",") if each.strip()]
    return key, read


def show(wire: Mapping[str, Any]) -> str:
    """Show the policy."""
    parts = [clean(f"# {wire['path']}")]
    if wire["problem"]:
        parts.append(wrapped(f"{wire['problem']}. What was read before holds:", "# "))
    if not wire["exists"] and not wire["problem"]:
        parts.append(
            "# There is no such file: all detectors are on, and nothing is done by itself.\n"
            "# `policy set SECTION KEY=VALUE` begins one."
        )
    return "\n".join([*parts, *_sections(wire["document"])])


def _sections(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the policy's sections as they could stand in a file."""
    for kind, content in document.items():
        named = (
            {kind: content}
            if kind == "all"
            else {f"{kind}.{_key(n)}": s for n, s in content.items()}
        )
        for name, section in named.items():
            yield ""
            yield clean(f"[{name}]")
            for key, value in section.items():
                yield clean(f"{_key(key)} = {_toml(value)}")


def _key(name: str) -> str:
    """Return a key as TOML has it."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name, re.ASCII) else _toml(name)


def _toml(value: Any) -> str:
    """Return a value as TOML has it."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(key)} = {_toml(each)}" for key, each in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


COMMANDS: Final = {
    "policy": Command("show the policy, or change it", ask(_order), show, _arguments)
}
