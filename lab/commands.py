"""What the commands of scripts/lab do."""

import argparse
import contextlib
import fcntl
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Final

from lab import habits, netns, sender, tools
from lab.attacks.stage import Stage
from lab.errors import LabError
from lab.home import DEVICES
from lab.lab import Lab, Status, names
from lab.sink import main as sink_main
from lab.text import HOSTS_TABLE

#: Exit codes in systemctl's manner.
EXIT_ERROR: Final = 1
EXIT_NOT_UP: Final = 3


def _print_json(value: object) -> None:
    print(json.dumps(value, indent=2))


def up(options: argparse.Namespace) -> int:
    """Build the lab."""
    lab: Lab = options.lab
    begin = time.monotonic()
    if lab.up():
        print(f"The lab {lab.name} is up ({time.monotonic() - begin:.1f} s).")
    else:
        print(f"The lab {lab.name} is up already.")
    return 0


def down(options: argparse.Namespace) -> int:
    """Remove the lab."""
    lab: Lab = options.lab
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


def status(options: argparse.Namespace) -> int:
    """Show the state of one lab."""
    lab: Lab = options.lab
    status = lab.status()
    if options.json:
        _print_json(status.as_dict())
    else:
        _print_status(status)
    return 0 if status.state == "up" else EXIT_NOT_UP


def list_all(options: argparse.Namespace) -> int:
    """Show the state of all labs."""
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
    if not lab.stands:
        raise LabError(f"the lab {lab.name} is not up: run scripts/lab up --name {lab.name}")


def execute(options: argparse.Namespace) -> int:
    """Become the command, in the host's namespace."""
    lab: Lab = options.lab
    tools.require_root("exec")
    argv = lab.argv(options.host, options.argv)
    os.execv(argv[0], argv)  # noqa: S606 - what was asked for, and no shell


def send(options: argparse.Namespace) -> int:
    """Send numbered datagrams from a host."""
    lab: Lab = options.lab
    _require_up(lab, "send")
    netns.enter(lab.namespaces[options.source])
    record = sender.send(
        options.to,
        rate=options.rate,
        seconds=options.seconds,
        size=options.size,
        label=options.source,
    )
    sender.report(record, options.log)
    return 0


def sink(options: argparse.Namespace) -> int:
    """Count numbered datagrams on a host."""
    lab: Lab = options.lab
    _require_up(lab, "sink")
    netns.enter(lab.namespaces[options.host])
    sink_main(options.listen, options.seconds)
    return 0


def attack(options: argparse.Namespace) -> int:
    """Let devices attack."""
    lab: Lab = options.lab
    _require_up(lab, "attack")
    with _alone(lab):
        stage = Stage(lab)
        try:
            for name, running in stage.start(*options.attacks).items():
                status = running.wait()
                log = lab.run_directory.path / f"{name}.log"
                print(f"{name}: {running.attack.device} has done it, exit code {status}, see {log}")
        finally:
            stage.clean()
    return 0


@contextlib.contextmanager
def _alone(lab: Lab) -> Iterator[None]:
    """Keep other attacks out: their servers would want the same addresses."""
    with (lab.run_directory.path / "attack.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LabError(
                f"another attack is running in the lab {lab.name}: wait for its end, or name both in one command"
            ) from error
        yield


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


def traffic(options: argparse.Namespace) -> int:
    """Live the devices' habits, or show the plan."""
    lab: Lab = options.lab
    devices = options.device or list(DEVICES)
    if options.plan:
        return _print_plan(options, devices)
    _require_up(lab, "traffic")
    from lab import traffic  # noqa: PLC0415 - needs aiohttp, which a plan does without

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
                f"{device:8}{tally['done']:6} done{tally['failed']:5} failed"
                f"{tally['skipped']:5} skipped{tally['upload_bytes']:12} bytes up"
                f"{tally['download_bytes']:12} bytes down  {tally['last_error']}"
            )
    return 0 if all(tallies.values()) else EXIT_ERROR


def internet(options: argparse.Namespace) -> int:
    """Serve the internet; `up` runs this."""
    lab: Lab = options.lab
    tools.require_root("internet")
    from lab import internet  # noqa: PLC0415 - needs aiohttp and dnslib, which only this process does

    netns.enter(lab.namespaces["internet"])
    run = lab.run_directory
    internet.serve(run.certificate, run.key, options.ready, options.lock)
    return 0
