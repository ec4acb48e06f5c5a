"""The command line: `hearthwall-sensor COMMAND …`."""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from . import __version__
from .commands import (
    accept as accept_commands,
    devices as device_commands,
    display,
    events as event_commands,
    explain as explain_commands,
    flows as flow_commands,
    installation as installation_commands,
    metrics as metrics_commands,
    mud as mud_commands,
    pair as pair_commands,
    policy as policy_commands,
    processes as process_commands,
    profile as profile_commands,
    remote as remote_commands,
    replay as replay_commands,
    rules as rule_commands,
    settings as settings_commands,
    sinks as sink_commands,
    top as top_commands,
    trace as trace_commands,
    unload as unload_commands,
    usage as usage_commands,
)
from .commands.command import Command, Options, ask
from .feeds import commands as feed_commands
from .nearest import did_you_mean
from .protocol import DEFAULT_SOCKET, EXIT_SETTINGS, SensorError
from .requests import GetFeeds, GetStatus, RefreshFeed, RemoveFeed
from .words.cells import clean

if TYPE_CHECKING:
    from .settings import Settings


def _check(options: Options) -> Any:
    """Probe this host."""
    from .capabilities import check

    report = check()
    if not report["ok"]:
        options.exit_status = 1
    return report


def _run(options: Options) -> Any:
    """Run a sensor until it is stopped."""
    from . import logs, settings
    from .daemon import main

    logs.begin(verbose=options.verbose)
    given = {
        "interfaces": options.interface,
        "socket": options.socket,
        "state_dir": options.state_dir,
        "group": options.group,
        "home_assistant": options.home_assistant,
        "listen": options.listen,
        "wan": options.wan,
        "floods": options.flood,
        "dns_servers": options.dns_server,
        "geo": options.geo,
        "policy": options.policy,
        "cgroup": options.cgroup,
        "tc": options.tc,
        "xdp": options.xdp,
        "wait": options.wait or None,
        "alone": options.alone or None,
    }
    try:
        chosen = settings.read(options.config, given)
        _require_interface(chosen)
    except SensorError as error:
        if error.code != "internal":  # then another try may help
            error.exit_status = EXIT_SETTINGS
        raise
    options.exit_status = asyncio.run(main(chosen, supervised=options.supervised))
    return None


def _require_interface(chosen: "Settings") -> None:
    """Raise SensorError `unknown_interface` where nothing of the home's side is named."""
    if chosen.interfaces:
        return
    named = "run --interface br-lan"
    if chosen.file is not None:
        named = f'interfaces = ["br-lan"] in {chosen.file}'
    raise SensorError("unknown_interface", f"say which interface leads to the home: {named}")


