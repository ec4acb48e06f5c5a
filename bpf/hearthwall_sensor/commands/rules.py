"""The commands that order, confirm, end and list rules."""

import argparse
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..modes import ALLOWANCES, AUDITABLE, DIRECTIONS, MODES, TRANSPORTS, Allowance
from ..protocol import SensorError
from ..requests import AddBlock, Confirm, GetBlocks, GetDevices, RemoveBlock
from ..targets import PROCESS_KINDS, parse_duration, parse_target, path_of
from ..words import naming
from . import display
from .command import Command, Options, ask, converse

if TYPE_CHECKING:
    from ..client import Client

Talk = Callable[["Client", Options], Awaitable[Any]]

_MULTIPLES: Final = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}


def parse_amount(text: str) -> int:
    """Return the number in `1500`, `125k`, `2M` or `1G`; raises SensorError `invalid_mode`."""
    match = re.fullmatch(r"(\d{1,12})([kMG]?)", text.strip(), re.ASCII)
    if match is None:
        raise SensorError("invalid_mode", f"{text[:40]!r} is not a number such as 1500, 125k or 2M")
    return int(match[1]) * _MULTIPLES[match[2]]


def _parse_allow(text: str) -> tuple[Allowance, ...]:
    """Return the allowances in `addressing,dns`; raises SensorError `invalid_mode`."""
    named = {each.strip() for each in text.split(",") if each.strip()}
    if unknown := named - set(ALLOWANCES):
        raise SensorError(
            "invalid_mode", f"--allow takes {', '.join(ALLOWANCES)}, not {min(unknown)[:40]!r}"
        )
    return tuple(each for each in ALLOWANCES if each in named)


def _words(table: Mapping[Any, str]) -> str:
    """Return a table of words and their meanings as a sentence."""
    return "; ".join(f"{word}: {text}" for word, text in table.items())


def _service_arguments(parser: argparse.ArgumentParser, purpose: str) -> None:
    """Declare transport and port."""
    parser.add_argument("--transport", choices=TRANSPORTS, help=purpose)
    parser.add_argument(
        "--port",
        metavar="N",
        type=int,
        help="the port that packets are sent to, of either transport",
    )


def _block_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `block` takes."""
    parser.add_argument(
        "target",
        metavar="TARGET",
        help="a MAC or name of a device, an address, a prefix such as 203.0.113.0/24, a domain or *.domain;"
        " of this host's processes: exe:/path, dir:/path for all programs in a folder, or pid:N",
    )
    parser.add_argument("--mode", choices=tuple(MODES), default="isolate", help=_words(MODES))
    parser.add_argument(
        "--allow",
        metavar="WHAT[,WHAT]",
        type=_parse_allow,
        help=f"what passes all the same, '' for nothing (default by mode). {_words(ALLOWANCES)}",
    )
    _service_arguments(parser, "only this of the target's traffic")
    parser.add_argument(
        "--direction", choices=tuple(DIRECTIONS), default="any", help=_words(DIRECTIONS)
    )
    parser.add_argument(
        "--peer",
        metavar="PEER",
        action="append",
        default=[],
        help="with allow_only: an address, a prefix or, for devices, a domain; may be repeated",
    )
    parser.add_argument(
        "--bytes-per-second",
        metavar="N",
        type=parse_amount,
        help="with rate_limit: bytes, not bits, such as 125k or 2M; each way",
    )
    parser.add_argument(
        "--packets-per-second", metavar="N", type=parse_amount, help="with rate_limit: each way"
    )
    parser.add_argument(
        "--redirect-to", metavar="IF", help="with redirect: the interface to send out of"
    )
    parser.add_argument(
        "--audits", choices=AUDITABLE, help="with audit: the mode to count for (default isolate)"
    )
    parser.add_argument(
        "--children",
        action="store_true",
        help="with exe:, dir: or pid: what these processes start is held too, whatever program it is",
    )
    parser.add_argument(
        "--duration", metavar="TIME", type=parse_duration, help="how long, such as 90s, 10m, 2h, 7d"
    )
    parser.add_argument("--reason", default="", help="why, for whoever looks at it later")
    parser.add_argument(
        "--confirm-within",
        metavar="TIME",
        type=parse_duration,
        help="take the rule back unless `confirm` comes in time",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="although the target is protected, where the refusal says that it may be forced",
    )


def _block(options: Options) -> AddBlock:
    """Return the order that `block` gives."""
    return AddBlock(
        target=options.target,
        mode=options.mode,
        allow=options.allow,
        duration=options.duration,
        reason=options.reason,
        confirm_within=options.confirm_within,
        transport=options.transport,
        port=options.port,
        direction=options.direction,
        peers=tuple(options.peer),
        bytes_per_second=options.bytes_per_second,
        packets_per_second=options.packets_per_second,
        redirect_to=options.redirect_to,
        audits=options.audits,
        force=options.force,
        children=options.children,
    )


def _rule_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what says which rule is meant."""
    parser.add_argument("target", metavar="TARGET|ID", help="the rule's target or its id")
    _service_arguments(parser, "the rule on this of the target's traffic")


