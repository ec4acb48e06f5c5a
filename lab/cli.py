"""The command line of scripts/lab."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lab import habits, home, netns, sender, sink, tools
from lab.errors import LabError
from lab.home import DEVICES, HOSTS
from lab.lab import Lab, Status, names

ABOUT: Final = """\
A home in network namespaces: a gateway (bridge br-lan, NAT to wan), six devices in two
segments, and an internet of web servers, DNS, a mining pool and an address of ill repute.
Nothing leaves this machine, and nothing of it is changed: everything is in namespaces."""

HOSTS_TABLE: Final = "hosts:\n" + "\n".join(
    f"  {host.name:9}{host.mac:19}{', '.join(host.addresses[:4]) if host.name != 'internet' else '198.51.100.1, 2001:db8:100::1'}"
    for host in HOSTS.values()
)
SITES_TABLE: Final = "names on the lab's internet, answered by its DNS 203.0.113.53:\n" + "\n".join(
    f"  {', '.join(site.names):28}{site.ipv4:15}{site.ipv6:22}{site.service}"
    for site in home.SITES.values()
)
EXEC_HELP: Final = f"""\
Runs a command on a host of the lab, with its input, output and exit code passed through.
Only the network is the host's own; files, /sys and /etc/resolv.conf stay the machine's, so
name the lab's DNS where a name is to be looked up:

  scripts/lab exec laptop dig @203.0.113.53 video.example
  scripts/lab exec tv ping -c 3 2001:db8:ffff::10
  scripts/lab exec camera curl --resolve web.lab.example:443:203.0.113.10 \\
      --cacert /run/hearthwall-lab/home/certificate.pem https://web.lab.example/bytes/1000

The web servers answer GET /bytes/N, GET /pace?rate=BYTES_PER_SECOND&seconds=S and POST /upload.

{HOSTS_TABLE}