def _run_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `run` takes."""
    parser.add_argument(
        "--interface",
        action="append",
        metavar="IF",
        help="guard this interface, or a bridge's ports; may be repeated",
    )
    parser.add_argument(
        "--wan",
        action="append",
        metavar="IF",
        help="guard this interface, which leads to the internet, against what comes from there; may be repeated",
    )
    parser.add_argument(
        "--state-dir",
        metavar="DIR",
        help="where rules and totals are kept (default /var/lib/hearthwall)",
    )
    parser.add_argument(
        "--config", metavar="FILE", help="read settings from a TOML file; these options win over it"
    )
    parser.add_argument(
        "--group", metavar="NAME", help="let this group's members talk to the sensor, beside root"
    )
    parser.add_argument(
        "--home-assistant",
        metavar="ADDRESS",
        help="Home Assistant's address, if it is not on this host",
    )
    parser.add_argument(
        "--listen",
        metavar="ADDRESS:PORT",
        help="let a Home Assistant on another host talk to the sensor there, over TLS and with a token"
        " (see `token`), such as 192.168.1.1:8447; without it nothing listens on the network",
    )
    parser.add_argument(
        "--tc",
        choices=("auto", "tcx", "clsact"),
        help="how to attach to tc (default: what the kernel has)",
    )
    parser.add_argument(
        "--xdp",
        choices=("auto", "link", "netlink", "off"),
        help="how to attach to XDP, or not at all: then tc drops everything (default: what the kernel has)",
    )
    parser.add_argument(
        "--flood",
        action="append",
        metavar="SIDE:KIND=RATE",
        help="drop what one source sends beyond so many packets a second, such as lan:udp=5000;"
        " lan or wan; syn, udp or icmp; 0 for no limit (default wan:syn=200, wan:udp=100000,"
        " wan:icmp=200)",
    )
    parser.add_argument(
        "--dns-server",
        action="append",
        metavar="ADDRESS",
        help="believe this host's DNS answers, beside those of this host, its resolvers and the"
        " internet: a DNS server in the home",
    )
    parser.add_argument(
        "--geo",
        action="append",
        metavar="FILE",
        help="tell a peer's country or network by this file in MaxMind's format (.mmdb), such as"
        " DB-IP Lite or GeoLite2; may be repeated",
    )
    parser.add_argument(
        "--policy",
        metavar="FILE",
        help="what is said of devices, detectors and responses (default policy.toml in the state folder)",
    )
    parser.add_argument(
        "--cgroup",
        metavar="PATH",
        help="watch the processes in this cgroup of the second version only, or `none`"
        " (default: all processes of this host)",
    )
    parser.add_argument(
        "--wait",
        action="store_true",
        help="start though none of the interfaces is there yet: each is guarded when it appears",
    )
    parser.add_argument(
        "--alone",
        action="store_true",
        help="take the place of programs on interfaces that a sensor left whose state has gone: where no other is used,"
        " as in the app",
    )
    parser.add_argument(
        "--supervised",
        action="store_true",
        help="say READY on standard output, end with standard input",
    )
    parser.add_argument("--verbose", action="store_true", help="log more")


def _load(options: Options) -> Any:
    """Load the kernel programs, compiled before or now: what `run` has a child do."""
    from pathlib import Path

    from .kernel.loader import compile_into, die_with_parent, load

    if options.compile_into:
        return compile_into(Path(options.compile_into))
    if options.pins:
        die_with_parent()
    return load(options.pins, anew=options.anew)


def _load_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `load` takes."""
    parser.add_argument(
        "--pins", metavar="DIR", help="pin into this new folder of bpffs; without it, only try"
    )
    parser.add_argument("--anew", action="store_true", help="compile also what was compiled before")
    parser.add_argument(
        "--compile-into",
        metavar="DIR",
        help="compile, and put the result into this folder: named `compiled` and beside the sensor's sources, it goes"
        " to machines of this architecture that have no compiler",
    )


def _gather(_: Options) -> Any:
    """Read the feeds' lists and put them in force: what `run` has a child do."""
    from .feeds.gather import run
    from .kernel.loader import die_with_parent

    die_with_parent()
    return run()


COMMANDS: Final = {
    "check": Command("report what this host can do and what is missing", _check, display.check),
    "run": Command("guard interfaces until stopped", _run, str, _run_arguments),
    "status": Command("show how the sensor fares", ask(lambda _: GetStatus()), display.status),
    **device_commands.COMMANDS,
    **flow_commands.COMMANDS,
    **usage_commands.COMMANDS,
    **process_commands.COMMANDS,
    **top_commands.COMMANDS,
    **trace_commands.COMMANDS,
    **rule_commands.COMMANDS,
    **event_commands.COMMANDS,
    **explain_commands.COMMANDS,
    **accept_commands.COMMANDS,
    **profile_commands.COMMANDS,
    **policy_commands.COMMANDS,
    **mud_commands.COMMANDS,
    **replay_commands.COMMANDS,
    **remote_commands.COMMANDS,
    **metrics_commands.COMMANDS,
    **pair_commands.COMMANDS,
    **sink_commands.COMMANDS,
    **settings_commands.COMMANDS,
    **installation_commands.COMMANDS,
    **unload_commands.COMMANDS,
    "load": Command(
        "compile the kernel programs where they are not yet, and pin them (run does this)",
        _load,
        display.loaded,
        _load_arguments,
    ),
    "feed": Command(
        "subscribe to a list of known-bad addresses or domains, or change one",
        ask(feed_commands.order),
        display.feed,
        feed_commands.arguments,
    ),
    "feeds": Command("list the feeds", ask(lambda _: GetFeeds()), display.feeds),
    "refresh": Command(
        "read a feed's list anew",
        ask(lambda options: RefreshFeed(options.name)),
        display.feed,
        feed_commands.name_argument,
    ),
    "unfeed": Command(
        "end a feed",
        ask(lambda options: RemoveFeed(options.name)),
        display.unfed,
        feed_commands.name_argument,
    ),
    "gather": Command("read the feeds' lists and put them in force (run does this)", _gather, str),
}


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are SensorErrors, so that `--json` holds for them too."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        """Take options by their whole names only: a new one must not change what a script says."""
        super().__init__(*arguments, **settings | {"allow_abbrev": False})

    def error(self, message: str) -> Any:
        """Raise instead of printing usage and exiting."""
        raise SensorError("invalid_message", f"{message}; see {self.prog} --help")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Say which word may be meant in place of one that there is not, or all that there are."""
        if action.choices is not None and value not in action.choices:
            words = tuple(map(str, action.choices))
            meant = did_you_mean(str(value), words) or f"; there are {', '.join(words)}"
            raise argparse.ArgumentError(action, f"there is no {str(value)[:40]!r}{meant}")


