"""The commands that list devices and say what they are: names, merging, splitting, forgetting."""

import argparse
import sys
from typing import TYPE_CHECKING, Any, Final

from ..protocol import SensorError
from ..requests import ForgetDevice, GetDevices, MergeDevices, RenameDevice, SplitDevice
from ..words import naming
from ..words.amounts import ago, rate, size
from ..words.cells import clean, table
from .command import Command, Options, ask, converse

if TYPE_CHECKING:
    from ..client import Client


def _mac_argument(parser: argparse.ArgumentParser) -> None:
    """Declare a device."""
    parser.add_argument(
        "mac", metavar="DEVICE", help="the device: any of its MACs, an address or a name"
    )


def _rename_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `rename` takes."""
    _mac_argument(parser)
    parser.add_argument("name", metavar="NAME", nargs="?", help="what you call it")
    parser.add_argument("--clear", action="store_true", help="take your name for it back")


async def _rename(client: "Client", options: Options) -> Any:
    """Name a device, or take that back."""
    if options.clear is (options.name is not None):
        raise SensorError("invalid_message", "say either a name or --clear")
    mac = naming.mac_of(options.mac, await client.devices())
    return await client.call(RenameDevice(mac, options.name))


def _merge_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `merge` takes."""
    _mac_argument(parser)
    parser.add_argument("into", metavar="INTO", help="the device that it is, named alike")


async def _merge(client: "Client", options: Options) -> Any:
    """Say that two are one device."""
    devices = await client.devices()
    mac, into = (naming.mac_of(each, devices) for each in (options.mac, options.into))
    return await client.call(MergeDevices(mac, into))


def _split_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `split` takes."""
    parser.add_argument(
        "mac",
        metavar="MAC",
        help="the MAC that is to be a device of its own again: one that `devices` shows with a +",
    )


def _forget_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `forget` takes."""
    _mac_argument(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask first; --json never asks")


async def _forget(client: "Client", options: Options) -> Any:
    """Erase a device, if that is meant."""
    if not options.yes and not options.json and not _is_meant(options.mac):
        return {}
    mac = naming.mac_of(options.mac, await client.devices())
    return await client.call(ForgetDevice(mac))


def _is_meant(mac: str) -> bool:
    """Ask the person at the terminal; raises SensorError where there is none."""
    if not sys.stdin.isatty():
        raise SensorError("invalid_message", "nobody can be asked here: say --yes")
    answer = input(
        f"Erase the totals, names, flows and events of {clean(mac)}? There is no way back. [y/N] "
    )
    return answer.strip().lower() in {"y", "yes"}


def _name(wire: dict[str, Any]) -> str:
    """Return what a device is called: by the user, else by itself."""
    return wire["name"] or wire["hostname"] or ""


def _vendor(wire: dict[str, Any]) -> str:
    """Return who made a device, or that its MAC does not tell."""
    return wire["vendor"] or ("randomised MAC" if wire["randomised"] else "")


def _addresses(wire: dict[str, Any]) -> str:
    """Return a device's first address, and how many more there are."""
    first, *others = wire["addresses"] or [""]
    return f"{first} and {len(others)} more" if others else first


def _show(wires: list[dict[str, Any]]) -> str:
    """Show the devices."""
    rows = [
        (
            " ".join((each["mac"], *(f"+{mac}" for mac in each["other_macs"]))),
            _name(each),
            _vendor(each),
            _addresses(each),
            size(each["download_bytes"]),
            size(each["upload_bytes"]),
            rate(each["download_rate"]),
            rate(each["upload_rate"]),
            ago(each["last_seen"]),
            each["rule"]["mode"] if each["rule"] else "",
        )
        for each in wires
    ]
    heads = (
        "device",
        "name",
        "vendor",
        "addresses",
        "download",
        "upload",
        "down now",
        "up now",
        "seen",
        "rule",
    )
    return table(heads, rows) if rows else "No device has been seen yet."


def _show_one(wire: dict[str, Any]) -> str:
    """Show a device."""
    return _show([wire])


def _show_forgotten(wire: dict[str, Any]) -> str:
    """Show what was erased."""
    if not wire:
        return "Nothing was erased."
    called = f"{wire['mac']} ({_name(wire)})" if _name(wire) else wire["mac"]
    kept = " Its rule stays." if wire["rule"] else ""
    return clean(f"Erased: {called}. If it speaks again it is new.{kept}")


COMMANDS: Final = {
    "devices": Command(
        "list the home's devices and their traffic", ask(lambda _: GetDevices()), _show
    ),
    "rename": Command("name a device", converse(_rename), _show_one, _rename_arguments),
    "merge": Command(
        "say that two MACs are one device",
        converse(_merge),
        _show_one,
        _merge_arguments,
    ),
    "split": Command(
        "take a merging back",
        ask(lambda options: SplitDevice(options.mac)),
        _show_one,
        _split_arguments,
    ),
    "forget": Command(
        "erase all that is known of a device", converse(_forget), _show_forgotten, _forget_arguments
    ),
}