def _unblock_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `unblock` takes."""
    _rule_arguments(parser)
    parser.add_argument("--all", action="store_true", help="every rule on the target")


async def _mac_of_name(client: "Client", text: str) -> str:
    """Return a target as it is, and of a device's name its MAC; raises SensorError where it is neither.

    What reads as a target is one: a device that calls itself like a domain does not take its place.
    """
    kind, colon, rest = text.strip().partition(":")
    if colon and kind.casefold() in PROCESS_KINDS:
        text = f"{kind.casefold()}:{rest}"
        parse_target(text)  # no device is called so
        return text
    try:
        parse_target(text)
    except SensorError as error:
        if error.code != "invalid_target" or text.isdecimal():  # the id of a rule
            return text
        devices = await client.devices()
        try:
            return naming.resolved_one(text, devices)
        except SensorError as other:
            if other.code != "not_found":
                raise
            raise SensorError(error.code, f"{error.message}; {other.message}") from None
    return text


def _telling_macs(talk: Talk) -> Talk:
    """Return what talks to the sensor about a target or a device's name, and tells on which other MACs a rule is."""

    async def talk_and_tell(client: "Client", options: Options) -> Any:
        options.target = await _mac_of_name(client, options.target)
        found = await talk(client, options)
        wires = found if isinstance(found, list) else [found]
        devices = None
        for each in wires:
            each["also_on"] = []
            if each["kind"] == "mac":
                devices = devices or await client.call(GetDevices())
                each["also_on"] = _other_macs(devices, each["target"])
        return found

    return talk_and_tell


def _other_macs(devices: list[dict[str, Any]], mac: str) -> list[str]:
    """Return the MACs that are one device with this one."""
    for each in devices:
        macs = [each["mac"], *each["other_macs"]]
        if mac in macs:
            return [other for other in macs if other != mac]
    return []


def _is_there(target: str) -> bool:
    """Return whether there is a file or folder already."""
    return Path(os.fsdecode(path_of(parse_target(target)))).exists()


async def _block_target(client: "Client", options: Options) -> Any:
    """Put a rule in force."""
    wire = await client.call(_block(options))
    if wire["kind"] in ("exe", "dir"):
        wire["is_there"] = _is_there(wire["target"])
    return wire


async def _confirm(client: "Client", options: Options) -> Any:
    """Keep a rule."""
    return await client.call(Confirm(options.target, options.transport, options.port))


async def _unblock(client: "Client", options: Options) -> Any:
    """End one rule, or every rule on a target."""
    if not options.all:
        request = RemoveBlock(options.target, transport=options.transport, port=options.port)
        return await client.call(request)
    target = parse_target(options.target).value
    ended: list[Any] = []
    for _ in range(2):  # a rule comes back where a response has ended that took its place
        blocks = await client.call(GetBlocks())
        found = [each["id"] for each in blocks if target in (each["target"], each.get("asked"))]
        ended += [await client.call(RemoveBlock(str(each))) for each in found]
    if not ended:
        raise SensorError("not_found", f"there is no rule on {target}; `blocks` lists them")
    return ended


COMMANDS: Final = {
    "block": Command(
        "put a rule in force",
        converse(_telling_macs(_block_target)),
        display.block,
        _block_arguments,
    ),
    "confirm": Command(
        "keep a rule that waits to be confirmed",
        converse(_telling_macs(_confirm)),
        display.block,
        _rule_arguments,
    ),
    "unblock": Command(
        "end a rule", converse(_telling_macs(_unblock)), display.unblocked, _unblock_arguments
    ),
    "blocks": Command("list the rules in force", ask(lambda _: GetBlocks()), display.blocks),
}