def _parser() -> _Parser:
    """Return the parser of all commands."""
    parser = _Parser(
        prog="hearthwall-sensor", description="Hearthwall's sensor on the home's gateway."
    )
    parser.add_argument("--version", action="version", version=f"hearthwall-sensor {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        each = commands.add_parser(name, help=command.description, description=command.description)
        each.add_argument(
            "--socket",
            metavar="PATH",
            default=None if name == "run" else DEFAULT_SOCKET,
            help="the sensor's socket",
        )
        each.add_argument("--json", action="store_true", help="print one JSON document")
        command.arguments(each)
    return parser


def _require_command(arguments: Sequence[str]) -> None:
    """Raise SensorError for a command that there is not, in fewer words than a list of all."""
    name = arguments[0] if arguments else ""
    if name and not name.startswith("-") and name not in COMMANDS:
        meant = did_you_mean(name, COMMANDS) or "; hearthwall-sensor --help lists them"
        raise SensorError("unknown_command", f"there is no command {name[:40]}{meant}")


def _ordered(arguments: Sequence[str]) -> list[str]:
    """Return a command line with what every command takes right after its name.

    argparse loses the words behind an option that stands between those that may be left out.
    """
    name, *rest = arguments or ("",)
    if name not in COMMANDS:
        return list(arguments)
    common: list[str] = []
    others: list[str] = []
    words = iter(rest)
    for each in words:
        if each == "--":
            others += [each, *words]
        elif each == "--json" or each.startswith("--socket="):
            common.append(each)
        elif each == "--socket" and (value := next(words, None)) is not None:
            common += [each, value]
        else:
            others.append(each)
    return [name, *common, *others]


def _parsed(arguments: Sequence[str]) -> Options:
    """Return what a command line says; raises SensorError for what its command does not know."""
    parser = _parser()
    options, unknown = parser.parse_known_args(_ordered(arguments))
    if not unknown:
        return options
    word = next((each for each in unknown if each.startswith("-")), unknown[0]).partition("=")[0]
    known = argparse.ArgumentParser(prog=options.command, add_help=False)
    COMMANDS[options.command].arguments(known)
    names = [name for name in known._option_string_actions if name.startswith("--")]  # noqa: SLF001, no other way
    meant = did_you_mean(word, (*names, "--json", "--socket")) if word.startswith("-") else ""
    raise SensorError(
        "invalid_message",
        f"{options.command} does not take {word[:40]}{meant}"
        f"{'' if meant else ';'} see {parser.prog} {options.command} --help",
    )


def main(arguments: Sequence[str]) -> int:
    """Run one command; return the exit status."""
    as_json = "--json" in arguments
    try:
        _require_command(arguments)
        options = _parsed(arguments)
        options.exit_status = 0
        command = COMMANDS[options.command]
        result = command.run(options)
    except SensorError as error:
        if as_json:
            print(json.dumps({"error": error.to_wire()}))
        else:
            # Only the first line begins as a command's own does
            shown = "\n  ".join(map(clean, error.message.splitlines()))
            print(f"hearthwall-sensor: {shown}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        return 130
    if result is not None:
        try:
            print(json.dumps(result, indent=1) if as_json else command.show(result), flush=True)
        except BrokenPipeError:
            sys.stderr.close()  # a pager that was closed
    return int(options.exit_status)
