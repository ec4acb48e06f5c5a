"""The command that shows what was learnt of a device, and freezes it or begins it anew."""

import argparse
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from ..learning.destinations import NAMELESS
from ..processes.image import PROGRAM
from ..protocol import SensorError
from ..requests import GetProfile, SetProfile
from ..words import naming
from ..words.amounts import ago, moment, size, span
from ..words.cells import clean, table
from ..words.wrapping import aligned, wrapped
from .command import Command, Options, converse

if TYPE_CHECKING:
    from ..client import Client

#: So many of each list are shown to people.
_SHOWN: Final = 10
_ACTIONS: Final[tuple[Literal["freeze", "unfreeze", "reset"], ...]] = (
    "freeze",
    "unfreeze",
    "reset",
)
_DONE: Final = {
    "freeze": "Frozen: nothing more is learnt of it.",
    "unfreeze": "It learns again.",
    "reset": "Forgotten: all that was learnt of it. Learning begins anew.",
}
_LISTS: Final = ("domains", "countries", "networks", "ports", "applications")


def _arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `profile` takes."""
    parser.add_argument(
        "device",
        metavar="MAC|exe:/PATH",
        help="the device: any of its MACs, an address or a name; or exe:/PATH, a program of the gateway",
    )
    actions = parser.add_mutually_exclusive_group()
    actions.add_argument("--freeze", action="store_true", help="learn nothing more")
    actions.add_argument("--unfreeze", action="store_true", help="learn again")
    actions.add_argument(
        "--reset", action="store_true", help="forget what was learnt, and begin anew"
    )


async def _profile(client: "Client", options: Options) -> Any:
    """Return a device's profile, for people as text."""
    path = options.device.removeprefix(PROGRAM)
    is_program = path != options.device
    if path.startswith("/") != is_program and not path.startswith("["):
        meant = f"{PROGRAM}{path[:80]}" if path.startswith("/") else "such as exe:/usr/bin/curl"
        raise SensorError("invalid_target", f"a program is named by its whole path, {meant}")
    devices = await client.devices()
    mac = options.device if is_program else naming.resolved_one(options.device, devices)
    action = next((each for each in _ACTIONS if getattr(options, each)), None)
    request = GetProfile(mac) if action is None else SetProfile(mac, action)
    wire = await client.call(request)
    if options.json:
        return wire
    text = show(wire, naming.device_names(devices).get(mac))
    return f"{wrapped(_DONE[action])}\n\n{text}" if action else text


def show(wire: Mapping[str, Any], name: str | None) -> str:
    """Show a profile."""
    title = f"{name} ({wire['mac']})" if name and name != wire["mac"] else wire["mac"]
    rows = [("learnt", _learnt(wire)), ("known", _known(wire))]
    if wire["frozen"]:
        rows.append(("frozen", "nothing more is learnt; --unfreeze lets it learn again"))
    rows += [
        (label, said)
        for label, key in (("an hour now", "this_hour"), ("a day", "a_day"))
        if (said := _bands(wire, key))
    ]
    if wire["model"]:
        rows.append(("model", _summed(wire["model"])))
    if wire["mud"]:
        rows.append(("MUD", _summed(wire["mud"])))
    if wire["accepted"]:
        count = len(wire["accepted"])
        rows.append(("accepted", f"{count} of its events; `accept --list` shows them"))
    parts = [clean(title), aligned(rows)]
    for key in _LISTS:
        if wire[key]:
            parts += ["", _habits(key, wire[key])]
    if not any(wire[key] for key in _LISTS):
        parts += ["", _silence(wire)]
    return "\n".join(parts)


def _silence(wire: Mapping[str, Any]) -> str:
    """Return why there is nothing to list."""
    since = moment(wire["since"])[:16]
    return f"Since {since}, when learning began, it was not seen to talk to anybody."


def _learnt(wire: Mapping[str, Any]) -> str:
    """Return since when a device is learnt, and whether it is judged by that."""
    now, since, until = time.time(), wire["since"], wire["learning_until"]
    if now < until:
        begins = moment(until)[:16]
        return f"for {span(now - since)} of {span(until - since)}; judged by its habits from {begins} on"
    return f"for {span(now - since)}; judged by its habits"


def _known(wire: Mapping[str, Any]) -> str:
    """Return how far a device's habits are known, and what makes them better known."""
    return f"{wire['sure']:.0%} of its habits; more the longer it is learnt, and the more seldom it goes to new places"


def _bands(wire: Mapping[str, Any], key: str) -> str:
    """Return what a device usually moves in a span of time."""
    said = []
    for direction in ("upload", "download"):
        band = wire[f"{direction}_{key}"]
        if band is not None:
            said.append(
                f"{direction} usually {size(band['usual'])}, unusual beyond {size(band['most'])}"
            )
    return "; ".join(said)


def _summed(wire: Mapping[str, Any]) -> str:
    """Return a summary's parts in words."""
    return ", ".join(f"{key.replace('_', ' ')} {_plain(each)}" for key, each in wire.items())


def _plain(value: Any) -> str:
    """Return a part of a summary."""
    if isinstance(value, float):
        return f"{value:.3g}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _habits(title: str, habits: list[dict[str, Any]]) -> str:
    """Return one list of a profile."""
    rows = [
        (_named(title, each["name"]), str(each["count"]), ago(each["last_seen"]))
        for each in habits[:_SHOWN]
    ]
    left = len(habits) - _SHOWN
    more = [f"and {left} more; --json shows up to fifty"] if left > 0 else []
    return "\n".join([table((title, "times", "last seen"), rows), *more])


def _named(title: str, name: str) -> str:
    """Return a habit's name as a person understands it."""
    if name == NAMELESS:
        return "(no name known)"
    return f"{name} (owner not known)" if title == "networks" and "/" in name else name


COMMANDS: Final = {
    "profile": Command(
        "show what was learnt of a device, or change how it is learnt",
        converse(_profile),
        str,
        _arguments,
    )
}
