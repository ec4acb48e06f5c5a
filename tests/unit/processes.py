"""Processes of a gateway for tests: images with their parents, and what they do."""

import itertools
from typing import Any

from hearthwall_sensor.notice import Notice
from hearthwall_sensor.observations import Bound, Called, Connected, Executed
from hearthwall_sensor.processes.image import Image
from tests.unit.observed import NOON, packed

_numbers = itertools.count(1)


def image(executable: str, parent: Image | None = None, **fields: Any) -> Image:
    """Return what a process became by an exec."""
    number = next(_numbers)
    said: dict[str, Any] = {
        "pid": 1000 + number,
        "parent_pid": 1 if parent is None else parent.pid,
        "uid": 0,
        "file": executable,
        "command_line": executable,
        "comm": executable.rpartition("/")[2][:15],
        "started": NOON,
        "unit": None if parent is None else parent.unit,
        "container": None if parent is None else parent.container,
    }
    return Image(number=number, executable=executable, parent=parent, **(said | fields))


def executed(what: Image, at: float = NOON) -> Executed:
    return Executed(at, what.program, what)


def connected(what: Image, peer: str = "203.0.113.9", at: float = NOON, **fields: Any) -> Connected:
    """Return a call to the internet."""
    said: dict[str, Any] = {
        "pid": what.pid,
        "transport": "tcp",
        "address": packed("192.168.0.1"),
        "port": 50_000,
        "peer": packed(peer),
        "peer_port": 443,
        "scope": "internet",
        "is_outgoing": True,
    }
    return Connected(at, what.program, what, **(said | fields))


def bound(
    what: Image, service: str = "tcp/8080", at: float = NOON, address: str = "0.0.0.0"
) -> Bound:
    return Bound(at, what.program, what, what.pid, service, packed(address))


def called(what: Image, call: str, at: float = NOON, **fields: Any) -> Called:
    """Return a system call."""
    said: dict[str, Any] = {"pid": what.pid, "path": "", "number": 0, "detail": 0}
    return Called(at, what.program, what, call=call, **(said | fields))


SYSTEMD = image("/usr/lib/systemd/systemd")
SSHD = image("/usr/sbin/sshd", SYSTEMD, unit="ssh.service")
SHELL = image("/usr/bin/bash", SSHD, unit="session-4.scope")


#: Whom observations name, and the MAC that flows of programs have.
AGENT = "exe:/usr/bin/agent"
INSIDE = "exe:/usr/bin/agent@0123456789ab"
NOBODY = "00:00:00:00:00:00"


def notice(process: str | None = "/usr/bin/agent", **fields: Any) -> Notice:
    """Return an event of a program."""
    said: dict[str, Any] = {
        "kind": "unexpected_process",
        "severity": "medium",
        "summary": "agent listens.",
        "evidence": {"detector": "unexpected_process"},
        "address": "192.168.0.1",
        "process": process,
        "subject": "new_listener tcp/8080",
    }
    return Notice(**(said | fields))