{SITES_TABLE}"""

#: Exit codes in systemctl's manner.
EXIT_ERROR: Final = 1
EXIT_NOT_UP: Final = 3


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2))


def _up(lab: Lab, options: argparse.Namespace) -> int:
    begin = time.monotonic()
    if lab.up():
        print(f"The lab {lab.name} is up ({time.monotonic() - begin:.1f} s).")
    else:
        print(f"The lab {lab.name} is up already.")
    return 0


def _down(lab: Lab, options: argparse.Namespace) -> int:
    print(f"The lab {lab.name} is {'down' if lab.down() else 'down already'}.")
    return 0


def _print_status(status: Status) -> None:
    print(f"The lab {status.name} is {status.state}.")
    for problem in status.problems:
        print(f"  {problem}")
    if status.state == "broken":
        print(f"Run scripts/lab up --name {status.name} to build it anew, or down to remove it.")
    elif status.state == "up":
        print(HOSTS_TABLE)


def _status(lab: Lab, options: argparse.Namespace) -> int:
    status = lab.status()
    if options.json:
        _print_json(status.as_dict())
    else:
        _print_status(status)
    return 0 if status.state == "up" else EXIT_NOT_UP


def _list(lab: Lab, options: argparse.Namespace) -> int:
    tools.require_root("list")
    states = [{"name": name, "state": Lab(name).status().state} for name in names()]
    if options.json:
        _print_json(states)
    else:
        print(
            "\n".join(f"{entry['name']:13}{entry['state']}" for entry in states)
            or "There is no lab."
        )
    return 0


def _require_up(lab: Lab, command: str) -> None:
    tools.require_root(command)
    if lab.status().state != "up":
        raise LabError(f"the lab {lab.name} is not up: run scripts/lab up --name {lab.name}")


def _exec(lab: Lab, options: argparse.Namespace) -> int:
    tools.require_root("exec")
    argv = lab.argv(options.host, options.argv)
    os.execv(argv[0], argv)


def _send(lab: Lab, options: argparse.Namespace) -> int:
    _require_up(lab, "send")
    netns.enter(lab.namespaces[options.source])
    sender.main(
        options.to,
        rate=options.rate,
        seconds=options.seconds,
        size=options.size,
        label=options.source,
        log=options.log,
    )
    return 0


def _sink(lab: Lab, options: argparse.Namespace) -> int:
    _require_up(lab, "sink")
    netns.enter(lab.namespaces[options.host])
    sink.main(*options.listen, options.seconds)
    return 0


def _print_plan(options: argparse.Namespace, devices: Sequence[str]) -> int:
    duration = 60.0 if options.duration is None else options.duration
    events = [event.as_dict() for event in habits.plan_until(options.seed, devices, duration)]
    if options.json:
        _print_json(events)
        return 0
    for event in events:
        print(
            f"{event['at']:10.3f} s  {event['device']:8}{event['habit']:16}{event['direction']:10}"
            f"{sum(event['sizes']):9} bytes  IPv{event['family']}  {event['site']}"
        )
    return 0


def _traffic(lab: Lab, options: argparse.Namespace) -> int:
    devices = options.device or list(DEVICES)
    if options.plan:
        return _print_plan(options, devices)
    _require_up(lab, "traffic")
    from lab import traffic  # needs aiohttp, which a plan does without

    if not options.json:
        until = "Ctrl-C ends it" if options.duration is None else f"for {options.duration:g} s"
        print(
            f"{', '.join(devices)} in the lab {lab.name} live their habits ({until}).", flush=True
        )
    tallies = traffic.live(
        lab, devices, seed=options.seed, speed=options.speed, duration=options.duration
    )
    if options.json:
        _print_json(tallies)
    for device, tally in tallies.items():
        if tally is None:
            print(f"{device}: its process ended unexpectedly", file=sys.stderr)
        elif not options.json:
            print(
                f"{device:8}{tally['done']:6} done{tally['failed']:5} failed{tally['skipped']:5} skipped"
                f"{tally['upload_bytes']:12} bytes up{tally['download_bytes']:12} bytes down  {tally['last_error']}"
            )
    return 0 if all(tallies.values()) else EXIT_ERROR


def _internet(lab: Lab, options: argparse.Namespace) -> int:
    tools.require_root("internet")
    from lab import internet  # needs aiohttp and dnslib, which only this process does

    netns.enter(lab.namespaces["internet"])
    run = lab.run_directory
    internet.serve(run.certificate, run.key, options.ready, options.lock)
    return 0


def _positive(highest: float) -> Callable[[str], float]:
    """A reader for numbers above 0, up to the highest."""

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
    """A command: what does it, what it takes, and what its help says. Without help it is not listed."""

    run: Callable[[Lab, argparse.Namespace], int]
    help: str | None
    arguments: tuple[Argument, ...] = (_NAME,)
    more: str = ""


COMMANDS: Final = {
    "up": Command(_up, "build the lab; does nothing if it stands, repairs it if it is broken"),
    "down": Command(_down, "remove the lab and everything that runs in it"),
    "status": Command(
        _status,
        "tell whether the lab is up, and what is wrong if it is not",
        (_NAME, _JSON),
        f"Exit code: 0 if the lab is up, {EXIT_NOT_UP} if it is down or broken.",
    ),
    "list": Command(_list, "list all labs and whether they are up", (_JSON,)),
    "exec": Command(
        _exec,
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
        _traffic,
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
    "send": Command(
        _send,
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
                help=f"default: the sink {home.WEB.ipv4}:{home.SINK_PORT}; port {home.ECHO_PORT} sends everything back",
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
        f"http://{home.WEB.ipv4}/sink (add ?full=1 for every number and arrival time; POST /sink/reset).",
    ),
    "sink": Command(
        _sink,
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
        _internet,
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
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        listed = {"help": command.help} if command.help else {}
        sub = commands.add_parser(
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
    options = _parser().parse_args()
    if getattr(options, "argv", None) == []:
        options.parser.error("the command is missing: exec HOST CMD…")
    try:
        status: int = options.run(options.lab if "lab" in options else Lab(), options)
    except LabError as error:
        print(f"scripts/lab: {error}", file=sys.stderr)
        return EXIT_ERROR
    except ModuleNotFoundError as error:
        print(f"scripts/lab: {error}: run apt-get install python3-{error.name}", file=sys.stderr)
        return EXIT_ERROR
    except KeyboardInterrupt:
        return 128 + 2
    return status
