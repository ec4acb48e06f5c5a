"""The command that shows the policy and changes it."""

import argparse
import json
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from ..nearest import did_you_mean
from ..processes.image import PROGRAM
from ..protocol import Device, SensorError
from ..requests import GetPolicy, SetPolicy
from ..targets import parse_mac
from ..words import naming
from ..words.cells import clean
from ..words.wrapping import wrapped
from .command import Command, Options, converse

if TYPE_CHECKING:
    from ..client import Client

#: Keys whose values are lists: `countries=DE,NL` is enough.
_LISTS: Final = frozenset(
    (
        "allowed_protocols",
        "countries",
        "forbidden_protocols",
        "labels",
        "may_reach",
        "may_talk_to",
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
        help="all, label.NAME, segment.NAME, program.PATH, or a device: any of its MACs, an address or a name",
    )
    parser.add_argument(
        "values",
        metavar="KEY=VALUE",
        nargs="*",
        help="such as local=true, countries=DE,NL, detectors.beacon=audit; KEY= takes a key out",
    )


async def _policy(client: "Client", options: Options) -> Any:
    """Show the policy, or change it, and return what there is to show."""
    if options.action == "show":
        if options.section is not None:
            raise SensorError("invalid_message", "`policy set SECTION KEY=VALUE` changes it")
        wire = await client.call(GetPolicy())
        return wire if options.json else show(wire, naming.device_names(await client.devices()))
    if options.section is None or not options.values:
        raise SensorError("invalid_message", "say what to set: policy set SECTION KEY=VALUE")
    values = dict(map(value_of, options.values))
    devices = await client.devices()
    section = section_of(options.section, devices)
    wire = await client.call(SetPolicy(section, values))
    names = naming.device_names(devices)
    return (
        wire if options.json else show(wire, names, _unused(section, names, wire.get("labels", ())))
    )


def section_of(text: str, devices: Sequence[Device] = ()) -> str:
    """Return a section as the protocol names it; a device is named by a MAC, an address or a name.

    Raises SensorError for a name that there is not, with what may be meant.
    """
    text = text.strip()
    text = re.sub(f"^{PROGRAM}", "program ", text)
    if re.match(r"all$|(label|segment|program)[. ]", text):
        return re.sub(r"^(label|segment|program)\.", r"\1 ", text)
    named = text.removeprefix("device.")
    try:
        return f"device {parse_mac(named)}"
    except SensorError:
        pass
    try:
        return f"device {naming.resolved_one(named, devices)}"
    except SensorError as error:
        if error.code != "not_found":
            raise
        known = {"all", *naming.device_names(devices).values()}
        raise SensorError(
            "not_found",
            f"{text[:80]!r} is neither a device (`devices` lists them) nor all, label.NAME,"
            f" segment.NAME or program.PATH{did_you_mean(named, known)}",
        ) from None


def _unused(section: str, known: Collection[str], labels: Collection[str]) -> str:
    """Return what there is to say of a section that holds for nobody so far."""
    kind, _, name = section.partition(" ")
    if kind == "device" and name not in known:
        return f"No device has the MAC {name} so far{did_you_mean(name, known)}"
    if kind == "label" and name not in labels:
        there = f"there are {', '.join(sorted(labels))}" if labels else "no device has any"
        return f"No device has the label {name} so far; {there}{did_you_mean(name, labels)}"
    return ""


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


def show(
    wire: Mapping[str, Any], names: Mapping[str, str] = MappingProxyType({}), note: str = ""
) -> str:
    """Show the policy with the names of devices by MAC, below a note on what was changed."""
    parts = [wrapped(note, "# ")] if note else []
    parts.append(clean(f"# {wire['path']}"))
    if wire["problem"]:
        held = "What was read before holds:" if wire["document"] else "The defaults apply."
        parts.append(wrapped(f"{wire['problem']}. {held}", "# "))
    if not wire["exists"] and not wire["problem"]:
        parts.append(
            "# There is no such file: all detectors are on, and nothing is done by itself.\n"
            "# `policy set SECTION KEY=VALUE` begins one."
        )
    elif not wire["document"] and not wire["problem"]:
        parts.append("# It holds nothing: the defaults apply, and nothing is done by itself.")
    if not wire["places"] and any("countries" in each for each in _all(wire["document"])):
        said = "countries: no file tells them (`run --geo FILE`), so nothing is judged by that."
        parts.append(wrapped(said, "# "))
    return "\n".join([*parts, *_sections(wire["document"], names)])


def _all(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the policy's sections."""
    for kind, content in document.items():
        yield from [content] if kind == "all" else content.values()


def _sections(document: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[str]:
    """Yield the policy's sections as they could stand in a file."""
    for kind, content in document.items():
        named = (
            {"[all]": content}
            if kind == "all"
            else {f"[{kind}.{_key(n)}]{_called(kind, n, names)}": s for n, s in content.items()}
        )
        for head, section in named.items():
            yield ""
            yield clean(head)
            for key, value in section.items():
                yield clean(f"{_key(key)} = {_toml(value)}")


def _called(kind: str, name: str, names: Mapping[str, str]) -> str:
    """Return a comment that says which device it is."""
    try:
        mac = parse_mac(name) if kind == "device" else ""
    except SensorError:
        return ""
    return f"  # {names[mac]}" if names.get(mac, mac) != mac else ""


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
    "policy": Command("show the policy, or change it", converse(_policy), str, _arguments)
}
