"""The command line of scripts/lab."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lab import commands, habits, home, sender
from lab.attacks.table import ATTACKS
from lab.errors import LabError
from lab.home import DEVICES, HOSTS
from lab.lab import Lab
from lab.text import ABOUT, EXEC_HELP, HOSTS_TABLE, SITES_TABLE


def _positive(highest: float) -> Callable[[str], float]:
    """Make a reader for numbers above 0, up to the highest."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = 0.0
        if not 0 < value <= highest:
            raise argparse.ArgumentTypeError(
                f"{text!r} must be a number above 0, up to {highest:g}"
            )
        return value

    return read


def _bytes(text: str) -> int:
    if not text.isdecimal() or not sender.MIN_BYTES <= int(text) <= sender.MAX_BYTES:
        raise argparse.ArgumentTypeError(
            f"{text!r} must be from {sender.MIN_BYTES} to {sender.MAX_BYTES}"
        )
    return int(text)


def _endpoint(text: str) -> tuple[str, int]:
    try:
        return home.host_port(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _lab(text: str) -> Lab:
    try:
        return Lab(text)
    except LabError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a command, as argparse takes it."""

    flags: tuple[str, ...]
    options: dict[str, Any]


def _argument(*flags: str, **options: Any) -> Argument:
    return Argument(flags, options)


_NAME: Final = _argument(
    "--name",
    dest="lab",
    metavar="NAME",
    type=_lab,
    default="home",
    help="which lab (default: home); several can stand side by side",
)
_JSON: Final = _argument("--json", action="store_true", help="print one JSON document")


@dataclass(frozen=True, slots=True)
class Command:
    """What does it, what it takes and what its help says. Without help it is not listed."""

    run: Callable[[argparse.Namespace], int]
    help: str | None
    arguments: tuple[Argument, ...] = (_NAME,)
    more: str = ""


COMMANDS: Final = {
    "up": Command(
        commands.up, "build the lab; does nothing if it stands, repairs it if it is broken"
    ),
    "down": Command(commands.down, "remove the lab and everything that runs in it"),
    "status": Command(
        commands.status,
        "tell whether the lab is up, and what is wrong if it is not",
        (_NAME, _JSON),
        f"Exit code: 0 if the lab is up, {commands.EXIT_NOT_UP} if it is down or broken.",
    ),
    "list": Command(commands.list_all, "list all labs and whether they are up", (_JSON,)),
    "exec": Command(
        commands.execute,
        "run a command on a host",
        (
            _NAME,
            _argument("host", metavar="HOST", choices=list(HOSTS), help=", ".join(HOSTS)),
            _argument(
                "argv",
                metavar="CMD",
                nargs=argparse.REMAINDER,
                help="the command and its arguments",
            ),
        ),
        EXEC_HELP,
    ),
    "traffic": Command(
        commands.traffic,
        "let the devices live their everyday habits, until Ctrl-C",
        (
            _NAME,
            _argument(
                "--seed",
                type=int,
                default=1,
                help="the same seed gives the same schedule (default: 1)",
            ),
            _argument(
                "--speed",
                type=_positive(100),
                default=1.0,
                help="so many times as fast (default: 1)",
            ),
            _argument(
                "--duration",
                type=_positive(366 * 86400),
                metavar="S",
                help="end after this many planned seconds",
            ),
            _argument(
                "--device",
                nargs="+",
                choices=list(DEVICES),
                metavar="DEVICE",
                help="only these devices",
            ),
            _argument(
                "--plan",
                action="store_true",
                help="print the schedule (60 s unless --duration) and do nothing",
            ),
            _JSON,
        ),
        "habits:\n"
        + "\n".join(
            f"  {h.device:9}{h.name:16}{h.direction:10}every {h.every:g} s" for h in habits.HABITS
        ),
    ),
    "attack": Command(
        commands.attack,
        "let devices attack with real tools, side by side, and wait until they have done",
        (
            _NAME,
            _argument("attacks", metavar="ATTACK", nargs="+", choices=list(ATTACKS)),
        ),
        "attacks:\n"
        + "\n".join(f"  {name:18}{each.device:9}{each.kind}" for name, each in ATTACKS.items()),
    ),
    "send": Command(
        commands.send,
        "send numbered UDP datagrams from a host at a steady rate",
        (
            _NAME,
            _argument(
                "--from",
                dest="source",
                choices=list(HOSTS),
                required=True,
                metavar="HOST",
                help="the sender",
            ),
            _argument(
                "--to",
                type=_endpoint,
                default=(home.WEB.ipv4, home.SINK_PORT),
                metavar="ADDRESS:PORT",
                help=f"default: the sink {home.WEB.ipv4}:{home.SINK_PORT};"
                f" port {home.ECHO_PORT} sends everything back",
            ),
            _argument(
                "--rate",
                type=_positive(sender.MAX_RATE),
                default=1000.0,
                help="per second (default: 1000)",
            ),
            _argument(
                "--seconds",
                type=_positive(sender.MAX_SECONDS),
                default=1.0,
                help="for how long (default: 1)",
            ),
            _argument(
                "--size",
                type=_bytes,
                default=64,
                metavar="BYTES",
                help="payload of each (default: 64)",
            ),
            _argument(
                "--log",
                type=Path,
                metavar="FILE",
                help="write the time of every datagram and echo, as JSON",
            ),
        ),
        "Prints a JSON summary; times are CLOCK_MONOTONIC in ns. The sink's own record is at\n"
        f"http://{home.WEB.ipv4}/sink (add ?full=1 for every number and arrival time);\n"
        "POST /sink/reset lets it start afresh.",
    ),
    "sink": Command(
        commands.sink,
        "count numbered UDP datagrams on a host",
        (
            _NAME,
            _argument(
                "--on",
                dest="host",
                choices=list(HOSTS),
                required=True,
                metavar="HOST",
                help="the receiver",
            ),
            _argument(
                "--listen",
                type=_endpoint,
                required=True,
                metavar="ADDRESS:PORT",
                help="where to listen",
            ),
            _argument(
                "--seconds",
                type=_positive(sender.MAX_SECONDS),
                default=10.0,
                help="for how long (default: 10)",
            ),
        ),
        'Prints "listening", then, at the end or on SIGTERM, the full record as JSON.',
    ),
    "internet": Command(
        commands.internet,
        None,
        (
            _NAME,
            _argument("--ready", type=int, required=True),
            _argument("--lock", type=int, required=True),
        ),
        "Serves the lab's internet; run by up.",
    ),
}


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="scripts/lab",
        description=ABOUT,
        epilog=f"{HOSTS_TABLE}\n\n{SITES_TABLE}",
        formatter_class=raw,
    )
    entries = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        listed: dict[str, Any] = {"help": command.help} if command.help else {}
        sub = entries.add_parser(
            name,
            description=command.help,
            epilog=command.more,
            formatter_class=raw,
            allow_abbrev=False,
            **listed,
        )
        for argument in command.arguments:
            sub.add_argument(*argument.flags, **argument.options)
        sub.set_defaults(run=command.run, parser=sub)
    return parser


def main() -> int:
    """Run the command that sys.argv names."""
    options = _parser().parse_args()
    if getattr(options, "argv", None) == []:
        options.parser.error("the command is missing: exec HOST CMD…")
    try:
        status: int = options.run(options)
    except LabError as error:
        print(f"scripts/lab: {error}", file=sys.stderr)
        return commands.EXIT_ERROR
    except ModuleNotFoundError as error:
        print(f"scripts/lab: {error}: run apt-get install python3-{error.name}", file=sys.stderr)
        return commands.EXIT_ERROR
    except KeyboardInterrupt:
        return 128 + 2
    return status
